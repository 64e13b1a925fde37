"""A person decides on an item: every report says so, and marking again keeps it."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from grader.cli import main
from grader.engine import grade_into, prepare_output
from grader.engine.reuse import run_lock
from grader.engine.unmarked import grader_fault
from grader.errors import GraderFault
from grader.marking.result import FAILED, GRADER_ERROR, PARTIAL, PASSED, SubmissionResult
from grader.marking.result_json import result_from_json
from grader.report.decisions import carried_over
from grader.report.pages import write_pages
from grader.report.results_json import write_result
from grader.submission import Found
from tests.engine.fakes import PROVENANCE, FakeMarker, HereWorkers
from tests.report.results import result

ITEM = "1.7.kld"
MESSAGE = "the KL divergence is off"


def lossy(item):
    return (PARTIAL, 1.05 / 1.5, MESSAGE, "") if item.id == ITEM else (PASSED, 1.0, "", "")


class LossyMarker(FakeMarker):
    """Takes points off one item; `share` is what is left of them."""

    def mark(self, submission) -> SubmissionResult:
        self.log(f"mark:{submission.name}")
        code = hashlib.sha256(repr(sorted(submission.files.items())).encode()).hexdigest()
        return replace(result(submission.name, lossy), code=code)


def mark(folder: Path, *names: str, **options) -> None:
    """Mark submissions of these names into `folder/output`."""
    prepare_output(folder / "output")
    factory = partial(LossyMarker, folder / "log")
    found = [submission(folder, name) for name in names]
    grade_into(folder / "output", found, factory, PROVENANCE, workers=HereWorkers(factory), **options)
    write_pages(folder / "output")


def submission(folder: Path, name: str) -> Found:
    """A submission of one file; as it is, where it is there already."""
    path = folder / "submissions" / name
    source = path / "part1" / "utils.py"
    if not source.is_file():
        source.parent.mkdir(parents=True)
        source.write_text(f"# {name}\n")
    return Found(name, path)


def read(folder: Path, name: str = "mia") -> SubmissionResult:
    return result_from_json((folder / "output" / name / "results.json").read_bytes())


def item(of: SubmissionResult, name: str = ITEM):
    return next(one for one in of.items if one.id == name)


def decide(folder: Path, *options: str, name: str = "mia", on: str = ITEM) -> int:
    return main(["decide", str(folder / "output" / name), on, *options])


GIVEN = ("--points", "1.5", "--reason", "the other sign is what 1.3 asks for", "--who", "Anna")


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    (tmp_path / "log").write_text("")
    mark(tmp_path, "mia", "noa")
    return tmp_path


def test_a_decision_reaches_every_report(marked: Path, capsys) -> None:
    assert decide(marked, *GIVEN) == 0
    assert "mia, 1.7.kld: 1.05 -> 1.5 of 1.5 points, decided by Anna; 22.5 in all" in capsys.readouterr().out
    decided = read(marked)
    assert (item(decided).points, item(decided).status, decided.points) == (1.5, PASSED, 22.5)
    assert item(decided).decision.marked == 1.05
    (change,) = decided.history
    assert (change.item, change.before, change.after, change.why, change.who) == (
        ITEM, 1.05, 1.5, "decided", "Anna"
    )  # fmt: skip
    output = marked / "output"
    with (output / "marks.csv").open() as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    assert (rows["mia"][ITEM], rows["mia"]["points"], rows["mia"]["decided"]) == ("1.5", "22.5", ITEM)
    assert (rows["noa"][ITEM], rows["noa"]["decided"]) == ("1.05", "")
    for page in ("feedback.html", "feedback.md"):
        text = (output / "mia" / page).read_text()
        assert "A person has decided" in text
        assert "what 1.3 asks for" in text
        assert MESSAGE in text  # what the checks say is still there
        assert "Anna" not in text
    staff = (output / "index.html").read_text()
    assert "Decided by a person" in staff
    assert "Anna" in staff


def test_marking_again_keeps_it(marked: Path) -> None:
    assert decide(marked, *GIVEN) == 0
    before = (marked / "output" / "mia" / "results.json").read_bytes()
    (marked / "log").write_text("")
    mark(marked, "mia", "noa")
    assert not [line for line in (marked / "log").read_text().splitlines() if line.startswith("mark:")]
    assert (marked / "output" / "mia" / "results.json").read_bytes() == before
    mark(marked, "mia", "noa", fresh=True)
    assert item(read(marked)).points == 1.5
    assert len(read(marked).history) == 1


def test_it_is_about_the_code_that_was_seen(marked: Path) -> None:
    assert decide(marked, *GIVEN) == 0
    source = next((marked / "submissions" / "mia").rglob("*.py"))
    source.write_text(source.read_text() + "\n# another attempt\n")
    mark(marked, "mia", "noa")
    assert (item(read(marked)).points, item(read(marked)).decision) == (1.05, None)
    assert [change.after for change in read(marked).history] == [1.5, 1.05]
    assert "is about other code and does not count" in (marked / "output" / "index.html").read_text()


def test_a_failure_of_the_grader_in_between_does_not_end_it(marked: Path) -> None:
    assert decide(marked, *GIVEN) == 0
    output = marked / "output"
    write_result(output, carried_over(output / "mia", grader_fault("mia", "no box", PROVENANCE)))
    assert item(read(marked)).status == GRADER_ERROR
    mark(marked, "mia", "noa")
    assert item(read(marked)).points == 1.5


def test_it_can_be_withdrawn(marked: Path, capsys) -> None:
    before = read(marked)
    assert decide(marked, *GIVEN) == 0
    assert decide(marked, "--points", "0", "--reason", "copied from noa", "--who", "Ben") == 0
    assert (item(read(marked)).status, item(read(marked)).decision.marked) == (FAILED, 1.05)
    assert decide(marked, "--withdraw", "--who", "Anna") == 0
    assert "0 -> 1.05 of 1.5 points, the decision is withdrawn by Anna" in capsys.readouterr().out
    assert read(marked).items == before.items
    assert [change.why for change in read(marked).history] == ["decided", "decided", "withdrawn"]
    assert decide(marked, "--withdraw") == 2
    assert "1.7.kld: no decision to withdraw; decided in mia: none" in capsys.readouterr().err


def test_what_waits_for_a_person_is_settled_by_one_and_waits_again_after(marked: Path) -> None:
    output = marked / "output"
    waiting = read(marked)
    items = tuple(replace(one, review="written for Python 3.13") for one in waiting.items)
    write_result(output, replace(waiting, items=items))
    assert decide(marked, *GIVEN) == 0
    assert item(read(marked)).review == ""
    assert item(read(marked), "1.7.bpd").review
    assert decide(marked, "--withdraw") == 0
    assert item(read(marked)).review == "written for Python 3.13"


def test_the_page_says_when_the_checks_have_changed_their_mind(marked: Path) -> None:
    assert decide(marked, *GIVEN) == 0
    output, found = marked / "output", read(marked)
    items = tuple(
        replace(one, decision=replace(one.decision, marked=0.5)) if one.decision else one
        for one in found.items
    )
    write_result(output, replace(found, items=items))
    write_pages(output)
    assert "was made when the checks gave 1.05; they give 0.5 now" in (output / "index.html").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--points", "1.6", "--reason", "r"), "--points 1.6: 1.7.kld is worth 0 to 1.5 points"),
        (("--points", "nan", "--reason", "r"), "--points nan: 1.7.kld is worth 0 to 1.5 points"),
        (("--points", "-1", "--reason", "r"), "--points -1: 1.7.kld is worth 0 to 1.5 points"),
        (("--points", "1"), "--reason: say why, in a line"),
        (("--points", "1", "--reason", " \n "), "--reason: say why, in a line"),
        (("--points", "1", "--reason", "x" * 501), "--reason: 501 characters"),
        ((), "give either --points and --reason, or --withdraw"),
        (("--points", "1", "--withdraw"), "give either --points and --reason, or --withdraw"),
    ],
)
def test_what_does_not_fit_is_refused(marked: Path, capsys, options, message) -> None:
    before = (marked / "output" / "mia" / "results.json").read_bytes()
    assert decide(marked, *options) == 2
    assert message in capsys.readouterr().err
    assert (marked / "output" / "mia" / "results.json").read_bytes() == before
    assert not (marked / "output" / "mia" / "decisions.json").exists()


def test_unknown_names_are_refused(marked: Path, capsys) -> None:
    assert decide(marked, *GIVEN, on="1.1") == 2
    assert "1.1: no automatic item; there are 1.7.reparameterize, 1.7.kld" in capsys.readouterr().err
    assert decide(marked, *GIVEN, name="nobody") == 2
    assert "nobody: there is no results.json in it; give a submission's folder" in capsys.readouterr().err
    assert main(["decide", str(marked / "nowhere" / "mia"), ITEM, *GIVEN]) == 2
    assert "nowhere: there is no such folder; give the --output folder of a run" in capsys.readouterr().err


def test_a_result_of_an_earlier_version_is_marked_again_first(marked: Path, capsys) -> None:
    write_result(marked / "output", replace(read(marked), code=""))
    assert decide(marked, *GIVEN) == 2
    assert "mia: its result is of an earlier version of the grader; mark the" in capsys.readouterr().err


def test_nobody_decides_while_a_run_writes(marked: Path, capsys) -> None:
    with run_lock(marked / "output"):
        assert decide(marked, *GIVEN) == 2
    assert "another run is writing there; wait for its end" in capsys.readouterr().err


def test_a_damaged_file_of_decisions_stops_the_marking(marked: Path, capsys) -> None:
    assert decide(marked, *GIVEN) == 0
    path = marked / "output" / "mia" / "decisions.json"
    path.write_text(path.read_text()[:-20])
    before = (marked / "output" / "mia" / "results.json").read_bytes()
    with pytest.raises(GraderFault, match=r"mia/decisions.json: cannot be read .* bring an older copy back"):
        mark(marked, "mia", fresh=True)
    assert (marked / "output" / "mia" / "results.json").read_bytes() == before
    assert decide(marked, "--withdraw") == 1
    assert "decisions.json: cannot be read" in capsys.readouterr().err


def test_a_reason_is_text(marked: Path) -> None:
    markup = "<script>alert(1)</script>\x1b[31m"
    assert decide(marked, "--points", "1", "--reason", markup, "--who", "<i>A") == 0
    for page in (marked / "output").rglob("*.html"):
        assert "<script>alert" not in page.read_text()
        assert "<i>A" not in page.read_text()
        assert "\x1b" not in page.read_text()
    content = json.loads((marked / "output" / "mia" / "decisions.json").read_text())
    assert "\x1b" not in content["decisions"][ITEM]["reason"]
