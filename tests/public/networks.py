"""What several tests do with networks: replace their output, and ask what their weights are good for."""

from collections.abc import Callable

import pytest
import torch
from torch import nn


def parameters_of(*networks: nn.Module) -> list[nn.Parameter]:
    """The parameters of several networks, for one optimizer."""
    return [parameter for network in networks for parameter in network.parameters()]


def replace_output(network: nn.Module, output: Callable[[torch.Tensor], object]) -> list[torch.Tensor]:
    """Let a network return what the test wants, whatever its weights are.

    With an output that the test knows, it can judge the code around the network alone: a mistake in the
    decoder does not make the test of `sample` fail, too.

    Args:
        network: the network; it keeps its attributes, and still runs.
        output: gets the network's input, returns what the network shall return from now on.

    Returns:
        A list that collects every input from now on.
    """
    inputs: list[torch.Tensor] = []

    def hook(module: nn.Module, args: tuple, kwargs: dict, _: object) -> object:
        (value,) = (*args, *kwargs.values())
        inputs.append(value.detach().clone())
        return output(value)

    network.register_forward_hook(hook, with_kwargs=True)
    return inputs


def large_weights(network: nn.Module) -> nn.Module:
    """Give a network weights so large that nothing but an activation can keep its output small."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:  # neither biases nor the scales of a BatchNorm
                parameter.normal_()
    return network.eval()


def assert_all_weights_learn(network: nn.Module, compute: Callable[[], torch.Tensor], hint: str) -> None:
    """Fail if a weight that has a say in the output gets no gradient from it.

    Args:
        network: the network, in evaluation mode, so that two calls of `compute` agree.
        compute: computes an output from fixed inputs.
        hint: what to look at.
    """
    output = compute()
    assert output.requires_grad, f"nothing here could be trained: the output has no gradient.\nHint: {hint}"
    # Weighted by random numbers, no two gradients cancel each other by accident.
    (output * torch.randn_like(output)).sum().backward()
    for name, parameter in network.named_parameters():
        if parameter.grad is not None and parameter.grad.any():
            continue
        # A layer without use does no harm: fail only if another weight would change the output.
        before = parameter.detach().clone()
        with torch.no_grad():
            parameter.normal_()
            changed = not torch.equal(compute(), output)
            parameter.copy_(before)
        if changed:
            pytest.fail(
                f"the weights `{name}` have a say in the output, but no gradient reaches them: they would "
                f"never learn.\nHint: {hint}",
                pytrace=False,
            )
