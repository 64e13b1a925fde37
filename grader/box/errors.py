"""What can go wrong between the grader and the box, and whose fault it is."""

from __future__ import annotations


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
        file: the student's file in which it was raised, where the box says so.
        line: the line of it, as text.
        device: the device that the code asked for and the box does not have; empty for any other error.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        hint: str = "",
        exception: str = "",
        file: str = "",
        line: str = "",
        device: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.hint = hint
        self.exception = exception
        self.file = file
        self.line = line
        self.device = device


class BoxError(Exception):
    """The box itself failed: the grader's fault or the machine's, never the student's."""
