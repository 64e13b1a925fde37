"""A marker that has proved itself: made anew in every worker process, on whatever machine that is.

A worker that holds other suites, images or libraries than the run would give other marks, and one whose box
leaks would let students' code out. Such a worker refuses work.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from grader.box.errors import BoxError
from grader.engine.cpus import cpus_before
from grader.engine.reuse import environment_digest
from grader.engine.unmarked import Provenance
from grader.engine.worker import Drawn
from grader.machine.refusals import explained
from grader.machine.trial import try_box
from grader.marking.marker import Marker, MarkingOptions, suite_digest
from grader.marking.result import PictureDifference, SubmissionResult

if TYPE_CHECKING:
    from grader.box.client import Channels
    from grader.submission import Submission

FORKS = 64  # what the fork bomb stops at by itself where nothing else stops it
SECRET = b"a line that no code in the box may see"

# What a student's code might try. It runs in a session like any other code.
CANARY = b"""
import os, socket, time

def read(path):
    try:
        with open(path, "rb") as file:
            return len(file.read(100))
    except OSError:
        return 0

def connect(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return 1
    except OSError:
        return 0

def fork(limit):
    children = 0
    for _ in range(limit):
        try:
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
        except OSError:
            break
        children += 1
    return children
"""


class BoxLeaks(Exception):
    """The box does not hold what it has to hold back."""


class DrawingMarker(Marker):
    """A marker that draws what students' models make."""

    def pictures(self, submission: Submission, result: SubmissionResult) -> Drawn:
        """What the models of the submission that was marked last have made, drawn.

        Its manifold is another one than the checks saw: see `common_view`.
        """
        # Not at once: numpy and PIL take 0.1 s, and the suites load torch.
        from grader.engine.common_view import view
        from grader.report.expected_manifold import ITEM, KIND
        from grader.report.pictures import Picture, draw, file_name, from_originals

        pictures = [Picture(one.item, one.kind, one.values.numpy()) for one in self.shown if one.item != ITEM]
        self.shown = []
        differences = [
            PictureDifference(one.item, one.kind, from_originals(one.values))
            for one in pictures
            if one.kind == "reconstructions"
        ]
        seen = view(submission.files, result, self.box)
        if seen is not None:
            differences.append(PictureDifference(ITEM, KIND, seen.difference))
            if seen.tiles is not None:
                pictures.append(Picture(ITEM, KIND, seen.tiles.numpy()))
        drawn = {file_name(one.item, one.kind): draw(one) for one in pictures}
        return Drawn({name: made for name, made in drawn.items() if made is not None}, tuple(differences))


def guarded_marker(options: MarkingOptions, provenance: Provenance) -> DrawingMarker:
    """A marker on a machine that gives the run's marks, with a box that holds.

    Raises:
        RuntimeError: suites, images or libraries differ from the run's.
        BoxLeaks: a canary got out.
    """
    if suite_digest() != provenance.suite:
        raise RuntimeError(
            "the suites here are not those that the run began with: another version of the grader, or files "
            "that have changed since"
        )
    if environment_digest(options.data) != provenance.environment:
        raise RuntimeError(
            f"this worker has another Python or other libraries, or other images for --data {options.data}"
        )
    marker = DrawingMarker(options, start_on=cpus_before())
    try:
        _start(marker)
        if options.sandbox:
            check_box(marker.box())
    except BaseException:
        marker.close()
        raise
    return marker


def _start(marker: Marker) -> None:
    """Start a marker; where its box does not start, say why this machine lets none be made."""
    try:
        marker.start()
    except BoxError as error:
        refused = try_box() if marker.options.sandbox else None
        if refused is None:
            raise
        raise BoxError(explained(refused)) from error


def check_box(box: Channels) -> None:
    """Let canaries try to get out of a box.

    Raises:
        BoxLeaks: one did.
    """
    from grader.box.client import Session  # not at once: torch takes 1.5 s, and only workers need it

    session = Session(box)
    try:
        session.files({"part1/canary.py": CANARY})
        session.enter("part1")
        canary = session.load("canary")
        leaks = [what for what, escapes in _TRIALS.items() if escapes(canary)]
    finally:
        session.close()
    if leaks:
        raise BoxLeaks(f"the box does not hold: code in it can {', '.join(leaks)}")


def _reads(canary: Callable[..., int]) -> bool:
    """A file that everybody may read, and one of the suites."""
    with tempfile.TemporaryDirectory(prefix="grader-canary-") as folder:
        os.chmod(folder, 0o755)
        secret = Path(folder, "secret")
        secret.write_bytes(SECRET)
        suite = next(Path(__file__).parent.parent.joinpath("suites").glob("part*/test_*.py"))
        return any(canary.read(str(path)) for path in (secret, suite))  # type: ignore[attr-defined]


def _connects(canary: Callable[..., int]) -> bool:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return bool(canary.connect(server.getsockname()[1]))  # type: ignore[attr-defined]


def _forks(canary: Callable[..., int]) -> bool:
    return int(canary.fork(FORKS)) >= FORKS  # type: ignore[attr-defined]


_TRIALS = {
    "read files outside it": _reads,
    "reach the network": _connects,
    "start processes without limit": _forks,
}
