"""Every exchange between suite and box, written down as it happens.

A session's public method `request` is all that is listened to; what goes over the wire stays as it is.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from grader.box import wire
from grader.box.budget import Budget
from grader.box.client import Channels, Session
from grader.box.errors import StudentError
from grader.suites import part
from grader.suites.diagnosis import is_diagnosis

SUITES = str(Path(part.__file__).parent) + "/"
# Arguments up to this many elements are copied: a suite may change them in place later on.
MOST_COPIED = 2_000_000


@dataclass
class Exchange:
    """One request and its reply.

    Attributes:
        session: the number of the session, from 0 on.
        operation: `load`, `get`, `set`, `call`, `backward` and so on.
        arguments: as they went, objects of the box as references.
        reply: what came back, as it came; None where an error did.
        error: the error of the student's code, if there was one.
        names: what the suite calls tensors among the arguments, by their place.
        diagnosis: whether it was asked to find a cause, after something was wrong.
        random: the state of torch's generator before a call that drew from it; None where it did not.
    """

    session: int
    operation: str
    arguments: tuple[Any, ...]
    reply: Any = None
    error: StudentError | None = None
    names: dict[int | str, str] = field(default_factory=dict)
    diagnosis: bool = False
    random: torch.Tensor | None = None

    @property
    def value(self) -> Any:
        """What the code returned, for a call; the reply itself otherwise."""
        return self.reply.get("value") if self.operation == "call" and self.reply is not None else self.reply


class Transcript:
    """All exchanges of one check, and the weights that networks had when their session ended."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.states: dict[tuple[int, int], dict[str, torch.Tensor]] = {}
        self.sessions = 0

    def clear(self) -> None:
        """Forget all exchanges: another check begins."""
        self.exchanges = [one for one in self.exchanges if one.operation in ("load", "get")]
        self.states.clear()

    def creation(self, session: int, reference: wire.Reference) -> Exchange | None:
        """The exchange that an object of the box came from."""
        for exchange in self.exchanges:
            if exchange.session == session and _holds(exchange.value, reference):
                return exchange
        return None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """While it lasts, the sessions of suites are written down here."""
        # The suites have no other place where the kind of a session could be named.
        before = part.Session
        transcript = self

        class Listening(_Recorded):
            def __init__(self, box: Channels, budget: Budget | None = None) -> None:
                super().__init__(box, budget, transcript)

        part.Session = Listening  # type: ignore[misc]
        try:
            yield
        finally:
            part.Session = before  # type: ignore[misc]


class _Recorded(Session):
    def __init__(self, box: Channels, budget: Budget | None, transcript: Transcript) -> None:
        self._transcript = transcript
        self._id, transcript.sessions = transcript.sessions, transcript.sessions + 1
        self._generator: wire.Reference | None = None
        self._called: dict[int, wire.Reference] = {}
        super().__init__(box, budget)

    def request(self, operation: str, *arguments: Any, what: str = "") -> Any:
        if operation in ("files", "enter", "stay_on_cpu", "cpu"):
            return super().request(operation, *arguments, what=what)
        names, diagnosis = _surroundings(arguments)
        exchange = Exchange(self._id, operation, _copied(arguments), names=names, diagnosis=diagnosis)
        self._transcript.exchanges.append(exchange)
        if operation == "call" and isinstance(arguments[0], wire.Reference):
            self._called[arguments[0].id] = arguments[0]
        before = self._random() if operation == "call" else None
        try:
            exchange.reply = super().request(operation, *arguments, what=what)
        except StudentError as error:
            exchange.error = error
            raise
        finally:
            if before is not None and not self.broken:
                after = self._random()
                exchange.random = None if after is not None and torch.equal(before, after) else before
        return exchange.reply

    def _random(self) -> torch.Tensor | None:
        """The state of torch's generator in the session: what a call draws can then be drawn again."""
        with contextlib.suppress(StudentError):
            if self._generator is None:
                loaded = super().request("load", "torch")
                self._generator = super().request("get", loaded, "get_rng_state")
            state = super().request("call", self._generator, (), {}, False)["value"]
            return state if isinstance(state, torch.Tensor) else None
        return None

    def close(self) -> None:
        if not self.broken:
            for number, reference in list(self._called.items())[-8:]:
                with contextlib.suppress(Exception):
                    self._transcript.states[self._id, number] = self._state(reference)
        super().close()

    def _state(self, network: wire.Reference) -> dict[str, torch.Tensor]:
        """A network's weights; of what is none there are none, and an error says so."""
        method = super().request("get", network, "state_dict")
        reply = super().request("call", method, (), {}, False)
        state = reply["value"]
        assert isinstance(state, dict)
        assert all(isinstance(one, torch.Tensor) for one in state.values())
        return state


def _holds(value: Any, reference: wire.Reference) -> bool:
    if isinstance(value, wire.Reference):
        return value.id == reference.id
    if isinstance(value, list | tuple):
        return any(_holds(one, reference) for one in value)
    if isinstance(value, dict):
        return any(_holds(one, reference) for one in value.values())
    return False


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        copied = value.detach().clone() if value.numel() <= MOST_COPIED else value.detach()
        return copied.requires_grad_() if value.requires_grad else copied
    if isinstance(value, list | tuple):
        return type(value)(_copied(one) for one in value)
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return value


def _surroundings(arguments: tuple[Any, ...]) -> tuple[dict[int | str, str], bool]:
    """What the suite calls the tensors of a call, and whether it only looks for a cause."""
    given: dict[int, int | str] = {}
    if len(arguments) > 2 and isinstance(arguments[1], tuple) and isinstance(arguments[2], dict):
        given = {id(one): place for place, one in enumerate(arguments[1]) if isinstance(one, torch.Tensor)}
    names: dict[int | str, str] = {}
    diagnosis = False
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(SUITES):
            diagnosis = diagnosis or is_diagnosis(code)
            if given and code.co_name != "<genexpr>":
                for name, value in list(frame.f_locals.items()):
                    place = given.get(id(value))
                    if place is not None:
                        names.setdefault(place, name)
        frame = frame.f_back
    return names, diagnosis


def gradients_of(exchange: Exchange) -> dict[str, torch.Tensor | None]:
    """What a backward pass found for the weights of a network, by name; nothing for any other request."""
    value = exchange.value[0] if exchange.operation == "backward" and exchange.value else None
    return value if isinstance(value, dict) else {}


def helper(transcript: Transcript, exchange: Exchange) -> str:
    """The name of the grader's helper that a call is of; empty where it is one of the student's functions."""
    if exchange.operation != "call":
        return ""
    got = transcript.creation(exchange.session, exchange.arguments[0])
    if got is None or got.operation != "get" or not driver(transcript, got):
        return ""
    return str(got.arguments[1])


def driver(transcript: Transcript, got: Exchange) -> str:
    """The module of the grader's helpers that a function was taken from, such as `part2_driver`."""
    owner = transcript.creation(got.session, got.arguments[0])
    if owner is None or owner.operation != "load" or not owner.arguments[0].endswith("_driver"):
        return ""
    return str(owner.arguments[0])
