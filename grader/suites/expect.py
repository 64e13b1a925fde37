"""The words in which a check states what it expects; each failure carries a message and a hint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import torch

from grader.box.remote import Remote
from grader.suites.severity import SLIP

# A message may end with a colon and the mistake, in words, that explains what came before.
_MISTAKE = re.compile(r": ([a-z][^:\d\[\]()]{14,})$")


class CheckFailed(Exception):
    """The student's result is not what the contract says.

    Attributes:
        message: what came and what was expected.
        hint: what to look at.
        severity: how bad that is, see `grader.suites.severity`; empty where it is as bad as the check says.
    """

    def __init__(self, message: str, hint: str = "", severity: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.severity = severity

    @property
    def mistake(self) -> str:
        """The mistake that the message ends with; empty where it names none. Hints to one may differ."""
        match = _MISTAKE.search(self.message)
        return match[1] if match else ""


def fail(message: str, hint: str = "", severity: str = "") -> NoReturn:
    """Fail the check."""
    raise CheckFailed(message, hint, severity)


def expect(condition: bool | torch.Tensor, message: str, hint: str = "", severity: str = "") -> None:
    """Fail the check unless the condition holds."""
    if not bool(condition):
        fail(message, hint, severity)


@contextmanager
def costing(severity: str) -> Iterator[None]:
    """Failures within are as bad as this, unless they say so themselves."""
    try:
        yield
    except CheckFailed as failure:
        failure.severity = failure.severity or severity
        raise


def shape_text(value: Any) -> str:
    """How to call what came: `[3, 20]` for a tensor, otherwise its type."""
    if isinstance(value, torch.Tensor):
        return str(list(value.shape))
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, Remote):
        return f"an object: {value!r}"
    return f"a {type(value).__name__}"


def as_tensor(value: Any, what: str) -> torch.Tensor:
    """The value as a tensor; plain numbers count as scalars.

    Raises:
        CheckFailed: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, torch.Tensor | int | float):
        values = list(value.values()) if isinstance(value, dict) else value
        among = isinstance(values, tuple | list) and any(isinstance(one, torch.Tensor) for one in values)
        hint = "return the tensor itself" + (" alone, with nothing beside it" if among else "")
        fail(f"{what} should be a tensor, but is {shape_text(value)}", hint, SLIP if among else "")
    return value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=torch.float64)


def shape_cause(came: Sequence[int], due: Sequence[int]) -> str:
    """The mistake that most likely gives this shape in place of another; empty where none is known."""
    came, due = list(came), list(due)
    if len(came) < len(due) and due[:1] == [1] and due != [1]:
        return "squeeze() removes the batch dimension, too, when it is 1"
    if len(due) == 4 and came == [due[0], *due[2:]]:
        return "the channel dimension is missing: unsqueeze(1)"
    if len(due) > 1 and came == due[:-1] and due[-1] == 1:
        return "the last dimension is missing: no squeeze()"
    if len(came) != len(due) or len(due) < 2 or came[:1] != due[:1]:
        return ""
    if len(due) == 4 and came[2:] != due[2:]:
        return f"the images are {came[2]} x {came[3]} pixels: look at strides and paddings"
    return f"a size of {came[1]} is hard-coded, or belongs to another layer" if due[1] != 1 else ""


def expect_shape(value: Any, shape: Sequence[int], what: str, hint: str = "") -> torch.Tensor:
    """Fail unless the value is a tensor of this shape; returns it."""
    tensor = as_tensor(value, what)
    cause = shape_cause(tensor.shape, shape)
    expect(
        list(tensor.shape) == list(shape),
        f"{what} should have shape {list(shape)}, but has {list(tensor.shape)}",
        "; ".join(text for text in (cause, hint) if text),
        SLIP,
    )
    return tensor


def expect_scalar(value: Any, what: str, hint: str = "") -> torch.Tensor:
    """Fail unless the value is one number, as a scalar or with shape `[1]`; returns a float64 scalar."""
    tensor = as_tensor(value, what)
    expect(
        tensor.numel() == 1, f"{what} should be one number, but has shape {list(tensor.shape)}", hint, SLIP
    )
    return tensor.detach().reshape(()).double()


def expect_finite(tensor: torch.Tensor, what: str, hint: str = "") -> None:
    """Fail if any element is NaN or infinite."""
    bad = int((~torch.isfinite(tensor.double())).sum())
    expect(bad == 0, f"{what} has {bad} of {tensor.numel()} elements that are NaN or infinite", hint)


def close(value: torch.Tensor, expected: torch.Tensor, rtol: float, atol: float) -> bool:
    """Whether all elements agree within the tolerances; NaN never does."""
    if value.shape != expected.shape:
        return False
    return torch.allclose(value.double(), expected.double(), rtol=rtol, atol=atol)


def expect_close(
    value: Any, expected: torch.Tensor, what: str, hint: str = "", rtol: float = 1e-4, atol: float = 1e-5
) -> None:
    """Fail unless the value has the expected shape and elements.

    The default tolerances allow for float32 sums in any order over a few thousand terms; a mistake in a
    formula moves results by percents.
    """
    tensor = expect_shape(value, expected.shape, what, hint)
    if close(tensor, expected, rtol, atol):
        return
    expect_finite(tensor, what, hint)
    difference = (tensor.double() - expected.double()).abs()
    worst = int(difference.flatten().argmax())
    came, due = tensor.double().flatten()[worst].item(), expected.double().flatten()[worst].item()
    wrong = int((difference > atol + rtol * expected.double().abs()).sum())
    values = f"{wrong} of {tensor.numel()} values are off; one is {came:.5g} instead of {due:.5g}"
    fail(f"{what.rstrip(',')}: {values}", hint)
