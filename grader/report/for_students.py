"""Which notes of a result are for the student. The others are the grader's, to the course's staff."""

from __future__ import annotations

import re

from grader.marking.result import SubmissionResult

# What was handed in, and what became of it: a student can do something about it.
_WARNINGS = re.compile(
    r" was not read: the folder has to be called part\d$"
    r"| is not one of the files of the assignment and was not read$"
    r"|^\d+ more (?:files|folders) are not of the assignment and were not read$"
    r"| is in the archive more than once; the last one counts$"
    r"|^the archive has no end mark and may be cut off$"
    r"|^there is neither part1/ nor part2/ in it; "
    r"|^handed in as single files, without part1/ and part2/$"
    r"|^none of its files is one of the assignment's: "
    r"|^figure .{1,200}: it is not shown: "
    r"| was read as part\d$"
    r"| was not read: it is the given part2/utils\.py, not part 1's$"
    r"|^the files were found in "
    r"|^placed by the names of the files, which lie in "
    r"|^only one of several folders with such files was read, "
    r"|^read from .*, within what was handed in$"
    r"|, within what was handed in, was not opened: "
    r"| was not opened, since part1/ or part2/ or their files lie beside it$"
    r"|^none of the assignment's files is in it"
    r"|^part\d/\w+\.py is missing, and "
    r"|^(?:handed in several times|holds several archives); the latest counts, "
    r"| counts?; beside (?:it|them), and not read: "
)
_OPTIONS = re.compile(r" \(--[^()]*\)")  # of the grader's command line


def is_for_students(warning: str) -> bool:
    """Whether a warning is for a student to know of. One that is not known here is for the staff."""
    return _WARNINGS.search(warning) is not None


def warnings_for(result: SubmissionResult) -> list[str]:
    """The warnings for a student to know of."""
    return [line for line in result.warnings if is_for_students(line)]


def violations_for(result: SubmissionResult) -> list[str]:
    """What the assignment forbids and the code does, without the options that would allow it."""
    return [_OPTIONS.sub("", line) for line in result.violations]
