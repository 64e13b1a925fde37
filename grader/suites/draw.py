"""Fresh random inputs for a check: the same for a regrade, unknown beforehand."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import torch


def derive_seed(run_seed: int, submission: str, check: str) -> int:
    """63 bits from HMAC-SHA256(run seed; submission, check)."""
    key = str(run_seed).encode()
    message = b"\0".join(part.encode("utf-8", "surrogateescape") for part in (submission, check))
    return int.from_bytes(hmac.new(key, message, hashlib.sha256).digest()[:8], "little") >> 1


class Draw:
    """A source of random inputs with a generator of its own; the global one is never touched."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def seed(self) -> int:
        """A seed for a session."""
        return int(torch.randint(2**31, (), generator=self._generator))

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32, std: float = 1.0) -> torch.Tensor:
        """N(0, std^2) of a shape."""
        return torch.randn(shape, generator=self._generator, dtype=dtype) * std

    def uniform(
        self, *shape: int, low: float = 0.0, high: float = 1.0, dtype: torch.dtype = torch.float32
    ) -> torch.Tensor:
        """U(low, high) of a shape."""
        return low + (high - low) * torch.rand(shape, generator=self._generator, dtype=dtype)

    def integers(self, high: int, *shape: int) -> torch.Tensor:
        """int64 in 0..high-1 of a shape."""
        return torch.randint(high, shape, generator=self._generator)

    def choice(self, options: Sequence[int]) -> int:
        """One of some options."""
        return options[int(torch.randint(len(options), (), generator=self._generator))]

    def images(self, images: torch.Tensor, count: int) -> torch.Tensor:
        """`count` different images of a set, `[count, ...]`."""
        return images[torch.randperm(len(images), generator=self._generator)[:count]]
