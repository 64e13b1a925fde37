"""The suites of part 1 on hand-ins in other styles, and what they say of mistakes in these."""

import pytest

from tests.suites.part1 import variants
from tests.suites.part1.hand_in_mistakes import WRONG, WRONG_OPTIMIZERS
from tests.suites.part1.hand_ins import (
    RIGHT,
    RIGHT_DTYPES,
    RIGHT_IDIOMS,
    RIGHT_NETWORKS,
    RIGHT_OPTIMIZERS,
)
from tests.suites.part1.variants import (
    BPD,
    DECODER,
    ENCODER,
    FORWARD,
    KLD,
    MANIFOLD,
    REPARAMETERIZE,
    SAMPLE,
    TRAINING,
)
from tests.suites.variants import Mark, Variant, check, edited, named

ALL = frozenset({REPARAMETERIZE, KLD, BPD, ENCODER, DECODER, FORWARD, TRAINING, SAMPLE, MANIFOLD})
QUICK = ALL - {TRAINING}


@named(tuple(variant for variant in WRONG if variant.item != TRAINING)[::2])
def test_a_mistake_costs_its_item(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({variant.item}))


@named(RIGHT_DTYPES + RIGHT_IDIOMS)
def test_right_code_in_other_words(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, QUICK)


@named(RIGHT_NETWORKS)
def test_right_networks(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({ENCODER, DECODER}))


@named((RIGHT_DTYPES[0], RIGHT_DTYPES[3], *RIGHT_OPTIMIZERS[3:8:2]))
def test_right_trainings(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({TRAINING}))


@named(WRONG_OPTIMIZERS[::3])
def test_wrong_optimizers(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({TRAINING}))


@pytest.mark.slow
@named(RIGHT + WRONG)
def test_hand_ins(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, ALL)


def test_an_unwritten_forward_earns_nothing_with_the_given_optimizer(
    mark: Mark, solution: dict[str, bytes]
) -> None:
    unwritten = Variant(
        "no forward",
        ((variants.ENCODED, 'raise NotImplementedError("Question 1.7")\n        ' + variants.ENCODED),),
        file=variants.TRAIN,
    )
    result = mark(edited(solution, unwritten), frozenset({TRAINING}))[TRAINING]
    assert result.points == 0
    assert {one.status for one in result.checks} == {"not_implemented"}


def test_a_forward_that_looks_at_nothing_earns_nothing_either(mark: Mark, solution: dict[str, bytes]) -> None:
    idle = Variant(
        "a forward of nothing",
        (
            (
                variants.ENCODED,
                "return (sum(p.square().sum() for p in self.parameters()),) * 3\n        " + variants.ENCODED,
            ),
        ),
        file=variants.TRAIN,
    )
    broken = Variant(
        "networks of nothing",
        (
            (
                variants.HEADS,
                "torch.zeros(len(x), self.mean.out_features), torch.zeros(len(x), self.mean.out_features)",
            ),
            (variants.DECODED, "return torch.zeros(len(z), 16, 28, 28)"),
        ),
        file=variants.NETWORKS,
    )
    result = mark(edited(edited(solution, idle), broken), frozenset({TRAINING}))[TRAINING]
    assert result.points == 0, [(one.name, one.status) for one in result.checks]


NOT_INSTANTIATED = ((variants.ENCODER_LAYERS, variants.ENCODER_LAYERS.replace("nn.GELU()", "nn.GELU")),)
UPSAMPLED = "nn.ConvTranspose2d(2 * c, 2 * c, kernel_size=3, padding=1, stride=2"


@pytest.mark.parametrize(
    ("edits", "kept"),
    [
        # 32 x 32 pixels: a slip, beside an encoder that does not run.
        (((UPSAMPLED, UPSAMPLED + ", output_padding=1"),), True),
        # No decoder either: then there is nothing of a VAE to train.
        (((variants.DECODED, "return torch.zeros(len(z), 16, 28, 28)"),), False),
    ],
)
def test_a_slip_beside_an_encoder_that_does_not_run_leaves_the_training_its_points(
    mark: Mark, solution: dict[str, bytes], edits: tuple[tuple[str, str], ...], kept: bool
) -> None:
    both = Variant("two mistakes", NOT_INSTANTIATED + edits, file=variants.NETWORKS)
    result = mark(edited(solution, both), frozenset({TRAINING}))[TRAINING]
    assert (result.points == result.max_points) is kept, [(one.name, one.message) for one in result.checks]
    assert kept or not result.points


# The name of an entry -> words that have to be said of it, and words that would be false.
SAID = {
    (FORWARD, "the mean while evaluating"): (
        ("mean instead of a sample", "evaluation mode only"),
        ("gradient",),
    ),
    (FORWARD, "label smoothing"): (("labels are smoothed, by 0.1",), ("scrambled", "sign")),
    (FORWARD, "free bits of every latent"): (("free bits: every latent", "at least 0.3 nats"), ()),
    (FORWARD, "divided by 128"): (("summed over the batch and divided by 128",), ("no cross-entropy",)),
    (FORWARD, "divided by 784"): (("divided by 784",), ("averaged over the pixels instead",)),
    (FORWARD, "half of the KL"): (("divided by 2, a fixed number",), ("check what KLD is given",)),
    (FORWARD, "a weighted KL in the loss"): (("weighted by 4",), ("left out", "subtracted")),
    (FORWARD, "tanh on the logits"): (("a tanh is applied",), ("sigmoid", "softmax is applied", "scrambled")),
    (FORWARD, "channels last by a view"): (("scrambled",), (".item()", ".detach()", "gradient")),
    (FORWARD, "reshape without permute"): (("scrambled",), (".item()", ".detach()", "gradient")),
    (FORWARD, "another order"): (("in another order",), ("free bits", "smoothed", "fixed number")),
    (FORWARD, "at least one nat"): (("the sum over the latents counts at least 1 nats",), ("every latent",)),
    (SAMPLE, "levels one too high"): (("one too high",), ("permute", "scrambled", "not drawn")),
    (SAMPLE, "levels one too low, round the end"): (("one too low",), ("permute", "scrambled")),
    (SAMPLE, "tanh before the softmax"): (("a tanh is applied",), ("sigmoid", "permute")),
    (SAMPLE, "latents of another dtype than the weights"): (("float64", "float32"), ("permute",)),
    (MANIFOLD, "the probability of ink"): (("probability of ink",), ("scaled by itself", "scale_each")),
    (MANIFOLD, "every image scaled by itself"): (("scaled by itself",), ("probability of", "softmax is")),
    (MANIFOLD, "tanh before the softmax"): (("a tanh is applied",), ("sigmoid", "scaled by itself")),
    (MANIFOLD, "sigmoid"): (("a sigmoid takes",), ("tanh",)),
    (ENCODER, "another default of z_dim"): (
        ("the default of z_dim in CNNEncoder should be 20, but is 2",),
        ("num_input_channels: it", "hard-coded"),
    ),
    (ENCODER, "arguments in another order"): (("in another order",), ("follow from", "hard-coded")),
    (DECODER, "an argument of another name"): (("num_input_channels is no argument of it",), ("hard-coded",)),
    (ENCODER, "divided by the maximum of the batch"): (("the other inputs of its batch",), ("random",)),
    (ENCODER, "normalized codes"): (("with z_dim=2", "no normalization"), ("activation",)),
    (ENCODER, "weights in bfloat16"): (("bfloat16", "keep the weights in float32 or float64"), ()),
    (TRAINING, "the encoder alone"): (
        ("all weights of the decoder as they were",),
        ("of the encoder", "rate is"),
    ),
    (TRAINING, "a rate of zero"): (("learning rate is 0",), ("all weights of the", "should train all")),
    (TRAINING, "a rate written in"): (("does not follow lr",), ("as they were", "is 0")),
    (KLD, "four times"): (("4 times as large",), ("sign is flipped", "free bits")),
    (KLD, "free bits"): (("free bits: every latent counts at least 0.125 nats",), ("times as large",)),
    (REPARAMETERIZE, "half of the normal"): (("no negative values",), ("not torch.rand;",)),
    (REPARAMETERIZE, "uniform noise"): (("uniform between 0 and 1",), ()),
}
ENTRIES = {(variant.item, variant.name): variant for variant in variants.WRONG + WRONG}


@pytest.mark.parametrize("key", SAID, ids=[f"{item}: {name}" for item, name in SAID])
def test_what_is_said_of_a_mistake(mark: Mark, solution: dict[str, bytes], key: tuple[str, str]) -> None:
    words, false = SAID[key]
    variant = ENTRIES[key]
    for draw in (b"first", b"second"):  # now and then all drawn values are beyond what a mistake changes
        files = edited(solution, variant) | {"part1/note.txt": draw}  # other files, other values
        result = mark(files, frozenset({variant.item}))[variant.item]
        said = " ".join(f"{one.message} {one.hint}" for one in result.checks if one.status != "passed")
        assert [word for word in false if word in said] == [], said
        assert ",:" not in said
        assert ", :" not in said
        lacking = [word for word in words if word not in said]
        if not lacking:
            return
    raise AssertionError(f"{lacking} is not said: {said}")


def test_scrambled_pixels_cost_one_check(mark: Mark, solution: dict[str, bytes]) -> None:
    for name in ("reshape without permute", "channels last by a view"):
        result = mark(edited(solution, ENTRIES[FORWARD, name]), frozenset({FORWARD}))[FORWARD]
        failed = [one.name for one in result.checks if one.status != "passed"]
        assert failed == ["reconstruction_loss_is_the_summed_cross_entropy"]


def test_a_changed_default_costs_one_check(mark: Mark, solution: dict[str, bytes]) -> None:
    for name in ("another default of z_dim", "arguments in another order"):
        results = mark(edited(solution, ENTRIES[ENCODER, name]), QUICK)
        failed = [one.name for item in results.values() for one in item.checks if one.status != "passed"]
        assert failed == ["has_the_given_signature"]
