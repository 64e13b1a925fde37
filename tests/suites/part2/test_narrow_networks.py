"""2.4.reconstruction with networks so narrow that many draws of their weights are born dead."""

import pytest
import torch

from grader.marking.marker import Marker, MarkingOptions
from grader.submission import Submission
from grader.suites.part2.short_training import Judgement
from grader.suites.part2.test_reconstruction import is_dead
from tests.bank.entries import right
from tests.suites.part2.variants import RECONSTRUCTION


def test_images_that_are_all_reconstructed_alike_are_of_a_dead_network():
    images = torch.rand(8, 1, 28, 28)
    assert is_dead(Judgement(images, torch.zeros(8, 8), images[:1].expand(8, -1, -1, -1)))
    assert not is_dead(Judgement(images, torch.rand(8, 8), images))


@pytest.mark.slow
def test_three_filters_with_a_relu_keep_their_points_however_they_are_drawn():
    # Two of 30 draws lost the item: the first two attempts were dead, and no other was made.
    (entry,) = (one for one in right() if one.name == "right part2: three filters, ReLU")
    marker, lost = Marker(MarkingOptions(seed=1)), {}
    try:
        for seed in range(1, 25):
            marker.options = MarkingOptions(seed=seed)
            result = marker.mark(Submission(entry.name, entry.files), frozenset({RECONSTRUCTION}))
            if result.items[0].points < result.items[0].max_points:
                lost[seed] = result.items[0].checks
    finally:
        marker.close()
    assert not lost
