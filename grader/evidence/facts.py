"""What was found out about the claims of a submission's trainings: data, no sentences."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from grader.files import read_regular, write_atomically

FILE_NAME = "evidence.json"
SCHEMA = 1
MOST_BYTES = 2**20


class Verdict(StrEnum):
    """What the evidence says of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_CHECKABLE = "not checkable"
    ABSENT = "absent"


class Kind(StrEnum):
    """What is claimed."""

    Z_DIM = "z_dim"
    LAMBDA = "lambda"
    EPOCHS = "epochs"
    START = "start of the curve"
    EPOCH = "an epoch of the curve"
    END = "end of the curve"
    SCORE = "score"
    REFERENCE = "reference"
    GRID = "grid of a figure"


class Reason(StrEnum):
    """Why a verdict is what it is."""

    WITHIN = "the claimed value is within what was measured"
    BEYOND = "the claimed value is far from what was measured"
    TOO_CLOSE = "the difference is too small to tell"
    NOT_TOLD = "no value was handed in"
    NO_WEIGHTS = "no weights were handed in"
    REFUSED = "the weights cannot be read"
    MISFIT = "the weights do not fit the networks"
    OTHER_SIZE = "the weights fit networks with another number of latent dimensions"
    CODE = "the networks cannot be run"
    NOT_USED = "the outcome does not depend on the weights"
    BY_HEART = "images that are new to it are not treated like the test images"
    SAME = "the weights are those of another epoch"
    FEWER = "the table has fewer epochs"
    NOT_FULL = "a full training of the recommended networks ends lower"
    FULL = "table, weights and score are those of a full training"
    CODES = "how far the codes are from the prior"
    SHARED = "another submission has these weights"
    NO_IMAGES = "MNIST is not at hand"
    INK = "how much ink the images of the figure have"
    LEVELS = "how many pixels of the figure's images are grey"
    TONE = "how dark the grey pixels of the figure are"
    SHARPNESS = "how sharp the edges in the figure are"
    LOSS = "how well the networks themselves encode the images of the figure"
    UNREADABLE = "the figure has no grid whose pixels can be read"


@dataclass(frozen=True)
class Claim:
    """One claim, and what the evidence says of it.

    Attributes:
        kind: what is claimed.
        verdict: what the evidence says.
        reason: why.
        epoch: which epoch it is about; None for the training as a whole.
        claimed: the value that was handed in, or that the question asks for; None where there is none.
        measured: the value that the grader has measured; None where it has measured none.
        low: the lower end of its 95% interval.
        high: the upper end.
    """

    kind: Kind
    verdict: Verdict
    reason: Reason
    epoch: int | None = None
    claimed: float | None = None
    measured: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Run:
    """What was found out about one training.

    Attributes:
        run: its name.
        items: those that a person marks by it.
        claims: in the order in which they are listed.
        problems: a line for each file of it that was not read, with the reason.
        seed: what its options say.
        prints: of the weights, by file: to find the same ones elsewhere.
        times: digest of how long each epoch took, as its table says; empty where it says nothing.
        same_as: submissions with the same weights.
        copied: whether one of them has the same times as well.
    """

    run: str
    items: tuple[str, ...]
    claims: tuple[Claim, ...] = ()
    problems: tuple[str, ...] = ()
    seed: int | None = None
    prints: Mapping[str, tuple[float, ...]] | None = None
    times: str = ""
    same_as: tuple[str, ...] = ()
    copied: bool = False

    @property
    def absent(self) -> bool:
        """Whether nothing of it was handed in."""
        return all(claim.verdict is Verdict.ABSENT for claim in self.claims)


@dataclass(frozen=True)
class Evidence:
    """What was found out about the trainings of a submission.

    Attributes:
        runs: of the trainings that the questions ask for.
        warnings: what was not read of the folder, one line each.
        images: whether MNIST was at hand.
    """

    runs: tuple[Run, ...]
    warnings: tuple[str, ...] = ()
    images: bool = True

    @property
    def absent(self) -> bool:
        """Whether no evidence was handed in."""
        return all(run.absent for run in self.runs)


def drawing_of(run: str) -> str:
    """The file of what a training's model draws, in the submission's folder of results."""
    return f"evidence-{run}.png"


def to_json(evidence: Evidence) -> bytes:
    """As it is kept beside the results."""
    return json.dumps({"schema": SCHEMA, **asdict(evidence)}, indent=1, allow_nan=False).encode() + b"\n"


def from_json(content: bytes) -> Evidence:
    """The inverse of `to_json`.

    Raises:
        ValueError: it is not what `to_json` writes.
    """
    try:
        table = json.loads(content)
        if table["schema"] != SCHEMA:
            raise ValueError(f"its schema is {table['schema']!r}, not {SCHEMA}; check the evidence again")
        runs = tuple(_run(one) for one in table["runs"])
        return Evidence(runs, tuple(map(str, table["warnings"])), bool(table["images"]))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is not what the grader writes; check the evidence again") from error


def _run(table: Mapping[str, Any]) -> Run:
    claims = tuple(
        Claim(
            Kind(one["kind"]),
            Verdict(one["verdict"]),
            Reason(one["reason"]),
            one["epoch"],
            *(_number(one[name]) for name in ("claimed", "measured", "low", "high")),
        )
        for one in table["claims"]
    )
    prints = table["prints"]
    run = Run(str(table["run"]), tuple(map(str, table["items"])), claims, tuple(map(str, table["problems"])))
    return replace(
        run,
        seed=table["seed"],
        prints=None if prints is None else {name: tuple(map(float, one)) for name, one in prints.items()},
        times=str(table["times"]),
        same_as=tuple(map(str, table["same_as"])),
        copied=bool(table["copied"]),
    )


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("a number in it is not finite")
    return number


def write_evidence(folder: Path, evidence: Evidence) -> None:
    """Write it into a submission's folder of results.

    Raises:
        OSError: it cannot be written.
    """
    write_atomically(folder / FILE_NAME, to_json(evidence))


def read_evidence(folder: Path) -> Evidence | None:
    """What was found out about a submission; None where nobody has looked.

    Raises:
        ValueError: the file is damaged.
        OSError: it cannot be read.
    """
    path = folder / FILE_NAME
    if path.is_symlink() or not path.is_file():
        return None
    return from_json(read_regular(path, MOST_BYTES))
