"""Images are shown to networks in a way that can be undone, and what models make reaches the reports."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from grader.engine.guard import DrawingMarker
from grader.engine.worker import Drawn
from grader.marking.marker import MarkingOptions
from grader.submission import Submission
from grader.suites.draw import Draw, View
from grader.suites.part1.test_manifold import different_ends
from tests.suites.variants import solution

DIGIT = torch.zeros(1, 1, 28, 28)
DIGIT[..., 4:24, 8:12] = 1.0  # within the margin that a view may move
DIGIT[..., 20:24, 8:20] = 0.5


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("shift", [(0, 0), (2, -1), (-2, 2)])
def test_a_view_can_be_undone(turns: int, shift: tuple[int, int]) -> None:
    view = View(turns, shift, Draw(turns).view().signs)
    assert torch.equal(view.righted(view.placed(DIGIT)), DIGIT)
    assert torch.allclose(view.restored(view.inverted(DIGIT)), DIGIT)
    assert view.placed(DIGIT).sum() == DIGIT.sum()
    assert turns == 0 or not torch.equal(View(turns, (0, 0), view.signs).placed(DIGIT), DIGIT)


def test_no_view_leaves_all_quadrants_as_they_are() -> None:
    signs = [Draw(seed).view().signs for seed in range(50)]
    assert all(sign.unique().tolist() == [-1.0, 1.0] for sign in signs)
    assert len({sign.numpy().tobytes() for sign in signs}) > 25


def test_both_halves_of_a_manifold_always_differ() -> None:
    # With the same grey levels in both, images upside down look right: once in 25 draws.
    for seed in range(200):
        upper, lower = different_ends(Draw(seed))
        assert not torch.equal(upper, lower)


def test_a_solution_shows_what_its_models_make(tmp_path: Path) -> None:
    marker = DrawingMarker(MarkingOptions(seed=1))
    try:
        submission = Submission("s1", solution("part1") | solution("part2"))
        items = frozenset({"1.9.manifold", "1.7.training", "2.4.reconstruction", "2.5.training"})
        drawn = marker.pictures(submission, marker.mark(submission, items))
        files = drawn.files
        assert set(files) == {
            "1.9.manifold.manifold.png",
            "1.7.training.curve.svg",
            "1.7.training.samples.png",
            "2.4.reconstruction.reconstructions.png",
            "2.5.training.samples.png",
        }
        assert all(content.startswith(b"\x89PNG") for name, content in files.items() if name.endswith("png"))
        assert [(one.item, one.kind) for one in drawn.differences] == [
            ("2.4.reconstruction", "reconstructions"),
            ("1.9.manifold", "manifold"),
        ]
        assert 0 < drawn.differences[0].value < 0.3
        assert drawn.differences[1].value < 1e-5
        # Nothing of one submission is shown for the next.
        other = Submission("s2", {})
        assert marker.pictures(other, marker.mark(other, items)) == Drawn()
    finally:
        marker.close()
