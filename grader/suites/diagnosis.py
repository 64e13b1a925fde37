"""How a cause is looked for: what cannot be shown is not said."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import TypeVar

from grader.box.errors import StudentError
from grader.suites.expect import CheckFailed

Function = TypeVar("Function", bound=Callable[..., object])
_DIAGNOSES: set[CodeType] = set()


def looks_for_a_cause(function: Function) -> Function:
    """Mark a function that asks student's code why a check has failed: what it asks is no part of the check.

    The explanation of a failure shows the check's own calls alone.
    """
    assert isinstance(function, FunctionType)
    _DIAGNOSES.add(function.__code__)
    return function


def is_diagnosis(code: CodeType) -> bool:
    """Whether this is the code of a function that looks for a cause."""
    return code in _DIAGNOSES


@looks_for_a_cause
def tried(diagnose: Callable[[], str]) -> str:
    """What a diagnosis finds; empty where nothing is found.

    A diagnosis may call the student's code with what no check asks of it. An error there, or a value that is
    no number, means that it is not this cause.
    """
    try:
        return diagnose()
    except (StudentError, CheckFailed, RuntimeError, ArithmeticError, ValueError):
        return ""


def factor_cause(values: tuple[float, float], due: tuple[float, float], batches: tuple[int, int]) -> str:
    """The factor by which a loss is off, where two batches of different size agree on one.

    Args:
        values: what came for either batch.
        due: what should have come; not 0.
        batches: their sizes, which differ.
    """
    first, second = values[0] / due[0], values[1] / due[1]

    def same(one: float, other: float) -> bool:
        return abs(one - other) < 1e-3 * abs(one)

    if abs(first) < 1e-9 or (same(first, 1.0) and same(second, 1.0)):
        return ""
    if same(first, second):
        if same(first, -1.0):
            return "its sign is flipped"
        if abs(first) < 1 and same(1 / first, round(1 / first)):
            return f"it is divided by {round(1 / first)}, a fixed number, besides"
        return f"it is {first:.4g} times as large as it should be, in every batch"
    if same(first / batches[0], second / batches[1]):
        divisor = batches[0] / first
        if same(divisor, 1.0):
            return "it is summed over the batch instead of averaged"
        return (
            f"it is summed over the batch and divided by {divisor:.4g}, a fixed number, instead of by the "
            "number of images"
        )
    if same(first * batches[0], second * batches[1]) and same(first * batches[0], 1.0):
        return "it is divided by the batch size twice"
    return ""
