"""nbgrader's configuration of a course: what the course's own file says, and what the kit adds to it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from grader.gradebook.course import ASSIGNMENT, NewCourse
from grader.submission import NAMED_FILES

if TYPE_CHECKING:
    from traitlets.config import Config

# What students leave in their folder, and nobody marks.
LEFT_BEHIND = ("lightning_logs", "checkpoints", ".git", ".venv", "venv", "*.ckpt", "*.pt", "*.pth")

_CONFIG = '''\
"""nbgrader's configuration of this course. The deadline and late days are in late.toml."""

import sys
from pathlib import Path

COURSE = Path(__file__).absolute().parent
KIT = {kit!r}
if KIT not in sys.path:
    sys.path.insert(0, KIT)  # the grader's preprocessors are loaded by name

from grader.gradebook.nbgrader_settings import configure  # noqa: E402

c = get_config()  # noqa: F821
configure(c, COURSE)  # the marks come from the grader's results.json

c.CourseDirectory.course_id = {course_id!r}
c.CourseDirectory.root = str(COURSE)  # this course, whatever the configuration of an account's home says
{shared}c.Exchange.root = {exchange!r}
c.Exchange.timezone = "UTC"  # keep it: nbgrader writes summer time and reads it as UTC
c.NbGraderAPI.timezone = {timezone!r}  # in which formgrader shows times
{database}
'''

_POLICY = """\
# The deadline, and what handing in late costs. Read by every `make grade COURSE=...`.
# Times are written as below, with a colon. Without an offset they are wall-clock times in this zone; summer
# time is taken into account.
timezone = "{timezone}"

# due = "2027-12-14 23:59"

# Of several hand-ins of a student or group: "latest", or "best" by the automatic points.
attempts = "latest"

# When `grader explain` may show what hidden checks asked: "after due" (with extensions), "always", "never".
inputs = "after due"

[penalty]
# Each day that has begun after the deadline costs per_day. A day ends at the deadline's hour of the next day.
unit = "percent"       # "percent" of the points earned, or "points"
per_day = 0.0          # 0: lateness is shown, and costs nothing
grace_minutes = 15     # this much later is not late; whoever is later still is late since the deadline
free_days = 0          # the first late days that cost nothing
cap = 100.0            # at most this much, in the same unit

# Extensions, by student: a day and time, or a number of days.
[extensions]
# ada = "2027-12-17 23:59"
# grace = 2
"""


def config_text(new: NewCourse, kit: Path) -> str:
    """The text of `nbgrader_config.py`."""
    database = (
        f"c.CourseDirectory.db_url = {new.db_url!r}"
        if new.db_url
        else 'c.CourseDirectory.db_url = f"sqlite:///{COURSE}/gradebook.db"  # a PostgreSQL server instead:\n'
        '# c.CourseDirectory.db_url = "postgresql+psycopg2://user:password@host/database"'
    )
    shared = (
        "c.CourseDirectory.groupshared = True  # staff share it: the group can write what nbgrader makes\n"
        if new.group
        else ""
    )
    return _CONFIG.format(
        kit=str(kit),
        shared=shared,
        course_id=new.course_id,
        exchange=str(new.exchange.absolute()),
        timezone=new.timezone,
        database=database,
    )


def policy_text(timezone: str) -> str:
    """The text of a new `late.toml`: no deadline, no penalty."""
    return _POLICY.format(timezone=timezone)


def configure(c: Config, course: Path | None = None) -> None:
    """Make nbgrader take the marks from `results.json` and never run a student's notebook.

    Args:
        c: nbgrader's configuration.
        course: the course's folder, with whose rights nbgrader's own commands write.
    """
    from nbgrader.server_extensions.formgrader.handlers import template_path

    # Not at once: formgrader takes 2 s, and every new course reads this module.
    from grader.gradebook.formgrader_server import extend_formgrader
    from grader.gradebook.formulas import TEMPLATES

    # A server, which loads this for formgrader, keeps its umask: people write their own files there, too.
    if course is not None and "nbgrader" in Path(sys.argv[0]).parts[-2:]:
        os.umask(0o777 & ~course.stat().st_mode)

    # nbgrader calls `alembic` by its name when it makes a database. It stands beside our Python.
    tools, path = str(Path(sys.executable).parent), os.environ.get("PATH", "")
    if tools not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, path])
    c.Autograde.autograde_preprocessors = [
        "grader.gradebook.inject.InjectMarks",  # where nbgrader has Execute
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "grader.gradebook.inject.HoldUnmarked",
        "nbgrader.preprocessors.AssignLatePenalties",
    ]  # nbgrader's CheckCellMetadata has run before, on the same cells; once more costs a seventh of the time
    c.LimitOutput.max_lines = 1000
    c.Autograde.exclude_overwriting = {ASSIGNMENT: list(NAMED_FILES)}
    c.AssignLatePenalties.plugin_class = "grader.gradebook.late_plugin.LatePolicy"
    c.GenerateFeedback.preprocessors = [
        "nbgrader.preprocessors.GetGrades",
        "grader.gradebook.inject.RemoveGuides",
        "grader.gradebook.feedback_files.CompleteFeedback",
        "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
    ]
    # formgrader and the feedback page show what students wrote: without any script of theirs.
    c.HTMLExporter.filters = {
        "markdown2html": "grader.gradebook.safe_html.markdown2html",
        "mathjax_scripts": "grader.gradebook.formulas.mathjax_scripts",
    }
    c.HTMLExporter.extra_template_basedirs = [str(TEMPLATES), template_path]  # ours before nbgrader's
    extend_formgrader()
    c.FormgradeExtension.debug = False  # or it shows the configuration, with the database's password
    c.ExchangeFactory.collect = "grader.gradebook.collect.Collect"  # also for `nbgrader collect`
    # What is downloaded from a learning platform: nbgrader zip_collect.
    c.ZipCollectApp.extractor_plugin = "grader.gradebook.downloads.DownloadExtractor"
    c.ZipCollectApp.collector_plugin = "grader.gradebook.downloads.DownloadCollector"
    c.CourseDirectory.ignore = [
        *(".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"),  # nbgrader's own
        *LEFT_BEHIND,
    ]
