"""Variants of the solutions: edits that make a mistake, or say the same another way."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.marking.result import ItemResult

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
Mark = Callable[[dict[str, bytes], frozenset[str]], dict[str, ItemResult]]


@dataclass(frozen=True)
class Variant:
    """One edit.

    Attributes:
        name: what it is.
        edits: (old, new) pieces of text, each old one found once or more in the file.
        item: the item that must lose points; empty for right code.
        file: the file.
        also: other items that may lose points for it, because they cannot work without.
        family: what kind of mistake it is, a key of tests/bank/families.py; empty for right code.
        elsewhere: (file, old, new), edits of other files that belong to it.
    """

    name: str
    edits: tuple[tuple[str, str], ...]
    item: str = ""
    file: str = ""
    also: tuple[str, ...] = ()
    family: str = ""
    elsewhere: tuple[tuple[str, str, str], ...] = ()


def solution(part: str) -> dict[str, bytes]:
    """The solution's files of one part."""
    return {f"{part}/{file.name}": file.read_bytes() for file in sorted((SOLUTIONS / part).glob("*.py"))}


def edited(files: dict[str, bytes], variant: Variant) -> dict[str, bytes]:
    """The solution with a variant's edits."""
    found = dict(files)
    for file, old, new in (*((variant.file, *edit) for edit in variant.edits), *variant.elsewhere):
        text = found[file].decode()
        assert old in text, f"{variant.name}: {old!r} is not in {file}"
        found[file] = text.replace(old, new).encode()
    return found


def named(variants: tuple[Variant, ...]) -> pytest.MarkDecorator:
    """Parametrize over variants, by name."""
    names = [f"{variant.item}: {variant.name}" if variant.item else variant.name for variant in variants]
    assert len(set(names)) == len(names)
    return pytest.mark.parametrize("variant", variants, ids=names)


def check(mark: Mark, files: dict[str, bytes], variant: Variant, items: frozenset[str]) -> None:
    """The variant's item loses points, and no other does."""
    results = mark(files, items)
    assert set(results) == items
    for item, result in results.items():
        problems = [(c.name, c.status, c.message) for c in result.checks if c.status != "passed"]
        assert all(status != "grader_error" for _, status, _ in problems), problems
        assert all(message for _, _, message in problems), problems
        if item == variant.item:
            assert problems, f"{item} should lose points"
        elif item not in variant.also:
            assert not problems, f"{item} should lose nothing"
