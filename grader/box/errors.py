"""What can go wrong between the grader and the box, and whose fault it is."""

from __future__ import annotations

from typing import NamedTuple

SYNTAX_ERRORS = ("SyntaxError", "IndentationError", "TabError")


class Frame(NamedTuple):
    """A place in a student's file: texts, since the box may say anything."""

    file: str
    line: str
    function: str


class StudentError(Exception):
    """The student's code is to blame; costs the check its points.

    Attributes:
        kind: what happened:
            `raised` (an exception), `missing` (no such file, function or class),
            `not_implemented` (a stub), `died` (the code ended its process), `timeout`,
            `hung` (not tried after a timeout), `protocol` (the reply was not one that the worker sends)
            or `unusable` (it returned something that cannot be looked at).
        hint: the likely cause and what to try.
        exception: the name of the exception's class, for `raised`.
        frames: where in the student's files it was raised, as the box tells it: file, line and function of
            each call, the innermost last.
        device: the device that the code asked for and the box does not have; empty for any other error.
        call: the function that was called or the file that was imported, as messages name it.
        detail: the exception's own message, or what a stub says of itself.
        importing: whether it was raised while a file was imported.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        hint: str = "",
        exception: str = "",
        frames: tuple[Frame, ...] = (),
        device: str = "",
        call: str = "",
        detail: str = "",
        importing: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.hint = hint
        self.exception = exception
        self.frames = frames
        self.device = device
        self.call = call
        self.detail = detail
        self.importing = importing

    @property
    def file(self) -> str:
        """The student's file in which it was raised, or an empty text."""
        return self.frames[-1].file if self.frames else ""

    @property
    def line(self) -> int:
        """The line of that file; 0 where there is none."""
        line = self.frames[-1].line if self.frames else ""
        return int(line) if line.isascii() and line.isdigit() else 0


class BoxError(Exception):
    """The box itself failed: the grader's fault or the machine's, never the student's."""
