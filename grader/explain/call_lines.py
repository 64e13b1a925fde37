"""The lines of plain Python that make a call again, or its backward pass."""

from __future__ import annotations

from typing import Any

import torch

from grader.explain.plain import NotPlain, Plain
from grader.explain.transcript import Exchange, helper


def call_lines(plain: Plain, exchange: Exchange, name: str) -> list[str]:
    """The lines that make a call again; `name` is what it returns."""
    if exchange.operation == "backward":
        return _backward_lines(plain, exchange, name)
    expression = plain.call(exchange)
    if not helper(plain.transcript, exchange):
        plain.settle(exchange)
    lines = _surroundings(plain, exchange)
    if exchange.random is not None:
        state = plain.name("generator")
        plain.data[state] = exchange.random
        lines.append(f'torch.set_rng_state(data["{state}"])  # draws what was drawn when it was marked')
    return [*lines, f"{name} = {expression}"]


def _surroundings(plain: Plain, exchange: Exchange) -> list[str]:
    """What else is not the student's in a session: helpers that a stand-in has taken the place of."""
    lines = []
    for other in plain.transcript.exchanges:
        if other is exchange:
            break
        if other.session != exchange.session:
            continue
        name = helper(plain.transcript, other)
        if name == "make_crude":
            raise NotPlain("a piece that does not work has a stand-in of the grader's in its place")
        if name == "stop_sampling":
            lines = [
                "import train_pl, utils",
                "utils.sample_reparameterize = train_pl.sample_reparameterize = lambda mean, std: mean + std",
            ]
    return lines


def _backward_lines(plain: Plain, exchange: Exchange, name: str) -> list[str]:
    graph, chosen, cotangents, of = exchange.arguments
    forward = next(
        (
            one
            for one in plain.transcript.exchanges
            if one.session == exchange.session
            and one.operation == "call"
            and one.reply is not None
            and one.reply.get("graph") == graph
        ),
        None,
    )
    if forward is None:
        raise NotPlain("it is about the gradient of a call that is not known any more")
    value = plain.name("value")
    lines = call_lines(plain, forward, value)
    leaves = [plain.tensor(one, "x") for one in _leaves(forward.arguments[1:3])]
    if of:
        network = plain.object(exchange.session, of[0])
        leaves = [f"*{network}.parameters()"]
        names = f"(name for name, one in {network}.named_parameters() if one.requires_grad)"
    parts = [value] if isinstance(forward.value, torch.Tensor) else [f"{value}[{place}]" for place in chosen]
    given = ", ".join(plain.tensor(one, "cotangent") for one in cotangents)
    call = f"torch.autograd.grad([{', '.join(parts)}], [{', '.join(leaves)}], [{given}], allow_unused=True)"
    return [*lines, f"{name} = dict(zip({names}, {call}, strict=True))" if of else f"{name} = {call}"]


def _leaves(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in _leaves(one)]
    return []
