"""The rule against torch.distributions, and the option that waives it for a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import SubmissionResult
from grader.submission import Submission
from tests.marking.markers import marked

KLD = frozenset({"1.7.kld"})
STRICT, WAIVED = MarkingOptions(seed=5), MarkingOptions(seed=5, allow_distributions=True)
RIGHT = b"""
def KLD(mean, log_std):
    p, q = Normal(mean, log_std.exp()), Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return kl_divergence(p, q).sum(-1)
"""
IMPORTS = {
    "names": b"import torch\nfrom torch.distributions import Normal, kl_divergence\n",
    "package": b"import torch\nimport torch.distributions as D\n"
    b"def Normal(*args): return D.Normal(*args)\ndef kl_divergence(p, q): return D.kl_divergence(p, q)\n",
    "attribute": b"import torch\ndef Normal(*args): return torch.distributions.Normal(*args)\n"
    b"def kl_divergence(p, q): return torch.distributions.kl.kl_divergence(p, q)\n",
    "modules": b"import torch\nfrom torch.distributions.normal import Normal\n"
    b"from torch.distributions.kl import kl_divergence\n",
    "star": b"import torch\nfrom torch.distributions import *\n",
    "importlib": b"import importlib, torch\ndef D(): return importlib.import_module('torch.distributions')\n"
    b"def Normal(*args): return D().Normal(*args)\ndef kl_divergence(p, q): return D().kl_divergence(p, q)\n",
    "anew": b"import importlib, sys, torch\n"
    b"for n in [n for n in sys.modules if n.startswith('torch.distributions')]: del sys.modules[n]\n"
    b"D = importlib.import_module('torch.distributions')\n"
    b"Normal, kl_divergence = D.Normal, D.kl_divergence\n",
}


@pytest.fixture(scope="module")
def strict() -> Iterator[Marker]:
    yield from marked(STRICT)


@pytest.fixture(scope="module")
def waiving() -> Iterator[Marker]:
    yield from marked(WAIVED)


def mark(marker: Marker, source: bytes) -> SubmissionResult:
    return marker.mark(Submission("somebody", {"part1/utils.py": source}), items=KLD)


@pytest.mark.parametrize("way", IMPORTS)
def test_without_the_waiver_it_costs_the_item(strict: Marker, way: str) -> None:
    result = mark(strict, IMPORTS[way] + RIGHT)
    assert result.points == 0
    assert result.items[0].status == "failed"
    assert result.waived == ()


@pytest.mark.parametrize("way", IMPORTS)
def test_with_the_waiver_right_code_earns_everything(waiving: Marker, way: str) -> None:
    result = mark(waiving, IMPORTS[way] + RIGHT)
    assert result.items[0].status == "passed", [check.message for check in result.items[0].checks]
    assert result.points == result.max_points
    assert result.violations == ()
    assert result.waived == ("torch.distributions",)
    assert result.to_json()["waived"] == ["torch.distributions"]


def test_with_the_waiver_wrong_code_is_still_wrong(waiving: Marker) -> None:
    result = mark(waiving, IMPORTS["names"] + RIGHT.replace(b"log_std.exp()", b"log_std.exp() ** 2"))
    assert result.points < result.max_points
    assert any("off" in check.message for check in result.items[0].checks if check.status == "failed")


def test_the_violation_tells_of_the_option_in_one_line(strict: Marker) -> None:
    (violation,) = mark(strict, IMPORTS["names"] + RIGHT).violations
    assert violation.startswith("1.7.kld: uses torch.distributions")
    assert "--allow-distributions" in violation
    assert "\n" not in violation


@pytest.mark.parametrize(("allow", "status"), [(False, "failed"), (True, "passed")])
def test_without_a_sandbox_the_rule_and_its_waiver_are_the_same(allow: bool, status: str) -> None:
    marker = Marker(MarkingOptions(seed=5, sandbox=False, allow_distributions=allow))
    try:
        result = mark(marker, IMPORTS["names"] + RIGHT)
    finally:
        marker.close()
    assert result.sandbox == "none"
    assert result.items[0].status == status
    assert result.waived == (("torch.distributions",) if allow else ())
