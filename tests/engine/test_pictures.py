"""Pictures beside the results: those of this run, and no others."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial

import pytest

from grader.engine import grade_into, prepare_output, worker
from grader.engine.worker import Drawn
from grader.report.pictures import file_name
from grader.submission import Submission
from tests.report.images import png

from .fakes import PROVENANCE, FakeMarker, HereWorkers, cohort, log_of, result_for

MANIFOLD, SAMPLES = file_name("1.9.manifold", "manifold"), file_name("1.8.sample", "samples")


class Drawing(FakeMarker):
    """Draws what the environment says."""

    def pictures(self, submission, result):
        return Drawn(dict.fromkeys(os.environ["DRAWN"].split(), b"picture"))


def mark(folder, submissions, drawn: str, monkeypatch, factory=Drawing, **changes):
    monkeypatch.setenv("DRAWN", drawn)
    output = folder / "output"
    prepare_output(output)
    made = partial(factory, folder / "log")
    return grade_into(
        output, submissions, made, replace(PROVENANCE, **changes), fresh=True, workers=HereWorkers(made)
    )


def beside(folder, name: str) -> list[str]:
    """The files beside a submission's results."""
    place = folder / "output" / name
    paths = (path.relative_to(place) for path in place.rglob("*") if path.is_file())
    return sorted(str(path) for path in paths if path.name != "results.json")


def test_a_run_leaves_no_picture_of_an_earlier_one(tmp_path, monkeypatch):
    submissions = cohort(tmp_path, "s1")
    mark(tmp_path, submissions, f"{MANIFOLD} {SAMPLES}", monkeypatch)
    assert beside(tmp_path, "s1") == sorted([MANIFOLD, SAMPLES])
    mark(tmp_path, submissions, SAMPLES, monkeypatch)
    assert beside(tmp_path, "s1") == [SAMPLES]


class Failing(FakeMarker):
    """Fails at every submission, as a broken grader would."""

    def mark(self, submission):
        raise ZeroDivisionError


def test_nor_does_one_that_failed(tmp_path, monkeypatch):
    submissions = cohort(tmp_path, "s1")
    (submissions[0].path / "figures").mkdir()
    (submissions[0].path / "figures" / "a.png").write_bytes(png(4, 4))
    mark(tmp_path, submissions, SAMPLES, monkeypatch)
    assert len(beside(tmp_path, "s1")) == 3
    (result,) = mark(tmp_path, submissions, SAMPLES, monkeypatch, factory=Failing)
    assert not result.marked
    assert beside(tmp_path, "s1") == []


def test_nor_one_that_is_cut_short_while_it_writes(tmp_path, monkeypatch):
    submissions = cohort(tmp_path, "s1")
    mark(tmp_path, submissions, SAMPLES, monkeypatch)
    from grader.engine import run

    def crash(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "write_result", crash)
    with pytest.raises(KeyboardInterrupt):
        mark(tmp_path, submissions, MANIFOLD, monkeypatch)
    assert beside(tmp_path, "s1") == []


def test_figures_that_were_handed_in_lie_beside_the_results(tmp_path, monkeypatch):
    submissions = cohort(tmp_path, "s1")
    figures = submissions[0].path / "figures"
    figures.mkdir()
    (figures / "1.9_manifold.png").write_bytes(png(900, 900))
    (figures / "broken.png").write_bytes(b"no image")
    (result,) = mark(tmp_path, submissions, "", monkeypatch)
    large, small = beside(tmp_path, "s1")
    assert large == "figures/1.9_manifold.png"
    assert small.startswith("figures/small/1.9_manifold.")
    assert result.warnings == ("figure figures/broken.png: it is not shown: it cannot be read as an image",)
    written = json.loads((tmp_path / "output" / "s1" / "results.json").read_text())
    assert written["warnings"] == list(result.warnings)


def test_a_figure_that_changed_is_shown_by_the_next_run(tmp_path):
    submissions = cohort(tmp_path, "s1", "s2")
    figures = submissions[0].path / "figures"
    figures.mkdir()
    (figures / "a.png").write_bytes(png(4, 4))
    prepare_output(tmp_path / "output")
    marked = []
    for _ in range(3):
        grade_into(tmp_path / "output", submissions, partial(FakeMarker, tmp_path / "log"), PROVENANCE)
        marked.append([line for line in log_of(tmp_path) if line.startswith("mark")])
        (tmp_path / "log").write_text("")
        (figures / "b.png").write_bytes(png(5, 5))
    assert marked == [["mark:s1", "mark:s2"], ["mark:s1"], []]
    assert {name for name in beside(tmp_path, "s1") if "small" not in name} == {
        "figures/a.png",
        "figures/b.png",
    }


def test_what_keeps_figures_from_being_drawn_costs_no_marks(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise OSError("no bwrap")

    monkeypatch.setattr("grader.report.figures.draw_figures", fail)
    monkeypatch.setattr(worker._State, "factory", partial(FakeMarker, tmp_path / "log"))
    submission = Submission("s1", {}, shown={"figures/a.png": b""})
    marked = worker.mark_one(submission, PROVENANCE)
    worker.close_marker()
    assert marked.result.items == result_for("s1").items
    assert marked.result.warnings == ("the grader could not draw the figures that were handed in: no bwrap",)
