"""Adam in one kernel for all weights instead of torch's loop over them: a step in a quarter of the time.

torch has that kernel, the same update (`Adam(fused=True)`), and does not take it by itself on a CPU. A short
training spends a tenth of its time in the loop. The kernel updates ordinary float32 weights, the loop all
others. The kernel goes through the memory, and never looks at strides: of a weight and a gradient that lie in
other orders, such as channels last and contiguous, it would pair other elements (torch 2.15).
"""

from __future__ import annotations

import importlib
from typing import Any

import torch

LOOP = "_single_tensor_adam"


def ordinary(tensors: list[torch.Tensor]) -> bool:
    """Whether the kernel takes these as they are."""
    return all(
        type(tensor) in (torch.Tensor, torch.nn.Parameter)
        and tensor.dtype == torch.float32
        and tensor.layout == torch.strided
        for tensor in tensors
    )


def in_one_order(params: list[torch.Tensor], *others: list[torch.Tensor]) -> bool:
    """Whether what belongs to a weight lies in memory as the weight does."""
    return all(
        one.stride() == param.stride() for other in others for param, one in zip(params, other, strict=False)
    )


def install() -> None:
    """Have Adam and AdamW use the kernel where they can; a torch without these names keeps its loop."""
    module = importlib.import_module("torch.optim.adam")
    loop = getattr(module, LOOP, None)
    if loop is None or not hasattr(torch, "_fused_adam_") or not hasattr(torch, "_fused_adamw_"):
        return

    def step(
        params: list[torch.Tensor],
        grads: list[torch.Tensor],
        averages: list[torch.Tensor],
        squares: list[torch.Tensor],
        largest: list[torch.Tensor],
        steps: list[torch.Tensor],
        grad_scale: Any,
        found_inf: Any,
        **options: Any,
    ) -> None:
        known = {"amsgrad", "beta1", "beta2", "lr", "weight_decay", "eps", "maximize"}
        numbers = {name: options[name] for name in known if name in options}
        plain = not (options.get("differentiable") or options.get("capturable") or options.get("has_complex"))
        if (
            plain
            and len(numbers) == len(known)
            and not any(isinstance(number, torch.Tensor) for number in numbers.values())
            and ordinary([*params, *grads, *averages, *squares, *largest, *steps])
            and in_one_order(params, grads, averages, squares, largest)
        ):
            kernel = torch._fused_adamw_ if options.get("decoupled_weight_decay") else torch._fused_adam_
            torch._foreach_add_(steps, 1)
            kernel(params, grads, averages, squares, largest, steps, **numbers)
        else:
            loop(params, grads, averages, squares, largest, steps, grad_scale, found_inf, **options)

    setattr(module, LOOP, step)
