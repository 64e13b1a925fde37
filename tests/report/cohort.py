"""A synthetic cohort: results put together from recorded ones, and pictures that models might have made.

    python -m tests.report.cohort FOLDER [--count 300] [--seed 1] [--no-pictures]

writes a folder of results like that of a run. Every message in it is one that the grader once gave.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from grader.engine.unmarked import Provenance, grader_fault, unreadable
from grader.marking.cause import Cause
from grader.marking.result import (
    NOT_SUBMITTED,
    PASSED,
    CheckResult,
    ItemResult,
    PictureDifference,
    SubmissionResult,
)
from grader.report.expected_manifold import expected
from grader.report.figures import replace_figures
from grader.report.pictures import Picture, from_originals
from grader.report.results_json import write_result
from grader.rubric import load_rubric
from grader.submission import STUDENT, Submission

from . import handed_in
from .digits import digits, smooth
from .images import write_pictures

RECORDED = Path(__file__).with_name("recorded.json")
PROVENANCE = Provenance(284_913, "sha256:6c1d0f6ab2", "bwrap")
WHOLE = ("half_done", "no_part2", "syntax_error", "untouched", "zipped")  # of the sample cohort
NAMES = ("Anna", "Björn", "Chiara", "Dinh", "Elif", "Farid", "Grace", "Hanna", "Ivo", "Jun", "Katya", "Léa")
FAMILIES = ("Arslan", "Bauer", "Costa", "de Vries", "Eriksen", "Fischer", "García", "Huber", "Ito", "Jansen")


@cache
def recorded() -> dict[str, Any]:
    """The recorded results, compact."""
    content: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return content


def put_together(name: str, lost: dict[str, Any], seconds: float) -> SubmissionResult:
    """A result in which the items of `lost` are as recorded, and all others passed."""
    items = []
    for item in load_rubric().automatic:
        known = recorded()["items"][item.id]
        here = lost.get(item.id, {"points": item.points, "status": PASSED, "checks": []})
        failed = {check: how for check, *how in here["checks"]}
        checks = tuple(
            _check(check, weight, *failed.get(check, (PASSED,))) for check, weight in known["checks"]
        )
        items.append(ItemResult(item.id, here["points"], item.points, here["status"], checks))
    return SubmissionResult(
        name, PROVENANCE.seed, PROVENANCE.suite, PROVENANCE.sandbox, seconds, tuple(items)
    )


def _check(
    name: str,
    weight: float,
    status: Any,
    message: str = "",
    hint: str = "",
    cause: dict[str, Any] | None = None,
) -> CheckResult:
    return CheckResult(name, status, weight, message, hint, cause=Cause(**cause) if cause else None)


def synthetic(count: int, seed: int = 1) -> list[SubmissionResult]:
    """So many results, like those of a course: some mistakes are frequent, most are rare."""
    draw = random.Random(seed)
    known = recorded()["submissions"]
    mistakes = {name: one for name, one in known.items() if one["lost"] and ":" in name}
    frequent = draw.sample(sorted(mistakes), k=len(mistakes))
    weights = [1 / (rank + 2) for rank in range(len(frequent))]
    results = []
    for index in range(count):
        name = f"{draw.choice(FAMILIES)} {draw.choice(NAMES)}_{index + 1:03d}"
        seconds = round(draw.lognormvariate(2.1, 0.25), 3)
        kind = draw.random()
        if kind < 0.16:
            lost = dict(known[draw.choice(WHOLE)]["lost"])
        else:
            lost = {}
            # Most have no mistake or a few, some have many.
            for entry in draw.choices(frequent, weights, k=min(9, int(draw.expovariate(0.45)))):
                for item, how in mistakes[entry]["lost"].items():
                    lost.setdefault(item, how)
        results.append(put_together(name, lost, seconds))
    return _with_exceptions(results)


def _with_exceptions(results: list[SubmissionResult]) -> list[SubmissionResult]:
    """Put in what rarely occurs and a teaching assistant has to look at."""
    if len(results) < 20:
        return results
    hostile = recorded()["submissions"]["hostile"]
    results[7] = put_together(results[7].submission, hostile["lost"], 62.7)
    results[11] = grader_fault(results[11].submission, "the process that marked it died", PROVENANCE)
    gone = Submission(
        results[13].submission,
        {},
        error="the archive is damaged or cut off and cannot be read",
        fault=STUDENT,
    )
    results[13] = unreadable(gone, PROVENANCE)
    violated = results[17]
    results[17] = SubmissionResult(
        **{
            **vars(violated),
            "violations": (
                "1.7.kld: uses torch.distributions, which the assignment forbids (--allow-distributions "
                "waives this)",
            ),
            "warnings": (
                "part1/helpers.py is not one of the files of the assignment and was not read",
                "look at uses_latents_from_the_prior by hand: it was surprised by TypeError: x "
                "(test_sample.py, line 31)",
            ),
        }
    )
    return results


def pictures_of(result: SubmissionResult, seed: int) -> list[Picture]:
    """Pictures like those that the suites hand out, where the items were handed in and run."""
    ran = {item.id: item.points > 0 for item in result.items if item.status != NOT_SUBMITTED}
    draw = np.random.default_rng(seed)
    made = []
    if ran.get("1.7.training"):
        steps = np.array([40, 80])
        bits = 1.4 + 2.6 * np.exp(-steps / draw.uniform(25, 35)) + draw.normal(0, 0.03, len(steps))
        made.append(Picture("1.7.training", "curve", np.stack([steps, bits], axis=1)))
    for item, noise in (("1.7.training", 0.3), ("2.5.training", 0.1)):
        if ran.get(item):
            chosen = digits()[draw.integers(0, len(digits()), 64)]
            noisy = smooth(chosen) + draw.normal(0, noise, chosen.shape) * (smooth(chosen) > 0.05)
            made.append(Picture(item, "samples", np.clip(noisy, 0, 1)))
    if ran.get("1.9.manifold"):
        right = result.items[[item.id for item in result.items].index("1.9.manifold")].status == PASSED
        made.append(Picture("1.9.manifold", "manifold", _manifold(draw, right)))
    if ran.get("2.4.reconstruction"):
        chosen = digits()[draw.integers(0, len(digits()), 10)]
        made.append(
            Picture("2.4.reconstruction", "reconstructions", np.stack([chosen, smooth(chosen)], axis=1))
        )
    return made


def _manifold(draw: np.random.Generator, right: bool) -> np.ndarray:
    """The 20 x 20 grid of the decoder that is shown to all, `[400, 28, 28]`; wrong ones go in wrong steps."""
    tiles = expected()
    if not right:
        steps = np.clip(np.round(np.arange(20) / 19 * draw.integers(2, 5)) / 4, 0, 1) * 19
        tiles = tiles[np.ix_(steps.astype(int), steps.astype(int))]
    return tiles.reshape(400, 28, 28)


def differences_of(pictures: list[Picture]) -> tuple[PictureDifference, ...]:
    """How far pictures are from what they should show, as the grader has it."""
    found = []
    for one in pictures:
        if one.kind == "manifold":
            off = np.abs(one.values - expected().reshape(400, 28, 28)).reshape(400, 2, -1)
            found.append(PictureDifference(one.item, one.kind, float(off.mean(axis=2).max())))
        elif one.kind == "reconstructions":
            found.append(PictureDifference(one.item, one.kind, from_originals(one.values)))
    return tuple(found)


def memory_of(result: SubmissionResult) -> float | None:
    """As much memory as such a submission may take, in MB; none where no code was run."""
    if not result.marked or {check.name for check in result.items[0].checks} == {"readable"}:
        return None
    return 1240.0 if result.seconds > 60 else random.Random(result.submission).uniform(610, 690)


def write_cohort(folder: Path, count: int, seed: int = 1, with_pictures: bool = False) -> Path:
    """Write the results, and the pictures if wanted; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, result in enumerate(synthetic(count, seed)):
        made = pictures_of(result, index) if with_pictures else []
        complete = replace(result, memory_mb=memory_of(result), differences=differences_of(made))
        path = write_result(folder, complete)
        if with_pictures:
            write_pictures(path.parent, made)
            if memory_of(result):
                replace_figures(path.parent, handed_in.figures(index % handed_in.KINDS).files)
    return folder


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-pictures", action="store_true")
    options = parser.parse_args()
    write_cohort(options.folder, options.count, options.seed, not options.no_pictures)
    print(options.folder)


if __name__ == "__main__":
    main()
