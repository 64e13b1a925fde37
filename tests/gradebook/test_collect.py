"""Students write into the exchange themselves: what one of them leaves there must not harm the others."""

from __future__ import annotations

import json
import os
import pwd
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from gradebook.courses import (
    ROOT,
    answers,
    autograded,
    exchange,
    hand_in,
    notebook,
    pretend_to_grade,
    roster,
    run,
)
from grader.cli import main
from grader.gradebook import steps
from grader.gradebook.collect import Collect
from grader.gradebook.course import inside

TIME = "2026-11-10 12:00:00.000000 UTC"


@pytest.fixture
def inbound(course) -> Path:
    """Where students' submissions arrive."""
    folder = exchange(course) / "dgm" / "inbound"
    folder.mkdir(parents=True)
    (exchange(course) / "dgm" / "outbound").mkdir()
    return folder


@pytest.fixture
def arrive(course, inbound):
    """Put a submission where `nbgrader submit` puts it."""

    def put(student: str, time: str = TIME, stamp: str | None = TIME) -> Path:
        folder = inbound / f"{student}+a3+{time}+abc"
        (folder / "part1").mkdir(parents=True)
        (folder / "part1" / "utils.py").write_bytes((ROOT / "student/part1/utils.py").read_bytes())
        (folder / "report.ipynb").write_text(json.dumps(notebook(course)))
        if stamp is not None:
            (folder / "timestamp.txt").write_text(stamp)
        return folder

    return put


def collected(course):
    with inside(course) as config, steps.logged(course):
        remarks, faults = steps.collect(course, config)
    return remarks + faults


def test_nbgraders_own_command_collects_as_make_grade_does(course):
    from nbgrader.exchange import ExchangeFactory

    with inside(course) as config:
        assert ExchangeFactory(config=config).collect is Collect


def test_links_are_not_followed_on_the_way_in(course, arrive, monkeypatch, capsys, tmp_path):
    """With the instructor's rights, a link reads the solutions, and the reports of others."""
    pretend_to_grade(monkeypatch)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "report.ipynb").write_text(json.dumps(notebook(course, lambda name: "Taken from another.")))
    folder = arrive("ada")
    for name, target in (
        ("part1/utils.py", ROOT / "solutions/part1/utils.py"),
        ("report.ipynb", secret / "report.ipynb"),
    ):
        (folder / name).unlink()
        (folder / name).symlink_to(target)
    (folder / "part2").symlink_to(ROOT / "solutions" / "part2")
    arrive("bob")
    assert run(course, collect=True) == 0
    for path in course.root.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.is_relative_to(course.root):
            assert b"Taken from another." not in path.read_bytes(), path
    assert not (course.submitted("ada") / "part1" / "utils.py").exists()
    assert not (course.submitted("ada") / "part2").exists()
    said = capsys.readouterr().out
    assert "ada: report.ipynb: cannot be read, it is a link" in said
    assert "part1/utils.py" in said
    assert answers(autograded(course, "bob"))["q1-1"] == "My answer to q1-1."


@pytest.mark.parametrize("name", ["eve+a3+yesterday+abc", "eve+a3+", "+a3+" + TIME, "e v/../e+a3+x"])
def test_a_folder_that_is_no_submission_stops_nobody(course, inbound, arrive, name):
    arrive("ada")
    (inbound / name.replace("/", "_")).mkdir()
    remarks = collected(course)
    assert (course.submitted("ada") / "report.ipynb").is_file()
    assert len(remarks) == 1
    assert "exchange" in remarks[0]
    assert not (course.root / "submitted" / "eve").exists()


def test_what_cannot_be_copied_costs_only_its_sender(course, arrive, monkeypatch):
    from grader.gradebook import collect

    arrive("ada")
    arrive("bob")
    real = collect._copy

    def fail_for_ada(source, target, ignored):
        if "ada" in str(source):
            (target).mkdir(parents=True)
            raise PermissionError(13, "Permission denied", str(source / "report.ipynb"))
        real(source, target, ignored)

    monkeypatch.setattr(collect, "_copy", fail_for_ada)
    (remark,) = collected(course)
    assert "ada" in remark
    assert "Permission denied" in remark
    assert (course.submitted("bob") / "report.ipynb").is_file()
    assert not course.submitted("ada").exists()
    monkeypatch.setattr(collect, "_copy", real)
    assert collected(course) == []
    assert (course.submitted("ada") / "report.ipynb").is_file()


def test_what_was_not_collected_is_named_with_status_1(course, arrive, monkeypatch, capsys):
    """With status 0, an old version would have been marked, and nobody told."""
    from grader.gradebook import collect

    pretend_to_grade(monkeypatch)
    arrive("ada")
    assert run(course, collect=True) == 0
    newer = arrive("ada", time="2026-11-11 12:00:00.000000 UTC", stamp=None)
    (newer / "part1" / "utils.py").write_text("# newer\n")
    real = collect._copy

    def fail(source, target, ignored):
        real(source, target, ignored)
        raise PermissionError(13, "Permission denied", str(source / "report.ipynb"))

    monkeypatch.setattr(collect, "_copy", fail)
    for _ in range(2):
        assert run(course, collect=True) == 1
        said = capsys.readouterr().out
        assert "ada: the submission of 2026-11-11 12:00 UTC in the exchange was not collected: " in said
        assert "The gradebook is not complete" in said
        assert (course.collected / "ada" / "report.ipynb").is_file()  # the earlier one
    monkeypatch.setattr(collect, "_copy", real)
    assert run(course, collect=True) == 0
    assert (course.collected / "ada" / "part1" / "utils.py").read_text() == "# newer\n"


def test_an_exchange_that_cannot_be_read_is_status_1(course, arrive, monkeypatch, capsys):
    from nbgrader.exchange.default import collect as nbgraders

    pretend_to_grade(monkeypatch)
    arrive("ada")
    monkeypatch.setattr(nbgraders, "check_mode", lambda *_, **__: False)
    assert main(["course", "grade", str(course.root)]) == 1
    assert "nothing was collected from the exchange: You don't have read" in capsys.readouterr().err
    hand_in(course, "bob", notebook(course))
    assert run(course, collect=True) == 1
    said = capsys.readouterr().out
    assert "You don't have read permissions for the directory" in said
    assert "what is marked is what was there before" in said
    assert "All automatic marks are in the gradebook" not in said


def test_a_course_without_an_exchange_is_no_failure(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "bob", notebook(course))
    assert run(course, collect=True) == 0
    assert "note: nothing was collected from the exchange: Course not found" in capsys.readouterr().out


def of_account(folder: Path, number: int) -> Path:
    if os.getuid() != 0:
        pytest.skip("only root can give files to another account")
    os.chown(folder, number, -1)
    return folder


@pytest.fixture
def accounts(monkeypatch):
    """Accounts called as the students ada and eve."""
    numbers = {"ada": 54321, "eve": 54322}
    real = pwd.getpwuid
    names = {number: SimpleNamespace(pw_name=name) for name, number in numbers.items()}
    monkeypatch.setattr(pwd, "getpwuid", lambda number: names.get(number) or real(number))
    return numbers


FUTURE = "2099-01-01 00:00:00.000000 UTC"


@pytest.mark.parametrize("attempts", ["latest", "best"])
@pytest.mark.parametrize("time", [FUTURE, "2026-11-11 12:00:00.000000 UTC"])
def test_what_another_account_puts_beside_the_students_own_displaces_nothing(
    course, arrive, accounts, monkeypatch, capsys, time, attempts
):
    pretend_to_grade(monkeypatch)
    course.policy.write_text(course.policy.read_text().replace('"latest"', f'"{attempts}"', 1))
    of_account(arrive("ada"), accounts["ada"])
    foreign = of_account(arrive("ada", time=time, stamp=None), accounts["eve"])
    (foreign / "part1" / "utils.py").write_text("# of eve\n")
    for _ in range(2):
        assert run(course, collect=True) == 0
        said = capsys.readouterr().out
        assert "ada: account eve has put another hand-in into the exchange under this name, of 20" in said
        assert ("which has not come yet" in said) == (time == FUTURE)
        codes = [path.read_text() for path in course.collected.rglob("utils.py")]
        assert codes == [(ROOT / "student/part1/utils.py").read_text()]
    assert foreign.is_dir()
    shutil.rmtree(foreign)
    assert run(course, collect=True) == 0
    assert "account eve" not in capsys.readouterr().out


def test_the_students_own_counts_also_when_anothers_was_collected_before(
    course, arrive, accounts, monkeypatch, capsys
):
    pretend_to_grade(monkeypatch)
    of_account(arrive("ada", time=FUTURE, stamp=None), accounts["eve"])
    assert run(course, collect=True) == 0
    said = capsys.readouterr().out
    assert "ada: was put into the exchange by account eve, not by ada: ask both" in said
    assert "ada: says it came on 2099-01-01 00:00 UTC, which has not come yet" in said
    own = of_account(arrive("ada"), accounts["ada"])
    (own / "part1" / "utils.py").write_text("# of ada\n")
    for _ in range(2):
        assert run(course, collect=True) == 0
        assert (course.collected / "ada" / "part1" / "utils.py").read_text() == "# of ada\n"
        said = capsys.readouterr().out
        assert "was put into the exchange by account eve" not in said
        assert "account eve has put another hand-in" in said


def test_special_files_do_not_hold_the_run_up(course, arrive):
    folder = arrive("ada")
    os.mkfifo(folder / "part1" / "train_pl.py")
    assert collected(course) == []
    assert not (course.submitted("ada") / "part1" / "train_pl.py").exists()


def test_the_time_is_that_of_the_exchange(course, arrive, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "bob")
    arrive("ada", stamp="2020-01-01 00:00:00 UTC")
    arrive("bob", stamp=None)
    run(course, collect=True)
    for student in ("ada", "bob"):
        assert (course.submitted(student) / "timestamp.txt").read_text().startswith("2026-11-10 12:00:00")
    assert "ada: timestamp.txt says 2020-01-01 00:00:00 UTC, the exchange" in capsys.readouterr().out


def test_files_that_came_after_the_time_they_claim_are_named(course, arrive, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    arrive("ada", time="2020-01-01 00:00:00.000000 UTC", stamp=None)
    run(course, collect=True)
    assert "ada: says it came on 2020-01-01 00:00 UTC, but its files are of" in capsys.readouterr().out


def test_a_submission_in_somebody_elses_name_is_named_every_time(course, arrive, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    folder = arrive("ada")
    if os.getuid() != 0:
        pytest.skip("only root can give files to another account")
    os.chown(folder, 12345, -1)
    for _ in range(2):
        run(course, collect=True)
        assert "ada: was put into the exchange by account 12345, not by ada" in capsys.readouterr().out


def test_a_newer_submission_replaces_the_earlier_one(course, arrive):
    arrive("ada")
    collected(course)
    newer = arrive("ada", time="2026-11-11 12:00:00.000000 UTC", stamp=None)
    (newer / "part1" / "utils.py").write_text("# newer\n")
    collected(course)
    assert (course.submitted("ada") / "part1" / "utils.py").read_text() == "# newer\n"
