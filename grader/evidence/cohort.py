"""The evidence of many submissions, one after the other, into a folder of results."""

from __future__ import annotations

import contextlib
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.box.errors import BoxError
from grader.box.launcher import Box
from grader.box.unprotected import UnprotectedBox
from grader.errors import GraderFault
from grader.evidence.examine import examine
from grader.evidence.facts import Evidence, Verdict, drawing_of, write_evidence
from grader.evidence.images import image_sets
from grader.evidence.same_weights import with_same_weights
from grader.evidence.trainings import trainings
from grader.evidence.words import NONE
from grader.files import read_regular, write_atomically
from grader.submission import EVIDENCE, FIGURES, Found, read_found
from grader.text import listed, printable

RESULT = "results.json"
MOST_FIGURE = 3_000_000  # bytes


@dataclass(frozen=True)
class Examined:
    """A submission whose evidence was examined.

    Attributes:
        name: the submission's.
        in_short: what was found, in a few words.
    """

    name: str
    in_short: str


@dataclass(frozen=True)
class Summary:
    """What came of all of them.

    Attributes:
        with_evidence: how many have handed in any.
        same_weights: a line for each who has the same weights as somebody else.
        images: whether MNIST was at hand.
        graded: whether there are results in the folder, whose pages can show it.
    """

    with_evidence: int
    same_weights: tuple[str, ...]
    images: bool
    graded: bool


class _WarmBox:
    """A box, and a new one where it breaks down."""

    def __init__(self, sandbox: bool) -> None:
        self._kind = Box if sandbox else UnprotectedBox
        self._box: Box | None = None

    def __call__(self) -> Box:
        if self._box is not None and not self._box.alive():
            self.close()
        if self._box is None:
            self._box = self._kind()
        return self._box

    def close(self) -> None:
        if self._box is not None:
            self._box.close()
            self._box = None


def examine_cohort(
    submissions: Sequence[Found],
    output: Path,
    seed: int | None,
    sandbox: bool,
    tell: Callable[[Examined], None],
) -> Summary:
    """Examine the evidence of submissions: `<output>/<name>/evidence.json` for each.

    Args:
        submissions: as found.
        output: the folder of results.
        seed: of the judge; a new one where it is None.
        sandbox: whether networks run in a box.
        tell: is called for each submission.

    Raises:
        GraderFault: the box does not start, or nothing can be written.
    """
    import torch  # not at once: it takes a second

    torch.set_num_threads(1)
    seed = secrets.randbits(48) if seed is None else seed
    box = _WarmBox(sandbox)
    cohort: dict[str, Evidence] = {}
    drawings: dict[str, Mapping[str, bytes]] = {}
    try:
        for found in submissions:
            submission = read_found(found, shown=EVIDENCE)
            images = image_sets() if submission.shown else None
            found_out = examine(submission, box, images, seed, _figures(output / submission.name))
            cohort[submission.name] = found_out.evidence
            drawings[submission.name] = found_out.drawings
            tell(Examined(submission.name, _in_short(found_out.evidence)))
        cohort = with_same_weights(cohort)
        for name, one in cohort.items():
            folder = output / name
            if folder.is_symlink():
                raise NotADirectoryError(20, "it is a link, and nothing is written through one", str(folder))
            folder.mkdir(exist_ok=True)
            write_evidence(folder, one)
            for training in trainings():
                path = folder / drawing_of(training.run)
                drawing = drawings[name].get(training.run)
                if drawing is not None:
                    write_atomically(path, drawing)
                else:
                    path.unlink(missing_ok=True)  # of other weights
    except BoxError as error:
        raise GraderFault(str(error)) from error
    except OSError as error:
        raise GraderFault(
            f"{printable(str(error.filename or output))}: cannot be written: {error.strerror or error}"
        ) from error
    finally:
        box.close()
    with_any = [one for one in cohort.values() if not one.absent]
    return Summary(
        len(with_any),
        tuple(_same_weights(cohort)),
        not with_any or image_sets() is not None,
        any((output / name / RESULT).is_file() for name in cohort),
    )


def _figures(folder: Path) -> dict[str, bytes]:
    """The figures of the trainings that lie beside a submission's results, drawn anew when it was graded."""
    found = {}
    for name in {training.figure for training in trainings()} - {""}:
        for suffix in (".png", ".jpg"):  # of the second no grid can be read, and that is said
            path = folder / FIGURES.folder / f"{name}{suffix}"
            if path.is_file() and not path.parent.is_symlink():
                with contextlib.suppress(OSError):  # a link, or larger than what the grader writes
                    found[name] = read_regular(path, MOST_FIGURE)
    return found


def _in_short(evidence: Evidence) -> str:
    if evidence.absent:
        return NONE
    counts = Counter(claim.verdict for run in evidence.runs for claim in run.claims)
    present = sum(not run.absent for run in evidence.runs)
    verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    return f"{present} of {len(evidence.runs)} trainings: {verdicts}"


def _same_weights(cohort: dict[str, Evidence]) -> list[str]:
    lines = []
    for name, evidence in cohort.items():
        for run in evidence.runs:
            if run.same_as:
                how = "a copy of" if run.copied else "the same weights as"
                lines.append(f"{printable(name)}, {run.run}: {how} {listed(run.same_as)}")
    return lines
