"""One training of all three networks decides both items of part 2's trainings, where it is good enough."""

from grader.suites import measures
from tests.suites.part2.variants import TRAIN
from tests.suites.variants import Mark

RECONSTRUCTION, TRAINING = "2.4.reconstruction", "2.5.training"
TRAINED = frozenset({RECONSTRUCTION, TRAINING})
ATTEMPTS = "2.5.training: attempts"  # noted where the codes have a training of their own
LOOP = "    for x, _ in train_loader:\n"
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
