"""What the grader's helpers in the sandbox do, in the words of their documentation."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache

from grader.explain.transcript import Exchange, Transcript, driver, helper
from grader.suites.part import DRIVERS

MOST_STEPS = 12


@dataclass(frozen=True)
class Helper:
    """A function of the grader's in the sandbox, or a method of what such a function has made.

    Attributes:
        name: `after_fit`, or `Snapshots.state`.
        purpose: what it does, in a line; empty where nothing says it.
        parameters: their names, without `self`.
    """

    name: str
    purpose: str = ""
    parameters: tuple[str, ...] = ()


@cache
def _helpers_of(module: str) -> dict[str, Helper]:
    """The helpers of a module by name, and those that it takes from others beside it."""
    file = DRIVERS / f"{module}.py"
    if not file.is_file():
        return {}
    found: dict[str, Helper] = {}
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {alias.name for alias in node.names}
            for name, one in _helpers_of(node.module).items():
                if "." in name or name in names:  # what a function makes is of a class that nobody imports
                    found.setdefault(name, one)
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = _helper(node, "")
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    found[f"{node.name}.{inner.name}"] = _helper(inner, f"{node.name}.")
    return found


def _helper(node: ast.FunctionDef, owner: str) -> Helper:
    text = ast.get_docstring(node) or ""
    names = tuple(one.arg for one in (*node.args.posonlyargs, *node.args.args))
    return Helper(f"{owner}{node.name}", text.partition("\n")[0], names[1:] if owner else names)


def helper_called(transcript: Transcript, exchange: Exchange) -> Helper | None:
    """The helper that a call is of, directly or as a method of what one has made; None for other calls."""
    if exchange.operation != "call":
        return None
    got = transcript.creation(exchange.session, exchange.arguments[0])
    if got is None or got.operation != "get":
        return None
    name = str(got.arguments[1])
    if module := driver(transcript, got):
        return _helpers_of(module).get(name, Helper(name))
    owner = transcript.creation(exchange.session, got.arguments[0])
    if owner is None or not helper(transcript, owner):
        return None
    made = transcript.creation(owner.session, owner.arguments[0])
    module = driver(transcript, made) if made is not None else ""
    # A model that a helper has built is the student's: only classes of the helpers' module are ours.
    return _helpers_of(module).get(f"{got.arguments[0].type}.{name}")


def steps_of(transcript: Transcript) -> list[str]:
    """What a check had its helpers do, in order, each once; the last ones, where there are many."""
    called = [helper_called(transcript, one) for one in transcript.exchanges if not one.diagnosis]
    steps = dict.fromkeys(f"{one.name}: {one.purpose}" for one in called if one is not None and one.purpose)
    return list(steps)[-MOST_STEPS:]
