"""One submission through pytest and the box: whose fault a failure is, and what the verdict depends on."""

from __future__ import annotations

import platform
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.box.errors import BoxError
from grader.box.launcher import Box
from grader.marking import marker as marker_module
from grader.marking.marker import Marker, MarkingOptions, suite_digest
from grader.marking.result import ItemResult
from grader.submission import Submission, read_submission
from grader.suites.context import Context

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
KLD = frozenset({"1.7.kld"})
RIGHT = (
    b"def KLD(mean, log_std):\n    return 0.5 * ((2 * log_std).exp() + mean**2 - 1 - 2 * log_std).sum(-1)\n"
)


@pytest.fixture(scope="module")
def marker() -> Iterator[Marker]:
    marker = Marker(MarkingOptions(seed=5))
    yield marker
    marker.close()


def kld(marker: Marker, source: bytes) -> ItemResult:
    """The verdict on item 1.7.kld of a utils.py."""
    result = marker.mark(Submission("somebody", {"part1/utils.py": source}), items=KLD)
    return next(item for item in result.items if item.id == "1.7.kld")


def test_a_right_function_passes(marker: Marker) -> None:
    assert kld(marker, RIGHT).status == "passed"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"def KLD(mean, log_std):\n    return mean +\n", "SyntaxError"),
        (b"import no_such_module\n" + RIGHT, "no_such_module"),
        (b"def KL(mean, log_std):\n    return mean\n", "KLD"),
        (b"KLD = 3\n", "plain value"),
        (b"def KLD(mean, log_std):\n    return None\n", "NoneType"),
        (b"def KLD(mean, log_std):\n    return lambda: 1\n", "function"),
        (b"def KLD(mean, log_std):\n    return [mean, log_std]\n", "list of 2"),
        (b"def KLD(mean, log_std):\n    return mean.to('meta').sum(-1)\n", "meta"),
        (b"def KLD(mean, log_std):\n    return mean.sum(-1).to_sparse()\n", "Sparse"),
        (b"def KLD(mean, log_std):\n    return mean.no_such()\n", "line 2"),
        (b"def KLD(mean, log_std):\n    raise SystemExit\n", "SystemExit"),
        (b"import os\ndef KLD(mean, log_std):\n    os._exit(0)\n", "ended the process"),
        (b"raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        (b"def KLD(mean, log_std):\n    return (mean / 0).sum(-1)\n", "NaN or infinite"),
        (b"\x00\xff", "utils.py"),
    ],
)
def test_a_students_failure_is_a_students(marker: Marker, source: bytes, words: str) -> None:
    item = kld(marker, source)
    assert item.status == "failed"
    assert item.points == 0
    assert any(words in check.message for check in item.checks), [check.message for check in item.checks]


def test_a_syntax_error_is_told_with_its_place_once_and_what_to_look_at(marker: Marker) -> None:
    check = kld(marker, b"def KLD(mean, log_std):\n    return mean +\n").checks[0]
    assert check.message.count("line 2") == 1
    assert "(part1/utils.py, line 2)" in check.message
    assert "look at that line" in check.hint


def test_a_stub_is_not_implemented(marker: Marker) -> None:
    item = kld(marker, b"def KLD(mean, log_std):\n    raise NotImplementedError('Question 1.7')\n")
    assert item.status == "not_implemented"


def test_a_librarys_not_implemented_error_is_a_failure(marker: Marker) -> None:
    source = b"import torch\ndef KLD(mean, log_std):\n    torch.nn.Module()(mean)\n    return mean.sum(-1)\n"
    assert kld(marker, source).status == "failed"


def test_a_missing_file_is_not_submitted(marker: Marker) -> None:
    result = marker.mark(Submission("somebody", {}), items=KLD)
    item = next(item for item in result.items if item.id == "1.7.kld")
    assert item.status == "not_submitted"
    assert "part1/utils.py" in item.checks[0].message


def test_torch_distributions_is_a_violation_and_costs_its_item(marker: Marker) -> None:
    source = (
        b"from torch.distributions import Normal, kl_divergence\ndef KLD(mean, log_std):\n"
        b"    return kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).sum(-1)\n"
    )
    result = marker.mark(Submission("somebody", {"part1/utils.py": source}), items=KLD)
    item = next(item for item in result.items if item.id == "1.7.kld")
    assert item.status == "failed"
    assert "not allowed" in item.checks[0].message
    assert [violation.split(",")[0] for violation in result.violations] == [
        "1.7.kld: uses torch.distributions"
    ]


@pytest.mark.parametrize(
    "compiled",
    [
        b"import torch\n@torch.compile\n" + RIGHT,
        b"import torch\n@torch.compile(dynamic=True, mode='reduce-overhead')\n" + RIGHT,
        RIGHT + b"import torch\nKLD = torch.compile(KLD, backend='inductor')\n",
        RIGHT + b"import torch\nnet = torch.nn.Identity()\nnet.compile()\nkl = KLD\n"
        b"def KLD(mean, log_std):\n    return kl(net(mean), torch.compile(net)(log_std))\n",
    ],
)
def test_torch_compile_is_no_violation(marker: Marker, compiled: bytes) -> None:
    result = marker.mark(Submission("somebody", {"part1/utils.py": compiled}), items=KLD)
    (item,) = result.items
    assert item.status == "passed", [check.message for check in item.checks]
    assert not result.violations


@pytest.mark.parametrize(
    "found",
    [
        b"    import sys, importlib\n"
        b"    for n in [n for n in sys.modules if n.startswith('torch.distributions')]: del sys.modules[n]\n"
        b"    D = importlib.import_module('torch.distributions')\n",
        b"    import importlib\n    D = importlib.import_module('torch.distributions.kl')\n"
        b"    D.Normal = importlib.import_module('torch.distributions.normal').Normal\n",
        b"    import torch\n    D = torch.distributions\n",
        b"    import gc\n    class D: pass\n    for o in gc.get_objects():\n"
        b"        if getattr(o, '__name__', '') in ('Normal', 'kl_divergence'): setattr(D, o.__name__, o)\n",
        b"    class D: pass\n    def walk(c):\n        for s in type.__subclasses__(c):\n"
        b"            if 'distributions' in s.__module__: setattr(D, s.__name__, s)\n"
        b"            if s is not type: walk(s)\n    walk(object)\n"
        b"    D.kl_divergence = lambda p, q: p.log_prob(mean) - q.log_prob(mean) + 0 * p.entropy()\n",
    ],
)
def test_torch_distributions_is_of_no_use_however_it_is_found(marker: Marker, found: bytes) -> None:
    source = (
        b"def KLD(mean, log_std):\n" + found + b"    p = D.Normal(mean, log_std.exp())\n"
        b"    return D.kl_divergence(p, D.Normal(0 * mean, 0 * mean + 1)).sum(-1)\n"
    )
    item = kld(marker, source)
    assert item.status == "failed"
    assert item.points == 0
    # It fails because it is refused, not because this code would not work anyway.
    assert all("off" not in check.message for check in item.checks)


def test_the_session_of_part_1_ends_before_that_of_part_2_begins(
    marker: Marker, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = []
    enter, end = Box.open_channel, Box.close_channel
    monkeypatch.setattr(Box, "open_channel", lambda box: events.append("opened") or enter(box))
    monkeypatch.setattr(
        Box, "close_channel", lambda box, session: events.append("closed") or end(box, session)
    )
    names = ("part1/utils.py", "part2/models.py", "part2/train.py")
    files = {name: (SOLUTIONS / name).read_bytes() for name in names}
    marker.mark(Submission("somebody", files), items=frozenset({"1.7.kld", "2.5.discriminator"}))
    assert events == ["opened", "closed"] * 2


def test_the_same_seed_gives_the_same_messages(marker: Marker) -> None:
    wrong = RIGHT.replace(b"0.5", b"0.7")
    first, second = kld(marker, wrong), kld(marker, wrong)
    assert first == second
    marker.options = MarkingOptions(seed=6)
    try:
        assert kld(marker, wrong) != first
    finally:
        marker.options = MarkingOptions(seed=5)


HELPERS = frozenset({"1.7.reparameterize", "1.7.kld", "1.7.bpd"})
SOLVED = (SOLUTIONS / "part1" / "utils.py").read_bytes()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sessions that are opened during the test."""
    sessions: list[int] = []
    really_open = Box.open_channel

    def counting(box: Box) -> tuple[int, socket.socket]:
        number, channel = really_open(box)
        sessions.append(number)
        return number, channel

    monkeypatch.setattr(Box, "open_channel", counting)
    return sessions


def helpers(marker: Marker, source: bytes) -> dict[str, ItemResult]:
    result = marker.mark(Submission("somebody", {"part1/utils.py": source}), items=HELPERS)
    return {item.id: item for item in result.items}


def test_items_share_a_session(marker: Marker, opened: list[int]) -> None:
    assert {item.status for item in helpers(marker, SOLVED).values()} == {"passed"}
    assert len(opened) == 1


def test_stubs_share_a_session(marker: Marker, opened: list[int]) -> None:
    stub = (SOLUTIONS.parent / "student" / "part1" / "utils.py").read_bytes()
    assert {item.status for item in helpers(marker, stub).values()} == {"not_implemented"}
    assert len(opened) == 1


@pytest.mark.parametrize(
    "left_behind",
    [
        "torch.set_grad_enabled(False)",
        "torch.randn = torch.randn_like = torch.normal = torch.zeros_like",
        "import os; os._exit(1)",
    ],
)
def test_what_a_function_leaves_behind_costs_its_own_item_at_most(
    marker: Marker, opened: list[int], left_behind: str
) -> None:
    source = (
        SOLVED
        + (
            f"\nright = elbo_to_bpd\ndef elbo_to_bpd(elbo, img_shape):\n"
            f"    value = right(elbo, img_shape)\n    {left_behind}\n    return value\n"
        ).encode()
    )
    items = helpers(marker, source)
    assert items["1.7.kld"].status == items["1.7.reparameterize"].status == "passed", items
    assert len(opened) > 1


def test_a_check_that_failed_alone_is_not_tried_again(marker: Marker, opened: list[int]) -> None:
    source = RIGHT.replace(b"return", b"raise ValueError\n    return")
    assert {check.status for check in kld(marker, source).checks} == {"failed"}
    assert len(opened) == len(kld(marker, source).checks)


def test_a_hanging_check_is_not_tried_again(
    marker: Marker, opened: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.box.client.CALL_SECONDS", 0.3)
    hanging = b"\ndef KLD(mean, log_std):\n    while True: pass\n"
    items = helpers(marker, SOLVED + hanging)
    assert {check.status for check in items["1.7.kld"].checks} == {"failed"}
    assert items["1.7.bpd"].status == items["1.7.reparameterize"].status == "passed"
    assert len(opened) == 2


def test_a_box_that_was_killed_is_replaced(marker: Marker) -> None:
    before = marker.box()
    before.close()
    assert kld(marker, RIGHT).status == "passed"
    assert marker.box() is not before


def test_a_marker_that_was_started_has_its_box_and_its_suites(monkeypatch: pytest.MonkeyPatch) -> None:
    started = Marker(MarkingOptions(seed=5))
    try:
        started.start()
        box = started.box()
        monkeypatch.setattr(marker_module, "Box", None)  # no other is started
        monkeypatch.setattr("grader.marking.collected.CollectedSuites", None)  # and nothing collected again
        assert kld(started, RIGHT).status == "passed"
        assert started.box() is box
    finally:
        started.close()


def test_suites_that_cannot_be_collected_do_not_keep_a_marker_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise RuntimeError("no suites today")

    started = Marker(MarkingOptions(seed=5))
    monkeypatch.setattr("grader.marking.collected.CollectedSuites", refuse)
    try:
        started.start()
        assert kld(started, RIGHT).status == "grader_error"
    finally:
        started.close()


def test_a_box_that_cannot_start_is_the_graders_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Marker(MarkingOptions(seed=5))

    def refuse() -> None:
        raise BoxError("no box today")

    monkeypatch.setattr(broken, "box", refuse)
    item = kld(broken, RIGHT)
    assert item.status == "grader_error"
    assert "no box today" in item.checks[0].message


def test_surrounding_pytest_settings_do_not_matter(
    marker: Marker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    assert kld(marker, RIGHT).status == "passed"


def test_the_digest_covers_the_suites(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def digest_of(text: str) -> str:
        (tmp_path / "suites").mkdir(exist_ok=True)
        (tmp_path / "suites" / "test_it.py").write_text(text)
        monkeypatch.setattr(marker_module, "PACKAGE", tmp_path)
        monkeypatch.setattr(marker_module, "VERDICT_SOURCES", ("suites",))
        suite_digest.cache_clear()
        return suite_digest()

    try:
        assert digest_of("one") == digest_of("one")
        assert digest_of("one") != digest_of("two")
    finally:
        monkeypatch.undo()
        suite_digest.cache_clear()


def test_without_a_sandbox_the_verdict_is_the_same_and_says_so(tmp_path: Path) -> None:
    marker = Marker(MarkingOptions(seed=5, sandbox=False))
    try:
        result = marker.mark(read_submission(SOLUTIONS), items=frozenset({"1.7.kld", "2.5.sample"}))
    finally:
        marker.close()
    assert result.sandbox == "none"
    assert result.python == platform.python_version()
    assert {item.id for item in result.items if item.status == "passed"} == {"1.7.kld", "2.5.sample"}


DOTTED = ".".join(map(str, sys.version_info[:2]))
NEWER = RIGHT.replace(b"return", b'return lambda: f"{"a"}" and') + b'x = f"{"newer"}"\n'


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python reads the f-strings of PEP 701")
def test_syntax_of_a_newer_python_waits_for_a_person(marker: Marker) -> None:
    item = kld(marker, NEWER)
    assert item.status == "failed"
    assert item.review == f"part1/utils.py is written for Python 3.12; the grader runs {DOTTED}"
    (check, *_) = item.checks
    assert "syntax of Python 3.12, and the grader runs" in check.hint
    assert "py_compile" not in check.hint


def test_with_a_newer_python_in_the_box_its_syntax_is_what_counts(
    marker: Marker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "python", (3, 13))  # a box that says so and still cannot read it
    item = kld(marker, NEWER)
    assert (item.status, item.review) == ("failed", "")


def test_a_mistake_in_the_syntax_does_not_wait(marker: Marker) -> None:
    item = kld(marker, RIGHT + b"if x\n    pass\n")
    assert (item.status, item.review) == ("failed", "")
    assert "py_compile" in item.checks[0].hint


def test_a_bare_raise_of_a_stub_is_told_by_its_place(marker: Marker) -> None:
    (check, *_) = kld(marker, b"def KLD(mean, log_std):\n    raise NotImplementedError\n").checks
    assert check.status == "not_implemented"
    assert check.message == ("not implemented yet: KLD raises NotImplementedError (part1/utils.py, line 2)")
