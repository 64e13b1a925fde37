"""`python -m grader decide`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.grade import write_pages_of
from grader.errors import GraderUsageError


def decide(
    submission: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT/NAME", help="A submission's folder in the --output of a run.", show_default=False
        ),
    ],
    item: Annotated[
        str, typer.Argument(metavar="ITEM", help="The item's id, such as 1.7.kld.", show_default=False)
    ],
    points: Annotated[float | None, typer.Option(help="What it earns.", show_default=False)] = None,
    reason: Annotated[
        str, typer.Option(help="Why, in a line; the student reads it.", show_default=False)
    ] = "",
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Take the decision back: the checks' points count again.")
    ] = False,
    who: Annotated[str, typer.Option(help="Who decides; by default your login.", show_default=False)] = "",
) -> int:
    """Decide on an item's points, whatever its checks say: recorded, and kept when code is marked again."""
    if withdraw == (points is not None):
        raise GraderUsageError("give either --points and --reason, or --withdraw")
    from grader.gradebook.course import course_of_results
    from grader.report.marks_csv import number  # these load what --help does not need
    from grader.report.whole_folder import write_all_marks
    from grader.revision import decide as revision
    from grader.text import one_line, printable

    folder = submission.absolute()
    name = one_line(who, 80) if who else getpass.getuser()
    if points is None:
        done = revision.withdraw(folder, item, name)
        what = f"the decision is withdrawn by {name}"
    else:
        done = revision.decide(folder, item, points, reason, name)
        what = f"decided by {name}"
    before = "not marked" if done.before.status == "grader_error" else number(done.before.points)
    print(
        f"{printable(folder.name)}, {item}: {before} -> {number(done.after.points)} of "
        f"{number(done.after.max_points)} points, {what}; {number(done.total)} in all"
    )
    write_all_marks(folder.parent, [])
    status = write_pages_of(folder.parent)
    course = course_of_results(folder.parent)
    if course is not None:
        print(f"next: make grade COURSE={printable(str(course.root))}, which takes it into the gradebook")
    return status
