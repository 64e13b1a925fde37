"""A verdict for each claim of one training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch

from grader.evidence.estimate import Estimate, compare
from grader.evidence.facts import Claim, Kind, Reason, Verdict
from grader.evidence.images import Images, bent
from grader.evidence.likeness import likeness
from grader.evidence.measure import Measurement, divergence_from_prior, misses, outcome
from grader.evidence.networks import Networks, StudentError, Unusable
from grader.evidence.records import Records
from grader.evidence.tiles import last_grid
from grader.evidence.trainings import Training
from grader.evidence.weights import Weights

# Images; more of them only where fewer do not decide. Those of part 2 are cheap, and differ more.
STAGES = {"part1": (400, 2000), "part2": (500, 3000)}
FIRST_OF_EPOCHS = {"part1": 200, "part2": 200}  # the epochs before the last are most of all weights
# Shares of the measured value by which a claim may differ: what supports it, and from where on it is refuted.
BITS = (0.02, 0.045)
ERRORS = (0.05, 0.1)
RUNNING = (0.06, 0.15)  # of a mean over an epoch in which the weights go on changing
# What other devices, precisions and libraries make of the same weights, as a share of the measured value.
ELSEWHERE = 0.003
MOST_CHANGE = 0.2  # of the measured value: a curve that falls faster supports no more than that
# Bits per dimension of networks that nobody has trained: 4 and more, by how much depends on their weights.
START, LEARNT = 0.3, 3.2
FEW = 40  # images, of which a glance is enough
# New images cost a network more than the test images: bent ones of MNIST, a third. A table has none of them.
UNLIKE = 2.5
UNLIKE_BY = {"part1": 0.3, "part2": 0.05}
UNMOVED = 1.1  # other weights that change the loss by less have no say
REACHED = 1.03  # of a reference
# Nats per dimension by which codes are from the prior: the discriminator holds them within the first; with
# lambda = 1 nothing does, and they end beyond the second.
HELD, LOOSE = 0.45, 0.65
FINAL, TESTED = "final", "tested"


def epoch_name(epoch: int) -> str:
    """What the weights of an epoch are called."""
    return f"epoch_{epoch:03d}"


class Judge:
    """Judges the claims of one training.

    Args:
        training: the training.
        records: what its tables and options say.
        weights: by name; `final` among them.
        networks: to load them into.
        images: the sets of MNIST.
        draws: of images and codes.
        figure: a PNG with the grid of what the model draws; None where none was handed in.

    Raises (all methods):
        Misfit: weights do not fit the networks.
        Unusable: what the networks return is no answer.
        StudentError: the code fails.
    """

    def __init__(
        self,
        training: Training,
        records: Records,
        weights: Mapping[str, Weights],
        networks: Networks,
        images: Mapping[str, Images],
        draws: torch.Generator,
        figure: bytes | None = None,
    ) -> None:
        self._figure = figure
        self._training = training
        self._records = records
        self._weights = weights
        self._networks = networks
        self._images = images
        self._draws = draws
        self._measurements: dict[tuple[str, str], Measurement] = {}
        self._stages = STAGES[training.part]
        self._part1 = training.part == "part1"
        self._curve = "val_bpd" if self._part1 else "recon_loss"
        self._curve_set = "validation" if self._part1 else "training"
        self._score_set = "test" if self._part1 else "training"

    def claims(self) -> Iterator[Claim]:
        """A verdict for each claim."""
        start = self._start()  # before any weights are loaded
        measured = list(self._measured())
        doubt = self._doubt()
        every = [self._z_dim(), *self._lambda(), *start, *measured, *self._grid()]
        every.insert(1, self._epochs(measured, doubt))
        for claim in every:
            good = claim.verdict is Verdict.SUPPORTED
            yield replace(claim, verdict=Verdict.NOT_CHECKABLE, reason=doubt) if doubt and good else claim

    # -- whether these are networks that have learnt from images ---------------------------------

    def _doubt(self) -> Reason | None:
        """Why nothing that comes out of these networks supports anything; None where nothing is wrong."""
        for (name, _), measurement in self._measurements.items():
            self._networks.load(self._weights[name])
            if self._by_heart(measurement):
                return Reason.BY_HEART
            if name in (FINAL, TESTED) and self._unused(self._weights[name], measurement):
                return Reason.NOT_USED
        return None

    def _by_heart(self, measurement: Measurement) -> bool:
        """Whether images that nobody has seen are treated in another way than those that were measured."""
        plain = float(measurement.outcome(FEW).losses[:FEW].mean())
        found = outcome(self._networks, bent(measurement.pixels(0, FEW), self._draws), self._draws)
        return float(found.losses.mean()) > UNLIKE * plain + UNLIKE_BY[self._training.part]

    def _unused(self, weights: Weights, measurement: Measurement) -> bool:
        """Whether the decoder comes to the same with its weights in another order."""
        known = measurement.outcome(FEW)
        self._networks.load({**weights, "decoder": self._shuffled(weights["decoder"])})
        try:
            found = misses(self._networks, known.sent[:FEW], measurement.pixels(0, FEW))
        except Unusable:
            return False
        return float(found.mean()) < UNMOVED * float(known.losses[:FEW].mean())

    def _some(self, name: str, count: int) -> torch.Tensor:
        images = self._images[name]
        return images.pixels(torch.randperm(len(images), generator=self._draws)[:count])

    def _shuffled(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The same numbers in another order, within each tensor of weights."""

        def mixed(tensor: torch.Tensor) -> torch.Tensor:
            if tensor.dim() < 2:
                return tensor
            order = torch.randperm(tensor.numel(), generator=self._draws)
            return tensor.reshape(-1)[order].reshape(tensor.shape)

        return {name: mixed(tensor) for name, tensor in weights.items()}

    # -- options -----------------------------------------------------------------------------------

    def _z_dim(self) -> Claim:
        asked = self._training.z_dim
        claimed = self._records.options.get("z_dim", float(asked))
        verdict = Verdict.SUPPORTED if claimed == asked else Verdict.CONTRADICTED
        reason = Reason.WITHIN if claimed == asked else Reason.BEYOND
        return Claim(Kind.Z_DIM, verdict, reason, claimed=claimed, measured=float(asked))

    def _lambda(self) -> Iterator[Claim]:
        """By the codes' distribution: the discriminator holds it near the prior, and nothing else does."""
        asked = self._training.lambda_
        if asked is None:
            return
        claimed = self._records.options.get("lambda_", asked)
        codes = self._measurement(FINAL, self._curve_set).outcome(self._stages[0]).codes
        size = divergence_from_prior(codes[: self._stages[0]])
        free = claimed == 1
        verdict = Verdict.NOT_CHECKABLE
        if claimed != asked or (not free and size > 2 * LOOSE):
            verdict = Verdict.CONTRADICTED
        elif (size > LOOSE) if free else (size < HELD):
            verdict = Verdict.SUPPORTED
        yield Claim(Kind.LAMBDA, verdict, Reason.CODES, claimed=claimed, measured=size)

    def _epochs(self, measured: list[Claim], doubt: Reason | None) -> Claim:
        """Whether the training was a full one: by table, weights and score, never by the table alone."""
        asked, last = self._training.epochs, self._records.last

        def judged(verdict: Verdict, reason: Reason) -> Claim:
            return Claim(Kind.EPOCHS, verdict, reason, claimed=float(last) if last else None)

        final = self._weights[FINAL]
        shown = [name for name in self._weights if name.startswith("epoch_")]
        if any(_same(self._weights[name], final) for name in shown):
            return judged(Verdict.CONTRADICTED, Reason.SAME)
        if not last:
            return judged(Verdict.ABSENT, Reason.NOT_TOLD)
        if last < asked:
            return judged(Verdict.NOT_CHECKABLE, Reason.FEWER)
        curve = [claim for claim in measured if claim.kind in (Kind.EPOCH, Kind.END)]
        wrong = next((claim for claim in curve if claim.verdict is Verdict.CONTRADICTED), None)
        if wrong is not None:
            return judged(Verdict.CONTRADICTED, wrong.reason)
        end = next(claim for claim in curve if claim.kind is Kind.END)
        full = end.measured is not None and end.measured <= self._training.full and doubt is None
        if not full:
            return judged(Verdict.NOT_CHECKABLE, doubt or Reason.NOT_FULL)
        every = all(claim.verdict is Verdict.SUPPORTED for claim in curve)
        return judged(
            Verdict.SUPPORTED if every else Verdict.NOT_CHECKABLE, Reason.FULL if every else Reason.TOO_CLOSE
        )

    # -- values ------------------------------------------------------------------------------------

    def _start(self) -> list[Claim]:
        """The curve of part 1 begins with networks that nobody has trained: they come to 4 bits or more."""
        if not self._part1:
            return []
        claimed = self._records.rows.get(0, {}).get("val_bpd")
        if claimed is None:
            return []
        pixels = self._some("validation", FEW)
        measured = float(outcome(self._networks, pixels, self._draws).losses.mean())
        verdict, reason = Verdict.NOT_CHECKABLE, Reason.TOO_CLOSE
        if abs(claimed - measured) <= START:
            verdict, reason = Verdict.SUPPORTED, Reason.WITHIN
        elif claimed < LEARNT < measured:  # it has begun with weights that had learnt already
            verdict, reason = Verdict.CONTRADICTED, Reason.BEYOND
        return [Claim(Kind.START, verdict, reason, 0, claimed, measured)]

    def _measured(self) -> Iterator[Claim]:
        """The values of the curve at its end and where weights are there, the score, and the reference."""
        limits = BITS if self._part1 else RUNNING
        last = self._records.last
        for epoch in self._training.shown:
            row = self._records.rows.get(epoch, {})
            name = epoch_name(epoch)
            if epoch < last and self._curve in row:
                value = row[self._curve]
                if name in self._weights:
                    yield self._value(Kind.EPOCH, epoch, value, name, self._curve_set, limits)
                else:
                    yield Claim(Kind.EPOCH, Verdict.ABSENT, Reason.NO_WEIGHTS, epoch, value)
        end = self._records.rows.get(last, {}).get(self._curve)
        yield self._value(Kind.END, last or None, end, FINAL, self._curve_set, limits)
        name = "test_bpd" if self._part1 else "train_reconstruction_loss"
        weights = TESTED if TESTED in self._weights else FINAL
        claimed = self._records.summary.get(name)
        score = self._value(
            Kind.SCORE, None, claimed, weights, self._score_set, BITS if self._part1 else ERRORS
        )
        yield score
        yield from self._reference(score)

    def _value(
        self,
        kind: Kind,
        epoch: int | None,
        claimed: float | None,
        weights: str,
        images: str,
        limits: tuple[float, float],
    ) -> Claim:
        """Compare a value with what weights come to on a set of images; on more of them where need be."""
        measurement = self._measurement(weights, images)
        verdict, reason = Verdict.ABSENT, Reason.NOT_TOLD
        found = Estimate(0.0, 0.0)
        earlier = (FIRST_OF_EPOCHS[self._training.part],) if kind is Kind.EPOCH else ()
        for count in (*earlier, *self._stages) if claimed is not None else self._stages[:1]:
            found = measurement.of(count)
            found = replace(found, error=math.hypot(found.error, ELSEWHERE * found.mean))
            if claimed is None:
                break
            changing = self._change(epoch) if limits is RUNNING else 0.0
            near = limits[0] * found.mean + min(changing, MOST_CHANGE * found.mean)
            verdict, reason = compare(claimed, found, near, limits[1] * found.mean + changing)
            if reason is not Reason.TOO_CLOSE:
                break
        return Claim(kind, verdict, reason, epoch, claimed, found.mean, found.low, found.high)

    def _measurement(self, weights: str, images: str) -> Measurement:
        """That of some weights; of part 2, the score is of what the curve ends with."""
        if (weights, images) not in self._measurements:
            self._measurements[weights, images] = Measurement(
                self._networks, self._weights[weights], self._images[images], self._draws
            )
        return self._measurements[weights, images]

    def _change(self, epoch: int | None) -> float:
        """How much the curve changes in an epoch, by the table: the mean over it is as far from its end.

        Of the first epoch nobody knows: its mean has all that was lost before anything was learnt.
        """
        rows = self._records.rows
        if epoch is None or self._curve not in rows.get(epoch - 1, {}):
            return math.inf
        return abs(rows[epoch][self._curve] - rows[epoch - 1][self._curve])

    def _grid(self) -> Iterator[Claim]:
        """The grid of the figure, beside what the model draws: of a manifold, that of the best epoch."""
        if self._figure is None:
            return
        images = last_grid(self._figure)
        if images is None:
            yield Claim(Kind.GRID, Verdict.NOT_CHECKABLE, Reason.UNREADABLE)
            return
        manifold = self._part1 and self._training.z_dim == 2
        best = manifold and TESTED in self._weights
        self._networks.load(self._weights[TESTED if best else FINAL])
        found = likeness(self._networks, images, manifold, self._draws)
        own = found.measured
        yield Claim(Kind.GRID, found.verdict, found.reason, None, found.claimed, own.mean, own.low, own.high)

    def _reference(self, score: Claim) -> Iterator[Claim]:
        """Whether the score that the assignment names is reached, where the student says so."""
        reference = self._training.reference
        if reference is None or score.claimed is None or score.claimed > REACHED * reference:
            return
        reached = score.measured is not None and score.measured <= REACHED * reference
        verdict = score.verdict if not reached else Verdict.SUPPORTED
        yield replace(score, kind=Kind.REFERENCE, verdict=verdict, claimed=reference)


def _same(one: Weights, other: Weights) -> bool:
    """Whether two sets of weights are the same but for rounding."""
    return all(
        one[network].keys() == other[network].keys()
        and all(
            tensor.shape == other[network][name].shape
            and torch.allclose(tensor.double(), other[network][name].double(), rtol=1e-3, atol=1e-5)
            for name, tensor in one[network].items()
        )
        for network in one
    )


__all__ = ["FINAL", "TESTED", "Judge", "StudentError", "Unusable", "epoch_name"]
