"""What `VAE.forward` shows its encoder and gives to its decoder."""

from __future__ import annotations

import torch

from grader.suites.expect import close, fail
from grader.suites.part1.forward_causes import Case
from grader.suites.statistics import dependence_faults, normal_faults


def fault_of_latents(latents: torch.Tensor | None, case: Case) -> str:
    """What is wrong, unless the decoder was given mean + std, or a sample drawn without the helper."""
    std = case.log_std.exp()
    if latents is None:
        return "forward does not call self.decoder"
    if latents.shape != case.mean.shape:
        return (
            f"the decoder is given latents of shape {list(latents.shape)} instead of "
            f"{list(case.mean.shape)}, one sample of z per image"
        )
    if close(latents, case.mean + std, rtol=1e-4, atol=1e-5):
        return ""
    if close(latents, case.mean, rtol=1e-4, atol=1e-5):
        return "the decoder is given the mean instead of a sample"
    known = {
        "log_std goes into sample_reparameterize without exp": case.mean + case.log_std,
        "log_std is taken for the log of the variance": case.mean + (0.5 * case.log_std).exp(),
        "the variance is used instead of the standard deviation": case.mean + (2 * case.log_std).exp(),
        "log_std goes into sample_reparameterize without exp, made positive": case.mean + case.log_std.abs(),
    }
    cause = next((text for text, z in known.items() if close(latents, z, rtol=1e-4, atol=1e-5)), "")
    if not cause:
        eps = (latents - case.mean) / std
        fault = normal_faults(eps, "(z - mean) / std") or dependence_faults(eps, "(z - mean) / std")
        if not fault:
            return ""  # right, without the helper
        pairs = torch.stack([latents.double().flatten(), case.mean.double().flatten()])
        related = float(torch.corrcoef(pairs)[0, 1].nan_to_num())
        # In right code about 0.7; of independent ones, 1,800 pairs, beyond 0.15 in no run.
        cause = "z does not depend on what the encoder says" if abs(related) < 0.15 else fault
    return f"the decoder is not given samples of the posterior: {cause}"


def expect_the_images(shown: list[torch.Tensor], images: torch.Tensor) -> None:
    """Fail unless what the encoder was shown tells all grey levels of the images, each in its place.

    Scaled images, one-hot levels, and such with noise below the steps between the levels are as good. An
    encoder that is not called, or by another way than self.encoder, shows in what is decoded.
    """
    if not shown or any(tells_the_levels(batch, images) for batch in shown):
        return
    fail(
        "the encoder is not given the images that forward was called with: other values, another order or "
        "only parts of them",
        "mean, log_std = self.encoder(imgs)",
    )


def tells_the_levels(batch: torch.Tensor, images: torch.Tensor) -> bool:
    """Whether a batch holds, for every pixel of some images, one or several values that tell its level."""
    count, pixels = len(images), images[0].numel()
    if len(batch) != count or batch.numel() % images.numel():
        return False
    values = batch.double().reshape(count, -1)
    channels = values.shape[1] // pixels
    levels = images.reshape(count, pixels)
    if channels == 1:
        # By image, since each may be scaled by itself: the levels' values do not overlap.
        for row, own in zip(values, levels, strict=True):
            present = own.unique()
            low = torch.stack([row[own == level].min() for level in present])
            high = torch.stack([row[own == level].max() for level in present])
            if not bool((low[1:] > high[:-1]).all() or (high[1:] < low[:-1]).all()):
                return False
        return True
    for codes in (values.view(count, channels, pixels).mT, values.view(count, pixels, channels)):
        codes, flat = codes.reshape(-1, channels), levels.flatten()
        means = torch.stack([codes[flat == level].mean(dim=0) for level in flat.unique()])
        same = torch.allclose(codes, means[torch.searchsorted(flat.unique(), flat)], atol=1e-4)
        apart = torch.cdist(means, means) + torch.eye(len(means), dtype=means.dtype)
        if same and float(apart.min()) > 1e-3:
            return True
    return False
