"""What a session hands to a suite: objects that stay in the box, modules of them, and recorded calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, overload

import torch

from grader.box import wire
from grader.box.errors import StudentError


class Session(Protocol):
    """What these objects ask of the session that they belong to."""

    def request(self, operation: str, *arguments: Any, what: str = "") -> Any: ...

    def call(self, function: Remote, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]: ...

    def wrap(self, value: Any, name: str = ...) -> Any: ...

    def break_off(self, kind: str, message: str) -> StudentError: ...


class Origin(NamedTuple):
    """Where a remote object lives, and how messages call it."""

    session: Session
    reference: wire.Reference
    name: str
    alias: str


class Remote:
    """An object in the box. Reading an attribute and calling it go over the wire."""

    _origin: Origin

    def __init__(self, session: Session, reference: wire.Reference, name: str, alias: str = "") -> None:
        self._origin = Origin(session, reference, name, alias)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # copy, pickle and pytest ask for these of whatever they meet
        session, reference, own_name, alias = self._origin
        value = session.request("get", reference, name, what=alias or f"{own_name}.{name}")
        if isinstance(value, wire.Reference):
            return Remote(session, value, alias or name, alias)
        return session.wrap(value, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        session = self._origin.session
        return session.wrap(session.call(self, args, kwargs)["value"])

    def __repr__(self) -> str:
        return f"<{self._origin.name} in the box>"


def origin(value: Remote) -> Origin:
    """Where an object lives: a function, since every attribute of a `Remote` is one of the student's."""
    return value._origin


class RemoteModule(Remote):
    """A module in the box: what is asked of it is a function or a class, never a plain value."""

    def __getattr__(self, name: str) -> Remote:
        value = super().__getattr__(name)
        if not isinstance(value, Remote):
            where = self._origin.alias or f"{self._origin.name}.py"
            raise StudentError("missing", f"in {where}, {name} is a plain value, not a function or class")
        self.__dict__[name] = value  # asked for once: a quarter of all requests were for the same few names
        return value


class Call:
    """A recorded call: its value, and gradients through it."""

    def __init__(
        self, session: Session, value: Any, graph: wire.Reference, leaves: list[torch.Tensor]
    ) -> None:
        self._session = session
        self._graph = graph
        self._leaves = leaves
        self.value = value

    @overload
    def gradients(self, *cotangents: torch.Tensor | None) -> list[torch.Tensor | None]: ...

    @overload
    def gradients(self, *cotangents: torch.Tensor | None, of: Remote) -> dict[str, torch.Tensor | None]: ...

    def gradients(
        self, *cotangents: torch.Tensor | None, of: Remote | None = None
    ) -> list[torch.Tensor | None] | dict[str, torch.Tensor | None]:
        """Vector-Jacobian products.

        Args:
            cotangents: one for each tensor of the value, in order; None leaves a tensor out.
            of: a network: differentiate by its parameters instead of by the inputs.

        Returns:
            A gradient or None for each input that requires one, or by parameter name with `of`.
        """
        chosen = [index for index, cotangent in enumerate(cotangents) if cotangent is not None]
        given = [cotangents[index] for index in chosen]
        reply = self._session.request(
            "backward",
            self._graph,
            chosen,
            given,
            [origin(of).reference] if of is not None else [],
            what="the backward pass",
        )
        malformed = "the reply to a backward pass is malformed"
        if not isinstance(reply, list):
            raise self._session.break_off("protocol", malformed)
        if of is None:
            if len(reply) != len(self._leaves):
                raise self._session.break_off("protocol", malformed)
            for gradient, leaf in zip(reply, self._leaves, strict=True):
                if gradient is not None and not (
                    isinstance(gradient, torch.Tensor) and gradient.shape == leaf.shape
                ):
                    raise self._session.break_off("protocol", malformed)
            return reply
        if len(reply) != 1 or not isinstance(reply[0], dict):
            raise self._session.break_off("protocol", malformed)
        for name, gradient in reply[0].items():
            if not isinstance(name, str) or not (gradient is None or isinstance(gradient, torch.Tensor)):
                raise self._session.break_off("protocol", malformed)
        return reply[0]


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """All tensors of a value, in the order in which they travel."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from tensors_in(part)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))
