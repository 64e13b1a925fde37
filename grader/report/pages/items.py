"""The item's page, for teaching assistants: everybody's pictures of it side by side, and what was said."""

from __future__ import annotations

import base64
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grader.evidence.facts import Verdict, drawing_of
from grader.evidence.words import Line, for_item, title
from grader.marking.result import FAILED, GRADER_ERROR, STATUSES, ItemResult
from grader.report import expected_manifold, pictures
from grader.report.by_eye import ByEye, by_eye
from grader.report.figures import REPORT
from grader.report.pages.cohort import FILE_NAME as COHORT_FILE
from grader.report.pages.cohort import Findings
from grader.report.pages.load import Record
from grader.report.pages.render import policy, render
from grader.report.pages.student import FILE_NAME as STUDENT_FILE
from grader.report.pages.style import link, on_one_line
from grader.rubric import Item, load_rubric

SCRIPT = "sheet.js"
MOST_SAID = 20
NARROW, WIDTHS = 8.5, {"curve": 16.0, "reconstructions": 16.0}  # of a card, in rem
EXPECTED = (expected_manifold.ITEM, expected_manifold.KIND)
DIFFERS_FROM = {"manifold": "the expected picture", "reconstructions": "the originals"}
TITLES = {
    "samples": "Samples",
    "manifold": "Manifold grids",
    "reconstructions": "Reconstructions",
    "curve": "Curves of the short training",
}


@dataclass(frozen=True)
class Tile:
    """A picture on a card.

    Attributes:
        picture: its file; empty where a figure that is asked for was not handed in, or nothing was drawn.
        large: the file of a larger one; empty where there is none.
        caption: what it shows; empty where the page says so.
        ours: whether the grader has drawn it, and nobody handed it in.
    """

    picture: str
    large: str = ""
    caption: str = ""
    ours: bool = False


@dataclass(frozen=True)
class Card:
    """A submission on a contact sheet.

    Attributes:
        name: the submission's.
        page: where the pictures stand on the student's page.
        tiles: its pictures.
        status: of the item; empty where a person marks it.
        points: of the item, 0 where a person marks it.
        difference: of the picture from what it should show, 0 to 1; None where that is not known.
        evidence: what was found out about its trainings: each in words, and its line.
    """

    name: str
    page: str
    tiles: list[Tile]
    status: str = ""
    points: float = 0.0
    difference: float | None = None
    evidence: tuple[tuple[str, Line], ...] = ()

    @property
    def verdicts(self) -> list[Verdict]:
        """What the evidence says of its trainings, each word once."""
        return list(dict.fromkeys(line.verdict for _, line in self.evidence))

    @property
    def complete(self) -> bool:
        """Whether all that is asked for was handed in."""
        return all(tile.picture for tile in self.tiles if not tile.ours)


@dataclass(frozen=True)
class Sheet:
    """A contact sheet.

    Attributes:
        kind: what the style sheet calls such pictures.
        title: a heading.
        what: a picture, in words.
        width: of a card to begin with, in rem.
        cards: a card for every submission with pictures.
        without: name, page and status of those without.
        expected: the picture that should be there, to stand first; empty where there is none.
        differs_from: what the differences of the cards are from; empty where none is known.
    """

    kind: str
    title: str
    what: str
    width: float
    cards: list[Card]
    without: list[tuple[str, str, str]]
    expected: str = ""
    differs_from: str = ""

    @property
    def verdicts(self) -> list[Verdict]:
        """What the evidence says of any card, to show those alone."""
        found = {verdict for card in self.cards for verdict in card.verdicts}
        return [verdict for verdict in Verdict if verdict in found]


@dataclass(frozen=True)
class MessageGroup:
    """What many submissions were told alike."""

    cause: str
    example: str
    status: str
    who: list[tuple[str, str]]  # name and address of the student's page


def file_names(records: Sequence[Record]) -> dict[str, str]:
    """The pages of items: file names by item, in the order of the rubric.

    The items that a person marks by eye have one where anybody handed in a figure.
    """
    ids = {item.id for item in load_rubric().automatic}
    if any(record.figures for record in records):
        ids |= {one.item.id for one in by_eye()}
    return {item.id: file_name(item) for item in load_rubric().items if item.id in ids}


def file_name(item: Item) -> str:
    """The file of an item's page."""
    return f"item-{item.id}.html"


def item_page(item: Item, records: Sequence[Record], findings: Findings, item_files: dict[str, str]) -> bytes:
    """The page of one automatic item."""
    results = {
        record.name: result for record in records for result in record.result.items if result.id == item.id
    }
    here = [record for record in records if record.name in results]
    sheets = [sheet for kind in pictures.KINDS if (sheet := _sheet(item, kind, here, results)).cards]
    statuses = [(status, sum(r.status == status for r in results.values())) for status in STATUSES]
    marked = [result.points for result in results.values() if result.status != GRADER_ERROR]
    return _rendered(
        item,
        item_files,
        mean=statistics.fmean(marked) if marked else None,
        statuses=[(status, count) for status, count in statuses if count],
        sheets=sheets,
        by_eye=False,
        evidence=False,
        said=_message_groups(item, records, findings),
    )


def _sheet(item: Item, kind: str, records: Sequence[Record], results: Mapping[str, ItemResult]) -> Sheet:
    """Everybody's pictures of a kind; where it is known, those that are farthest from what is due first."""
    cards: list[Card] = []
    without: list[tuple[str, str, str]] = []
    for record in records:
        result = results[record.name]
        page, name = _page(record, f"i{item.id}"), on_one_line(record.name, 120)
        path = next((p.path for p in record.pictures if (p.item, p.kind) == (item.id, kind)), None)
        difference = next(
            (d.value for d in record.result.differences if (d.item, d.kind) == (item.id, kind)), None
        )
        if path is None and difference is None:
            without.append((name, page, result.status))
        else:  # it was tried, and came to nothing that can be drawn: that is a difference, too
            picture = link(record.name, path.name) if path is not None else ""
            cards.append(Card(name, page, [Tile(picture)], result.status, result.points, difference))
    compared = any(card.difference is not None for card in cards)
    if compared:
        cards.sort(key=lambda card: -1.0 if card.difference is None else card.difference, reverse=True)
    return Sheet(
        kind,
        TITLES[kind],
        kind,
        WIDTHS.get(kind, NARROW),
        cards,
        without,
        _expected() if compared and (item.id, kind) == EXPECTED else "",
        DIFFERS_FROM.get(kind, "") if compared else "",
    )


@cache
def _expected() -> str:
    """The manifold that is due, as an address."""
    tiles = expected_manifold.expected().reshape(-1, 28, 28)
    content = pictures.draw(pictures.Picture(*EXPECTED, tiles))
    assert content is not None
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def by_eye_page(one: ByEye, records: Sequence[Record], item_files: dict[str, str]) -> bytes:
    """The page of an item that a person marks: everybody's figures, those of a submission on one card."""
    cards, without = [], []
    for record in records:
        page, name = _page(record, "figures"), on_one_line(record.name, 120)
        tiles = _tiles(one, record)
        if any(tile.picture and not tile.ours for tile in tiles):
            lines = tuple(for_item(record.evidence, one.item.id)) if record.evidence else ()
            cards.append(Card(name, page, tiles, evidence=lines))
        else:
            without.append((name, page, ""))
    width = min(NARROW * max(2, len(one.figures)), 26)
    sheet = Sheet("figure", "Figures side by side", "figure", width, cards, without)
    return _rendered(
        one.item,
        item_files,
        mean=None,
        statuses=[],
        sheets=[sheet],
        by_eye=True,
        evidence=any(card.evidence for card in cards),
        said=[],
    )


def _tiles(one: ByEye, record: Record) -> list[Tile]:
    """A submission's figures of an item: those it asks for, whether they are there or not, then others."""

    def address(path: Path) -> str:
        return link(record.name, *path.relative_to(record.folder).parts)

    files = {figure.path.stem.casefold(): figure for figure in record.figures if figure.item == one.item.id}
    tiles = []
    for expected in one.figures:
        caption = expected.shows[:1].upper() + expected.shows[1:]
        file = files.pop(expected.stem.casefold(), None)
        if file is None:
            tiles.append(Tile("", "", caption))
        else:
            tiles.append(Tile(address(file.small), address(file.path), caption))
    tiles += _drawings(one, record)
    for file in files.values():  # under another name, perhaps one that is missed above
        stem = file.path.stem
        caption = "in report.ipynb" if stem.startswith(REPORT) else on_one_line(stem, 60)
        tiles.append(Tile(address(file.small), address(file.path), caption))
    return tiles


def _drawings(one: ByEye, record: Record) -> list[Tile]:
    """What the student's models draw with the weights that were handed in, beside the figures."""
    tiles = []
    for run in record.evidence.runs if record.evidence and record.figures else ():
        path = record.folder / drawing_of(run.run)
        if one.item.id in run.items and path.is_file() and not path.is_symlink():
            picture = link(record.name, path.name)
            tiles.append(Tile(picture, picture, f"drawn by the grader with the weights: {title(run)}", True))
    return tiles


def _page(record: Record, anchor: str) -> str:
    """The student's page, at a place of it that is there."""
    there = anchor != "figures" or bool(record.figures)
    return link(record.name, STUDENT_FILE) + (f"#{anchor}" if there else "")


def _rendered(item: Item, item_files: dict[str, str], **values: Any) -> bytes:
    order = list(item_files)
    place = order.index(item.id)
    return render(
        "item.html.j2",
        policy=policy(SCRIPT),
        item=item,
        cohort=link(COHORT_FILE),
        before=(order[place - 1], link(item_files[order[place - 1]])) if place else None,
        after=(order[place + 1], link(item_files[order[place + 1]])) if place + 1 < len(order) else None,
        **values,
    )


def _message_groups(item: Item, records: Sequence[Record], findings: Findings) -> list[MessageGroup]:
    """Who was told what, the most frequent first. Follow-on faults are told with their cause."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    examples: dict[tuple[str, str], str] = {}
    for record in records:
        who = (on_one_line(record.name, 120), f"{link(record.name, STUDENT_FILE)}#i{item.id}")
        for here in findings[record.name]:
            if here.result.id != item.id:
                continue
            keys = {}
            for finding in here.findings:
                cause = finding.family if finding.hint_is_general else finding.hint
                cause = cause if finding.status == FAILED else finding.message
                keys[finding.status, cause] = finding.message
            for follow_on in here.follow_ons:
                cause = f"{follow_on.cause.family} (follows from {follow_on.cause.item})"
                keys[follow_on.cause.status, cause] = follow_on.cause.message
            if here.unmarked:
                keys[GRADER_ERROR, "not marked, the grader's fault"] = ""
            for key, message in keys.items():
                groups[key].append(who)
                examples.setdefault(key, message)
    said = [
        MessageGroup(on_one_line(cause, 300), on_one_line(examples[status, cause], 300), status, who)
        for (status, cause), who in groups.items()
    ]
    return sorted(said, key=lambda one: -len(one.who))[:MOST_SAID]
