"""Gradients through code that computes them in its own way: other number types, checkpointing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from grader.box.client import Session
from grader.box.launcher import Box

from .conftest import session_with

MODELS = b"""
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

class Net(nn.Module):
    def __init__(self, reentrant=None, dtype=torch.float32):
        super().__init__()
        self.first, self.last = nn.Linear(4, 8, dtype=dtype), nn.Linear(8, 2, dtype=dtype)
        self.reentrant = reentrant

    def forward(self, x):
        hidden = self.first(x.to(self.first.weight.dtype)).relu()
        if self.reentrant is None:
            return self.last(hidden)
        return checkpoint(self.last, hidden, use_reentrant=self.reentrant)

def reentrant():
    return Net(True)

def double():
    return Net(dtype=torch.float64)

def frozen(*names):
    net = Net()
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name not in names)
    return net

def fill(net):
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, 7.0)

def filled(net):
    return all(bool((parameter.grad == 7).all()) for parameter in net.parameters())

def broken(x):
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2
        @staticmethod
        def backward(ctx, gradient):
            raise RuntimeError("no checkpoint of this")
    return Broken.apply(x)
"""


@pytest.fixture
def session(box: Box) -> Iterator[Session]:
    yield from session_with(box, "part2/models.py", MODELS)


def test_reentrant_checkpointing_gives_the_gradients_of_the_plain_network(session: Session) -> None:
    """torch 2.15: `use_reentrant=True` refuses `autograd.grad`; only `backward` works."""
    models = session.load("models")
    net, plain = models.reentrant(), models.Net()
    plain.load_state_dict(net.state_dict())
    x = torch.randn(3, 4)
    found = []
    for network in (net, plain):
        call = session.record(network, x.clone().requires_grad_())
        cotangent = torch.ones(3, 2)
        (of_input,) = call.gradients(cotangent)
        of_weights = call.gradients(cotangent, of=network)
        again = call.gradients(cotangent, of=network)
        assert of_input is not None
        assert all(torch.equal(of_weights[name], again[name]) for name in of_weights)
        found.append({**of_weights, "input": of_input})
    assert set(found[0]) == {"first.weight", "first.bias", "last.weight", "last.bias", "input"}
    for name, gradient in found[0].items():
        assert torch.allclose(gradient, found[1][name]), name


def test_what_grad_held_before_is_there_afterwards(session: Session) -> None:
    models = session.load("models")
    net = models.reentrant()
    models.fill(net)
    call = session.record(net, torch.randn(3, 4).requires_grad_())
    gradients = call.gradients(torch.ones(3, 2), of=net)
    assert not (gradients["last.bias"] == 7).any()
    assert models.filled(net) is True


def test_cotangents_take_the_number_type_of_their_output(session: Session) -> None:
    models = session.load("models")
    net = models.double()
    call = session.record(net, torch.randn(3, 4).requires_grad_())
    gradients = call.gradients(torch.ones(3, 2), of=net)
    assert gradients["last.bias"].dtype == torch.float64
    assert torch.equal(gradients["last.bias"], torch.full((2,), 3.0, dtype=torch.float64))
    (of_input,) = call.gradients(torch.ones(3, 2))
    assert of_input is not None
    assert of_input.dtype == torch.float32


def test_an_error_of_the_code_s_own_backward_pass_is_still_one(session: Session) -> None:
    call = session.record(session.load("models").broken, torch.ones(2).requires_grad_())
    with pytest.raises(Exception, match="no checkpoint of this"):
        call.gradients(torch.ones(2))


def test_frozen_parameters_have_no_gradient_and_raise_no_error(session: Session) -> None:
    models = session.load("models")
    net = models.frozen("first.weight")
    call = session.record(net, torch.randn(3, 4))
    assert set(call.gradients(torch.ones(3, 2), of=net)) == {"first.bias", "last.weight", "last.bias"}
    everything = models.frozen("first.weight", "first.bias", "last.weight", "last.bias")
    call = session.record(everything, torch.randn(3, 4))
    assert call.gradients(torch.ones(3, 2), of=everything) == {}
