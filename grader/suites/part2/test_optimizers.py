"""Item 2.5.training: the two optimizers of `main`.

What an optimizer holds is not asked but tried: it takes a step with gradients that the grader chose.
"""

from dataclasses import dataclass
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


@dataclass
class Step:
    """What a step of an optimizer did to a side: `right` of `total` weight tensors follow their gradient."""

    right: int
    moved: int
    total: int


def step_of(part2: Part, draw: Draw, name: str) -> dict[str, Step]:
    """What a step of an optimizer of `main` does, by side; the grader chooses the gradients."""
    part2.driver.prepare(draw.integers(256, 96, 28, 28).to(torch.uint8))
    pattern = draw.normal(PATTERN)
    pattern = pattern.sign() * (0.5 + pattern.abs())
    with part2.deadline(CHUNK_SECONDS):
        signs: Any = part2.driver.first_step_of_main(OPTIONS, name, pattern)
    if signs is None:
        fail("main(args) ends without calling train_aae", "call it once for every epoch, as given")
    usable = isinstance(signs, list) and len(signs) == len(SIDES)
    expect(usable, f"what main(args) hands to train_aae as {name} is no optimizer of the model", HOLDERS)
    return {side: followed(tensors, pattern) for side, tensors in zip(SIDES, signs, strict=True)}


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


def test_autoencoders_optimizer_holds_encoder_and_decoder(part2: Part, draw: Draw) -> None:
    steps = step_of(part2, draw, "optimizer_ae")
    expect_trains(steps, "optimizer_ae", ("encoder", "decoder"), HOLDERS)


def test_discriminators_optimizer_holds_the_discriminator(part2: Part, draw: Draw) -> None:
    steps = step_of(part2, draw, "optimizer_disc")
    expect_trains(steps, "optimizer_disc", ("discriminator",), HOLDERS)
