"""`python -m grader board`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.cli.options import labelled
from grader.errors import FAULT, GraderUsageError
from grader.terminal.lines import complain

if TYPE_CHECKING:
    from grader.report.board.years import Year

# What takes long to load is loaded inside the command, so that --help and mistakes answer at once.


def board(
    results: Annotated[
        list[str],
        typer.Argument(
            metavar="[LABEL=]RESULTS...",
            help="Courses, or --output folders of runs, the earliest first; LABEL is what the year is "
            "called, by default the folder's name.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write board.html, which prints on two sheets, and items.csv, causes.csv and "
            "marked-again.csv.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Difficulty, discrimination and causes of lost points of every item, over several years."""
    from grader.report.board.measures import measure
    from grader.report.board.page import as_page
    from grader.report.board.tables import again_csv, as_text, causes_csv, items_csv
    from grader.text import printable

    years = [_read(label, folder) for label, folder in _labelled(results).items()]
    for year in years:
        for problem in year.problems:
            complain("error", problem)
        for note in year.notes:
            complain("warning", note)
    figures = [measure(year) for year in years]
    print(as_text(figures))
    if output is not None:
        files = {
            "board.html": as_page(years, figures),
            "items.csv": items_csv(figures),
            "causes.csv": causes_csv(years),
            "marked-again.csv": again_csv(years),
        }
        _write(output, files)
        print(f"page: {printable(str(output / 'board.html'))}")
    return FAULT if any(year.problems for year in years) else 0


def _labelled(given: list[str]) -> dict[str, Path]:
    """The folders of results by what the years are called.

    Raises:
        GraderUsageError: two are called the same.
    """
    from grader.gradebook.course import CONFIG_FILE, Course, course_of_results
    from grader.text import printable

    found: dict[str, Path] = {}
    for one in given:
        label, folder = labelled(one)
        if (folder / CONFIG_FILE).is_file():
            folder = Course(folder).results
        course = course_of_results(folder)
        name = label or (course.root if course is not None else folder.absolute()).name
        if name in found:
            raise GraderUsageError(
                f"two years are called {printable(name)}: name each, such as 2026={printable(str(folder))}"
            )
        found[name] = folder
    return found


def _read(label: str, folder: Path) -> Year:
    """A year, with what the desk of its course knows of lost points."""
    from grader.desk.reasons import read_reasons
    from grader.gradebook.course import course_of_results
    from grader.report.board.years import read_year

    course = course_of_results(folder) if folder.is_dir() else None
    return read_year(label, folder, read_reasons(course) if course is not None else None)


def _write(output: Path, files: dict[str, bytes]) -> None:
    from grader.files import write_atomically
    from grader.text import printable

    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(output / name, content)
    except OSError as error:
        raise GraderUsageError(
            f"--output {printable(str(output))}: cannot write there: {error.strerror}; give another folder"
        ) from error
