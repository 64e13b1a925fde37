"""Trainings on a pretended Mac: its GPU, "mps", is chosen, and nothing that it lacks is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from grader.box.inside.devices import OnCpu
from tests.solutions import test_aae_solution, test_vae_solution

MPS = torch.device("mps")


class WithoutFloat64(TorchDispatchMode):
    """Refuses what Apple's GPU refuses: numbers of 64 bits with a fraction. It sees the CPU's, too."""

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, list | tuple) else (result,):
            if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float64:
                raise TypeError(f"{func}: Cannot convert a MPS Tensor to float64 dtype")
        return result


def test_the_pretended_gpu_refuses_float64():
    with WithoutFloat64(), pytest.raises(TypeError, match="float64"):
        torch.ones(2).double()


@pytest.mark.parametrize("option", [[], ["--cpu"], ["--no-cuda"]])
def test_part_2_takes_the_gpu_unless_the_cpu_is_asked_for(part2, little_data, tmp_path, monkeypatch, option):
    asked = []
    to = torch.nn.Module.to

    def noted(self, device, *args, **kwargs):
        asked.append(device.type)
        return to(self, "cpu", *args, **kwargs)

    monkeypatch.setattr(torch.nn.Module, "to", noted)
    current = torch.accelerator.current_accelerator

    def accelerator(check_available=False):
        """The Mac's for the training; what torch asks for itself is what there is."""
        mine = sys._getframe(1).f_globals["__name__"] == "train"
        return MPS if mine else current(check_available)

    monkeypatch.setattr(torch.accelerator, "current_accelerator", accelerator)
    parsed = part2.train.command_line().parse_args(option)
    options = test_aae_solution.options(tmp_path, no_cuda=parsed.no_cuda)
    with OnCpu(), WithoutFloat64():
        part2.train.main(options)
    assert asked == ["cpu" if option else "mps"]
    assert (tmp_path / "checkpoint.pt").exists()


def test_part_1_needs_no_float64(part1, little_data, tmp_path):
    with WithoutFloat64():
        part1.train_pl.train_vae(test_vae_solution.options(tmp_path))
    assert (tmp_path / "manifold.png").exists()
