"""False claims of each kind, none of which is supported; true ones in unusual ways, none contradicted."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.evidence.facts import Evidence, Kind
from grader.evidence.images import levels
from grader.evidence.same_weights import with_same_weights
from tests.evidence.making import (
    FILTERS,
    MANY,
    Made,
    bpd,
    contradicted,
    scaled,
    some_of,
    supported,
    train_vae,
)
from tests.evidence.other_networks import BATCH_NORM, LAYER_NORM, WEIGHT_NORM, space_of
from tests.solutions.conftest import load_part

RESULTS = Path(__file__).parents[2] / "docs" / "results"
NETWORKS = "part1/cnn_encoder_decoder.py"
Change = Callable[[Made], Made]


def published(made: Made, name: str) -> Made:
    """With the table of a run of 80 or 100 epochs that everybody can read in the documentation."""
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        table = [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]
    return replace(made, rows={int(row["epoch"]): row for row in table})


def to_the_end(made: Made, last: int = 80) -> Made:
    """With a table that goes on to the epoch that the question asks for, and stays where it was."""
    value = made.rows[made.last][made.curve]
    longer = made.with_rows(**{made.curve: dict.fromkeys(range(made.last + 1, last + 1), value)})
    return replace(longer, options={**made.options, "epochs": last})


def with_final(made: Made, weights: Mapping[str, torch.Tensor]) -> Made:
    files = {**made.weights, "final": dict(weights)}
    return replace(made, weights=files | ({"tested": dict(weights)} if "tested" in files else {}))


def changed(made: Made, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Made:
    """With other last weights: what a function makes of each tensor of more than one dimension."""
    return with_final(
        made,
        {
            name: change(name, value) if value.dim() > 1 else value
            for name, value in made.weights["final"].items()
        },
    )


def noise(value: torch.Tensor, size: float, seed: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return value + size * value.std() * torch.randn(value.shape, generator=generator)


def shuffled(value: torch.Tensor) -> torch.Tensor:
    order = torch.randperm(value.numel(), generator=torch.Generator().manual_seed(3))
    return value.reshape(-1)[order].reshape(value.shape)


def pruned(value: torch.Tensor) -> torch.Tensor:
    return torch.where(value.abs() > value.abs().median(), value, 0)


def at(made: Made, epoch: int, factor: float) -> Made:
    return made.with_rows(**{made.curve: {epoch: factor * made.rows[epoch][made.curve]}})


def option(made: Made, **options: float) -> Made:
    return replace(made, options={**made.options, **options})


def score(made: Made, value: float) -> Made:
    return replace(made, summary=dict.fromkeys(made.summary, value))


# Another claim of the same kind is tried each time; these as well by `make test-all`.
SLOW = {
    "a curve that ends higher",
    "a curve that is higher throughout",
    "a curve over another number of pixels",
    "the published curve with noise",
    "a score of another z_dim",
    "a score on a few easy images",
    "weights before training",
    "pruned weights",
    "weights of zeros",
    "weights of epoch 2 as the last",
    "half the loss",
    "the curve of another lambda",
    "a friend's weights without a seed",
    "a friend's weights with another seed",
    "bfloat16",
    "float64",
    "no options",
    "no table",
    "another machine's last digits",
    "no weights of the tested epoch",
    "layers normalized",
    "weights normalized",
}


def tried(claims: Mapping[str, Any]) -> list[Any]:
    """The claims as parameters of a test, by name."""
    return [
        pytest.param(*(made if isinstance(made, tuple) else (made,)), id=name,
                     marks=[pytest.mark.slow] if name in SLOW else [])
        for name, made in claims.items()
    ]  # fmt: skip


VALUES = {Kind.END, Kind.SCORE}
CURVE = {Kind.EPOCH, Kind.END}
# Of the VAE: each with the kinds of claims that are false then.
FALSE: dict[str, tuple[Change, set[Kind]]] = {
    "a curve that ends lower": (lambda one: at(one, 11, 0.92), {Kind.END}),
    "a curve that ends a little lower": (lambda one: at(one, 11, 0.97), {Kind.END}),
    "a curve that ends higher": (lambda one: at(one, 11, 1.1), {Kind.END}),
    "a curve that is lower throughout": (lambda one: scaled(one, 0.7), CURVE),
    "a curve that is higher throughout": (lambda one: scaled(one, 1.3), CURVE),
    "a curve in nats": (lambda one: scaled(one, 0.693), CURVE),
    "a curve over another number of pixels": (lambda one: scaled(one, 784 / 1024), CURVE),
    "the published curve": (lambda one: published(one, "vae-z20"), {*CURVE, Kind.EPOCHS}),
    "the published curve with noise": (
        lambda one: (lambda two: replace(two, rows={
            epoch: {**row, "val_bpd": row["val_bpd"] + 0.004 * (-1) ** epoch}
            for epoch, row in two.rows.items()
        }))(published(one, "vae-z20")),
        {*CURVE, Kind.EPOCHS},
    ),
    "the curve of another z_dim": (lambda one: published(one, "vae-z2"), {*CURVE, Kind.EPOCHS}),
    "an epoch of the curve": (lambda one: at(one, 10, 0.8), {Kind.EPOCH}),
    "the last value as that of epoch 10": (
        lambda one: to_the_end(one).with_rows(val_bpd={10: 0.93 * one.rows[11]["val_bpd"]}), {Kind.EPOCH},
    ),
    "a start of what had learnt already": (lambda one: one.with_rows(val_bpd={0: 1.2}), {Kind.START}),
    "a better score": (lambda one: score(one, 0.52), {Kind.SCORE, Kind.REFERENCE}),
    "a score that just reaches the reference": (lambda one: score(one, 0.535), {Kind.SCORE, Kind.REFERENCE}),
    "a score of another z_dim": (lambda one: score(one, 0.7766), {Kind.SCORE}),
    "a score on a few easy images": (lambda one: score(one, 0.93 * one.summary["test_bpd"]), {Kind.SCORE}),
    "11 epochs as 80": (to_the_end, {Kind.EPOCHS}),
    "2 epochs as 80": (
        lambda one: with_final(published(one, "vae-z20"), one.early), {*CURVE, Kind.EPOCHS, Kind.SCORE},
    ),
    "weights of epoch 2 as the last": (lambda one: with_final(one, one.early), VALUES),
    "weights of epoch 2 as those of epoch 10": (
        lambda one: replace(one, weights={**one.weights, "epoch_010": dict(one.early)}), {Kind.EPOCH},
    ),
    "the last weights as those of an epoch before": (
        lambda one: replace(
            to_the_end(one), weights={**one.weights, "epoch_010": dict(one.weights["final"])}
        ).with_rows(val_bpd={10: one.rows[11]["val_bpd"]}),
        {Kind.EPOCHS},
    ),
    "an option of another z_dim": (lambda one: option(one, z_dim=2), {Kind.Z_DIM}),
    "weights with noise": (lambda one: changed(one, lambda _, value: noise(value, 0.5)), VALUES),
    "weights before training": (
        lambda one: changed(one, lambda _, value: noise(torch.zeros_like(value) + 1e-3, 1)), VALUES,
    ),
    "pruned weights": (lambda one: changed(one, lambda _, value: pruned(value)), VALUES),
    "an encoder in disorder": (
        lambda one: changed(one, lambda name, value: shuffled(value) if "encoder" in name else value), VALUES,
    ),
    "a decoder in disorder": (
        lambda one: changed(one, lambda name, value: shuffled(value) if "decoder" in name else value), VALUES,
    ),
    "weights of zeros": (lambda one: changed(one, lambda _, value: torch.zeros_like(value)), VALUES),
}  # fmt: skip


@pytest.mark.parametrize(("change", "false"), tried(FALSE))
def test_a_false_claim_is_not_supported(vae, judged, change, false):
    run = judged(change(vae))
    assert not supported(run) & false, run.claims


# Of the autoencoder with lambda = 1 (True) or 0.995.
FALSE_OF_PART_2: dict[str, tuple[bool, Change, set[Kind]]] = {
    "the published curve": (
        False, lambda one: published(one, "aae-z8-lambda0.995"), {*CURVE, Kind.EPOCHS},
    ),
    "the curve of another lambda": (False, lambda one: published(one, "aae-z8-lambda1"), CURVE),
    "the curve of another z_dim": (False, lambda one: published(one, "aae-z2-lambda0.995"), CURVE),
    "the published loss": (False, lambda one: score(one, 0.03996), {Kind.SCORE, Kind.REFERENCE}),
    "half the loss": (
        True, lambda one: score(one, 0.5 * one.summary["train_reconstruction_loss"]), {Kind.SCORE},
    ),
    "4 epochs as 100": (True, lambda one: to_the_end(one, 100), {Kind.EPOCHS}),
    "a model of lambda 1 as one of 0.995": (
        True, lambda one: option(replace(one, run="aae_z_dim_8_lambda_0.995"), lambda_=0.995), {Kind.LAMBDA},
    ),
    "a model of lambda 0.995 as one of 1": (
        False, lambda one: option(replace(one, run="aae_z_dim_8_lambda_1"), lambda_=1.0), {Kind.LAMBDA},
    ),
    "an option of another lambda": (False, lambda one: option(one, lambda_=0.5), {Kind.LAMBDA}),
    "a model of another z_dim": (
        False, lambda one: replace(one, run="aae_z_dim_20_lambda_0.995"), set(Kind),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("free", "change", "false"), tried(FALSE_OF_PART_2))
def test_a_false_claim_of_part_2_is_not_supported(aaes, judged, free, change, false):
    run = judged(change(aaes[1.0 if free else 0.995]))
    assert not supported(run) & false, run.claims


# Of one who has a friend's weights, beside the friend.
FRIENDS: dict[str, Change] = {
    "a friend's weights with another seed": lambda one: option(one, seed=7),
    "a friend's weights without a seed": lambda one: replace(
        one, options={"z_dim": 20, "num_filters": FILTERS}
    ),
    "a friend's weights with a little noise": lambda one: option(
        changed(one, lambda _, value: noise(value, 1e-3)), seed=7
    ),
    "a friend's weights in half precision, with another curve": lambda one: at(halved(one), 11, 1.008),
    "a friend's folder": lambda one: one,
}


@pytest.fixture(scope="module")
def friend(vae, judged) -> Evidence:
    return Evidence((judged(vae),))


@pytest.mark.parametrize("change", tried(FRIENDS))
def test_a_friends_weights_support_nothing(vae, judged, friend, change):
    mine = Evidence((judged(change(vae)),))
    found = with_same_weights({"mine": mine, "friend": friend})["mine"].runs[0]
    assert found.same_as == ("friend",)
    assert not supported(found), found.claims


def test_there_are_as_many_false_claims_as_were_asked_for():
    assert len(FALSE) + len(FALSE_OF_PART_2) + len(FRIENDS) >= 40
    assert not SLOW - {*FALSE, *FALSE_OF_PART_2, *FRIENDS, *UNUSUAL, *UNUSUAL_NETWORKS}


def halved(made: Made) -> Made:
    return converted(made, torch.float16)


def converted(made: Made, dtype: torch.dtype) -> Made:
    return replace(
        made,
        weights={
            name: {key: value.to(dtype) for key, value in tensors.items()}
            for name, tensors in made.weights.items()
        },
    )


def averaged(made: Made) -> Made:
    one, other = made.weights["epoch_010"], made.weights["final"]
    return with_final(made, {name: 0.3 * one[name] + 0.7 * value for name, value in other.items()})


def from_epoch_zero(made: Made) -> Made:
    """A logger that counts epochs from zero, and writes the untrained model nowhere."""
    return replace(made, rows={epoch - 1: row for epoch, row in made.rows.items() if epoch})


UNUSUAL: dict[str, Change] = {
    "half precision": halved,
    "bfloat16": lambda one: converted(one, torch.bfloat16),
    "float64": lambda one: converted(one, torch.float64),
    "averaged weights, and a curve of those before": averaged,
    "the best epoch instead of the last": lambda one: with_final(one, one.weights["tested"]),
    "early stopping": lambda one: option(one, epochs=80),
    "no summary": lambda one: replace(one, summary={}),
    "no table": lambda one: replace(one, rows={}),
    "no options": lambda one: replace(one, options={"num_filters": one.options["num_filters"]}),
    "no weights of the tested epoch": lambda one: replace(
        one, weights={name: value for name, value in one.weights.items() if name != "tested"}
    ),
    "a table without the untrained model": lambda one: replace(
        one, rows={epoch: row for epoch, row in one.rows.items() if epoch}
    ),
    "a table of a resumed run, from epoch 6 on": lambda one: replace(
        one, rows={epoch: row for epoch, row in one.rows.items() if epoch > 5}
    ),
    "epochs counted from zero": from_epoch_zero,
    "a scheduler's column": lambda one: one.with_rows(lr=dict.fromkeys(one.rows, 0.001)),
    "rounded to two digits": lambda one: replace(
        score(one, round(one.summary["test_bpd"], 2)),
        rows={
            epoch: {name: round(value, 2) for name, value in row.items()} for epoch, row in one.rows.items()
        },
    ),
    "another machine's last digits": lambda one: scaled(one, 1.002),
}


@pytest.mark.parametrize("change", tried(UNUSUAL))
def test_what_is_unusual_is_not_contradicted(vae, judged, change):
    run = judged(change(vae))
    assert not contradicted(run), run.claims
    assert run.claims


UNUSUAL_NETWORKS = {
    "batch normalization": BATCH_NORM,
    "layers normalized": LAYER_NORM,
    "weights normalized": WEIGHT_NORM,
}


@pytest.mark.parametrize("source", tried(UNUSUAL_NETWORKS))
def test_other_networks_are_judged_as_well(images, judged, source):
    space = space_of(source)
    torch.manual_seed(4)
    pair = (space["CNNEncoder"](1, FILTERS, 20), space["CNNDecoder"](16, FILTERS, 20))
    run = judged(train_vae(pair, images, 3, "vae_z_dim_20", 20), files={NETWORKS: source.encode()})
    assert not contradicted(run), run.claims
    assert supported(run) >= {Kind.Z_DIM, Kind.START, *VALUES}


def test_a_running_mean_of_the_weights_is_judged_as_well(vae, images, judged):
    """Weights averaged over the last epochs, with a table of what these come to."""
    networks = load_part("solutions/part1").cnn_encoder_decoder
    made = averaged(vae)
    encoder, decoder = (
        networks.CNNEncoder(z_dim=20, num_filters=FILTERS),
        networks.CNNDecoder(16, FILTERS, 20),
    )
    for name, network in (("encoder", encoder), ("decoder", decoder)):
        network.load_state_dict(
            {
                key.removeprefix(f"{name}."): value
                for key, value in made.weights["final"].items()
                if name in key
            }
        )
    values = {
        name: bpd(encoder, decoder, levels(some_of(images[name], MANY))) for name in ("validation", "test")
    }
    run = judged(score(made.with_rows(val_bpd={11: values["validation"]}), values["test"]))
    assert not contradicted(run), run.claims
    assert supported(run) >= VALUES


def test_there_are_as_many_true_claims_in_unusual_ways():
    assert len(UNUSUAL) + len(UNUSUAL_NETWORKS) + 1 >= 20
