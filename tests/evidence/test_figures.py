"""Grids out of figures, and whether they are of the model whose weights were handed in."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from grader.evidence.examine import examine
from grader.evidence.facts import Claim, Kind, Reason, Verdict
from grader.evidence.tiles import last_grid
from grader.report.figures import draw_figures
from grader.submission import Submission
from tests.evidence.making import FILTERS, Made, train_own_vae
from tests.solutions.conftest import load_part

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SAMPLES, ADVERSARIAL = "1.8_samples_epoch_080", "2.5_samples"


def drawn(images: torch.Tensor, folder: Path) -> bytes:
    """A figure of samples as training draws it."""
    part1 = load_part("solutions/part1")
    part1.figures.draw_samples(images * 15, 80, folder)
    return (folder / "samples_epoch_080.png").read_bytes()


def kept(content: bytes, name: str = SAMPLES) -> bytes:
    """The figure as the grader keeps it beside the results."""
    return draw_figures({f"figures/{name}.png": content}, sandbox=False).files[f"figures/{name}.png"]


@pytest.mark.parametrize("size", [1.0, 0.93, 1.13, 1.7])
def test_a_grid_is_read_pixel_by_pixel(size, tmp_path):
    """Wherever the grid's edges lie between two pixels of the figure."""
    from matplotlib.figure import Figure

    part1 = load_part("solutions/part1")
    images = torch.randint(0, 16, (64, 1, 28, 28), generator=torch.Generator().manual_seed(1)) / 15
    figure = Figure(figsize=(5 * size, 5.3 * size), layout="constrained")
    part1.drawing.show(figure.add_subplot(), part1.drawing.grid(images), "Samples")
    part1.drawing.save(figure, tmp_path / "a.png")
    read = last_grid((tmp_path / "a.png").read_bytes())
    assert read is not None
    assert read.shape == images.shape
    assert float((read - images).abs().max()) < 0.01


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("vae-z20-samples-epoch-080", 64),
        ("vae-z2-manifold", 400),
        ("aae-z8-lambda0.995-samples-over-time", 64),
        ("aae-z20-lambda0.995-samples-over-time", 64),
        ("aae-z8-lambda1-reconstructions-by-digit", 60),
    ],
)
def test_the_figures_of_full_trainings_can_be_read(name, count):
    read = last_grid((RESULTS / f"{name}.png").read_bytes())
    assert read is not None
    assert read.shape == (count, 1, 28, 28)


def smoothed(content: bytes) -> bytes:
    return _saved(Image.open(io.BytesIO(content)).convert("L").filter(ImageFilter.GaussianBlur(1)))


def shrunk(content: bytes) -> bytes:
    image = Image.open(io.BytesIO(content))
    return _saved(image.resize((image.width // 3, image.height // 3)))


def _saved(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


UNREADABLE: dict[str, Callable[[bytes], bytes]] = {
    "smoothed": smoothed,
    "smaller than its pixels": shrunk,
    "curves": lambda _: (RESULTS / "vae-z20-bpd-curves.png").read_bytes(),
    "grey all over": lambda _: _saved(Image.new("L", (600, 600), 127)),
    "noise": lambda _: _saved(
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (600, 600), dtype=np.uint8))
    ),
    "stripes of grey": lambda _: _saved(
        Image.fromarray(np.where(np.arange(600) % 3 > 0, 127, 0).astype(np.uint8)[:, None].repeat(600, 1))
    ),
    "no image": lambda _: b"\x89PNG\r\n\x1a\n" + bytes(50),
    "cut off": lambda content: content[: len(content) // 2],
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_left_to_people(change):
    assert last_grid(change((RESULTS / "vae-z20-samples-epoch-080.png").read_bytes())) is None


@pytest.fixture(scope="module")
def friends(images) -> Made:
    """A training of the same networks with another seed."""
    return train_own_vae(images, seed=8, epochs=3)


def samples(weights: Mapping[str, torch.Tensor], mean: bool = False, seed: int = 11) -> torch.Tensor:
    networks = load_part("solutions/part1").cnn_encoder_decoder
    decoder = networks.CNNDecoder(16, FILTERS, 20).eval()
    decoder.load_state_dict(
        {name.removeprefix("decoder."): value for name, value in weights.items() if "decoder." in name}
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        chances = decoder(torch.randn(64, 20, generator=generator)).softmax(1).permute(0, 2, 3, 1)
    if mean:
        return (chances @ torch.linspace(0, 1, 16)).unsqueeze(1)
    levels = torch.multinomial(chances.reshape(-1, 16), 1, generator=generator)
    return levels.view(64, 1, 28, 28) / 15


@pytest.fixture
def grid_of(vae, box, code, images) -> Callable[..., Claim | None]:
    weights = replace(vae, weights={"final": vae.weights["final"]}, rows={}, summary={}).files()  # the least

    def judge(figure: bytes, seed: int = 1) -> Claim | None:
        evidence = examine(
            Submission("s1", code, shown=weights), lambda: box, images, seed, {SAMPLES: figure}
        ).evidence
        found = [claim for run in evidence.runs for claim in run.claims if claim.kind is Kind.GRID]
        return found[0] if found else None

    return judge


TRUE = {"samples": False, "the means of the pixels": True}


@pytest.mark.parametrize("mean", TRUE.values(), ids=TRUE.keys())
@pytest.mark.parametrize("seed", range(2))
def test_samples_of_the_weights_are_not_contradicted(vae, grid_of, tmp_path, mean, seed):
    claim = grid_of(kept(drawn(samples(vae.weights["final"], mean), tmp_path)), seed)
    assert claim is not None
    assert claim.verdict is Verdict.SUPPORTED, claim


FALSE: dict[str, Callable[[Made, Made, torch.Tensor], torch.Tensor]] = {
    "images of MNIST": lambda vae, friends, mnist: mnist,
    "samples after 2 epochs": lambda vae, friends, mnist: samples(vae.early),
    "samples of another training": lambda vae, friends, mnist: samples(friends.weights["final"]),
    "sharpened": lambda vae, friends, mnist: (1.6 * samples(vae.weights["final"], True) - 0.3).clamp(0, 1),
    "black and white": lambda vae, friends, mnist: (samples(vae.weights["final"], True) > 0.4).float(),
    "more ink": lambda vae, friends, mnist: samples(vae.weights["final"], True) ** 0.6,
    "noise": lambda vae, friends, mnist: torch.rand(64, 1, 28, 28),
    "mirrored": lambda vae, friends, mnist: mnist.flip(-1),
}


@pytest.mark.parametrize("make", FALSE.values(), ids=FALSE.keys())
def test_other_images_are_not_supported(vae, friends, images, grid_of, tmp_path, make):
    mnist = images["training"].pixels(torch.arange(64))
    claim = grid_of(kept(drawn(make(vae, friends, mnist), tmp_path)))
    assert claim is not None
    assert claim.verdict is not Verdict.SUPPORTED, claim


@pytest.mark.parametrize(
    "name", ["vae-z20-samples-epoch-080", "vae-z2-samples-epoch-080", "vae-z20-samples-epoch-000"]
)
def test_a_borrowed_figure_is_contradicted(grid_of, name):
    claim = grid_of(kept((RESULTS / f"{name}.png").read_bytes()))
    assert claim is not None
    assert claim.verdict is Verdict.CONTRADICTED, claim


def test_the_manifold_is_kept_with_its_pixels():
    """One that takes a little more room than ours does is no photograph."""
    content = (RESULTS / "vae-z2-manifold.png").read_bytes()
    grey = np.asarray(Image.open(io.BytesIO(content)).convert("L")).astype(np.int16)
    noise = np.random.default_rng(1).integers(-3, 4, grey.shape) * (np.abs(grey - 127) > 40)
    name = "1.9_manifold"
    noisy = _saved(Image.fromarray((grey + noise).clip(0, 255).astype(np.uint8)))
    assert last_grid(kept(content, name)) is not None
    files = draw_figures({f"figures/{name}.png": noisy}, sandbox=False).files
    assert len(files[f"figures/{name}.png"]) > 130_000, "or this tries nothing"


def test_a_figure_that_cannot_be_read_is_told(grid_of):
    claim = grid_of(kept((RESULTS / "vae-z20-bpd-curves.png").read_bytes()))
    assert claim == Claim(Kind.GRID, Verdict.NOT_CHECKABLE, Reason.UNREADABLE)


def test_a_borrowed_figure_of_part_2_is_contradicted(aaes, box, code, images):
    for name in ("aae-z8-lambda0.995", "aae-z8-lambda1"):
        figure = kept((RESULTS / f"{name}-samples-over-time.png").read_bytes(), ADVERSARIAL)
        made = replace(aaes[0.995], weights={"final": aaes[0.995].weights["final"]})
        evidence = examine(
            Submission("s1", code, shown=made.files()), lambda: box, images, 1, {ADVERSARIAL: figure}
        ).evidence
        (claim,) = [claim for run in evidence.runs for claim in run.claims if claim.kind is Kind.GRID]
        assert claim.verdict is Verdict.CONTRADICTED, claim
