"""The verbs of `python -m grader course`. Each is thin: it reads options and calls one function."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Run a course with nbgrader.")

CourseFolder = Annotated[Path, typer.Argument(metavar="DIR", help="The course's folder.", show_default=False)]


@app.command()
def init(
    folder: CourseFolder,
    course_id: Annotated[
        str | None,
        typer.Option(help="nbgrader's name of the course; by default the folder's.", show_default=False),
    ] = None,
    exchange: Annotated[
        Path | None,
        typer.Option(
            help="The folder that students fetch from and submit to; by default DIR/exchange.",
            show_default=False,
        ),
    ] = None,
    db_url: Annotated[
        str | None,
        typer.Option(
            help="The gradebook's database; by default SQLite, in DIR/gradebook.db.", show_default=False
        ),
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="In which deadlines are written and times are shown.")
    ] = "Europe/Amsterdam",
) -> int:
    """Make a course in a new folder: nbgrader's configuration, and the assignment without solutions."""
    from grader.gradebook.course import ASSIGNMENT, NewCourse, initialise
    from grader.gradebook.progress import say

    new = NewCourse(course_id or folder.absolute().name, exchange or folder / "exchange", db_url, timezone)
    course = initialise(folder, new)
    say(f"course {new.course_id}: {course.root}")
    say(f"next: cd {course.root}, and nbgrader generate_assignment {ASSIGNMENT}")
    return 0


@app.command()
def grade(
    folder: CourseFolder,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Submissions to mark at once.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Instead of the course's own seed.", show_default=False)
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="digits or mnist: the images to train and judge on.", show_default=False),
    ] = None,
    allow_distributions: Annotated[
        bool, typer.Option("--allow-distributions", help="Waive the rule against torch.distributions.")
    ] = False,
    no_collect: Annotated[
        bool, typer.Option("--no-collect", help="Leave the exchange alone; take what is in submitted/.")
    ] = False,
) -> int:
    """Collect, mark, enter the marks into the gradebook, compare, and write the feedback."""
    from grader.gradebook.course import open_course
    from grader.gradebook.cycle import Options, run

    grading = [
        *(("--jobs", str(jobs)) if jobs is not None else ()),
        *(("--seed", str(seed)) if seed is not None else ()),
        *(("--data", data) if data is not None else ()),
        *(("--allow-distributions",) if allow_distributions else ()),
    ]
    return run(open_course(folder), Options(tuple(grading), collect=not no_collect))
