"""A worker that does not keep to the protocol, at the other end of a session's wire."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable

from grader.box import wire

Script = Callable[[socket.socket], None]


class HostileBox:
    """Stands in for the box. Each session is served by a thread that runs the script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.closed: list[int] = []
        self._threads: list[threading.Thread] = []
        self._ends: list[socket.socket] = []

    def open_channel(self) -> tuple[int, socket.socket]:
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=self._serve, args=(theirs,), daemon=True)
        self._threads.append(thread)
        self._ends.append(theirs)
        thread.start()
        return len(self._threads), ours

    def close_channel(self, session: int) -> None:
        self.closed.append(session)

    def memory(self, session: int) -> int:
        return 0

    def _serve(self, channel: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            self.script(channel)

    def end(self) -> None:
        """Hang up and wait for the threads."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for end in self._ends:
            end.close()


def take_request(channel: socket.socket) -> object:
    """Read one request as the real worker would."""

    def exactly(count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = channel.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    header = wire.parse_header(exactly(wire.header_length(exactly(4))))
    return wire.unpack(header, bytearray(exactly(header.payload_length)))


def raw(header: object, payload: bytes = b"") -> bytes:
    """A message with this header, whether or not it makes sense."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return wire.LENGTH.pack(len(text)) + text + payload


def answering(*messages: bytes) -> Script:
    """A script that answers one request after the other, then reads on without an answer."""

    def script(channel: socket.socket) -> None:
        for message in messages:
            take_request(channel)
            channel.sendall(message)
        while channel.recv(65536):
            pass

    return script


def replying(*contents: object) -> Script:
    """A script whose messages are well formed, with these contents."""
    return answering(*(bytes(wire.pack(content)) for content in contents))
