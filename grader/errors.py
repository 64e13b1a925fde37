"""The two ways a run can stop: the command asks for something impossible, or the grader itself is at fault.

What a student did is neither: it ends in a result, never in one of these.
"""

from __future__ import annotations

FAULT, USAGE, INTERRUPTED = 1, 2, 130  # exit statuses


class GraderUsageError(Exception):
    """The command cannot be carried out as given: one clear line, exit status 2."""


class GraderFault(Exception):
    """The grader or its machine is at fault, not a student: one clear line, exit status 1."""
