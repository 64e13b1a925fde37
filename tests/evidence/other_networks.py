"""Networks of other kinds than the recommended ones, as students hand them in."""

from __future__ import annotations

from typing import Any

HEAD = """
import torch
from torch import nn


class CNNEncoder(nn.Module):
    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        self.body = nn.Sequential(%s)
        self.both = nn.LazyLinear(2 * z_dim)
        self.both(self.body(torch.zeros(2, num_input_channels, 28, 28)))

    def forward(self, x):
        mean, log_std = self.both(self.body(x.float() / 15)).chunk(2, dim=1)
        return mean, log_std


class CNNDecoder(nn.Module):
    def __init__(self, num_input_channels=16, num_filters=32, z_dim=20):
        super().__init__()
        self.channels = num_input_channels
        self.body = nn.Sequential(%s)

    def forward(self, z):
        return self.body(z).view(len(z), self.channels, 28, 28)

    @property
    def device(self):
        return next(self.parameters()).device
"""

# No convolutions; batch normalization, dropout.
DENSE = HEAD % (
    "nn.Flatten(), nn.Linear(784 * num_input_channels, 8 * num_filters), "
    "nn.BatchNorm1d(8 * num_filters), nn.ReLU(), nn.Dropout(0.1)",
    "nn.Linear(z_dim, 8 * num_filters), nn.BatchNorm1d(8 * num_filters), nn.ReLU(), "
    "nn.Linear(8 * num_filters, 784 * num_input_channels)",
)
LAYER_NORM = HEAD % (
    "nn.Flatten(), nn.Linear(784 * num_input_channels, 8 * num_filters), "
    "nn.LayerNorm(8 * num_filters), nn.SiLU()",
    "nn.Linear(z_dim, 8 * num_filters), nn.LayerNorm(8 * num_filters), nn.SiLU(), "
    "nn.Linear(8 * num_filters, 784 * num_input_channels)",
)
BATCH_NORM = HEAD % (
    "nn.Conv2d(num_input_channels, num_filters, 4, 2, 1), nn.BatchNorm2d(num_filters), nn.ReLU(), "
    "nn.Conv2d(num_filters, num_filters, 4, 2, 1), nn.BatchNorm2d(num_filters), nn.ReLU(), nn.Flatten()",
    "nn.Linear(z_dim, num_filters * 49), nn.Unflatten(1, (num_filters, 7, 7)), nn.BatchNorm2d(num_filters), "
    "nn.ReLU(), nn.ConvTranspose2d(num_filters, num_filters, 4, 2, 1), nn.BatchNorm2d(num_filters), "
    "nn.ReLU(), "
    "nn.ConvTranspose2d(num_filters, num_input_channels, 4, 2, 1)",
)
WEIGHT_NORM = HEAD % (
    "nn.Flatten(), "
    "nn.utils.parametrizations.weight_norm(nn.Linear(784 * num_input_channels, 8 * num_filters)), nn.Tanh()",
    "nn.Linear(z_dim, 8 * num_filters), nn.Tanh(), nn.Linear(8 * num_filters, 784 * num_input_channels)",
)


def space_of(source: str) -> dict[str, Any]:
    """What is in a file of this source."""
    space: dict[str, Any] = {"__name__": "cnn_encoder_decoder"}
    exec(compile(source, "cnn_encoder_decoder.py", "exec"), space)
    return space
