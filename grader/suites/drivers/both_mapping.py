"""Runs in the box: stand-ins under `torch.vmap`.

Code may map a network over a batch, `torch.vmap(lambda one: self.decoder(one[None])[0])(z)`. A network of
layers follows; a stand-in would note tensors that are nothing outside of the mapping, and could not tell
which row of the batch it is asked for.
"""

import torch


def together(answer, x):
    """A stand-in's answer; where `torch.vmap` maps its call, to all rows of the mapping at once.

    Args:
        answer: from a tensor `[N, ...]` to a tensor or a tuple of tensors `[N, ...]`. It is never called
            with a tensor that lives in a mapping alone.
        x: `[N, ...]`.

    Returns:
        `answer(x)`; gradients reach what it is computed from in both cases.
    """
    if not torch._C._functorch.is_batchedtensor(x):  # torch has no public way to ask
        return answer(x)
    return _Together.apply(x, answer)


class _Together(torch.autograd.Function):
    """Only its rule for mappings is used: torch hands it the whole tensor of which `x` is a row."""

    @staticmethod
    def forward(x, answer):
        return answer(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Keep nothing: the gradient takes its way through the rule's own operations."""

    @staticmethod
    def vmap(info, in_dims, x, answer):
        x = x.movedim(in_dims[0], 0)  # [mapped, N, ...], or [mapped, z_dim] of single rows
        if x.dim() == 2:
            found = together(answer, x)
        else:
            found = _map(lambda one: one.unflatten(0, x.shape[:2]), together(answer, x.flatten(0, 1)))
        return found, _map(lambda one: 0, found)


def _map(function, found):
    return tuple(map(function, found)) if isinstance(found, tuple) else function(found)
