from __future__ import annotations

import json
import tomllib
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from grader.errors import GraderUsageError
from grader.gradebook.late import read_policy
from grader.gradebook.late_plugin import penalty_of
from grader.gradebook.nbgrader_settings import policy_text


@pytest.fixture
def policy(tmp_path):
    def make(text):
        path = tmp_path / "late.toml"
        path.write_text(text)
        return read_policy(path)

    return make


def utc(text):
    return datetime.fromisoformat(text)


WINTER = 'timezone = "Europe/Amsterdam"\ndue = "2027-12-14 23:59"\n'


def late(policy, submitted, student="ada"):
    due = policy.due_utc() + policy.extension(student)
    return policy.days_late(due, utc(submitted))


@pytest.mark.parametrize(
    ("submitted", "days"),
    [
        ("2027-12-14 22:59:00", 0),  # 23:59 in Amsterdam: in time to the second
        ("2027-12-14 22:59:00.000001", 1),
        ("2027-12-15 22:59:00", 1),
        ("2027-12-15 22:59:01", 2),
        ("2027-12-21 22:59:00", 7),
        ("2027-12-21 22:59:01", 8),
    ],
)
def test_days_begin_at_the_deadlines_hour(policy, submitted, days):
    assert late(policy(WINTER), submitted) == days


@pytest.mark.parametrize(("submitted", "days"), [("2027-12-14 23:14:00", 0), ("2027-12-14 23:14:01", 1)])
def test_grace_is_not_late_and_moves_no_deadline(policy, submitted, days):
    graceful = policy(WINTER + "[penalty]\ngrace_minutes = 15\n")
    assert late(graceful, submitted) == days
    assert late(graceful, "2027-12-15 22:59:01") == 2  # the second day begins a day after the deadline


def test_summer_time_ends_between_deadline_and_submission(policy):
    # On 31 October 2027 clocks go back at 3:00: that day has 25 hours.
    autumn = policy('timezone = "Europe/Amsterdam"\ndue = "2027-10-30 23:59"\n')
    assert autumn.due_utc() == utc("2027-10-30 21:59")
    assert late(autumn, "2027-10-31 22:59:00") == 1  # 23:59 on the clock, 25 hours later
    assert late(autumn, "2027-10-31 22:59:01") == 2


def test_summer_time_begins_between_deadline_and_submission(policy):
    # On 28 March 2027 clocks go forward at 2:00: that day has 23 hours.
    spring = policy('timezone = "Europe/Amsterdam"\ndue = "2027-03-27 23:59"\n')
    assert spring.due_utc() == utc("2027-03-27 22:59")
    assert late(spring, "2027-03-28 21:59:00") == 1
    assert late(spring, "2027-03-28 21:59:01") == 2  # 23 hours later, but the next day on the clock


def test_extensions_are_days_on_the_clock_or_a_time(policy):
    extended = policy(
        'timezone = "Europe/Amsterdam"\ndue = "2027-10-30 23:59"\n'
        '[extensions]\nada = 1\ngrace = "2027-11-02 12:00"\n1042 = 0\n'
    )
    assert extended.extension("ada") == timedelta(hours=25)
    assert extended.extensions["grace"].isoformat() == "2027-11-02T12:00:00+01:00"
    assert late(extended, "2027-10-31 22:59:00", "ada") == 0
    assert late(extended, "2027-10-31 22:59:01", "ada") == 1
    assert extended.extension("1042") == extended.extension("bob") == timedelta()


def test_an_offset_is_that_moment(policy):
    assert policy('timezone = "Europe/Amsterdam"\ndue = "2027-12-14 23:59+00:00"\n').due_utc() == utc(
        "2027-12-14 23:59"
    )
    assert policy("due = 2027-12-14T23:59:00Z\n").due_utc() == utc("2027-12-14 23:59")


def test_the_hour_that_comes_twice_is_its_first(policy):
    assert policy('timezone = "Europe/Amsterdam"\ndue = "2027-10-31 02:30"\n').due_utc() == utc(
        "2027-10-31 00:30"
    )


@pytest.mark.parametrize(
    ("penalty", "days", "score", "points"),
    [
        ("per_day = 10", 0, 60, 0),
        ("per_day = 10", 1, 60, 6),
        ("per_day = 10", 3, 60, 18),
        ("per_day = 10", 99, 60, 60),
        ("per_day = 10\ncap = 30", 99, 60, 18),
        ('unit = "points"\nper_day = 2', 3, 60, 6),
        ('unit = "points"\nper_day = 2\ncap = 5', 3, 60, 5),
        ('unit = "points"\nper_day = 2', 3, 4, 4),
        ("per_day = 10\nfree_days = 2", 2, 60, 0),
        ("per_day = 10\nfree_days = 2", 3, 60, 6),
        ("per_day = 10", 3, 0, 0),
    ],
)
def test_what_lateness_costs(policy, penalty, days, score, points):
    assert policy(f"{WINTER}[penalty]\n{penalty}\n").penalty(days, score) == pytest.approx(points)


def test_the_plugin_takes_the_time_from_nbgrader(policy):
    about = policy(WINTER + "[penalty]\nper_day = 10\n")
    due = about.due_utc()
    for submitted, expected in ((due, None), (None, None), (due + timedelta(hours=30), 12.0)):
        submission = SimpleNamespace(duedate=due, timestamp=submitted)
        assert penalty_of(about, submission, 60) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("due = 5", "due is 5"),
        ('due = "2027-12-14"', "give the time, too"),
        ('due = "tomorrow"', "not a day and time"),
        ('timezone = "Amsterdam"', "is not the name of a time zone"),
        ("timezone = 7", "is not the name of a time zone"),
        ('timezone = "Europe/Amsterdam"\ndue = "2027-03-28 02:30"', "is skipped when summer time begins"),
        ("[penalty]\nper_days = 1", "unknown setting penalty.per_days"),
        ("lateness = 1", "unknown setting lateness"),
        ("[penalty]\nper_day = -1", "penalty.per_day is -1"),
        ('[penalty]\nper_day = "10%"', "penalty.per_day is '10%'"),
        ("[penalty]\nper_day = nan", "penalty.per_day is nan"),
        ("[penalty]\nper_day = true", "penalty.per_day is True"),
        ("[penalty]\nfree_days = 1.5", "whole number"),
        ('[penalty]\nunit = "euro"', "penalty.unit is 'euro'"),
        ("penalty = 3", "must be a table"),
        ("[extensions]\nada = 1", "set due"),
        (WINTER + '[extensions]\nada = "2027-12-01 12:00"', "extensions.ada is before the deadline"),
        (WINTER + "[extensions]\nada = -1", "extensions.ada is -1 days"),
        ("due = ", "cannot be read"),
    ],
)
def test_settings_that_cannot_be_are_named(policy, text, said):
    with pytest.raises(GraderUsageError, match=r"late\.toml") as error:
        policy(text)
    assert said in str(error.value)


# What `datetime.fromisoformat` of Python 3.11 takes, and a person means otherwise or not at all; and what it
# has never taken, which must go on being refused.
MEANT_OTHERWISE = [
    *("2027-12-14 23.59", "2027-12-14 23,59", "2027-12-14 09.30", "2027-12-14 23.59.00", "2027-12-14T23.59"),
    *(
        "2027-W50-2 23:59",
        "2027-W50-2",
        "2027W502T2359",
        "20271214T235900",
        "20271214 23:59",
        "2027-12-14T2359",
    ),
    *("2027-12-14 23", "2027-12-14T23", "2027-12-14_23:59", "2027-12-14x23:59", "2027-12-14  23:59"),
    *("2027-12-14 23:59:00.5", "2027-12-14 23:59:00,5", "2027-12-14 23:59+0100", "2027-12-14 23:59+01"),
    *(
        "2027-12-14 23:59+25:00",
        "2027-12-14 24:00",
        "2027-12-14 23:60",
        "2027-11-31 12:00",
        "2027-12-14 9:30",
    ),
    *("9.30", "23h59", "2027-12-14 23h59", "2027-12-14 11:59 PM", "14-12-2027 23:59", "14.12.2027 23:59"),
    *("2027-12-14 23:59 CET", " 2027-12-14 23:59", "2027-12-14 23:59 ", "2027-12-14\u00a023:59"),
    *("2027-12-14 \uff12\uff13:\uff15\uff19", "", "2027-12-14\n23:59", "2027-348 23:59"),
]


@pytest.mark.parametrize("written", MEANT_OTHERWISE)
def test_a_time_has_one_form(policy, written):
    for text in (
        f"due = {json.dumps(written)}",
        f"{WINTER}[extensions]\nada = {json.dumps(written)}",
    ):
        with pytest.raises(GraderUsageError, match=r"late\.toml: (due|extensions\.ada) is") as error:
            policy(text)
        assert '"2027-12-14 23:59"' in str(error.value) or "give the time, too" in str(error.value)


@pytest.mark.parametrize(
    "written", ["2027-12-14 23:59:00.59", "2027-12-14", "23:59:00", "[2027, 12]", "12.5", "true"]
)
def test_so_it_has_as_a_value_of_toml(policy, written):
    for text in (f"due = {written}", f"{WINTER}[extensions]\nada = {written}"):
        with pytest.raises(GraderUsageError, match=r"late\.toml: (due|extensions\.ada) is"):
            policy(text)


FORM = 'write it as "2027-12-14 23:59"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("due = 2027-12-14 23:59", FORM),
        ("due = 2027-12-14 23.59", FORM),
        ("due = 14-12-2027", FORM),
        ("due = 23:59", FORM),
        ("due: 2027-12-14 23:59", FORM),
        ("due = \u201c2027-12-14 23:59\u201d", FORM),
        (WINTER + "[extensions]\nada = 2027-12-17 23:59", FORM),
        (WINTER + "[extensions]\nada@uni.example = 2", '"ada@uni.example" = 2'),
        (WINTER + "[extensions]\nZo\u00eb = 2", '"Zo\u00eb" = 2'),
        (WINTER + "[extensions]\nada.lovelace = 2", '"ada.lovelace" = '),
        (WINTER + '[extensions]\nada.m.lovelace = "2027-12-17 23:59"', '"ada.m.lovelace" = '),
        ("[penalty]\nper_day = 10,5", "line 2, per_day = 10,5"),
        ("Due = 1", "timezone, due, attempts, inputs, penalty, extensions"),
        ("due = ", "line 1, due ="),
        (WINTER + 'due = "2027-12-15 23:59"', "stands there twice"),
    ],
)
def test_what_is_no_toml_says_which_form_to_use(policy, text, said):
    with pytest.raises(GraderUsageError, match=r"late\.toml") as error:
        policy(text)
    assert said in str(error.value)
    assert "(at " not in str(error.value), "the parser's own words"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_an_editors_encoding_is_read(tmp_path, encoding):
    text = '# Z\u00fcrich\ntimezone = "Europe/Zurich"\r\ndue = "2027-12-14 23:59"\r\n'
    (tmp_path / "late.toml").write_bytes(text.encode(encoding))
    assert read_policy(tmp_path / "late.toml").told().startswith("2027-12-14 23:59 Europe/Zurich")


def test_what_is_in_no_unicode_is_told(tmp_path):
    (tmp_path / "late.toml").write_bytes('# Z\u00fcrich\ndue = "2027-12-14 23:59"'.encode("cp1252"))
    with pytest.raises(GraderUsageError, match=r"late\.toml: is not in UTF-8; save it so"):
        read_policy(tmp_path / "late.toml")


@pytest.mark.parametrize("year", ["0207", "1927", "2100", "9999"])
def test_a_year_that_nobody_means(policy, year):
    with pytest.raises(GraderUsageError, match="is the year right"):
        policy(f'due = "{year}-12-14 23:59"')


@pytest.mark.parametrize(
    ("written", "utc_time"),
    [
        ('"2027-12-14 23:59"', "2027-12-14 22:59"),
        ('"2027-12-14 23:59:59"', "2027-12-14 22:59:59"),
        ('"2027-12-14T09:30"', "2027-12-14 08:30"),
        ('"2027-12-14 23:59 UTC"', "2027-12-14 23:59"),
        ('"2027-12-14T23:59Z"', "2027-12-14 23:59"),
        ('"2027-12-14 23:59 -05:00"', "2027-12-15 04:59"),
        ("2027-12-14 23:59:00", "2027-12-14 22:59"),
    ],
)
def test_what_the_form_may_hold(policy, written, utc_time):
    assert policy(f'timezone = "Europe/Amsterdam"\ndue = {written}\n').due_utc() == utc(utc_time)


def test_the_deadline_is_told_with_its_zone(policy):
    assert policy(WINTER).told() == "2027-12-14 23:59 Europe/Amsterdam (CET; 2027-12-14 22:59 UTC)"
    assert (
        policy('due = "2027-07-01 12:00:30"').told()
        == "2027-07-01 12:00:30 UTC (UTC; 2027-07-01 12:00:30 UTC)"
    )
    assert policy("").told() == "none, late.toml sets no due"
    told = policy(WINTER + '[extensions]\nada = 2\nbob = "2027-12-20 12:00"\n').told()
    assert told.endswith("UTC); later for ada 2027-12-16 23:59, bob 2027-12-20 12:00")


def test_a_new_course_has_no_deadline_and_no_penalty(policy, tmp_path):
    text = policy_text("Europe/Amsterdam")
    tomllib.loads(text)
    new = policy(text)
    assert new.due is None
    assert new.penalty(5, 60) == 0
    assert read_policy(tmp_path / "missing.toml").due is None
