"""Which items exist and what each is worth: a typed view of `rubric.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from pathlib import Path

from grader.errors import GraderUsageError

RUBRIC_FILE = Path(__file__).with_name("rubric.toml")
KEYS = {"id", "points", "how", "title", "files"}
KINDS = ("auto", "written", "manual")
ITEM_ID = re.compile(r"\d+\.\d+(\.[a-z0-9_]+)?")


class ManifestError(GraderUsageError, ValueError):
    """`rubric.toml` or `questions.toml` cannot be read; the message names the file and the entry."""


@dataclass(frozen=True)
class Item:
    """One row of the rubric.

    Attributes:
        id: frozen identifier, such as `1.7.kld`; its first two numbers are the question.
        points: what the item is worth.
        how: `auto` (hidden suites), `written` or `manual` (a person).
        title: what is asked for.
        files: for automatic items, the submitted files it cannot be judged without.
    """

    id: str
    points: float
    how: str
    title: str
    files: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """The question the item belongs to, such as `1.7`."""
        return ".".join(self.id.split(".")[:2])

    @property
    def part(self) -> int:
        """1 (VAE), 2 (adversarial autoencoder) or 3 (NeRF)."""
        return int(self.id.split(".")[0])


@dataclass(frozen=True)
class Rubric:
    """All items, in the order of the assignment.

    Attributes:
        items: what this course asks for.
        left_out: what it does not ask for, by `leave_out`.
    """

    items: tuple[Item, ...]
    left_out: tuple[Item, ...] = ()

    @property
    def automatic(self) -> tuple[Item, ...]:
        """The items that the hidden suites mark."""
        return tuple(item for item in self.items if item.how == "auto")

    @property
    def files(self) -> tuple[str, ...]:
        """The files that students write: what the automatic items cannot be judged without."""
        return tuple(dict.fromkeys(file for item in self.automatic for file in item.files))

    def __getitem__(self, item_id: str) -> Item:
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(f"the rubric has no item {item_id!r}")


def points_in_words(points: float) -> str:
    """`1 point`, `1.5 points`."""
    return f"{points:g} point{'' if points == 1 else 's'}"


@cache
def load_rubric(path: Path = RUBRIC_FILE) -> Rubric:
    """The rubric, read once."""
    return read_rubric(path)


def read_rubric(path: Path) -> Rubric:
    """Read a rubric.

    Raises:
        ManifestError: it is not TOML, a key is missing or of another type, an id occurs twice, a kind is
            unknown, points are not positive, or what is left out is no item or is marked automatically.
    """
    from_file = f"{path.name}: "
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # no TOML
        raise ManifestError(f"{from_file}{error}") from error
    items: list[Item] = []
    for row in table.get("item", ()):
        if unknown := row.keys() - KEYS:
            raise ManifestError(f"{from_file}item {row.get('id', '')}: there is no key {min(unknown)}")
        try:
            item = Item(
                row["id"], float(row["points"]), row["how"], row["title"], tuple(row.get("files", ()))
            )
        except KeyError as error:
            raise ManifestError(f"{from_file}item {row.get('id', '')}: {error.args[0]} is missing") from error
        except (TypeError, ValueError) as error:
            raise ManifestError(f"{from_file}item {row['id']}: {error}") from error
        if problem := _problem(item, items):
            raise ManifestError(f"{from_file}{problem}")
        items.append(item)
    names = table.get("leave_out", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ManifestError(f'{from_file}leave_out must be a list of texts, such as ["3", "2.7"]')
    left_out = [item for item in items if _matches(item, names)]
    for name in names:
        meant = [item for item in items if _matches(item, [name])]
        automatic = [item.id for item in meant if item.how == "auto"]
        if not meant:
            raise ManifestError(f"{from_file}leave_out: there is no part, question or item {name!r}")
        if automatic:
            raise ManifestError(
                f"{from_file}leave_out: {name} has items that are marked automatically, "
                f"{', '.join(automatic)}; only what a person marks can be left out"
            )
    return Rubric(tuple(item for item in items if item not in left_out), tuple(left_out))


def _problem(item: Item, before: Sequence[Item]) -> str:
    """What is wrong with an item; empty where nothing is."""
    if not isinstance(item.id, str) or not ITEM_ID.fullmatch(item.id):
        return f"item {item.id}: an id is like 1.3 or 1.7.kld"
    if any(one.id == item.id for one in before):
        return f"item {item.id} occurs twice"
    if item.how not in KINDS:
        return f"item {item.id}: how must be one of {', '.join(KINDS)}"
    if not 0 < item.points < inf:
        return f"item {item.id}: points must be positive"
    if item.how == "auto" and not item.files:
        return f"automatic item {item.id} names no files"
    return ""


def _matches(item: Item, names: Iterable[str]) -> bool:
    """Whether an item is one of these, or of one of these questions and parts: `3`, `2.7`, `1.9.figure`."""
    return any(f"{item.id}.".startswith(f"{name}.") for name in names)
