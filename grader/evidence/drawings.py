"""What a model draws with the weights that were handed in, for people to hold beside the figures."""

from __future__ import annotations

import io
from collections.abc import Mapping

import torch

from grader.evidence.images import Images, signed
from grader.evidence.networks import BATCH, Networks

COLUMNS = 8
MANIFOLD = 20  # images along each axis, as question 1.9 asks
GAP, GREY = 2, 128
SHOWN = 32  # images of which reconstructions are drawn, each above its own


def draw(networks: Networks, images: Mapping[str, Images], draws: torch.Generator) -> bytes:
    """A PNG: samples, for two dimensions of part 1 the manifold, for question 2.4 reconstructions.

    Args:
        networks: with the weights that the figures show.
        images: the sets of MNIST.
        draws: of codes and pixels.

    Raises:
        Unusable: what the networks return is no answer.
        StudentError: the code fails.
    """
    training = networks.training
    if training.part == "part1" and training.z_dim == 2:
        probabilities = _decoded(networks, manifold_codes()).softmax(dim=1)
        levels = torch.linspace(0, 1, 16)
        return _png(torch.einsum("nkhw,k->nhw", probabilities, levels), MANIFOLD)
    if training.lambda_ == 1 and training.z_dim > 2:
        originals = signed(
            images["test"].pixels(torch.randperm(len(images["test"]), generator=draws)[:SHOWN])
        )
        codes, _ = networks.encode(originals)
        rows = zip(originals.split(COLUMNS), networks.decode(codes).split(COLUMNS), strict=True)
        return _png((torch.cat([row for pair in rows for row in pair]).squeeze(1) + 1) / 2, COLUMNS)
    codes = torch.randn(COLUMNS**2, training.z_dim, generator=draws)
    decoded = _decoded(networks, codes)
    if training.part == "part2":
        return _png((decoded.squeeze(1) + 1) / 2, COLUMNS)
    pixels = decoded.softmax(dim=1).permute(0, 2, 3, 1)
    levels = torch.multinomial(pixels.flatten(0, 2), 1, generator=draws)
    return _png(levels.view(pixels.shape[:3]).float() / 15, COLUMNS)


def manifold_codes() -> torch.Tensor:
    """Where the images of the manifold lie in the latent plane, `[400, 2]`."""
    axis = torch.special.ndtri((torch.arange(MANIFOLD) + 0.5) / MANIFOLD)
    return torch.cartesian_prod(axis, axis)


def _decoded(networks: Networks, codes: torch.Tensor) -> torch.Tensor:
    return torch.cat([networks.decode(batch) for batch in codes.split(BATCH)])


def _png(pictures: torch.Tensor, columns: int) -> bytes:
    """Images `[N, H, W]` in [0, 1], row by row, as one picture."""
    from PIL import Image  # not at once: nothing else here needs it

    grey = (pictures.clamp(0, 1) * 255).round().to(torch.uint8)
    framed = torch.full((len(grey), grey.shape[1] + GAP, grey.shape[2] + GAP), GREY, dtype=torch.uint8)
    framed[:, : grey.shape[1], : grey.shape[2]] = grey
    rows = [torch.cat(list(row), dim=1) for row in framed.split(columns)]
    file = io.BytesIO()
    Image.fromarray(torch.cat(rows).numpy()).save(file, "PNG")
    return file.getvalue()
