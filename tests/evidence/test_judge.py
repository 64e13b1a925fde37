"""True claims are supported, whichever images the judge looks at; false ones never are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from grader.evidence.facts import Kind, Reason, Verdict
from tests.evidence.conftest import of
from tests.evidence.making import Made, train_vae

VALUES = (Kind.START, Kind.EPOCH, Kind.END, Kind.SCORE)


def supported(run) -> set[Kind]:
    return {claim.kind for claim in run.claims if claim.verdict is Verdict.SUPPORTED}


def contradicted(run) -> set[Kind]:
    return {claim.kind for claim in run.claims if claim.verdict is Verdict.CONTRADICTED}


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


def scaled(made: Made, factor: float) -> Made:
    return made.with_rows(
        val_bpd={epoch: row["val_bpd"] * factor for epoch, row in made.rows.items() if epoch}
    )


def eighty(made: Made) -> Made:
    """A table that goes on to 80 epochs, and stays where it was."""
    last = made.rows[max(made.rows)]["val_bpd"]
    longer = made.with_rows(val_bpd=dict.fromkeys(range(12, 81), last))
    return replace(longer, options={**made.options, "epochs": 80})


def with_final(made: Made, weights: dict[str, torch.Tensor]) -> Made:
    return replace(made, weights={**made.weights, "final": weights, "tested": weights})


def noisy(made: Made, size: float) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        name: value + size * value.std() * torch.randn(value.shape, generator=generator)
        if value.dim() > 1
        else value
        for name, value in made.weights["final"].items()
    }


# Each with the kinds of claims that are false then.
FALSE = {
    "a curve that ends lower": (
        lambda one: one.with_rows(val_bpd={11: 0.92 * one.rows[11]["val_bpd"]}),
        {Kind.END},
    ),
    "a curve that ends a little lower": (
        lambda one: one.with_rows(val_bpd={11: 0.97 * one.rows[11]["val_bpd"]}),
        {Kind.END},
    ),
    "a curve that ends higher": (
        lambda one: one.with_rows(val_bpd={11: 1.1 * one.rows[11]["val_bpd"]}),
        {Kind.END},
    ),
    "a whole curve of something better": (lambda one: scaled(one, 0.7), {Kind.EPOCH, Kind.END}),
    "a whole curve of something worse": (lambda one: scaled(one, 1.3), {Kind.EPOCH, Kind.END}),
    "the published curve": (
        lambda one: eighty(one).with_rows(val_bpd={0: 4.0, 10: 0.5616, 80: 0.5217}),
        {Kind.EPOCH, Kind.END, Kind.EPOCHS},
    ),
    "a better score": (lambda one: replace(one, summary={"test_bpd": 0.52}), {Kind.SCORE, Kind.REFERENCE}),
    "a score of another z_dim": (lambda one: replace(one, summary={"test_bpd": 0.776}), {Kind.SCORE}),
    "11 epochs as 80": (eighty, {Kind.EPOCHS}),
    "another number of latent dimensions": (
        lambda one: replace(one, options={**one.options, "z_dim": 2}),
        {Kind.Z_DIM},
    ),
    "an epoch of the curve": (
        lambda one: one.with_rows(val_bpd={10: 0.8 * one.rows[10]["val_bpd"]}),
        {Kind.EPOCH},
    ),
    "a start of what had learnt already": (lambda one: one.with_rows(val_bpd={0: 1.2}), {Kind.START}),
    "the last weights as those of an epoch before": (
        lambda one: replace(
            eighty(one), weights={**one.weights, "epoch_010": dict(one.weights["final"])}
        ).with_rows(val_bpd={10: one.rows[11]["val_bpd"]}),
        {Kind.EPOCHS},
    ),
    "weights with noise": (lambda one: with_final(one, noisy(one, 0.5)), {Kind.END, Kind.SCORE}),
    "weights before training": (
        lambda one: with_final(one, noisy(replace(one, weights={"final": {
            name: torch.zeros_like(value) for name, value in one.weights["final"].items()
        }}), 1.0)),
        {Kind.END, Kind.SCORE},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "false"), FALSE.values(), ids=FALSE.keys())
def test_false_claims_are_not_supported(vae, judged, change, false):
    run = judged(change(vae))
    assert not supported(run) & false, run.claims


def test_a_curve_that_is_far_off_is_contradicted(vae, judged):
    assert Kind.END in contradicted(judged(scaled(vae, 0.7)))
    assert Kind.SCORE in contradicted(judged(replace(vae, summary={"test_bpd": 0.52})))


def halved(made: Made) -> Made:
    return replace(
        made,
        weights={
            name: {key: value.half() for key, value in tensors.items()}
            for name, tensors in made.weights.items()
        },
    )


def averaged(made: Made) -> Made:
    one, other = made.weights["epoch_010"], made.weights["final"]
    return with_final(made, {name: 0.3 * one[name] + 0.7 * value for name, value in other.items()})


UNUSUAL = {
    "half precision": halved,
    "averaged weights, and a curve of those before": averaged,
    "the best epoch instead of the last": lambda one: with_final(one, one.weights["tested"]),
    "no summary": lambda one: replace(one, summary={}),
    "no table": lambda one: replace(one, rows={}),
    "no options": lambda one: replace(one, options={"num_filters": one.options["num_filters"]}),
    "no weights of the tested epoch": lambda one: replace(
        one, weights={name: value for name, value in one.weights.items() if name != "tested"}
    ),
    "a table without the untrained model": lambda one: replace(
        one, rows={epoch: row for epoch, row in one.rows.items() if epoch}
    ),
    "more columns": lambda one: one.with_rows(lr=dict.fromkeys(one.rows, 0.001)),
}


@pytest.mark.parametrize("change", UNUSUAL.values(), ids=UNUSUAL.keys())
def test_what_is_unusual_is_not_contradicted(vae, judged, change):
    run = judged(change(vae))
    assert not contradicted(run), run.claims
    assert run.claims


OTHER_NETWORKS = '''
import torch
from torch import nn


class CNNEncoder(nn.Module):
    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(), nn.Linear(784 * num_input_channels, 8 * num_filters),
            nn.BatchNorm1d(8 * num_filters), nn.ReLU(), nn.Dropout(0.1),
        )
        self.both = nn.Linear(8 * num_filters, 2 * z_dim)

    def forward(self, x):
        mean, log_std = self.both(self.body(x.float() / 15)).chunk(2, dim=1)
        return mean, log_std


class CNNDecoder(nn.Module):
    def __init__(self, num_input_channels=16, num_filters=32, z_dim=20):
        super().__init__()
        self.channels = num_input_channels
        self.body = nn.Sequential(
            nn.Linear(z_dim, 8 * num_filters), nn.BatchNorm1d(8 * num_filters), nn.ReLU(),
            nn.Linear(8 * num_filters, 784 * num_input_channels),
        )

    def forward(self, z):
        return self.body(z).view(len(z), self.channels, 28, 28)

    @property
    def device(self):
        return next(self.parameters()).device
'''  # fmt: skip


@pytest.fixture(scope="module")
def other(images) -> Made:
    """A training of networks of another kind: no convolutions, batch normalization, dropout."""
    space: dict[str, type[nn.Module]] = {}
    exec(OTHER_NETWORKS, space)
    torch.manual_seed(4)
    pair = (space["CNNEncoder"](1, 8, 20), space["CNNDecoder"](16, 8, 20))
    return train_vae(pair, images, 11, "vae_z_dim_20", 20)


def test_networks_of_another_kind_are_judged_as_well(other, judged):
    run = judged(other, files={"part1/cnn_encoder_decoder.py": OTHER_NETWORKS.encode()})
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
