"""Everybody's manifold of one decoder, in one view, for people to compare. Nothing is decided by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

import torch

from grader.box.budget import Budget
from grader.box.client import Channels
from grader.box.errors import StudentError
from grader.limits import CALL_SECONDS
from grader.marking.result import FAILED, PARTIAL, PASSED, SubmissionResult
from grader.report.expected_manifold import GRID_SIZE, ITEM, ends, expected

# What the sessions of a part hold. A public name would change the digest of the suites, and no verdict.
from grader.suites.conftest import _files
from grader.suites.context import Context
from grader.suites.expect import CheckFailed
from grader.suites.part import Part
from grader.suites.part1.test_manifold import WHITE, cut

PART = "part1"
GRIDS = (GRID_SIZE, 10)  # what is shown, and another, for code that knows no other than the default
SECONDS = 2 * CALL_SECONDS  # for both
SEED = 1  # of the session: what is drawn at random is the same for all
UNENDING = ("timeout", "hung")


class View(NamedTuple):
    """A submission's manifold.

    Attributes:
        tiles: grey values `[400, 28, 28]` in [0, 1], row by row, turned to where the expected ones lie; None
            where what came is no such grid.
        difference: of the image that is farthest from the expected one, 0 to 1; 1 where there is no grid.
    """

    tiles: torch.Tensor | None
    difference: float


def view(files: Mapping[str, bytes], result: SubmissionResult, box: Callable[[], Channels]) -> View | None:
    """The manifold of a submission; None where there is none to look at. Never raises for what a student did.

    Args:
        files: what was handed in.
        result: its marks.
        box: a warm box.

    Raises:
        BoxError: the box broke down.
    """
    item = next((item for item in result.items if item.id == ITEM), None)
    if item is None or item.status not in (PASSED, PARTIAL, FAILED):
        return None
    if any(check.cause is not None and check.cause.kind in UNENDING for check in item.checks):
        return View(None, 1.0)  # it would not end here, either
    shown, worst = None, 0.0
    for grid_size, drawn in zip(GRIDS, _drawn(files, box), strict=True):
        if drawn is None:
            return View(shown, 1.0)
        tiles, difference = _compared(drawn, grid_size)
        shown = tiles.flatten(0, 1) if shown is None else shown
        worst = max(worst, difference)
    return View(shown, worst)


def _drawn(files: Mapping[str, bytes], box: Callable[[], Channels]) -> list[torch.Tensor | None]:
    """What the student's function draws for each of `GRIDS`, cut into tiles; None where it is no grid."""
    devices: list[str] = []
    drawn: list[torch.Tensor | None] = []
    held = _files(Context("", files, box, SEED, ""), PART)
    part = Part(box, PART, held, Budget(SECONDS), devices)
    try:
        for grid_size in GRIDS:
            tiles = _grid(part, grid_size)
            missing = part.missing_device
            if tiles is None and missing is not None and not devices:
                devices.append(missing.device)  # once more without it, as in the checks
                part.close()
                tiles = _grid(part, grid_size)
            drawn.append(tiles)
    finally:
        part.close()
    return drawn


def _grid(part: Part, grid_size: int) -> torch.Tensor | None:
    """One of them, `[grid_size, grid_size, 28, 28]`."""
    part.begin_check(SEED)
    upper, lower = torch.from_numpy(ends()).float()
    try:
        decoder = part.driver.manifold_decoder(upper, lower)
        sizes = {} if grid_size == GRID_SIZE else {"grid_size": grid_size}
        return cut(part.utils.visualize_manifold(decoder, **sizes), grid_size)
    except (StudentError, CheckFailed):
        return None


def _compared(tiles: torch.Tensor, grid_size: int) -> tuple[torch.Tensor, float]:
    """The tiles in [0, 1], turned to where the expected ones lie, and the difference of the farthest one."""
    white = float(tiles.max())
    known = any(low <= white <= high for low, high in WHITE)
    tiles = (tiles / white if known else tiles).clamp(0, 1)
    due = _expected(grid_size)
    turned = min(_turned(tiles), key=lambda one: float((_halves(one) - _halves(due)).abs().mean()))
    return turned, float(_halves((turned - due).abs()).max())


@cache
def _expected(grid_size: int) -> torch.Tensor:
    return torch.from_numpy(expected(grid_size))


def _halves(tiles: torch.Tensor) -> torch.Tensor:
    """The means of the upper and the lower half of every tile, `[2, grid_size, grid_size]`."""
    return torch.stack([tiles[:, :, :14].mean(dim=(2, 3)), tiles[:, :, 14:].mean(dim=(2, 3))])


def _turned(tiles: torch.Tensor) -> Iterator[torch.Tensor]:
    """All ways to lay out the grid that are as right: either latent along the rows, upwards or downwards."""
    for one in (tiles, tiles.transpose(0, 1)):
        for dims in ((), (0,), (1,), (0, 1)):
            yield one.flip(dims)
