"""Question 1.7, `VAE.forward(imgs)` in part1/train_pl.py: the loss of equations 13 and 14.

Encoder and decoder are made to return what the test wants. With the decoder's probabilities chosen by the
test, the right reconstruction loss is known without computing a cross-entropy.
"""

import itertools
import math

import pytest
import torch
from calls import InTurn
from chance import assert_standard_normal
from networks import replace_output, without_repeats
from torch.distributions import Normal, kl_divergence

Z_DIM = 6
NAMES = ("L_rec", "L_reg", "bpd")


def posterior(batch):
    """A mean and a log_std for every image."""
    return torch.randn(batch, Z_DIM), 0.5 * torch.randn(batch, Z_DIM)


def logits_for(images, probability):
    """Logits that give the right level of every pixel of image n the probability `probability[n]`.

    The other 15 levels share the rest.
    """
    right = torch.zeros(len(images), 16, 28, 28).scatter_(1, images, 1.0)
    p = torch.as_tensor(probability).view(-1, 1, 1, 1)
    # Logits may be shifted: the softmax is the same.
    return (right * p + (1 - right) * (1 - p) / 15).log() + 2


def build(part1, mean, log_std, logits):
    """A VAE whose networks return these tensors."""
    vae = part1.train_pl.VAE(num_filters=4, z_dim=mean.shape[1], lr=1e-3).eval()
    replace_output(vae.encoder, InTurn(mean, log_std))
    latents = replace_output(vae.decoder, InTurn(logits))
    return vae, latents


def losses(vae, images):
    """L_rec, L_reg and bpd as numbers; shapes [] and [1] are both right."""
    result = vae(images)
    assert isinstance(result, tuple | list) and len(result) == 3, (
        "forward should return three values.\nHint: return L_rec, L_reg, bpd"
    )
    for name, value in zip(NAMES, result, strict=True):
        shape = torch.as_tensor(value).shape  # L_rec and L_reg are for the log: plain numbers do
        assert shape.numel() == 1, (
            f"{name} should be one number, the mean over the batch, but has shape {list(shape)}.\n"
            "Hint: sum over the pixels of an image, then .mean() over the batch."
        )
    return [float(value) for value in result]


def true_divergence(mean, log_std):
    """The mean over the batch of the KL divergence."""
    prior = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return kl_divergence(Normal(mean, log_std.exp()), prior).sum(1).mean().item()


@pytest.mark.parametrize("batch", [5, 1])
def test_reconstruction_loss_is_the_cross_entropy(part1, batch):
    images = torch.randint(16, (batch, 1, 28, 28))
    probability = torch.tensor([0.9, 0.5, 0.7, 0.3, 0.8])[:batch]
    vae, _ = build(part1, *posterior(batch), logits_for(images, probability))
    L_rec, _, _ = losses(vae, images)
    # Every pixel of image n costs -ln p_n nats; an image has 784 pixels.
    expected = 784 * -probability.log().mean().item()
    # If the probabilities were taken for logits:
    squashed = 784 * (15 * ((1 - probability) / 15 - probability).exp() + 1).log().mean().item()
    slips = {
        "averaged over the pixels instead of summed": expected / 784,
        "summed over the batch instead of averaged": expected * batch,
        "divided by the batch size twice": expected / batch,
        "the sign is flipped: a log-likelihood is no loss": -expected,
        "softmax before the cross-entropy, which expects logits": squashed,
        "in bits: log2(e) comes later, in elbo_to_bpd": expected / math.log(2),
    }
    hint = next(
        (slip for slip, wrong in slips.items() if L_rec == pytest.approx(wrong, rel=1e-3)),
        "far too high: a reshape of [B, 16, 28, 28] without permute scrambles pixels and levels"
        if L_rec > 1.5 * expected
        else "cross-entropy of logits [B, 16, 28, 28] and levels [B, 28, 28], which squeeze(1) gives",
    )
    # Single precision, summed over 784 pixels: 1e-4 is far above its rounding, far below any slip.
    assert L_rec == pytest.approx(expected, rel=1e-4), (
        f"for {batch} image(s) whose pixels get probabilities of 0.3 to 0.9 "
        f"L_rec should be {expected:.2f}, but is {L_rec:.2f}.\nHint: {hint}."
    )
    # Pixels that the decoder thinks all but impossible. An epsilon in a logarithm may shift them a little.
    expected = 784 * math.log(1e6)
    L_rec, _, _ = losses(build(part1, *posterior(batch), logits_for(images, 1e-6))[0], images)
    assert L_rec == pytest.approx(expected, rel=0.03), (
        f"where every pixel has a probability of one in a million L_rec should be {expected:.0f}, but is "
        f"{L_rec:.0f}.\nHint: set no limit to what a pixel may cost."
    )


def test_regularization_loss_is_the_mean_divergence(part1):
    images = torch.randint(16, (5, 1, 28, 28))
    mean, log_std = posterior(5)
    vae, _ = build(part1, mean, log_std, logits_for(images, 0.9))
    check_regularization(part1, vae, images, mean, log_std)
    limits = ": set no limit to mean, log_std or the divergence"
    near = (0.2 * mean, 0.2 * log_std)  # less than a nat
    far = (4 * mean, torch.linspace(-4, 3, 5 * Z_DIM).view(5, Z_DIM))
    for posteriors in (near, far):
        vae, _ = build(part1, *posteriors, logits_for(images, 0.9))
        check_regularization(part1, vae, images, *posteriors, limits)


def check_regularization(part1, vae, images, mean, log_std, advice=""):
    """Fail unless L_reg is that of the posterior which the stand-in encoder returns."""
    _, L_reg, _ = losses(vae, images)
    # Your own KLD has tests of its own: here it counts whether it is called as it should be.
    own = part1.utils.KLD(mean, log_std).mean().item()
    right = [true_divergence(mean, log_std), own]
    slips = {
        "summed over the batch instead of averaged": [5 * value for value in right],
        "divided by the number of latent dimensions": [value / Z_DIM for value in right],
        "the sign is flipped": [-value for value in right],
        "KLD expects log_std, not std": [true_divergence(mean, log_std.exp())],
    }
    matches = (slip for slip, wrongs in slips.items() if any(L_reg == pytest.approx(w, 1e-3) for w in wrongs))
    assert any(L_reg == pytest.approx(value, rel=1e-4) for value in right), (
        f"L_reg should be {right[0]:.4f}, but is {L_reg:.4f}.\n"
        f"Hint: {next(matches, 'the mean over the batch of KLD(mean, log_std)' + advice)}."
    )


def test_bpd_is_that_of_both_losses_together(part1):
    images = torch.randint(16, (5, 1, 28, 28))
    vae, _ = build(part1, *posterior(5), logits_for(images, 0.9))
    in_evaluation, in_training = losses(vae, images), losses(vae.train(), images)
    check_bpd(part1, images, *in_evaluation)
    check_bpd(part1, images, *in_training, "after vae.train(), ")
    assert in_training[0] == pytest.approx(in_evaluation[0], rel=1e-4), (
        f"for the same logits L_rec is {in_evaluation[0]:.2f} after vae.eval(), but {in_training[0]:.2f} "
        "after vae.train().\nHint: the loss is the same in both modes; do not ask for self.training."
    )


def check_bpd(part1, images, L_rec, L_reg, bpd, when=""):
    """Fail unless bpd is the sum of both losses, converted."""

    def conversions(nats):
        """The right conversion, and the one by your elbo_to_bpd, which has tests of its own."""
        own = part1.utils.elbo_to_bpd(torch.tensor(nats), images.shape)
        return [nats / math.log(2) / 784, own.item()]

    slips = {
        "L_reg is subtracted; both losses are to be small": L_rec - L_reg,
        "L_reg is missing": L_rec,
        "L_rec is missing": L_reg,
        "the loss is the negative ELBO": -(L_rec + L_reg),
        "divided by the batch size once more": (L_rec + L_reg) / 5,
    }
    matches = (
        s for s, nats in slips.items() if any(bpd == pytest.approx(b, 1e-3) for b in conversions(nats))
    )
    due = conversions(L_rec + L_reg)
    assert any(bpd == pytest.approx(value, rel=1e-4) for value in due), (
        f"{when}with L_rec {L_rec:.2f} and L_reg {L_reg:.2f} the bpd should be {due[0]:.4f}, "
        f"but is {bpd:.4f}.\n"
        f"Hint: {next(matches, 'convert the sum of both losses with elbo_to_bpd')}."
    )


def test_decodes_a_sample_of_the_posterior(part1):
    images = torch.randint(16, (200, 1, 28, 28))
    mean, logits = 3 * torch.randn(200, Z_DIM), logits_for(images, 0.9)
    samples = []
    for training, value in ((False, -1.0), (True, -1.0), (False, -3.0), (True, 2.5)):
        log_std = torch.full((200, Z_DIM), value)
        vae, latents = build(part1, mean, log_std, logits)
        encoded = replace_output(vae.encoder, InTurn(mean, log_std))
        losses(vae.train(training), images)
        assert latents, "forward never calls self.decoder.\nHint: logits = self.decoder(z)"
        check_encoded(encoded, images)
        z = without_repeats(latents)
        assert z.shape == mean.shape, (
            f"for 200 images the decoder is given latents {list(z.shape)} instead of {list(mean.shape)}.\n"
            "Hint: one sample of z per image."
        )
        latents.clear()
        with torch.no_grad():  # as in validation
            vae(images)
        assert not torch.allclose(without_repeats(latents), mean.to(z.dtype)), (
            "under torch.no_grad(), as in validation, the decoder is given the mean, not a sample.\n"
            "Hint: z is drawn in the same way, whether gradients are kept or not."
        )
        noise = (z - mean) / log_std.exp()
        samples.append(noise)
        slips = {
            0.0: "the decoder is given the mean, not a sample",
            math.exp(-value / 2): "log_std is not the log of the variance: std = exp(log_std)",
            math.exp(value): "std = exp(log_std); its square is the variance",
            abs(value) / math.exp(value): "sample_reparameterize expects std = exp(log_std), not log_std",
        }
        spread = noise.std().item()
        nearest = min(slips, key=lambda std, spread=spread: abs(std - spread))
        hint = (
            slips[nearest]
            if abs(nearest - spread) < 0.1
            else "z ~ q(z|x) depends on mean and log_std, and neither has a limit"
        )
        mode = "vae.train()" if training else "vae.eval()"
        assert_standard_normal(
            noise, f"(z - mean) / exp(log_std) in forward, with log_std = {value} after {mode},", f"{hint}."
        )
    # Divided by other numbers, the same noise is not the same to the last digit.
    assert not any(torch.allclose(noise, samples[0], atol=0.01) for noise in samples[1:]), (
        "two calls of forward draw the same noise.\nHint: no seed and no generator of your own."
    )


def check_encoded(encoded, images):
    """Fail unless the encoder was given the images. Any scale is right: x / 15, 2 x - 1."""
    assert encoded, "forward never calls self.encoder.\nHint: the posterior of imgs comes from there."
    x = without_repeats(encoded).double().flatten()
    if len(x) != images.numel():  # one-hot, perhaps
        return
    groups = [x[images.flatten() == level] for level in range(16)]
    assert all(darker.max() < brighter.min() for darker, brighter in itertools.pairwise(groups)), (
        "what the encoder is given are not the images, each in its place, with all of their 16 levels.\n"
        "Hint: self.encoder(imgs), in the order of the batch."
    )


def test_both_networks_learn_from_the_bpd(part1):
    images = torch.randint(16, (4, 1, 28, 28))
    # At the prior itself L_reg has no gradient: what reaches the encoder comes from L_rec, through z.
    mean, log_std = torch.zeros(4, Z_DIM, requires_grad=True), torch.zeros(4, Z_DIM, requires_grad=True)
    logits = logits_for(images, 0.9).requires_grad_()
    vae = part1.train_pl.VAE(num_filters=4, z_dim=Z_DIM, lr=1e-3).eval()
    replace_output(vae.encoder, InTurn(mean, log_std))
    # Here the logits depend on z: the sum of each latent moves the logit of level 0.
    level_0 = torch.eye(16)[0].view(1, 16, 1, 1)
    rows = InTurn(logits)
    replace_output(vae.decoder, lambda z: rows(z) + z.sum(dim=1).view(-1, 1, 1, 1) * level_0)
    _, _, bpd = vae(images)
    assert isinstance(bpd, torch.Tensor) and bpd.requires_grad, (
        "bpd is what training minimizes, but it has no gradient.\nHint: no .item(), .detach() or float()."
    )
    bpd.sum().backward()
    for name, tensor in (("the decoder", logits), ("the mean", mean), ("log_std", log_std)):
        assert tensor.grad is not None and tensor.grad.any(), (
            f"no gradient gets from L_rec back to {name}.\n"
            "Hint: no .detach() or .data between encoder, z, decoder and loss."
        )


def test_encoder_learns_from_the_divergence(part1):
    images = torch.randint(16, (4, 1, 28, 28))
    mean, log_std = (value.requires_grad_() for value in posterior(4))
    # These logits do not depend on z: what reaches the encoder comes from L_reg.
    vae, _ = build(part1, mean, log_std, logits_for(images, 0.9))
    _, _, bpd = vae(images)
    assert isinstance(bpd, torch.Tensor) and bpd.requires_grad, (
        "no gradient gets from L_reg through bpd to the encoder.\nHint: add L_reg itself, not L_reg.item()."
    )
    bpd.sum().backward()
    for name, tensor in (("the mean", mean), ("log_std", log_std)):
        assert tensor.grad is not None and tensor.grad.any(), (
            f"no gradient gets from L_reg back to {name}.\nHint: KLD(mean, log_std), without .detach()."
        )
