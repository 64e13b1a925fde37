"""Item 2.5.discriminator_loss: `get_loss_discriminator`, judged by a discriminator of the grader's."""

from typing import Any

import pytest
import torch
from torch.nn.functional import cosine_similarity

from grader.suites.diagnosis import looks_for_a_cause, tried
from grader.suites.draw import Draw
from grader.suites.expect import close, expect, expect_close, expect_finite, expect_scalar, fail
from grader.suites.part import Part
from grader.suites.part2.chance import expect_standard_normal
from grader.suites.part2.gradients import gradients_of_weights
from grader.suites.part2.judge import Z_DIM, Judge, with_judge
from grader.suites.part2.known_losses import cross_entropy, factor, fitting, it_is, of_discriminator
from grader.suites.severity import WHOLE

pytestmark = pytest.mark.item("2.5.discriminator_loss")

# A clamped cross-entropy of logits that are wrong by far is at least this.
WRONG = 9.0
# That the discriminator may be asked about: memory and time here follow their number.
MOST_ASKED, MOST_PER_CODE = 1000, 50
PRIOR = "z_real is as many codes of the prior as z_fake has, each drawn by itself: torch.randn_like(z_fake)"
LOSSES = (
    "loss_real is the cross-entropy of the logits of prior samples against ones, loss_fake that of the "
    "logits of z_fake against zeros, disc_loss their mean (or sum)"
)


NOT_CUT = "no .detach() and no no_grad around the discriminator; only z_fake may be detached"
# The loss may be the mean of its terms, or their sum.
MEAN_OR_SUM = (1.0, 0.5)


class Judged:
    """One call of the loss, with what the discriminator was asked, sorted into real and fake.

    Attributes:
        loss: float64 scalar.
        log: the dictionary for the log.
        fake: the codes of images, `[B, z_dim]`.
        real: the codes of the prior that the loss compares with, `[N, z_dim]`; one row for the whole batch
            counts as many times.
        drawn: how many rows of them the discriminator saw, where one stands for the whole batch 1.
    """

    def __init__(self, judge: Judge, z_fake: torch.Tensor, value: Any = None) -> None:
        value = judge.model.get_loss_discriminator(z_fake) if value is None else value
        if not isinstance(value, tuple | list) or len(value) != 2 or not isinstance(value[1], dict):
            fail("get_loss_discriminator should return the loss and a dictionary", "return disc_loss, {...}")
        self.loss = expect_scalar(value[0], "the discriminator's loss", "average over the batch")
        self.log: dict[str, Any] = value[1]
        self.judge, self.fake = judge, z_fake
        rows = other_rows(judge.seen(), z_fake)
        self.drawn = len(rows)
        self.real = self.compared(rows)
        self.loss_real = cross_entropy(judge.logits(self.real), 1)
        self.loss_fake = cross_entropy(judge.logits(z_fake), 0)

    def compared(self, rows: torch.Tensor) -> torch.Tensor:
        """Which of the codes besides those of images the loss compares with.

        It may ask about more: about others for the shape of the labels, or again for a log. Then as many in
        a row as there are codes of images count, those that its value tells of. Among many rows some are near
        that value by chance: those count only that are nearer than all rows together.
        """
        count = len(self.fake)
        if len(rows) == 1:
            return rows.expand(count, -1)
        if len(rows) <= count:
            return rows
        fake = cross_entropy(self.judge.logits(self.fake), 0)

        def total(real: torch.Tensor) -> torch.Tensor:
            return cross_entropy(self.judge.logits(real), 1) + fake

        def off(real: torch.Tensor) -> float:
            return min(abs(float(self.loss - share * total(real))) for share in MEAN_OR_SUM)

        nearest = min((rows[start : start + count] for start in range(len(rows) - count + 1)), key=off)
        if fitting(self.loss, {"right": total(nearest)}, MEAN_OR_SUM) and off(nearest) < off(rows):
            self.drawn = count
            return nearest
        return rows


def other_rows(seen: list[torch.Tensor], z_fake: torch.Tensor) -> torch.Tensor:
    """The codes besides z_fake, in the order in which the discriminator met them, each once: `[N, z_dim]`.

    In one call with all codes or in several, real or fake first, some twice: all of it is right.
    """
    count, width = z_fake.shape
    seen = [codes[None] if codes.dim() == 1 else codes for codes in seen]
    wrong = [list(codes.shape) for codes in seen if codes.dim() != 2 or codes.shape[1] != width]
    if not seen or wrong:
        fail(
            "the discriminator should be asked about codes "
            f"{list(z_fake.shape)}, but got {wrong[0] if wrong else 'nothing'}",
            PRIOR,
        )
    asked = sum(len(z) for z in seen)
    expect(
        asked <= MOST_ASKED + MOST_PER_CODE * count,
        f"the discriminator is asked about {asked} codes for {count} codes of images",
        PRIOR,
    )
    rows = [tuple(row) for row in torch.cat([codes.double() for codes in seen]).tolist()]
    fakes = {tuple(row) for row in z_fake.tolist()}
    expect(
        fakes <= set(rows),
        "the discriminator is not asked about z_fake as it is",
        "loss_fake judges the codes of the images: self.discriminator(z_fake)",
    )
    others = list(dict.fromkeys(row for row in rows if row not in fakes))
    expect(bool(others), "the discriminator is asked about no codes but those of images", PRIOR)
    return torch.tensor(others, dtype=torch.float64)


def expect_no_constant(results: list[Judged]) -> None:
    """Fail if the loss is the same number for all codes: then it compares nothing."""
    expect(
        len({float(result.loss) for result in results}) > 1,
        f"the discriminator's loss is {float(results[0].loss):.4g} for whatever codes",
        LOSSES,
    )


@looks_for_a_cause
def loss_cause(judge: Judge, draw: Draw) -> str:
    """The mistake in the loss that its values show; empty where none is known to give these."""

    def ratio(count: int) -> float:
        result = Judged(judge, judge.near(draw, count))
        return float(result.loss) / float(result.loss_real + result.loss_fake)

    def find() -> str:
        result = Judged(judge, judge.near(draw, 9))
        if bool(result.loss.isnan()):
            return log_of_logits(judge, draw)
        real, fake = judge.logits(result.real), judge.logits(result.fake)
        return fitting(result.loss, of_discriminator(real, fake), MEAN_OR_SUM) or it_is(
            factor(ratio, shares=MEAN_OR_SUM)
        )

    return tried(find)


def log_of_logits(judge: Judge, draw: Draw) -> str:
    """Whether a loss that is NaN elsewhere is, for positive logits, what their logarithms make."""
    for _ in range(12):
        logit = draw.uniform(1, low=0.3, high=3.0)
        for sign in (1.0, -1.0):
            result = Judged(judge, judge.with_logits(draw, sign * logit))
            real, fake = judge.logits(result.real), judge.logits(result.fake)
            known = {
                "real": -real.log().mean() + result.loss_fake,
                "fake": result.loss_real - (-fake).log().mean(),
                "both": -real.log().mean() - (-fake).log().mean(),
                "the other": -real.log().mean() - fake.log().mean(),
            }
            if fitting(result.loss, known, MEAN_OR_SUM):
                return "it is the log of a logit, which may be negative"
    return ""


@looks_for_a_cause
def loss_hint(judge: Judge, draw: Draw, otherwise: str = LOSSES) -> str:
    """The hint for whatever is wrong with the loss: one for all checks."""
    cause = loss_cause(judge, draw)
    return f"{cause}; {LOSSES}" if cause else otherwise


def expect_number(loss: torch.Tensor, judge: Judge, draw: Draw) -> None:
    """Fail if a loss of small logits is NaN."""
    if bool(loss.isnan()):
        fail("the discriminator's loss is NaN for small logits", loss_hint(judge, draw), WHOLE)


def test_compares_with_as_many_codes_of_the_prior(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        # Codes may be far out: a loss that clamps them does not ask about them as they are. What becomes of
        # logits as large as theirs is asked elsewhere.
        far = draw.normal(7, Z_DIM, std=20.0)
        results = [Judged(judge, z_fake) for z_fake in (judge.near(draw, 7), judge.near(draw, 2), far)]
        for result in results:
            count = len(result.fake)
            expect(
                result.drawn in (1, count),  # one for all is no draw from the prior: asked below
                f"besides {count} codes of images the discriminator sees {result.drawn} different codes of "
                "the prior",
                PRIOR,
            )
        for result in results[:2]:
            expect_number(result.loss, judge, draw)
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
                "some of the codes called real are others with another sign",
                "draw every element of every row by itself",
            )
        # 2e-9 for the two-sided 6 sigma of a correlation over 7,500 independent pairs.
        shared = (batches[0] * batches[1]).sum().item() / batches[0].numel() ** 0.5
        expect(abs(shared) < 6, "the codes called real repeat from call to call", "draw afresh in every call")
        expect_no_constant(results)
        # What the discriminator was asked is a record in the box: where the loss of a few codes is that of
        # its record, the loss of many must be, too.
        if of_its_record(Judged(judge, judge.near(draw, 9))):
            expect(
                all(of_its_record(result) for result in results),
                "the codes that the loss compares with are not those that the discriminator is asked about",
                "judge torch.randn codes, and compute the loss from what comes back",
            )

    with_judge(part2, draw, check)


def of_its_record(result: Judged) -> bool:
    """Whether a loss is the cross-entropy, as a sum or a mean, of the codes that were asked about."""
    total = result.loss_real + result.loss_fake
    return any(close(result.loss, due, rtol=1e-3, atol=1e-4) for due in (total, total / 2))


def test_real_against_ones_and_fake_against_zeros(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        for count in (9, 1):
            result = Judged(judge, judge.near(draw, count))
            total = result.loss_real + result.loss_fake
            if not close(result.loss, total, rtol=1e-4, atol=1e-6):  # the sum is right as well
                expect_number(result.loss, judge, draw)
                if not close(result.loss, total / 2, rtol=1e-4, atol=1e-5):
                    hint = loss_hint(judge, draw)
                    expect_close(result.loss, total / 2, "the discriminator's loss", hint)

    with_judge(part2, draw, check)


def test_large_logits_do_not_overflow(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        hint = "F.binary_cross_entropy_with_logits works on logits; log(1 - sigmoid(...)) overflows"
        results = [Judged(judge, judge.codes(draw, 33, sign)) for sign in (1.0, -1.0)]
        for result in results:
            size = float(judge.logits(result.fake).abs().max())
            if not bool(result.loss.isfinite()):
                hint = loss_hint(judge, draw, otherwise=hint)
                expect_finite(result.loss, f"the discriminator's loss for logits up to {size:.0f}", hint)
        # For the one sign the fake codes alone make a mean of two terms, clamped or not, this large. Which
        # sign it is, is asked elsewhere.
        largest = max(abs(float(result.loss)) for result in results)
        if not largest > WRONG / 2:
            fail(
                f"for logits up to {size:.0f} the discriminator's loss is at most {largest:.4g}",
                loss_hint(judge, draw),
            )
        expect_no_constant(results)

    with_judge(part2, draw, check, scale=150.0)


def test_trains_the_discriminator_on_both(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        z_fake = judge.near(draw, 9)
        call = part2.record(judge.model.get_loss_discriminator, z_fake)
        if not isinstance(call.value, tuple | list) or not isinstance(call.value[0], torch.Tensor):
            fail(
                "the discriminator's loss should be a tensor, to be differentiated",
                "return the loss itself, without .item()",
            )
        result = Judged(judge, z_fake, call.value)
        expect_number(result.loss, judge, draw)
        gradients = gradients_of_weights(call, torch.ones_like(call.value[0]), judge.remote)
        gradient = gradients.get("grader_weight")
        if gradient is None:
            fail("no gradient flows from the loss to the discriminator's weights", NOT_CUT)
        real, fake = result.real, z_fake.double()
        of_real = (-(-judge.logits(real)).sigmoid()[:, None] * real).mean(0)
        of_fake = (judge.logits(fake).sigmoid()[:, None] * fake).mean(0)

        def along(expected: torch.Tensor) -> float:
            return float(cosine_similarity(gradient.double(), expected, dim=0))

        cosine = along(of_real + of_fake)
        for kind, other in {"fake": of_real, "real": of_fake}.items():
            if cosine <= 0.999 < along(other):
                fail(
                    f"no gradient flows from the loss of the {kind} codes to the discriminator's weights",
                    loss_hint(judge, draw, otherwise=NOT_CUT),
                )
        if not cosine > 0.999:
            fail(
                "the gradient for the discriminator's weights points another way "
                f"(its cosine with the right one is {cosine:.3f})",
                loss_hint(judge, draw),
            )

    with_judge(part2, draw, check)


def test_log_holds_the_losses(part2: Part, draw: Draw) -> None:
    def check(judge: Judge) -> None:
        result = Judged(judge, judge.near(draw, 9))
        expect_number(result.loss, judge, draw)
        hint = 'the keys are "disc_loss", "loss_real", "loss_fake" and "accuracy"; each holds one number'
        names = ("disc_loss", "loss_real", "loss_fake", "accuracy")
        missing = [name for name in names if name not in result.log]
        expect(not missing, f"the dictionary for the log lacks {', '.join(missing)}", hint)
        number = {name: expect_scalar(result.log[name], f"{name} in the log", hint) for name in names}
        expect_close(number["disc_loss"], result.loss, "disc_loss in the log", "it is the loss returned")
        expect_no_constant([result, Judged(judge, judge.near(draw, 9))])
        exchanged = close(number["loss_real"], result.loss_fake, 1e-4, 1e-6) and close(
            number["loss_fake"], result.loss_real, 1e-4, 1e-6
        )
        expect(
            not exchanged or close(result.loss_real, result.loss_fake, 1e-3, 1e-4),
            "loss_real and loss_fake are exchanged in the log",
            "loss_real is the term of the codes from the prior, loss_fake that of z_fake",
        )
        # Where the loss is right, so are its terms, or halves of them.
        terms = {"loss_real": result.loss_real, "loss_fake": result.loss_fake}
        right = {
            name
            for name, due in terms.items()
            if any(close(number[name], share * due, 1e-4, 1e-6) for share in MEAN_OR_SUM)
        }
        if fitting(result.loss, {"right": result.loss_real + result.loss_fake}, MEAN_OR_SUM):
            for name in terms.keys() - right:
                expect_close(number[name], terms[name], f"{name} in the log", LOSSES)
        # Their own two terms, whatever these are: the loss itself is asked about elsewhere.
        total = number["loss_real"] + number["loss_fake"]
        if len(right) < 2 and not fitting(number["disc_loss"], {"right": total}, MEAN_OR_SUM):
            what = "disc_loss in the log, compared with loss_real and loss_fake"
            expect_close(number["disc_loss"], total / 2, what, LOSSES)

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
        # Another number of codes of the prior costs another check: the two shares may count alike then, and a
        # code that stands for the whole batch once.
        if result.drawn != len(result.fake):
            alike = (real.double().mean() + fake.double().mean()) / 2
            once = torch.cat([real[:1], fake]).double().mean()
            right = next((way for way in (alike, once) if close(accuracy, way, rtol=0, atol=1e-4)), right)
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
