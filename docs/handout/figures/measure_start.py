"""Measures how the first steps of the autoencoder go with two initializations, for `black_images.svg`.

Trains the autoencoder of part 2 (lambda = 1, batches of 64 images of MNIST, Adam with learning rate 1e-3 and
beta1 = 0.5) for a few hundred steps from several seeds, once with the provided `he_initialization` and once
with PyTorch's default. Writes the reconstruction losses to `black_images.csv` and reconstructions of the same
eight images to `black_images.png`. Takes about two minutes on one core.

Usage: python docs/handout/figures/measure_start.py FOLDER_WITH_MNIST
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib import image

HERE = Path(__file__).parent
STEPS, EVERY, SEEDS, SHOWN = 400, 5, 4, 8

sys.path.insert(0, str(HERE.parents[2] / "solutions" / "part2"))
from mnist import mnist  # noqa: E402
from models import AdversarialAE  # noqa: E402


def build(initialization: str) -> AdversarialAE:
    """A model with 8 latent dimensions, initialized as `he` or `default`."""
    model = AdversarialAE(z_dim=8)
    if initialization == "default":
        for layer in model.modules():
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    return model


def train(initialization: str, seed: int, folder: str) -> tuple[list[tuple[int, float]], torch.Tensor]:
    """Trains one model; returns rows (step, mean loss of the last steps) and images [SHOWN, 28, 28]."""
    torch.manual_seed(seed)
    model = build(initialization)
    loader = mnist(folder, batch_size=64, download=False)
    parameters = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, betas=(0.5, 0.999))
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
        table.writerow(["initialization", "seed", "step", "reconstruction_loss"])
        for initialization in ("default", "he"):
            for seed in range(SEEDS):
                rows, images = train(initialization, seed, folder)
                table.writerows((initialization, seed, step, f"{loss:.4f}") for step, loss in rows)
                print(f"{initialization:8} seed {seed}: {rows[-1][1]:.3f} after {STEPS} steps", flush=True)
                if seed == 0:
                    strips.append(images)
    grey = np.vstack([np.hstack(list(strip.numpy())) for strip in strips])
    image.imsave(HERE / "black_images.png", (grey + 1) / 2, cmap="gray", vmin=0, vmax=1)


if __name__ == "__main__":
    main(sys.argv[1])
