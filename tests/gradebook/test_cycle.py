"""The whole way into the gradebook, with results written directly: what nbgrader makes of them is real."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from nbgrader.apps.api import NbGraderAPI
from report.results import passed

from gradebook.courses import (
    PNG,
    answers,
    autograded,
    current,
    exchange,
    generate,
    half,
    hand_in,
    notebook,
    pretend_to_grade,
    roster,
    run,
    scores,
)
from grader.cli import main
from grader.gradebook import steps
from grader.gradebook.course import ASSIGNMENT, inside
from grader.gradebook.rebuild import LOOK_BELOW
from grader.marking.result import GRADER_ERROR
from grader.release.notebook import grade_id
from grader.report.results_json import write_result
from grader.rubric import load_rubric

AUTOMATIC = {grade_id(item.id): item.points for item in load_rubric().automatic}


def test_points_comments_and_answers_arrive(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch, {"ada": passed})
    roster(course, "ada", "1042", "absent")
    hand_in(course, "ada", notebook(course))
    hand_in(course, "1042", notebook(course, lambda name: None))
    assert run(course, feedback=True) == 0
    said = capsys.readouterr().out
    assert "32 scores of 2 submissions agree with the results" in said
    assert "1 on the roster handed in nothing: absent" in said
    for student, share in (("ada", 1.0), ("1042", 0.5)):
        grades = scores(course, student)
        assert {name: grades[name].auto for name in AUTOMATIC} == {
            name: share * points for name, points in AUTOMATIC.items()
        }
        assert not any(grades[name].waits for name in AUTOMATIC)
    written = [name for name in scores(course, "ada") if name not in AUTOMATIC]
    assert all(scores(course, "ada")[name].waits for name in written)
    assert all(scores(course, "1042")[name].auto == 0 for name in written)  # not answered: nobody has to look
    assert not any(scores(course, "1042")[name].waits for name in written)


def test_formgrader_shows_guides_and_the_feedback_page_does_not(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    text = "<script>alert(1)</script> and $a<b$"
    hand_in(
        course, "ada", notebook(course, lambda name: text), extra={"figures/grid.png": b"\x89PNG\r\n\x1a\n1"}
    )
    assert run(course, feedback=True) == 0
    sources = [cell.source for cell in autograded(course, "ada").cells]
    guides = [source for source in sources if source.startswith("<details><summary>Marking guide for ")]
    assert len(guides) == sum(item.how != "auto" for item in load_rubric().items)
    page = (course.feedback("ada") / "report.html").read_text()
    assert "Marking guide" not in page
    assert "What earns points" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; and $a&lt; b$" in page
    assert "the message of 1.7.kld" in page
    assert "the hint of 1.7.kld" in page
    assert "1.7.kld, KLD: 0.75 of 1.5 points, partial" in page
    assert not re.search(r"\b(first|second)\b: ", page)  # the names of the made-up checks
    assert "Score: 11.25 / 64.0" in page


@pytest.mark.slow
def test_figures_are_in_the_feedback_page_itself(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    name = re.search(r"\(figures/([\w.]+\.png)\)", course.released_notebook.read_text())[1]
    hand_in(course, "ada", notebook(course), extra={f"figures/{name}": b"\x89PNG\r\n\x1a\nfigure"})
    assert run(course, feedback=True) == 0
    page = (course.feedback("ada") / "report.html").read_text()
    assert "data:image/png;base64,iVBORw0KGgpmaWd1cmU=" in page
    assert f'src="figures/{name}"' not in page


def test_bad_submissions_are_named_and_none_is_lost(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    full = notebook(course)
    tampered = notebook(course)
    for cell in tampered["cells"]:
        if cell["metadata"]["nbgrader"]["grade_id"] == "q1-7-kld":
            cell["outputs"] = [
                {"output_type": "execute_result", "data": {"text/plain": "1.5"}, "metadata": {}}
            ]
            cell["metadata"]["nbgrader"] |= {"points": 99.0, "solution": True}
    hand_in(course, "none")
    hand_in(course, "two", full, extra={"draft.ipynb": json.dumps(full).encode()})
    hand_in(course, "renamed", extra={"Report (1).ipynb": json.dumps(full).encode()})
    hand_in(course, "broken", b'{"cells": [')
    hand_in(course, "other", {"cells": [{"cell_type": "markdown", "metadata": {}, "source": "a2"}]})
    hand_in(course, "tampered", tampered)
    hand_in(course, "forged-time", full, time="a week ago")
    hand_in(course, "odd", full, code=False, extra={"part1": b"a file"})
    hand_in(course, "fine", full)
    hand_in(course, "wrong", full)
    (course.root / "submitted" / "wrong" / ASSIGNMENT).rename(course.root / "submitted" / "wrong" / "a2")
    assert run(course) == 0
    said = capsys.readouterr().out
    for line in (
        "none: no notebook was handed in",
        "two: several notebooks: report.ipynb counts, not draft.ipynb",
        "renamed: the notebook is called Report (1).ipynb, not report.ipynb; it counts",
        "broken: report.ipynb: cannot be read, it is not valid JSON",
        "other: report.ipynb: is not the notebook of this assignment",
        "forged-time: timestamp.txt does not hold a time",
        "  odd: part1 is a file",
        "note: submitted/wrong: holds no a3, but a2",
    ):
        assert line in said
    assert "fine:" not in said
    for student in ("none", "two", "renamed", "broken", "other", "tampered", "forged-time", "fine"):
        assert {name: scores(course, student)[name].auto for name in AUTOMATIC} == {
            name: points / 2 for name, points in AUTOMATIC.items()
        }
    assert scores(course, "tampered")["q1-7-kld"].worth == 1.5
    assert (course.collected / "broken" / "report.ipynb").read_bytes() == b'{"cells": ['  # nothing is lost
    assert scores(course, "broken")["q1-1"].waits  # there may be answers: a person has to look
    assert (scores(course, "none")["q1-1"].auto, scores(course, "none")["q1-1"].waits) == (0, False)
    assert answers(autograded(course, "renamed"))["q1-1"] == "My answer to q1-1."


def test_an_unknown_student_is_kept_out_and_named(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada")
    hand_in(course, "ada", notebook(course))
    hand_in(course, "adda", notebook(course))
    assert run(course) == 1
    said = capsys.readouterr().out
    assert "adda: is not on the roster; the marks are in grading/adda" in said
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        assert [student.id for student in gradebook.students] == ["ada"]
    roster(course, "adda")
    assert run(course) == 0


@pytest.mark.slow
def test_names_that_can_be_no_id_are_named(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    (course.root / "submitted" / "Ada L [1]" / ASSIGNMENT).mkdir(parents=True)
    assert run(course) == 0
    assert "submitted/Ada L [1]: cannot be the id of a student" in capsys.readouterr().out


def test_manual_marks_and_comments_outlive_a_regrade(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for name, points in (("q1-1", 1.5), ("q1-7-kld", 1.0), ("q1-7-bpd", 0.25)):
            grade = gradebook.find_grade(name, "report", ASSIGNMENT, "ada")
            grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.find_comment("q1-1", "report", ASSIGNMENT, "ada").manual_comment = "Good."
        gradebook.db.commit()

    def only_kld_changes(item):
        return passed(item) if item.id == "1.7.kld" else half(item)

    pretend_to_grade(monkeypatch, {"ada": only_kld_changes})
    assert run(course) == 0
    grades = scores(course, "ada")
    assert (grades["q1-1"].manual, grades["q1-1"].waits) == (1.5, False)
    assert (grades["q1-7-bpd"].manual, grades["q1-7-bpd"].waits) == (0.25, False)
    assert (grades["q1-7-kld"].auto, grades["q1-7-kld"].manual) == (1.5, 1.0)
    assert grades["q1-7-kld"].waits  # the mark that was replaced is another one now
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        assert gradebook.find_comment("q1-1", "report", ASSIGNMENT, "ada").comment == "Good."


@pytest.mark.slow
def test_a_new_submission_replaces_the_old_and_asks_again(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for name in ("q1-1", "q1-2"):
            grade = gradebook.find_grade(name, "report", ASSIGNMENT, "ada")
            grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    shutil.rmtree(course.submitted("ada"))
    hand_in(
        course, "ada", notebook(course, lambda name: "Better." if name == "q1-1" else f"My answer to {name}.")
    )
    assert run(course) == 0
    assert answers(autograded(course, "ada"))["q1-1"] == "Better."
    assert scores(course, "ada")["q1-1"].waits
    assert not scores(course, "ada")["q1-2"].waits


@pytest.mark.slow
def test_what_has_not_changed_is_not_entered_again(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    monkeypatch.setattr(steps, "autograde", lambda *arguments: pytest.fail("entered again"))
    assert run(course) == 0


def test_what_the_grader_failed_to_mark_is_open_and_no_zero(course, monkeypatch, capsys):
    def fault(item):
        return (GRADER_ERROR, 0.0, "the box fell over", "") if item.id == "1.7.kld" else half(item)

    pretend_to_grade(monkeypatch, {"ada": fault})
    hand_in(course, "ada", notebook(course))
    assert run(course) == 1
    assert "ada: 1.7.kld was not marked, through the grader's own fault" in capsys.readouterr().out
    grade = scores(course, "ada")["q1-7-kld"]
    assert grade.auto is None
    assert grade.waits


def test_what_waits_for_a_person_keeps_its_points_and_needs_a_manual_grade(course, monkeypatch):
    pretend_to_grade(monkeypatch, reviews={"1.7.kld": "part1/utils.py is written for Python 3.12"})
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    grades = scores(course, "ada")
    assert grades["q1-7-kld"].waits
    assert grades["q1-7-kld"].auto == 0.75
    assert not grades["q1-7-bpd"].waits


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sandbox": "none"}, "made without a sandbox"),
        ({"suite": "sha256:0"}, "the suites or the rubric have changed"),
    ],
)
def test_results_that_may_not_be_used_are_faults(course, monkeypatch, capsys, change, said):
    pretend_to_grade(monkeypatch, **change)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 1
    assert said in capsys.readouterr().out
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        assert gradebook.assignment_submissions(ASSIGNMENT) == []


@pytest.mark.slow
def test_a_missing_result_is_a_fault_of_one_student(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch, skip=["bob"])
    for student in ("ada", "bob"):
        hand_in(course, student, notebook(course))
    assert run(course) == 1
    said = capsys.readouterr().out
    assert "grading/bob/results.json: there is no result" in said
    assert scores(course, "ada")["q1-7-kld"].auto == 0.75


def test_nbgraders_own_autograde_refuses_a_result_that_is_out_of_date(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    with inside(course) as config, steps.logged(course):
        steps.autograde(course, config, "ada")  # it may be done again by hand
        (course.submitted("ada") / "part1" / "utils.py").write_text("# newer\n")
        with pytest.raises(steps.NbGraderFault, match="does not belong to the code in submitted/ada"):
            steps.autograde(course, config, "ada")
        write_result(course.results, current("ada", passed))
        with pytest.raises(steps.NbGraderFault, match="is out of date"):
            steps.autograde(course, config, "ada")


def test_a_gradebook_that_was_changed_does_not_pass(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "ghost")
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        gradebook.find_grade("q1-7-kld", "report", ASSIGNMENT, "ada").auto_score = 1.5
        gradebook.add_submission(ASSIGNMENT, "ghost")
        gradebook.db.commit()
    assert run(course) == 1
    said = capsys.readouterr().out
    assert "ada: 1.7.kld is 0.75 in results.json, 1.5 in the gradebook" in said
    assert "ghost: is in the gradebook, but there is no submission of theirs" in said


@pytest.mark.slow
def test_one_student_for_whom_nbgrader_fails_does_not_stop_the_others(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    for student in ("ada", "bob"):
        hand_in(course, student, notebook(course))
    real = steps.autograde

    def fail_for_ada(course, config, student):
        if student == "ada":
            raise steps.NbGraderFault("ada: the database said no")
        real(course, config, student)

    monkeypatch.setattr(steps, "autograde", fail_for_ada)
    assert run(course, feedback=True) == 1
    said = capsys.readouterr().out
    assert "ada: the database said no" in said
    assert "ada: is not in the gradebook" in said
    assert (course.feedback("bob") / "report.html").is_file()
    monkeypatch.setattr(steps, "autograde", real)
    assert run(course) == 0


def test_lateness_follows_the_policy_also_after_marks_by_hand(course, monkeypatch, capsys):
    course.policy.write_text(
        'timezone = "Europe/Amsterdam"\ndue = "2027-12-09 23:59"\n'
        "[penalty]\nper_day = 10\n[extensions]\ngrace = 1\n"
    )
    pretend_to_grade(monkeypatch)
    for student in ("ada", "grace"):
        hand_in(course, student, notebook(course))  # on 10 December at noon
    assert run(course) == 0

    def penalties():
        with inside(course) as config, steps.open_gradebook(config) as gradebook:
            return {
                submission.student_id: submission.late_submission_penalty
                for submission in gradebook.assignment_submissions(ASSIGNMENT)
            }

    assert penalties() == {"ada": pytest.approx(1.125), "grace": 0}
    assert "note: late, 1 submission: ada (1 day, 1.125 points)" in capsys.readouterr().out
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        grade = gradebook.find_grade("q1-1", "report", ASSIGNMENT, "ada")
        grade.manual_score, grade.needs_manual_grade = 2.0, False
        gradebook.db.commit()
    assert run(course) == 0
    assert penalties() == {"ada": pytest.approx(1.325), "grace": 0}
    assert "note: late, 1 submission: ada (1 day, 1.325 points)" in capsys.readouterr().out
    course.policy.write_text('due = "2027-12-10 23:59"\n')
    assert run(course) == 0
    assert "note: late, 0 submissions\n" in capsys.readouterr().out


@pytest.mark.slow
def test_an_answer_in_a_cell_of_ones_own_waits_for_a_person(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    table = notebook(course)
    for place, cell in enumerate(table["cells"]):
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "q1-1":
            table["cells"][place] = {
                "cell_type": "markdown",
                "metadata": {},
                "source": "Mine ![](attachment:a.png)",
                "attachments": {"a.png": {"image/png": PNG}},
            }
    hand_in(course, "ada", table)
    assert run(course) == 0
    assert answers(autograded(course, "ada"))["q1-1"] == LOOK_BELOW
    assert scores(course, "ada")["q1-1"].waits


def test_a_broken_policy_stops_the_run_before_anything(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    course.policy.write_text("due = 5\n")
    assert main(["course", "grade", str(course.root), "--no-collect"]) == 2
    assert "late.toml: due is 5" in capsys.readouterr().err
    assert not course.collected.exists()


def test_an_interrupted_marking_enters_nothing(course, monkeypatch):
    pretend_to_grade(monkeypatch, interrupted=True)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 130
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        assert gradebook.assignment_submissions(ASSIGNMENT) == []


def test_an_unreachable_database_is_one_line_without_the_password(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    file = course.root / "nbgrader_config.py"
    file.write_text(
        file.read_text() + '\nc.CourseDirectory.db_url = "postgresql+psycopg2://me:hidden@127.0.0.1:1/none"\n'
    )
    assert main(["course", "grade", str(course.root), "--no-collect"]) == 1
    said = capsys.readouterr().err
    assert "the gradebook at postgresql+psycopg2://me:***@127.0.0.1:1/none cannot be opened" in said
    assert "hidden" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("stop_at", ["bob", "carl"])
def test_an_interruption_while_rebuilding_loses_nothing(course, monkeypatch, capsys, stop_at):
    """What was handed in stays what it was: a rebuilt copy is never taken for a new submission."""
    from grader.gradebook import prepare

    pretend_to_grade(monkeypatch)
    for student in ("ada", "bob", "carl"):
        hand_in(course, student, b"{ broken", extra={"notes.txt": b"mine"})
    real = prepare._rebuilt

    def interrupted(raw, released):
        if raw.name == stop_at:
            raise KeyboardInterrupt
        return real(raw, released)

    monkeypatch.setattr(prepare, "_rebuilt", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(course)
    monkeypatch.setattr(prepare, "_rebuilt", real)
    assert run(course) == 0
    assert run(course) == 0
    said = capsys.readouterr().out
    for student in ("ada", "bob", "carl"):
        assert (course.collected / student / "report.ipynb").read_bytes() == b"{ broken"
        assert (course.collected / student / "notes.txt").read_bytes() == b"mine"
        assert said.count(f"{student}: report.ipynb: cannot be read") == 2


def test_without_its_state_a_run_still_knows_its_own_copies(course, monkeypatch):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", b"{ broken", extra={"notes.txt": b"mine"})
    assert run(course) == 0
    (course.state / "prepared.json").unlink()
    assert run(course) == 0
    assert (course.collected / "ada" / "report.ipynb").read_bytes() == b"{ broken"


@pytest.mark.parametrize("fault", ["the disk is full", ""], ids=["stopped", "left out"])
def test_a_marking_that_failed_leaves_no_old_result_to_new_code(course, monkeypatch, capsys, fault):
    pretend_to_grade(monkeypatch, {"ada": passed})
    hand_in(course, "ada", notebook(course))
    hand_in(course, "bob", notebook(course))
    assert run(course) == 0
    shutil.rmtree(course.submitted("ada"))
    hand_in(course, "ada", notebook(course), extra={"part1/utils.py": b"# worse\n"})
    pretend_to_grade(monkeypatch, skip=["ada", "bob"], fault=fault)
    capsys.readouterr()
    assert run(course) == 1
    said = capsys.readouterr().out
    assert "grading/ada/results.json: is out of date" in said
    assert "bob" not in said.partition("The gradebook is not complete")[2]
    assert "The gradebook is complete" not in said
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert scores(course, "ada")["q1-7-kld"].auto == 0.75


def test_feedback_is_not_to_be_given_out_while_answers_wait(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    said = capsys.readouterr().out
    assert "answers wait for a person in 1 submission" in said
    assert "The gradebook is complete" not in said
    assert "the answers that wait count 0: when they are marked, run this again" in said
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for grade in gradebook.find_submission_notebook("report", ASSIGNMENT, "ada").grades:
            if grade.needs_manual_grade:
                grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    assert run(course) == 0
    assert "The gradebook is complete" in capsys.readouterr().out


def test_an_extension_for_nobody_is_named(course, monkeypatch, capsys):
    course.policy.write_text('due = "2027-12-09 23:59"\n[extensions]\nada = 1\nadda = 2\n')
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    assert "late.toml: extensions for adda, who handed in nothing" in capsys.readouterr().out


def test_a_run_that_failed_never_says_that_all_is_complete(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch, fault="the disk is full")
    hand_in(course, "ada", notebook(course))
    assert run(course) == 1
    said = capsys.readouterr().out
    assert "The gradebook is complete" not in said
    assert "marking ended with status 1" in said


def test_without_a_roster_latecomers_are_added_too(course, monkeypatch, capsys):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    hand_in(course, "bob", notebook(course))
    assert run(course) == 0
    assert scores(course, "bob")["q1-7-kld"].auto == 0.75
    roster(course, "carl")  # from here on there is a roster
    hand_in(course, "eve", notebook(course))
    assert run(course) == 1
    assert "eve: is not on the roster" in capsys.readouterr().out


def released_feedback(course) -> list[str]:
    """The texts of all pages that `nbgrader release_feedback` gives out."""
    from nbgrader.apps import ReleaseFeedbackApp

    with inside(course):
        app = ReleaseFeedbackApp()
        app.initialize([ASSIGNMENT])
        app.start()
    folder = exchange(course) / "dgm" / "feedback"
    return [path.read_text() for path in folder.glob("*.html")]


def test_feedback_is_given_out_whatever_a_submission_lacks(course, monkeypatch):
    """nbgrader's command ends at the first student without a time or a secret, which students can remove."""
    pretend_to_grade(monkeypatch)
    (exchange(course) / "dgm" / "feedback").mkdir(parents=True)
    hand_in(course, "ada", notebook(course), time=None)
    hand_in(course, "bob", notebook(course), extra={"submission_secret.txt": b"\xff\xfe"})
    hand_in(course, "carl", notebook(course), extra={"submission_secret.txt": b"a secret of carl"})
    hand_in(course, "dora", notebook(course), extra={"submission_secret.txt": b""})
    assert run(course, feedback=True) == 0
    assert len(released_feedback(course)) == 4
    assert len(released_feedback(course)) == 4  # again under the same names


def test_feedback_that_formgrader_writes_can_be_given_out(course, monkeypatch):
    """Its button *Generate Feedback* makes each student's folder anew."""
    pretend_to_grade(monkeypatch)
    (exchange(course) / "dgm" / "feedback").mkdir(parents=True)
    for student in ("ada", "bob"):
        hand_in(course, student, notebook(course), time=None)
    assert run(course, feedback=True) == 0
    before = released_feedback(course)
    assert len(before) == 2
    with inside(course) as config:
        directory = steps.course_directory(config)
        done = NbGraderAPI(directory, config=config).generate_feedback(ASSIGNMENT)
    assert done["success"], done
    assert len(released_feedback(course)) == 2  # under the names that students look for


@pytest.fixture
def change_rubric(tmp_path):
    """Let the whole kit read a changed rubric."""
    plain = load_rubric.__wrapped__
    before = plain.__defaults__

    def change(*replacements: tuple[str, str]) -> None:
        text = before[0].read_text()
        for old, new in replacements:
            assert text.count(old) == 1
            text = text.replace(old, new)
        file = tmp_path / "rubric.toml"
        file.write_text(text)
        plain.__defaults__ = (file,)
        load_rubric.cache_clear()

    yield change
    plain.__defaults__ = before
    load_rubric.cache_clear()


def test_manual_marks_outlive_a_change_of_the_rubrics_points(course, monkeypatch, capsys, change_rubric):
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for name, points in (("q1-1", 1.5), ("q1-7-bpd", 0.25)):
            grade = gradebook.find_grade(name, "report", ASSIGNMENT, "ada")
            grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.find_comment("q1-1", "report", ASSIGNMENT, "ada").manual_comment = "Good."
        gradebook.db.commit()
    change_rubric(
        ('id = "1.1"\npoints = 2', 'id = "1.1"\npoints = 3'),
        ('id = "1.7.kld"\npoints = 1.5', 'id = "1.7.kld"\npoints = 2'),
    )
    assert load_rubric()["1.7.kld"].points == 2
    pretend_to_grade(monkeypatch)
    assert run(course) == 1
    assert "run python -m grader course update" in capsys.readouterr().out
    assert main(["course", "update", str(course.root)]) == 0
    assert "nbgrader generate_assignment a3 --force" in capsys.readouterr().out
    generate(course, force=True)
    assert run(course) == 0
    grades = scores(course, "ada")
    assert (grades["q1-1"].manual, grades["q1-1"].waits, grades["q1-1"].worth) == (1.5, False, 3)
    assert (grades["q1-7-kld"].auto, grades["q1-7-kld"].worth) == (1.0, 2)
    assert (grades["q1-7-bpd"].manual, grades["q1-7-bpd"].waits) == (0.25, False)
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        assert gradebook.find_comment("q1-1", "report", ASSIGNMENT, "ada").comment == "Good."
        assert gradebook.find_assignment(ASSIGNMENT).max_score == 65.5


@pytest.mark.parametrize("error", [steps.NbGraderFault("ada: disk full"), KeyboardInterrupt()])
def test_marks_stay_settled_when_entering_them_again_fails(course, monkeypatch, error):
    """Where nbgrader fails it removes what it makes; the earlier one is shown and compared with."""
    pretend_to_grade(monkeypatch)
    hand_in(course, "ada", notebook(course))
    assert run(course) == 0
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        grade = gradebook.find_grade("q1-1", "report", ASSIGNMENT, "ada")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    real = steps._convert

    def fail(*arguments):
        shutil.rmtree(course.root / steps.ENTERING / "ada", ignore_errors=True)
        raise error

    pretend_to_grade(monkeypatch, {"ada": passed})
    monkeypatch.setattr(steps, "_convert", fail)
    if isinstance(error, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            run(course)
    else:
        assert run(course) == 1
        assert (course.autograded("ada") / "report.ipynb").is_file()
    monkeypatch.setattr(steps, "_convert", real)
    assert run(course) == 0
    grades = scores(course, "ada")
    assert (grades["q1-1"].manual, grades["q1-1"].waits) == (1.5, False)
    assert grades["q1-7-kld"].auto == 1.5
    assert not (course.state / "autograded" / "ada").exists()
