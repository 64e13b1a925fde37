#!/bin/sh
# pytest 9.2.0: the report of a test in which a subtest failed.
#
# One expects: a test with a failed subtest has failed, and its report says so, as that of any other test.
# What happens: with the new fixture `subtests` it does. The same test with unittest's subTest has two kinds of reports
# under one nodeid: the subtest's is "failed", and the test's own, the last one, is "passed". The closing line
# counts it among the passed ones and its subtest among the failed ones. Since the last report passed, it is
# forgotten for --last-failed: the next run with it runs everything. Where all is counted, as in the head of the JUnit
# file, each subtest is a test: 8 for 2 cases.
# Why it matters here: whoever keeps one outcome for each nodeid, the last one, gives a wrong answer its points. The
# exit status is right, and so is a test in which any report failed. The students' check of this kit counts that way.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0
cd "$folder"
cat > test_sizes.py <<'PYTHON'
import unittest


def test_fixture(subtests):
    for size in (1, 2, 3):
        with subtests.test(size=size):
            assert size != 2


class Sizes(unittest.TestCase):
    def test_unittest(self):
        for size in (1, 2, 3):
            with self.subTest(size=size):
                assert size != 2
PYTHON
"$folder/venv/bin/python" - <<'PYTHON'
import contextlib
import io
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

print("pytest", pytest.__version__)


class Reports:
    """The outcomes of the calls, by test, in order."""

    def __init__(self):
        self.outcomes = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            outcome = report.outcome.upper() if type(report) is pytest.TestReport else report.outcome
            self.outcomes.setdefault(report.nodeid.rpartition("::")[2], []).append(outcome)


reports, said = Reports(), io.StringIO()
with contextlib.redirect_stdout(said):
    status = pytest.main(["-q", "--tb=no", "--junitxml=junit.xml", "test_sizes.py"], plugins=[reports])
summary = said.getvalue().splitlines()[-1]
forgotten = [name for name in reports.outcomes if name not in Path(".pytest_cache/v/cache/lastfailed").read_text()]
suite = ET.parse("junit.xml").getroot().find("testsuite")
counted, cases = int(suite.get("tests")), len(suite.findall("testcase"))
for name, outcomes in reports.outcomes.items():
    print(f"{name:14} subtests {outcomes[:-1]}, the test itself: {outcomes[-1]}")
print(f"closing line: {summary}; exit status {int(status)}")
print(f"unknown to --last-failed: {forgotten}; JUnit: tests={counted} with {cases} cases")
parts = ["passed", "failed", "passed"]
same = reports.outcomes == {"test_fixture": [*parts, "FAILED"], "test_unittest": [*parts, "PASSED"]}
same &= status == 1 and summary.startswith("3 failed, 1 passed, 4 subtests passed")
same &= forgotten == ["test_unittest"] and (counted, cases) == (8, 2)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
