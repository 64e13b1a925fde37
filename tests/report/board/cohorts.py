"""Years of results with the marks of people, made up."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from grader.marking.result import GRADER_ERROR, Change
from grader.report.results_json import write_result
from grader.report.whole_marks import WholeMark, write_whole_marks
from grader.rubric import load_rubric
from tests.report.cohort import synthetic


def write_year(folder: Path, count: int, seed: int = 1, changed: float = 0.1) -> Path:
    """Results of so many students, some of them marked again, with marks for what people mark."""
    folder.mkdir(parents=True)
    draw = random.Random(seed)
    marks = {}
    for result in synthetic(count, seed):
        if draw.random() < changed:
            item = draw.choice(result.items)
            when = f"2027-12-{draw.randint(1, 28):02d}T10:11:12Z"
            change = Change(when, item.id, 0.0, item.points, "decided", "sha256:0", "Anna Bauer")
            result = replace(result, history=(change,))
        write_result(folder, result)
        marks[result.submission] = whole_mark(
            {item.id: None if item.status == GRADER_ERROR else item.points for item in result.items},
            lambda share=result.points / result.max_points: draw.gauss(0.2 + 0.6 * share, 0.2),
        )
    write_whole_marks(folder, marks)
    return folder


def whole_mark(automatic: dict[str, float | None], share) -> WholeMark:
    """A whole mark: of every item that a person marks, the share of its points that is drawn, in quarters."""
    items = {
        item.id: automatic[item.id]
        if item.how == "auto"
        else round(4 * item.points * min(1.0, max(0.0, share()))) / 4
        for item in load_rubric().items
    }
    return WholeMark(sum(points or 0.0 for points in items.values()), 64.0, 0.0, items)
