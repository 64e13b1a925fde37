"""Item 1.9.manifold: `visualize_manifold(decoder, grid_size)`, the mean images over a grid of latents.

The decoder is a stand-in: the upper half of an image tells its first latent, the lower half its second, and
every pixel is a mixture of two grey levels, so that its mean is neither a sample nor the most likely level.
"""

from dataclasses import dataclass

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, expect, expect_finite, fail, shape_text
from grader.suites.part import Part
from grader.suites.part1.manifold_causes import (
    LEVELS,
    SCALED,
    axis_cause,
    decoded_logits,
    is_scrambled,
    pixel_cause,
    places,
    same_set,
)
from grader.suites.severity import SERIOUS, SLIP, WHOLE

pytestmark = pytest.mark.item("1.9.manifold")

AXIS = "both axes run over the inverse normal CDF of (i + 0.5) / grid_size, i = 0 .. grid_size - 1"
MEAN = "show the expected grey level: softmax over the 16 classes, times the levels, summed over the classes"
LAYOUT = "use torchvision.utils.make_grid with nrow=grid_size on images of shape [grid_size^2, 1, 28, 28]"
AS_DECODED = "keep the rows and columns of the pixels as the decoder gives them"
IMAGE = 28
MOST_PADDING = 12  # pixels between tiles; make_grid puts 2
MOST_PER_PLACE = 20  # latents
# The grey level 15 as it may be shown: 15/16 or 1, 15, 255 (or 15/16 of that).
WHITE = ((0.93, 1.01), (14.9, 15.1), (238.0, 256.0))


@dataclass
class Shown:
    """What came back.

    Attributes:
        tiles: the images, `[rows, columns, 28, 28]`, upright.
        latents: those that were decoded.
        transposed: whether the images came with rows and columns exchanged, or turned by a quarter.
    """

    tiles: torch.Tensor
    latents: torch.Tensor
    transposed: bool


def ends(draw: Draw) -> torch.Tensor:
    """Logits of a half image at both ends of a latent: a majority for one level, a minority for another."""
    low, high = draw.choice(range(5)), draw.choice(range(9, 14))
    logits = torch.zeros(2, 16)
    logits[0, low], logits[0, low + 2] = 6.0, 5.0
    logits[1, high], logits[1, high + 2] = 5.0, 4.0  # no level is as likely at both ends
    return logits


def different_ends(draw: Draw) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits for the upper and the lower half, never the same: both halves exchanged then show."""
    upper = lower = ends(draw)
    while torch.equal(lower, upper):
        lower = ends(draw)
    return upper, lower


def mean_level(latent: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """The expected grey level of a half image, 0..15, for latents of any shape."""
    share = torch.special.ndtr(latent.double()).unsqueeze(-1)
    mixed = (1 - share) * logits[0].double() + share * logits[1].double()
    return (mixed.softmax(-1) * torch.arange(16, dtype=torch.float64)).sum(-1)


def axis(grid_size: int) -> torch.Tensor:
    """The latents along one axis."""
    return torch.special.ndtri((torch.arange(grid_size, dtype=torch.float64) + 0.5) / grid_size)


def decoded(part1: Part, decoder: Remote, grid_size: int, hint: str) -> torch.Tensor:
    """The latents `[N, 2]` that the stand-in decoder was given."""
    latents = part1.driver.manifold_latents(decoder)
    expect(isinstance(latents, torch.Tensor), "visualize_manifold does not call the decoder", hint)
    # No more than a few for each place: memory and time here follow their number.
    most = MOST_PER_PLACE * grid_size**2
    expect(
        latents.numel() <= 2 * most,
        f"the decoder is given {latents.numel() // 2} latents for a grid of {grid_size} x {grid_size}",
        "one latent for each place of the grid",
    )
    return latents


def make(
    part1: Part, grid_size: int | None, upper: torch.Tensor, lower: torch.Tensor
) -> tuple[object, Remote]:
    """Call the student's function with the stand-in decoder."""
    function = part1.utils.visualize_manifold
    decoder = part1.driver.manifold_decoder(upper, lower)
    return (function(decoder) if grid_size is None else function(decoder, grid_size=grid_size)), decoder


def cut(result: object, grid_size: int) -> torch.Tensor:
    """Cut the grid image into tiles; any padding between and around them is accepted."""
    image = as_tensor(result, "the manifold")
    if image.dim() == 4 and image.shape[0] == 1:
        image = image[0]
    if image.dim() == 3 and image.shape[0] in (1, 3):
        image = image[0]
    elif image.dim() == 3 and image.shape[2] in (1, 3):
        image = image[..., 0]
    side = image.shape[0]
    expect(
        image.dim() < 3 or 16 not in (image.shape[0], image.shape[-1]),
        f"the manifold has shape {shape_text(result)}: the 16 channels are no pixels",
        MEAN,
    )
    expect(
        image.dim() == 2 and image.shape[0] == image.shape[1],
        f"the manifold should be one square image [C, H, W], but has shape {shape_text(result)}",
        LAYOUT,
        SLIP,
    )
    padding, rest = divmod(side - grid_size * IMAGE, grid_size + 1)
    expect(
        padding >= 0 and rest == 0,
        f"the manifold is {side} pixels wide: not {grid_size} images of {IMAGE} pixels with equal padding",
        LAYOUT,
    )
    expect_finite(image, "the manifold", AXIS)
    return tiles_of(image, grid_size, grid_size, padding)


def tiles_of(image: torch.Tensor, grid_size: int, columns: int, padding: int) -> torch.Tensor:
    """The first images of rows of so many, `[grid_size, grid_size, 28, 28]`, float64."""
    step = IMAGE + padding
    places = [divmod(place, columns) for place in range(grid_size**2)]
    tiles = [image[padding + row * step :, padding + column * step :] for row, column in places]
    whole = torch.stack([tile[:IMAGE, :IMAGE] for tile in tiles]).double()
    return whole.view(grid_size, grid_size, IMAGE, IMAGE)


def cut_anyhow(result: object, grid_size: int) -> torch.Tensor:
    """The same tiles out of rows of another length: how they lie has a check of its own."""
    image = result[0] if isinstance(result, torch.Tensor) and result.dim() == 3 else result
    if isinstance(image, torch.Tensor) and image.dim() == 2 and image.shape[0] != image.shape[1]:
        for padding in range(MOST_PADDING):
            step = IMAGE + padding
            (rows, rest), (columns, more) = (divmod(side - padding, step) for side in image.shape)
            if rest == more == 0 and 0 <= rows * columns - grid_size**2 < columns:
                tiles = tiles_of(image, grid_size, columns, padding)
                expect_finite(tiles, "the manifold", AXIS)
                return tiles
    return cut(result, grid_size)


def show(
    part1: Part, grid_size: int, upper: torch.Tensor, lower: torch.Tensor, anyhow: bool = False
) -> Shown:
    result, decoder = make(part1, grid_size, upper, lower)
    tiles = (cut_anyhow if anyhow else cut)(result, grid_size)
    latents = decoded(part1, decoder, grid_size, LAYOUT)
    # The first column of every image is black, and no row is.
    black = 0.01 * float(tiles.max())
    top, bottom = (float(tiles[..., row, :].max()) <= black for row in (0, IMAGE - 1))
    upright = tiles.flip(-2).mT if bottom else tiles.mT if top else tiles
    return Shown(upright, latents, top != bottom)


def expect_many(latents: torch.Tensor) -> None:
    """Fail if the decoder is asked for the same image again and again: the others would be painted."""
    different = len(latents.unique(dim=0))
    expect(
        2 * different > len(latents),
        f"only {different} different latents are decoded for {len(latents)} images",
        AXIS,
    )


def test_decodes_the_right_latents(part1: Part, draw: Draw) -> None:
    for grid_size in (7, 20):
        _, decoder = make(part1, grid_size, ends(draw), ends(draw))
        latents = decoded(part1, decoder, grid_size, AXIS)
        expect(
            list(latents.shape) == [grid_size**2, 2],
            f"the decoder should be given latents [{grid_size**2}, 2], but was given {list(latents.shape)}",
            f"one latent for each place of the grid; {AXIS}",
        )
        values = axis(grid_size)
        expected = torch.cartesian_prod(values, values)
        # Sorted by both coordinates: any order of the grid is right here.
        order = sorted(
            range(grid_size**2), key=lambda k: (round(float(latents[k, 0]), 3), float(latents[k, 1]))
        )
        ordered = latents[order].double()
        if torch.allclose(ordered, expected, atol=2e-3):
            continue
        highest, due = float(latents.max()), float(values.max())
        cause = axis_cause(latents, grid_size)
        if cause:
            fail(cause, AXIS)
        if abs(highest - 0.5) < 0.5 and float(latents.min()) >= 0:
            fail("the latents are the percentiles themselves: the inverse CDF is missing", AXIS)
        if abs(highest - due) < 0.01 and abs(float(latents.min()) + due) < 0.01:
            fail("the latents have the right range, but are not all pairs of the values of both axes", AXIS)
        fail(f"the latents run from {float(latents.min()):.3f} to {highest:.3f} instead of ±{due:.3f}", AXIS)


def test_uses_grid_size_20_by_default(part1: Part, draw: Draw) -> None:
    result, decoder = make(part1, None, ends(draw), ends(draw))
    tiles = cut(result, 20)
    expect(
        not torch.equal(tiles[0, 0], tiles[-1, -1]),
        "the images of opposite corners are the same",
        LAYOUT,
        WHOLE,
    )
    latents = decoded(part1, decoder, 20, LAYOUT)
    expect(
        len(latents) == 400, f"without a grid_size, {len(latents)} images are decoded instead of 400", LAYOUT
    )
    expect_many(latents)


def steep(threshold: float) -> torch.Tensor:
    """Logits of a half image that is dark where the share of a latent is below a threshold, bright above it.

    So steep that even samples, the most likely levels or the probability of one of them show the order; and
    no logit beyond 80, of which float32 has an exponential.
    """
    logits = torch.zeros(2, 16)
    logits[0, 0], logits[1, 14] = 120 * threshold, 120 * (1 - threshold)
    return logits


def test_lays_the_images_out_as_a_grid(part1: Part, draw: Draw) -> None:
    # Of six shares, 1/12 to 11/12: the middle, then between the second and third, and the fourth and fifth.
    for below, above in ((3 / 6, 3 / 6), (2 / 6, 4 / 6)):
        shown = show(part1, 6, steep(below), steep(above))
        expect_many(shown.latents)
        upper = shown.tiles[:, :, 2:12, 3:25].mean(dim=(2, 3))  # [row, column]
        lower = shown.tiles[:, :, 16:26, 3:25].mean(dim=(2, 3))
        straight = ordered(upper, 0) and constant(upper, 1) and ordered(lower, 1) and constant(lower, 0)
        transposed = ordered(upper, 1) and constant(upper, 0) and ordered(lower, 0) and constant(lower, 1)
        if straight or transposed:
            continue
        varied = all(float(values.max() - values.min()) > 1e-3 for values in (upper, lower))
        lines = any(constant(upper, 1 - dim) and constant(lower, dim) for dim in (0, 1))
        expect(
            not (varied and lines),
            "the images along a row or a column of the grid are not in the order of their latents",
            f"from the lowest percentile to the highest, or the other way round; {LAYOUT}",
            SLIP,
        )
        fail(
            "along a row of the grid only one latent should change, and along a column only the other", LAYOUT
        )


def changes(values: torch.Tensor, dim: int) -> bool:
    """Whether what the tiles show, `[6, 6]`, differs between both ends of the grid."""
    first, last = values.select(dim, 0), values.select(dim, 5)
    return bool((first - last).abs().min() > 0.2 * (values.max() - values.min() + 1e-9))


def ordered(values: torch.Tensor, dim: int) -> bool:
    """Whether it changes, and never goes back on the way."""
    steps, slack = values.diff(dim=dim), 0.15 * (values.max() - values.min() + 1e-9)
    return changes(values, dim) and bool((steps > -slack).all() or (steps < slack).all())


def constant(values: torch.Tensor, dim: int) -> bool:
    """Whether it stays the same along a row or a column."""
    spread = values.amax(dim) - values.amin(dim)
    return bool(spread.max() < 0.15 * (values.max() - values.min() + 1e-9))


def test_shows_the_mean_of_every_pixel(part1: Part, draw: Draw) -> None:
    grid_size = 6
    upper, lower = different_ends(draw)
    shown = show(part1, grid_size, upper, lower, anyhow=True)
    # Judged at the latents that were decoded, in whatever order: the grid itself has its own checks.
    expect(shown.latents.shape[-1] == 2, "the latents should have 2 dimensions", AXIS)
    levels = torch.stack(
        [mean_level(shown.latents[:, 0], upper), mean_level(shown.latents[:, 1], lower)], dim=1
    )
    seen = places(shown.tiles).flatten(0, 1)
    halves = seen[:, :2]
    ripple = max(
        float(shown.tiles[:, :, rows, 3:25].var(dim=(2, 3)).max()) for rows in (slice(2, 12), slice(16, 26))
    )
    # One column of half the images is surely white: grey levels 0..15, 0..1, k / 16 and bytes are all right.
    scale = float(shown.tiles.max())
    expect(scale > 0, "the manifold is all black, though one column of many images is surely white", MEAN)
    if not any(low <= scale <= high for low, high in WHITE):
        cause = pixel_cause(seen / scale * 15, shown.latents, (upper, lower))
        only_scaled = cause in LEVELS or same_set(halves / scale * 15, levels)
        fail(
            f"a white pixel has the value {scale:.3g} in the manifold: it cannot be shown as an image"
            + (f"; {cause}" if cause else ""),
            f"grey levels from 0 to 1 (or 0 to 15); {MEAN}",
            SLIP if only_scaled else SERIOUS,
        )
    halves, ripple = halves / scale * 15, ripple / scale**2 * 225
    if ripple > 0.05:
        if torch.equal(show(part1, grid_size, upper, lower, anyhow=True).tiles, shown.tiles):
            logits = decoded_logits(shown.latents, (upper, lower))
            scrambled = is_scrambled(shown.tiles.flatten(0, 1) / scale * 15, logits)
            cause = "; classes and pixels are scrambled by a reshape of [N, 16, 28, 28] without permute"
            fail(
                "pixels with the same distribution have different values, in every call the same ones"
                + (cause if scrambled else ""),
                MEAN,
            )
        fail(
            "pixels with the same distribution have different values: they look like samples, not means", MEAN
        )
    # Every image has its place among the means, and every mean an image that shows it.
    distances = torch.cdist(halves, levels)
    distance = torch.cat([distances.amin(dim=1), distances.amin(dim=0)])
    # Half a percent of the range: uint8 images are rounded to 1/255 of it.
    if float(distance.max()) < 0.075:
        # The first column is black, the last grey or white.
        first, last = shown.tiles[..., 0].mean(dim=2), shown.tiles[..., 27].mean(dim=2)
        mirrored = not bool((last > first).all())
        expect(not mirrored, "the images are mirrored: left and right are exchanged", AS_DECODED, SLIP)
        expect(
            not shown.transposed,
            "the images are transposed or turned: rows and columns of the pixels are exchanged",
            AS_DECODED,
            SLIP,
        )
        return
    expect(not same_set(halves.flip(1), levels), "the images are upside down", AS_DECODED, SLIP)
    most_likely = decoded_logits(shown.latents, (upper, lower))[..., [5, 20], 10].argmax(1).double()  # [N, 2]
    if float(torch.cdist(halves, most_likely).amin(dim=1).max()) < 0.075:
        fail("every pixel shows its most likely level (argmax) instead of its mean", MEAN)
    cause = pixel_cause(seen / scale * 15, shown.latents, (upper, lower))
    if cause:
        hint = f"one scale for all images: no scale_each; {MEAN}" if cause == SCALED else MEAN
        fail(cause, hint, SLIP if cause in LEVELS else SERIOUS)
    if float((seen - seen[:1]).abs().max()) < 0.005 * scale:
        fail("the same image everywhere, though the latents differ", LAYOUT)
    fail(
        f"the pixels are off by up to {float(distance.max()):.2f} of 15 grey levels from the mean of p(x|z)",
        f"{MEAN}; the 16 channels of the decoder are logits: neither they nor their softmax are pixels",
    )
