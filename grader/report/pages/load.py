"""Reads a folder of results: every `results.json`, and the pictures that lie beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.errors import GraderFault, GraderUsageError
from grader.evidence.facts import FILE_NAME as EVIDENCE_FILE
from grader.evidence.facts import Evidence, read_evidence
from grader.marking.result import Decision, SubmissionResult
from grader.marking.result_json import result_from_json
from grader.report import figures, pictures
from grader.report.by_eye import by_eye, item_of
from grader.report.decisions import read_decisions
from grader.report.results_json import FILE_NAME, PAIRS_FILE
from grader.report.whole_marks import WholeMark, read_whole_marks
from grader.text import printable

MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class PictureFile:
    """A picture of one item that was made while grading."""

    item: str
    kind: str
    path: Path


@dataclass(frozen=True)
class FigureFile:
    """A figure that the student handed in, drawn anew.

    Attributes:
        item: the item that it seems to belong to; empty where that cannot be told.
        path: where it lies.
        small: where a smaller one lies.
    """

    item: str
    path: Path
    small: Path


@dataclass(frozen=True)
class Record:
    """All that the pages know of one submission.

    Attributes:
        folder: its folder of results; the folder's name is the submission's.
        result: what `results.json` says.
        pictures: made while grading.
        figures: handed in by the student.
        alike: submissions that are nearly the same, with the score of that, where known; those of other
            cohorts are called `x of COHORT`.
        decisions: of people, by item, also those that are about other code than the result.
        whole: the mark with what people gave; None outside a course.
        evidence: what was found out about the full trainings; None where nobody has looked.
    """

    folder: Path
    result: SubmissionResult
    pictures: tuple[PictureFile, ...] = ()
    figures: tuple[FigureFile, ...] = ()
    alike: tuple[tuple[str, float], ...] = ()
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    whole: WholeMark | None = None
    evidence: Evidence | None = None

    @property
    def name(self) -> str:
        """The submission's name, which is that of its folder."""
        return self.folder.name


def load(output: Path) -> tuple[list[Record], list[str]]:
    """All submissions of a folder of results, by name, and one line for each that cannot be read.

    Raises:
        GraderUsageError: there is no such folder, or there are no results in it.
    """
    shown = printable(str(output))
    if not output.is_dir():
        raise GraderUsageError(f"{shown}: there is no such folder; give the --output folder of a run")
    records, problems = [], []
    found = False
    for folder in sorted(output.iterdir(), key=lambda path: path.name.casefold()):
        file = folder / FILE_NAME
        if folder.name.startswith(".") or folder.is_symlink() or not file.is_file():
            continue
        found = True
        try:
            records.append(_record(folder, file))
        except (OSError, ValueError) as error:
            reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            problems.append(f"{printable(str(file))}: {reason}; grade this submission again")
        except GraderFault as error:
            problems.append(str(error))
    if not found:
        raise GraderUsageError(f"{shown}: no results in it; give the --output folder of a run")
    pairs, problem = _pairs(output / PAIRS_FILE)
    if problem:
        problems.append(problem)
    whole, problem = read_whole_marks(output)
    if problem:
        problems.append(problem)
    return [
        replace(record, alike=pairs.get(record.name, ()), whole=whole.get(record.name)) for record in records
    ], problems


def _record(folder: Path, file: Path) -> Record:
    if file.stat().st_size > MOST_BYTES:
        raise ValueError("it is larger than any result")
    try:
        result = replace(result_from_json(file.read_bytes()), submission=folder.name)
    except ValueError as error:
        raise ValueError(printable(str(error), 120)) from error
    return Record(
        folder,
        result,
        _pictures(folder, result),
        _figures(folder),
        decisions=read_decisions(folder),
        evidence=_evidence(folder),
    )


def _evidence(folder: Path) -> Evidence | None:
    """What was found out about the full trainings; a damaged file is looked for anew by its own command."""
    try:
        return read_evidence(folder)
    except ValueError as error:
        raise ValueError(f"{EVIDENCE_FILE}: {error}") from error


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _pictures(folder: Path, result: SubmissionResult) -> tuple[PictureFile, ...]:
    found = []
    for item in result.items:
        for kind in pictures.KINDS:
            path = folder / pictures.file_name(item.id, kind)
            if _is_plain(path):
                found.append(PictureFile(item.id, kind, path))
    return tuple(found)


def _figures(folder: Path) -> tuple[FigureFile, ...]:
    """The figures that were handed in, item by item."""
    place, small = folder / figures.FOLDER, folder / figures.SMALL
    if place.is_symlink() or not place.is_dir():
        return ()
    smaller = {path.stem: path for path in small.iterdir() if _is_plain(path)} if small.is_dir() else {}
    found = [
        FigureFile(item_of(path.stem), path, smaller.get(path.stem, path))
        for path in place.iterdir()
        if path.suffix in figures.SUFFIXES and _is_plain(path)
    ]
    order = [one.item.id for one in by_eye()]
    rank = {item: number for number, item in enumerate((*order, ""))}
    return tuple(sorted(found, key=lambda one: (rank[one.item], one.path.name.casefold())))


def _is_plain(path: Path) -> bool:
    """Whether this is a file of the folder itself, and not a link to elsewhere."""
    return path.is_file() and not path.is_symlink() and not path.parent.is_symlink()


def _pairs(path: Path) -> tuple[dict[str, tuple[tuple[str, float], ...]], str]:
    """Who is nearly the same as whom, and a line where that cannot be read."""
    if not path.is_file():
        return {}, ""
    alike: dict[str, list[tuple[str, float]]] = {}
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        for pair in table["pairs"]:
            one, other, score = str(pair["a"]), str(pair["b"]), _number(pair["score"])
            alike.setdefault(one, []).append((other, score))
            alike.setdefault(other, []).append((one, score))
        for pair in table.get("against", ()):  # with other cohorts
            other = f"{pair['b']} of {pair['cohort']}"
            alike.setdefault(str(pair["a"]), []).append((other, _number(pair["score"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}, f"{printable(str(path))}: it does not list pairs; find them again, or delete it"
    return {name: tuple(sorted(pairs, key=lambda pair: -pair[1])) for name, pairs in alike.items()}, ""
