"""Evidence of training scripts of one's own: checkpoints and event files, which are read in the box."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from grader.box.client import Session
from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.evidence.networks import Place
from grader.evidence.weights import Refused, Weights, checked

CHECKPOINT = ".ckpt"
EVENTS = "events.out.tfevents."
MOST_EPOCHS = 2000
FOLDER = "_evidence"  # a leading underscore: none of the student's
READER = Path(__file__).with_name("read_in_box.py")
_EPOCH = re.compile(r"epoch[=_](\d{1,4})\b")


def name_of(file: str, last: int) -> str | None:
    """Which weights a checkpoint is of, as evidence calls them; None where its name does not say.

    Lightning counts epochs from zero: `epoch=79-step=33760.ckpt` is what 80 epochs have come to.

    Args:
        file: its name.
        last: the epoch after which the training ends.
    """
    stem, _, suffix = file.rpartition(".")
    if f".{suffix}" != CHECKPOINT:
        return None
    if stem in ("final", "last", "checkpoint"):
        return "final"
    if stem in ("tested", "best"):
        return "tested"
    found = _EPOCH.search(stem)
    if found is None:
        return None
    epoch = int(found[1]) + ("epoch=" in stem)
    return "final" if epoch == last else f"epoch_{epoch:03d}"


def checkpoint(content: bytes, place: Place) -> Weights:
    """The weights in a checkpoint.

    Raises:
        Refused: there are none that can be read without running code.
    """
    with _reader(place, content) as reader:
        try:
            found = reader.weights("given")
        except StudentError as error:
            raise Refused("it cannot be read as weights only") from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in found.items()
    ):
        raise Refused("it holds no weights")
    return checked(found)


def curves(content: bytes, place: Place) -> dict[int, dict[str, float]]:
    """The table of metrics in an event file, by epoch: every point of it counts, not a sample.

    Where the file does not say which epoch a step belongs to, as Lightning's do, steps are taken for epochs.

    Raises:
        Refused: it cannot be read.
    """
    with _reader(place, content) as reader:
        try:
            found = reader.scalars("given")
        except StudentError as error:
            raise Refused("it cannot be read as an event file") from error
    if not isinstance(found, dict):
        raise Refused("it cannot be read as an event file")
    epochs = dict(_points(found.get("epoch")))
    rows: dict[int, dict[str, float]] = {}
    for tag, points in found.items():
        for step, value in _points(points):
            epoch = epochs.get(step) if epochs else step
            if isinstance(tag, str) and tag != "epoch" and epoch is not None and 0 <= epoch <= MOST_EPOCHS:
                row = rows.setdefault(int(epoch), {"epoch": float(int(epoch))})
                row[tag.rsplit("/", 1)[-1]] = value
    return rows


def _points(points: object) -> Iterator[tuple[float, float]]:
    if isinstance(points, torch.Tensor) and points.dim() == 2 and points.shape[1] == 2:
        for step, value in points.double().tolist():
            if math.isfinite(step) and math.isfinite(value):
                yield step, value


@contextmanager
def _reader(place: Place, content: bytes) -> Iterator[Remote]:
    """A session with a file and what reads it, and none of the student's code."""
    session = Session(place.box(), place.budget)
    try:
        session.files({f"{FOLDER}/{READER.name}": READER.read_bytes(), f"{FOLDER}/given": content})
        session.enter(FOLDER)
        yield session.load(READER.stem, "the file")
    except StudentError as error:
        raise Refused("it takes more time or memory than weights do") from error
    finally:
        session.close()
