#!/bin/sh
# nbgrader 0.9.6: an exchange whose zone has no letters for a name.
#
# One expects: Exchange.timezone takes any zone of the tz database; a submission comes back as it was put in.
# What happens: the folder of a submission is called STUDENT+ASSIGNMENT+TIME, the time ends with the zone's short name,
# and many zones have only numbers for one ("+04" in Asia/Dubai, "+07" in Asia/Bangkok). On the way back the name is
# split at its plus signs. The zone is lost, so that the time counts as UTC, four or seven hours off. With the random
# ending that nbgrader adds by default the student becomes "ada+a3", and the
# number of the zone is read as a time: the 4th or the 7th of this month.
# Why it matters here: lateness is hours off, or the student is not on the roster, for a valid setting and without an
# error. Courses keep Exchange.timezone at UTC.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbgrader==0.9.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import datetime
import sys
from importlib.metadata import version

from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default.collect import ExchangeCollect
from traitlets.config import Config

print("nbgrader", version("nbgrader"))
found = {}
for zone in ("UTC", "Asia/Dubai", "Asia/Bangkok"):
    config = Config({"Exchange": {"timezone": zone}, "CourseDirectory": {"course_id": "course"}})
    exchange = ExchangeCollect(coursedir=CourseDirectory(config=config), config=config)
    exchange.set_timestamp()  # now, as a submission is named
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    for ending in ("", "+Zm9vYmFy"):
        name = f"ada+a3+{exchange.timestamp}{ending}"
        try:
            record = exchange._path_to_record(name)
            student, time = record["username"], record["timestamp"]
            hours = round((time.replace(tzinfo=None) - now).total_seconds() / 3600)
            seen = f"student {student!r}, {hours:+d} hours"
        except Exception as error:
            student, hours, seen = "", None, f"{type(error).__name__}: {error}"
        found[zone, ending] = student, hours
        print(f"{zone:13} {name!r}\n    -> {seen}")
right = ("ada", 0)
changed = any(found["UTC", ending] != right for ending in ("", "+Zm9vYmFy"))
changed |= any(found[zone, ending] == right for zone in ("Asia/Dubai", "Asia/Bangkok") for ending in ("", "+Zm9vYmFy"))
sys.exit("the behaviour has changed" if changed else 0)
PYTHON
