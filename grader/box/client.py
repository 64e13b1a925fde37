"""The grader's end of a session: requests with deadlines, and proxies that read like ordinary objects.

part1 = Session(box)
part1.files({"part1/utils.py": source})
part1.enter("part1")
utils = part1.load("utils")
kld = utils.KLD(mean, log_std)                        # tensors in, tensors out
call = part1.record(utils.KLD, mean, log_std)         # the same, and
grad_mean, grad_log_std = call.gradients(cotangent)   # vector-Jacobian products
"""

from __future__ import annotations

import contextlib
import math
import re
import select
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch

from grader.box import wire
from grader.box.budget import LOOK_SECONDS, Budget
from grader.box.errors import SYNTAX_ERRORS, Frame, StudentError
from grader.box.remote import Call, Remote, RemoteModule, origin, tensors_in
from grader.limits import CALL_SECONDS
from grader.text import one_line

DEVICES = ("cuda", "mps", "xpu", "hpu", "mtia", "xla")
_PLACE = re.compile(r" \([^()]+, line \d+\)$")


class Channels(Protocol):
    """What a session needs of a box."""

    def open_channel(self) -> tuple[int, socket.socket]: ...

    def close_channel(self, session: int) -> None: ...

    def memory(self, session: int) -> int: ...


class Session:
    """One confined process with one part of one submission.

    Once the code has died, hung or broken the wire, every further request fails in the same way:
    open a new session to go on.
    """

    def __init__(self, box: Channels, budget: Budget | None = None) -> None:
        self._box = box
        self._budget = budget or Budget(math.inf)
        self._number, self._channel = box.open_channel()
        self._channel.setblocking(False)
        self._inbox = bytearray()  # what came with an earlier read and has not been asked for yet
        self._seconds = CALL_SECONDS
        self._fault: StudentError | None = None
        self._closed = False
        self._next_seed: int | None = None  # sent with the next request
        self.missing_device: StudentError | None = None  # the first error for want of a device
        self._budget.opened(self)

    # -- what a suite uses ---------------------------------------------------------------------

    def files(self, files: Mapping[str, bytes]) -> None:
        """Put files into the session's private folder."""
        self.request(
            "files",
            {
                name: torch.frombuffer(bytearray(content), dtype=torch.uint8)
                if content
                else torch.empty(0).byte()
                for name, content in files.items()
            },
        )

    def enter(self, folder: str) -> None:
        """Import from this folder from now on, as a script in it would."""
        self.request("enter", folder)

    def load(self, module: str, alias: str = "") -> Remote:
        """Import a module.

        Args:
            module: its name.
            alias: how messages call all that is in it: a student knows nothing of the grader's own helpers.

        Raises:
            StudentError: it is missing, or its import fails.
        """
        loaded = self.request("load", module)
        if not isinstance(loaded, wire.Reference):
            raise self.break_off("protocol", "the reply to an import is not a module")
        return RemoteModule(self, loaded, alias or module, alias)

    def seed(self, number: int) -> None:
        """Seed every generator in the session, before its next request is served."""
        self._next_seed = number

    def stay_on_cpu(self) -> None:
        """From now on all that the code wants on a device that is not there stays on the CPU."""
        self.request("stay_on_cpu")

    def cpu_seconds(self) -> float:
        """What the session says of its CPU time: for measurements, not for verdicts."""
        value = self.request("cpu")
        if not isinstance(value, float):
            raise self.break_off("protocol", "the reply is not one that the worker sends")
        return value

    def set(self, target: Remote, name: str, value: Any) -> None:
        """Set an attribute of a remote object."""
        self.request("set", origin(target).reference, name, self._unwrap(value))

    def record(self, function: Remote, *args: Any, **kwargs: Any) -> Call:
        """Call a function and keep its graph for `Call.gradients`."""
        reply = self.call(function, args, kwargs, record=True)
        value = self.wrap(reply["value"])
        if not isinstance(reply.get("graph"), wire.Reference):
            raise self.break_off("protocol", "the reply lacks its graph")
        return Call(self, value, reply["graph"], [t for t in tensors_in((args, kwargs)) if t.requires_grad])

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        """Allow the calls inside more (or less) time."""
        before, self._seconds = self._seconds, seconds
        try:
            yield
        finally:
            self._seconds = before

    @property
    def hung(self) -> bool:
        """Whether a call did not end in time."""
        return self._fault is not None and self._fault.kind == "timeout"

    @property
    def broken(self) -> bool:
        """Whether the session can no longer be used."""
        return self._fault is not None or self._closed

    def close(self) -> None:
        """Kill the session and all it started."""
        if not self._closed:
            self._closed = True
            self._budget.closed(self)
            self._channel.close()
            self._box.close_channel(self._number)

    # -- what the budget uses --------------------------------------------------------------------

    def memory(self) -> int:
        """Bytes that the session takes beyond what it shares with the others."""
        return self._box.memory(self._number)

    def give_up(self, error: StudentError) -> None:
        """Kill the session; every request fails with this error from now on."""
        self._fault = error
        self.close()

    # -- the wire ------------------------------------------------------------------------------

    def call(
        self, function: Remote, args: tuple[Any, ...], kwargs: dict[str, Any], record: bool = False
    ) -> dict[str, Any]:
        """Call an object of the box: its reply, with the value as it came and, if recorded, its graph."""
        reply = self.request(
            "call",
            origin(function).reference,
            self._unwrap(args),
            self._unwrap(kwargs),
            record,
            what=origin(function).name,
        )
        if not isinstance(reply, dict) or "value" not in reply:
            raise self.break_off("protocol", "the reply to a call lacks its value")
        return reply

    def request(self, operation: str, *arguments: Any, what: str = "") -> Any:
        """Have the session do something.

        Args:
            operation: the name of a method of the box's `Session`.
            arguments: of it.
            what: how messages call it.

        Raises:
            StudentError: it failed, or the session is broken.
        """
        if self._fault is not None:
            raise self._fault
        started = time.monotonic()
        try:
            return self._exchange(operation, arguments, what, min(self._seconds, self._budget.left))
        except StudentError:
            raise
        except BaseException:  # interrupted between request and reply: the next one would get this one's
            self.break_off("protocol", "a call was interrupted")
            raise
        finally:
            self._budget.left -= time.monotonic() - started

    def _exchange(self, operation: str, arguments: tuple[Any, ...], what: str, seconds: float) -> Any:
        deadline = time.monotonic() + seconds
        try:
            message = wire.pack({"op": operation, "arguments": arguments, "seed": self._next_seed})
            self._next_seed = None
        except wire.WireError as error:
            raise self.break_off("protocol", f"{what or operation} cannot be asked for: {error}") from None
        try:
            self._send(message, deadline)
            length = wire.header_length(bytes(self._receive(wire.LENGTH.size, deadline)))
            header = wire.parse_header(bytes(self._receive(length, deadline)))
            self._budget.admit(header, what or "the code")
            reply = wire.unpack(header, self._receive(header.payload_length, deadline))
            self._budget.keep(reply)
            if self._inbox:
                raise wire.WireError("it goes on after its end")
        except StudentError as error:  # of the budget: what else was to come is not read
            self._fault = error
            raise
        except wire.WireError as error:
            raise self.break_off("protocol", f"the reply could not be read: {error}") from None
        except (ConnectionError, EOFError):
            raise self.break_off(
                "died",
                f"{what or 'the code'} ended the process it runs in",
                "look for sys.exit, os._exit, a signal, or more memory than there is",
                what or "the code",
            ) from None
        except TimeoutError:
            raise self.break_off(
                "timeout",
                f"{what or 'the code'} did not finish within {max(0.0, seconds):.0f} s",
                "look for an endless loop, input(), sleep, or training started by the import",
                what or "the code",
            ) from None
        if not isinstance(reply, dict) or len(reply) != 1:
            raise self.break_off("protocol", "the reply is not one that the worker sends")
        ((kind, content),) = reply.items()
        if kind == "result":
            return content
        if kind == "unusable":
            text = f"{what} returned a value that cannot be used: {one_line(content)}"
            raise StudentError("unusable", text, call=what)
        if kind == "error" and isinstance(content, dict):
            raise self._student_error(operation, arguments, content, what)
        raise self.break_off("protocol", "the reply is not one that the worker sends")

    def _student_error(
        self, operation: str, arguments: tuple[Any, ...], content: dict[str, Any], what: str
    ) -> StudentError:
        name, message = one_line(content.get("type"), 80), one_line(content.get("message"))
        frames = _frames(content.get("where"))
        where = f" ({frames[-1].file}, line {frames[-1].line})" if frames else ""
        if content.get("stub") is True:
            # A bare `raise NotImplementedError` has no words of its own: then the place tells which it is.
            function = frames[-1].function if frames else "the code"
            missing = message.strip() or f"{function} raises NotImplementedError{where}"
            return StudentError(
                "not_implemented", f"not implemented yet: {missing}", "", name, frames, detail=missing
            )
        if operation == "get" and name == "AttributeError" and not frames:
            owner = one_line(arguments[0].type, 80)
            text = f"{owner} has no {arguments[1]}: {message}"
            return StudentError("missing", text, call=f"{owner}.{arguments[1]}")
        if where and name in SYNTAX_ERRORS:  # Python itself puts the place behind its message
            message = _PLACE.sub("", message)
        if operation == "load":
            if name == "ModuleNotFoundError" and not frames:
                return StudentError("missing", f"{arguments[0]}.py is missing", call=f"{arguments[0]}.py")
            call = f"{arguments[0]}.py"
            text = f"{call} cannot be imported: {name}: {message}{where}"
        else:
            call = what or "the code"
            text = f"{call} raised {name}: {message}{where}"
        device = content.get("device")
        error = StudentError(
            "raised",
            text,
            "",
            name,
            frames,
            device if device in DEVICES else "",
            call,
            message,
            importing=operation == "load",
        )
        if error.device and self.missing_device is None:
            self.missing_device = error
        return error

    def break_off(self, kind: str, message: str, hint: str = "", call: str = "") -> StudentError:
        """Give the session up; the error with which every further request fails."""
        self._fault = StudentError(kind, message, hint, call=call)
        return self._fault

    def _wait(self, reading: bool, deadline: float) -> None:
        poll = select.poll()  # unlike select, not limited to the first 1024 descriptors
        poll.register(self._channel, select.POLLIN if reading else select.POLLOUT)
        while True:
            self._budget.look()
            if self._fault is not None:
                raise self._fault
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            if poll.poll(1000 * min(remaining, LOOK_SECONDS)):
                return

    def _send(self, data: bytearray, deadline: float) -> None:
        view, done = memoryview(data), 0
        while done < len(view):
            self._wait(reading=False, deadline=deadline)
            with contextlib.suppress(BlockingIOError):
                done += self._channel.send(view[done : done + 2**20])

    def _receive(self, count: int, deadline: float) -> bytearray:
        while len(self._inbox) < count:  # grows as bytes arrive: an announcement alone takes no memory
            self._wait(reading=True, deadline=deadline)
            with contextlib.suppress(BlockingIOError):
                part = self._channel.recv(max(2**16, min(count - len(self._inbox), 2**20)))
                if not part:
                    raise EOFError
                self._inbox += part
        if len(self._inbox) == count:
            data, self._inbox = self._inbox, bytearray()
            return data
        data = self._inbox[:count]
        del self._inbox[:count]
        return data

    # -- references and proxies ------------------------------------------------------------------

    def wrap(self, value: Any, name: str = "") -> Any:
        """A value that came, with objects of the box in the place of references to them."""
        if isinstance(value, wire.Reference):
            return Remote(self, value, name or one_line(value.type, 60))
        if isinstance(value, list):
            return [self.wrap(part, name) for part in value]
        if isinstance(value, tuple):
            return tuple(self.wrap(part, name) for part in value)
        if isinstance(value, dict):
            return {key: self.wrap(part, name) for key, part in value.items()}
        return value

    def _unwrap(self, value: Any) -> Any:
        if isinstance(value, Remote):
            if origin(value).session is not self:
                raise ValueError("an object of another session")
            return origin(value).reference
        if isinstance(value, list):
            return [self._unwrap(part) for part in value]
        if isinstance(value, tuple):
            return tuple(self._unwrap(part) for part in value)
        if isinstance(value, dict):
            return {key: self._unwrap(part) for key, part in value.items()}
        return value


def _frames(where: Any) -> tuple[Frame, ...]:
    """The places that the box names, as harmless texts; at most five."""
    places = (
        [place for place in where if isinstance(place, list) and len(place) == 3]
        if isinstance(where, list)
        else []
    )
    return tuple(Frame(*(one_line(str(part), 80) for part in place)) for place in places[-5:])
