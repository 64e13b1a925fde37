"""From what was handed in to the gradebook: everything that `make grade COURSE=...` does.

Collect, rebuild each notebook, mark the code in the box, enter the marks, compare, write the feedback. A
student for whom a step fails is named and never lost: what they handed in is in `collected/`, and the exit
status is 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from grader.errors import INTERRUPTED, GraderFault, GraderUsageError
from grader.gradebook import state, steps
from grader.gradebook.counted import settle
from grader.gradebook.course import ASSIGNMENT, NOTEBOOK, Course, require_release
from grader.gradebook.course_run import course_run
from grader.gradebook.exports.marks import draw_whole_marks, marks_of
from grader.gradebook.hand_in_times import time_notes
from grader.gradebook.hand_ins import Sharing
from grader.gradebook.inject import current_result, graded_digest, guides_digest
from grader.gradebook.late import LatePolicy, read_policy
from grader.gradebook.late_plugin import (
    deadline_of,
    deadline_told,
    enter_deadlines,
    enter_extension,
    lateness_told,
    refresh_penalties,
)
from grader.gradebook.prepare import SECRET, TIMESTAMP, prepare
from grader.gradebook.progress import follow, say
from grader.gradebook.reconcile import reconcile
from grader.gradebook.results import UnusableResult, results_path
from grader.gradebook.senders import collected_notes
from grader.gradebook.shared import find_shared, groups_of
from grader.gradebook.shared_answers import copy_by_hand
from grader.grading.options import GradingOptions
from grader.grading.results import Results
from grader.marking.result import SubmissionResult
from grader.terminal.grading import grade_in_terminal
from grader.text import counted, listed, printable

if TYPE_CHECKING:
    from traitlets.config import Config

    from grader.gradebook.hand_ins import HandIn


@dataclass(frozen=True)
class Options:
    """How a course is to be graded.

    Attributes:
        grading: how to mark the code in `collected/`; without a seed it is the course's own.
        details: show the failed checks, which formgrader and the feedback show too.
        collect: fetch from the exchange first.
        feedback: write the feedback pages at the end.
    """

    grading: GradingOptions
    details: bool = False
    collect: bool = True
    feedback: bool = True


@dataclass
class Report:
    """What a person has to look at after a course was graded.

    Attributes:
        look: students with the reasons.
        faults: what keeps the gradebook from being right and complete.
        remarks: about the course as a whole.
        to_grade: how many submissions have answers that wait for a person.
    """

    look: dict[str, list[str]]
    faults: list[str]
    remarks: list[str]
    to_grade: int = 0


def run(course: Course, options: Options) -> int:
    """Grade a course, from what was handed in to the feedback.

    Returns:
        The exit status: 0 only when every submission is in the gradebook, with the points of its result.

    Raises:
        GraderUsageError: the course is not ready: no release, no submission, an invalid policy, another run.
        GraderFault: a step failed for all.
    """
    require_release(course)
    policy = read_policy(course.policy)
    report = Report({}, [], [])
    with course_run(course) as config, steps.logged(course):
        with steps.open_gradebook(config) as gradebook:
            due, told = deadline_of(gradebook, policy), deadline_told(gradebook, policy)
            sharing = Sharing(groups_of(course, gradebook), policy.attempts)
        say(told)
        if options.collect:
            report.remarks, report.faults = steps.collect(course, config)
        submissions, remarks = prepare(course, sharing)
        report.remarks += remarks
        with steps.open_gradebook(config) as gradebook:
            shared = find_shared(course, gradebook, sharing)
        by_itself = {one.student: one.notes for one in submissions if one.student not in shared.students}
        everyone = sorted([*by_itself, *shared.students])
        if not everyone:
            kind = GraderFault if report.faults else GraderUsageError
            raise kind(_nothing(course, [*report.faults, *report.remarks]))
        hand_ins = counted(len(by_itself) + len(shared.marked), "submission")
        say(f"collected {hand_ins}, and rebuilt the notebooks")
        oddities = collected_notes(course)
        for student in everyone:
            report.look[student] = [*oddities.get(student, ()), *by_itself.get(student, ())]
        for student, reason in shared.proposals.waiting.items():
            report.look.setdefault(student, []).append(f"waits: {reason}")
        for student, notes in shared.proposals.notes.items():
            report.look.setdefault(student, []).extend(notes)
        students = _on_roster(course, config, everyone, report)
        marked = [*by_itself, *shared.marked]
        graded = _mark(course, options)
        _tie_results(course, {one.submission for one in graded.submissions}.intersection(marked))
        if graded.interrupted:
            return INTERRUPTED
        settled = settle(course, shared.everyone, policy, shared.proposals.waiting)
        report.remarks += settled.remarks
        report.faults += settled.faults
        for student, notes in settled.notes.items():
            report.look[student] += notes
        if due is not None:
            _tell_times(course, everyone, settled.sources, policy, report)
        results = _current_results(course, everyone, report)
        entered = _enter(
            course, config, [student for student in students if student in results], policy, report
        )
        with steps.open_gradebook(config) as gradebook:
            report.remarks += copy_by_hand(course, gradebook, settled.sources)
        _compare(config, results, everyone, policy, report)
        with steps.open_gradebook(config) as gradebook:
            draw_whole_marks(course, marks_of(gradebook, policy))
        if options.feedback:
            _write_feedback(course, config, entered, report)
    if graded.status and not report.faults:
        report.faults.append(f"marking ended with status {graded.status}, see above; run it again")
    _tell(course, report)
    return 1 if report.faults or graded.status else 0


def _tell_times(
    course: Course,
    students: Sequence[str],
    sources: Mapping[str, HandIn],
    policy: LatePolicy,
    report: Report,
) -> None:
    """Say where lateness hangs on what only the student tells, or on nothing at all."""
    origins = {student: (source.owner, source.folder) for student, source in sources.items()}
    notes, remarks = time_notes(course, students, policy.zone, origins)
    report.remarks += remarks
    for student, note in notes.items():
        report.look[student].append(note)


def _nothing(course: Course, remarks: Sequence[str]) -> str:
    return (
        f"{printable(str(course.root))}: there are no submissions yet, in the exchange or in submitted/"
        + (f" ({'; '.join(remarks)})" if remarks else "")
    )


def _on_roster(course: Course, config: Config, students: list[str], report: Report) -> list[str]:
    """The students whose marks may be entered. A course without a roster gets one from its submissions."""
    added = state.load(course, state.ROSTER)
    with steps.open_gradebook(config) as gradebook:
        roster = {student.id for student in gradebook.students}
        if roster <= added.keys():  # nobody but we has put anyone on it
            new = [student for student in students if student not in roster]
            state.save(course, state.ROSTER, added | dict.fromkeys(new, "no roster"))
            for student in new:
                gradebook.add_student(student)
            if new:
                report.remarks.append(
                    f"the course has no roster: {listed(new, 10)} handed in something, and came on it"
                )
            return students
    for student in students:
        if student not in roster:
            report.look[student].append(
                f"is not on the roster; the marks are in grading/{student}, not in the gradebook. Either "
                f"nbgrader db student add {student}, or rename collected/{ASSIGNMENT}/{student}"
            )
    return [student for student in students if student in roster]


def _mark(course: Course, options: Options) -> Results:
    """Mark the code, as `python -m grader grade` does."""
    grading = options.grading
    seed = (course.state / "seed").read_text().strip() if (course.state / "seed").is_file() else ""
    if seed.isdigit() and grading.seed is None:
        grading = replace(grading, seed=int(seed))
    return grade_in_terminal(grading, details=options.details)


def _tie_results(course: Course, students: Iterable[str]) -> None:
    """Note which code each result was found for: an old result never comes to belong to new code.

    Args:
        course: the course.
        students: those for whom the marking has found a result or kept one that still holds, whether or not
            it came to its end.
    """
    graded = state.load(course, state.GRADED)
    for student in sorted(students):
        graded[student] = graded_digest(course, student)
    state.save(course, state.GRADED, graded)


def _current_results(course: Course, students: Sequence[str], report: Report) -> dict[str, SubmissionResult]:
    """The results that hold, after the code was marked; the others are faults, and will be found anew."""
    graded = state.load(course, state.GRADED)
    results = {}
    for student in students:
        try:
            results[student] = current_result(course, student)
        except UnusableResult as error:
            report.faults.append(str(error))
            if graded.get(student) != graded_digest(course, student):
                results_path(course.results, student).unlink(missing_ok=True)  # of other code
    return results


def _enter(
    course: Course, config: Config, students: Sequence[str], policy: LatePolicy, report: Report
) -> list[str]:
    """Let nbgrader take the marks of everyone for whom something has changed.

    Returns:
        The students who are in the gradebook now.
    """
    from nbgrader.api import MissingEntry

    entered = state.load(course, state.ENTERED)
    with steps.open_gradebook(config) as gradebook:
        try:
            gradebook.find_assignment(ASSIGNMENT)
        except MissingEntry as error:
            raise GraderUsageError(
                f"the gradebook has no assignment {ASSIGNMENT}; run in the course's folder: "
                f"nbgrader generate_assignment {ASSIGNMENT}"
            ) from error
        enter_deadlines(gradebook, policy)
        strangers = sorted(set(policy.extensions) - {student.id for student in gradebook.students})
        if strangers:
            report.remarks.append(
                f"{course.policy.name}: extensions for {listed(strangers, 10)}, who handed in nothing and "
                "are on no roster: is the id right?"
            )
        known = {submission.student_id for submission in gradebook.assignment_submissions(ASSIGNMENT)}
    digests = {student: _entry_digest(course, student) for student in students}
    waiting = [
        student
        for student in students
        if student not in known
        or entered.get(student) != digests[student]
        or not (course.autograded(student) / f"{NOTEBOOK}.ipynb").is_file()
    ]
    failed = set()
    for student in follow("Entering marks", waiting):
        with steps.open_gradebook(config) as gradebook:
            enter_extension(gradebook, policy, student)
        try:
            steps.autograde(course, config, student)
            entered[student] = digests[student]
        except steps.NbGraderFault as error:
            failed.add(student)
            entered.pop(student, None)
            report.faults.append(str(error))
        state.save(course, state.ENTERED, entered)
    return [student for student in students if student not in failed]


def _entry_digest(course: Course, student: str) -> str:
    """Everything that nbgrader makes a student's marks and notebook of."""
    submitted = course.submitted(student)
    files = sorted(
        path for path in submitted.rglob("*") if path.is_file() and path.name not in (TIMESTAMP, SECRET)
    )
    names = "\n".join(path.relative_to(submitted).as_posix() for path in files)
    return state.digest(
        state.file_digest(*files, submitted / TIMESTAMP, results_path(course.results, student)).encode(),
        names.encode(),
        guides_digest().encode(),
    )


def _compare(
    config: Config,
    results: dict[str, SubmissionResult],
    students: Sequence[str],
    policy: LatePolicy,
    report: Report,
) -> None:
    with steps.open_gradebook(config) as gradebook:
        refresh_penalties(gradebook, policy)
        report.remarks += lateness_told(gradebook, policy)
        found = reconcile(gradebook, results, students)
    report.faults += [line for line in found.mismatches if line not in report.faults]
    agreed = "agree with the results" if not found.mismatches else "were compared with the results"
    say(f"{found.compared} scores of {counted(len(students), 'submission')} {agreed}")
    report.to_grade = len(found.to_grade)
    if found.to_grade:
        waiting = counted(len(found.to_grade), "submission")
        report.remarks.append(f"answers wait for a person in {waiting}: make desk COURSE=..., or formgrader")
    absent = [student for student in found.absent if student not in report.look]
    if absent:
        report.remarks.append(f"{len(absent)} on the roster handed in nothing: {listed(absent, 10)}")


def _write_feedback(course: Course, config: Config, students: Sequence[str], report: Report) -> None:
    for student in follow("Writing feedback", students):
        try:
            steps.feedback(course, config, student)
        except steps.NbGraderFault as error:
            report.faults.append(f"no feedback for {error}")


def _tell(course: Course, report: Report) -> None:
    for remark in report.remarks:
        say(f"note: {remark}")
    look = {student: notes for student, notes in report.look.items() if notes}
    if look:
        where = f"what was handed in is in collected/{ASSIGNMENT}"
        say(f"A look is needed at {counted(len(look), 'submission')}; {where}:")
        for student, notes in look.items():
            for note in notes:
                say(f"  {student}: {note}")
    if report.faults:
        say(f"The gradebook is not complete, for {len(report.faults)} reasons:")
        for fault in report.faults:
            say(f"  {fault}")
    elif report.to_grade:
        say(
            "All automatic marks are in the gradebook. On the pages in feedback/ the answers that wait count "
            "0: when they are marked, run this again, and then give the pages out with: "
            f"nbgrader release_feedback {ASSIGNMENT}"
        )
    else:
        say(
            "The gradebook is complete. Feedback pages are in feedback/; give them out with: "
            f"nbgrader release_feedback {ASSIGNMENT}"
        )
    if (course.state / "nbgrader.log").is_file():
        say("nbgrader's log: state/nbgrader.log")
