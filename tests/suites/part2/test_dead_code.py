"""2.4.reconstruction where the code has died: whether something else has cost the points for it."""

import pytest

from tests.suites.part2.variants import MODELS, RECONSTRUCTION
from tests.suites.variants import Mark, Variant, edited

START = "        super().__init__()\n"
CODE = "        return self.net(x)\n"
# Dies in a training for certain; how soon a plain ReLU does is a matter of chance.
DYING_RELU = """        self.seen += self.training
        return self.net(x).relu() * (self.seen <= 8)
"""
DYING = (
    (START, START + '        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))\n'),
    (CODE, DYING_RELU),
)


@pytest.mark.parametrize(
    ("edits", "said"),
    [
        pytest.param(DYING, "", id="a ReLU that dies"),
        pytest.param(
            ((CODE, "        return self.net(x) * 0\n"),),
            "the weights of the encoder are what they were before",
            id="never any code",
        ),
        pytest.param(
            ((CODE, DYING_RELU.replace(".relu()", "")), DYING[0]),
            "reconstruction error",
            id="a code that dies without a ReLU",
        ),
    ],
)
def test_a_dead_code_is_excused_where_its_range_is_all_that_is_wrong(
    mark: Mark, solution: dict[str, bytes], edits: tuple[tuple[str, str], ...], said: str
) -> None:
    files = edited(solution, Variant("dead code", edits, file=MODELS))
    (check,) = mark(files, frozenset({RECONSTRUCTION}))[RECONSTRUCTION].checks
    assert (check.status == "passed") == (not said), check
    assert said in check.message
