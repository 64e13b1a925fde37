"""Measures how the first steps of the autoencoder go, for `black_images.svg` and the page around it.

Trains the autoencoder of part 2 (lambda = 1, batches of 64 images of MNIST, Adam with beta1 = 0.5) for a few
hundred steps from several seeds, in several variants: with PyTorch's default initialization, with a smaller
learning rate, with batch normalization, and with the provided `he_initialization`. Writes the reconstruction
losses to `black_images.csv` and reconstructions of the same eight images to `black_images.png`. Takes about
ten minutes on one core.

Usage: python docs/handout/figures/measure_start.py FOLDER_WITH_MNIST
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib import image
from torch import nn

HERE = Path(__file__).parent
STEPS, EVERY, SEEDS, SHOWN = 400, 5, 4, 8
VARIANTS = ("default", "slow", "batchnorm", "he")  # slow: a learning rate of 1e-4, not 1e-3

sys.path.insert(0, str(HERE.parents[2] / "solutions" / "part2"))
from mnist import mnist  # noqa: E402
from models import AdversarialAE  # noqa: E402


def build(variant: str) -> AdversarialAE:
    """A model with 8 latent dimensions, initialized and normalized as the variant says."""
    model = AdversarialAE(z_dim=8)
    if variant != "he":
        for layer in model.modules():
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    if variant == "batchnorm":
        model.encoder.net, model.decoder.net = normalized(model.encoder.net), normalized(model.decoder.net)
    return model


def normalized(network: nn.Sequential) -> nn.Sequential:
    """The same layers, with batch normalization between each convolution and its activation."""
    layers = []
    for layer, successor in zip(network, [*network[1:], None], strict=True):
        layers.append(layer)
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and isinstance(successor, nn.GELU):
            layers.append(nn.BatchNorm2d(layer.out_channels))
    return nn.Sequential(*layers)


def train(variant: str, seed: int, folder: str) -> tuple[list[tuple[int, float]], torch.Tensor]:
    """Trains one model; returns rows (step, mean loss of the last steps) and images [SHOWN, 28, 28]."""
    torch.manual_seed(seed)
    model = build(variant)
    loader = mnist(folder, batch_size=64, download=False)
    parameters = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-4 if variant == "slow" else 1e-3, betas=(0.5, 0.999))
    rows, window = [], []
    for step, (x, _) in zip(range(1, STEPS + 1), loader, strict=False):
        recon_x, z = model(x)
        loss, losses = model.get_loss_autoencoder(x, recon_x, z, lambda_=1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        window.append(losses["recon_loss"].item())
        if step % EVERY == 0:
            rows.append((step, sum(window) / len(window)))
            window.clear()
    model.eval()
    with torch.no_grad():
        return rows, model(shown(loader))[0][:, 0]


def shown(loader: torch.utils.data.DataLoader) -> torch.Tensor:
    """The first SHOWN images of the data set, [SHOWN, 1, 28, 28] in [-1, 1]."""
    return loader.collate_fn(loader.dataset[:SHOWN])[0]


def main(folder: str) -> None:
    """Trains all models and writes both files beside this one."""
    torch.set_num_threads(1)
    strips = [shown(mnist(folder, download=False))[:, 0]]
    with open(HERE / "black_images.csv", "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["variant", "seed", "step", "reconstruction_loss"])
        for variant in VARIANTS:
            for seed in range(SEEDS):
                rows, images = train(variant, seed, folder)
                table.writerows((variant, seed, step, f"{loss:.4f}") for step, loss in rows)
                print(f"{variant:9} seed {seed}: {rows[-1][1]:.3f} after {STEPS} steps", flush=True)
                if seed == 0 and variant in ("default", "he"):
                    strips.append(images)
    grey = np.vstack([np.hstack(list(strip.numpy())) for strip in strips])
    image.imsave(HERE / "black_images.png", (grey + 1) / 2, cmap="gray", vmin=0, vmax=1)


if __name__ == "__main__":
    main(sys.argv[1])
