"""Networks that return more than the contract asks for: one item pays, and little."""

import pytest
import torch

from grader.suites.part import DRIVERS
from tests.bank.entries import automatic_items
from tests.box.modules import module_of_the_box
from tests.suites.packed_answers import WRONG_PACKED
from tests.suites.variants import Mark, Variant, edited, named, solution

# Without the trainings, which the bank has: here they would take minutes.
PART1 = frozenset({"1.7.encoder", "1.7.decoder", "1.7.forward", "1.8.sample", "1.9.manifold"})
PART2 = frozenset(
    item
    for item in automatic_items()
    if item[0] == "2" and item not in ("2.4.reconstruction", "2.5.training")
)


@pytest.fixture(scope="module")
def packing():
    """The helper's module, which runs in the box otherwise."""
    with module_of_the_box(DRIVERS / "both_packing.py") as module:
        yield module


@named(WRONG_PACKED)
def test_a_network_that_returns_more_costs_a_slip_of_its_own_item(variant: Variant, mark: Mark) -> None:
    part1 = variant.item.startswith("1.")
    results = mark(edited(solution("part1" if part1 else "part2"), variant), PART1 if part1 else PART2)
    lost = {item: result.max_points - result.points for item, result in results.items()}
    own = lost.pop(variant.item)
    assert 0.1 <= own / results[variant.item].max_points <= 0.25
    assert not any(lost.values()), lost


def test_stand_ins_answer_as_the_network_that_they_replace(packing) -> None:
    mean, log_std = torch.zeros(3, 2), torch.ones(3, 2)
    more = packing.packed((mean, log_std), (mean[:1], mean[:1], torch.full((1, 5), 7.0), "name"))
    assert [more[0] is mean, more[1] is log_std, more[3]] == [True, True, "name"]
    assert more[2].shape == (3, 5)
    named_ = packing.packed((mean, log_std), {"mean": mean[:1], "log_std": mean[:1]})
    assert list(named_) == ["mean", "log_std"]
    assert named_["log_std"] is log_std
    assert packing.packed((mean, log_std), mean[:1]).tolist() == torch.cat([mean, log_std], 1).tolist()
    assert packing.packed(mean, None) is mean


def test_what_the_contract_asks_for_is_taken_out(packing) -> None:
    first, second = torch.zeros(3, 2), torch.ones(3, 2)
    assert packing.unpacked((first, second)) is first
    assert packing.unpacked({"z": second}) is second
    assert packing.unpacked((first, second, 1), 2) == (first, second)
    halves = packing.unpacked(torch.cat([first, second], 1), 2, columns=2)
    assert [half.tolist() for half in halves] == [first.tolist(), second.tolist()]
    assert packing.unpacked(first, 2, columns=2) is first, "one of two"
    assert packing.unpacked(("text", first)) == ("text", first)


def test_trying_a_network_leaves_it_and_random_numbers_alone(packing) -> None:
    class Noisy(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(2)

        def forward(self, x):
            return self.norm(x), torch.rand(3)

    network = Noisy()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(0)
    due = torch.rand(1)
    torch.manual_seed(0)
    assert packing.packing_of(network, torch.ones(4, 2)) is not None
    assert torch.equal(torch.rand(1), due)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
