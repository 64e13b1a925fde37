"""Weights that two have: a copy, a friend's, or what the same seed makes of the same layers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.evidence.facts import Claim, Evidence, Kind, Reason, Run, Verdict, from_json, to_json
from grader.evidence.same_weights import with_same_weights

PRINT = tuple(0.1 * index for index in range(64))
OTHER = tuple(3 - 0.1 * index for index in range(64))
RUN = Run(
    "vae_z_dim_20",
    ("1.7.curves",),
    (
        Claim(Kind.END, Verdict.SUPPORTED, Reason.WITHIN, 80, 0.522, 0.523, 0.52, 0.526),
        Claim(Kind.SCORE, Verdict.CONTRADICTED, Reason.BEYOND, None, 0.4, 0.52, 0.51, 0.53),
    ),
    ("metrics.csv cannot be read",),
    42,
    {"final": PRINT},
    "times of ann",
)


def cohort(**runs: Run) -> dict[str, Evidence]:
    return with_same_weights({name: Evidence((run,)) for name, run in runs.items()})


def end_of(evidence: Evidence) -> Claim:
    return evidence.runs[0].claims[0]


def test_other_weights_are_no_doubles():
    found = cohort(ann=RUN, bob=replace(RUN, prints={"final": OTHER}, times="times of bob"))
    assert all(not one.runs[0].same_as for one in found.values())
    assert end_of(found["ann"]).verdict is Verdict.SUPPORTED


def test_the_same_seed_on_a_like_machine_is_no_reproach():
    found = cohort(ann=RUN, bob=replace(RUN, times="times of bob"))
    assert found["ann"].runs[0].same_as == ("bob",)
    assert not found["ann"].runs[0].copied
    assert {end_of(one).verdict for one in found.values()} == {Verdict.SUPPORTED}


@pytest.mark.parametrize(
    "friend",
    [
        replace(RUN, times="times of bob", seed=7),
        replace(RUN, times="times of bob", seed=None),
        replace(RUN, times=""),
        replace(RUN, times="times of bob", claims=(replace(RUN.claims[0], claimed=0.5204), RUN.claims[1])),
    ],
    ids=["another seed", "no seed", "no times", "another curve"],
)
def test_a_friends_weights_support_nothing(friend):
    found = cohort(ann=RUN, bob=friend)
    for one in found.values():
        assert (end_of(one).verdict, end_of(one).reason) == (Verdict.NOT_CHECKABLE, Reason.SHARED)
        assert one.runs[0].claims[1].verdict is Verdict.CONTRADICTED
        assert not one.runs[0].copied


def test_a_folder_that_was_copied_supports_nothing():
    near = tuple(value + 0.003 for value in PRINT)  # a little noise over the weights
    found = cohort(
        ann=RUN, bob=replace(RUN, prints={"final": near}), cid=replace(RUN, prints={"final": OTHER})
    )
    assert found["ann"].runs[0].same_as == ("bob",)
    assert found["bob"].runs[0].copied
    assert end_of(found["bob"]).verdict is Verdict.NOT_CHECKABLE
    assert end_of(found["cid"]).verdict is Verdict.SUPPORTED


def test_facts_are_written_and_read_back():
    evidence = cohort(ann=RUN, bob=RUN)["bob"]
    assert evidence.runs[0].copied
    assert from_json(to_json(evidence)) == evidence


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"schema": 2}',
        to_json(Evidence((RUN,))).replace(b'"supported"', b'"proved"'),
        b"[" * 10**5,
    ],
)
def test_a_damaged_file_is_named(content):
    with pytest.raises(ValueError, match=r"."):
        from_json(content)
