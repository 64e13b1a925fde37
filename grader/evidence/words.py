"""The facts in words: a line for those who mark, a plainer one for students."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.evidence.facts import Claim, Evidence, Kind, Reason, Run, Verdict
from grader.evidence.trainings import BPD, Training, trainings

NONE = "no evidence handed in"
NOT_LOOKED = "MNIST is not at hand, so nothing could be checked"
WHY = {
    Reason.TOO_CLOSE: "too close to tell",
    Reason.NO_WEIGHTS: "no weights were handed in for it",
    Reason.REFUSED: "the file of weights cannot be read",
    Reason.MISFIT: "the weights do not fit the networks that were handed in",
    Reason.CODE: "the networks that were handed in cannot be run",
    Reason.NOT_USED: "the networks come to the same whatever their weights are",
    Reason.BY_HEART: "the networks fail on images that differ a little from MNIST's",
    Reason.SAME: "the weights of an earlier epoch are the same as the last ones",
    Reason.NOT_FULL: "a full training of the recommended networks ends lower",
    Reason.NO_IMAGES: NOT_LOOKED,
}
TRAITS = {
    Reason.INK: "share of white",
    Reason.LEVELS: "share of grey pixels",
    Reason.TONE: "share of dark greys among its grey pixels",
    Reason.SHARPNESS: "sharpness of edges",
    Reason.LOSS: "loss under the model itself",
}


@dataclass(frozen=True)
class Line:
    """What is said of a claim, or of a training.

    Attributes:
        verdict: for a colour.
        text: in words, without the verdict.
    """

    verdict: Verdict
    text: str


def title(run: Run) -> str:
    """A training in words."""
    training = _training(run)
    if training is None:
        return run.run
    if training.lambda_ is None:
        return f"VAE, z_dim {training.z_dim}"
    return f"AAE, z_dim {training.z_dim}, lambda {training.lambda_:g}"


def lines_of(run: Run) -> Iterator[Line]:
    """A line for each claim of a training, then one on those who have the same weights."""
    for claim in run.claims:
        yield Line(claim.verdict, _in_words(claim, _training(run)))
    if run.same_as:
        yield Line(Verdict.NOT_CHECKABLE if run.copied else Verdict.SUPPORTED, _shared(run))


def in_short(run: Run) -> Line:
    """The training in one line: its score or what stands in its way, and what is wrong with the rest."""
    verdict = overall(run)
    if run.absent:
        return Line(verdict, NONE)
    parts = [
        _in_words(claim, _training(run))
        for claim in run.claims
        if claim.kind in (Kind.END, Kind.SCORE) or claim.verdict is Verdict.CONTRADICTED
    ]
    parts += [_shared(run)] if run.same_as else []
    return Line(verdict, "; ".join(dict.fromkeys(parts)))


def for_item(evidence: Evidence, item: str) -> list[tuple[str, Line]]:
    """For those who mark an item: each of its trainings in words, and its line."""
    return [(title(run), in_short(run)) for run in evidence.runs if item in run.items]


def overall(run: Run) -> Verdict:
    """One verdict on a training: contradicted where any claim is, supported where its score or end is."""
    verdicts = {claim.verdict for claim in run.claims}
    if Verdict.CONTRADICTED in verdicts:
        return Verdict.CONTRADICTED
    if run.absent:
        return Verdict.ABSENT
    values = {claim.verdict for claim in run.claims if claim.kind in (Kind.END, Kind.SCORE)}
    return Verdict.SUPPORTED if values and values <= {Verdict.SUPPORTED} else Verdict.NOT_CHECKABLE


def for_student(run: Run) -> str:
    """A sentence for the student: what was found, and never a suspicion."""
    if run.absent:
        return "No evidence was handed in. That costs nothing."
    supported = [claim for claim in run.claims if claim.verdict is Verdict.SUPPORTED]
    differing = [claim for claim in run.claims if claim.verdict is Verdict.CONTRADICTED]
    parts = [f"{_name(claim, _training(run))} fits your weights" for claim in supported if _is_value(claim)]
    parts += [f"{_in_words(claim, _training(run))}: these do not fit together" for claim in differing]
    open_ones = sum(claim.verdict is Verdict.NOT_CHECKABLE for claim in run.claims)
    if open_ones:
        claims = "1 claim" if open_ones == 1 else f"{open_ones} claims"
        parts.append(f"{open_ones} more could not be checked" if parts else f"{claims} could not be checked")
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _training(run: Run) -> Training | None:
    return next((one for one in trainings() if one.run == run.run), None)


def _is_value(claim: Claim) -> bool:
    return claim.kind in (Kind.START, Kind.EPOCH, Kind.END, Kind.SCORE, Kind.GRID)


def _name(claim: Claim, training: Training | None) -> str:
    bits = training is not None and training.measure == BPD
    names = {
        Kind.Z_DIM: "z_dim",
        Kind.LAMBDA: "lambda",
        Kind.EPOCHS: "the number of epochs",
        Kind.START: "the start of the curve",
        Kind.EPOCH: f"the curve at epoch {claim.epoch}",
        Kind.END: "the end of the curve",
        Kind.SCORE: "the test score" if bits else "the reconstruction loss",
        Kind.REFERENCE: "the score that the assignment names",
        Kind.GRID: "the grid of your figure",
    }
    return names[claim.kind]


def _in_words(claim: Claim, training: Training | None) -> str:
    if claim.reason is Reason.NOT_TOLD and claim.claimed is None and claim.measured is None:
        return NONE if claim.kind is Kind.SCORE else f"{_name(claim, training)}: not handed in"
    if claim.kind is Kind.Z_DIM:
        return f"z_dim {_digits(claim.claimed)}, and the weights have {_digits(claim.measured)}"
    if claim.kind is Kind.LAMBDA:
        away = f"{_digits(claim.measured)} nats per dimension from the prior"
        return f"lambda {_digits(claim.claimed)}, and the codes are {away}"
    if claim.kind is Kind.EPOCHS:
        asked = training.epochs if training is not None else 0
        text = f"a table of {_digits(claim.claimed)} epochs, {asked} are asked for"
        return f"{text} ({WHY[claim.reason]})" if claim.reason in WHY else text
    if claim.kind is Kind.GRID:
        return _of_the_figure(claim)
    if claim.measured is None:
        return WHY.get(claim.reason, str(claim.reason))
    text = f"{_name(claim, training)} {_digits(claim.claimed)}, measured {_digits(claim.measured)}"
    if claim.low is not None and claim.high is not None:
        text += f" ({_digits(claim.low)} to {_digits(claim.high)})"
    return f"{text}: {WHY[claim.reason]}" if claim.reason in WHY else text


def _of_the_figure(claim: Claim) -> str:
    """How the figure's images differ most from what the weights draw."""
    if claim.reason is Reason.UNREADABLE:
        return "the figure has no grid whose pixels can be read"
    values = f"{_digits(claim.claimed)}, drawn with the weights {_digits(claim.measured)}"
    ends = f" ({_digits(claim.low)} to {_digits(claim.high)})" if claim.low is not None else ""
    return f"the figure's images: {TRAITS[claim.reason]} {values}{ends}"


def _shared(run: Run) -> str:
    names = ", ".join(run.same_as)
    if run.copied:
        return f"the same weights, and the same times, as {names}: one folder is a copy of the other"
    if any(claim.reason is Reason.SHARED for claim in run.claims):
        return f"the same weights as {names}, with another seed or another table"
    return f"the same weights as {names}: seed and table are the same, and like machines come to the same"


def _digits(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
