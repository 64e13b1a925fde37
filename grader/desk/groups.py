"""Answers that can be marked together: blank, identical and nearly identical ones.

Each group has one answer that leads it, and every other is at least as alike to that one as the setting says:
whoever reads the leader has read them all. Likeness is that of the texts, as rapidfuzz measures it; answers
with different pictures never stand together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from grader.desk.answers import Answer

SHORT = 40  # characters below which only identical answers stand together
COPIED = 90  # percent from which on an answer is pointed out as a copy
COPY_LENGTH = 120  # characters below which two answers may well be alike by chance

_MARKUP = re.compile(r"[\\*_`#>$~{}()\[\],;:.!?\"'-]+")


@dataclass(frozen=True)
class Group:
    """Answers that stand together.

    Attributes:
        leader: the student whose answer is shown.
        members: all students, the leader first.
        blank: whether they are blank.
        likeness: of the member least like the leader, in percent.
    """

    leader: str
    members: tuple[str, ...]
    blank: bool
    likeness: int


@dataclass(frozen=True)
class Copy:
    """Something that an answer is nearly the same as.

    Attributes:
        likeness: in percent.
        other: the student whose answer it is; empty for the model answer.
    """

    likeness: int
    other: str


@dataclass(frozen=True)
class Groups:
    """The groups of a question.

    Attributes:
        groups: all, those of a single answer too, the largest first.
        long: the normalised texts that are too long to be alike by chance, by student.
        model: the normalised model answer.
    """

    groups: tuple[Group, ...]
    long: Mapping[str, str]
    model: str

    def of(self, student: str) -> Group | None:
        """The group that a student's answer stands in."""
        return next((group for group in self.groups if student in group.members), None)

    def copies_of(self, student: str) -> tuple[Copy, ...]:
        """What a student's answer is nearly the same as, the most alike first.

        Found for one answer at a time: for 300 long ones it takes seconds, in which nobody could mark.
        """
        text = self.long.get(student)
        if text is None:
            return ()
        likeness = int(_likeness_to_model(text, self.model)) if self.model else 0
        copies = [Copy(likeness, "")] if likeness >= COPIED else []
        # In the order of the students: the one that extract gives depends on fractions of a percent.
        for _, alike, other in process.extract_iter(text, self.long, scorer=fuzz.ratio, score_cutoff=COPIED):
            if other != student:
                copies.append(Copy(int(alike), other))
        return tuple(sorted(copies, key=lambda one: -one.likeness))


def normalised(text: str) -> str:
    """A text without what does not change its meaning: case, blanks, marks of Markdown and of sentences."""
    return " ".join(_MARKUP.sub(" ", text.casefold()).split())


def find_groups(
    answers: Mapping[str, Answer],
    figures: Mapping[str, str],
    order: Sequence[str],
    alike: int,
    apart: AbstractSet[str] = frozenset(),
    model: str = "",
) -> Groups:
    """Put a question's answers into groups.

    Args:
        answers: by student.
        figures: digest of the figures that belong to the question, by student; "" for none.
        order: all students; of a group the first one leads.
        alike: from which likeness on answers stand together, in percent.
        apart: students whose answers stand alone.
        model: the model answer.
    """
    texts = {student: normalised(answers[student].source) for student in order}
    # What has to be the same: pictures that were pasted, and figures.
    same = {
        student: (figures[student], answers[student].digest if answers[student].pictures else "")
        for student in order
    }
    members: dict[str, list[str]] = {}
    likeness: dict[str, int] = {}
    leaders: dict[tuple[str, str], list[str]] = {}
    first_of: dict[tuple[str, tuple[str, str]], str] = {}
    for student in order:
        blank = answers[student].blank
        text = "" if blank else texts[student]
        found, score = "", 100
        if student not in apart:
            found = first_of.get((text, same[student]), "")
            if not found and not blank and len(text) >= SHORT:
                found, score = _nearest(text, leaders.get(same[student], []), texts, alike)
        if found:
            members[found].append(student)
            likeness[found] = min(likeness[found], score)
        else:
            members[student], likeness[student] = [student], 100
        if student in apart:
            continue
        if not found:
            if len(text) >= SHORT and not blank:
                leaders.setdefault(same[student], []).append(student)
            first_of[text, same[student]] = student
    groups = [
        Group(leader, tuple(group), answers[leader].blank, likeness[leader])
        for leader, group in members.items()
    ]
    groups.sort(key=lambda group: -len(group.members))  # stable: within a size in the order of `order`
    long = {
        student: text
        for student, text in texts.items()
        if len(text) >= COPY_LENGTH and not answers[student].blank
    }
    return Groups(tuple(groups), long, normalised(model))


def _nearest(text: str, leaders: list[str], texts: Mapping[str, str], alike: int) -> tuple[str, int]:
    """The leader most like a text, and how much; "" where none is enough."""
    if not leaders:
        return "", 0
    best = process.extractOne(
        text, [texts[leader] for leader in leaders], scorer=fuzz.ratio, score_cutoff=alike
    )
    return (leaders[best[2]], int(best[1])) if best else ("", 0)


def _likeness_to_model(text: str, model: str) -> float:
    """How much of an answer stands in the model answer, which usually says more; 0 where that is little."""
    scorer = fuzz.partial_ratio if len(text) < len(model) else fuzz.ratio
    return scorer(text, model, score_cutoff=COPIED)  # four times as fast as without
