"""Which of a check's requests are its own, and which look for the cause of a failure."""

from __future__ import annotations

from grader.explain import transcript

CHECK = """
from grader.suites.diagnosis import looks_for_a_cause, tried

def because_of(request):  # named like no cause
    return request(())

def causes_a_gradient(request):  # named like one, but a step of the check
    return request(())

def test_something(request):
    return causes_a_gradient(request), because_of(request), tried(lambda: request(()))

looks_for_a_cause(because_of)
"""


def test_what_is_marked_is_a_diagnosis_whatever_its_name():
    suite: dict = {}
    exec(compile(CHECK, transcript.SUITES + "part1/test_something.py", "exec"), suite)

    def request(arguments):
        return transcript._surroundings(arguments)[1]

    assert suite["test_something"](request) == (False, True, True)
