"""What the instructor decides for all who mark in a course."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, select

from grader.desk.rubric_items import question_of
from grader.desk.scoring import NotValid
from grader.desk.tables import SETTINGS
from grader.desk.upsert import upsert

BY_QUESTION, BY_STUDENT = "question", "student"
MOST_MARKERS = 50
MOST_NAME = 80


@dataclass(frozen=True)
class Settings:
    """The choices, with what holds until somebody makes others.

    Attributes:
        names_shown: whether markers see whose answer it is.
        marks_shown: whether markers see each other's marks; never those that they are to read blind.
        second_share: the share of the answers that a second marker reads blind.
        alike: from which likeness on answers stand in one group, in percent.
        instructors: who may change this; empty: everyone who marks. Those who are named see all marks.
        split: "question", "student" or empty: who marks what.
        markers: among whom students are split.
        questions: cell -> who marks it.
    """

    names_shown: bool = False
    marks_shown: bool = True
    second_share: float = 0.1
    alike: int = 92
    instructors: tuple[str, ...] = ()
    split: str = ""
    markers: tuple[str, ...] = ()
    questions: tuple[tuple[str, str], ...] = ()

    def may_change(self, marker: str) -> bool:
        """Whether somebody may change the settings."""
        return not self.instructors or marker in self.instructors

    def owner_of(self, cell: str) -> str:
        """Who marks a question, where questions are split."""
        return dict(self.questions).get(cell, "") if self.split == BY_QUESTION else ""

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return asdict(self) | {"questions": dict(self.questions)}


def read_settings(connection: Connection) -> Settings:
    """The course's choices. What a later version has written besides is passed over."""
    known = {field.name for field in fields(Settings)}
    values: dict[str, Any] = {}
    for name, text in connection.execute(select(SETTINGS.c.name, SETTINGS.c.value)):
        if name in known:
            value = json.loads(text)
            if name == "questions":
                value = tuple(value.items())
            values[name] = tuple(value) if isinstance(value, list) else value
    return replace(Settings(), **values)


def write_settings(connection: Connection, changes: dict[str, Any]) -> Settings:
    """Change some of the choices.

    Raises:
        NotValid: one of them cannot be.
    """
    for name, value in changes.items():
        if name not in _CHECKS:
            raise NotValid(f"there is no setting {name}")
        upsert(connection, SETTINGS, {"name": name}, {"value": json.dumps(_CHECKS[name](value))})
    return read_settings(connection)


def marker_name(value: object) -> str:
    """Somebody's name as it was typed, on one line.

    Raises:
        NotValid: it is none.
    """
    if not isinstance(value, str):
        raise NotValid("a name is a text")
    name = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    if not name or len(name) > MOST_NAME:
        raise NotValid(f"a name has 1 to {MOST_NAME} characters")
    return name


def _share(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value <= 1:  # type: ignore[arg-type,operator]
        raise NotValid("the share of second readings is between 0 and 100%")
    return float(value)  # type: ignore[arg-type]


def _alike(value: object) -> int:
    if type(value) is not int or not 70 <= value <= 100:
        raise NotValid("answers stand in one group from 70 to 100% likeness on")
    return value


def _flag(value: object) -> bool:
    if type(value) is not bool:
        raise NotValid("this is yes or no")
    return value


def _names(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_MARKERS:
        raise NotValid(f"these are at most {MOST_MARKERS} names")
    return list(dict.fromkeys(marker_name(one) for one in value))


def _split(value: object) -> str:
    if value not in ("", BY_QUESTION, BY_STUDENT):
        raise NotValid("work is split by question, by student, or not at all")
    return str(value)


def _questions(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(question_of(str(cell)) for cell in value):
        raise NotValid("these are not questions that a person marks")
    return {str(cell): marker_name(name) for cell, name in value.items() if name}


_CHECKS = {
    "names_shown": _flag,
    "marks_shown": _flag,
    "second_share": _share,
    "alike": _alike,
    "instructors": _names,
    "split": _split,
    "markers": _names,
    "questions": _questions,
}
