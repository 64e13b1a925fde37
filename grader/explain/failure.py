"""Where a check stopped, read from the exception's frames: which values it compared, by which condition."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any

import torch

from grader.explain.transcript import SUITES

WORDS = f"{SUITES}expect.py"
# Frames of these are about the words of a check, not about its values.
_VALUES = ("expect_close", "expect_shape", "expect_scalar", "expect_finite")


@dataclass
class Place:
    """One function of a suite on the way to the failure.

    Attributes:
        function: its syntax tree; None where it cannot be read.
        line: that was being run, within the tree.
        names: its local variables.
        globals: those of its module.
    """

    function: ast.FunctionDef | None
    line: int
    names: dict[str, Any]
    globals: dict[str, Any]


@dataclass
class Failure:
    """What a check found wrong.

    Attributes:
        came: the value that was looked at; None where no single one was.
        expected: the value that it should have had, within the tolerances.
        shape: the shape that it should have had, where that was wrong.
        condition: what should have held, as Python.
        asked: the syntax tree of the value, or of what the check asked.
        holds: whether what the check asked should have held, or should not.
        places: the functions of the suites, the innermost first.
        rtol: relative tolerance.
        atol: absolute tolerance.
    """

    came: Any = None
    expected: torch.Tensor | None = None
    shape: tuple[int, ...] | None = None
    condition: str = ""
    asked: ast.expr | None = None
    holds: bool = True
    places: list[Place] = field(default_factory=list)
    rtol: float = 0.0
    atol: float = 0.0


def failure_of(error: BaseException) -> Failure:
    """What the frames of a check's exception tell."""
    frames = [
        frame for frame in _frames(error.__traceback__) if frame[0].f_code.co_filename.startswith(SUITES)
    ]
    found = Failure()
    for frame, line in reversed(frames):
        if frame.f_code.co_filename == WORDS:
            _read_words(frame, found)
        elif "conftest" not in frame.f_code.co_filename and "diagnosis" not in frame.f_code.co_filename:
            found.places.append(_place(frame, line))
    if found.places and not isinstance(found.expected, torch.Tensor) and found.shape is None:
        _read_condition(found)
    elif found.places:
        call = _call_at(found.places[0], _VALUES)
        found.asked = call.args[0] if call is not None and call.args else None
    return found


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _read_words(frame: FrameType, found: Failure) -> None:
    """What `expect_close` and its like were given; the outermost counts."""
    name, values = frame.f_code.co_name, frame.f_locals
    if name == "expect_close":
        found.came, found.expected = values["value"], values["expected"]
        found.rtol, found.atol = values["rtol"], values["atol"]
        found.shape = None
        tensor = values.get("tensor")
        if not isinstance(tensor, torch.Tensor):  # its shape is wrong already
            found.shape = tuple(found.expected.shape)
    elif name == "expect_shape":
        found.came, found.shape = values["value"], tuple(values["shape"])
    elif name == "expect_scalar":
        found.came, found.shape = values["value"], ()
    elif name == "expect_finite":
        found.came = values["tensor"]
        found.condition = "isfinite(value).all()"


def _place(frame: FrameType, line: int) -> Place:
    return Place(
        _function(frame.f_code.co_filename, frame.f_code.co_name, line),
        line,
        dict(frame.f_locals),
        frame.f_globals,
    )


def _function(file: str, name: str, line: int) -> ast.FunctionDef | None:
    tree = ast.parse("".join(linecache.getlines(file)) or "")
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name == name
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return around[-1] if around else None


def _call_at(place: Place, names: tuple[str, ...]) -> ast.Call | None:
    """The call of one of these functions on the line that was being run."""
    if place.function is None:
        return None
    for node in ast.walk(place.function):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in names
            and node.lineno <= place.line <= (node.end_lineno or node.lineno)
        ):
            return node
    return None


def _read_condition(found: Failure) -> None:
    """The condition of an `expect`, or of the `if` around a `fail`, in the function where it stands."""
    for place in found.places:
        call = _call_at(place, ("expect",))
        if call is not None and call.args:
            found.asked = call.args[0]
            found.condition = ast.unparse(call.args[0])
            return
        if _call_at(place, ("fail",)) is None or place.function is None:
            continue
        test, holds = _decided_by(place.function.body, place.line)
        if test is not None:
            found.asked, found.holds = test, holds
            found.condition = ast.unparse(test) if holds else f"not ({ast.unparse(test)})"
            return


def _decided_by(body: list[ast.stmt], line: int) -> tuple[ast.expr | None, bool]:
    """The condition that led to a line: of the `if` around it, or of one before it that would have left.

    Returns:
        The condition, and whether it should have held.
    """
    for place, statement in enumerate(body):
        if not statement.lineno <= line <= (statement.end_lineno or statement.lineno):
            continue
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(statement, name, [])
            if any(one.lineno <= line <= (one.end_lineno or one.lineno) for one in inner):
                test, holds = _decided_by(inner, line)
                if test is not None:
                    return test, holds
                if isinstance(statement, ast.If):
                    return statement.test, name == "orelse"
        for before in reversed(body[:place]):
            if isinstance(before, ast.If) and isinstance(
                before.body[-1], ast.Return | ast.Continue | ast.Break
            ):
                return before.test, True
    return None, False


def names_in(tree: ast.AST) -> list[str]:
    """The names that an expression uses, in order, each once; those of its own loops are left out."""
    own = {
        node.id
        for comprehension in ast.walk(tree)
        if isinstance(comprehension, ast.comprehension)
        for node in ast.walk(comprehension.target)
        if isinstance(node, ast.Name)
    }
    found = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return [name for name in dict.fromkeys(found) if name not in own]


def assignment(place: Place, name: str) -> ast.expr | None:
    """What a local variable was last given before the place, where that is one plain expression."""
    if place.function is None:
        return None
    found = None
    for node in ast.walk(place.function):
        if not isinstance(node, ast.Assign) or node.lineno >= place.line or len(node.targets) != 1:
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id == name:
            found = node.value
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for one, value in zip(target.elts, node.value.elts, strict=False):
                if isinstance(one, ast.Name) and one.id == name:
                    found = value
    return found
