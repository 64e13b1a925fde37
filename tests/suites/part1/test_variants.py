"""The suites of part 1 on wrong and right variants of the solutions: one mistake costs one item."""

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.submission import Submission
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
    NETWORKS_BUILT,
    ONE_HOT,
    REPARAMETERIZE,
    RIGHT,
    RIGHT_FORWARD,
    RIGHT_HELPERS,
    RIGHT_MANIFOLDS,
    RIGHT_NETWORKS,
    RIGHT_NETWORKS_OF_THE_VAE,
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
# With each of these the training fails. Its points stay: one piece is wrong, and that has its own item.
TRAINED_WRONG = tuple(
    variant
    for variant in WRONG_NETWORKS + WRONG_FORWARD
    if (variant.item, variant.name)
    in {
        (DECODER, "tanh on the logits"),
        (DECODER, "softmax"),
        (FORWARD, "KL subtracted"),
        (FORWARD, "KL left out"),
        (FORWARD, "reshape without permute"),
    }
)
# With these, too, and nothing is right about the piece: no training can be taken for right.
NOT_EXCUSED = tuple(variant for variant in WRONG_NETWORKS + WRONG_FORWARD if TRAINING in variant.also)
# These do not even spoil it: crude helpers take their places.
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


@named(RIGHT_NETWORKS_OF_THE_VAE)
def test_right_networks_of_the_vae(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({FORWARD, SAMPLE}))


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
def test_a_mistake_in_one_piece_does_not_cost_the_training(
    mark: Mark, solution: dict[str, bytes], variant: Variant
) -> None:
    check(mark, edited(solution, variant), variant, frozenset({variant.item, TRAINING}))


@pytest.mark.slow
@named(NOT_EXCUSED)
def test_a_piece_that_is_all_wrong_costs_the_training(
    mark: Mark, solution: dict[str, bytes], variant: Variant
) -> None:
    spoilt = Variant(variant.name, variant.edits, TRAINING, variant.file)
    check(mark, edited(solution, spoilt), spoilt, frozenset({TRAINING}))


TWO_MISTAKES = Variant(
    "KL subtracted, tanh on the logits",
    tuple(edit for variant in TRAINED_WRONG if variant.name == "KL subtracted" for edit in variant.edits),
    file=TRAIN,
)
FROZEN = Variant(
    "a frozen decoder beside a KL that is subtracted",
    (*TWO_MISTAKES.edits, (NETWORKS_BUILT, NETWORKS_BUILT + "        self.decoder.requires_grad_(False)\n")),
    TRAINING,
    TRAIN,
)


@pytest.mark.slow
def test_mistakes_in_two_pieces_cost_their_own_items(mark: Mark, solution: dict[str, bytes]) -> None:
    (tanh,) = (variant for variant in TRAINED_WRONG if variant.name == "tanh on the logits")
    check(mark, edited(edited(solution, tanh), TWO_MISTAKES), TWO_MISTAKES, frozenset({TRAINING}))


@pytest.mark.slow
def test_a_mistake_excuses_no_other_reason_why_the_training_fails(
    mark: Mark, solution: dict[str, bytes]
) -> None:
    check(mark, edited(solution, FROZEN), FROZEN, frozenset({TRAINING}))


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
    assert len(TRAINED_WRONG) == 5
    assert len(NOT_EXCUSED) == 4
    assert len(TRAINED_HELPERS) == 10
    assert {variant.file for variant in WRONG} == {UTILS, NETWORKS, TRAIN}
    assert {variant.item for variant in WRONG} == QUICK


def test_a_limit_on_the_loss_is_not_taken_for_another_sample(solution: dict[str, bytes]) -> None:
    # A draw with which logits that depended strongly on z met the limit: 1 nat of 1,229, half of the points.
    limited = next(variant for variant in WRONG_FORWARD if variant.family == "limited")
    marker = Marker(MarkingOptions(seed=2))
    result = marker.mark(Submission("variant", edited(solution, limited)), frozenset({FORWARD}))
    marker.close()
    failed = [check.name for check in result.items[0].checks if check.status != "passed"]
    assert failed == ["reconstruction_loss_is_the_summed_cross_entropy"]
