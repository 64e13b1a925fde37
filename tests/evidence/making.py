"""Small trainings with evidence, made in seconds: narrow networks, a few thousand images of MNIST."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors.torch import save
from torch import nn
from torch.nn.functional import cross_entropy

from grader.evidence.facts import Kind, Run, Verdict
from grader.evidence.images import Images, levels, signed
from tests.solutions.conftest import load_part

SOLUTIONS = Path(__file__).parents[2] / "solutions"
IMAGES = 2000  # that a small training sees
MANY, FEW = 3000, 300  # that a value is measured on which a judge looks at, or nobody
FILTERS = 8
Rows = dict[int, dict[str, float]]


@dataclass(frozen=True)
class Made:
    """A training's evidence before it is written.

    Attributes:
        run: the name of its folder.
        weights: by file, all tensors by name.
        rows: the table of metrics, by epoch.
        summary: the score.
        options: of the training.
    """

    run: str
    weights: Mapping[str, dict[str, torch.Tensor]]
    rows: Rows
    summary: Mapping[str, float]
    options: Mapping[str, float] = field(default_factory=dict)
    early: Mapping[str, torch.Tensor] = field(
        default_factory=dict
    )  # weights of the second epoch, not handed in

    @property
    def curve(self) -> str:
        """The column of the table that is judged."""
        return "val_bpd" if self.run.startswith("vae") else "recon_loss"

    @property
    def last(self) -> int:
        """The last epoch of the table."""
        return max(self.rows)

    def files(self) -> dict[str, bytes]:
        """As it is handed in."""
        files = {f"{name}.safetensors": save(tensors) for name, tensors in self.weights.items()}
        files["metrics.csv"] = _csv([{"epoch": epoch, **row} for epoch, row in self.rows.items()])
        files["summary.csv"] = _csv([self.summary])
        files["options.json"] = json.dumps({"options": dict(self.options)}).encode()
        return {f"evidence/{self.run}/{name}": content for name, content in files.items()}

    def with_rows(self, **changes: Mapping[int, float]) -> Made:
        """The same with other numbers in the table: by column, then by epoch."""
        rows = {epoch: dict(row) for epoch, row in self.rows.items()}
        for column, values in changes.items():
            for epoch, value in values.items():
                rows.setdefault(epoch, {})[column] = value
        return replace(self, rows=rows)


def _csv(rows: list[Mapping[str, float]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def scaled(made: Made, factor: float) -> Made:
    """With all values of the curve but the untrained one times a factor."""
    return made.with_rows(
        **{made.curve: {epoch: row[made.curve] * factor for epoch, row in made.rows.items() if epoch}}
    )


def supported(run: Run) -> set[Kind]:
    """The kinds of claims that are supported."""
    return {claim.kind for claim in run.claims if claim.verdict is Verdict.SUPPORTED}


def contradicted(run: Run) -> set[Kind]:
    """The kinds of claims that are contradicted."""
    return {claim.kind for claim in run.claims if claim.verdict is Verdict.CONTRADICTED}


def state_of(encoder: nn.Module, decoder: nn.Module) -> dict[str, torch.Tensor]:
    """The weights of both, as evidence names them."""
    named = {"encoder": encoder, "decoder": decoder}
    return {
        f"{network}.{name}": value.clone()
        for network, module in named.items()
        for name, value in module.state_dict().items()
    }


def train_own_vae(images: Mapping[str, Images], seed: int, epochs: int) -> Made:
    """A training of the solutions' networks, 20 latent dimensions wide."""
    torch.manual_seed(seed)
    networks = load_part("solutions/part1").cnn_encoder_decoder
    pair = (networks.CNNEncoder(z_dim=20, num_filters=FILTERS), networks.CNNDecoder(16, FILTERS, 20))
    return train_vae(pair, images, epochs, "vae_z_dim_20", 20)


def train_vae(
    networks: tuple[nn.Module, nn.Module],
    images: Mapping[str, Images],
    epochs: int,
    run: str,
    z_dim: int,
    filters: int = FILTERS,
) -> Made:
    """Train a VAE of any networks, and say of it what a student's training says."""
    encoder, decoder = networks
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    training = levels(images["training"].pixels(torch.arange(IMAGES)))
    validation, test = (levels(some_of(images[name], MANY)) for name in ("validation", "test"))
    rows: Rows = {0: {"val_bpd": bpd(encoder, decoder, validation[:FEW])}}
    weights = {}
    best = math.inf
    for epoch in range(1, epochs + 1):
        encoder.train()
        decoder.train()
        for batch in training[torch.randperm(len(training))].split(50):
            optimizer.zero_grad()
            loss = _bpd(encoder, decoder, batch).mean()
            loss.backward()
            optimizer.step()
        some = validation[: MANY if epoch in (10, epochs) else FEW]
        rows[epoch] = {"val_bpd": bpd(encoder, decoder, some), "seconds": 1 + epoch / 7}
        state = state_of(encoder, decoder)
        if epoch == 2:
            early = state
        if epoch in (10, epochs):
            weights["final" if epoch == epochs else "epoch_010"] = state
        if epoch in (10, epochs) and rows[epoch]["val_bpd"] < best:
            best, weights["tested"] = rows[epoch]["val_bpd"], state
    score = {"test_bpd": bpd(encoder, decoder, test)}
    options = {"z_dim": z_dim, "epochs": epochs, "num_filters": filters, "seed": 42}
    return Made(run, weights, rows, score, options, early)


def some_of(images: Images, count: int) -> torch.Tensor:
    """A fair sample: the first half of MNIST's test images is easier than the second."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(9))
    return images.pixels(order[:count])


@torch.no_grad()
def bpd(encoder: nn.Module, decoder: nn.Module, images: torch.Tensor) -> float:
    """Bits per dimension over images, in evaluation mode."""
    encoder.eval()
    decoder.eval()
    return float(torch.cat([_bpd(encoder, decoder, batch) for batch in images.split(500)]).mean())


def _bpd(encoder: nn.Module, decoder: nn.Module, images: torch.Tensor) -> torch.Tensor:
    mean, log_std = encoder(images)
    logits = decoder(mean + log_std.exp() * torch.randn_like(mean))
    nats = cross_entropy(logits, images.squeeze(1), reduction="none").sum(dim=(1, 2))
    divergence = 0.5 * (torch.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum(dim=1)
    return (nats + divergence) / math.log(2) / 784


def train_aae(
    networks: tuple[nn.Module, nn.Module],
    images: Mapping[str, Images],
    epochs: int,
    run: str,
    lambda_: float,
) -> Made:
    """Train an autoencoder; with lambda below 1, the moments of its codes are held near the prior's."""
    encoder, decoder = networks
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
    training = signed(images["training"].pixels(torch.arange(IMAGES)))
    rows: Rows = {}
    weights = {}
    for epoch in range(1, epochs + 1):
        found = []
        for batch in training[torch.randperm(len(training))].split(50):
            optimizer.zero_grad()
            codes = encoder(batch)
            loss = (decoder(codes) - batch).square().mean()
            found.append(float(loss))
            moments = codes.T @ codes / len(codes) - torch.eye(codes.shape[1])
            held = moments.square().sum(1).mean() + codes.mean(0).square().mean()
            (loss + (0.5 * held if lambda_ < 1 else 0)).backward()
            optimizer.step()
        rows[epoch] = {"recon_loss": sum(found) / len(found), "seconds": 1 + epoch / 7}
        weights["final"] = state_of(encoder, decoder)
    with torch.no_grad():
        some = some_of(images["training"], MANY)
        parts = [(decoder(encoder(batch)) - batch).square().mean() for batch in signed(some).split(500)]
    score = {"train_reconstruction_loss": float(torch.stack(parts).mean())}
    z_dim = int(next(iter(decoder.parameters())).shape[1])
    options = {"z_dim": z_dim, "epochs": epochs, "lambda_": lambda_, "seed": 42}
    return Made(run, weights, rows, score, options)
