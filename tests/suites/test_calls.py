"""Stand-ins answer code that calls a network in pieces, row by row or by a mapping as a network would."""

import pytest
import torch

from grader.suites.part import DRIVERS
from tests.box.modules import module_of_the_box
from tests.suites.calls import ITEMS, RIGHT_CALLS
from tests.suites.variants import Mark, Variant, edited, named, solution


@named(RIGHT_CALLS)
def test_any_way_of_calling_a_network_keeps_all_points(variant: Variant, mark: Mark) -> None:
    part = variant.file.partition("/")[0]
    results = mark(edited(solution(part), variant), ITEMS[part])
    assert {item: result.points for item, result in results.items()} == {
        item: result.max_points for item, result in results.items()
    }


@pytest.fixture(scope="module")
def mapping():
    """The helper's module, which runs in the box otherwise."""
    with module_of_the_box(DRIVERS / "both_mapping.py") as module:
        yield module


@pytest.mark.parametrize("in_dim", [0, 1])
def test_a_mapping_is_one_call_and_gradients_pass_through_it(mapping, in_dim) -> None:
    weight, seen = torch.randn(4, 3, requires_grad=True), []

    def answer(z):
        seen.append(z.detach().clone())
        return z @ weight, (z @ weight).sum(dim=1)

    z = torch.randn(5, 4, requires_grad=True)
    rows = z if in_dim == 0 else z.mT
    first, second = torch.vmap(lambda one: mapping.together(answer, one[None]), in_dim)(rows)
    assert [one.shape for one in seen] == [(5, 4)]
    assert torch.equal(seen[0], z)
    assert (first.shape, second.shape) == ((5, 1, 3), (5, 1))
    expected = torch.autograd.grad(sum(one.sum() for one in answer(z)), (z, weight))
    found = torch.autograd.grad(first.sum() + second.sum(), (z, weight))
    assert all(torch.allclose(one, other) for one, other in zip(found, expected, strict=True))


def test_mappings_may_be_nested_and_rows_come_without_a_batch(mapping) -> None:
    seen = []

    def answer(z):
        seen.append(z.clone())
        return 2 * z

    grid = torch.randn(2, 3, 4)
    found = torch.vmap(torch.vmap(lambda one: mapping.together(answer, one[None])[0]))(grid)
    assert torch.equal(found, 2 * grid)
    assert [one.shape for one in seen] == [(6, 4)]
    assert torch.equal(torch.vmap(lambda one: mapping.together(answer, one))(grid[0]), 2 * grid[0])
