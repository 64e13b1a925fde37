"""What the pages get, as JSON: answers as harmless HTML, and nothing that names a student unasked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection

from grader.desk.clock import shown, zone_of
from grader.desk.desk import Desk, Question
from grader.desk.figures import pairs
from grader.desk.grades import Standing
from grader.desk.groups import Groups
from grader.desk.history import ELSEWHERE
from grader.desk.scoring import RubricItem, comment_of
from grader.desk.work import Task
from grader.evidence.facts import read_evidence
from grader.evidence.words import for_item
from grader.gradebook.safe_html import render
from grader.questions import load_questions
from grader.release.answers import load_answers
from grader.release.notebook import EMPTY_ANSWER

MOST_PAGES = 600  # answers whose HTML is kept
BLANK = "<p class='blank'>Nothing was answered here.</p>"


class Pages:
    """The HTML of answers, rendered once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str, str], list[str]] = OrderedDict()

    def of(self, desk: Desk, student: str, cell: str, digest: str) -> list[str]:
        """An answer as HTML, piece by piece: what stands in its cell, then what stands beside it."""
        key = (student, cell, digest)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        folder = desk.book.notebook(student).parent
        found = [
            BLANK
            if piece.source.strip() in ("", EMPTY_ANSWER) and not piece.attachments
            else render(piece.source, piece.attachments, folder)
            for piece in desk.book.pieces(student, cell)
        ] or [BLANK]
        with self._lock:
            self._known[key] = found
            while len(self._known) > MOST_PAGES:
                self._known.popitem(last=False)
        return found


def question_view(question: Question) -> dict[str, Any]:
    """A question with its guide and rubric."""
    texts, guide = load_questions(), load_answers().get(question.item.id)
    text = texts.of(question.item)
    asked = "\n\n".join(filter(None, (text.reminder, text.text)))
    if question.item.id != question.item.question:  # one of several items: what they share comes first
        shared = texts.questions[question.item.question]
        asked = "\n\n".join(filter(None, (shared.reminder, shared.text, asked)))
    model = "\n\n".join((guide.text, *guide.choices)) if guide else ""
    return {
        "id": question.item.id,
        "cell": question.cell,
        "title": question.item.title,
        "worth": question.item.points,
        "asked": render(asked),
        "model": render(model) if model else "",
        "items": items_view(question.items),
    }


def items_view(items: dict[int, RubricItem]) -> list[dict[str, Any]]:
    """A rubric, with its texts as HTML, too."""
    return [item.as_json | {"html": inline(item.text)} for item in items.values()]


def task_view(desk: Desk, pages: Pages, connection: Connection, task: Task) -> dict[str, Any]:
    """An answer to be marked, with all that stands beside it."""
    question, one = task.question, task.standing
    digest = desk.digest(one.student, one.cell)
    pieces = pages.of(desk, one.student, one.cell, digest)
    given = one.given(question.items)
    blind = task.second or task.hidden  # what another marker gave is not shown
    view: dict[str, Any] = {
        "answer": one.answer,
        "cell": one.cell,
        "number": question.number(one.student),
        "of": len(question.standings),
        "name": desk.names(connection).get(one.student, one.student) if question.settings.names_shown else "",
        "html": pieces[0],
        "beside": pieces[1:],
        "figures": figures_view(desk, question, one),
        "evidence": evidence_view(desk, question, one),
        "version": one.version(digest),
        "second": task.second,
        "hidden": task.hidden,
        "holder": task.holder.marker if task.holder else "",
        "given": None if blind else given.as_json,
        "points": None if blind else one.points,
        "extra": one.extra or 0,
        "marker": "" if task.second or not one.mark else one.mark.marker,
        "marked": not task.second and not one.waits,
        "elsewhere": None if blind else elsewhere_view(one),
        "before": None,
        "group": None,
        "copies": [],
    }
    if one.mark and one.mark.answer != digest and not blind:
        source = desk.text_of(connection, one.mark.answer)
        view["before"] = {
            "html": render(source) if source else "",
            "at": asdict(shown(one.mark.at, zone_of(desk.course))),
        }
    groups = desk.groups(connection, question)
    group = groups.of(one.student)
    if group and len(group.members) > 1 and not blind:
        waiting = sum(question.standings[member].waits for member in group.members)
        view["group"] = {
            "size": len(group.members),
            "waiting": waiting,
            "likeness": group.likeness,
            "blank": group.blank,
        }
    view["copies"] = copies_view(desk, question, groups, one)
    return view


def figures_view(desk: Desk, question: Question, one: Standing) -> list[dict[str, Any]]:
    """The figures of a question, a student's beside those of the solutions."""
    return [
        {"shows": pair.shows, "theirs": pair.theirs, "ours": pair.ours}
        for pair in pairs(question.item.id, desk.book.figures(one.student))
    ]


def evidence_view(desk: Desk, question: Question, one: Standing) -> list[dict[str, str]]:
    """What was found out about the trainings behind a question; nothing where nobody has looked."""
    try:
        found = read_evidence(desk.course.results / one.student)
    except (ValueError, OSError):  # the command that has written it does so again
        return []
    if found is None:
        return []
    return [
        {"verdict": str(line.verdict), "title": title, "text": line.text}
        for title, line in for_item(found, question.item.id)
    ]


def elsewhere_view(one: Standing) -> dict[str, Any] | None:
    """What formgrader has changed; None where nothing was."""
    if not one.elsewhere:
        return None
    return {
        "kind": ELSEWHERE,
        "points": one.manual,
        "comment": one.comment or "",
        "was": one.mark.points if one.mark else None,
    }


def copies_view(desk: Desk, question: Question, groups: Groups, one: Standing) -> list[dict[str, Any]]:
    """What an answer is nearly the same as: pointed out, never judged."""
    mine = desk.hand_in(one.student)
    found = []
    for copy in groups.copies_of(one.student):
        if copy.other and (copy.other not in question.standings or desk.hand_in(copy.other) == mine):
            continue
        found.append(
            {
                "likeness": copy.likeness,
                "answer": question.standings[copy.other].answer if copy.other else "",
                "number": question.number(copy.other) if copy.other else 0,
            }
        )
    return found


def versions_view(one: Standing, items: dict[int, RubricItem]) -> dict[str, Any]:
    """How an answer stands now, for whoever tried to save something else."""
    given = one.given(items)
    return {
        "given": given.as_json,
        "points": one.points,
        "marker": one.mark.marker if one.mark and not one.elsewhere else "",
        "comment": (comment_of(given, items) or "") if not one.elsewhere else (one.comment or ""),
        "elsewhere": one.elsewhere,
    }


@lru_cache(maxsize=4_000)
def inline(text: str) -> str:
    """A text of an item's as HTML; one paragraph stands on its line."""
    html = render(text).strip()
    if html.startswith("<p>") and html.count("<p>") == 1 and html.endswith("</p>"):
        return html[3:-4]
    return html
