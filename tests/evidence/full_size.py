"""A hand-in with all that the questions ask for: seven trainings of the recommended width, and their figures.

Trained for a minute and not for a day: the tables go on to the last epoch as they were, and the weights of
earlier epochs are the last ones with noise. To judge them costs what it costs after a full training.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

from grader.evidence.drawings import manifold_codes
from grader.evidence.images import Images, levels, signed
from grader.evidence.judge import epoch_name
from grader.evidence.trainings import Training, trainings
from tests.evidence.making import MANY, Made, bpd, some_of, train_aae, train_vae
from tests.solutions.conftest import load_part

FILTERS = 32
NOISE = 0.02  # of the weights of an earlier epoch, as a share of their spread
EPOCHS = {"part1": 2, "part2": 2}


def evidence_and_figures(images: Mapping[str, Images]) -> dict[str, bytes]:
    """The files of `evidence/` and `figures/`, by path, as the trainings of a right hand-in write them."""
    part1, part2 = load_part("solutions/part1"), load_part("solutions/part2")
    files: dict[str, bytes] = {}
    for number, training in enumerate(trainings()):
        torch.manual_seed(number)
        if training.part == "part1":
            networks = part1.cnn_encoder_decoder
            pair = (
                networks.CNNEncoder(z_dim=training.z_dim, num_filters=FILTERS),
                networks.CNNDecoder(16, FILTERS, training.z_dim),
            )
            made = train_vae(pair, images, EPOCHS["part1"], training.run, training.z_dim, FILTERS)
        else:
            pair = (part2.models.ConvEncoder(training.z_dim), part2.models.ConvDecoder(training.z_dim))
            made = train_aae(pair, images, EPOCHS["part2"], training.run, training.lambda_)
        made = _to_the_end(made, training, pair, images)
        files |= made.files()
        if training.figure:
            files[f"figures/{training.figure}.png"] = _figure(training, pair[1], part1, part2)
    return files


def _to_the_end(
    made: Made, training: Training, pair: tuple[nn.Module, nn.Module], images: Mapping[str, Images]
) -> Made:
    """With a table up to the epoch that the question asks for, and the weights of those that figures show."""
    end = dict(made.rows[made.last])
    if training.part == "part2":  # the mean over an epoch in which so much is learnt is far from its end
        end[made.curve] = made.summary["train_reconstruction_loss"]
    rows = {**made.rows, **{epoch: dict(end) for epoch in range(made.last, training.epochs + 1)}}
    weights = {"final": made.weights["final"]}
    if training.part == "part1":
        weights["tested"] = made.weights["final"]
    for epoch in training.shown:
        earlier = {name: _noisy(value) for name, value in made.weights["final"].items()}
        weights[epoch_name(epoch)] = earlier
        _load(pair, earlier)
        rows[epoch] = {**end, made.curve: _measured(training, pair, images)}
    _load(pair, made.weights["final"])
    return replace(made, rows=rows, weights=weights, options={**made.options, "epochs": training.epochs})


def _noisy(value: torch.Tensor) -> torch.Tensor:
    return value + NOISE * value.std() * torch.randn(value.shape) if value.dim() > 1 else value


def _load(pair: tuple[nn.Module, nn.Module], weights: Mapping[str, torch.Tensor]) -> None:
    for name, network in zip(("encoder.", "decoder."), pair, strict=True):
        inner = {key.removeprefix(name): value for key, value in weights.items() if key.startswith(name)}
        network.load_state_dict(inner)


@torch.no_grad()
def _measured(training: Training, pair: tuple[nn.Module, nn.Module], images: Mapping[str, Images]) -> float:
    if training.part == "part1":
        return bpd(*pair, levels(some_of(images["validation"], MANY)))
    batches = signed(some_of(images["training"], MANY)).split(500)
    encoder, decoder = (network.eval() for network in pair)
    return float(torch.stack([(decoder(encoder(one)) - one).square().mean() for one in batches]).mean())


@torch.no_grad()
def _figure(training: Training, decoder: nn.Module, part1: SimpleNamespace, part2: SimpleNamespace) -> bytes:
    """Samples, or for two dimensions of the VAE the manifold, drawn by what students are given."""
    manifold = training.part == "part1" and training.z_dim == 2
    drawn = decoder.eval()(manifold_codes() if manifold else torch.randn(64, training.z_dim))
    if training.part == "part2":
        grids = part2.drawing.grid((drawn + 1) / 2)
        return _saved(lambda folder: _over_time(part2, training, grids, folder))
    chances = drawn.softmax(1).permute(0, 2, 3, 1)
    if manifold:
        means = (chances @ torch.linspace(0, 1, 16)).unsqueeze(1)
        return _saved(lambda folder: part1.figures.draw_manifold(part1.drawing.grid(means, 20), folder))
    samples = torch.multinomial(chances.reshape(-1, 16), 1).view(64, 1, 28, 28)
    return _saved(lambda folder: part1.figures.draw_samples(samples, training.epochs, folder))


def _over_time(part2: SimpleNamespace, training: Training, grid: torch.Tensor, folder: Path) -> None:
    from torchvision.utils import save_image

    epochs = (0, *training.shown, training.epochs)
    for epoch in epochs:
        save_image(grid, folder / part2.figures.grid_name("samples", epoch))
    part2.figures.draw_over_time("samples", epochs, training.run, folder)
    for epoch in epochs:
        (folder / part2.figures.grid_name("samples", epoch)).unlink()


def _saved(draw: Callable[[Path], None]) -> bytes:
    """The one picture that is drawn into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder))
        (file,) = Path(folder).iterdir()
        return file.read_bytes()
