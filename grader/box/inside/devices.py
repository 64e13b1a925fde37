"""Devices that a student's code asks for and this machine does not have.

Which one it was is told from the exception, so that the grader can name it. On request all that is meant for
such a device stays on the CPU from then on: then the rest of the code can be judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

NAMES = ("cuda", "mps", "xpu", "hpu", "mtia", "xla")
NAME = re.compile(rf"(?:{'|'.join(NAMES)})(?::\d+)?$")
# What torch 2.15 says where a device is missing. It may raise a RuntimeError, an AssertionError, an
# AcceleratorError or, for a new tensor on Apple's GPU, a NotImplementedError.
MISSING = {
    "cuda": re.compile(
        r"NVIDIA|not compiled with CUDA|CUDA (error|driver)|'CUDA' backend|torch\.cuda\.Float"
    ),
    "mps": re.compile(r"\bmps devices|'MPS' backend|MPS backend"),
    "xpu": re.compile(r"not compiled with XPU|'XPU' backend|XPU (error|driver)"),
    "hpu": re.compile(r"No module named 'torch\.hpu'|'HPU' backend"),
    "mtia": re.compile(r"not compiled with MTIA|'MTIA' backend"),
    "xla": re.compile(r"'XLA' backend|No module named 'torch_xla'"),
}
MOVES = tuple(
    getattr(torch.Tensor, name) for name in ("cuda", "xpu", "mtia", "hpu") if hasattr(torch.Tensor, name)
)


def missing_device(error: BaseException, message: str) -> str:
    """The name of the device for want of which an exception was raised, or an empty text."""
    if not isinstance(error, RuntimeError | AssertionError | ModuleNotFoundError):
        return ""
    return next((name for name, words in MISSING.items() if words.search(message)), "")


class OnCpu(TorchFunctionMode):
    """Takes every device that is not here for the CPU."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in MOVES:
            return args[0]
        moved = tuple(_here(value, func is torch.Tensor.to and place > 0) for place, value in enumerate(args))
        named = {name: _here(value, name == "device") for name, value in (kwargs or {}).items()}
        return func(*moved, **named)


def _here(value: Any, is_device: bool) -> Any:
    """A device that is not here as the CPU; anything else as it is. A plain number may be one, too."""
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type in NAMES else value
    if isinstance(value, str) and NAME.match(value):
        return "cpu"
    return "cpu" if is_device and type(value) is int else value


def stay_on_cpu() -> None:
    """From now on, in this process, nothing asks for a device that is not here."""
    OnCpu().__enter__()
    for name in ("synchronize", "empty_cache", "manual_seed", "manual_seed_all", "set_device"):
        setattr(torch.cuda, name, _nothing)


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Stands in for what only concerns a device."""
