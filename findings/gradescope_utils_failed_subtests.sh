#!/bin/sh
# gradescope-utils 0.5.0: tests that fail in a subtest, are skipped, or set their score first.
#
# One expects: each test with a weight is in results.json. Where it fails it has 0 of its points.
# What happens: a test in which a subTest fails is not in the file, nor is one that is skipped: the runner writes what
# ends in success, failure or error, and unittest reports subtests and skips by other calls. The score is right, since
# they earn 0, but the student is not shown the test that failed, and the points to be had are fewer. A test with
# partial_credit that calls set_score(2) and then fails keeps the 2; one that never calls it has all 5.
# Why it matters here: the sum of max_score in results.json is not what the work was worth, and a student with points
# missing sees no test that says why. This kit writes every item into its results.json, also those with nothing earned.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check gradescope-utils==0.5.0
cd "$folder"
cat > tests.py <<'PYTHON'
import unittest

from gradescope_utils.autograder_utils.decorators import partial_credit, weight


class Tests(unittest.TestCase):
    @weight(1)
    def test_passes(self):
        pass

    @weight(1)
    def test_fails(self):
        self.fail("wrong")

    @weight(2)
    def test_subtests_pass(self):
        for size in (1, 2, 3):
            with self.subTest(size=size):
                pass

    @weight(2)
    def test_subtest_fails(self):
        for size in (1, 2, 3):
            with self.subTest(size=size):
                self.assertNotEqual(size, 2)

    @weight(3)
    def test_skipped(self):
        self.skipTest("no file")

    @partial_credit(5)
    def test_sets_2_then_fails(self, set_score=None):
        set_score(2)
        self.fail("wrong")

    @partial_credit(5)
    def test_sets_nothing(self, set_score=None):
        pass
PYTHON
"$folder/venv/bin/python" - <<'PYTHON'
import io
import json
import sys
import unittest
from importlib.metadata import version

from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner
from tests import Tests

print("gradescope-utils", version("gradescope-utils"))
stream = io.StringIO()
JSONTestRunner(visibility="visible", stream=stream).run(unittest.defaultTestLoader.loadTestsFromTestCase(Tests))
results = json.loads(stream.getvalue())
found = {test["name"].partition(" ")[0]: (test["score"], test["max_score"]) for test in results["tests"]}
names = unittest.defaultTestLoader.getTestCaseNames(Tests)
for name in names:
    print(f"{name:24}", "{} of {}".format(*found[name]) if name in found else "not in results.json")
worth = sum(getattr(Tests, name).__weight__ for name in names)
print(f"score {results['score']}, sum of max_score {sum(most for _, most in found.values())}, worth {worth}")
expected = {
    "test_passes": (1, 1),
    "test_fails": (0, 1),
    "test_subtests_pass": (2, 2),
    "test_sets_2_then_fails": (2, 5),
    "test_sets_nothing": (5, 5),
}
sys.exit(0 if found == expected else "the behaviour has changed")
PYTHON
