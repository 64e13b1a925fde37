"""`python -m grader compare` and `accept`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.errors import FAULT, GraderUsageError
from grader.terminal.lines import complain

if TYPE_CHECKING:
    from grader.gradebook.course import Course

# What takes long to load is loaded inside the commands, so that --help and mistakes answer at once.

Old = Annotated[Path, typer.Argument(metavar="OLD", help="The folder of results in use.", show_default=False)]
New = Annotated[
    Path, typer.Argument(metavar="NEW", help="The folder of results of another run.", show_default=False)
]


def compare(
    old: Old,
    new: New,
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table for a spreadsheet.", show_default=False),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table as a page.", show_default=False)
    ] = None,
) -> int:
    """Show whose marks would move, and why, if another run took the place of this one. Changes nothing."""
    from grader.revision.compare import compare as compare_runs
    from grader.revision.compare import read_runs
    from grader.revision.tables import as_csv, as_page, as_text
    from grader.text import printable

    found = compare_runs(read_runs(old, new))
    for problem in found.problems:
        complain("error", problem)
    print(as_text(found))
    for option, target, content in (("--csv", csv, as_csv), ("--page", page, as_page)):
        if target is None:
            continue
        try:
            target.write_bytes(content(found))
        except OSError as error:
            raise GraderUsageError(
                f"{option} {printable(str(target))}: cannot write there: {error.strerror}; give another file"
            ) from error
        print(f"written: {printable(str(target))}")
    if found.moves and not found.problems:
        print(f"to take this over: python -m grader accept {printable(str(old))} {printable(str(new))}")
    return FAULT if found.problems else 0


def accept(
    old: Old,
    new: New,
    who: Annotated[
        str, typer.Option(help="Who takes it over; by default your login.", show_default=False)
    ] = "",
) -> int:
    """Take another run's marks over, all of them or none; decisions of people stay."""
    from grader.gradebook.course import course_of_results
    from grader.revision.accept import accept as accept_run
    from grader.text import counted, one_line, printable

    course = course_of_results(old)
    if course is not None:
        _expect_seed_of(course, new)
    found = accept_run(old, new, one_line(who, 80) if who else getpass.getuser())
    moved = f"{counted(len(found.moves), 'mark')} of {counted(len(found.moved), 'submission')} moved"
    print(f"{printable(str(old))}: {moved}; {len(found.only_new)} new, {len(found.same)} as before")
    if course is not None:
        print(f"next: make grade COURSE={printable(str(course.root))}, which takes it into the gradebook")
    return 0


def _expect_seed_of(course: Course, new: Path) -> None:
    """A course marks with its own seed: what was marked with another would be marked again, unseen."""
    from grader.engine import folder_seed
    from grader.text import printable

    seed = course.state / "seed"
    own = seed.read_text().strip() if seed.is_file() else ""
    if own.isdigit() and folder_seed(new) != int(own):
        raise GraderUsageError(
            f"{printable(str(new))}: it was not marked with this course's seed, and the course's next run "
            f"would mark all again; mark it with --seed {own}"
        )
