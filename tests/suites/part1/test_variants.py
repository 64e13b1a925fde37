"""The suites of part 1 on wrong and right variants of the solutions: one mistake costs one item."""

import pytest

from tests.suites.part1.variants import (
    BATCH_NORM,
    BPD,
    DECODER,
    DROPOUT,
    ENCODER,
    FORWARD,
    KLD,
    MANIFOLD,
    MLP,
    NETWORKS,
    ONE_HOT,
    REPARAMETERIZE,
    RIGHT,
    RIGHT_FORWARD,
    RIGHT_HELPERS,
    RIGHT_MANIFOLDS,
    RIGHT_NETWORKS,
    RIGHT_SAMPLES,
    SAMPLE,
    TRAIN,
    TRAINING,
    UNSCALED,
    UTILS,
    WRONG,
    WRONG_FORWARD,
    WRONG_HELPERS,
    WRONG_NETWORKS,
)
from tests.suites.variants import Mark, Variant, check, edited, named

QUICK = frozenset({REPARAMETERIZE, KLD, BPD, ENCODER, DECODER, FORWARD, SAMPLE, MANIFOLD})
# Each of these costs the points of the training, too: nothing can be learned with it, or the wrong thing.
# A detached encoder or latent is not among them: in so few steps the decoder hardly listens to z.
TRAINED_WRONG = tuple(
    variant
    for variant in WRONG_NETWORKS + WRONG_FORWARD
    if (variant.item, variant.name)
    in {
        (ENCODER, "activation not instantiated"),
        (DECODER, "tanh on the logits"),
        (DECODER, "softmax"),
        (FORWARD, "KL subtracted"),
        (FORWARD, "KL left out"),
        (FORWARD, "reshape without permute"),
    }
)
# Not these: helpers of their own items take their places.
TRAINED_HELPERS = tuple(
    variant
    for variant in WRONG_HELPERS
    if (variant.item, variant.name)
    in {
        (REPARAMETERIZE, "one eps shared by the batch"),
        (REPARAMETERIZE, "no noise"),
        (REPARAMETERIZE, "torch.normal has no gradient"),
        (REPARAMETERIZE, "std taken for its logarithm"),
        (KLD, "summed over the batch"),
        (KLD, "flipped sign"),
        (KLD, "detached"),
        (BPD, "flipped sign"),
        (BPD, "multiplied"),
        (BPD, "a number"),
    }
)


# Half of them, to be quick: the slow tests try them all.
@named(WRONG[::2])
def test_a_mistake_costs_its_item(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({variant.item}))


@named(RIGHT_HELPERS)
def test_right_helpers(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    own = {"noi": REPARAMETERIZE, "add": REPARAMETERIZE, "KLD": KLD, "bpd": BPD}[variant.name[:3]]
    check(mark, edited(solution, variant), variant, frozenset({own, FORWARD}))


@named(RIGHT_FORWARD)
def test_right_forward(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({FORWARD}))


@named(RIGHT_SAMPLES)
def test_right_samples(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({SAMPLE}))


@named(RIGHT_MANIFOLDS)
def test_right_manifolds(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({MANIFOLD}))


@named(RIGHT_NETWORKS)
def test_right_networks(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({ENCODER, DECODER}))


@pytest.mark.slow
@named(WRONG)
def test_a_mistake_costs_no_other_item(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, QUICK)


@pytest.mark.slow
@named(RIGHT)
def test_right_code_written_another_way(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, QUICK)


@pytest.mark.slow
@named(TRAINED_WRONG)
def test_what_spoils_the_training(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    assert TRAINING in variant.also
    spoilt = Variant(variant.name, variant.edits, TRAINING, variant.file)
    check(mark, edited(solution, spoilt), spoilt, frozenset({TRAINING}))


@pytest.mark.slow
@named(TRAINED_HELPERS)
def test_wrong_helpers_do_not_cost_the_training(
    mark: Mark, solution: dict[str, bytes], variant: Variant
) -> None:
    check(mark, edited(solution, variant), variant, frozenset({variant.item, TRAINING}))


@pytest.mark.slow
@named((BATCH_NORM, MLP, DROPOUT, UNSCALED, ONE_HOT))
def test_trainings_of_right_code(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({TRAINING}))


def test_there_are_enough_variants() -> None:
    assert len(WRONG) >= 120
    assert len(RIGHT) >= 25
    assert len(TRAINED_WRONG) == 6
    assert len(TRAINED_HELPERS) == 10
    assert {variant.file for variant in WRONG} == {UTILS, NETWORKS, TRAIN}
    assert {variant.item for variant in WRONG} == QUICK
