"""The command line: one thin command per verb.

Exit status: 0, everything was marked; 1, something could not be marked through the grader's own fault;
2, the command cannot be carried out as given; 130, interrupted. What a student did never changes it.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from grader.errors import GraderFault, GraderUsageError
from grader.gradebook import commands

if TYPE_CHECKING:
    from grader.engine import Crew, MarkerFactory

# What students' code needs is loaded inside the commands, so that --help and mistakes answer at once.

DEFAULT_JOBS = 4  # each job holds a warm box, about 1.3 GB with torch loaded twice
FAULT, USAGE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="grader",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(commands.app, name="course")
app.command()(commands.doctor)


class Data(StrEnum):
    """The images to train and judge on."""

    digits = "digits"
    mnist = "mnist"


@app.callback()
def describe() -> None:
    """Mark submissions to the practical on variational and adversarial autoencoders."""


@app.command()
def grade(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="A submission (folder with part1/ and part2/, zip, tar or tar.gz), or a folder of those.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            help="The folder for results: marks.csv, and <submission>/results.json. Results that still hold "
            "are kept.",
            show_default=False,
        ),
    ],
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Submissions to mark at once; each takes a processor and about 1.3 GB of memory. "
            f"By default as many as there are processors, at most {DEFAULT_JOBS}.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**63 - 1,
            help="The run's secret: all test inputs derive from it. By default that of the last run "
            "into the folder or, in a new one, a new seed, shown at the end.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        Data,
        typer.Option(help="Train on the embedded digits, or on MNIST (from $MNIST_ROOT, or downloaded)."),
    ] = Data.digits,
    no_sandbox: Annotated[
        bool,
        typer.Option(
            "--no-sandbox", help="Run the code unprotected. Only for your own: no gradebook takes the marks."
        ),
    ] = False,
    allow_distributions: Annotated[
        bool,
        typer.Option(
            "--allow-distributions",
            help="Waive the rule against torch.distributions. Every result records it.",
        ),
    ] = False,
    allow_devices: Annotated[
        bool,
        typer.Option(
            "--allow-devices",
            help="Deduct nothing for a device, such as cuda or mps, that code names and the grader lacks.",
        ),
    ] = False,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Mark on the workers of a running Dask cluster; ADDRESS is its scheduler's, tcp://host:port.",
            show_default=False,
        ),
    ] = None,
    slurm: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Mark on N workers that Slurm starts (through dask-jobqueue and its configuration).",
            show_default=False,
        ),
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Mark all anew: neither go on with an interrupted run nor reuse a result of an earlier one.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress and no table.")] = False,
    details: Annotated[
        bool | None,
        typer.Option(
            "--details/--no-details",
            help="Show the failed checks with their messages. By default for at most 10 submissions.",
            show_default=False,
        ),
    ] = None,
    pages: Annotated[
        bool,
        typer.Option(
            "--pages/--no-pages",
            help="Write pages for students and staff from all results in the folder.",
        ),
    ] = True,
) -> int:
    """Mark submissions with the hidden suites."""
    if sum(option is not None for option in (jobs, dask, slurm)) > 1:
        raise GraderUsageError("--jobs, --dask and --slurm exclude each other: give one of them")
    from grader.engine import (
        Provenance,
        environment_digest,
        folder_seed,
        grade_into,
        interrupted_seed,
        prepare_output,
    )
    from grader.report.terminal import TerminalReport
    from grader.report.whole_folder import count_rows, what_differs
    from grader.submission import find_submissions
    from grader.submission.names import listed, printable

    cohort = find_submissions(paths, output)
    prepare_output(output)
    for warning in cohort.warnings:
        _complain("warning", warning)
    if no_sandbox:
        _complain(
            "WARNING",
            "--no-sandbox: submissions run unprotected, with all your rights. "
            'Results are recorded as "sandbox": "none", and no gradebook accepts them.',
        )
    chosen = seed is not None
    before = folder_seed(output) if not chosen and not fresh else None
    begun = interrupted_seed(output) is not None
    seed = next((known for known in (seed, before) if known is not None), secrets.randbits(48))
    total = len(cohort.submissions)
    jobs = min(_default_jobs() if jobs is None else jobs, total)

    from grader.engine.guard import guarded_marker
    from grader.marking.marker import MarkingOptions, check_environment, suite_digest

    options = MarkingOptions(
        seed=seed,
        data=data.value,
        sandbox=not no_sandbox,
        allow_distributions=allow_distributions,
        allow_devices=allow_devices,
    )
    check_environment(options)
    provenance = Provenance(
        seed,
        suite_digest(),
        "none" if no_sandbox else "bwrap",
        options.waived,
        environment_digest(data.value),
    )
    report = TerminalReport(total, quiet, details)
    if before is not None and begun:
        report.line(f"going on with a run that has not come to its end, seed {seed} (--fresh: a new one)")
    elif before is not None:
        report.line(
            f"results in {printable(str(output))} that still hold are kept; what is new or has changed is "
            f"marked with the seed of the last run there, {seed} (--fresh: all anew, with a new one)"
        )
    factory = partial(guarded_marker, options, provenance)
    try:
        crew = _crew(dask, slurm, factory, report.line)
        with report.follow():
            results = grade_into(
                output,
                cohort.submissions,
                factory,
                provenance,
                jobs,
                report.on_event,
                fresh,
                crew,
                any_seed=not chosen,
            )
    except KeyboardInterrupt:
        _complain(
            "interrupted",
            f"what was marked until now is in {printable(str(output))}; the same command goes on from there",
        )
        return INTERRUPTED
    report.show(results)
    report.summary(results)
    if cohort.left_out:
        report.line(
            f"left out, with the reason at the start: {listed(one.path.name for one in cohort.left_out)}"
        )
    rows = count_rows(output)
    of_all = f" ({rows} submissions, {len(results)} of them in this run)" if rows > len(results) else ""
    report.line(f"marks: {printable(str(output / 'marks.csv'))}{of_all}")
    for line in what_differs(output):
        report.line(line)
    if not chosen:
        report.line(f"regrade with --seed {seed}")
    unmarked = [result.submission for result in results if not result.marked]
    if unmarked:
        _complain("error", f"not marked through the grader's own fault: {', '.join(unmarked)}")
    written = _write_pages(output, report.line) if pages else 0
    return FAULT if unmarked else written


@app.command()
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
    from grader.submission.names import printable

    if results is not None and not results.is_dir():
        raise GraderUsageError(
            f"--results {printable(str(results))}: there is no such folder; give the --output folder of a run"
        )
    cohort = find_submissions(paths)
    for warning in cohort.warnings:
        _complain("warning", warning)
    submissions = [read_found(found) for found in cohort.submissions]
    for submission in submissions:
        if submission.error:
            _complain("warning", submission.error)
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
    return _write_pages(results, print)


@app.command()
def report(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="The --output folder of a run: DIR/<submission>/results.json.",
            show_default=False,
        ),
    ],
) -> int:
    """Write the pages for students and staff anew, from the results alone."""
    return _write_pages(results, print)


def _write_pages(output: Path, tell: Callable[[str], None]) -> int:
    """Write all pages of a folder of results, say where, and return the exit status."""
    from grader.report.pages import write_pages
    from grader.submission.names import printable

    written = write_pages(output)
    for problem in written.problems:
        _complain("error", problem)
    tell(f"pages: {printable(str(written.cohort))}")
    return FAULT if written.problems else 0


def _crew(
    dask: str | None, slurm: int | None, factory: MarkerFactory, tell: Callable[[str], None]
) -> Crew | None:
    """Where to mark, if not on this machine."""
    if slurm is not None:
        from grader.engine.slurm import slurm_crew

        return slurm_crew(slurm, factory, tell)
    if dask is not None:
        from grader.engine.cluster import ClusterCrew, connect

        return ClusterCrew(connect(dask), factory, f"--dask {dask}", tell=tell)
    return None


def _default_jobs() -> int:
    return min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        DEFAULT_JOBS,
    )


def _complain(kind: str, message: str) -> None:
    """One line on the standard error, whatever names it quotes."""
    line = f"{kind}: {' '.join(message.split())}"
    encoding = sys.stderr.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    signal.signal(signal.SIGTERM, _interrupt)  # asked to stop is asked to stop, by a terminal or by a service
    try:
        status = app(args=arguments, standalone_mode=False, prog_name="python -m grader")
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            return USAGE
        message = error.format_message().replace("Value error, ", "")
        _complain("error", f"{message} (python -m grader grade --help shows the options)")
        return USAGE
    except GraderUsageError as error:
        _complain("error", str(error))
        return USAGE
    except GraderFault as error:
        _complain("error", str(error))
        return FAULT
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED  # before any submission was marked
    except BrokenPipeError:  # whoever read the output has gone, `| head` for example
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAULT
    return int(status or 0)
