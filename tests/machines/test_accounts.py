"""A course that staff share, on a machine with accounts: who can read, write and run what."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from machines.machine import KIT, PYTHON, Machine, everything, missing, opened

END = "\0"

pytestmark = pytest.mark.skipif(missing() != "", reason=f"no accounts can be made: {missing()}")

COURSE = Path("/srv/courses/dgm")
INBOUND = Path("/srv/courses/dgm-exchange/dgm/inbound")
STAFF = "dgm-staff"
SUBMIT = """
set -e; cd /srv/courses/dgm-exchange/dgm; new="inbound/$1+a3+$2 UTC+$3"
cp -r outbound/a3 "$new"; printf %s "$2 UTC" > "$new/timestamp.txt"
chmod -R u+rwX,go+rX "$new"; chmod 777 "$new"
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Iterator[Machine]:
    """Instructor ana, her TA tom, uma of another course, and students."""
    with Machine(tmp_path_factory.mktemp("stage")) as machine:
        for group in (STAFF, "kit"):
            machine.root("groupadd", group)
        machine.add_accounts("ana", "tom", groups=f"{STAFF},kit")
        machine.add_accounts("uma", groups="kit")
        machine.add_accounts("ada", "eve")
        machine.install_kit("kit")
        machine.root("install", "-d", "-o", "ana", COURSE.parent)
        yield machine


@pytest.fixture(scope="module")
def workers(machine) -> Iterator[dict[str, Worker]]:
    """What runs commands, by account; in a course that staff share, with two hand-ins and their marks."""
    workers = {name: Worker(machine, name) for name in ("ana", "tom")}
    status, said = workers["ana"]("course", "init", COURSE, "--group", STAFF)
    assert status == 0, said
    assert "WARNING" not in said
    for verb in ("generate_assignment", "release_assignment"):
        status, said = workers["ana"]("nbgrader", verb, "a3", folder=COURSE)
        assert status == 0, said
    for student in ("ada", "eve"):
        submit(machine, student, student, "2026-11-10 12:00:00.000000", "x")
    for name in ("tom", "ana"):
        status, said = workers[name].grade()
        assert status == 0, said
        assert "32 scores of 2 submissions agree" in said
        assert "WARNING" not in said
    yield workers
    for worker in workers.values():
        worker.close()


@pytest.fixture
def ana(workers) -> Worker:
    return workers["ana"]


@pytest.fixture
def tom(workers) -> Worker:
    return workers["tom"]


def submit(machine: Machine, account: str, student: str, time: str, random: str) -> None:
    """What `nbgrader submit` leaves in the exchange."""
    done = machine.run(account, "sh", "-c", SUBMIT, "sh", student, time, random)
    assert done.returncode == 0, done.stdout


class Worker:
    """What runs an account's commands, with the usual umask."""

    def __init__(self, machine: Machine, account: str) -> None:
        line = machine.as_account(account, PYTHON, "-m", "machines.pretended")
        self._process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *arguments: str | Path, folder: str | Path = "/") -> tuple[int, str]:
        """Run a command; returns its exit status and all that it said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(folder), list(map(str, arguments))]) + "\n")
        self._process.stdin.flush()
        said = ""
        for line in self._process.stdout:
            if line.startswith(END):
                return int(line.removeprefix(END)), said
            said += line
        raise AssertionError(said)

    def grade(self) -> tuple[int, str]:
        """A run in the course."""
        return self("course", "grade", COURSE)

    def close(self) -> None:
        self._process.communicate()


def test_what_one_of_the_staff_has_written_the_others_can_change(machine, ana, tom):
    number = machine.path(COURSE).stat().st_gid
    for path in machine.path(COURSE).rglob("*"):
        about = path.lstat()
        wanted = stat.S_IRGRP | stat.S_IWGRP | (stat.S_IXGRP if path.is_dir() else 0)
        assert about.st_gid == number, path
        assert about.st_mode & wanted == wanted, (path, oct(about.st_mode))
    submit(machine, "ada", "ada", "2026-11-11 12:00:00.000000", "y")
    status, said = tom.grade()
    assert status == 0, said


def test_a_student_can_open_nothing_of_the_course_the_kit_or_another_student(machine, workers):
    paths = everything(machine, COURSE, KIT, "/home/ana", "/home/tom", "/home/ada")
    assert len(paths) > 500
    assert opened(machine, "eve", paths) == []
    assert len(opened(machine, "tom", paths)) > 500
    # In the exchange names are drawn at random, and nobody but staff can list them.
    exchange = [path for path in everything(machine, INBOUND.parent) if not path.startswith(f"{INBOUND}/")]
    seen = opened(machine, "eve", exchange)
    assert str(INBOUND) not in seen
    assert [path for path in seen if "/outbound" not in path] == [str(INBOUND.parent)]


def test_what_cannot_be_written_is_found_before_anything_is_done(machine, workers):
    """With its owner and the remedy: nbgrader says `models.py: Permission denied`."""
    folder, database = COURSE / "autograded" / "ada", COURSE / "gradebook.db"
    before = contents(machine)
    for path, mode, every in ((folder, "755", "-R "), (database, "644", "")):
        owner = machine.root("stat", "-c", "%U", path).stdout.strip()
        other = "tom" if owner == "ana" else "ana"
        usual = oct(machine.path(path).stat().st_mode)[-4:]
        machine.root("chmod", mode, path)
        machine.root("chmod", "g-s", path)
        result = workers[other].grade()
        machine.root("chmod", usual, path)
        assert result == (
            2,
            f"error: {path}: cannot be written by {other}, it belongs to {owner}; {owner} runs: "
            f"chgrp {every}{STAFF} {path} && chmod {every}g+rwX {path}; nothing was changed\n",
        )
    assert contents(machine) == before


def test_whoever_is_not_of_the_staff_is_told_so(machine, workers):
    done = machine.run("uma", PYTHON, "-m", "grader", "course", "grade", COURSE)
    assert (done.returncode, done.stdout) == (
        2,
        f"error: {COURSE}: uma cannot enter it; it belongs to ana and the group {STAFF}: an administrator "
        "adds accounts to the group\n",
    )
    done = machine.run("uma", PYTHON, "-m", "grader", "course", "init", "new", "--group", STAFF)
    assert done.returncode == 2
    assert f"--group {STAFF}: uma is not in it" in done.stdout


def contents(machine: Machine) -> dict[str, tuple[int, int]]:
    """All files of the course, with the times of their last change and their sizes."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in machine.path(COURSE).rglob("*")
        if path.is_file()
    }


HOLD = (
    "import sys; from pathlib import Path; from grader.gradebook.course import Course; "
    "from grader.gradebook.access import umask_of; from grader.gradebook.course_lock import only_run\n"
    "course = Course(Path(sys.argv[1]))\n"
    "with umask_of(course), only_run(course): print('held', flush=True); sys.stdin.read()"
)


def test_of_two_runs_at_once_one_is_refused_and_says_who_has_the_other(machine, ana):
    line = machine.as_account("tom", PYTHON, "-c", HOLD, COURSE)
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        before = contents(machine)
        status, said = ana.grade()
        assert contents(machine) == before
        holder.communicate()
    assert status == 2
    assert re.search(r"tom has had a run in this course since 20\d\d-\d\d-\d\d", said)


def test_the_course_that_was_named_is_marked_whatever_toms_home_says(machine, tom):
    other = Path("/srv/courses/other")
    machine.root("cp", "-a", COURSE, other)
    before = machine.path(other / "gradebook.db").read_bytes()
    text = f"c = get_config()\nc.CourseDirectory.root = {str(other)!r}\n"
    machine.run("tom", "sh", "-c", "mkdir -p .jupyter; cat > .jupyter/nbgrader_config.py", text=text)
    submit(machine, "eve", "eve", "2026-11-13 12:00:00.000000", "z")
    status, said = tom.grade()
    assert status == 0, said
    stamp = machine.path(COURSE / "collected/a3/eve/timestamp.txt").read_text()
    assert stamp.startswith("2026-11-13")
    assert machine.path(other / "gradebook.db").read_bytes() == before


def test_an_exchange_that_a_run_may_not_read_is_status_1(machine, tom):
    machine.root("chmod", "g-r", INBOUND)
    status, said = tom.grade()
    machine.root("chmod", "g+r", INBOUND)
    assert status == 1, said
    assert "nothing was collected from the exchange: You don't have read permissions" in said
    assert "All automatic marks are in the gradebook" not in said


def test_a_hand_in_under_anothers_name_waits(machine, tom):
    submit(machine, "eve", "ada", "2099-01-01 12:00:00.000000", "e")
    status, said = tom.grade()
    assert status == 0, said
    assert "ada: account eve has put another hand-in into the exchange under this name" in said
    assert "which has not come yet" in said
    stamp = machine.path(COURSE / "collected/a3/ada/timestamp.txt").read_text()
    assert stamp.startswith("2026-")


def test_nothing_of_the_machine_is_seen_in_this_one(machine):
    assert not os.path.exists(COURSE)
    assert subprocess.run(["id", "ana"], capture_output=True, check=False).returncode != 0
