"""`python -m grader similar`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.grade import write_pages_of
from grader.cli.options import labelled
from grader.errors import GraderUsageError
from grader.terminal.lines import complain

# What takes long to load is loaded inside the command, so that --help and mistakes answer at once.


def similar(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="Submissions, or folders of them, as for grade.", show_default=False
        ),
    ],
    page: Annotated[Path, typer.Option(help="The page with both sides of each pair.")] = Path("similar.html"),
    pairs: Annotated[int, typer.Option(min=1, help="How many pairs to show at most.")] = 20,
    against: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[LABEL=]FOLDER",
            help="Another cohort to compare with, last year's or a public one; may be given several times.",
            show_default=False,
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the pairs for a spreadsheet.", show_default=False),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The --output folder of a run: its pages then name these pairs.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """List the most alike pairs of submissions: scores to look into, never a verdict."""
    from grader.report.pairs_csv import pairs_csv
    from grader.report.results_json import write_pairs
    from grader.similar import alike_pairs, alike_pairs_of, write_page
    from grader.text import printable

    if results is not None and not results.is_dir():
        raise GraderUsageError(
            f"--results {printable(str(results))}: there is no such folder; give the --output folder of a run"
        )
    cohorts = _cohorts(against or [])
    codes = _codes(paths)
    others = {name: _codes([folder]) for name, folder in cohorts.items()}
    alike = alike_pairs(codes, pairs)
    elsewhere = alike_pairs_of(codes, others, pairs)
    for pair in alike:
        print(f"{100 * pair.score:4.0f}%  {printable(pair.first)}  {printable(pair.second)}")
    if others:
        print("with other cohorts:")
    for pair in elsewhere:
        print(
            f"{100 * pair.score:4.0f}%  {printable(pair.first)}  {printable(pair.second)} of "
            f"{printable(pair.cohort)}"
        )
    empty = [name for name, code in codes.items() if not code]
    with _writing("--page", page, "file"):
        write_page(page, alike, codes, empty, elsewhere, others)
    print(f"page: {printable(str(page))}")
    if csv is not None:
        with _writing("--csv", csv, "file"):
            csv.write_bytes(pairs_csv([*alike, *elsewhere]))
        print(f"written: {printable(str(csv))}")
    if results is None:
        return 0
    with _writing("--results", results, "folder"):
        write_pairs(
            results,
            ((pair.first, pair.second, pair.score) for pair in alike),
            ((pair.first, pair.cohort, pair.second, pair.score) for pair in elsewhere),
        )
    return write_pages_of(results)


def _cohorts(given: list[str]) -> dict[str, Path]:
    """The folders of other cohorts, by their names.

    Raises:
        GraderUsageError: two are called the same.
    """
    from grader.text import printable

    found: dict[str, Path] = {}
    for label, folder in map(labelled, given):
        name = label or folder.absolute().name
        if name in found:
            raise GraderUsageError(
                f"--against: two cohorts are called {printable(name)}; name each, such as "
                f"2026={printable(str(folder))}"
            )
        found[name] = folder
    return found


def _codes(paths: list[Path]) -> dict[str, str]:
    """What each student of a cohort wrote, by the submission's name; what cannot be read is told."""
    from grader.similar import own_code
    from grader.submission import find_submissions, read_found

    cohort = find_submissions(paths)
    for warning in cohort.warnings:
        complain("warning", warning)
    submissions = [read_found(found) for found in cohort.submissions]
    for submission in submissions:
        if submission.error:
            complain("warning", submission.error)
    return {submission.name: own_code(submission) for submission in submissions}


@contextmanager
def _writing(option: str, path: Path, kind: str) -> Iterator[None]:
    from grader.text import printable

    try:
        yield
    except OSError as error:
        raise GraderUsageError(
            f"{option} {printable(str(path))}: cannot write there: {error.strerror}; give another {kind}"
        ) from error
