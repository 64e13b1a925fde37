"""`python -m grader similar`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.grade import write_pages_of
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
    from grader.report.results_json import write_pairs
    from grader.similar import alike_pairs, own_code, write_page
    from grader.submission import find_submissions, read_found
    from grader.text import printable

    if results is not None and not results.is_dir():
        raise GraderUsageError(
            f"--results {printable(str(results))}: there is no such folder; give the --output folder of a run"
        )
    cohort = find_submissions(paths)
    for warning in cohort.warnings:
        complain("warning", warning)
    submissions = [read_found(found) for found in cohort.submissions]
    for submission in submissions:
        if submission.error:
            complain("warning", submission.error)
    codes = {submission.name: own_code(submission) for submission in submissions}
    alike = alike_pairs(codes, pairs)
    for pair in alike:
        print(f"{100 * pair.score:4.0f}%  {printable(pair.first)}  {printable(pair.second)}")
    try:
        write_page(page, alike, codes, [name for name, code in codes.items() if not code])
    except OSError as error:
        raise GraderUsageError(
            f"--page {printable(str(page))}: cannot write there: {error.strerror}; give another file"
        ) from error
    print(f"page: {printable(str(page))}")
    if results is None:
        return 0
    try:
        write_pairs(results, ((pair.first, pair.second, pair.score) for pair in alike))
    except OSError as error:
        raise GraderUsageError(
            f"--results {printable(str(results))}: cannot write there: {error.strerror}; give another folder"
        ) from error
    return write_pages_of(results)
