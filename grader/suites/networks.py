"""What several items ask of any network, whatever its architecture."""

from __future__ import annotations

import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, expect, fail
from grader.suites.part import Part
from grader.suites.severity import SLIP, WHOLE

# With every weight this much larger, anything that squashes shows: a tanh ends at 1, a softplus at 0. The
# factor acts once in a network that normalizes before its last layer and once per layer in one that does not.
AMPLIFICATION = 30.0
# What unbounded outputs surely exceed then; also leaves room for a clamp meant for stability (at 10, say).
FAR_OUT = 4.0


# Where that is not enough: a head that starts small, behind a layer that normalizes. No activation gives way.
FURTHER = (AMPLIFICATION**2, AMPLIFICATION**3)
# Zeros that are no scale of anything: what starts at zero and is called so does no harm.
OFFSETS = ("bias", "running_mean", "num_batches_tracked")


def amplified(state: dict[str, torch.Tensor], factor: float = AMPLIFICATION) -> dict[str, torch.Tensor]:
    """A network's state with larger weights; biases, counters and running statistics stay."""
    return {
        name: value * factor if value.is_floating_point() and value.dim() >= 2 else value
        for name, value in state.items()
    }


def amplified_further(state: dict[str, torch.Tensor], factor: float) -> dict[str, torch.Tensor]:
    """Like `amplified`, with the gains of normalizing layers, too."""
    gains = {
        name: value * factor
        for name, value in state.items()
        if value.is_floating_point() and value.dim() == 1 and name.endswith("weight")
    }
    return {**amplified(state, factor), **gains}


def wake(network: Remote, draw: Draw) -> Remote:
    """Give weights that start at zero, as some initialize their last layer, small random ones.

    Scales that start at zero (ReZero, SkipInit), become ones of size 0.5 to 1.
    """
    state = network.state_dict()
    awake = {}
    for name, value in state.items():
        if not value.is_floating_point() or not value.numel() or bool(value.any()):
            continue
        if value.dim() >= 2:
            awake[name] = draw.normal(*value.shape, std=0.05).to(value.dtype)
        elif name.rpartition(".")[2] not in OFFSETS:
            awake[name] = draw.uniform(*value.shape, low=0.5).to(value.dtype)
    if awake:
        network.load_state_dict({**state, **awake})
    return network


def expect_precision(half: object) -> None:
    """Fail if a network has weights of half precision.

    Args:
        half: the name of such a dtype, as the session gives it; nothing where there is none.
    """
    expect(
        not half,
        f"the network's weights are {half}: in half precision small mistakes cannot be told from rounding",
        "keep the weights in float32 or float64: no .half() or .bfloat16(); mixed precision (autocast), "
        "which leaves them as they are, is fine",
        WHOLE,
    )


def expect_different(outputs: torch.Tensor, what: str) -> None:
    """Fail if a batch of different inputs gives one and the same output."""
    expect(
        len(outputs) < 2 or not bool((outputs == outputs[:1]).all()),
        f"{what}: the same for different inputs",
        "compute it from the input with layers that forward calls",
        WHOLE,
    )


def expect_alive(network: Remote, inputs: torch.Tensor) -> None:
    """Fail unless a network runs, and answers different inputs with different tensors.

    What is asked of the given code around a question earns nothing where the question is not answered.
    """
    outputs = _tensors(network(inputs))
    expect(
        bool(network.state_dict()), "the network has no parameters", "assign the layers to self in __init__"
    )
    for output in outputs:
        rows = output.dim() > 0 and len(output) == len(inputs)
        expect(
            rows, f"the output for {len(inputs)} inputs has shape {list(output.shape)}", "one row for each"
        )
        expect_different(output, "the output")
        whole = bool(output.isfinite().all())
        expect(whole, "the output is not finite", "compute it from the input with layers that forward calls")


def outputs_when_amplified(network: Remote, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The network's outputs with larger weights, each of them finite.

    A very deep network overflows with the full factor; it is tried with smaller ones. One whose outputs stay
    near zero even so is tried with larger ones, and with larger inputs, where these are real numbers.
    """
    state = network.state_dict()
    expect(bool(state), "the network has no parameters", "assign the layers to self in __init__")
    network.eval()
    outputs: list[torch.Tensor] = []
    for factor in (AMPLIFICATION, AMPLIFICATION**0.5, 2.0):
        network.load_state_dict(amplified(state, factor))
        tensors = _tensors(network(*inputs))
        if not outputs:
            outputs = list(tensors)
        for index, (output, smaller) in enumerate(zip(outputs, tensors, strict=True)):
            if not bool(torch.isfinite(output).all()):
                outputs[index] = smaller
        if all(bool(torch.isfinite(output).all()) for output in outputs):
            break
    for factor in FURTHER:
        if all(_far_out(output) for output in outputs):
            break
        network.load_state_dict(amplified_further(state, factor))
        tensors = _tensors(network(*(x * factor if x.is_floating_point() else x for x in inputs)))
        for index, (output, larger) in enumerate(zip(outputs, tensors, strict=True)):
            if not _far_out(output) and bool(torch.isfinite(larger).all()) and _far_out(larger):
                outputs[index] = larger
    network.load_state_dict(state)
    return tuple(outputs)


def all_moved(network: Remote, inputs: torch.Tensor) -> list[bool]:
    """Whether, for each output, all other inputs give something else than the first.

    What an input adds may be lost beside a bias in a network that starts small: then it is asked again with
    larger weights.
    """

    def moved() -> list[bool]:
        found = []
        for output in _tensors(network(inputs)):
            # Sums in another order differ by 1e-6 of the size; what is ignored, by no more than that.
            size = output.double().abs().max()
            difference = (output[1:] - output[:1]).double().abs().flatten(1).amax(dim=1)
            found.append(bool((difference > 1e-5 * size).all()))
        return found

    network.eval()
    found = moved()
    if not all(found):
        state = network.state_dict()
        network.load_state_dict(amplified(state))
        found = [one or other for one, other in zip(found, moved(), strict=True)]
        network.load_state_dict(state)
    return found


def _far_out(output: torch.Tensor) -> bool:
    """Whether it goes beyond narrow limits on either side."""
    return float(output.max()) > FAR_OUT and float(output.min()) < -FAR_OUT


def expect_unbounded(output: torch.Tensor, what: str, hint: str) -> None:
    """Fail if outputs made with larger weights stay within narrow limits on either side."""
    lowest, highest = float(output.min()), float(output.max())
    limits = f"{what} stays within [{lowest:.3g}, {highest:.3g}], however large the weights are"
    expect(_far_out(output), f"{limits}; it should be unbounded both ways", hint)


def expect_independent_of_batch(
    network: Remote, inputs: torch.Tensor, what: str, unlike: tuple[int, ...]
) -> None:
    """Fail if, in evaluation mode, the output for an input depends on the others in its batch.

    Args:
        network: of the student's.
        inputs: very different from one another, so that whatever is computed over a batch shows.
        what: how to call the output.
        unlike: the places of some that are far from the others. Each is also given in a batch of its own
            copies, as large as the first: rounding is the same there. Where normalization of each by itself
            divides by zero, for a constant image perhaps, nothing is judged.
    """
    network.eval()
    together = _tensors(network(inputs))
    hint = (
        "what is computed over all of a batch (x.max(), x.mean(), a dim=0), a reshape that mixes the batch "
        "dimension with another, or code that keeps state between calls"
    )
    fault = f"{what} of an input changes with the other inputs of its batch"
    for whole, single in zip(together, _tensors(network(inputs[1:2])), strict=True):
        expect(
            whole.dim() >= 2 and len(whole) == len(inputs) and not torch.equal(whole[0], whole[1]),
            f"{what} should differ between different inputs, one for each of a batch",
            "let all of the input go through the network",
        )
        expect(torch.allclose(whole[1:2].float(), single.float(), rtol=1e-3, atol=1e-4), fault, hint)
    for place in unlike:
        copies = _tensors(network(inputs[place : place + 1].repeat(len(inputs), *[1] * (inputs.dim() - 1))))
        for whole, among_copies in zip(together, copies, strict=True):
            one, other = whole[place].float(), among_copies[0].float()
            if bool(one.isfinite().all() and other.isfinite().all()):
                expect(torch.allclose(one, other, rtol=1e-3, atol=1e-4), fault, hint)


def expect_rank(network: Remote, inputs: torch.Tensor, rank: int, what: str, hint: str) -> None:
    """Fail if the first output has fewer degrees of freedom over many inputs than it should.

    A normalization over two numbers leaves one of them, and over one number none. In a network that starts
    small, rounding may hide the difference: then it is asked again with larger weights.
    """

    def found() -> int:
        output = _tensors(network(inputs))[0].double()
        rows = output.numel() > 0 and output.numel() % len(inputs) == 0
        expect(rows, f"{what} of {len(inputs)} inputs has shape {list(output.shape)}", hint, SLIP)
        output = output.reshape(len(inputs), -1)  # a squeezed dimension has a check of its own
        # What rounding makes of N equal float32 numbers, with a margin.
        noise = 3e-6 * len(output) ** 0.5 * float(output.abs().max())
        return int((torch.linalg.svdvals(output - output.mean(dim=0)) > noise).sum())

    network.eval()
    came = found()
    if came < rank:
        state = network.state_dict()
        network.load_state_dict(amplified(state))
        came = max(came, found())
        network.load_state_dict(state)
    varies = "is the same for all of them" if came == 0 else f"varies in {came} direction of {rank} only"
    expect(came >= rank, f"{what} of {len(inputs)} different inputs {varies}", hint)


def expect_repeatable(network: Remote, inputs: torch.Tensor, what: str) -> None:
    """Fail if, in evaluation mode, two calls with the same input differ."""
    network.eval()
    for first, second in zip(_tensors(network(inputs)), _tensors(network(inputs)), strict=True):
        expect(
            _same(first, second),
            f"{what} differs between two calls with the same input",
            "draw no random numbers in it: sampling happens elsewhere, and F.dropout, unlike nn.Dropout, has "
            "to be told training=self.training",
        )


def expect_trainable(part: Part, network: Remote, inputs: torch.Tensor, what: str) -> None:
    """Fail unless gradients of every output reach all parameters that the output depends on.

    What it depends on shows by experiment, whatever the architecture: the parameters that no gradient
    reaches are all changed at once, and no output may move by that.
    """
    network.train()
    reached = _reached(part, network, inputs)
    state = network.state_dict()
    expect(bool(state), "the network has no parameters", "assign the layers to self in __init__")
    network.eval()
    before, again = _tensors(network(inputs)), _tensors(network(inputs))
    for index, gradients in enumerate(reached):
        cut_off = [name for name, nonzero in gradients.items() if nonzero is None]
        alive = any(gradients.values())
        moved = False
        if alive and cut_off and _same(before[index], again[index]):
            network.load_state_dict({**state, **{name: state[name] + 0.1 for name in cut_off}})
            after = _tensors(network(inputs))[index]
            moved = not _same(after, before[index])
            network.load_state_dict(state)
        if moved or not alive:
            fail(
                f"gradients of {what} reach only {len(gradients) - len(cut_off)} of {len(gradients)} "
                "parameters, though more of them matter",
                "look for .detach(), .data or torch.no_grad in forward",
            )


def _reached(part: Part, network: Remote, inputs: torch.Tensor) -> list[dict[str, bool | None]]:
    """Whether the gradient of each output is anything but zero, by parameter; None where there is none.

    Only these answers are kept, not the gradients: there may be many outputs, and the weights may be large.
    """
    call = part.record(network, inputs)
    outputs = _tensors(call.value)

    def reached(index: int) -> dict[str, bool | None]:
        cotangents = [None] * index + [torch.ones_like(outputs[index])]
        gradients = call.gradients(*cotangents, of=network)
        return {name: None if one is None else bool(one.any()) for name, one in gradients.items()}

    return [reached(index) for index in range(len(outputs))]


def _same(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether two outputs for one input are the same but for rounding."""
    return first.shape == second.shape and torch.allclose(first.float(), second.float(), rtol=1e-4, atol=1e-5)


def _tensors(result: object) -> tuple[torch.Tensor, ...]:
    parts = tuple(result) if isinstance(result, tuple | list) else (result,)
    expect(bool(parts), "the network returns nothing: an empty tuple", "return what forward has computed")
    return tuple(as_tensor(part, "the output") for part in parts)
