"""What is most likely wrong with the losses of `VAE.forward`: every cause has to give them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from grader.suites.diagnosis import factor_cause, looks_for_a_cause, tried
from grader.suites.draw import Draw
from grader.suites.expect import close

RTOL = 1e-4  # float32 sums over 784 pixels; the mildest mistake here moves a loss by percents
Losses = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass
class Case:
    """Images, and what the stand-in networks say of them."""

    images: torch.Tensor
    mean: torch.Tensor
    log_std: torch.Tensor
    logits: torch.Tensor

    @property
    def reconstruction(self) -> torch.Tensor:
        """Cross-entropy in nats per image, summed over the pixels, `[B]`."""
        return cross_entropy(self.logits.double(), self.images.squeeze(1), reduction="none").sum(dim=(1, 2))

    @property
    def divergences(self) -> torch.Tensor:
        """KL divergence in nats of every latent, `[B, z_dim]`."""
        mean, log_std = self.mean.double(), self.log_std.double()
        return 0.5 * ((2 * log_std).exp() + mean.square() - 1 - 2 * log_std)

    @property
    def divergence(self) -> torch.Tensor:
        """KL divergence in nats per image, `[B]`."""
        return self.divergences.sum(dim=1)

    def decoded(self, latents: torch.Tensor, gain: float) -> Case:
        """The same case with the logits of a stand-in decoder of this gain, for latents `[B, z_dim]`."""
        share = gain * torch.arange(self.logits[0].numel()).double().sin().view(self.logits[0].shape)
        moved = self.logits.double() + latents.double().sum(dim=1).view(-1, 1, 1, 1) * share
        return Case(self.images, self.mean, self.log_std, moved)


def far_off(draw: Draw, case: Case) -> Case:
    """The same images: a fifth of the pixels taken for another level, a posterior far from the prior."""
    images = case.images.squeeze(1)
    other = (images + draw.integers(15, *images.shape) + 1) % 16
    taken = draw.uniform(*images.shape) < 0.2
    logits = case.logits + 20 * (one_hot(other, 16) * taken[..., None]).permute(0, 3, 1, 2)
    mean = draw.uniform(*case.mean.shape, low=-8, high=8)
    return Case(case.images, mean, draw.uniform(*mean.shape, low=-4, high=2.5), logits)


def near_the_prior(draw: Draw, case: Case) -> Case:
    """The same with a posterior of 0.01 nats a dimension."""
    mean, log_std = draw.normal(*case.mean.shape, std=0.1), draw.normal(*case.mean.shape, std=0.1)
    return Case(case.images, mean, log_std, case.logits)


def uneven(draw: Draw, case: Case) -> Case:
    """The same with one latent of 0.7 nats: a limit for each latent differs from one for their sum."""
    near = near_the_prior(draw, case)
    near.mean[:, 0] = 1.2
    return near


def make_case(draw: Draw, batch: int, z_dim: int = 6) -> Case:
    """Peaked logits that mostly predict the images: any scrambling of pixels or classes shows at once."""
    images = draw.integers(16, batch, 1, 28, 28)
    right = one_hot(images.squeeze(1), 16).permute(0, 3, 1, 2).float()  # [B, 16, 28, 28]
    logits = 6 * right + draw.normal(batch, 16, 28, 28)
    return Case(images, draw.normal(batch, z_dim), draw.normal(batch, z_dim, std=0.5), logits)


def agrees(value: torch.Tensor, accepted: list[torch.Tensor]) -> bool:
    """Whether a loss is one of some values."""
    return any(close(value, other.reshape(()), rtol=RTOL, atol=1e-4) for other in accepted)


@looks_for_a_cause
def reconstruction_cause(
    case: Case, found: Losses, far: Case, other: Case, again: Callable[[Case], Losses]
) -> str:
    """What is most likely wrong with L_rec; empty where nothing that is known gives its value.

    Args:
        case: what was asked.
        found: the three losses.
        far: a case of the same size whose most likely levels are not always right.
        other: a case with another number of images.
        again: asks forward once more.
    """
    value, due = found[0], case.reconstruction.mean()

    def formula() -> str:
        second, there = again(far)[0], _other_losses(far)
        causes = _other_losses(case).items()
        both = (cause for cause, here in causes if agrees(value, here) and agrees(second, there[cause]))
        return next(both, "")

    if cause := tried(formula):
        return cause
    if any(agrees(one, [due]) for one in found[1:]):
        return "the three results are returned in another order"
    batches = len(case.images), len(other.images)

    def factor() -> str:
        second = float(again(other)[0])
        dues = float(due), float(other.reconstruction.mean())
        return factor_cause((float(value), second), dues, batches)

    def smoothing() -> str:
        share, second = _smoothing(case, value), _smoothing(other, again(other)[0])
        if not 0.001 < share < 1 or abs(share - second) > 0.01 * share:
            return ""
        return f"the labels are smoothed, by {share:.3g}: the cross-entropy is that of the level itself"

    return tried(factor) or tried(smoothing)


def _smoothing(case: Case, value: torch.Tensor) -> float:
    """How much the labels must have been smoothed, [0, 1], to give a value."""
    due = case.reconstruction.mean()
    uniform = -case.logits.double().log_softmax(1).mean(1).sum(dim=(1, 2)).mean()
    return float((value - due) / (uniform - due))


def _other_losses(case: Case) -> dict[str, list[torch.Tensor]]:
    """What other losses than the right one come to, by the mistake that makes them."""
    logits, levels = case.logits.double(), case.images.squeeze(1)
    due, count = case.reconstruction.mean(), len(levels)

    def entropy(of: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        return cross_entropy(of, images, reduction="none").flatten().sum() / count

    flat = levels.flatten()
    scrambled = [
        entropy(logits.reshape(-1, 16), flat),
        entropy(logits.reshape(16, -1).T, flat),
        entropy(logits.permute(0, 2, 3, 1).reshape(-1, 16, 28, 28), levels),
    ]
    likely = logits.argmax(1).double()
    expected = (logits.softmax(1) * torch.arange(16.0)[:, None, None]).sum(1)
    distances = {
        f"it is the {error} of the {of}, no cross-entropy": [
            distance.sum() / count,
            distance.mean(),
            distance.sum() / count / scale,
        ]
        for of, shown in (("most likely levels", likely), ("expected levels", expected))
        for error, distance, scale in (
            ("squared error", (shown - levels).square(), 225),
            ("absolute error", (shown - levels).abs(), 15),
        )
    }
    binary = binary_cross_entropy_with_logits(
        logits, one_hot(levels, 16).permute(0, 3, 1, 2).double(), reduction="none"
    )
    return {
        "it is averaged over the pixels instead of summed": [due / 784],
        "a softmax is applied before the cross-entropy, which expects logits": [
            entropy(logits.softmax(1), levels)
        ],
        "a tanh is applied before the cross-entropy, which expects logits": [entropy(logits.tanh(), levels)],
        "a sigmoid is applied before the cross-entropy, which expects logits": [
            entropy(logits.sigmoid(), levels)
        ],
        "it is in bits, not nats": [due * math.log2(math.e)],
        "the image is transposed against the logits": [entropy(logits, levels.mT)],
        "the grey levels are shifted by one": [
            entropy(logits, (levels - 1).clamp(min=0)),
            entropy(logits, (levels - 1) % 16),
        ],
        "the grey levels are shifted up by one": [
            entropy(logits, (levels + 1).clamp(max=15)),
            entropy(logits, (levels + 1) % 16),
        ],
        "classes and pixels are scrambled by a reshape or view of [B, 16, 28, 28] without permute": scrambled,
        "every class has a binary cross-entropy of its own, no cross-entropy over the classes": [
            binary.sum() / count,
            binary.mean(),
            binary.mean() * 784,
        ],
        **distances,
    }


@looks_for_a_cause
def divergence_cause(
    case: Case,
    value: torch.Tensor,
    accepted: list[torch.Tensor],
    others: list[tuple[Case, list[torch.Tensor]]],
    again: Callable[[Case], Losses],
) -> str:
    """What is most likely wrong with L_reg; empty where nothing that is known gives its value.

    Args:
        case: what was asked.
        value: what came.
        accepted: what would have been right.
        others: more cases and what is right for them: one of another number of images, one whose posterior
            is near the prior, and one where it is so but for one latent.
        again: asks forward once more.
    """
    std = case.log_std.double().exp()
    wrong_input = 0.5 * ((2 * std).exp() + case.mean.double().square() - 1 - 2 * std).sum(1).mean()
    if agrees(value, [wrong_input]):
        return "KLD is given std, but wants log_std"
    if agrees(value, [one / case.mean.shape[1] for one in accepted]):
        return "it is divided by the number of latent dimensions"
    (larger, right_there), (near, _), (lopsided, _) = others
    batches = len(case.images), len(larger.images)

    def factor() -> str:
        second = float(again(larger)[1])
        for one, other in zip(accepted, right_there, strict=True):
            if cause := factor_cause((float(value), second), (float(one), float(other)), batches):
                return cause
        return ""

    return tried(factor) or tried(
        lambda: free_bits([(case, value), *((one, again(one)[1]) for one in (near, lopsided))])
    )


def free_bits(found: list[tuple[Case, torch.Tensor]]) -> str:
    """Whether a smallest divergence, the same in several cases, gives all values of L_reg; otherwise empty.

    It may be a limit for every latent (of each image, or of their mean) or for all of them together. A value
    that is nothing but the limit in each of the cases could be anything.

    Args:
        found: cases with what came; the first decides which limit it is.
    """
    case, value = found[0]
    known: dict[str, list[Callable[[torch.Tensor, float], torch.Tensor]]] = {
        "every latent": [
            lambda each, least: each.clamp(min=least).sum(1).mean(),
            lambda each, least: each.mean(0).clamp(min=least).sum(),
        ],
        "the sum over the latents": [
            lambda each, least: each.sum(1).clamp(min=least).mean(),
            lambda each, least: each.sum(1).mean().clamp(min=least),
        ],
    }
    for of, ways in known.items():
        for way in ways:
            low, high = 0.0, 1.0 + float(value)
            for _ in range(50):
                middle = (low + high) / 2
                low, high = (middle, high) if way(case.divergences, middle) < value else (low, middle)
            given = [agrees(came, [way(one.divergences, high)]) for one, came in found]
            # In which of the cases the limit is felt, and in which something else is as well.
            felt = [float(way(one.divergences, high) - way(one.divergences, 0.0)) for one, _ in found]
            free = [float(way(one.divergences, high)) for one, _ in found]
            if all(given) and max(felt) > 1e-3 and max(free) - min(free) > 1e-3:
                return f"free bits: {of} counts at least {high:.3g} nats, no limit on the divergence"
    return ""


def weight_of_divergence(losses: Losses, unit: torch.Tensor) -> float:
    """The weight that L_reg must have in the bpd, if that of L_rec is 1.

    Args:
        losses: what forward returned.
        unit: the bpd of one nat.
    """
    L_rec, L_reg, bpd = losses
    return float((bpd / unit - L_rec) / L_reg)
