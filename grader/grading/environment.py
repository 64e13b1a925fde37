"""Whether a run can work here at all, found out before any submission is marked."""

from __future__ import annotations

from grader.box.interpreter import box_python
from grader.digits import digits_file
from grader.errors import GraderFault
from grader.machine.refusals import explained
from grader.machine.trial import try_box
from grader.marking.marker import MarkingOptions


def check_environment(options: MarkingOptions) -> None:
    """Find out before any grading whether this machine can do it.

    Raises:
        GraderUsageError: the data set is not to be had, or BOX_PYTHON does not name a Python.
        GraderFault: no box can be had, or scikit-learn is not installed.
    """
    box_python()
    if options.sandbox:
        refused = try_box()
        if refused is not None:
            raise GraderFault(explained(refused))
    if options.data == "digits":
        digits_file()
    else:
        from grader.data import load_images  # not at once: it loads torch

        load_images(options.data)
