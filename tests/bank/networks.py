"""Networks of ten very different kinds, for both parts, as students might write them; all of them are right.

The bank puts this file, with `KIND` set, behind the solution's networks: what is defined last counts.
"""

import torch
from torch import nn

KINDS = (
    "narrow",
    "deep",
    "unscaled inputs",
    "LayerNorm",
    "GroupNorm",
    "attention pooling",
    "residual",
    "sigmoid",
    "tiny",
    "double precision",
)
KIND = "narrow"

if KIND == "double precision":
    torch.set_default_dtype(torch.float64)


class Attention(nn.Module):
    """Sixteen learned queries look at 7 x 7 patches."""

    def __init__(self, channels, width):
        super().__init__()
        self.patches = nn.Conv2d(channels, width, 4, 4)
        self.places = nn.Parameter(0.1 * torch.randn(49, width))
        self.queries = nn.Parameter(torch.randn(16, width))
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).mT + self.places  # [B, 49, width]
        pooled, _ = self.attention(self.queries.expand(len(x), -1, -1), tokens, tokens)
        return pooled.flatten(1)


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 1)
        )

    def forward(self, x):
        return x + self.body(x)


def between(width):
    """What stands after a convolution."""
    norm = [nn.GroupNorm(2, width)] if KIND == "GroupNorm" else []
    return [*norm, nn.Sigmoid() if KIND == "sigmoid" else nn.GELU()]


def encoder_body(channels, width):
    """From images to features `[B, size]`; and their size."""
    if KIND in ("LayerNorm", "tiny"):
        hidden = 24 if KIND == "tiny" else 256
        norm = [] if KIND == "tiny" else [nn.LayerNorm(hidden)]
        return nn.Sequential(nn.Flatten(), nn.Linear(784 * channels, hidden), *norm, nn.ReLU()), hidden
    if KIND == "attention pooling":
        return Attention(channels, 32), 16 * 32
    if KIND == "residual":
        first = [nn.Conv2d(channels, width, 4, 2, 1), Residual(width), nn.Conv2d(width, width, 4, 2, 1)]
        return nn.Sequential(*first, Residual(width), Residual(width), nn.Flatten()), 49 * width
    layers, before = [], channels
    for stride in (2, 1, 1, 2, 1, 1, 2, 1, 1) if KIND == "deep" else (2, 2, 2):
        layers += [nn.Conv2d(before, width, 3, stride, 1), *between(width)]
        before = width
    return nn.Sequential(*layers, nn.Flatten()), 16 * width


def decoder_body(z_dim, channels, width):
    """From codes to `[B, channels, 28, 28]`, unbounded."""
    if KIND in ("LayerNorm", "tiny"):
        hidden = 24 if KIND == "tiny" else 256
        norm = [] if KIND == "tiny" else [nn.LayerNorm(hidden)]
        last = [nn.Linear(hidden, channels * 784), nn.Unflatten(1, (channels, 28, 28))]
        return nn.Sequential(nn.Linear(z_dim, hidden), *norm, nn.ReLU(), *last)
    if KIND == "residual":
        layers = [nn.Linear(z_dim, 49 * width), nn.Unflatten(1, (width, 7, 7)), Residual(width)]
        for _ in range(2):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1), Residual(width)]
        return nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1))
    layers = [nn.Linear(z_dim, 16 * width), *between(16 * width), nn.Unflatten(1, (width, 4, 4))]
    for padding in (0, 1):
        if KIND == "deep":
            layers += [nn.Conv2d(width, width, 3, padding=1), *between(width)]
        layers += [nn.ConvTranspose2d(width, width, 3, 2, 1, output_padding=padding), *between(width)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 3, 2, 1, output_padding=1))


class CNNEncoder(nn.Module):
    """Part 1: grey levels 0..15."""

    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        width = max(4, num_filters // 4) if KIND == "narrow" else num_filters
        self.body, size = encoder_body(num_input_channels, width)
        self.heads = nn.Linear(size, 2 * z_dim)

    def forward(self, x):
        x = x.to(self.heads.weight.dtype)
        mean, log_std = self.heads(self.body(x if KIND == "unscaled inputs" else x / 7.5 - 1)).chunk(2, dim=1)
        return mean, log_std


class CNNDecoder(nn.Module):
    def __init__(self, num_input_channels=16, num_filters=32, z_dim=20):
        super().__init__()
        width = max(4, num_filters // 4) if KIND == "narrow" else num_filters
        self.body = decoder_body(z_dim, num_input_channels, width)

    def forward(self, z):
        return self.body(z)

    @property
    def device(self):
        return next(self.parameters()).device


class ConvEncoder(nn.Module):
    """Part 2: images in [-1, 1]."""

    def __init__(self, z_dim):
        super().__init__()
        self.body, size = encoder_body(1, 3 if KIND == "narrow" else 32)
        self.head = nn.Linear(size, z_dim)

    def forward(self, x):
        x = x.to(self.head.weight.dtype)
        scaled = {"unscaled inputs": 127.5 * (x + 1), "narrow": (x + 1) / 2}
        return self.head(self.body(scaled.get(KIND, x)))

    @property
    def device(self):
        return next(self.parameters()).device


class ConvDecoder(nn.Module):
    def __init__(self, z_dim):
        super().__init__()
        self.body = decoder_body(z_dim, 1, 3 if KIND == "narrow" else 32)

    def forward(self, z):
        return torch.tanh(self.body(z))
