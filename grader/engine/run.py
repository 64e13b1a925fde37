"""A whole run: every result on the disk as soon as it is there, and a table of all marks at the end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from grader.engine.pool import Event, Finished, grade_cohort
from grader.engine.unmarked import Provenance, grader_fault
from grader.engine.worker import MarkerFactory
from grader.errors import GraderFault, GraderUsageError
from grader.marking.result import SubmissionResult
from grader.report.marks_csv import write_marks
from grader.report.results_json import write_result
from grader.submission import Found
from grader.submission.names import printable


def prepare_output(output: Path) -> None:
    """Create the folder of results, with the folders above it.

    Raises:
        GraderUsageError: it cannot be created or written to.
    """
    shown = f"--output {printable(str(output))}"
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise GraderUsageError(f"{shown}: there is a file of that name; give a folder") from error
    except OSError as error:
        raise GraderUsageError(
            f"{shown}: cannot write there: {error.strerror}; give another folder"
        ) from error


def grade_into(
    output: Path,
    submissions: Sequence[Found],
    marker_factory: MarkerFactory,
    provenance: Provenance,
    jobs: int = 1,
    on_event: Callable[[Event], None] = lambda event: None,
) -> list[SubmissionResult]:
    """Mark submissions and write `OUTPUT/<name>/results.json` for each, and `OUTPUT/marks.csv`.

    Interrupted, it leaves the results that are done, and a `marks.csv` of them.

    Raises:
        GraderFault: a result cannot be written.
        KeyboardInterrupt: by the user.
    """
    results: dict[str, SubmissionResult] = {}

    def write_and_tell(event: Event) -> None:
        if isinstance(event, Finished):
            event = Finished(_written(output, event.result, provenance))
            results[event.result.submission] = event.result
        on_event(event)

    try:
        grade_cohort(submissions, marker_factory, provenance, jobs, write_and_tell)
    finally:
        done = [results[found.name] for found in submissions if found.name in results]
        try:
            write_marks(output, done)
        except OSError as error:
            raise _unwritable(error, output) from error
    return done


def _written(output: Path, result: SubmissionResult, provenance: Provenance) -> SubmissionResult:
    """Write a result, or where it cannot be expressed, one that says so."""
    try:
        try:
            write_result(output, result)
        except ValueError as error:
            result = grader_fault(result.submission, f"its result is not valid: {error}", provenance)
            write_result(output, result)
    except OSError as error:
        raise _unwritable(error, output / result.submission) from error
    return result


def _unwritable(error: OSError, path: Path) -> GraderFault:
    place = os.fsdecode(error.filename) if error.filename else str(path)
    return GraderFault(f"{printable(place)}: cannot write results: {error.strerror or error}")
