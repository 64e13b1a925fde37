"""Which call of the student's code a failed check is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from grader.box.errors import StudentError
from grader.explain.failure import Failure, names_in
from grader.explain.transcript import Exchange, Transcript, helper


@dataclass
class Found:
    """Which exchange a check stumbled over.

    Attributes:
        exchange: the call, or the backward pass.
        accessor: where in its value the value that was looked at stands, such as `[0]`; None: nowhere.
        value: what stands there.
    """

    exchange: Exchange
    accessor: str | None = None
    value: Any = None


# What an item is about: where a check calls other functions, too, these are looked for first.
SUBJECTS = {
    "1.7.reparameterize": ("sample_reparameterize",),
    "1.7.kld": ("KLD",),
    "1.7.bpd": ("elbo_to_bpd",),
    "1.7.forward": ("VAE", "forward"),
    "1.8.sample": ("sample",),
    "1.9.manifold": ("visualize_manifold",),
    "2.5.autoencoder_loss": ("get_loss_autoencoder",),
    "2.5.discriminator_loss": ("get_loss_discriminator",),
}


def find_call(
    failure: Failure, error: BaseException | None, transcript: Transcript, item: str = ""
) -> Found | None:
    """The call that a failed check is about; None where nothing was called.

    Args:
        failure: what the check found wrong.
        error: the exception that ended it.
        transcript: what it asked.
        item: of the rubric.
    """
    calls = [one for one in transcript.exchanges if one.operation in ("call", "backward")]
    if isinstance(error, StudentError):
        failed = [one for one in transcript.exchanges if one.error is error] or [
            one for one in transcript.exchanges if one.error is not None
        ]
        return Found(failed[-1]) if failed else None
    if isinstance(failure.came, torch.Tensor | float | int) and not isinstance(failure.came, bool):
        found = match(failure.came, calls)
        if found is not None:
            return found
    elif failure.came is not None:
        for exchange in reversed(calls):
            if exchange.value is failure.came:
                return Found(exchange, "")
    if failure.asked is not None:
        for place in failure.places:
            for name in names_in(failure.asked):
                found = match(place.names.get(name), calls)
                if found is not None:
                    return found
    own = [
        one
        for one in calls
        if not one.diagnosis and not helper(transcript, one) and not _is_method(transcript, one)
    ]
    outer = [one for one in calls if not one.diagnosis and helper(transcript, one)]
    about = [one for one in own if _function(transcript, one) in SUBJECTS.get(item, ())]
    # What only fills in a message is kept by no one.
    kept = [one for one in outer if _is_kept(one.value, failure)]
    for candidates in (about, own, kept, outer, calls):
        if candidates:
            return Found(candidates[-1])
    return None


def _is_kept(value: Any, failure: Failure) -> bool:
    """Whether the check still holds what a call returned, or a part of it."""
    returned = {id(one) for one in _with_parts(value) if isinstance(one, torch.Tensor | list | tuple | dict)}
    held = (one for place in failure.places for one in place.names.values())
    return any(id(part) in returned for one in held for part in _with_parts(one))


def _with_parts(value: Any) -> list[Any]:
    """A value, and what it holds itself."""
    if isinstance(value, dict):
        return [value, *value.values()]
    return [value, *value] if isinstance(value, list | tuple) else [value]


def _function(transcript: Transcript, exchange: Exchange) -> str:
    """What is called: a function's name, or the class of an object."""
    if exchange.operation != "call":
        return ""
    got = transcript.creation(exchange.session, exchange.arguments[0])
    if got is not None and got.operation == "get":
        return str(got.arguments[1])
    return str(exchange.arguments[0].type)


def _is_method(transcript: Transcript, exchange: Exchange) -> bool:
    """Whether a call only prepares: a network's mode, weights or their state."""
    if exchange.operation != "call":
        return False
    got = transcript.creation(exchange.session, exchange.arguments[0])
    return (
        got is not None
        and got.operation == "get"
        and got.arguments[1] in ("eval", "train", "state_dict", "load_state_dict", "to")
    )


def match(value: Any, calls: list[Exchange]) -> Found | None:
    """The latest call that returned a value: itself, or the same numbers in another shape or type."""
    if isinstance(value, bool) or not isinstance(value, torch.Tensor | float | int):
        return None
    for exchange in reversed(calls):
        if isinstance(value, torch.Tensor):
            here = _find(exchange.value, lambda one: one is value)
            if here is not None:
                return Found(exchange, *here)
    if isinstance(value, int) or (isinstance(value, torch.Tensor) and not value.is_floating_point()):
        return None
    numbers = torch.as_tensor(value).detach().double().flatten()
    for exchange in reversed(calls):
        here = _find(exchange.value, lambda one: _same_numbers(one, numbers))
        if here is not None:
            return Found(exchange, *here)
    return None


def _same_numbers(value: Any, numbers: torch.Tensor) -> bool:
    if isinstance(value, bool) or not isinstance(value, torch.Tensor | float):
        return False
    own = torch.as_tensor(value).detach()
    return own.numel() == numbers.numel() > 0 and torch.allclose(
        own.double().flatten(), numbers, rtol=0, atol=0, equal_nan=True
    )


def _find(value: Any, right: Callable[[Any], bool]) -> tuple[str, Any] | None:
    """The first part of a value that is right: how to get at it, and the part."""
    if right(value):
        return "", value
    parts = (
        enumerate(value)
        if isinstance(value, list | tuple)
        else value.items()
        if isinstance(value, dict)
        else ()
    )
    for key, one in parts:
        inner = _find(one, right)
        if inner is not None:
            return f"[{key!r}]{inner[0]}", inner[1]
    return None
