"""Item 2.5.training: the two optimizers of `main`.

What an optimizer holds is not asked but tried: it takes a step with gradients that the grader chose.
"""

from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pytest
import torch

from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, expect, fail
from grader.suites.part import Part
from grader.suites.part2.short_training import CHUNK_SECONDS, SIDES

pytestmark = pytest.mark.item("2.5.training")


# Gradients of either sign, and none so small that an optimizer could take it for nothing.
PATTERN = 61
# Neither weight decay nor momentum turns a first step around: all of a tensor moves against its gradient.
HIT = 0.99
OPTIONS = {
    "z_dim": 8,  # the default: a size that is fixed in the networks loses points elsewhere
    "batch_size": 16,
    "lambda_": 0.9,
    "ae_lr": 1e-3,
    "d_lr": 5e-3,
    "data_dir": "/tmp/data",
    "epochs": 1,
    "seed": 42,
    "num_workers": 0,
    "no_cuda": True,
    "progress_bar": False,
}


# Gradients of weight tensors in turn: Adam and its kin take steps of one length for all, SGD of lengths in a
# ratio of 1e6. Adadelta comes to a ratio of 30, RAdam to 1 after some steps.
SCALES, STEPS = (1e-4, 1e2), 10
MOST_UNEQUAL = 1e4
# Of the learning rate that is asked for: a warm-up may begin low.
SLOWEST = 1e-4


@dataclass
class Step:
    """What steps of an optimizer did to a side: `right` of `total` weight tensors follow their gradient.

    Attributes:
        sizes: mean length of the last step, for each weight tensor.
    """

    right: int
    moved: int
    total: int
    sizes: list[float] = field(default_factory=list)


def step_of(
    part2: Part, draw: Draw, name: str, scales: tuple[float, ...] = (1.0,), count: int = 1
) -> tuple[dict[str, Step], float]:
    """What steps of an optimizer of `main` do, by side; and lambda_ as `main` hands it over."""
    part2.driver.prepare(draw.integers(256, 96, 28, 28).to(torch.uint8))
    pattern = draw.normal(PATTERN)
    pattern = pattern.sign() * (0.5 + pattern.abs())
    with part2.deadline(CHUNK_SECONDS):
        found: Any = part2.driver.steps_of_main(OPTIONS, name, pattern, scales, count)
    if found is None:
        fail("main(args) ends without calling train_aae", "call it once for every epoch, as given")
    parts: Any = found if isinstance(found, dict) else {}
    signs, sizes = parts.get("signs"), parts.get("sizes")
    usable = all(isinstance(value, list) and len(value) == len(SIDES) for value in (signs, sizes))
    expect(usable, f"what main(args) hands to train_aae as {name} is no optimizer of the model", HOLDERS)
    steps = {side: followed(tensors, pattern) for side, tensors in zip(SIDES, signs, strict=True)}
    for side, values in zip(SIDES, sizes, strict=True):
        steps[side].sizes = [float(as_tensor(value, "a step")) for value in values]
    return steps, float(parts["lambda_"])


def followed(signs: Any, pattern: torch.Tensor) -> Step:
    """Compare the signs of weights that were zero before a step with those of the gradient."""
    step = Step(0, 0, len(signs) if isinstance(signs, list) else 0)
    for index in range(step.total):
        after = as_tensor(signs[index], "a weight").flatten()
        due = -pattern.sign().repeat(-(-len(after) // PATTERN))[: len(after)]
        step.moved += bool(after.any())
        step.right += len(after) > 0 and float((after == due).double().mean()) >= HIT
    return step


def in_words(steps: dict[str, Step]) -> str:
    """What an optimizer's step did."""
    parts = [f"{step.moved} of {step.total} of the {side}'s" for side, step in steps.items()]
    return "a step changes " + ", ".join(parts) + " weight tensors"


def expect_trains(steps: dict[str, Step], name: str, sides: tuple[str, ...], hint: str) -> None:
    """Fail unless a step moves all of these sides down their gradient, and nothing of the others."""
    others = [side for side in SIDES if side not in sides and steps[side].moved]
    missing = [side for side in sides if not steps[side].moved]
    if others and len(missing) == len(sides):
        fail(f"{name} holds another side, the {' and the '.join(others)}: {in_words(steps)}", hint)
    expect(
        any(step.moved for step in steps.values()),
        f"{name} should train all of the {sides[0]}, but a step changes nothing: it holds no weights of the "
        "model, or its learning rate is 0",
        hint,
    )
    for side in sides:
        step = steps[side]
        expect(
            step.moved == step.total > 0, f"{name} should train all of the {side}: {in_words(steps)}", hint
        )
        expect(
            step.right == step.total,
            f"a step of {name} does not move the {side} down its gradient",
            "the loss is to be minimized: no maximize=True, no negative learning rate",
        )
    for side in (side for side in SIDES if side not in sides):
        expect(steps[side].moved == 0, f"{name} should leave the {side} alone: {in_words(steps)}", hint)


HOLDERS = (
    "optimizer_ae: Adam over the parameters of model.encoder and model.decoder, and no others; "
    "optimizer_disc: SGD (or Adam) over those of model.discriminator, and no others"
)


def expect_rate(steps: dict[str, Step], name: str, sides: tuple[str, ...], rate: str) -> None:
    """Fail if the last step is far shorter than the learning rate that `main` is given."""
    longest = max(size for side in sides for size in steps[side].sizes)
    expect(
        longest > SLOWEST * float(str(OPTIONS[rate])),
        f"with --{rate} {OPTIONS[rate]} steps of {name} are at most {longest:.2g} long, "
        "as if its learning rate is 0",
        f"lr=args.{rate}",
    )


def test_autoencoders_optimizer_holds_encoder_and_decoder(part2: Part, draw: Draw) -> None:
    steps, lambda_ = step_of(part2, draw, "optimizer_ae", SCALES, STEPS)
    expect_trains(steps, "optimizer_ae", ("encoder", "decoder"), HOLDERS)
    expect_rate(steps, "optimizer_ae", ("encoder", "decoder"), "ae_lr")
    small, large = (
        [size for side in ("encoder", "decoder") for size in steps[side].sizes[start::2]]
        for start in range(2)
    )
    ratio = median(large or [1.0]) / max(median(small), 1e-30)
    expect(
        ratio < MOST_UNEQUAL,
        f"steps of optimizer_ae grow with the gradient ({ratio:.2g} times as long for one of "
        f"{SCALES[1] / SCALES[0]:.2g} times the size): that is SGD, with which the autoencoder hardly learns",
        "torch.optim.Adam for the autoencoder",
    )
    expect(
        lambda_ == lambda_,  # not NaN
        "lambda_ is not handed over by main(args): train_aae then takes its default of 1",
        "train_aae(..., optimizer_disc, args.lambda_), as given",
    )


def test_discriminators_optimizer_holds_the_discriminator(part2: Part, draw: Draw) -> None:
    steps, _ = step_of(part2, draw, "optimizer_disc")
    expect_trains(steps, "optimizer_disc", ("discriminator",), HOLDERS)
    expect_rate(steps, "optimizer_disc", ("discriminator",), "d_lr")
