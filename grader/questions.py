"""What the questions say: a typed view of `questions.toml`. What they are worth is in `rubric.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from grader.rubric import Item, ManifestError, Rubric, load_rubric

QUESTIONS_FILE = Path(__file__).with_name("questions.toml")

# `@vae_epochs@`, or `@vae_epochs:03@` with leading zeros; braces belong to the formulas.
_NUMBER = re.compile(r"@(?P<name>[a-z_]+)(?::(?P<format>0\d))?@")
_STRICT = {"extra": "forbid"}  # for pydantic, which checks what is read: a key that is misspelt is refused


@dataclass(frozen=True)
class Figure:
    """A picture that training writes.

    Attributes:
        file: its name in the folder `figures/`.
        shows: what is to be seen in it.
    """

    __pydantic_config__ = _STRICT

    file: str
    shows: str

    @property
    def stem(self) -> str:
        """Its file name without the suffix."""
        return PurePosixPath(self.file).stem


@dataclass(frozen=True)
class Text:
    """What a question, or one item of it, says.

    Attributes:
        id: of the question or item.
        title: a heading.
        text: what is asked, Markdown; the same in the handout and in the report notebook.
        reminder: what the notebook says before it, because the handout's page is not at hand there; Markdown.
        figures: pictures that belong to it.
    """

    __pydantic_config__ = _STRICT

    id: str
    title: str
    text: str
    reminder: str = ""
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Part:
    """A part of the assignment.

    Attributes:
        number: 1, 2, 3.
        title: a heading.
        how: how one works on it, for the handout's overview.
        page: the handout's page with its questions.
    """

    __pydantic_config__ = _STRICT

    number: int
    title: str
    how: str
    page: str


@dataclass(frozen=True)
class Questions:
    """All texts.

    Attributes:
        title: of the report notebook.
        introduction: its first words, Markdown.
        parts: by number.
        questions: by id, such as `1.7`.
        items: of the items that a person marks and that share a question with others, by id.
        numbers: what the texts say as `@name@`, by name.
    """

    __pydantic_config__ = _STRICT

    title: str
    introduction: str
    parts: dict[int, Part]
    questions: dict[str, Text]
    items: dict[str, Text]
    numbers: dict[str, int]

    def of(self, item: Item) -> Text:
        """The text that asks for an item: its own, or else its question's.

        Raises:
            KeyError: there is none.
        """
        return self.items[item.id] if item.id in self.items else self.questions[item.question]


@cache
def load_questions() -> Questions:
    """The texts of this kit, read once."""
    return read_questions(QUESTIONS_FILE, load_rubric())


def read_questions(path: Path, rubric: Rubric) -> Questions:
    """Read texts. Whether each item has one is for `grader.release.manifest` to say.

    Args:
        path: the file.
        rubric: has the titles of its items.

    Raises:
        ManifestError: it is not TOML, a key is missing, unknown or of another type, an entry occurs twice,
            or a title stands in the rubric already.
    """
    from pydantic import TypeAdapter, ValidationError  # only where questions are read: a fifth of a second

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        numbers = table.get("numbers", {})
        table = _filled(table, numbers)
        for kind, key in (("part", "number"), ("question", "id"), ("item", "id")):
            table[f"{kind}s"] = _by_id(kind, key, table.pop(kind, []))
        for kind in ("questions", "items"):
            _give_titles(table[kind], rubric)
        return TypeAdapter(Questions).validate_python(table)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ", ".join(str(step) for step in first["loc"])
        raise ManifestError(f"{path.name}: {place}: {first['msg']}") from error
    except ValueError as error:  # of tomllib, too
        raise ManifestError(f"{path.name}: {error}") from error


def _filled(value: Any, numbers: dict[str, Any]) -> Any:
    """A table with the numbers in its texts."""

    def number(match: re.Match[str]) -> str:
        if type(numbers.get(match["name"])) is not int:
            raise ValueError(f"{match[0]} stands in a text, but no whole number {match['name']} in [numbers]")
        return format(numbers[match["name"]], match["format"] or "")

    if isinstance(value, str):
        return _NUMBER.sub(number, value.strip())
    if isinstance(value, list):
        return [_filled(one, numbers) for one in value]
    return {key: _filled(one, numbers) for key, one in value.items()} if isinstance(value, dict) else value


def _by_id(kind: str, key: str, rows: Any) -> dict[Any, Any]:
    entries: dict[Any, Any] = {}
    for row in rows:
        if row.get(key) in entries:
            raise ValueError(f"there are two [[{kind}]] with {key} = {row[key]!r}; remove one")
        entries[row.get(key)] = row
    return entries


def _give_titles(rows: dict[str, dict[str, Any]], rubric: Rubric) -> None:
    """Take the titles from the rubric, where it has an item of this id."""
    titles = {item.id: item.title for item in (*rubric.items, *rubric.left_out)}
    for name, row in rows.items():
        if name in titles and "title" in row:
            raise ValueError(f"{name}: its title stands in rubric.toml; change it there, remove it here")
        row.setdefault("title", titles.get(name, ""))
