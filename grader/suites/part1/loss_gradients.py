"""Whether the loss that a VAE returns teaches both of its networks what the grader judges them by.

The true gradient of the bits per dimension is put together here, from derivatives of either network by
itself. A loss of another scale, or with a mistake in a term, still points about the same way in some state.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn.functional import cross_entropy

from grader.box.remote import Remote
from grader.suites.expect import as_tensor, expect, expect_shape, fail
from grader.suites.part import Part

NETWORKS = ("encoder", "decoder")


def true_gradients(part: Part, model: Remote, images: torch.Tensor) -> dict[str, Mapping[str, object]]:
    """The gradients of the negative ELBO by the parameters of each network, where z is mean + std.

    Args:
        part: where the model is.
        model: a VAE.
        images: int64 `[B, 1, 28, 28]` in 0..15.
    """
    count = len(images)
    encoding = part.record(model.encoder, images)
    pair = encoding.value
    expect(isinstance(pair, tuple | list) and len(pair) == 2, "the encoder should return two tensors")
    mean, log_std = (as_tensor(one, "a code").double().requires_grad_() for one in pair)
    z = mean + log_std.exp()
    decoding = part.record(model.decoder, z.detach().float().requires_grad_())
    decoded = expect_shape(decoding.value, (count, 16, 28, 28), "the logits")
    logits = decoded.double().requires_grad_()
    loss = cross_entropy(logits, images.squeeze(1), reduction="sum")
    (by_logits,) = torch.autograd.grad(loss, logits)
    by_logits = by_logits.to(decoded.dtype)
    (by_z,) = decoding.gradients(by_logits)
    if by_z is None:
        fail("no gradient flows from the logits back to z", "no .detach() or no_grad in the decoder")
    divergence = 0.5 * ((2 * log_std).exp() + mean.square() - 1 - 2 * log_std).sum()
    by_codes = torch.autograd.grad((z * by_z.double()).sum() + divergence, (mean, log_std))
    cotangents = (gradient.to(one.dtype) for gradient, one in zip(by_codes, pair, strict=True))
    return {
        "encoder": encoding.gradients(*cotangents, of=model.encoder),
        "decoder": decoding.gradients(by_logits, of=model.decoder),
    }


def agreement(part: Part, model: Remote, images: torch.Tensor) -> dict[str, float]:
    """The cosine, for each network, between the gradient of the student's loss and the true one.

    The session's `sample_reparameterize` is expected to return mean + std.
    """
    model.train()
    own = part.driver.gradients_of_loss(model, images)
    own = own if isinstance(own, dict) else {}
    found = {}
    for network, due in true_gradients(part, model, images).items():
        dot, of_own, of_due = (torch.zeros((), dtype=torch.float64) for _ in range(3))
        for name, gradient in due.items():
            came = own.get(f"{network}.{name}")
            if not isinstance(gradient, torch.Tensor):
                continue
            gradient = gradient.double()
            of_due += gradient.square().sum()
            if isinstance(came, torch.Tensor) and came.shape == gradient.shape:
                dot += (came.double() * gradient).sum()
                of_own += came.double().square().sum()
        cosine = float(dot / (of_own * of_due).sqrt())
        found[network] = cosine if cosine == cosine else 0.0
    return found
