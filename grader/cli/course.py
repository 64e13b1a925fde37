"""The verbs of `python -m grader course`. Each is thin: it reads options and calls one function."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from grader.cli import options as given
from grader.gradebook.exports.formats import FORMATS, Request, format_called
from grader.grading.options import Data, GradingOptions

# What takes long to load is loaded inside the commands, so that --help and mistakes answer at once.

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Run a course with nbgrader.")

# Whether it can be read is for the commands to say, with whose it is.
CourseFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The course's folder.", show_default=False, readable=False)
]


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
            help="The folder that students fetch from and submit to, outside the course; by default "
            "DIR-exchange.",
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
    group: Annotated[
        str | None,
        typer.Option(
            help="The group of accounts that share the course; by default it is yours alone.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Make a course in a new folder: nbgrader's configuration, and the assignment without solutions."""
    from grader.gradebook.access import exposures
    from grader.gradebook.course import ASSIGNMENT, NewCourse, inside
    from grader.gradebook.new_course import initialise
    from grader.gradebook.progress import say

    place = folder.absolute()
    exchange = exchange or place.with_name(f"{place.name}-exchange")
    new = NewCourse(course_id or place.name, exchange, db_url, timezone, group)
    course = initialise(folder, new)
    say(f"course {new.course_id}: {course.root}, open to {f'group {group}' if group else 'you'} alone")
    say(f"exchange, open to everyone on this machine: {exchange.absolute()}")
    with inside(course) as config:
        for line in exposures(course, config):
            say(f"WARNING: {line}")
    say(f"next: cd {course.root}, and nbgrader generate_assignment {ASSIGNMENT}")
    return 0


@app.command()
def update(folder: CourseFolder) -> int:
    """Write the assignment's source anew, after the rubric's points or the stubs have changed."""
    from grader.gradebook.access import open_course
    from grader.gradebook.course import ASSIGNMENT
    from grader.gradebook.course_run import course_run
    from grader.gradebook.new_course import update as write_source
    from grader.gradebook.progress import say

    course = open_course(folder)
    with course_run(course):
        write_source(course)
    say(f"written anew: {course.source}")
    say(f"next: cd {course.root}, and nbgrader generate_assignment {ASSIGNMENT} --force")
    return 0


@app.command()
def grade(
    folder: CourseFolder,
    jobs: given.Jobs = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="Instead of the course's own seed.", show_default=False),
    ] = None,
    data: given.DataSet = Data.digits,
    allow_distributions: given.AllowDistributions = False,
    allow_devices: given.AllowDevices = False,
    dask: given.Dask = None,
    dask_without_tls: given.DaskWithoutTls = False,
    slurm: given.Slurm = None,
    fresh: given.Fresh = False,
    details: Annotated[
        bool, typer.Option("--details", help="Show the failed checks with their messages.")
    ] = False,
    no_collect: Annotated[
        bool, typer.Option("--no-collect", help="Leave the exchange alone; take what is in submitted/.")
    ] = False,
) -> int:
    """Collect, mark, enter the marks into the gradebook, compare, and write the feedback."""
    from grader.gradebook.access import open_course

    course = open_course(folder)
    grading = GradingOptions(
        (course.collected,),
        course.results,
        jobs=jobs,
        seed=seed,
        data=data,
        allow_distributions=allow_distributions,
        allow_devices=allow_devices,
        dask=dask,
        dask_without_tls=dask_without_tls,
        slurm=slurm,
        fresh=fresh,
    )
    from grader.gradebook.grade_course import Options, run  # with nbgrader, which takes 2 s

    return run(course, Options(grading, details, collect=not no_collect))


@app.command()
def desk(
    folder: CourseFolder,
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="By default the first free one from 8888 on.", show_default=False
        ),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser", help="Open a browser, too.")] = False,
) -> int:
    """Serve the marking desk, and formgrader beside it, on this machine alone, with a token."""
    from grader.gradebook.access import open_course

    course = open_course(folder)
    from grader.desk.launch import serve  # with nbgrader, which takes 2 s

    return serve(course, port, browser)


# A choice for the command line, of the names in the table.
FormatName = StrEnum("FormatName", {row.name: row.name for row in FORMATS})  # type: ignore[misc]


@app.command()
def export(
    folder: CourseFolder,
    kind: Annotated[
        FormatName, typer.Argument(metavar="FORMAT", help=f"One of {', '.join(row.name for row in FORMATS)}.")
    ],
    output: Annotated[Path, typer.Option(help="The file to write.", show_default=False)],
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="; ".join(
                f"{row.name}: {row.sheet}{'' if row.needs_sheet else ' (optional)'}"
                for row in FORMATS
                if row.sheet
            ),
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        str, typer.Option(help="The assignment's name there; in a worksheet of Moodle's, the grade's column.")
    ] = "Practical 3",
    unfinished: Annotated[
        bool,
        typer.Option("--unfinished", help="Also those with answers to mark: what is missing counts as 0."),
    ] = False,
) -> int:
    """Write the final marks for another system. Marks made without a sandbox are refused."""
    from grader.gradebook.access import open_course

    course = open_course(folder)
    request = Request(output, sheet, column)
    from grader.gradebook.exports.run import export_marks  # with nbgrader, which takes 2 s

    return export_marks(course, format_called(kind.value), request, unfinished)


@app.command()
def hand_back(
    folder: CourseFolder,
    output: Annotated[Path, typer.Option(help="The archive to write.", show_default=False)],
    like: Annotated[
        Path | None,
        typer.Option(
            metavar="DOWNLOAD",
            help="The archive of all submissions that Canvas, Moodle or Brightspace gave, or a folder of its "
            "files; by default downloaded/a3/archive.",
            show_default=False,
        ),
    ] = None,
    unfinished: Annotated[
        bool, typer.Option("--unfinished", help="Also those with answers to mark.")
    ] = False,
) -> int:
    """Write everybody's feedback page into one archive, named as the learning platform takes files back."""
    from grader.gradebook.access import open_course
    from grader.gradebook.progress import say
    from grader.text import counted, listed, printable

    course = open_course(folder)
    from grader.gradebook.hand_back import hand_back as write  # with nbgrader, which takes 2 s

    done = write(course, output, like, unfinished)
    for what, names in (
        ("nobody on the roster fits", done.strangers),
        ("not complete yet, left out (--unfinished takes them)", done.waiting),
        ("without a feedback page; run make grade COURSE=... once more", done.without_page),
        ("typed into Canvas, which takes no file back for it", done.typed),
        ("handed in, and not in the download", done.absent),
    ):
        if names:
            say(f"note: {what}: {listed(map(printable, names), 20)}")
    if not done.students:
        say("no feedback to hand back; no archive was written")
        return 0
    size = f"{done.size / 1e6:.1f} MB"
    say(f"feedback of {counted(len(done.students), 'student')} in {printable(str(output))}, {size}")
    return 0


@app.command()
def gradescope_results(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="A submission's folder of results, or its results.json.")
    ],
    output: Annotated[Path, typer.Option(help="The results.json for Gradescope.", show_default=False)],
) -> int:
    """Turn one results.json into Gradescope's."""
    from grader.gradebook.exports.gradescope import gradescope_results as write

    write(results if results.is_dir() else results.parent, output)
    return 0


@app.command()
def gradescope_autograder(
    output: Annotated[Path, typer.Option(help="The archive to upload.", show_default=False)],
) -> int:
    """Write the autograder archive for Gradescope: setup.sh, run_autograder and the grader."""
    from grader.gradebook.exports.gradescope import write_autograder
    from grader.gradebook.progress import say

    say(f"{write_autograder(output)} files in {output}")
    return 0


def doctor(
    course: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A course's folder.", show_default=False, readable=False),
    ] = None,
) -> int:
    """Look whether this machine can mark, with the remedy for what is missing.

    With --course: whether staff can mark in a course, students can hand in, and nobody can read too much.
    """
    if course is None:
        from grader.machine.doctor import examine_machine
        from grader.machine.finding import FAULT
        from grader.terminal.lines import say

        findings = examine_machine()
    else:
        from grader.gradebook.access import open_course
        from grader.gradebook.doctor import FAULT, examine
        from grader.gradebook.progress import say

        findings = examine(open_course(course))
    faults = 0
    for finding in findings:
        say(f"{finding.kind}: {finding.text}")
        for step in finding.steps:
            say(f"    {step}")
        faults += finding.kind == FAULT
    return min(faults, 1)
