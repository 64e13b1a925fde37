"""Finds a student across all questions: by name where names are shown, by an answer's number in any case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grader.desk.desk import Question
from grader.desk.grades import Standing

MOST_TYPED = 200  # characters
_NUMBER = re.compile(
    r"(?:(?:question\s+)?(?P<question>\d[\w.]*)[\s,:]+)?(?:answer\s+)?#?(?P<number>\d{1,6})", re.IGNORECASE
)


@dataclass(frozen=True)
class Hit:
    """Somebody who was found.

    Attributes:
        answer: nbgrader's id of their notebook; it names no student.
        label: how to call them.
    """

    answer: str
    label: str


def find(found: Sequence[Question], names: dict[str, str] | None, typed: str) -> list[Hit]:
    """Whom somebody may mean.

    Args:
        found: all questions.
        names: how to call each student; None where names are hidden, and then no name finds anybody.
        typed: a name, an id, or the number of an answer, with its question or without.
    """
    wanted = typed[:MOST_TYPED].strip()
    hits = list(_by_number(found, names, wanted))
    if names is not None and wanted:
        words = _plain(wanted).split()
        answers = {one.student: one.answer for question in found for one in question.standings.values()}
        called = {student: names.get(student, student) for student in answers}
        for student, name in sorted(called.items(), key=lambda one: _plain(one[1])):
            if all(word in _plain(name) for word in words):
                hits.append(Hit(answers[student], name))
    return list({(hit.answer, hit.label): hit for hit in hits}.values())


def _by_number(found: Sequence[Question], names: dict[str, str] | None, wanted: str) -> Iterator[Hit]:
    match = _NUMBER.fullmatch(wanted)
    if match is None:
        return
    number, of = int(match["number"]), match["question"]
    for question in found:
        if of and question.item.id.casefold() != of.casefold():
            continue
        everyone: list[Standing] = list(question.standings.values())
        if 1 <= number <= len(everyone):
            one = everyone[number - 1]
            label = f"{question.item.id}, answer {number}"
            if names is not None:
                label = f"{names.get(one.student, one.student)}: {label}"
            yield Hit(one.answer, label)


def _plain(text: str) -> str:
    """Without accents, in small letters: Müller is found by muller."""
    split = unicodedata.normalize("NFKD", text)
    return "".join(char for char in split if not unicodedata.combining(char)).casefold()
