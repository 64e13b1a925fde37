"""One training of all three networks decides both items of part 2's trainings, where it is good enough."""

from __future__ import annotations

import pytest

from grader.box.errors import StudentError
from grader.suites import measures
from grader.suites.expect import CheckFailed
from grader.suites.part2 import test_training as training
from grader.suites.part2.codes_training import Trained
from grader.suites.part2.short_training import Unmoved
from tests.suites.part2.variants import TRAIN
from tests.suites.variants import Mark

RECONSTRUCTION, TRAINING = "2.4.reconstruction", "2.5.training"
TRAINED = frozenset({RECONSTRUCTION, TRAINING})
ATTEMPTS = "2.5.training: attempts"  # noted where the codes have a training of their own
LOOP = "    for x, _ in train_loader:\n"
NEAR, FAR = (Trained(None, {}, {}, spread) for spread in (1.0, 9.0))  # codes like the prior's, and not
# An error at the first loop over many batches with the discriminator's share in the loss.
ONCE_LOST = (
    "    if lambda_ == 0.7 and not LOST:\n        LOST.append(1)\n        raise ValueError('not yet')\n"
    + LOOP
)


def measured(mark: Mark, files: dict[str, bytes], items: frozenset[str]) -> tuple[dict[str, float], set[str]]:
    """The points of each item, and what was measured."""
    measures.drain()
    points = {item: result.points for item, result in mark(files, items).items()}
    return points, {measure.name for measure in measures.drain()}


def test_right_code_is_trained_once(mark: Mark, solution: dict[str, bytes]) -> None:
    points, names = measured(mark, solution, TRAINED)
    assert points == {RECONSTRUCTION: 1.0, TRAINING: 1.5}
    assert "2.5.training: spread of the codes" in names
    assert ATTEMPTS not in names


def test_either_item_can_be_marked_alone(mark: Mark, solution: dict[str, bytes]) -> None:
    assert measured(mark, solution, frozenset({RECONSTRUCTION}))[0] == {RECONSTRUCTION: 1.0}
    points, names = measured(mark, solution, frozenset({TRAINING}))
    assert points == {TRAINING: 1.5}
    assert ATTEMPTS in names


def test_where_it_fails_each_item_has_trainings_of_its_own(mark: Mark, solution: dict[str, bytes]) -> None:
    source = solution[TRAIN].decode()
    assert source.count(LOOP) == 1
    source = source.replace(LOOP, ONCE_LOST).replace(
        "\n\n\ndef train_aae(", "\n\n\nLOST = []\n\n\ndef train_aae("
    )
    points, names = measured(mark, {**solution, TRAIN: source.encode()}, frozenset({RECONSTRUCTION}))
    assert points == {RECONSTRUCTION: 1.0}
    assert "2.4.reconstruction: error" in names
    assert "2.5.training: spread of the codes" not in names


class Fresh:
    """A part of which only new sessions are asked for."""

    def fresh(self) -> Fresh:
        return self


@pytest.mark.parametrize(
    ("outcomes", "trains"),
    [
        ((CheckFailed("512 elements are NaN"), NEAR), True),  # least squares by SGD run away with some draws
        ((FAR, FAR, NEAR), True),
        ((CheckFailed("NaN"), FAR, CheckFailed("NaN")), False),
        ((Unmoved("encoder"), NEAR), False),  # a loop that moves nothing is not excused
        ((StudentError("raised", "train_aae raised ValueError"), NEAR), False),
    ],
)
def test_with_crude_pieces_every_attempt_counts(monkeypatch, outcomes, trains) -> None:
    left = iter(outcomes)

    def train(*arguments: object) -> Trained:
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(training, "train_codes", train)
    assert training.trains_with_crude(Fresh(), None, None, None, ["discriminator_loss"]) == trains
