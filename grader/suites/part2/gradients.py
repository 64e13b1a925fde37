"""Gradients through a call in the box, in the form that the checks of part 2 read."""

import torch

from grader.box.remote import Call, Remote
from grader.suites.expect import fail


def gradient_of_input(call: Call, cotangent: torch.Tensor, message: str, hint: str) -> torch.Tensor:
    """The gradient for the only input that asks for one; fails with the message if there is none."""
    gradients = call.gradients(cotangent)
    gradient = gradients[0] if isinstance(gradients, list) else None
    if gradient is None:
        fail(message, hint)
    return gradient


def gradients_of_weights(
    call: Call, cotangent: torch.Tensor, network: Remote
) -> dict[str, torch.Tensor | None]:
    """The gradient for each weight of a network, or None where it has no part in the result."""
    gradients = call.gradients(cotangent, of=network)
    return gradients if isinstance(gradients, dict) else {}
