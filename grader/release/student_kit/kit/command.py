"""The command line of check.py."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from kit import environment, watch
from kit.agreement import YOURS, given_files, unlike_the_grader
from kit.outcome import show
from kit.reached import Reached
from kit.tests import HERE, Item, Notes, read_items


def chosen(everything: Sequence[Item], question: str) -> list[Item]:
    """The items of a question that have tests.

    Raises:
        ValueError: there are none; the message says which questions have some.
    """
    question = question.strip().lower().removeprefix("q").rstrip(".")
    found = [item for item in everything if not question or f"{item.id}.".startswith(f"{question}.")]
    with_tests = [item for item in found if item.how == "auto"]
    if with_tests:
        return with_tests
    if found:
        raise ValueError(f"Question {question} has no tests: its answer goes into report.ipynb.")
    questions = dict.fromkeys(".".join(item.id.split(".")[:2]) for item in everything if item.how == "auto")
    raise ValueError(
        f"There is no question {question}. Questions with tests: {', '.join(questions)}; or one item of "
        "them, such as 1.7.kld."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="check.py", description="Run the public tests: how far is your code, and what comes next?"
    )
    parser.add_argument("question", nargs="?", default="", help="such as 1.7, 1.7.kld or 2 (default: all)")
    parser.add_argument("--watch", action="store_true", help="run them again on every save")
    parser.add_argument("--hint", action="store_true", help="say what a failure is likely to come from")
    parser.add_argument("--spare", action="store_true", help=argparse.SUPPRESS)  # see watch.py
    options = parser.parse_args(arguments)
    environment.write_what_can_be_written()
    console = Console(highlight=False)
    everything = read_items()
    try:
        items = chosen(everything, options.question)
    except ValueError as error:
        console.print(str(error), style="red")
        return 2
    if options.watch:
        watch.watch([*filter(None, [options.question]), *(["--hint"] if options.hint else [])])
        console.print()
        console.show_cursor()  # a run that was ended in the middle has hidden it
        return 0
    save = watch.Save() if options.spare else None
    if save is not None:
        console = Console(highlight=False, file=save.output)
    columns = (TextColumn("{task.description:50}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    notes = Notes(items, progress, save)
    reached = Reached(HERE, YOURS, {*YOURS, *given_files()})
    # Three plugins write what nobody reads here; that of unraisable exceptions searches all of PyTorch for
    # garbage, twice, which takes longer than the tests of a function.
    without = ("terminal", "cacheprovider", "unraisableexception")
    quiet = [f"--rootdir={HERE}", *(f"-pno:{plugin}" for plugin in without)]
    with contextlib.nullcontext() if options.spare else progress:
        files = [str(item.file) for item in items]
        status = pytest.main([*quiet, "-c", str(HERE / "pytest.ini"), *files], [notes, reached])
    notes.wait()  # where there was nothing to collect
    progress.stop()
    if status == pytest.ExitCode.INTERRUPTED and not notes.broken:
        console.print("Interrupted.")
        return 130
    if notes.broken or status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        console.print(Text(notes.broken or f"pytest ended with status {status}", style="red"))
        console.print(
            "The tests themselves could not be run. Unpack the folder tests/ of the exercise again."
        )
        return 2
    unlike = unlike_the_grader(HERE, reached.uses)
    show(console, items, everything, unlike, options.hint)
    result = 0 if all(item.status == "done" for item in items) and not unlike else 1
    if save is not None:
        console.print(Text(watch.WAITING, style="dim"))
        save.end(result)
    return result
