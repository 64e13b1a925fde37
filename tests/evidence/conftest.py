"""Small trainings, the box, and a judge of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
import torch

from grader.box.launcher import Box
from grader.evidence.examine import examine
from grader.evidence.facts import Claim, Kind, Run
from grader.evidence.images import Images, image_sets
from grader.submission import Submission
from tests.evidence.making import Made, train_aae, train_own_vae
from tests.suites.variants import solution
from tests.test_grading import mnist_root

torch.set_num_threads(1)  # as the judge does; more of them take longer for so little
NARROW = {"part2/models.py": (b"c = 32", b"c = 8")}  # a quarter of the recommended width

Judged = Callable[..., Run]


@pytest.fixture(scope="session")
def images() -> Iterator[Mapping[str, Images]]:
    root = mnist_root()
    if root is None:
        pytest.skip("MNIST is not at hand: set MNIST_ROOT to a folder with MNIST/raw in it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_ROOT", str(root))
        image_sets.cache_clear()
        sets = image_sets()
        assert sets is not None
        yield sets
    image_sets.cache_clear()


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    box = Box()
    yield box
    box.close()


@pytest.fixture(scope="session")
def code() -> dict[str, bytes]:
    """What a student hands in: the solutions, with narrow networks in part 2."""
    files = {**solution("part1"), **solution("part2")}
    for name, (old, new) in NARROW.items():
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    return files


@pytest.fixture(scope="session")
def vae(images) -> Made:
    """A training of the VAE with 20 latent dimensions, for 11 epochs."""
    return train_own_vae(images, seed=1, epochs=11)


@pytest.fixture(scope="session")
def aaes(images, code) -> dict[float, Made]:
    """Short trainings of part 2 with 8 latent dimensions, by lambda."""
    space: dict[str, object] = {"__name__": "models"}
    exec(compile(code["part2/models.py"], "models.py", "exec"), space)
    made = {}
    for lambda_ in (1.0, 0.995):
        torch.manual_seed(2)
        pair = (space["ConvEncoder"](8), space["ConvDecoder"](8))
        made[lambda_] = train_aae(pair, images, 4, f"aae_z_dim_8_lambda_{lambda_:g}", lambda_)
    return made


@pytest.fixture(scope="session")
def judged(images, box, code) -> Judged:
    """What is found out about one training, made or as files."""

    def judge(
        made: Made | Mapping[str, bytes], seed: int = 1, files: Mapping[str, bytes] | None = None
    ) -> Run:
        shown = made.files() if isinstance(made, Made) else dict(made)
        run = next(iter(shown)).split("/")[1]
        submission = Submission("s1", {**code, **(files or {})}, shown=shown)
        evidence = examine(submission, lambda: box, images, seed).evidence
        return next(one for one in evidence.runs if one.run == run)

    return judge


def of(run: Run, kind: Kind) -> Claim:
    """The claim of a kind that there is one of."""
    (claim,) = [claim for claim in run.claims if claim.kind is kind]
    return claim
