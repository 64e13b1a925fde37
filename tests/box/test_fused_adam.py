"""Adam in the box is torch's Adam: the same weights after the same steps, whatever its options."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch

from grader.box.client import Session
from grader.box.launcher import Box

from .conftest import session_with

SOURCE = b"""
import torch

def train(kind, options, weights, images, dtype):
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 3))
    model.load_state_dict(weights)
    model.to(getattr(torch, dtype))
    optimizer = getattr(torch.optim, kind)(model.parameters(), **options)
    for _ in range(20):
        optimizer.zero_grad()
        model(images.to(getattr(torch, dtype))).square().mean().backward()
        optimizer.step()
    state = [optimizer.state[weight] for weight in model.parameters()]
    return model.state_dict(), [one["step"] for one in state], [one["exp_avg_sq"] for one in state]
"""
WAYS = {
    "plain": ("Adam", {"lr": 1e-2}),
    "as in GANs": ("Adam", {"lr": 1e-2, "betas": (0.5, 0.999)}),
    "weight decay and amsgrad": ("Adam", {"lr": 1e-2, "weight_decay": 0.1, "amsgrad": True}),
    "up the gradient": ("Adam", {"lr": 1e-2, "maximize": True}),
    "decoupled weight decay": ("AdamW", {"lr": 1e-2, "weight_decay": 0.1}),
}


@pytest.fixture
def session(box: Box) -> Iterator[Session]:
    yield from session_with(box, "part1/utils.py", SOURCE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", WAYS)
def test_the_same_weights_after_the_same_steps(session: Session, way: str, dtype: str) -> None:
    kind, options = WAYS[way]
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 3))
    before = copy.deepcopy(model.state_dict())
    images = torch.randn(5, 1, 8, 8)
    here: dict[str, object] = {}
    exec(SOURCE.decode(), here)  # outside the box, with torch's own loop
    train = here["train"]
    assert callable(train)
    expected, steps, squares = train(kind, options, before, images, dtype)
    found = session.load("utils").train(kind, options, before, images, dtype)
    for name, value in expected.items():
        assert torch.allclose(found[0][name], value, rtol=1e-5, atol=1e-6), name
        assert not torch.allclose(value.float(), before[name], atol=1e-3), "nothing was learned"
    assert [int(step) for step in found[1]] == [int(step) for step in steps] == [20] * len(steps)
    for one, other in zip(found[2], squares, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-9)


def test_float32_weights_are_updated_by_the_one_kernel(session: Session) -> None:
    session.files(
        {
            "part1/counting.py": b"""
import torch
import utils
def kernels(dtype):
    with torch.profiler.profile() as profile:
        utils.train("Adam", {"lr": 1e-2}, weights(), torch.ones(2, 1, 8, 8), dtype)
    return sum(event.count for event in profile.key_averages() if "fused_adam" in event.key)
def weights():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Flatten(), torch.nn.Linear(4 * 36, 3))
    return model.state_dict()
"""
        }
    )
    counting = session.load("counting")
    assert counting.kernels("float32") >= 20
    assert counting.kernels("float64") == 0


IN_ANOTHER_ORDER = b"""
import torch

def step(kind, weight, gradient):
    weight = torch.nn.Parameter(weight.contiguous(memory_format=torch.channels_last))
    weight.grad = gradient.contiguous()
    optimizer = getattr(torch.optim, kind)([weight], lr=0.1)
    for _ in range(3):
        optimizer.step()
    return weight.detach().contiguous()
"""


@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
def test_a_gradient_that_lies_in_another_order_than_its_weight(box: Box, kind: str) -> None:
    """torch 2.15: the fused kernels go through the memory, and pair other elements of such tensors."""
    torch.manual_seed(1)
    weight, gradient = torch.randn(4, 3, 2, 2), torch.randn(4, 3, 2, 2)
    here: dict[str, object] = {}
    exec(IN_ANOTHER_ORDER.decode(), here)
    step = here["step"]
    assert callable(step)
    for session in session_with(box, "part1/utils.py", IN_ANOTHER_ORDER):
        found = session.load("utils").step(kind, weight, gradient)
    assert torch.allclose(found, step(kind, weight, gradient), rtol=1e-5, atol=1e-6)
