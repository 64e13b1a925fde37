"""What cannot be explained as asked is refused, with the reason and what to do: exit status 2."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from grader.box.interpreter import box_python
from grader.cli import main
from grader.engine import Provenance, environment_digest
from grader.engine.reuse import EarlierResults
from grader.explain import original as room
from grader.explain import versions
from grader.explain.original import Asked, find_original
from grader.gradebook.course import Course
from grader.gradebook.secrecy import inputs_secret
from grader.marking.marker import suite_digest
from grader.marking.result import FAILED, PASSED, CheckResult, ItemResult, SubmissionResult
from grader.report.results_json import write_result
from grader.submission.model import code_digest
from grader.submission.read import read_submission

KLD = ItemResult(
    "1.7.kld",
    0.75,
    1.5,
    "partial",
    (
        CheckResult("matches_the_closed_form", FAILED, 1.0, "KLD: 7 of 7 values are off"),
        CheckResult("has_the_right_gradients", PASSED),
    ),
)
BPD = ItemResult("1.7.bpd", 1.0, 1.0, "passed", (CheckResult("keeps_the_batch", PASSED),))


@pytest.fixture
def output(tmp_path):
    """Results of one hand-in, as a run leaves them."""
    return results_in(tmp_path / "out", tmp_path / "cohort" / "mia")


def results_in(output, hand_in, environment=None, **changes):
    (hand_in / "part1").mkdir(parents=True)
    (hand_in / "part1" / "utils.py").write_text("def KLD(mean, log_std):\n    return mean.sum(-1)\n")
    output.mkdir()
    result = SubmissionResult("mia", 7, suite_digest(), "bwrap", 1.0, (KLD, BPD), python=box_python().dotted)
    result = replace(result, **changes)
    code = code_digest(read_submission(hand_in, "mia").files)
    write_result(output, replace(result, code=f"sha256:{code}"))
    environment = environment or environment_digest("digits")
    provenance = Provenance(7, result.suite, "bwrap", environment=environment)
    EarlierResults(output, provenance).keep("mia", "sha256:0", 1.0, str(hand_in))
    return output


def refused(capsys, *arguments: object) -> str:
    """What a refused command says: one line."""
    assert main(["explain", *map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_the_hand_in_is_found_where_the_run_found_it(output):
    found = find_original(Asked(output / "mia", "1.7.kld"))
    assert found.sure
    assert list(found.submission.files) == ["part1/utils.py"]
    assert [check.name for check in found.checks] == ["matches_the_closed_form"]
    assert (found.options.seed, found.options.data, found.options.sandbox) == (7, "digits", True)


def test_a_hand_in_that_was_moved_is_named(output, tmp_path, capsys):
    (tmp_path / "cohort").rename(tmp_path / "elsewhere")
    said = refused(capsys, output / "mia", "1.7.kld")
    assert f"{tmp_path}/cohort/mia" in said
    assert "--submission PATH" in said
    moved = tmp_path / "elsewhere" / "mia"
    assert find_original(Asked(output / "mia", "1.7.kld", submission=moved)).sure
    assert find_original(Asked(output / "mia", "1.7.kld", submission=moved.parent)).sure


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody", "1.7.kld"), r"nobody: there is no results\.json in it; give .* OUTPUT/<submission>"),
        (("mia", "1.7.kdl"), r"1\.7\.kdl: there is no such item; there are 1\.7\.reparameterize, 1\.7\.kld"),
        (("mia", "1.9.figure"), r"1\.9\.figure: a person marks this item"),
        (("mia", "1.8.sample"), r"1\.8\.sample: the result does not hold this item"),
        (("mia", "1.7.bpd"), r"all of its checks passed; name one to see what it asks: keeps_the_batch"),
        (("mia", "1.7.kld", "nothing"), r"nothing: 1\.7\.kld has no such check .* matches_the_closed_form"),
        (("mia", "1.7.kld", "--submission", "gone"), r"--submission gone: is not there"),
        (("mia", "1.7.kld", "--snippet", "file.txt"), r"--snippet file\.txt: its name should end in \.py"),
    ],
)
def test_what_is_not_there_is_refused(output, capsys, arguments, words):
    name, *others = arguments
    assert re.search(words, refused(capsys, output / name, *others))


def test_results_that_cannot_be_read_are_refused(output, capsys):
    (output / "mia" / "results.json").write_text("{")
    assert "it is not JSON" in refused(capsys, output / "mia", "1.7.kld")


def test_other_code_is_refused(output, tmp_path, capsys):
    (tmp_path / "cohort" / "mia" / "part1" / "utils.py").write_text("def KLD(mean, log_std):\n    return 0\n")
    said = refused(capsys, output / "mia", "1.7.kld")
    assert f"{tmp_path}/cohort/mia: is other code than the run has marked for mia" in said


def test_another_suite_is_refused_and_the_old_one_named(tmp_path, capsys, monkeypatch):
    commits = versions._git("log", "--max-count=2", "--format=%H", "--", "grader/suites").decode().split()
    old = versions._digest(versions._git("archive", commits[-1], "--", "grader"))
    output = results_in(tmp_path / "out", tmp_path / "cohort" / "mia", suite=old)
    monkeypatch.setattr(room, "suite_digest", lambda: "sha256:" + "f" * 64)
    said = refused(capsys, output / "mia", "1.7.kld")
    assert "this kit has ffffffffffff" in said
    assert f"git worktree add ../kit-{commits[-1][:10]} {commits[-1][:10]}" in said


def test_a_suite_that_no_commit_has_is_refused(tmp_path, capsys):
    output = results_in(tmp_path / "out", tmp_path / "cohort" / "mia", suite="sha256:0")
    assert "take the version of the kit that marked it" in refused(capsys, output / "mia", "1.7.kld")


def test_the_digest_of_a_version_is_that_of_its_files(tmp_path):
    head = versions._git("rev-parse", "HEAD").decode().strip()
    if versions._git("status", "--porcelain", "--", *(f"grader/{name}" for name in versions.VERDICT_SOURCES)):
        pytest.skip("what decides a verdict is being changed")
    assert versions._digest(versions._git("archive", head, "--", "grader")) == suite_digest()


def test_another_python_is_refused(tmp_path, capsys):
    output = results_in(tmp_path / "out", tmp_path / "cohort" / "mia", python="3.9.1")
    said = refused(capsys, output / "mia", "1.7.kld")
    assert "was marked with Python 3.9.1" in said
    assert "BOX_PYTHON=/path/to/python3.9" in said


def test_other_images_or_libraries_are_refused(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("MNIST_ROOT", raising=False)
    output = results_in(tmp_path / "out", tmp_path / "cohort" / "mia", environment="sha256:1")
    said = refused(capsys, output / "mia", "1.7.kld")
    assert "images, libraries or Python are others" in said
    assert "MNIST_ROOT" in said


def test_code_without_a_sandbox_is_run_again_on_demand_only(tmp_path, capsys):
    output = results_in(tmp_path / "out", tmp_path / "cohort" / "mia", sandbox="none")
    assert "--no-sandbox" in refused(capsys, output / "mia", "1.7.kld")
    found = find_original(Asked(output / "mia", "1.7.kld", sandbox=False))
    assert not found.options.sandbox


def course_in(folder, policy: str):
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text("")
    (folder / "late.toml").write_text(policy)
    return Course(folder)


def test_a_course_keeps_inputs_secret_until_nobody_can_hand_in_again(tmp_path, capsys):
    course = course_in(tmp_path / "course", "")
    results_in(course.results, tmp_path / "cohort" / "mia")
    said = refused(capsys, course.results / "mia", "1.7.kld")
    assert "what was asked stays secret" in said
    assert f"{course.policy}: it sets no due, so anybody may hand in again" in said


@pytest.mark.parametrize(
    ("policy", "secret"),
    [
        ('due = "2027-12-14 23:59"', r"somebody may hand in until 2027-12-14 23:59 UTC"),
        ('due = "2027-12-01 23:59"', ""),
        ('due = "2027-12-01 23:59"\n[extensions]\nada = "2027-12-17 12:00"', r"until 2027-12-17 12:00"),
        ('inputs = "always"', ""),
        ('due = "2027-12-14 23:59"\ninputs = "always"', ""),
        ('due = "2027-12-01 23:59"\ninputs = "never"', r'inputs = "never"'),
    ],
)
def test_the_deadline_and_a_setting_decide(tmp_path, policy, secret):
    course = course_in(tmp_path / "course", policy)
    course.results.mkdir()
    said = inputs_secret(course.results, datetime(2027, 12, 10, tzinfo=UTC))
    assert re.search(secret, said) if secret else said == ""


def test_the_last_minute_of_a_deadline_still_counts(tmp_path):
    course = course_in(tmp_path / "course", 'due = "2027-12-14 23:59"')
    course.results.mkdir()
    due = datetime(2027, 12, 14, 23, 59, tzinfo=UTC)
    assert inputs_secret(course.results, due)
    assert not inputs_secret(course.results, due + timedelta(seconds=1))


def test_results_of_no_course_are_for_whoever_holds_them(tmp_path):
    (tmp_path / "grading").mkdir()
    assert inputs_secret(tmp_path / "grading", datetime.now(UTC)) == ""


def test_a_setting_that_cannot_be_is_refused(tmp_path, capsys):
    course = course_in(tmp_path / "course", 'inputs = "sometimes"')
    results_in(course.results, tmp_path / "cohort" / "mia")
    said = refused(capsys, course.results / "mia", "1.7.kld")
    assert "inputs is 'sometimes', not one of after due, always, never" in said
