"""Deadlines and times of handing in, from the exchange to the gradebook: nobody is late by a zone's name."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gradebook.courses import ROOT, copied, exchange, hand_in, notebook, pretend_to_grade, roster, run
from grader.cli import main
from grader.gradebook import steps
from grader.gradebook.course import ASSIGNMENT, Course, NewCourse, inside
from grader.gradebook.hand_in_times import UnknownTime, read_time
from grader.gradebook.new_course import initialise

AMSTERDAM, NEW_YORK, LONDON, DELHI, DUBLIN = map(
    ZoneInfo, ("Europe/Amsterdam", "America/New_York", "Europe/London", "Asia/Kolkata", "Europe/Dublin")
)
SUMMER, WINTER = "2026-07-15 12:00:00.000000 ", "2026-12-15 12:00:00.000000 "


@pytest.mark.parametrize(
    ("text", "zone", "hour"),
    [
        (SUMMER + "CEST", AMSTERDAM, "10:00"),
        (SUMMER + "UTC", AMSTERDAM, "12:00"),
        (WINTER + "CET", AMSTERDAM, "11:00"),
        (SUMMER + "EDT", NEW_YORK, "16:00"),
        (SUMMER + "EDT", AMSTERDAM, "16:00"),  # the world over the same
        (WINTER + "EST", NEW_YORK, "17:00"),
        (SUMMER + "BST", LONDON, "11:00"),
        (WINTER + "GMT", LONDON, "12:00"),
        (SUMMER + "IST", DELHI, "06:30"),
        (SUMMER + "IST", DUBLIN, "11:00"),  # the same letters, another clock
        (SUMMER + "CST", ZoneInfo("Asia/Shanghai"), "04:00"),
        (WINTER + "CST", ZoneInfo("America/Chicago"), "18:00"),
        (SUMMER + "+0530", AMSTERDAM, "06:30"),
        (SUMMER + "+05:30", AMSTERDAM, "06:30"),
        (SUMMER + "+04", AMSTERDAM, "08:00"),
        (SUMMER + "-03", AMSTERDAM, "15:00"),
        (SUMMER + "Asia/Kolkata", AMSTERDAM, "06:30"),
        (SUMMER.strip(), AMSTERDAM, "12:00"),
        ("2026-07-15T12:00:00+0200", AMSTERDAM, "10:00"),
        # In the night in which clocks go back, both names are known.
        ("2026-10-25 02:30:00.000000 CEST", AMSTERDAM, "00:30"),
        ("2026-10-25 02:30:00.000000 CET", AMSTERDAM, "01:30"),
    ],
)
def test_short_names_of_zones(text, zone, hour):
    assert f"{read_time(text, [zone]):%H:%M}" == hour


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SUMMER + "IST",
            r"Europe/Amsterdam has no time called IST, and elsewhere it stands for several: UTC",
        ),
        (SUMMER + "CST", "stands for several"),
        (SUMMER + "XYZT", "elsewhere it is not known"),
        (SUMMER + "Europe/Amsterdamm", "there is no time zone Europe/Amsterdamm"),
        (SUMMER + "+9999", "no zone is"),
        (SUMMER + "UTC+2", "not a time such as"),
        ("05.12.2026 12:00 UTC", "not a time such as"),  # 12 May, for nbgrader
        ("2026-02-30 12:00:00 UTC", "day (is out of|30 must be in) range"),
        ("yesterday", "not a time such as"),
    ],
)
def test_what_is_not_known_for_certain_is_refused(text, said):
    with pytest.raises(UnknownTime, match=said):
        read_time(text, [AMSTERDAM])


@pytest.fixture
def arrive(course: Course):
    """Put a submission into the exchange, as `nbgrader submit` does."""
    inbound = exchange(course) / "dgm" / "inbound"
    inbound.mkdir(parents=True)
    (exchange(course) / "dgm" / "outbound").mkdir()

    def put(student: str, time: str, end: str = "", stamp: str | None = None) -> Path:
        folder = inbound / f"{student}+a3+{time}{end}"
        (folder / "part1").mkdir(parents=True)
        (folder / "part1" / "utils.py").write_bytes((ROOT / "student/part1/utils.py").read_bytes())
        (folder / "timestamp.txt").write_text(time if stamp is None else stamp)
        return folder

    return put


def times(course: Course) -> dict[str, tuple[str, float]]:
    """When everyone handed in, UTC, and the penalty, as the gradebook has them."""
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        return {
            one.student_id: (str(one.timestamp)[:16], one.late_submission_penalty)
            for one in gradebook.assignment_submissions(ASSIGNMENT)
        }


POLICY = 'timezone = "{}"\ndue = "2026-07-15 12:30"\n[penalty]\nper_day = 10\n'


def old_setting(course: Course, zone: str) -> None:
    """What courses had that were made before."""
    file = course.root / "nbgrader_config.py"
    file.write_text(file.read_text() + f"c.Exchange.timezone = {zone!r}\n")


@pytest.mark.parametrize(
    ("zone", "stamp", "utc"),
    [
        ("Europe/Amsterdam", "12:00:00.000000 CEST", "10:00"),
        ("America/New_York", "12:00:00.000000 EDT", "16:00"),
        ("Europe/London", "12:00:00.000000 BST", "11:00"),
        ("Asia/Kolkata", "12:00:00.000000 IST", "06:30"),
        ("Asia/Kolkata", "12:00:00.000000 +0530", "06:30"),
        ("Asia/Dubai", "12:00:00.000000 +04", "08:00"),
    ],
)
@pytest.mark.parametrize("end", ["", "+x3_-Gq45nbU="])
def test_the_same_moment_is_in_time_whatever_its_zone_is_called(
    course, arrive, monkeypatch, capsys, zone, stamp, utc, end
):
    pretend_to_grade(monkeypatch)
    course.policy.write_text(POLICY.format(zone))
    roster(course, "ada", "bob")
    arrive("ada", f"2026-07-15 {stamp}", end)
    arrive("bob", f"2026-07-15 {utc}:00.000000 UTC", end)
    assert run(course, collect=True) == 0
    assert times(course) == dict.fromkeys(("ada", "bob"), (f"2026-07-15 {utc}", 0))
    said = capsys.readouterr().out
    assert f"deadline: 2026-07-15 12:30 {zone} (" in said
    assert "timestamp.txt" not in said


def test_a_new_course_keeps_the_exchange_at_utc(tmp_path):
    course = initialise(tmp_path / "new", NewCourse("dgm", tmp_path / "exchange", timezone="Asia/Kolkata"))
    with inside(course) as config:
        assert (config.Exchange.timezone, config.NbGraderAPI.timezone) == ("UTC", "Asia/Kolkata")


def test_a_time_that_may_be_several_stays_in_the_exchange_and_is_named(course, arrive, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    course.policy.write_text(POLICY.format("Europe/Amsterdam"))
    arrive("ada", "2026-07-15 12:00:00.000000 IST", "+abc")
    arrive("bob", "2026-07-15 10:00:00.000000 UTC", "+abc")
    assert run(course, collect=True) == 0
    said = capsys.readouterr().out
    assert "note: ada+a3+2026-07-15 12:00:00.000000 IST+abc, in the exchange, has a time that cannot" in said
    assert "Europe/Amsterdam has no time called IST, and elsewhere it stands for several: UTC+01:00" in said
    assert set(times(course)) == {"bob"}


def test_nbgraders_own_command_says_and_keeps_the_same(course, arrive, monkeypatch, capsys):
    from nbgrader.apps import CollectApp

    arrive("ada", "2026-07-15 12:00:00.000000 IST", "+abc")
    arrive("bob", "2026-07-15 10:00:00.000000 UTC", "+abc", stamp="2020-01-01 00:00:00 UTC")
    with inside(course):
        CollectApp.clear_instance()
        app = CollectApp.instance()
        app.initialize(["a3"])
        app.start()
        CollectApp.clear_instance()
    assert (
        "ada+a3+2026-07-15 12:00:00.000000 IST+abc, in the exchange, has a time that"
        in capsys.readouterr().err
    )
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert "bob: timestamp.txt says 2020-01-01 00:00:00 UTC, the exchange" in capsys.readouterr().out


def as_an_earlier_version_collected(course: Course, arrive, monkeypatch, stamp: str) -> None:
    """A course with the old setting in which a run has read the zone's name as UTC."""
    course.policy.write_text(POLICY.format("Europe/Amsterdam"))
    old_setting(course, "Europe/Amsterdam")
    arrive("ada", f"{stamp} CEST", "+abc")
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course), time=f"{stamp} UTC")
    assert run(course) == 0


def test_a_course_made_before_is_read_right_and_told(course, arrive, monkeypatch, capsys):
    as_an_earlier_version_collected(course, arrive, monkeypatch, "2026-07-15 12:00:00.000000")
    assert times(course) == {"ada": ("2026-07-15 12:00", pytest.approx(1.125))}
    before = (course.collected / "ada" / "report.ipynb").read_bytes()
    capsys.readouterr()
    for _ in range(2):
        assert run(course, collect=True) == 0
        said = capsys.readouterr().out
        assert times(course) == {"ada": ("2026-07-15 10:00", 0)}
        assert "nbgrader_config.py: Exchange.timezone is Europe/Amsterdam" in said
        assert "ada: handed in on 2026-07-15 10:00 UTC; an earlier run has read" in said
    assert (course.collected / "ada" / "report.ipynb").read_bytes() == before


def test_a_later_hand_in_counts_also_where_the_earlier_was_misread(course, arrive, monkeypatch):
    as_an_earlier_version_collected(course, arrive, monkeypatch, "2026-07-15 12:00:00.000000")
    newer = arrive("ada", "2026-07-15 13:00:00.000000 CEST", "+abc")
    (newer / "part1" / "utils.py").write_text("# newer\n")
    assert run(course, collect=True) == 0
    assert times(course)["ada"][0] == "2026-07-15 11:00"
    assert (course.submitted("ada") / "part1" / "utils.py").read_text() == "# newer\n"


def test_a_time_that_only_the_student_tells_is_named_where_it_decides(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course), time="2026-07-15 09:00:00 UTC")
    hand_in(course, "bob", notebook(course), time=None)
    assert run(course) == 0
    assert "timestamp.txt" not in capsys.readouterr().out  # without a deadline it decides nothing
    course.policy.write_text(POLICY.format("Europe/Amsterdam"))
    assert run(course) == 0
    said = capsys.readouterr().out
    assert (
        "ada: counts as handed in on 2026-07-15 11:00 Europe/Amsterdam by its own timestamp.txt alone" in said
    )
    assert "note: no time of handing in is known, counts as in time: bob" in said


def test_a_time_in_a_folder_by_hand_is_read_by_the_courses_zone(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    course.policy.write_text(POLICY.format("Asia/Kolkata"))
    hand_in(course, "ada", notebook(course), time=SUMMER + "IST")
    hand_in(course, "bob", notebook(course), time=SUMMER + "CST")
    assert run(course) == 0
    assert times(course)["ada"] == ("2026-07-15 06:30", 0)
    assert "bob: timestamp.txt does not hold a time and was left out" in capsys.readouterr().out


def test_every_run_and_every_export_says_its_deadline(course, monkeypatch, tmp_path, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course), time="2026-07-16 09:00:00 UTC")
    assert run(course) == 0
    assert "deadline: none, late.toml sets no due\n" in capsys.readouterr().out
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        gradebook.update_or_create_assignment(ASSIGNMENT, duedate=datetime(2026, 7, 15, 10, 30))
    assert run(course) == 0
    told = "deadline: 2026-07-15 12:30 Europe/Amsterdam (2026-07-15 10:30 UTC), set in nbgrader, not in"
    assert told in capsys.readouterr().out
    # An export reads late.toml anew, as every run does.
    course.policy.write_text(POLICY.format("Europe/Amsterdam").replace("07-15", "07-17"))
    out = tmp_path / "out.csv"
    assert main(["course", "export", str(course.root), "csv", "--output", str(out)]) == 0
    told = "deadline: 2026-07-17 12:30 Europe/Amsterdam (CEST; 2026-07-17 10:30 UTC)"
    assert told in capsys.readouterr().out
    assert out.read_text().splitlines()[1].split(",")[5] == "0"


@pytest.mark.parametrize("written", ["2026-11-20 11.59", "2026-11-20 11,59", "2026-11-20 09.30"])
def test_a_dot_in_the_deadline_stops_the_run(template, tmp_path, monkeypatch, capsys, written):
    course = copied(template, tmp_path / "course")
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course), time="2026-11-20 10:30:00 UTC")
    course.policy.write_text(f'timezone = "Europe/Amsterdam"\ndue = "{written}"\n')
    for command in (
        ["course", "grade", str(course.root), "--no-collect"],
        ["course", "export", str(course.root), "csv", "--output", str(tmp_path / "out.csv")],
    ):
        assert main(command) == 2
        assert f"late.toml: due is '{written}', not a day and time such as" in capsys.readouterr().err
    assert not course.collected.exists()
    assert not (tmp_path / "out.csv").exists()
