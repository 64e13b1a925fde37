"""What the checks of any network keep of what they are sent."""

from __future__ import annotations

import weakref
from typing import Any

import torch

from grader.suites.networks import expect_trainable

OUTPUTS = 30


class Network:
    """Stands in for an encoder with many outputs, and for the part, session and call that lead to it."""

    def __init__(self) -> None:
        self.state = {"large": torch.ones(10)}
        self.alive = self.most_alive = self.asked = 0

    def train(self) -> None: ...

    def eval(self) -> None: ...

    def state_dict(self) -> dict[str, torch.Tensor]:
        return self.state

    def __call__(self, inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(inputs * (index + 1) for index in range(OUTPUTS))

    def record(self, network: Network, inputs: torch.Tensor) -> Network:
        self.value = self(inputs)
        return self

    def gradients(self, *cotangents: torch.Tensor | None, of: Network) -> dict[str, torch.Tensor]:
        assert [one is not None for one in cotangents] == [False] * self.asked + [True]
        self.asked += 1
        gradient = torch.ones(10)
        self.alive += 1
        self.most_alive = max(self.most_alive, self.alive)
        weakref.finalize(gradient.untyped_storage(), self._gone)
        return {"large": gradient}

    def _gone(self) -> None:
        self.alive -= 1


def test_one_gradient_is_held_at_a_time() -> None:
    network: Any = Network()
    expect_trainable(network, network, torch.ones(2, 3), "the codes")
    assert network.asked == OUTPUTS
    assert network.most_alive == 1
