"""Question 2.5, `AdversarialAE.get_loss_autoencoder` in part2/models.py: what encoder and decoder minimize.

The discriminator is made to take the first number of a code for its logit, so that the right losses are
known: a code that is judged with logit l is taken for real with probability sigmoid(l).
"""

import math

import pytest
import torch
from networks import in_precision_of, replace_output, without_repeats


def build(part2):
    model = part2.models.AdversarialAE(z_dim=4).eval()
    replace_output(model.discriminator, lambda z: z[:, :1])
    return model


def losses(model, x, recon_x, z_fake, lambda_=1.0):
    """The loss and the dictionary for the log, as numbers; tensors and floats are both right there."""
    z_fake = in_precision_of(model.encoder, z_fake)
    result = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_=lambda_)
    assert isinstance(result, tuple | list) and len(result) == 2 and isinstance(result[1], dict), (
        "get_loss_autoencoder should return the loss and a dictionary.\nHint: return ae_loss, {...}"
    )
    loss, logged = result
    missing = {"gen_loss", "recon_loss", "ae_loss"} - set(logged)
    assert not missing, (
        f"the dictionary lacks {', '.join(sorted(missing))}.\nHint: TensorBoard wants all three."
    )
    return float(loss), {name: float(value) for name, value in logged.items()}


def codes_with_logit(logit, batch=3):
    return torch.full((batch, 4), float(logit))


def test_reconstruction_loss_is_the_mean_squared_error(part2):
    model = build(part2)
    x = 2 * torch.rand(3, 1, 28, 28) - 1
    _, logged = losses(model, x, x + 0.5, codes_with_logit(0))
    slips = {
        0.5: "that is the absolute error",
        0.25 * 784: "mean over the pixels, no sum",
        0.25 * 784 * 3: "no sum",
    }
    hint = next((s for wrong, s in slips.items() if logged["recon_loss"] == pytest.approx(wrong, 1e-3)), "")
    # Single precision: 1e-4 is far above its rounding.
    assert logged["recon_loss"] == pytest.approx(0.25, rel=1e-4), (
        f"every pixel is 0.5 off, a squared error of 0.25, but recon_loss is {logged['recon_loss']:.4f}.\n"
        f"Hint: {hint or 'equation 18, mean over all pixels and images'}."
    )


@pytest.mark.parametrize("logit", [0.0, 2.0, -2.0, 60.0, -60.0, -200.0])
def test_generator_loss_wants_codes_judged_real(part2, logit):
    model = build(part2)
    x = torch.zeros(3, 1, 28, 28)
    _, logged = losses(model, x, x, codes_with_logit(logit))
    # -ln sigmoid(l), the price of being taken for fake. For very negative logits it is just -l.
    expected = -logit if logit < -50 else math.log1p(math.exp(-logit))
    as_fake = logit if logit > 50 else math.log1p(math.exp(logit))
    slips = {
        "the target is 1: the encoder wants its codes to be taken for real": as_fake,
        "use the cross-entropy, not the logit itself": -logit,
        "log(1 - D) is the saturating loss; use the cross-entropy with target 1": -as_fake,
        "a sigmoid is applied twice: Discriminator returns logits, and the loss expects them": math.log1p(
            math.exp(-1 / (1 + math.exp(-logit)))
        ),
    }
    got = logged["gen_loss"]
    near = (
        slip for slip, wrong in slips.items() if logit and got == pytest.approx(wrong, rel=1e-3, abs=1e-6)
    )
    overflow = "take no log of a sigmoid, it overflows: F.binary_cross_entropy_with_logits does not"
    hint = next(near, "binary cross-entropy of D(z_fake) with ones" if math.isfinite(got) else overflow)
    # A small number in a logarithm, or BCELoss, limits what a code costs that is surely taken for fake.
    limited = logit < -50 and 9 < got < math.inf
    assert limited or got == pytest.approx(expected, rel=1e-4, abs=1e-6), (
        f"codes that D judges with logit {logit} should cost {expected:.4f}, but gen_loss is {got:.4f}.\n"
        f"Hint: {hint}."
    )


def test_generator_loss_judges_z_fake(part2):
    model = part2.models.AdversarialAE(z_dim=4).eval()
    judged = replace_output(model.discriminator, lambda z: z[:, :1])
    x, z_fake = torch.zeros(3, 1, 28, 28), torch.randn(3, 4)
    losses(model, x, x, z_fake)
    assert judged and torch.equal(without_repeats(judged).float(), z_fake.float()), (  # at once or one by one
        "get_loss_autoencoder should ask the discriminator about z_fake, and nothing else.\n"
        "Hint: no new codes, no samples of the prior: those belong into get_loss_discriminator."
    )


@pytest.mark.parametrize("lambda_", [1.0, 0.995, 0.3, 0.0])
def test_lambda_weighs_the_two_losses(part2, lambda_):
    model = build(part2)
    x = torch.zeros(3, 1, 28, 28)
    loss, logged = losses(model, x, x + 2, codes_with_logit(0), lambda_)
    recon_loss, gen_loss = 4.0, math.log(2)
    expected = lambda_ * recon_loss + (1 - lambda_) * gen_loss
    slips = {
        "lambda weighs the reconstruction, 1 - lambda the other": (1 - lambda_) * recon_loss
        + lambda_ * gen_loss,
        "lambda_ is not used": recon_loss + gen_loss,
        "the generator's loss is missing": lambda_ * recon_loss,
    }
    hint = next(
        (slip for slip, wrong in slips.items() if loss == pytest.approx(wrong, 1e-3)), "see equation 15"
    )
    assert loss == pytest.approx(expected, rel=1e-4), (
        f"with lambda = {lambda_}, recon_loss {recon_loss} and gen_loss {gen_loss:.4f} the loss should be "
        f"{expected:.4f}, but is {loss:.4f}.\nHint: {hint}."
    )
    assert logged["ae_loss"] == pytest.approx(loss, rel=1e-4), "ae_loss in the dictionary is another number."
    assert (logged["recon_loss"], logged["gen_loss"]) == pytest.approx((recon_loss, gen_loss), rel=1e-4), (
        "the losses in the dictionary should be those before the weighting."
    )


def test_gradients_reach_reconstruction_and_codes(part2):
    model = build(part2)
    x = torch.zeros(3, 1, 28, 28)
    recon_x, z_fake = torch.ones(3, 1, 28, 28, requires_grad=True), torch.zeros(3, 4, requires_grad=True)
    loss, _ = model.get_loss_autoencoder(x, recon_x, in_precision_of(model.encoder, z_fake), 0.5)
    assert isinstance(loss, torch.Tensor) and loss.requires_grad, (
        "the loss has no gradient.\nHint: no .item()."
    )
    loss.backward()
    assert recon_x.grad is not None and recon_x.grad.any(), (
        "no gradient reaches recon_x.\nHint: no .detach()."
    )
    assert z_fake.grad is not None and z_fake.grad.any(), (
        "no gradient reaches z_fake, so the encoder cannot learn to deceive the discriminator.\n"
        "Hint: here z_fake is not detached; it is in get_loss_discriminator."
    )
    assert (z_fake.grad[:, 0] < 0).all(), (
        "a step would make the codes look less real to the discriminator.\nHint: here their target is 1."
    )
