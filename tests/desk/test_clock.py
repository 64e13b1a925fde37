"""Times stand in the course's time zone, summer and winter."""

from __future__ import annotations

import pytest

from grader.desk.clock import shown, zone_of


@pytest.mark.parametrize(
    ("at", "text", "iso", "zone"),
    [
        ("2026-07-01T22:30:00.123+00:00", "2026-07-02 00:30", "2026-07-02T00:30:00+02:00", "CEST"),
        ("2026-12-01T22:30:00.123+00:00", "2026-12-01 23:30", "2026-12-01T23:30:00+01:00", "CET"),
    ],
)
def test_a_time_is_the_courses(course, at, text, iso, zone):
    course.policy.write_text('timezone = "Europe/Amsterdam"\n')
    moment = shown(at, zone_of(course))
    assert (moment.text, moment.iso, moment.zone) == (text, iso, f"Europe/Amsterdam ({zone})")


@pytest.mark.parametrize("content", ["", 'timezone = "Nowhere"\n', "not toml ["])
def test_without_a_zone_that_can_be_read_it_is_utc_and_says_so(course, content):
    course.policy.write_text(content)
    moment = shown("2026-07-01T22:30:00.123+00:00", zone_of(course))
    assert (moment.text, moment.zone) == ("2026-07-01 22:30", "UTC")
