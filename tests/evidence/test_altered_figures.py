"""Grids that were altered, beside what the weights draw; and true ones of many seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from grader.box.budget import Budget
from grader.evidence.facts import Verdict
from grader.evidence.likeness import Likeness, likeness
from grader.evidence.networks import Networks, Place
from grader.evidence.trainings import trainings
from grader.evidence.weights import checked
from tests.evidence.alterations import ALTERATIONS
from tests.evidence.making import FILTERS, Made
from tests.evidence.test_figures import friends, samples  # noqa: F401

Compared = Callable[[torch.Tensor, int], Likeness]


@pytest.fixture(scope="module")
def place(box, code) -> Iterator[Place]:
    with Place(code, lambda: box, Budget(300.0)) as place:
        place.budget.begin_check()
        yield place


def compared_with(place: Place, made: Made) -> tuple[Compared, Networks]:
    """What a figure's images are beside those that weights draw, for a seed of the judge."""
    training = next(one for one in trainings() if one.run == made.run)
    networks = Networks(place, training, FILTERS, 1)
    networks.load(checked(made.weights["final"]))

    def compared(images: torch.Tensor, seed: int) -> Likeness:
        stored = (images * 255).round() / 255  # as in the figure
        return likeness(networks, stored, False, torch.Generator().manual_seed(seed))

    return compared, networks


def drawn_by(networks: Networks, seed: int) -> torch.Tensor:
    """Images of an autoencoder."""
    codes = torch.randn(64, networks.training.z_dim, generator=torch.Generator().manual_seed(seed))
    return ((networks.decode(codes) + 1) / 2).clamp(0, 1)


@pytest.fixture(scope="module", params=["VAE", "VAE after 3 epochs"])
def vae_made(request) -> Made:
    return request.getfixturevalue("vae" if request.param == "VAE" else "friends")


@pytest.fixture(scope="module")
def of_vae(place, vae_made) -> Compared:
    return compared_with(place, vae_made)[0]


@pytest.mark.parametrize("change", ALTERATIONS.values(), ids=ALTERATIONS.keys())
def test_altered_samples_are_not_supported(vae_made, of_vae, change):
    altered = change(samples(vae_made.weights["final"]))
    for seed in range(2):
        found = of_vae(altered, seed)
        assert found.verdict is not Verdict.SUPPORTED, found


# A change of what the mean of each pixel shows that 64 images tell from their chance.
CLEAR = ("gamma 0.5", "gamma 0.7", "gamma 1.5", "gamma 2.0", "contrast 1.6", "blurred", "sharpened",
         "black and white", "thicker", "without faint pixels", "four levels", "inverted")  # fmt: skip


@pytest.mark.parametrize("name", CLEAR)
def test_altered_means_are_not_supported(vae_made, of_vae, name):
    found = of_vae(ALTERATIONS[name](samples(vae_made.weights["final"], True)), 1)
    assert found.verdict is not Verdict.SUPPORTED, found


@pytest.mark.parametrize("name", CLEAR)
def test_altered_images_of_an_autoencoder_are_not_supported(place, aaes, name):
    compared, networks = compared_with(place, aaes[0.995])
    found = compared(ALTERATIONS[name](drawn_by(networks, 3)), 1)
    assert found.verdict is not Verdict.SUPPORTED, found


def test_a_grid_half_of_which_is_of_mnist_is_not_supported(vae_made, of_vae, images):
    for mean in (False, True):
        half = samples(vae_made.weights["final"], mean)
        half[::2] = images["training"].pixels(torch.arange(32))
        found = of_vae(half, 1)
        assert found.verdict is not Verdict.SUPPORTED, found


@pytest.mark.slow
@pytest.mark.parametrize("mean", [False, True], ids=["samples", "means"])
def test_true_samples_are_never_contradicted(vae_made, of_vae, mean):
    found = [of_vae(samples(vae_made.weights["final"], mean, 100 + seed), seed).verdict for seed in range(20)]
    assert Verdict.CONTRADICTED not in found, found
    assert found.count(Verdict.SUPPORTED) >= 18, found


@pytest.mark.slow
def test_true_images_of_an_autoencoder_are_never_contradicted(place, aaes):
    compared, networks = compared_with(place, aaes[0.995])
    found = [compared(drawn_by(networks, 100 + seed), seed).verdict for seed in range(20)]
    assert Verdict.CONTRADICTED not in found, found
    assert found.count(Verdict.SUPPORTED) >= 10, found
