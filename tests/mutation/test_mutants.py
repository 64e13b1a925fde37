"""What is mutated, and how."""

import pytest

from tests.mutation.mutants import FILES, blocks, mutants
from tests.suites.variants import SOLUTIONS

SOURCE = """def KLD(mean, std):
    given = mean - 1
    # BEGIN SOLUTION 1.7: KLD, equation 13
    scaled = mean - std  # a comment
    return scaled.sum(dim=-1)
    # END SOLUTION


def main(args):
    # BEGIN SOLUTION 2.5: main, the layers
    net = nn.Linear(
        2 * args.c,
        args.z,
    )
    # END SOLUTION
    return net + 1
"""
FOUND = mutants("part1/utils.py", SOURCE)


def changes(line: int) -> set[str]:
    return {mutant.after for mutant in FOUND if mutant.line == line}


def test_blocks_are_read() -> None:
    assert [(block.title, block.first, block.last, block.item) for block in blocks(SOURCE)] == [
        ("KLD, equation 13", 4, 5, "1.7.kld"),
        ("main, the layers", 11, 14, "2.5.training"),
    ]


def test_a_block_has_to_end() -> None:
    with pytest.raises(ValueError, match="line 3 does not end: KLD"):
        blocks(SOURCE.replace("    # END SOLUTION\n", ""))


def test_only_what_students_write_is_mutated() -> None:
    assert {mutant.line for mutant in FOUND} == {4, 5, 11}
    for mutant in FOUND:
        assert "given = mean - 1" in mutant.text
        assert mutant.text.endswith("    # END SOLUTION\n    return net + 1\n")


def test_slips_of_tensor_code_are_among_them() -> None:
    assert {
        "scaled = mean + std",
        "scaled = std - mean",
        "scaled = mean.detach() - std",
        "scaled = mean - mean",
    } <= changes(4)
    assert {"return scaled.mean(dim=-1)", "return scaled", "pass"} <= changes(5)
    assert not any("detach" in after for after in changes(11))


def test_each_is_another_program_and_keeps_its_layout() -> None:
    assert len({mutant.digest for mutant in FOUND}) == len(FOUND)
    original = SOURCE.splitlines()
    for mutant in FOUND:
        compile(mutant.text, "mutant", "exec")
        changed = [line for line in mutant.text.splitlines() if line not in original]
        assert len(changed) <= 4, changed


@pytest.mark.parametrize("file", FILES)
def test_every_block_of_the_solutions_has_an_item(file: str) -> None:
    assert all(block.item for block in blocks((SOLUTIONS / file).read_text()))
