"""Which hand-in counts for whom, where several could, or one counts for several; and makes it theirs.

nbgrader has one submission for each student. So every member of a group gets a copy of the one that counts:
in `submitted/`, and of its result in `grading/`, under their own name. It was marked once.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from grader.errors import GraderFault
from grader.files import write_atomically
from grader.gradebook import state
from grader.gradebook.course import Course
from grader.gradebook.groups import Group, Groups
from grader.gradebook.hand_in_times import read_stamp
from grader.gradebook.hand_ins import HandIn, hand_ins
from grader.gradebook.inject import graded_digest
from grader.gradebook.late import BEST, LatePolicy, clock
from grader.gradebook.prepare import prepare_one, read_released
from grader.gradebook.results import UnusableResult, read_result, results_path
from grader.marking.result import SubmissionResult
from grader.marking.result_json import result_from_json
from grader.report.decisions import FILE_NAME as DECISIONS_FILE
from grader.report.decisions import carried_over
from grader.report.marks_csv import number
from grader.report.pages import write_pages
from grader.report.results_json import result_bytes
from grader.report.whole_folder import write_all_marks
from grader.text import listed, printable


@dataclass(frozen=True)
class Candidates:
    """What may count, for one student or for all of a group.

    Attributes:
        students: for whom.
        hand_ins: theirs, and their group's.
        group: that of the students.
    """

    students: tuple[str, ...]
    hand_ins: tuple[HandIn, ...]
    group: Group | None = None


@dataclass(frozen=True)
class Chosen:
    """The hand-in that counts.

    Attributes:
        hand_in: it.
        told: what to say about it, to the student and to the staff.
        review: why a person has to look at it first; empty where nobody has to.
    """

    hand_in: HandIn
    told: str
    review: str = ""


@dataclass
class Settled:
    """What became of the hand-ins.

    Attributes:
        sources: student -> the hand-in that counts.
        notes: student -> what a person should look at.
        remarks: which of several counts.
        faults: hand-ins without a result that holds.
    """

    sources: dict[str, HandIn]
    notes: dict[str, list[str]]
    remarks: list[str]
    faults: list[str]


def candidates(course: Course, groups: Groups) -> list[Candidates]:
    """Everyone with numbered hand-ins, of their own or of their group's."""
    found = {owner: theirs for owner, theirs in hand_ins(course).items() if theirs[0].number}
    everyone: list[Candidates] = []
    for group in groups.groups:
        theirs = [one for owner in (*group.members, group.folder) for one in found.pop(owner, ())]
        if theirs:
            everyone.append(
                Candidates(group.members, tuple(theirs), group if len(group.members) > 1 else None)
            )
    return everyone + [Candidates((owner,), tuple(theirs)) for owner, theirs in found.items()]


def settle(
    course: Course, everyone: Sequence[Candidates], policy: LatePolicy, waiting: Mapping[str, str]
) -> Settled:
    """Choose the hand-in that counts, and give every student their copy of it and of its result.

    Args:
        course: the course, in which all hand-ins were marked.
        everyone: who has which.
        policy: says which counts.
        waiting: by student, why a person has to look first.

    Raises:
        GraderFault: a folder cannot be read or written.
    """
    settled = Settled({}, {}, [], [])
    counted: dict[str, str] = {}
    graded: dict[str, str] = {}
    changed = False
    try:
        released = read_released(course) if everyone else None
        for one in everyone:
            results = _results(course, one.hand_ins, settled.faults)
            chosen = choose(one, results, policy)
            if len(one.hand_ins) > 1:
                settled.remarks.append(chosen.told)
            for student in one.students:
                assert released is not None
                notes = prepare_one(course, student, chosen.hand_in, released)
                review = "; ".join(filter(None, (waiting.get(student, ""), chosen.review)))
                settled.sources[student] = chosen.hand_in
                settled.notes[student] = [*filter(None, (chosen.review,)), *notes]
                counted[student] = f"{chosen.hand_in.name}\n{chosen.told}"
                changed |= _copy_result(course, student, chosen, review, chosen.hand_in.name in results)
                graded[student] = graded_digest(course, student)
        if counted or state.load(course, state.COUNTED):
            state.save(course, state.COUNTED, counted)
            state.save(course, state.GRADED, state.load(course, state.GRADED) | graded)
        if changed:
            _draw(course)
    except OSError as error:
        place = printable(str(error.filename or course.root))
        raise GraderFault(f"{place}: {error.strerror or error}") from error
    return settled


def _results(course: Course, theirs: Iterable[HandIn], faults: list[str]) -> dict[str, SubmissionResult]:
    """The results that hold, by hand-in; the others are faults, and will be found anew."""
    results, graded = {}, state.load(course, state.GRADED)
    for one in theirs:
        path = results_path(course.results, one.name)
        try:
            result = read_result(path, one.name)
            if graded.get(one.name) != graded_digest(course, one.name):
                path.unlink()
                raise UnusableResult(f"grading/{one.name}: is out of date; run make grade COURSE=... again")
            if not result.marked:
                faults.append(f"{one.name}: was not marked, through the grader's own fault")
            results[one.name] = result
        except UnusableResult as error:
            faults.append(str(error))
    return results


def choose(one: Candidates, results: Mapping[str, SubmissionResult], policy: LatePolicy) -> Chosen:
    """The latest hand-in, or the best by its automatic points, and of equal ones the latest.

    Where the latest cannot be told, since several have handed in and not all times are known, a person has to
    look: nothing is guessed.
    """
    times = {hand_in: read_stamp(hand_in.folder, [policy.zone]) for hand_in in one.hand_ins}
    points = {hand_in: results[hand_in.name].points for hand_in in one.hand_ins if hand_in.name in results}
    first = list(one.hand_ins)
    if policy.attempts == BEST and points:
        first = [hand_in for hand_in in points if points[hand_in] == max(points.values())]
    hand_in, review = _latest(first, times)
    return Chosen(hand_in, _told(one, hand_in, times, points, policy), review)


def _latest(theirs: Sequence[HandIn], times: Mapping[HandIn, datetime | None]) -> tuple[HandIn, str]:
    if all(times[one] is not None for one in theirs):
        return max(theirs, key=lambda one: (times[one] or datetime.min, one.number, one.owner)), ""
    # Without times, of one owner the attempt that came last to us.
    last = {one.owner: one for one in sorted(theirs)}
    chosen = last[min(last)]
    if len(last) == 1:
        return chosen, ""
    which = listed(one.name for one in last.values())
    return chosen, (
        f"{which} differ, and not all have a time, so that it is not known which is the latest: remove the "
        "others from collected/, or write a timestamp.txt into each"
    )


def _told(
    one: Candidates,
    chosen: HandIn,
    times: Mapping[HandIn, datetime | None],
    points: Mapping[HandIn, float],
    policy: LatePolicy,
) -> str:
    def title(hand_in: HandIn) -> str:
        owner = one.group.name if one.group and hand_in.owner == one.group.folder else hand_in.owner
        moment, about = times[hand_in], []
        if moment is not None:
            about.append(f"{clock(_here(moment, policy))} {policy.zone.key}")
        if policy.attempts == BEST and hand_in in points:
            about.append(f"{number(points[hand_in])} automatic points")
        behind = f" ({', '.join(about)})" if about else ""
        return f"attempt {hand_in.number} of {printable(owner)}{behind}"

    text = f"{title(chosen)} counts"
    if one.group is not None:
        text += f" for all of {printable(one.group.name)}: {listed(one.group.members, 20)}"
    others = [title(hand_in) for hand_in in one.hand_ins if hand_in != chosen]
    if others:
        text += f"; it is the {policy.attempts}, not {listed(others, 20)}"
    return text


def _here(moment: datetime, policy: LatePolicy) -> datetime:
    return moment.replace(tzinfo=UTC, microsecond=0).astimezone(policy.zone)


def _copy_result(course: Course, student: str, chosen: Chosen, review: str, holds: bool) -> bool:
    """Make the result of a hand-in a student's own; returns whether anything has changed."""
    source, target = results_path(course.results, chosen.hand_in.name), results_path(course.results, student)
    if not holds:
        target.unlink(missing_ok=True)  # it would be that of other code
        return False
    result = replace(result_from_json(source.read_bytes()), submission=student, hand_in=chosen.told)
    if review:
        items = (
            replace(item, review="; ".join(filter(None, (review, item.review)))) for item in result.items
        )
        result = replace(result, items=tuple(items))
    # What was decided of the hand-in is in its result; what was decided of this student alone comes on top.
    content = result_bytes(carried_over(target.parent, result))
    changed = not target.is_file() or target.read_bytes() != content
    if changed:
        for path in target.parent.iterdir() if target.parent.is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != DECISIONS_FILE:
                path.unlink()
        ignored = shutil.ignore_patterns(source.name, DECISIONS_FILE, ".*")
        shutil.copytree(source.parent, target.parent, ignore=ignored, dirs_exist_ok=True)
        write_atomically(target, content)
    return changed


def _draw(course: Course) -> None:
    """Write the table of marks and the pages anew, with the copies."""
    write_all_marks(course.results, [])
    write_pages(course.results)
