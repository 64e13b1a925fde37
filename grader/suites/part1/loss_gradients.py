"""Whether the loss that a VAE returns teaches both of its networks what the grader judges them by.

The true gradient of the bits per dimension is put together here, from derivatives of either network by
itself. A loss of another scale, or with a mistake in a term, still points about the same way in some state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch.nn.functional import cross_entropy

from grader.box.remote import Remote
from grader.suites.expect import as_tensor, expect, expect_shape, fail
from grader.suites.part import Part

NETWORKS = ("encoder", "decoder")


Gradients = Mapping[str, object]


def true_gradients(
    part: Part, model: Remote, images: torch.Tensor, z_dim: int, of_encoder_too: bool = True
) -> dict[str, Gradients]:
    """The gradients of the negative ELBO by the parameters of each network, where z is mean + std.

    Args:
        part: where the model is.
        model: a VAE.
        images: int64 `[B, 1, 28, 28]` in 0..15.
        z_dim: how many latents it has.
        of_encoder_too: otherwise those of the decoder alone.

    Returns:
        Those of `encoder` and `decoder`, and `divergence`: what the KL divergence gives the encoder.
    """
    encoder, decoder = (part.driver.plain(model, name, z_dim) for name in NETWORKS)
    encoding = part.record(encoder, images)
    pair = encoding.value
    two = isinstance(pair, tuple | list) and len(pair) == 2
    expect(two, "the encoder should return two tensors", "return mean, log_std")
    mean, log_std = (as_tensor(one, "a code").double().requires_grad_() for one in pair)
    z = mean + log_std.exp()
    decoding = part.record(decoder, z.detach().float().requires_grad_())
    decoded = expect_shape(decoding.value, (len(images), 16, 28, 28), "the logits", "[B, 16, 28, 28]")
    logits = decoded.double().requires_grad_()
    loss = cross_entropy(logits, images.squeeze(1), reduction="sum")
    (by_logits,) = torch.autograd.grad(loss, logits)
    by_logits = by_logits.to(decoded.dtype)
    of_decoder = decoding.gradients(by_logits, of=decoder)
    if not of_encoder_too:
        return {"decoder": of_decoder}
    (by_z,) = decoding.gradients(by_logits)
    if by_z is None:
        fail("no gradient flows from the logits back to z", "no .detach() or no_grad in the decoder")
    divergence = 0.5 * ((2 * log_std).exp() + mean.square() - 1 - 2 * log_std).sum()

    def of_encoder(total: torch.Tensor) -> Gradients:
        by_codes = torch.autograd.grad(total, (mean, log_std), retain_graph=True)
        cotangents = (gradient.to(one.dtype) for gradient, one in zip(by_codes, pair, strict=True))
        return encoding.gradients(*cotangents, of=encoder)

    return {
        "encoder": of_encoder((z * by_z.double()).sum() + divergence),
        "divergence": of_encoder(divergence),
        "decoder": of_decoder,
    }


def flat(gradients: Gradients, due: Gradients, prefix: str = "") -> torch.Tensor:
    """The gradients of those parameters for which one is due, float64; zeros where there is none."""
    parts = []
    for name, one in due.items():
        if isinstance(one, torch.Tensor):
            came = gradients.get(f"{prefix}{name}")
            if not isinstance(came, torch.Tensor) or came.shape != one.shape:
                came = torch.zeros_like(one)
            parts.append(came.double().flatten())
    return torch.cat(parts) if parts else torch.zeros(1, dtype=torch.float64)


def own_gradients(part: Part, model: Remote, images: torch.Tensor, calls: int, training: bool) -> Gradients:
    """The gradients of the student's loss, the sum of several calls: each may draw noise of its own."""
    total: dict[str, torch.Tensor] = {}
    for _ in range(calls):
        found = part.driver.gradients_of_loss(model, images, training)
        for name, gradient in (found if isinstance(found, dict) else {}).items():
            if isinstance(gradient, torch.Tensor):
                before = total.get(name)
                same = before is not None and before.shape == gradient.shape
                total[name] = before + gradient if before is not None and same else gradient
    return total


def agreement(
    part: Part,
    model: Remote,
    batches: tuple[torch.Tensor, torch.Tensor],
    z_dim: int,
    calls: int = 1,
    training: bool = False,
) -> dict[str, float]:
    """The cosine, for each network, between the gradient of the student's loss and the true one.

    What is left out is what a loss could have right without a look at the images: of the decoder's gradient
    what two batches share, of the encoder's what the divergence gives.

    Args:
        part: where the model is; its `sample_reparameterize` is expected to return mean + std.
        model: a VAE.
        batches: images, int64 `[B, 1, 28, 28]` in 0..15.
        z_dim: how many latents the model has.
        calls: how often the student's loss is asked.
        training: whether in training mode.
    """
    model.train(training)
    own = [own_gradients(part, model, images, calls, training) for images in batches]
    due = [true_gradients(part, model, images, z_dim, images is batches[0]) for images in batches]
    first = {network: flat(own[0], due[0][network], f"{network}.") for network in NETWORKS}
    right = {network: flat(due[0][network], due[0][network]) for network in NETWORKS}
    other = flat(own[1], due[0]["decoder"], "decoder.")
    right_other = flat(due[1]["decoder"], due[0]["decoder"])
    along = flat(due[0]["divergence"], due[0]["encoder"])
    along = along / along.norm().clamp(min=1e-300)

    def without(gradient: torch.Tensor) -> torch.Tensor:
        return gradient - (gradient @ along) * along

    return {
        "encoder": cosine(without(first["encoder"]), without(right["encoder"])),
        "decoder": cosine(first["decoder"] - other, right["decoder"] - right_other),
    }


def cosine(first: torch.Tensor, second: torch.Tensor) -> float:
    """Of two vectors; 0 where one of them is none, or not finite."""
    value = float(first @ second / (first.norm() * second.norm()))
    return value if math.isfinite(value) else 0.0
