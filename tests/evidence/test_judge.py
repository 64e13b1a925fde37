"""True claims are supported, whichever images the judge looks at; false ones never are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from grader.evidence.facts import Kind, Reason, Verdict
from tests.evidence.conftest import of
from tests.evidence.making import Made, contradicted, scaled, supported, train_vae
from tests.evidence.other_networks import DENSE, space_of

VALUES = (Kind.START, Kind.EPOCH, Kind.END, Kind.SCORE)


@pytest.mark.parametrize("seed", range(20))
def test_true_claims_are_supported(vae, judged, seed):
    run = judged(vae, seed)
    assert supported(run) == {Kind.Z_DIM, *VALUES}
    # 11 epochs are none of the 80 that are asked for, and nobody says so.
    assert (of(run, Kind.EPOCHS).verdict, of(run, Kind.EPOCHS).reason) == (
        Verdict.NOT_CHECKABLE,
        Reason.FEWER,
    )
    score = of(run, Kind.SCORE)
    assert score.low < score.measured < score.high


@pytest.mark.parametrize("lambda_", [1.0, 0.995])
@pytest.mark.parametrize("seed", range(5))
def test_true_claims_of_part_2_are_supported(aaes, judged, lambda_, seed):
    run = judged(aaes[lambda_], seed)
    assert supported(run) >= {Kind.Z_DIM, Kind.END, Kind.SCORE}
    assert not contradicted(run)


def test_the_codes_tell_lambda(aaes, judged):
    assert of(judged(aaes[0.995]), Kind.LAMBDA).verdict is Verdict.SUPPORTED
    as_the_other = replace(aaes[1.0], run="aae_z_dim_8_lambda_0.995")
    other = replace(as_the_other, options={**aaes[1.0].options, "lambda_": 0.995})
    assert of(judged(other), Kind.LAMBDA).verdict is not Verdict.SUPPORTED
    assert of(judged(as_the_other), Kind.LAMBDA).verdict is Verdict.CONTRADICTED  # its options say 1


def test_a_curve_that_is_far_off_is_contradicted(vae, judged):
    assert Kind.END in contradicted(judged(scaled(vae, 0.7)))
    assert Kind.SCORE in contradicted(judged(replace(vae, summary={"test_bpd": 0.52})))


@pytest.fixture(scope="module")
def other(images) -> Made:
    """A training of networks of another kind: no convolutions, batch normalization, dropout."""
    space = space_of(DENSE)
    torch.manual_seed(4)
    pair = (space["CNNEncoder"](1, 8, 20), space["CNNDecoder"](16, 8, 20))
    return train_vae(pair, images, 11, "vae_z_dim_20", 20)


def test_networks_of_another_kind_are_judged_as_well(other, judged):
    run = judged(other, files={"part1/cnn_encoder_decoder.py": DENSE.encode()})
    assert not contradicted(run), run.claims
    assert {Kind.END, Kind.SCORE} <= supported(run)


def test_weights_of_other_networks_support_nothing(other, judged):
    run = judged(other)
    assert not supported(run)
    assert {claim.reason for claim in run.claims} == {Reason.MISFIT}


def test_weights_of_another_z_dim_are_named(vae, judged):
    run = judged(replace(vae, run="vae_z_dim_2"))
    assert not supported(run)
    claim = of(run, Kind.Z_DIM)
    assert (claim.verdict, claim.reason, claim.claimed, claim.measured) == (
        Verdict.CONTRADICTED,
        Reason.OTHER_SIZE,
        2,
        20,
    )
