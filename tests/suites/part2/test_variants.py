"""The suites of part 2 on wrong and right variants of the solutions: one mistake costs one item."""

import pytest

from tests.suites.part2 import hand_ins
from tests.suites.part2.variants import (
    LEAKING_LOOP,
    LEAKS,
    MODELS,
    OPTIMIZERS,
    RIGHT,
    RIGHT_TRAINING,
    TRAIN,
    WRONG,
)
from tests.suites.variants import Mark, Variant, check, edited, named

TRAINED = frozenset({"2.4.reconstruction", "2.5.training"})
QUICK = frozenset(
    {
        "2.4.autoencoder",
        "2.5.discriminator",
        "2.5.autoencoder_loss",
        "2.5.discriminator_loss",
        "2.5.sample",
    }
)


@named(WRONG)
def test_a_mistake_costs_its_item(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, frozenset({variant.item}))


@named(RIGHT)
def test_right_code_written_another_way(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, QUICK)


@pytest.mark.slow
@named(WRONG + OPTIMIZERS + hand_ins.WRONG)
def test_a_mistake_costs_no_other_item(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, QUICK | TRAINED)


@pytest.mark.slow
@named(LEAKS)
def test_a_leak_shows_in_the_training(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    loop = Variant("the loop that lets it", LEAKING_LOOP, file=TRAIN)
    check(mark, edited(edited(solution, variant), loop), variant, QUICK | TRAINED)


@pytest.mark.slow
@named(hand_ins.RIGHT)
def test_right_hand_ins(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, QUICK | TRAINED)


@pytest.mark.slow
@named(RIGHT + RIGHT_TRAINING)
def test_trainings_of_right_code(mark: Mark, solution: dict[str, bytes], variant: Variant) -> None:
    check(mark, edited(solution, variant), variant, TRAINED)


def without_question_2_5(source: bytes) -> bytes:
    """A solution file in which the answers to question 2.5 are still missing."""
    lines, skipping = [], False
    for line in source.decode().splitlines():
        if "# BEGIN SOLUTION 2.5" in line:
            skipping = True
            lines.append(line.split("#")[0] + 'raise NotImplementedError("Question 2.5")')
        if not skipping:
            lines.append(line)
        skipping = skipping and "# END SOLUTION" not in line
    return "\n".join(lines).encode()


@pytest.mark.slow
def test_question_2_4_alone_earns_its_points(mark: Mark, solution: dict[str, bytes]) -> None:
    files = {**solution, **{name: without_question_2_5(solution[name]) for name in (MODELS, TRAIN)}}
    results = mark(files, QUICK | TRAINED)
    for item, result in results.items():
        due = {"passed"} if item.startswith("2.4.") else {"not_implemented"}
        assert {check.status for check in result.checks} == due, item


def test_there_are_enough_variants() -> None:
    assert len(WRONG) + len(OPTIMIZERS) + len(LEAKS) >= 40
    assert len(RIGHT) + len(RIGHT_TRAINING) >= 15
    assert {variant.file for variant in WRONG + OPTIMIZERS} == {MODELS, TRAIN}
