"""Who has the same weights as somebody else, and what that leaves of the claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from grader.evidence.facts import Evidence, Kind, Reason, Run, Verdict

# Of the projections in two prints, root mean square: unrelated weights are 1.4 apart, short trainings from
# the same start 0.15 to 0.2, and the same weights in half precision 0.0002.
SAME = 0.03
AGREE = 5e-4  # by how much, as a share, tables of the same training may differ


def with_same_weights(cohort: Mapping[str, Evidence]) -> dict[str, Evidence]:
    """What was found out, with the names of those whose weights are the same.

    Two who train the same layers with the same seed on like machines come to the same weights, and to the
    same tables but for the times. That says nothing. Where the times are the same, too, a folder was copied;
    where seeds or tables differ, the weights were: then they support nothing, until a person has looked.

    Args:
        cohort: by submission.
    """
    found = {name: {run.run: run for run in evidence.runs} for name, evidence in cohort.items()}
    for run_name in sorted({run for runs in found.values() for run in runs}):
        known = {
            name: runs[run_name]
            for name, runs in found.items()
            if run_name in runs and (runs[run_name].prints or {}).get("final")
        }
        for name, others in _alike(known).items():
            runs = {other: known[other] for other in others}
            found[name][run_name] = _marked(known[name], runs)
    return {
        name: replace(evidence, runs=tuple(found[name][run.run] for run in evidence.runs))
        for name, evidence in cohort.items()
    }


def _alike(runs: Mapping[str, Run]) -> dict[str, list[str]]:
    names = sorted(runs)
    alike: dict[str, list[str]] = {}
    if len(names) < 2:
        return alike
    prints = torch.tensor([(runs[name].prints or {})["final"] for name in names], dtype=torch.float64)
    distances = torch.cdist(prints, prints) / prints.shape[1] ** 0.5
    for one, other in (distances < SAME).nonzero().tolist():
        if one != other:
            alike.setdefault(names[one], []).append(names[other])
    return alike


def _marked(run: Run, others: Mapping[str, Run]) -> Run:
    copied = any(run.times and run.times == other.times for other in others.values())
    claims = run.claims
    if copied or not all(_trained_alike(run, other) for other in others.values()):
        claims = tuple(
            replace(claim, verdict=Verdict.NOT_CHECKABLE, reason=Reason.SHARED)
            if claim.verdict is Verdict.SUPPORTED
            else claim
            for claim in claims
        )
    return replace(run, claims=claims, same_as=tuple(others), copied=copied)


def _trained_alike(one: Run, other: Run) -> bool:
    """Whether the same weights may come from two trainings: one seed, one curve, times of their own."""
    if one.seed is None or one.seed != other.seed or not one.times or not other.times:
        return False
    ends = [
        next((claim.claimed for claim in run.claims if claim.kind is Kind.END), None) for run in (one, other)
    ]
    first, second = ends
    return first is not None and second is not None and abs(first - second) <= AGREE * abs(first)
