"""The item's page, for teaching assistants: everybody's picture of it side by side, and what was said."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from grader.marking.result import FAILED, GRADER_ERROR, STATUSES
from grader.report import pictures
from grader.report.pages.cohort import FILE_NAME as COHORT_FILE
from grader.report.pages.cohort import Told, family
from grader.report.pages.findings import is_general
from grader.report.pages.load import Record
from grader.report.pages.looks import link, shown
from grader.report.pages.render import policy, render
from grader.report.pages.student import FILE_NAME as STUDENT_FILE
from grader.rubric import Item, load_rubric

SCRIPT = "sheet.js"
MOST_SAID = 20
TITLES = {
    "samples": "Samples",
    "manifold": "Manifold grids",
    "reconstructions": "Reconstructions",
    "curve": "Curves of the short training",
}


@dataclass(frozen=True)
class Card:
    """A submission on a contact sheet."""

    name: str
    page: str
    picture: str
    status: str
    points: float


@dataclass(frozen=True)
class Said:
    """What many submissions were told alike."""

    cause: str
    example: str
    status: str
    who: list[tuple[str, str]]  # name and address of the student's page


def file_names() -> dict[str, str]:
    """The items' pages: file names by item."""
    return {item.id: f"item-{item.id}.html" for item in load_rubric().automatic}


def item_page(item: Item, records: Sequence[Record], told: Told, item_files: dict[str, str]) -> bytes:
    """The page of one item."""
    results = {
        record.name: result for record in records for result in record.result.items if result.id == item.id
    }
    sheets = []
    for kind in pictures.KINDS:
        cards = []
        without = []
        for record in records:
            if record.name not in results:
                continue
            result = results[record.name]
            page = f"{link(record.name, STUDENT_FILE)}#i{item.id}"
            name = shown(record.name, 120)
            path = next((p.path for p in record.pictures if (p.item, p.kind) == (item.id, kind)), None)
            if path is None:
                without.append((name, page, result.status))
            else:
                picture = link(record.name, path.name)
                cards.append(Card(name, page, picture, result.status, result.points))
        if cards:
            sheets.append((kind, TITLES[kind], cards, without))
    statuses = [(status, sum(r.status == status for r in results.values())) for status in STATUSES]
    marked = [result.points for result in results.values() if result.status != GRADER_ERROR]
    order = list(item_files)
    place = order.index(item.id)
    return render(
        "item.html.j2",
        policy=policy(SCRIPT),
        item=item,
        count=len(results),
        mean=statistics.fmean(marked) if marked else None,
        statuses=[(status, count) for status, count in statuses if count],
        sheets=sheets,
        said=_said(item, records, told),
        cohort=link(COHORT_FILE),
        before=(order[place - 1], link(item_files[order[place - 1]])) if place else None,
        after=(order[place + 1], link(item_files[order[place + 1]])) if place + 1 < len(order) else None,
    )


def _said(item: Item, records: Sequence[Record], told: Told) -> list[Said]:
    """Who was told what, the most frequent first. Follow-on faults are told with their cause."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    examples: dict[tuple[str, str], str] = {}
    for record in records:
        who = (shown(record.name, 120), f"{link(record.name, STUDENT_FILE)}#i{item.id}")
        for here in told[record.name]:
            if here.result.id != item.id:
                continue
            keys = {}
            for finding in here.findings:
                cause = finding.hint if finding.status == FAILED else finding.message
                cause = family(finding.message) if is_general(cause) else cause
                keys[finding.status, cause] = finding.message
            for follow_on in here.follow_ons:
                cause = f"{family(follow_on.cause.message)} (follows from {follow_on.cause.item})"
                keys[follow_on.cause.status, cause] = follow_on.cause.message
            if here.unmarked:
                keys[GRADER_ERROR, "not marked, the grader's fault"] = ""
            for key, message in keys.items():
                groups[key].append(who)
                examples.setdefault(key, message)
    said = [
        Said(shown(cause, 300), shown(examples[status, cause], 300), status, who)
        for (status, cause), who in groups.items()
    ]
    return sorted(said, key=lambda one: -len(one.who))[:MOST_SAID]
