"""Writes all pages of a folder of results."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from grader.errors import GraderFault
from grader.files import write_atomically
from grader.report.by_eye import by_eye
from grader.report.pages.cohort import FILE_NAME as COHORT_FILE
from grader.report.pages.cohort import cohort_page
from grader.report.pages.findings import find
from grader.report.pages.items import by_eye_page, file_name, file_names, item_page
from grader.report.pages.load import load
from grader.report.pages.student import student_pages
from grader.rubric import load_rubric
from grader.text import printable


@dataclass(frozen=True)
class Pages:
    """What was written.

    Attributes:
        cohort: the page to start from; it leads to all others.
        submissions: how many have a page.
        problems: one line for every result that could not be read and has none.
    """

    cohort: Path
    submissions: int
    problems: tuple[str, ...]


def write_pages(output: Path) -> Pages:
    """Write the cohort's page, a page for every item, and two for every submission, from its results.

    Raises:
        GraderUsageError: there are no results in the folder.
        GraderFault: a page cannot be written.
    """
    records, problems = load(output)
    findings = {record.name: find(record.result) for record in records}
    items = file_names(records)
    try:
        for record in records:
            for name, content in student_pages(record).items():
                _write(record.folder / name, content)
        for item in load_rubric().automatic:
            _write(output / items[item.id], item_page(item, records, findings, items))
        for one in by_eye():
            if one.item.id in items:
                _write(output / items[one.item.id], by_eye_page(one, records, items))
            else:  # of an earlier run with figures
                (output / file_name(one.item)).unlink(missing_ok=True)
        _write(output / COHORT_FILE, cohort_page(records, findings, items))
    except OSError as error:
        place = os.fsdecode(error.filename) if error.filename else str(output)
        raise GraderFault(
            f"{printable(place)}: cannot write pages: {error.strerror or error}; the results are untouched, "
            "and python -m grader report writes the pages again"
        ) from error
    return Pages(output / COHORT_FILE, len(records), tuple(problems))


def write_cohort_page(output: Path) -> None:
    """Write the cohort's page anew, where there is one: after marks were given that are not in the results.

    Raises:
        GraderUsageError: there are no results in the folder.
        GraderFault: it cannot be written.
    """
    if not (output / COHORT_FILE).is_file():
        return
    records, _ = load(output)
    findings = {record.name: find(record.result) for record in records}
    try:
        _write(output / COHORT_FILE, cohort_page(records, findings, file_names(records)))
    except OSError as error:
        place = os.fsdecode(error.filename) if error.filename else str(output)
        raise GraderFault(
            f"{printable(place)}: cannot be written: {error.strerror or error}; "
            "the marks are in the gradebook"
        ) from error


def _write(path: Path, content: bytes) -> None:
    """Write a page, unless it stands there as it is."""
    if path.is_dir():
        raise IsADirectoryError(
            21, "a folder stands where the page belongs; rename that submission", str(path)
        )
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        return
    write_atomically(path, content)
