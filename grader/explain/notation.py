"""Values in Python notation: small tensors in full, large ones as a summary."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from grader.box import wire
from grader.text import printable

SMALL = 48  # elements of a tensor that is written out
_DTYPES = {torch.float32, torch.int64, torch.bool}  # what torch.tensor makes of such literals by itself


def literal(value: Any) -> str:
    """A value as Python reads it, to the last digit.

    Args:
        value: a tensor that is `small`, a number, a text, or a list, tuple or dict of such.
    """
    if isinstance(value, torch.Tensor):
        dtype = "" if value.dtype in _DTYPES else f", dtype={value.dtype}"
        if value.numel() == 0:
            return f"torch.empty({list(value.shape)}{dtype})"
        return f"torch.tensor({_nested(value.detach().cpu().numpy())}{dtype})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)


def small(value: torch.Tensor) -> bool:
    """Whether a tensor is written out in full."""
    return value.numel() <= SMALL


def _nested(values: np.ndarray) -> str:
    if values.ndim:
        return f"[{', '.join(_nested(one) for one in values)}]"
    if values.dtype.kind != "f":
        return repr(values.item())
    number = float(values)
    if not math.isfinite(number):
        return f'float("{number}")'
    short = np.format_float_positional(values.reshape(1)[0], unique=True, trim="0")
    return short if 1e-4 <= abs(number) < 1e9 else repr(number)


def kind(value: Any) -> str:
    """What a value is, in a few words: `float32 [7, 5]`."""
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    if isinstance(value, wire.Reference):
        return f"an object of class {printable(value.type, 60)}"
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    return type(value).__name__


def summary(value: Any) -> str:
    """A value on a line: what it is, and where its elements lie."""
    if not isinstance(value, torch.Tensor) or value.numel() == 0:
        return kind(value) if not isinstance(value, int | float | str | bool | None) else repr(value)
    numbers = value.detach().double()
    finite = numbers[numbers.isfinite()]
    text = kind(value)
    if finite.numel():
        text += f", from {finite.min():.4g} to {finite.max():.4g}, mean {finite.mean():.4g}"
    if finite.numel() < numbers.numel():
        text += f", {numbers.numel() - finite.numel()} not finite"
    return text


def lines_of(value: Any) -> list[str]:
    """A value on a few lines: a small tensor with its elements, row by row."""
    if not isinstance(value, torch.Tensor):
        if isinstance(value, list | tuple | dict) and not value:
            return [repr(value)]
        if isinstance(value, list | tuple) and len(value) <= 6:
            return [line for place, one in enumerate(value) for line in _at(f"[{place}]", one)]
        if isinstance(value, dict) and len(value) <= 6:
            return [line for key, one in value.items() for line in _at(f"[{printable(str(key), 40)!r}]", one)]
        return [printable(summary(value), 300)]
    if value.numel() == 1:
        return [f"{kind(value)}  {float(value.detach().double().reshape(())):.8g}"]
    if not small(value):
        return [summary(value)]
    shown = value.detach()
    text = np.array2string(
        shown.cpu().numpy(), max_line_width=96, precision=4, suppress_small=True, separator=", "
    )
    return [kind(value), *text.splitlines()]


def _at(place: str, value: Any) -> list[str]:
    first, *rest = lines_of(value)
    return [f"{place}  {first}", *(f"{' ' * len(place)}  {line}" for line in rest)]
