"""Question 2.5, `AdversarialAE.get_loss_discriminator` in part2/models.py: what the discriminator minimizes.

The codes of these tests are all 100, far from any draw of the prior. So the test can tell which codes the
discriminator is asked about, and choose the logits of both kinds.
"""

import math

import pytest
import torch
from chance import assert_independent, assert_standard_normal
from networks import in_precision_of, replace_output
from torch import nn

Z_DIM = 8
NO_GRADIENT = "the loss has no gradient.\nHint: no .item()."


def is_fake(z):
    return z[:, :1] > 50


def codes(model, batch):
    """As the model's encoder could give them."""
    return in_precision_of(model.encoder, torch.full((batch, Z_DIM), 100.0))


def losses(part2, real_logit, fake_logit, batch=6):
    """The loss and the dictionary for the log, as numbers, when D gives these two logits."""
    model = part2.models.AdversarialAE(Z_DIM).eval()
    replace_output(
        model.discriminator,
        lambda z: torch.where(is_fake(z), torch.tensor(fake_logit), torch.tensor(real_logit)),
    )
    result = model.get_loss_discriminator(codes(model, batch))
    assert isinstance(result, tuple | list) and len(result) == 2 and isinstance(result[1], dict), (
        "get_loss_discriminator should return the loss and a dictionary.\nHint: return disc_loss, {...}"
    )
    missing = {"disc_loss", "loss_real", "loss_fake", "accuracy"} - set(result[1])
    assert not missing, (
        f"the dictionary lacks {', '.join(sorted(missing))}.\nHint: TensorBoard wants all four."
    )
    return float(result[0]), {name: float(value) for name, value in result[1].items()}


def prior_draws(part2, batch):
    """The codes that the discriminator learns to take for real."""
    model = part2.models.AdversarialAE(Z_DIM).eval()
    logits = []

    def judge(z):
        logits.append(torch.zeros(len(z), 1, requires_grad=True))
        return logits[-1]

    judged = replace_output(model.discriminator, judge)
    loss, _ = model.get_loss_discriminator(codes(model, batch))
    assert isinstance(loss, torch.Tensor) and loss.requires_grad, NO_GRADIENT
    loss.backward()
    # What it is asked for a log, or for a shape, is no part of the loss: no gradient gets there.
    z = torch.cat([z for z, logit in zip(judged, logits, strict=True) if logit.grad is not None])
    fake = is_fake(z).squeeze(1)
    assert fake.sum() == batch, "the discriminator is not asked about z_fake.\nHint: every code of it, once."
    return z[~fake]


def cross_entropy(logit, target):
    """-ln sigmoid(logit) for target 1, -ln(1 - sigmoid(logit)) for target 0."""
    signed = -logit if target == 1 else logit
    return signed if signed > 50 else math.log1p(math.exp(signed))


@pytest.mark.parametrize(("real_logit", "fake_logit"), [(0.0, 0.0), (2.0, -1.0), (-1.0, 3.0), (-90.0, 90.0)])
def test_real_against_ones_and_fake_against_zeros(part2, real_logit, fake_logit):
    _, logged = losses(part2, real_logit, fake_logit)
    for name, logit, target in (("loss_real", real_logit, 1), ("loss_fake", fake_logit, 0)):
        expected, flipped = cross_entropy(logit, target), cross_entropy(logit, 1 - target)
        got = logged[name]
        # A small number in a logarithm, or BCELoss, limits what a code costs that is surely misjudged.
        if expected > 50 and 9 < got < math.inf:
            continue
        if not math.isfinite(got):
            hint = "take no log of a sigmoid, it overflows: F.binary_cross_entropy_with_logits does not"
        elif logit and got == pytest.approx(flipped, rel=1e-3):
            hint = "the labels are flipped: 1 is real, 0 is fake"
        else:
            hint = f"binary cross-entropy on logits with target {target}"
        # Single precision: 1e-4 is far above its rounding.
        assert got == pytest.approx(expected, rel=1e-4), (
            f"codes with logit {logit} should cost {expected:.4f} in {name}, but it is {got:.4f}.\n"
            f"Hint: {hint}."
        )


def test_loss_is_the_mean_or_the_sum_of_both(part2):
    loss, logged = losses(part2, 2.0, 3.0)
    total = cross_entropy(2.0, 1) + cross_entropy(3.0, 0)
    # Both are in use; they differ by a factor that the learning rate makes up for.
    assert loss == pytest.approx(total / 2, rel=1e-4) or loss == pytest.approx(total, rel=1e-4), (
        f"with loss_real {logged['loss_real']:.4f} and loss_fake {logged['loss_fake']:.4f} disc_loss is "
        f"{loss:.4f}: neither their mean nor their sum.\nHint: real and fake codes count the same."
    )
    assert logged["disc_loss"] == pytest.approx(loss, rel=1e-4), (
        "disc_loss in the dictionary is another number."
    )


@pytest.mark.parametrize(
    ("real_logit", "fake_logit", "accuracy"),
    [(4.0, -4.0, 1), (-4.0, 4.0, 0), (4.0, 4.0, 0.5), (-4.0, -4.0, 0.5), (0.2, -0.2, 1), (-0.2, 0.2, 0)],
)
def test_accuracy_counts_right_judgements(part2, real_logit, fake_logit, accuracy):
    _, logged = losses(part2, real_logit, fake_logit)
    assert logged["accuracy"] == pytest.approx(accuracy, abs=1e-4), (
        f"with logits {real_logit} for real and {fake_logit} for fake codes the accuracy is {accuracy}, but "
        f"this says {logged['accuracy']:.3f}.\n"
        "Hint: right are real codes with logit > 0 and fake ones with logit < 0, of both kinds "
        "together; a logit of 0, not of 0.5, is a probability of one half."
    )


def test_as_many_real_codes_as_fake_ones(part2):
    real = prior_draws(part2, 7)
    assert real.shape == (7, Z_DIM), (
        f"7 fake codes should meet 7 draws of the prior, but they meet {len(real)}.\n"
        "Hint: z_fake.shape tells."
    )


def test_real_codes_come_from_the_prior(part2):
    real = prior_draws(part2, 1000)
    assert_independent(real, "z_real", "every row and every dimension needs numbers of its own.")
    assert_standard_normal(real, "z_real", "the prior is N(0, I): torch.randn, whatever z_fake looks like.")


def test_real_codes_are_new_in_every_call(part2):
    assert not torch.equal(prior_draws(part2, 5), prior_draws(part2, 5)), (
        "two calls use the same real codes.\nHint: set no seed inside the function."
    )


def test_discriminator_learns_from_both_kinds(part2):
    model = part2.models.AdversarialAE(Z_DIM).eval()
    real_logit, fake_logit = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))
    replace_output(model.discriminator, lambda z: torch.where(is_fake(z), fake_logit, real_logit))
    loss, _ = model.get_loss_discriminator(codes(model, 5))
    assert isinstance(loss, torch.Tensor) and loss.requires_grad, NO_GRADIENT
    loss.backward()
    for kind, logit, direction in (("real", real_logit, "up"), ("fake", fake_logit, "down")):
        assert logit.grad is not None and logit.grad != 0, (
            f"the discriminator learns nothing from {kind} codes.\n"
            "Hint: detach z_fake before it goes into the discriminator, not the logits that come out."
        )
        assert (logit.grad < 0) == (direction == "up"), (
            f"a step moves the logits of {kind} codes the wrong way.\nHint: they should go {direction}."
        )
