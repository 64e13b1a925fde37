"""Two runs are compared before one takes the other's place, and it does so as a whole."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from grader.cli import main
from grader.engine.reuse import run_lock
from grader.marking.result import FAILED, GRADER_ERROR, PASSED, SubmissionResult
from grader.marking.result_json import result_from_json
from grader.report.pages import write_pages
from grader.report.results_json import write_result
from grader.report.whole_folder import write_all_marks
from tests.report.results import result

NAMES = ("ada", "ben", "mia", "noa")
KLD, BPD = "1.7.kld", "1.7.bpd"


def losing(*items: str):
    """Every item in full but these."""
    lost = (FAILED, 0.0, "it is off", "look")
    return lambda item: lost if item.id in items else (PASSED, 1.0, "", "")


def made(name: str, *lost: str, suite: str = "sha256:1", **changes) -> SubmissionResult:
    return replace(result(name, losing(*lost)), code=f"sha256:{name}", suite=suite, **changes)


def folder(place: Path, *results: SubmissionResult) -> Path:
    """A folder of results, as a run leaves it."""
    place.mkdir()
    for one in results:
        write_result(place, one)
    (place / "run.json").write_text(json.dumps({"seed": 7, "complete": True, "pending": []}))
    write_all_marks(place, [])
    write_pages(place)
    return place


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Before and after a mend of the check of one item: ben gains, mia loses, ada and noa stay."""
    old = folder(
        tmp_path / "old", made("ada"), made("ben", KLD), made("mia"), made("noa", BPD), made("zoe", BPD)
    )
    new = folder(
        tmp_path / "new",
        *(
            made(name, *lost, suite="sha256:2")
            for name, lost in (("ada", ()), ("ben", ()), ("mia", (KLD,)), ("noa", (BPD,)), ("eve", ()))
        ),
    )
    return old, new


def points(place: Path, name: str, item: str = KLD) -> float:
    found = result_from_json((place / name / "results.json").read_bytes())
    return next(one.points for one in found.items if one.id == item)


def everything(place: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_it_names_exactly_those_whose_marks_move(runs, tmp_path, capsys) -> None:
    old, new = runs
    before = everything(old), everything(new)
    table, page = tmp_path / "moves.csv", tmp_path / "moves.html"
    assert run("compare", old, new, "--csv", table, "--page", page) == 0
    said = capsys.readouterr().out
    assert "ben (other suites)\n  1.7.kld: 0 -> 1.5 of 1.5\n    second, failed -> passed: it is off" in said
    assert "mia (other suites)\n  1.7.kld: 1.5 -> 0 of 1.5\n    second, passed -> failed" in said
    assert "2 submissions would move, 2 would not" in said
    assert "only in old: zoe" in said
    assert "only in new: eve" in said
    assert f"python -m grader accept {old} {new}" in said
    with table.open() as file:
        rows = [(row["submission"], row["item"], row["before"], row["after"]) for row in csv.DictReader(file)]
    assert rows == [("ben", KLD, "0", "1.5"), ("mia", KLD, "1.5", "0")]
    assert "ben" in page.read_text()
    assert "ada" not in page.read_text()
    assert (everything(old), everything(new)) == before


def test_accept_moves_all_of_it(runs, capsys) -> None:
    old, new = runs
    assert run("accept", old, new, "--who", "Anna") == 0
    assert "2 marks of 2 submissions moved; 1 new, 2 as before" in capsys.readouterr().out
    assert [points(old, name) for name in ("ada", "ben", "mia", "eve")] == [1.5, 1.5, 0, 1.5]
    assert points(old, "zoe", BPD) == 0
    found = result_from_json((old / "ben" / "results.json").read_bytes())
    assert [(one.item, one.before, one.after, one.why, one.who, one.suite) for one in found.history] == [
        (KLD, 0.0, 1.5, "accepted", "Anna", "sha256:2")
    ]
    with (old / "marks.csv").open() as file:
        assert {row["submission"]: row[KLD] for row in csv.DictReader(file)}["mia"] == "0"
    assert "eve" in (old / "index.html").read_text()
    assert sorted(path.name for path in old.parent.iterdir()) == ["new", "old"]
    assert run("compare", old, new) == 0
    assert "0 submissions would move, 5 would not" in capsys.readouterr().out


def test_decisions_stay_and_are_counted_in(runs, capsys) -> None:
    old, new = runs
    given = ("--points", "1.5", "--reason", "right in other words")
    assert run("decide", old / "mia", KLD, *given) == 0
    capsys.readouterr()
    assert run("compare", old, new) == 0
    said = capsys.readouterr().out.replace(str(old), "")
    assert "mia (other suites)" not in said
    assert "mia, 1.7.kld: a person decided on 1.5 points when the checks gave 1.5; they give 0 now" in said
    assert run("accept", old, new) == 0
    assert points(old, "mia") == 1.5
    assert run("decide", old / "mia", KLD, "--withdraw") == 0
    assert points(old, "mia") == 0


STEPS = """
import os, signal, sys
from pathlib import Path
import shutil
left = int(sys.argv[1])
def counted(function):
    def call(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call
import grader.files, grader.revision.accept as accept
import grader.report.results_json, grader.report.decisions
for name in ("link", "replace", "rename", "unlink", "rmdir"):
    setattr(os, name, counted(getattr(os, name)))
shutil.copy2 = counted(shutil.copy2)
accept.exchange = counted(accept.exchange)
accept.accept(Path(sys.argv[2]), Path(sys.argv[3]), "Anna")
print(left)
"""


def test_killed_at_any_moment_the_old_or_the_new_is_there(runs, tmp_path) -> None:
    old, new = runs
    before = everything(old)
    outcomes, total = set(), 10_000

    def accept(steps: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", STEPS, str(steps), str(old), str(new)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    whole = accept(total)
    assert whole.returncode == 0, whole.stderr
    taken = total - int(whole.stdout)
    after = {name: content for name, content in everything(old).items() if "results.json" not in name}
    for steps in (5, taken // 2, taken - 40, taken - 1):
        restore(old, before)
        killed = accept(steps)
        assert killed.returncode == -signal.SIGKILL, (steps, killed.stderr)
        now = everything(old)
        done = now != before
        if done:
            assert {name: content for name, content in now.items() if "results.json" not in name} == after
            assert points(old, "mia") == 0
        outcomes.add(done)
    assert outcomes == {False, True}
    restore(old, before)
    assert run("accept", old, new) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]


def restore(place: Path, contents: dict[str, bytes]) -> None:
    """Put a folder back to what it held, with nothing beside it."""
    shutil.rmtree(place.with_name(f".{place.name}.accepting"), ignore_errors=True)
    for path in place.rglob("*"):
        if path.is_file() and str(path.relative_to(place)) not in contents:
            path.unlink()
    for name, content in contents.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    for path in sorted(place.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def test_what_is_not_complete_is_not_taken_over(runs, capsys) -> None:
    old, new = runs
    before = everything(old)

    def refused(message: str) -> None:
        assert run("accept", old, new) == 2
        assert message in capsys.readouterr().err
        assert everything(old) == before

    (new / "run.json").write_text(json.dumps({"seed": 7, "complete": False, "pending": ["ada"]}))
    refused("this run is not finished; run the same command again")
    (new / "run.json").write_text(json.dumps({"seed": 7, "complete": True, "pending": []}))
    good = (new / "ada" / "results.json").read_bytes()
    broken = replace(result("ada", lambda item: (GRADER_ERROR, 0.0, "no box", "")), suite="sha256:2")
    write_result(new, broken)
    refused("the grader failed to mark ada")
    write_result(new, made("ada", sandbox="none"))
    refused("ada ran without a sandbox")
    (new / "ada" / "results.json").write_text("{")
    refused("ada/results.json: it is not JSON")
    (new / "ada" / "results.json").write_bytes(good)
    with run_lock(new):
        refused("another run is writing there")
    with run_lock(old):
        refused("another run is writing there")


def test_folders_that_do_not_fit(runs, tmp_path, capsys) -> None:
    old, new = runs
    assert run("compare", old, old) == 2
    assert "the same folder twice" in capsys.readouterr().err
    assert run("compare", old, tmp_path / "nowhere") == 2
    assert "nowhere: there is no such folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run("accept", tmp_path / "empty", new) == 2
    assert "empty: no results in it" in capsys.readouterr().err
    assert run("compare", old, new, "--csv", tmp_path) == 2
    assert "--csv" in capsys.readouterr().err
    (new / "ada" / "results.json").write_text("{")
    assert run("compare", old, new) == 1
    assert "ada/results.json: it is not JSON" in capsys.readouterr().err


def test_a_file_system_that_cannot_exchange_folders_changes_nothing(runs, monkeypatch, capsys) -> None:
    import errno

    from grader.revision import accept

    def refuse(*folders: Path) -> None:
        raise OSError(errno.EINVAL, "this file system cannot", str(folders[1]))

    old, new = runs
    before = everything(old)
    monkeypatch.setattr(accept, "exchange", refuse)
    assert run("accept", old, new) == 1
    assert "this file system cannot; nothing has changed in" in capsys.readouterr().err
    assert everything(old) == before
    assert sorted(path.name for path in old.parent.iterdir()) == ["new", "old"]


def test_a_course_takes_over_only_what_its_next_run_keeps(runs, tmp_path, capsys) -> None:
    old, new = runs
    course = tmp_path / "course"
    (course / "state").mkdir(parents=True)
    (course / "nbgrader_config.py").write_text("")
    old.rename(course / "grading")
    (course / "state" / "seed").write_text("12\n")
    assert run("accept", course / "grading", new) == 2
    assert "mark it with --seed 12" in capsys.readouterr().err
    (course / "state" / "seed").write_text("7\n")
    assert run("accept", course / "grading", new) == 0
    assert f"next: make grade COURSE={course}" in capsys.readouterr().out
