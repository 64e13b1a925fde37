"""Which items exist and what each is worth: a typed view of `rubric.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

RUBRIC_FILE = Path(__file__).with_name("rubric.toml")
KINDS = ("auto", "written", "manual")


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
    """All items, in the order of the assignment."""

    items: tuple[Item, ...]

    @property
    def automatic(self) -> tuple[Item, ...]:
        """The items that the hidden suites mark."""
        return tuple(item for item in self.items if item.how == "auto")

    def __getitem__(self, item_id: str) -> Item:
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(f"the rubric has no item {item_id!r}")


@cache
def load_rubric(path: Path = RUBRIC_FILE) -> Rubric:
    """Read the rubric.

    Raises:
        ValueError: an id occurs twice, a kind is unknown, or points are not positive.
    """
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["item"]
    items = tuple(
        Item(row["id"], float(row["points"]), row["how"], row["title"], tuple(row.get("files", ())))
        for row in rows
    )
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise ValueError(f"{path.name}: item {item.id} occurs twice")
        if item.how not in KINDS:
            raise ValueError(f"{path.name}: item {item.id}: how must be one of {', '.join(KINDS)}")
        if item.points <= 0:
            raise ValueError(f"{path.name}: item {item.id}: points must be positive")
        if item.how == "auto" and not item.files:
            raise ValueError(f"{path.name}: automatic item {item.id} names no files")
        seen.add(item.id)
    return Rubric(items)
