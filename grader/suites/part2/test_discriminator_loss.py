"""Item 2.5.discriminator_loss: `get_loss_discriminator`, judged by a discriminator of the grader's."""

from typing import Any

import pytest
import torch
from torch.nn.functional import cosine_similarity, softplus

from grader.suites.draw import Draw
from grader.suites.expect import close, expect, expect_close, expect_finite, expect_scalar, fail
from grader.suites.part import Part
from grader.suites.part2.chance import expect_standard_normal
from grader.suites.part2.gradients import gradients_of_weights
from grader.suites.part2.judge import Z_DIM, Judge, with_judge

pytestmark = pytest.mark.item("2.5.discriminator_loss")

# A clamped cross-entropy of logits that are wrong by far is at least this.
WRONG = 9.0
MOST_PER_CODE = 50  # that the discriminator is asked about: memory and time here follow their number
LOSSES = (
    "loss_real is the cross-entropy of the logits of prior samples against ones, loss_fake that of the "
    "logits of z_fake against zeros, disc_loss their mean (or sum)"
)


class Judged:
    """One call of the loss, with what the discriminator was asked, sorted into real and fake."""

    def __init__(self, judge: Judge, z_fake: torch.Tensor) -> None:
        value = judge.model.get_loss_discriminator(z_fake)
        if not isinstance(value, tuple | list) or len(value) != 2 or not isinstance(value[1], dict):
            fail("get_loss_discriminator should return the loss and a dictionary", "return disc_loss, {...}")
        self.loss = expect_scalar(value[0], "the discriminator's loss", "average over the batch")
        self.log: dict[str, Any] = value[1]
        self.fake = z_fake
        self.real = other_rows(judge.seen(), z_fake)
        self.loss_real = softplus(-judge.logits(self.real)).mean()
        self.loss_fake = softplus(judge.logits(self.fake)).mean()
        self.judge = judge


def other_rows(seen: list[torch.Tensor], z_fake: torch.Tensor) -> torch.Tensor:
    """The codes besides z_fake, in the order in which the discriminator met them, each once.

    In one call with all codes or in several, real or fake first, some twice: all of it is right.
    """
    count, width = z_fake.shape
    wrong = [list(z.shape) for z in seen if z.dim() != 2 or z.shape[1] != width]
    if not seen or wrong:
        fail(
            "the discriminator should be asked about codes "
            f"{list(z_fake.shape)}, but got {wrong[0] if wrong else 'nothing'}",
            "z_real has the shape of z_fake: torch.randn_like(z_fake)",
        )
    asked = sum(len(z) for z in seen)
    expect(
        asked <= MOST_PER_CODE * count,
        f"the discriminator is asked about {asked} codes for {count} codes of images",
        "as many of the prior as of images, once each",
    )
    rows = list(dict.fromkeys(tuple(row) for row in torch.cat(seen).tolist()))
    fakes = {tuple(row) for row in z_fake.tolist()}
    others = [row for row in rows if row not in fakes]
    expect(
        fakes <= set(rows),
        "the discriminator is not asked about z_fake as it is",
        "loss_fake judges the codes of the images: self.discriminator(z_fake)",
    )
    expect(
        len(others) == count,
        f"besides {count} codes of images the discriminator sees {len(others)} different codes of the prior",
        "draw as many as there are fake ones, each by itself: torch.randn_like(z_fake)",
    )
    return torch.tensor(others, dtype=z_fake.dtype)


def expect_no_constant(results: list[Judged]) -> None:
    """Fail if the loss is the same number for all codes: then it compares nothing."""
    expect(
        len({float(result.loss) for result in results}) > 1,
        f"the discriminator's loss is {float(results[0].loss):.4g} for whatever codes",
        LOSSES,
    )


def expect_logarithm(loss: torch.Tensor) -> None:
    """Fail if a loss of small logits is NaN: a logarithm of something negative."""
    expect(
        not bool(loss.isnan()),
        "the discriminator's loss is NaN for small logits: probably the log of a logit that is negative",
        LOSSES,
    )


def test_compares_with_as_many_codes_of_the_prior(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        # Codes may be far out: a loss that clamps them does not ask about them as they are.
        sizes = ((7, 2.0), (1, 2.0), (7, 20.0))
        results = [Judged(judge, draw.normal(count, Z_DIM, std=std)) for count, std in sizes]
        for result in results:
            expect_logarithm(result.loss)
            expect_finite(result.loss, "the discriminator's loss", LOSSES)
        expect_no_constant(results)

    with_judge(part2, draw, check)


def test_prior_is_standard_normal(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        # Codes far from the prior: what is drawn must not follow them.
        part2.seed(draw.seed())
        results = [Judged(judge, 4 + 0.2 * draw.normal(1500, Z_DIM)) for _ in range(2)]
        batches = [result.real for result in results]
        expect(
            not torch.equal(*batches),
            "every call draws the same codes",
            "draw afresh; set no seed in the loss",
        )
        for codes in batches:
            expect_standard_normal(codes, "the codes called real")
            # Rows of five float32 numbers are never the same by chance, whatever their signs.
            expect(
                len(codes.abs().unique(dim=0)) == len(codes),
                "half of the codes called real are the other half with another sign",
                "draw every element of every row by itself",
            )
        # 2e-9 for the two-sided 6 sigma of a correlation over 7,500 independent pairs.
        shared = (batches[0] * batches[1]).sum().item() / batches[0].numel() ** 0.5
        expect(abs(shared) < 6, "the codes called real repeat from call to call", "draw afresh in every call")
        expect_no_constant(results)

    with_judge(part2, draw, check)


def likely_cause(result: Judged) -> str:
    """The mistake that gives exactly this loss, if it is a known one."""
    real, fake = result.judge.logits(result.real), result.judge.logits(result.fake)
    flipped = softplus(real).mean() + softplus(-fake).mean()
    known = {
        "the labels are flipped": flipped,
        "only the real codes count": result.loss_real,
        "only the fake codes count": result.loss_fake,
        "both kinds have target 1": result.loss_real + softplus(-fake).mean(),
        "both kinds have target 0": softplus(real).mean() + result.loss_fake,
        "the fake codes have target -1": result.loss_real + (softplus(fake) + fake).mean(),
        "the loss of the fake codes is subtracted instead of added": result.loss_real - result.loss_fake,
        "the loss of the real codes is subtracted instead of added": result.loss_fake - result.loss_real,
        "its sign is flipped": -result.loss_real - result.loss_fake,
    }
    for cause, value in known.items():
        if close(result.loss, value, 1e-4, 1e-6) or close(result.loss, value / 2, 1e-4, 1e-6):
            return f"{cause}; {LOSSES}"
    return LOSSES


def test_real_against_ones_and_fake_against_zeros(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        for count in (9, 1):
            result = Judged(judge, draw.normal(count, Z_DIM, std=2.0) - judge.weight)
            total = result.loss_real + result.loss_fake
            if not close(result.loss, total, rtol=1e-4, atol=1e-6):  # the sum is right as well
                expect_close(result.loss, total / 2, "the discriminator's loss", likely_cause(result))

    with_judge(part2, draw, check, scale=2.0)


def test_large_logits_do_not_overflow(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        hint = "F.binary_cross_entropy_with_logits works on logits; log(1 - sigmoid(...)) overflows"
        results = [Judged(judge, judge.codes(draw, 33, sign)) for sign in (1.0, -1.0)]
        for result in results:
            size = float(judge.logits(result.fake).abs().max())
            expect_finite(result.loss, f"the discriminator's loss for logits up to {size:.0f}", hint)
        # For the one sign the fake codes alone make a mean of two terms, clamped or not, this large. Which
        # sign it is, is asked elsewhere.
        expect(
            max(abs(float(result.loss)) for result in results) > WRONG / 2,
            f"for logits up to {size:.0f} the discriminator's loss is {float(result.loss):.4g}",
            hint,
        )
        expect_no_constant(results)

    with_judge(part2, draw, check, scale=150.0)


def test_trains_the_discriminator_on_both(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        z_fake = draw.normal(9, Z_DIM, std=2.0)
        call = part2.record(judge.model.get_loss_discriminator, z_fake)
        real = other_rows(judge.seen(), z_fake)
        if not isinstance(call.value, tuple | list) or not isinstance(call.value[0], torch.Tensor):
            fail(
                "the discriminator's loss should be a tensor, to be differentiated",
                "return the loss itself, without .item()",
            )
        gradients = gradients_of_weights(call, torch.ones_like(call.value[0]), judge.remote)
        hint = "no .detach() and no no_grad around the discriminator; only z_fake may be detached"
        gradient = gradients.get("grader_weight")
        if gradient is None:
            fail("no gradient flows from the loss to the discriminator's weights", hint)
        to_real, to_fake = -(-judge.logits(real)).sigmoid(), judge.logits(z_fake).sigmoid()
        expected = (to_real[:, None] * real).mean(0) + (to_fake[:, None] * z_fake).mean(0)
        cosine = float(cosine_similarity(gradient.double(), expected, dim=0))
        terms = {"fake": (to_real[:, None] * real).mean(0), "real": (to_fake[:, None] * z_fake).mean(0)}
        for kind, other in terms.items():
            alone = float(cosine_similarity(gradient.double(), other, dim=0))
            expect(
                cosine > 0.999 or alone <= 0.999,
                f"no gradient flows from the loss of the {kind} codes to the discriminator's weights",
                f"{LOSSES}; {hint}",
            )
        expect(
            cosine > 0.999,
            "the gradient for the discriminator's weights points another way "
            f"(its cosine with the right one is {cosine:.3f})",
            f"{LOSSES}; {hint}",
        )

    with_judge(part2, draw, check)


def test_log_holds_the_losses(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        result = Judged(judge, draw.normal(9, Z_DIM, std=2.0))
        hint = 'the keys are "disc_loss", "loss_real", "loss_fake" and "accuracy"; each holds one number'
        names = ("disc_loss", "loss_real", "loss_fake", "accuracy")
        missing = [name for name in names if name not in result.log]
        expect(not missing, f"the dictionary for the log lacks {', '.join(missing)}", hint)
        number = {name: expect_scalar(result.log[name], f"{name} in the log", hint) for name in names}
        expect_close(number["disc_loss"], result.loss, "disc_loss in the log", "it is the loss returned")
        expect_no_constant([result, Judged(judge, draw.normal(9, Z_DIM, std=2.0))])
        exchanged = close(number["loss_real"], result.loss_fake, 1e-4, 1e-6) and close(
            number["loss_fake"], result.loss_real, 1e-4, 1e-6
        )
        expect(
            not exchanged or close(result.loss_real, result.loss_fake, 1e-3, 1e-4),
            "loss_real and loss_fake are exchanged in the log",
            "loss_real is the term of the codes from the prior, loss_fake that of z_fake",
        )
        # Where the loss is right, so are its terms, or halves of them.
        whole = result.loss_real + result.loss_fake
        if any(close(result.loss, share * whole, 1e-4, 1e-6) for share in (0.5, 1.0)):
            for name, due in (("loss_real", result.loss_real), ("loss_fake", result.loss_fake)):
                if not close(number[name], due / 2, 1e-4, 1e-6):
                    expect_close(number[name], due, f"{name} in the log", LOSSES)
        # Their own two terms, whatever these are: the loss itself is asked about elsewhere.
        total = number["loss_real"] + number["loss_fake"]
        if not close(number["disc_loss"], total, rtol=1e-4, atol=1e-6):
            expect_close(
                number["disc_loss"], total / 2, "disc_loss in the log, from loss_real and loss_fake,", LOSSES
            )

    with_judge(part2, draw, check)


def test_accuracy_counts_logits_on_the_right_side_of_zero(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        # With a threshold of 0.5 on logits fewer real codes count: a fifth of them have logits in between,
        # at least one of 80 but for a chance of 2e-8. No fake code may have one there to make up for it.
        # And of the fake ones 95% are on the right side, of the real ones 62%: never as many of both.
        logits = torch.cat([torch.linspace(-1.0, -0.02, 76), torch.linspace(0.6, 1.2, 4)])
        along = (logits - judge.bias)[:, None] * judge.weight
        across = draw.normal(80, Z_DIM)
        across = across - (across @ judge.weight)[:, None] * judge.weight
        result = Judged(judge, along + across)
        hint = "the fraction of codes with logits_real > 0 or logits_fake < 0 (a logit of 0 is one half)"
        expect("accuracy" in result.log, "the dictionary for the log lacks accuracy", hint)
        accuracy = expect_scalar(result.log["accuracy"], "accuracy in the log", hint)
        real, fake = judge.logits(result.real) > 0, judge.logits(result.fake) < 0
        right = torch.cat([real, fake]).double().mean()
        known = {
            "that is the share of wrong answers": 1 - right,
            "only the real codes are counted": real.double().mean(),
            "only the fake codes are counted": fake.double().mean(),
            "that is a percentage": 100 * right,
            "the threshold of 0.5 is for probabilities, not for logits": torch.cat(
                [judge.logits(result.real) > 0.5, judge.logits(result.fake) < 0.5]
            )
            .double()
            .mean(),
            "logits are compared with labels for equality, not with a threshold": right * 0,
        }
        causes = [cause for cause, value in known.items() if close(accuracy, value, 0, 1e-4)]
        expect_close(accuracy, right, "accuracy in the log", "; ".join([*causes, hint]), rtol=0, atol=1e-4)

    with_judge(part2, draw, check)
