"""`python -m grader evidence`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.grade import write_pages_of
from grader.errors import GraderUsageError
from grader.terminal.lines import complain

# What takes long to load is loaded inside the command, so that --help and mistakes answer at once.


def evidence(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="Submissions, or folders of them, as for grade.", show_default=False
        ),
    ],
    results: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="The --output folder of a run: its pages then show what was found.",
            show_default=False,
        ),
    ],
    seed: Annotated[
        int | None, typer.Option(help="Which images are looked at; by default, others each time.")
    ] = None,
    sandbox: Annotated[
        bool, typer.Option(help="Run students' networks in the sandbox; without it, only your own.")
    ] = True,
) -> int:
    """Check what full trainings claim against the weights that were handed in. Gives no points."""
    from grader.evidence.cohort import Examined, examine_cohort
    from grader.report.evidence_csv import write_evidence_table
    from grader.submission import find_submissions
    from grader.text import counted, printable

    if not results.is_dir():
        raise GraderUsageError(
            f"--results {printable(str(results))}: there is no such folder; give the --output folder of a run"
        )
    cohort = find_submissions(paths, results)
    for warning in cohort.warnings:
        complain("warning", warning)
    width = max(len(printable(found.name, 60)) for found in cohort.submissions)

    def tell(one: Examined) -> None:
        print(f"{printable(one.name, 60):{width}}  {one.in_short}", flush=True)

    done = examine_cohort(cohort.submissions, results, seed, sandbox, tell)
    for line in done.same_weights:
        print(line)
    table = write_evidence_table(results)
    print(f"table: {printable(str(table))}, {counted(done.with_evidence, 'submission')} with evidence")
    if not done.images:
        complain(
            "warning", "MNIST is not at hand, so nothing could be checked: set MNIST_ROOT to a folder of it"
        )
    return write_pages_of(results) if done.graded else 0
