"""`python -m grader explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.errors import FAULT, GraderUsageError
from grader.terminal.lines import complain

# What takes long to load is loaded inside the command, so that --help and mistakes answer at once.


def explain(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT/NAME",
            help="The results of one submission in the --output folder of a run.",
            show_default=False,
        ),
    ],
    item: Annotated[
        str, typer.Argument(metavar="ITEM", help="An automatic item, such as 1.7.kld.", show_default=False)
    ],
    check: Annotated[
        str,
        typer.Argument(
            metavar="CHECK",
            help="One of its checks; by default all that did not pass, each message once.",
            show_default=False,
        ),
    ] = "",
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The hand-in, where it no longer lies where the run found it.",
            show_default=False,
        ),
    ] = None,
    snippet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.py",
            help="Write the first check's plain Python there, and its data file beside it.",
            show_default=False,
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the same as a page, with pictures, for a browser.", show_default=False
        ),
    ] = None,
    no_sandbox: Annotated[
        bool, typer.Option("--no-sandbox", help="For results of your own code without a sandbox.")
    ] = False,
) -> int:
    """Run a failed check again as it was: the call, its inputs, what came, what was due. For the staff."""
    from grader.explain.command import run
    from grader.explain.original import Asked

    if snippet is not None and snippet.suffix != ".py":
        raise GraderUsageError(f"--snippet {snippet}: its name should end in .py")
    asked = Asked(folder, item, check, submission, sandbox=not no_sandbox)
    differs = run(asked, snippet, page)
    if differs:
        complain("warning", differs)
    return FAULT if differs else 0
