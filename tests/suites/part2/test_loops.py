"""Loops and mains as students write them: right ones keep their points, and a message names what is wrong."""

import pytest

from grader.marking.result import PASSED, ItemResult
from tests.suites.part2.loops import RIGHT_LOOPS, TEMPLATE, WRONG_LOOPS, changed, loop
from tests.suites.part2.mains import RIGHT_MAINS, WRONG_MAINS
from tests.suites.part2.other_trainings import RIGHT_OTHERS, WRONG_OTHERS
from tests.suites.part2.variants import MODELS, RECONSTRUCTION, TRAINING
from tests.suites.variants import Mark, Variant, check, edited, named

TRAINED = frozenset({RECONSTRUCTION, TRAINING})
# Losses that are asked for no other lambda than the contract's.
STRICT = Variant(
    "a loss that takes no lambda beyond 0 and 1",
    (
        (
            "        recon_loss = F.mse_loss(recon_x, x)\n",
            "        if not 0 <= lambda_ <= 1:\n"
            "            raise ValueError(f'lambda_ must be in [0, 1], got {lambda_}')\n"
            "        recon_loss = F.mse_loss(recon_x, x)\n",
        ),
    ),
    file=MODELS,
)


def said(result: ItemResult) -> list[tuple[str, str]]:
    """Messages and hints of the checks that failed."""
    return [(one.message, one.hint) for one in result.checks if one.status != PASSED]


def one_of(variants: tuple[Variant, ...], name: str) -> Variant:
    """A variant by its name."""
    return next(variant for variant in variants if variant.name == name)


def test_the_templates_loop_keeps_its_points(mark: Mark, solution: dict[str, bytes]) -> None:
    variant = one_of(RIGHT_LOOPS, "reconstructions in the logger's folder")
    check(mark, edited(solution, variant), variant, TRAINED)


@pytest.mark.slow
@named(RIGHT_LOOPS + RIGHT_MAINS + RIGHT_OTHERS)
def test_right_code_keeps_its_points(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, TRAINED)


@pytest.mark.slow
@named(WRONG_LOOPS + WRONG_MAINS + WRONG_OTHERS)
def test_a_mistake_costs_no_other_item(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, TRAINED)


def test_a_last_batch_without_an_update_costs_the_training_alone(
    mark: Mark, solution: dict[str, bytes]
) -> None:
    variant = one_of(WRONG_LOOPS, "a picture instead of an update at the last batch")
    results = mark(edited(solution, variant), TRAINED)
    assert results[RECONSTRUCTION].status == PASSED
    messages, hints = zip(*said(results[TRAINING]), strict=True)
    assert all("batches" in message and "steps only" in message for message in messages), messages
    assert len(messages) == 2
    assert len(set(hints)) == 1, hints  # one cause, told once


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (("        optimizer_ae.zero_grad()\n", ""), "gradients of an earlier update are still there"),
        (("z_fake, lambda_)", "z_fake, 1)"), "move as with lambda_ = 1"),
    ],
)
def test_a_loss_is_asked_for_no_lambda_beyond_its_range(
    mark: Mark, solution: dict[str, bytes], edit: tuple[str, str], cause: str
) -> None:
    wrong = loop("a mistake", changed(TEMPLATE, edit))
    (message, hint), *others = said(
        mark(edited(edited(solution, STRICT), wrong), frozenset({TRAINING}))[TRAINING]
    )
    assert not others
    assert cause in message
    assert "must be in" not in message + hint


def test_strict_losses_are_right(mark: Mark, solution: dict[str, bytes]) -> None:
    check(mark, edited(solution, STRICT), STRICT, frozenset({TRAINING}))
