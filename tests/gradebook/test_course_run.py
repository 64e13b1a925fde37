"""What a run in a course begins with: that it is the only one, and in the course that was named."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gradebook.courses import ROOT, copied, exchange, hand_in, notebook, pretend_to_grade, roster, run, scores
from grader.cli import main
from grader.errors import GraderUsageError
from grader.gradebook import grade_course
from grader.gradebook.access import barrier, open_to_others
from grader.gradebook.course import Course, inside
from grader.gradebook.course_lock import only_run
from grader.grading.results import Results

HOLD = (
    "import sys, time; from pathlib import Path; from grader.gradebook.course import Course; "
    "from grader.gradebook.course_lock import only_run\n"
    "with only_run(Course(Path(sys.argv[1]))): print('held', flush=True); time.sleep(60)"
)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All files of a course, with the times of their last change."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def other_run(course):
    """A run of another process that holds the course."""
    command = [sys.executable, "-c", HOLD, str(course.root)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_says_who_holds_the_course_and_changes_nothing(course, monkeypatch, other_run, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    before = contents(course.root)
    assert main(["course", "grade", str(course.root), "--no-collect"]) == 2
    said = capsys.readouterr().err
    assert re.search(r"\w+ has had a run in this course since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", said)
    assert f"(process {other_run.pid} on " in said
    assert "nothing was changed: wait for its end" in said
    assert main(["course", "update", str(course.root)]) == 2
    assert contents(course.root) == before


def test_the_lock_is_held_from_collecting_to_feedback(course, monkeypatch):
    held = []

    def tell(*_) -> None:
        with pytest.raises(GraderUsageError), only_run(course):
            pass
        held.append(True)

    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    monkeypatch.setattr("grader.gradebook.steps.collect", lambda *_: tell() or ([], []))
    monkeypatch.setattr("grader.gradebook.steps.feedback", tell)
    assert run(course, collect=True, feedback=True) == 0
    assert held == [True, True]
    with only_run(course):  # and free again
        pass


def test_a_run_that_was_killed_holds_nothing(course, other_run):
    other_run.send_signal(signal.SIGKILL)
    other_run.wait()
    with only_run(course):
        assert f'"process": {os.getpid()}' in (course.state / "lock").read_text()
    assert (course.state / "lock").read_text() == ""


def home_says(monkeypatch, folder: Path, text: str) -> None:
    """Give the account a configuration of its own, as a hub's formgrader needs one."""
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(f"c = get_config()\n{text}\n")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(folder))


def test_the_course_that_was_named_is_marked_whatever_a_home_says(template, course, tmp_path, monkeypatch):
    pretend_to_grade(monkeypatch)
    other = copied(template, tmp_path / "other")
    roster(other, "zoe")
    before = contents(other.root)
    text = f"c.CourseDirectory.root = {str(other.root)!r}\nc.CourseDirectory.course_id = 'other'\n"
    text += f"c.CourseDirectory.db_url = 'sqlite:///{other.root}/gradebook.db'"
    home_says(monkeypatch, tmp_path / "jupyter", text)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    assert scores(course, "ada")
    assert contents(other.root) == before


def test_a_course_of_an_earlier_version_stops_where_a_home_names_another(
    template, course, tmp_path, monkeypatch, capsys
):
    other = copied(template, tmp_path / "other")
    file = course.root / "nbgrader_config.py"
    file.write_text(re.sub(r"c\.CourseDirectory\.(root|db_url) = .*\n", "", file.read_text()))
    home_says(monkeypatch, tmp_path / "jupyter", f"c.CourseDirectory.root = {str(other.root)!r}")
    hand_in(course, "ada", notebook(course))
    before, here = contents(other.root), contents(course.submitted("ada"))
    assert main(["course", "grade", str(course.root), "--no-collect"]) == 2
    said = capsys.readouterr().err
    assert str(other.root) in said
    assert f"c.CourseDirectory.root = {str(course.root)!r}" in said
    assert contents(other.root) == before
    assert contents(course.submitted("ada")) == here


def test_a_link_to_a_course_is_that_course(course, tmp_path):
    (tmp_path / "link").symlink_to(course.root)
    file = course.root / "nbgrader_config.py"
    file.write_text(file.read_text() + f"\nc.CourseDirectory.root = {str(course.root)!r}\n")
    with inside(Course(tmp_path / "link")) as config:
        assert config.CourseDirectory.root == str(tmp_path / "link")


@pytest.fixture
def umask():
    """The usual umask, with which everyone can read what one makes."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def reachable(tmp_path_factory, umask):
    """A folder that every account can enter, as `/srv`."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="grader-reachable-") as folder:
        os.chmod(folder, 0o755)
        if not open_to_others(Path(folder)):
            pytest.skip("the folder for temporary files is closed to others here")
        yield Path(folder)


def test_a_new_course_is_private_and_its_exchange_is_not(reachable, capsys):
    assert main(["course", "init", str(reachable / "dgm")]) == 0
    root, outside = reachable / "dgm", reachable / "dgm-exchange"
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert stat.S_IMODE(outside.stat().st_mode) == 0o777
    said = capsys.readouterr().out
    assert f"exchange, open to everyone on this machine: {outside}" in said
    assert str(root) not in " ".join(line for line in said.splitlines() if "WARNING" in line)


def test_an_exchange_within_the_course_is_refused(tmp_path, capsys):
    assert main(["course", "init", str(tmp_path / "new"), "--exchange", str(tmp_path / "new/exchange")]) == 2
    assert "is in the course, which students cannot enter" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_init_wants_a_group_that_exists(tmp_path, capsys):
    assert main(["course", "init", str(tmp_path / "new"), "--group", "no-such-group"]) == 2
    assert "there is no such group" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_run_warns_where_everyone_can_read_the_course_or_nobody_reach_the_exchange(
    reachable, template, monkeypatch, capsys
):
    pretend_to_grade(monkeypatch)
    course = copied(template, reachable / "course")
    os.chmod(course.root, 0o755)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    said = capsys.readouterr().out
    assert f"WARNING: {course.root}: every account on this machine can read the gradebook" in said
    assert "cannot reach the exchange" not in said
    os.chmod(course.root, 0o700)
    os.chmod(reachable, 0o700)
    assert run(course) == 0
    said = capsys.readouterr().out
    assert "can read the gradebook" not in said
    assert f"{exchange(course)}: students cannot reach the exchange, {reachable} is closed to them" in said


def test_a_kit_that_everyone_can_read_is_named(reachable, course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    monkeypatch.setattr("grader.gradebook.access.REPOSITORY", reachable)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    assert "the kit's solutions" not in capsys.readouterr().out
    (reachable / "solutions").mkdir()
    assert run(course) == 0
    assert (
        f"{reachable}: every account on this machine can read the kit's solutions" in capsys.readouterr().out
    )


def test_what_stops_others_is_the_outermost_closed_folder(reachable):
    (reachable / "closed" / "open").mkdir(parents=True)
    os.chmod(reachable / "closed", 0o750)
    assert barrier(reachable / "closed" / "open") == reachable / "closed"
    assert barrier(reachable) is None
    assert not open_to_others(reachable / "closed" / "open")


@pytest.mark.parametrize(
    ("program", "mask"),
    [("/kit/bin/nbgrader", 0o007), ("/lib/nbgrader/__main__.py", 0o007), ("/bin/jupyter-lab", 0o022)],
)
def test_nbgraders_own_commands_write_with_the_rights_of_the_courses_folder(
    course, monkeypatch, umask, program, mask
):
    """What one of the staff unpacks by `nbgrader zip_collect`, the next run of another has to move."""
    os.chmod(course.root, 0o2770)
    monkeypatch.setattr(sys, "argv", [program])
    with inside(course):
        assert os.umask(0o022) == mask


def test_a_run_writes_with_the_rights_of_the_courses_folder(course, monkeypatch, umask):
    """Also for the marking, whose workers inherit it."""
    masks = []

    def mark(options, details) -> Results:
        masks.append(os.umask(0o777))
        os.umask(masks[-1])
        return Results(options.output, 7, seed_given=True)

    monkeypatch.setattr(grade_course, "grade_in_terminal", mark)
    hand_in(course, "ada", notebook(course))
    for mode, mask in ((0o700, 0o077), (0o2770, 0o007), (0o755, 0o022)):
        os.chmod(course.root, mode)
        run(course)
        assert masks.pop() == mask
    assert os.umask(0o022) == 0o022
