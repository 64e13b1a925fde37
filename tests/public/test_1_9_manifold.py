"""Question 1.9, `visualize_manifold(decoder, grid_size)` in part1/utils.py: the data manifold for z_dim = 2.

The decoder of these tests paints what it is given: in the upper half of an image a pixel is bright with
probability CDF(z_1), in the lower half with CDF(z_2), dark otherwise. The mean of such a pixel rises evenly
with the percentile of z. On the grid of percentiles (i + 0.5) / grid_size, all right images are thus known.
"""

import pytest
import torch
from calls import all_rows
from networks import without_repeats
from torch import nn

DARK, BRIGHT = 3, 12  # the two levels
GREY = 7  # the last column is surely white where z_1 > 0, and of this level elsewhere
FOOT = 5  # the first column is surely black above, and of this level in the lower half
# What white may be: 1 or 15/16, 15, or 255.
WHITE = ((0.93, 1.01), (14.9, 15.1), (238, 256))


class PercentilePainter(nn.Module):
    """A decoder of two latents, [N, 2] -> logits [N, 16, 28, 28]."""

    def __init__(self):
        super().__init__()
        self.identity = nn.Linear(2, 2, bias=False)  # like every layer, it takes single precision only
        nn.init.eye_(self.identity.weight)
        self.latents = []

    def forward(self, z):
        return all_rows(self.logits, self.identity(z))

    def logits(self, z):
        self.latents.append(z.detach().clone())
        bright = torch.special.ndtr(z).repeat_interleave(14, dim=1)  # [N, 28], one value for each row
        probabilities = torch.full((len(z), 16, 28, 28), 1e-9)
        probabilities[:, DARK] = (1 - bright).unsqueeze(2)
        probabilities[:, BRIGHT] = bright.unsqueeze(2)
        probabilities[:, :, :, [0, 27]] = 1e-9
        probabilities[:, 0, :14, 0] = probabilities[:, FOOT, 14:, 0] = 1.0
        probabilities[torch.arange(len(z)), torch.where(z[:, 0] > 0, 15, GREY), :, 27] = 1.0
        return probabilities.log()

    @property
    def device(self):
        return self.identity.weight.device


def show(part1, grid_size=None):
    """The images of the grid [n, n, 28, 28], with white at 1, and the latents that were decoded [n*n, 2].

    Any padding between the images is right, and grey levels 0..1 as well as 0..15.
    """
    decoder = PercentilePainter()
    arguments = {} if grid_size is None else {"grid_size": grid_size}
    image = part1.utils.visualize_manifold(decoder, **arguments)
    n = grid_size or 20
    assert decoder.latents, "visualize_manifold never calls the decoder."
    assert image.dim() == 3 and image.shape[0] in (1, 3) and image.shape[1] == image.shape[2], (
        f"the manifold should be one square image [C, H, W], but has shape {list(image.shape)}.\n"
        "Hint: torchvision's make_grid with nrow=grid_size makes one of them."
    )
    padding, rest = divmod(image.shape[1] - 28 * n, n + 1)
    assert padding >= 0 and rest == 0, (
        f"{image.shape[1]} pixels are not {n} images of 28 pixels with the same padding everywhere.\n"
        f"Hint: {n * n} images for grid_size = {n}, nrow=grid_size."
    )
    cells = image[0, padding:, padding:].unfold(0, 28, 28 + padding).unfold(1, 28, 28 + padding).double()
    white = cells.max()
    assert white > 0, "the manifold is black, though one column of many images is surely white."
    assert any(low <= white <= high for low, high in WHITE), (
        f"a white pixel has the value {white:.3g} in the manifold.\n"
        "Hint: scale the grey levels 0..15 to 0..1: level / 15."
    )
    return cells / white, without_repeats(decoder.latents)


def expected_percentiles(grid_size):
    """[n*n, 2], all pairs (i + 0.5) / n."""
    axis = (torch.arange(grid_size, dtype=torch.float64) + 0.5) / grid_size
    return torch.cartesian_prod(axis, axis)


def in_order(pairs):
    """Sort pairs [N, 2]: any order of the grid is right in some tests."""
    return torch.tensor(sorted((round(a, 3), b) for a, b in pairs.tolist()))


@pytest.mark.parametrize("grid_size", [5, 20])
def test_covers_the_prior_evenly(part1, grid_size):
    _, latents = show(part1, grid_size)
    percentiles = in_order(torch.special.ndtr(latents.double()))
    expected = in_order(expected_percentiles(grid_size))
    ends = f"{percentiles.min():.3f} to {percentiles.max():.3f}"
    assert len(percentiles) == len(expected), (
        f"grid_size = {grid_size} means {len(expected)} latents, but {len(percentiles)} are decoded."
    )
    # Percentiles in single precision are right to 1e-6 or so.
    assert torch.allclose(percentiles, expected, atol=1e-3), (
        f"latents should sit at all pairs of the percentiles {expected.min():.3f} to {expected.max():.3f} "
        f"of N(0, 1), but theirs run from {ends}.\n"
        "Hint: the percentiles (i + 0.5) / grid_size go through the inverse CDF, torch.special.ndtri; then "
        "all pairs of them."
    )


def test_has_20_by_20_images_by_default(part1):
    _, latents = show(part1)
    assert len(latents) == 400, (
        f"without a grid_size there should be 20 x 20 = 400 latents, but there are {len(latents)}.\n"
        "Hint: leave the default grid_size=20."
    )


def test_shows_the_mean_of_every_pixel(part1):
    cells, latents = show(part1, 6)
    pixels = cells.flatten(0, 1)  # [36, 28, 28]
    above, below, edge = pixels[:, :14, 0], pixels[:, 14:, 0], pixels[:, :, 27]
    white = pixels[:, :14, 1:27].mean(dim=(1, 2)) > 0.5  # z_1 > 0

    def is_level(values, level):
        return bool(((values - level / 15).abs() < 0.02).all())

    if is_level(below, 0) and is_level(above, FOOT):
        hint = "the images are upside down: no flip"
    elif is_level(above, 0) and edge.min() > 0.4 and edge.std(dim=1).max() < 0.02:
        hint = "the mean of all 16 levels, in one scale for all images: no scale_each"
    else:
        hint = (
            "softmax over dimension 1 of the logits; level 0 is black, level 15 white; reshape no "
            "[N, 16, 28, 28] without a permute, and mirror or turn no image"
        )
    right = is_level(above, 0) and is_level(below, FOOT)
    right = right and is_level(edge[white], 15) and is_level(edge[~white], GREY)
    assert right, f"pixels whose level is sure do not have it.\nHint: {hint}."
    halves = torch.stack([pixels[:, :14, 1:27], pixels[:, 14:, 1:27]], dim=1).flatten(2)  # [36, 2, 364]
    assert halves.std(dim=2).max() < 0.01, (
        "pixels with the same distribution have different values.\n"
        "Hint: show the mean, not a sample; and do not reshape [N, 16, 28, 28] without a permute."
    )
    # The mean level of p(x|z) at the latents that were decoded; white is 15.
    bright = torch.special.ndtr(latents.double())
    expected = (DARK + (BRIGHT - DARK) * bright) / 15
    off = (in_order(halves.mean(dim=2)) - in_order(expected)).abs().max()
    # One step of an 8-bit image is 1/255 = 0.004.
    assert off < 0.01, (
        f"pixels are up to {15 * off:.1f} of 15 grey levels away from the mean of p(x|z).\n"
        "Hint: sum over the levels of level * probability. Not the most likely level, not a single channel."
    )


def rises_along(values, dim):
    """Whether numbers [n, n] of the grid rise or fall along one of its axes, and along that one only."""
    along = values.diff(dim=dim)  # five steps of a tenth each
    across = values.select(1 - dim, -1) - values.select(1 - dim, 0)
    one_way = (along > 0.05).all() or (along < -0.05).all()
    return bool(one_way and across.abs().max() < 0.05)


def test_lies_on_a_grid(part1):
    cells, _ = show(part1, 6)
    first = cells[:, :, :14, 1:27].mean(dim=(2, 3))  # [row, column] of the grid: upper halves show z_1
    second = cells[:, :, 14:, 1:27].mean(dim=(2, 3))
    # Which latent runs along which axis is up to you ("ij" or "xy").
    assert any(rises_along(first, dim) and rises_along(second, 1 - dim) for dim in (0, 1)), (
        "one latent should rise along the rows of the grid, the other along its columns, from step to step.\n"
        "Hint: torch.cartesian_prod gives the latents in the order in which make_grid lays images out."
    )
