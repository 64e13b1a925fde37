"""Stand-ins for networks may be called in any way that is right: for a batch at once, in pieces, mapped."""

from collections.abc import Callable

import torch

Tensors = torch.Tensor | tuple[torch.Tensor, ...]


class InTurn:
    """What a stand-in returns for a batch, also to code that asks for it in pieces, such as row by row.

    Args:
        tensors: one or more, each [B, ...]. A call for n rows gets the next n of each.
    """

    def __init__(self, *tensors: torch.Tensor) -> None:
        self.tensors = tensors
        self.position = 0

    def __call__(self, x: torch.Tensor) -> Tensors:
        start = self.position if self.position + len(x) <= len(self.tensors[0]) else 0
        self.position = (start + len(x)) % len(self.tensors[0])
        rows = tuple(tensor[start : start + len(x)] for tensor in self.tensors)
        return rows if len(rows) > 1 else rows[0]


def all_rows(answer: Callable[[torch.Tensor], Tensors], x: torch.Tensor) -> Tensors:
    """`answer(x)`; where `torch.vmap` maps your code over a batch, for all rows of the batch at once.

    Args:
        answer: from [N, ...] to a tensor or several, [N, ...]. It may keep what it is given, which within a
            mapping would be of no use afterwards.
        x: [N, ...].
    """
    if not torch._C._functorch.is_batchedtensor(x):  # torch has no public way to ask
        return answer(x)
    return _AllRows.apply(x, answer)


class _AllRows(torch.autograd.Function):
    """torch hands the rule for mappings the whole tensor; the gradient finds its way through the rule."""

    @staticmethod
    def forward(x: torch.Tensor, answer: Callable[[torch.Tensor], Tensors]) -> Tensors:
        return answer(x)

    @staticmethod
    def setup_context(ctx: object, inputs: object, output: object) -> None:
        """Nothing is kept."""

    @staticmethod
    def vmap(info: object, in_dims: tuple, x: torch.Tensor, answer: Callable) -> tuple:
        x = x.movedim(in_dims[0], 0)  # [mapped, N, ...], or [mapped, z_dim] of single rows
        if x.dim() == 2:
            found = all_rows(answer, x)
        else:
            found = _each(lambda one: one.unflatten(0, x.shape[:2]), all_rows(answer, x.flatten(0, 1)))
        return found, _each(lambda one: 0, found)


def _each(function: Callable, tensors: Tensors) -> object:
    return tuple(map(function, tensors)) if isinstance(tensors, tuple) else function(tensors)
