"""Devices written into the code: one deduction, which names the device, and a waiver for a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import SubmissionResult
from grader.submission import Submission
from tests.marking.markers import marked
from tests.suites.variants import solution

ITEMS = frozenset({"1.7.reparameterize", "1.7.kld", "1.7.encoder", "1.7.forward", "1.8.sample"})
UTILS, NETWORKS, TRAIN = "part1/utils.py", "part1/cnn_encoder_decoder.py", "part1/train_pl.py"
MPS = "torch.device('cuda' if torch.cuda.is_available() else 'mps')"
BUILT = "self.decoder = CNNDecoder(z_dim=z_dim, num_filters=num_filters)"
OF_SAMPLE = "device=self.decoder.device"
# Where a device is named -> the item whose check meets it first (they come in the order of the suites' files:
# encoder, forward, KLD, ...), and the device.
NAMED = {
    "a new tensor on Apple's GPU": ([(TRAIN, OF_SAMPLE, f"device={MPS}")], "1.8.sample", "mps"),
    "a method": ([(UTILS, "mean + std *", "mean.cuda() + std.cuda() *")], "1.7.reparameterize", "cuda"),
    "an index": (
        [(NETWORKS, "self.net(x.float()", "self.net(x.to('cuda:0').float()")],
        "1.7.encoder",
        "cuda",
    ),
    "a network": (
        [(TRAIN, BUILT, f"{BUILT}\n        self.to('xpu')")],
        "1.7.forward",
        "xpu",
    ),
    "an import": (
        [(UTILS, "import math\n", "import math\nimport torch\nONE = torch.ones(1).cuda()\n")],
        "1.7.forward",
        "cuda",
    ),
    "a default": (
        [
            (
                TRAIN,
                "import pytorch_lightning as pl\n",
                "import pytorch_lightning as pl\nimport torch\ntorch.set_default_device('mps')\n",
            )
        ],
        "1.7.forward",
        "mps",
    ),
    "everywhere": (
        [
            (UTILS, "torch.randn_like(std)", f"torch.randn(std.shape, device={MPS})"),
            (NETWORKS, "self.net(x.float()", "self.net(x.cuda().float()"),
            (TRAIN, "self.encoder(imgs)", f"self.encoder(imgs.to({MPS}))"),
            (TRAIN, OF_SAMPLE, "device=0"),
        ],
        "1.7.encoder",
        "cuda",
    ),
}


@pytest.fixture(scope="module")
def strict() -> Iterator[Marker]:
    yield from marked(MarkingOptions(seed=5))


@pytest.fixture(scope="module")
def waiving() -> Iterator[Marker]:
    yield from marked(MarkingOptions(seed=5, allow_devices=True))


def mark(marker: Marker, edits: list[tuple[str, str, str]]) -> SubmissionResult:
    files = solution("part1")
    for name, old, new in edits:
        text = files[name].decode()
        assert old in text, old
        files[name] = text.replace(old, new).encode()
    return marker.mark(Submission("somebody", files), items=ITEMS)


@pytest.mark.parametrize("way", NAMED)
def test_a_device_that_is_not_there_costs_one_check(strict: Marker, way: str) -> None:
    edits, item, device = NAMED[way]
    result = mark(strict, edits)
    failed = [(one.id, check) for one in result.items for check in one.checks if check.status != "passed"]
    assert [name for name, _ in failed] == [item], failed
    ((_, check),) = failed
    assert check.status == "failed"
    assert check.message.startswith(f"the code asks for the device {device}, which the grader does not have")
    if way != "a default":  # there it is a line of the grader's that meets it
        assert check.message.endswith(")")
        assert "(part1/" in check.message
    assert "x.device" in check.hint
    assert result.violations == (
        f"{item}: asks for the device {device}, which the grader does not have (--allow-devices waives this)",
    )
    assert result.waived == ()


@pytest.mark.parametrize("way", NAMED)
def test_with_the_waiver_it_costs_nothing(waiving: Marker, way: str) -> None:
    result = mark(waiving, NAMED[way][0])
    assert result.points == result.max_points, [c.message for i in result.items for c in i.checks]
    assert result.violations == ()
    assert result.waived == ("devices written into the code",)


def test_on_the_cpu_wrong_code_is_still_wrong(strict: Marker, waiving: Marker) -> None:
    edits = [*NAMED["everywhere"][0], (UTILS, "mean**2 - 1 - 2 * log_std", "mean**2 - 1 - log_std")]
    for marker in (strict, waiving):
        points = {item.id: item.points for item in mark(marker, edits).items}
        assert points["1.7.kld"] < 1.5


def test_the_next_submission_knows_nothing_of_it(strict: Marker) -> None:
    mark(strict, NAMED["everywhere"][0])
    result = mark(strict, [])
    assert result.points == result.max_points
    assert mark(strict, NAMED["a method"][0]).points < result.points


def test_an_error_of_torch_is_no_stub(strict: Marker) -> None:
    """torch 2.15 raises NotImplementedError where it cannot run an operation, from the student's own line."""
    result = mark(
        strict,
        [(UTILS, "mean + std *", "torch._foreach_add([mean.to_sparse()], [std.to_sparse()])[0] + std *")],
    )
    statuses = {
        check.status for item in result.items for check in item.checks if item.id == "1.7.reparameterize"
    }
    assert "not_implemented" not in statuses
    assert "failed" in statuses
