"""A whole run: every result on the disk as soon as it is there, and a table of all marks at the end.

A run that was cut short at any moment, by Ctrl-C or by SIGKILL, is gone on with by the same command.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from grader.engine.pool import Event, Finished, grade_cohort
from grader.engine.reuse import EarlierResults
from grader.engine.slots import Workers
from grader.engine.unmarked import Provenance, grader_fault
from grader.engine.worker import Marked, MarkerFactory
from grader.errors import GraderFault, GraderUsageError
from grader.files import write_atomically
from grader.marking.result import SubmissionResult
from grader.report.decisions import carried_over
from grader.report.results_json import FILE_NAME, write_result
from grader.submission import NAMED_FILES, Found
from grader.text import printable


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
    fresh: bool = False,
    workers: Workers | None = None,
    any_seed: bool = False,
) -> list[SubmissionResult]:
    """Mark submissions and write `OUTPUT/<name>/results.json` for each, and `OUTPUT/marks.csv`.

    `marks.csv` has a row for every result in the folder, also for those of earlier runs: one student can be
    marked again without touching the others.

    What an earlier run has found under the same conditions is not marked again. Those that took longest the
    last time come first, so that none of them is left to one worker while the others are done. Interrupted,
    it leaves the results that are done, and a `marks.csv` of them.

    Args:
        output: see `prepare_output`.
        submissions: what to mark; names are distinct.
        marker_factory: makes a worker process's marker; has to be picklable.
        provenance: what every result says about the run.
        jobs: how many processes.
        on_event: told of every submission that starts and of every result that is on the disk.
        fresh: mark all anew.
        workers: where to mark, instead of in processes here.
        any_seed: keep what an earlier run has found with another seed, where it still holds.

    Raises:
        GraderUsageError: another run is writing into the same folder.
        GraderFault: a result cannot be written, or a cluster is lost.
        KeyboardInterrupt: by the user.
    """
    results: dict[str, SubmissionResult] = {}
    with _writing(output):
        kept = EarlierResults(output, provenance)
    with kept.locked():
        with _writing(output):
            kept.clean(found.name for found in submissions)
            strict = kept.outstanding()
            kept.begin((found.name for found in submissions), anew=fresh)
        reusable = [] if fresh else [(found, any_seed and found.name not in strict) for found in submissions]
        try:
            _reuse(reusable, on_event, kept, results)
            todo = [found for found in submissions if found.name not in results]
            _grade(todo, marker_factory, jobs, on_event, workers, kept, results)
        finally:
            done = [results[found.name] for found in submissions if found.name in results]
            with _writing(output):
                _write_marks(output, done)
        with _writing(output):
            kept.end(result.submission for result in done if result.marked)
    return done


def _write_marks(output: Path, done: Sequence[SubmissionResult]) -> None:
    # Workers import this module too, and need nothing that draws.
    from grader.report.whole_folder import write_all_marks

    write_all_marks(output, done)


def _reuse(
    submissions: Sequence[tuple[Found, bool]],
    on_event: Callable[[Event], None],
    kept: EarlierResults,
    results: dict[str, SubmissionResult],
) -> None:
    """Take over results of earlier runs that still hold; of each submission whether the seed may differ."""
    for found, any_seed in submissions:
        result = kept.result(found, any_seed)
        if result is not None:
            results[found.name] = result
            on_event(Finished(result, reused=True))


def _grade(
    todo: Sequence[Found],
    marker_factory: MarkerFactory,
    jobs: int,
    on_event: Callable[[Event], None],
    workers: Workers | None,
    kept: EarlierResults,
    results: dict[str, SubmissionResult],
) -> None:
    def tell(event: Event) -> None:
        if isinstance(event, Finished):
            event = Finished(results[event.result.submission])
        on_event(event)

    places = {found.name: _place(found) for found in todo}

    def write(marked: Marked) -> None:
        results[marked.result.submission] = _write(kept, marked, places.get(marked.result.submission, ""))

    grade_cohort(longest_first(todo, kept), marker_factory, kept.provenance, jobs, tell, workers, write)


def longest_first(submissions: Sequence[Found], kept: EarlierResults) -> list[Found]:
    """Those first whose time is unknown, from the largest on, then the others from the longest on.

    What is a stub still is short and costs next to nothing; what is complete has to be trained.
    """
    known = {found.name: kept.seconds(found.name) for found in submissions}

    def place(found: Found) -> tuple[bool, float]:
        seconds = known[found.name]
        return (False, -_size(found)) if seconds is None else (True, -seconds)

    return sorted(submissions, key=place)


def _size(found: Found) -> int:
    """The bytes that were handed in: of the files that students write, or of the archive. Reads nothing."""
    paths = [found.path]
    if found.loose:
        paths = [path for _, path in found.loose]
    elif found.path.is_dir():
        paths = [found.path / name for name in NAMED_FILES]
    size = 0
    for path in paths:
        with suppress(OSError):
            size += path.lstat().st_size
    return size


def _place(found: Found) -> str:
    """Where a hand-in lies, as text: what a person has to give to find it again."""
    path = found.loose[0][1].parent if found.loose else found.path
    return os.path.abspath(path).encode("utf-8", "replace").decode()


def _write(kept: EarlierResults, marked: Marked, place: str) -> SubmissionResult:
    """Write all that belongs to a result: itself, its pictures, and last the note that it is complete.

    The pictures of an earlier run go first: they must not be taken for this one's, whenever it is cut short.

    Returns:
        The result that was written: one that cannot be expressed becomes one that says so.
    """
    # Workers import this module too, and need nothing that draws.
    from grader.report.figures import replace_figures
    from grader.report.pictures import remove_pictures

    result = marked.result
    folder = kept.output / result.submission
    with _writing(folder):
        result = carried_over(folder, replace(result, memory_mb=marked.memory_mb))
        if folder.is_dir() and not folder.is_symlink():
            remove_pictures(folder)
            replace_figures(folder, {})
        try:
            write_result(kept.output, result)
        except ValueError as error:
            fault = grader_fault(result.submission, f"its result is not valid: {error}", kept.provenance)
            result = carried_over(folder, fault)
            write_result(kept.output, result)
        replace_figures(folder, marked.figures)
        for name, content in marked.files.items():
            assert name == Path(name).name != FILE_NAME, name
            write_atomically(folder / name, content)
        if result.marked:
            kept.keep(result.submission, marked.fingerprint, result.seconds, place)
    return result


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Tell an output that cannot be written to from every other failure."""
    try:
        yield
    except OSError as error:
        raise _unwritable(error, path) from error


def _unwritable(error: OSError, path: Path) -> GraderFault:
    place = os.fsdecode(error.filename) if error.filename else str(path)
    return GraderFault(f"{printable(place)}: cannot write results: {error.strerror or error}")
