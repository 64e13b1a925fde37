"""All evidence of one submission, from the files to the facts. Never raises for what is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch

from grader.box.budget import Budget
from grader.box.client import Channels
from grader.box.errors import StudentError
from grader.evidence.drawings import draw
from grader.evidence.facts import Claim, Evidence, Kind, Reason, Run, Verdict
from grader.evidence.foreign import EVENTS, checkpoint, curves, name_of
from grader.evidence.images import Images
from grader.evidence.judge import FINAL, TESTED, Judge, epoch_name
from grader.evidence.networks import Misfit, Networks, Place, Unusable
from grader.evidence.records import MOST_FILTERS, read_records
from grader.evidence.trainings import Training, trainings
from grader.evidence.weights import Refused, Weights, print_of, read_weights
from grader.submission.model import Submission, code_digest
from grader.submission.shown import EVIDENCE
from grader.suites.draw import derive_seed
from grader.text import printable

SECONDS = 180.0  # of all calls of a submission together, by the clock; seven trainings take 10 s
FILTERS = 32  # what the networks of part 1 have where no option says otherwise
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Examined:
    """What was found out about a submission, and what its models draw.

    Attributes:
        evidence: the facts.
        drawings: PNGs, by training.
    """

    evidence: Evidence
    drawings: Mapping[str, bytes]


def examine(
    submission: Submission,
    box: Callable[[], Channels],
    images: Mapping[str, Images] | None,
    seed: int,
    figures: Mapping[str, bytes] | None = None,
) -> Examined:
    """What can be said of a submission's full trainings.

    Args:
        submission: read with its evidence.
        box: where the student's networks are run.
        images: of MNIST; None where they are not at hand.
        seed: of the judge; every draw depends on it and on what was handed in.
        figures: PNGs that the grader has drawn anew, by the name that training gives the figure.
    """
    files: dict[str, dict[str, bytes]] = {}
    for path, content in submission.shown.items():
        parts = path.split("/")
        if len(parts) == 3 and parts[0] == EVIDENCE.folder:
            files.setdefault(parts[1], {})[parts[2]] = content
    place = Place(submission.files, box, Budget(SECONDS))
    identity = f"{submission.name} {code_digest({**submission.files, **submission.shown})}"
    drawings: dict[str, bytes] = {}
    with place:
        runs = tuple(
            _run(
                one,
                files.get(one.run, {}),
                place,
                images,
                derive_seed(seed, identity, one.run),
                drawings,
                (figures or {}).get(one.figure),
            )
            for one in trainings()
        )
    warnings = tuple(line for line in submission.warnings if line.startswith(EVIDENCE.kind))
    strangers = files.keys() - {one.run for one in trainings()}
    warnings += tuple(f"no question asks for {printable(name, 60)}" for name in sorted(strangers))
    return Examined(Evidence(runs, warnings, images is not None), drawings)


def _run(
    training: Training,
    files: Mapping[str, bytes],
    place: Place,
    images: Mapping[str, Images] | None,
    seed: int,
    drawings: dict[str, bytes],
    figure: bytes | None,
) -> Run:
    if not files:
        return Run(training.run, training.items, (Claim(Kind.SCORE, Verdict.ABSENT, Reason.NOT_TOLD),))
    records, problems = read_records(files)
    for file in sorted(files) if not records.rows else ():
        if file.startswith(EVENTS):
            try:
                records = records.with_rows(curves(files[file], place))
            except Refused as error:
                problems.append(f"{printable(file, 60)}: {error}")
    checkpoints = {name_of(file, records.last or training.epochs): file for file in sorted(files)}
    weights: dict[str, Weights] = {}
    refused = False
    for name in (FINAL, TESTED, *map(epoch_name, training.shown)):
        own, other = f"{name}{SUFFIX}", checkpoints.get(name, "")
        try:
            if own in files:
                weights[name] = read_weights(files[own])
            elif other:
                weights[name] = checkpoint(files[other], place)
        except Refused as error:
            problems.append(f"{own if own in files else printable(other, 60)}: {error}")
            refused = refused or name == FINAL
    claims: tuple[Claim, ...]
    if FINAL not in weights:
        reason = Reason.REFUSED if refused else Reason.NO_WEIGHTS
        claims = _nothing_checkable(training, reason)
    elif images is None:
        claims = _nothing_checkable(training, Reason.NO_IMAGES)
    else:
        place.budget.begin_check()
        filters = records.option("num_filters", FILTERS, MOST_FILTERS)
        draws = torch.Generator().manual_seed(seed)
        try:
            with Networks(place, training, filters, seed) as networks:
                judge = Judge(training, records, weights, networks, images, draws, figure)
                claims = tuple(judge.claims())
                manifold = training.part == "part1" and training.z_dim == 2  # drawn of the best epoch
                networks.load(weights.get(TESTED, weights[FINAL]) if manifold else weights[FINAL])
                drawings[training.run] = draw(networks, images, draws)
        except Misfit:
            claims = _misfit(training, place, filters, weights[FINAL], seed)
        except (StudentError, Unusable):
            claims = _nothing_checkable(training, Reason.CODE)
    seeds = records.options.get("seed")
    return Run(
        training.run,
        training.items,
        claims,
        tuple(problems),
        None if seeds is None else int(seeds),
        {FINAL: print_of(weights[FINAL])} if FINAL in weights else None,
        records.times(),
    )


def _nothing_checkable(training: Training, reason: Reason) -> tuple[Claim, ...]:
    return (Claim(Kind.SCORE, Verdict.NOT_CHECKABLE, reason),)


def _misfit(training: Training, place: Place, filters: int, weights: Weights, seed: int) -> tuple[Claim, ...]:
    """What weights are that do not fit: those of another number of latent dimensions, perhaps."""
    for other in sorted({one.z_dim for one in trainings() if one.part == training.part} - {training.z_dim}):
        try:
            with Networks(place, replace(training, z_dim=other), filters, seed) as networks:
                networks.load(weights)
        except Misfit:
            continue
        except StudentError:
            break
        claim = Claim(
            Kind.Z_DIM,
            Verdict.CONTRADICTED,
            Reason.OTHER_SIZE,
            claimed=float(training.z_dim),
            measured=float(other),
        )
        return (claim, *_nothing_checkable(training, Reason.MISFIT))
    return _nothing_checkable(training, Reason.MISFIT)
