"""Fresh random inputs for a check: the same for a regrade, unknown beforehand."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

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

    def order(self, count: int) -> torch.Tensor:
        """0..count-1 in an order of its own, int64."""
        return torch.randperm(count, generator=self._generator)

    def view(self) -> View:
        """A way to look at images."""
        turns, shift = self.integers(8), self.integers(2 * View.MAX_SHIFT + 1, 2) - View.MAX_SHIFT
        signs = torch.ones(28, 28)
        row, column = (self.integers(9, 2) + 10).tolist()  # the quadrants meet near the middle
        signs[row:] *= -1
        signs[:, column:] *= self.choice((-1, 1))
        return View(int(turns), (int(shift[0]), int(shift[1])), signs * self.choice((-1, 1)))

    def images(self, images: torch.Tensor, count: int) -> torch.Tensor:
        """`count` different images of a set, `[count, ...]`."""
        return images[self.order(len(images))[:count]]


@dataclass(frozen=True)
class View:
    """The same images, seen in a way that nobody knows before the run.

    Networks learn as well from turned, moved or partly inverted digits; weights that were trained
    beforehand know nothing of them.

    Attributes:
        turns: which of the eight symmetries of the square.
        shift: pixels down and right, at most `MAX_SHIFT`; a digit has four pixels of margin.
        signs: `[28, 28]` of -1 and 1: where images are inverted, half of them or two quadrants.
    """

    MAX_SHIFT: ClassVar[int] = 2
    turns: int
    shift: tuple[int, int]
    signs: torch.Tensor

    def placed(self, images: torch.Tensor) -> torch.Tensor:
        """Turned and moved, `[N, 1, 28, 28]`."""
        images = images.rot90(self.turns % 4, (-2, -1)).roll(self.shift, (-2, -1))
        return images.mT if self.turns >= 4 else images

    def righted(self, images: torch.Tensor) -> torch.Tensor:
        """Undo `placed`."""
        images = images.mT if self.turns >= 4 else images
        return images.roll((-self.shift[0], -self.shift[1]), (-2, -1)).rot90(-(self.turns % 4), (-2, -1))

    def inverted(self, images: torch.Tensor) -> torch.Tensor:
        """Placed, and inverted in parts: images in [0, 1], `[N, 1, 28, 28]`."""
        return 0.5 + (self.placed(images) - 0.5) * self.signs

    def restored(self, images: torch.Tensor) -> torch.Tensor:
        """Undo `inverted`."""
        return self.righted(0.5 + (images - 0.5) * self.signs)
