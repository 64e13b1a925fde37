"""The command line: one thin command per verb.

Exit status: 0, everything was marked; 1, something could not be marked through the grader's own fault;
2, the command cannot be carried out as given; 130, interrupted. What a student did never changes it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import typer
from typer.exceptions import TyperException

from grader.cli import board, compare, course, decide, evidence, explain, grade, similar
from grader.errors import FAULT, INTERRUPTED, USAGE, GraderFault, GraderUsageError
from grader.terminal.lines import complain

app = typer.Typer(
    name="grader",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(course.app, name="course")
for command in (
    board.board,
    compare.accept,
    compare.compare,
    course.doctor,
    decide.decide,
    evidence.evidence,
    explain.explain,
    grade.grade,
    similar.similar,
    grade.report,
):
    app.command()(command)


@app.callback()
def describe() -> None:
    """Mark submissions to the practical on variational and adversarial autoencoders."""


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
        complain("error", f"{message} (python -m grader grade --help shows the options)")
        return USAGE
    except GraderUsageError as error:
        complain("error", str(error))
        return USAGE
    except GraderFault as error:
        complain("error", str(error))
        return FAULT
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED  # before any submission was marked
    except BrokenPipeError:  # whoever read the output has gone, `| head` for example
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAULT
    return int(status or 0)
