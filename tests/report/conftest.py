"""Cohorts whose pages several tests look at."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from grader.marking.cause import Cause
from grader.marking.result import FAILED, Note, SubmissionResult
from grader.report.figures import replace_figures
from grader.report.pages import Pages, write_pages
from grader.report.results_json import write_result

from . import handed_in
from .cohort import differences_of, pictures_of, synthetic, write_cohort
from .images import keep_figures, png, write_pictures
from .results import result

MARKUP = "<img src=x onerror=document.title='pwned'>"
SCRIPT = f"</script><script>document.title='pwned'</script>{MARKUP}\"'`&*_[x](javascript:alert(1))"


@dataclass(frozen=True)
class Built:
    """A folder of results with its pages, and the processor time that making the pages took, in seconds."""

    folder: Path
    pages: Pages
    seconds: float


def build(folder: Path) -> Built:
    started = time.process_time()
    pages = write_pages(folder)
    return Built(folder, pages, time.process_time() - started)


@pytest.fixture(scope="session")
def cohort_of_300(tmp_path_factory, no_waiting) -> Built:
    """300 synthetic submissions, without pictures."""
    return build(write_cohort(tmp_path_factory.mktemp("cohort") / "output", 300))


@pytest.fixture(scope="session")
def with_pictures(tmp_path_factory, no_waiting) -> Built:
    """24 synthetic submissions, half of them with pictures, three with figures, two nearly the same."""

    folder = tmp_path_factory.mktemp("pictures") / "output"
    folder.mkdir()
    results = synthetic(24)
    for index, one in enumerate(results):
        made = pictures_of(one, index) if index < 12 else []
        if index == 3:  # one that is another picture than those of the others
            made = [replace(picture, values=picture.values[::-1].copy()) for picture in made]
        path = write_result(folder, replace(one, differences=differences_of(made)))
        write_pictures(path.parent, made)
    for index in range(3):
        replace_figures(folder / results[index].submission, handed_in.figures(index).files)
    pair = {"a": results[1].submission, "b": results[2].submission, "score": 0.97}
    (folder / "similar.json").write_text(json.dumps({"pairs": [pair]}))
    return build(folder)


@pytest.fixture(scope="session")
def with_scripts(tmp_path_factory, no_waiting) -> Built:
    """Submissions that hold markup in every field that a student could influence, and in all others."""
    folder = tmp_path_factory.mktemp("scripts") / "output"
    folder.mkdir()
    name = MARKUP.replace("/", "") + "\"'&"
    for index, one in enumerate((SCRIPT, SCRIPT + "\n" + SCRIPT)):
        hostile = result(
            f"{name}{index}",
            lambda item, text=one: (FAILED, 0.0, text, text),
            violations=(one,),
            warnings=(one, f"{one} was not read: the folder has to be called part1"),
            waived=(one,),
        )
        checks = tuple(
            type(check)(one, check.status, 1.0, check.message, check.hint, cause=Cause("value", *[one] * 3))
            for check in hostile.items[0].checks
        )
        item = type(hostile.items[0])(hostile.items[0].id, 0.0, 1.5, FAILED, checks)
        notes = tuple(Note(one, kind=kind) for kind in ("rule", "hand_in", "figures"))
        hostile = SubmissionResult(
            **{
                **vars(hostile),
                "notes": notes,
                "suite": one,
                "sandbox": one,
                "items": (item, *hostile.items[1:]),
            }
        )
        written = write_result(folder, hostile)
        figures = {f"{MARKUP}.png": png(20, 20), f"1.9{MARKUP}.png": png(21, 20)}
        assert keep_figures(written.parent, figures).refused == ()
    pair = {"a": f"{name}0", "b": SCRIPT, "score": 0.99}
    (folder / "similar.json").write_text(json.dumps({"pairs": [pair]}))
    return build(folder)


@pytest.fixture(scope="session")
def no_waiting():
    """Files need not outlive a power cut in a test: writing 900 of them would mostly be waiting."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield
