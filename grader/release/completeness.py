"""Whether every item has what it needs: texts, code, checks with prices, public tests."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from grader.questions import Questions
from grader.rubric import Rubric

PRICES = "grader/marking/prices.toml"

_SOLUTION = re.compile(r"\s*# BEGIN SOLUTION (\d+\.\d+):")
_SUITE_ITEM = re.compile(r'^pytestmark = pytest\.mark\.item\("(.+)"\)', re.MULTILINE)
_SUITE_CHECK = re.compile(r"^def test_(\w+)\(", re.MULTILINE)


def missing_texts(rubric: Rubric, questions: Questions) -> Iterator[str]:
    """Whether every item has a text, and every text an item."""
    name = "grader/questions.toml"
    every = (*rubric.items, *rubric.left_out)
    ids, numbers = {item.id: item for item in every}, dict.fromkeys(item.question for item in every)
    for part in dict.fromkeys(item.part for item in every):
        if part not in questions.parts:
            yield f"{name}: has no [[part]] with number = {part}, of which rubric.toml has items; add it"
    for number in numbers:
        if number not in questions.questions:
            yield f'{name}: has no [[question]] with id = "{number}", of which rubric.toml has items; add it'
        elif not questions.questions[number].title:
            yield f'{name}: question {number} has no title, and several items; add title = "..." to it'
    for item in every:
        if item.how != "auto" and item.id != item.question and item.id not in questions.items:
            yield f'{name}: has no [[item]] with id = "{item.id}", which rubric.toml has; add it'
    for part in questions.parts:
        if part not in {item.part for item in every}:
            yield f"{name}: part {part} has no items in rubric.toml; remove it"
    for number in questions.questions:
        if number not in numbers:
            yield f"{name}: question {number} has no items in rubric.toml; remove it, or add them there"
    for one in questions.items:
        if one not in ids:
            yield f"{name}: item {one} is not in rubric.toml; remove it, or add it there"
        elif ids[one].how == "auto":
            yield f"{name}: item {one} is marked automatically, its question says what is asked; remove it"
    files = [
        figure.file
        for text in (*questions.questions.values(), *questions.items.values())
        for figure in text.figures
    ]
    for file in sorted({file for file in files if files.count(file) > 1}):
        yield f"{name}: the figure {file} is asked for twice; give each its own name"


def missing_code(repository: Path, rubric: Rubric) -> Iterator[str]:
    """Whether the files of every automatic item are there, and what students write is asked for."""
    for item in rubric.automatic:
        for file in item.files:
            if not (repository / "solutions" / file).is_file():
                yield f"grader/rubric.toml: item {item.id} needs {file}, which is not in solutions/; write it"
    questions = {item.question for item in rubric.automatic}
    for path in sorted((repository / "solutions").glob("part*/*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            marker = _SOLUTION.match(line)
            if marker is not None and marker[1] not in questions:
                yield (
                    f"{path.relative_to(repository).as_posix()}, line {number}: is a solution of question "
                    f"{marker[1]}, and rubric.toml has no automatic item of it; correct one of them"
                )


def missing_tests(repository: Path, rubric: Rubric) -> Iterator[str]:
    """Whether every automatic item has hidden checks with prices and public tests, and nothing else has."""
    automatic = {item.id for item in rubric.automatic}
    public = {file.stem: file.name for file in (repository / "tests" / "public").glob("test_*.py")}
    named = {f"test_{item.replace('.', '_')}": item for item in automatic}
    for stem in sorted(named.keys() - public.keys()):
        yield f"tests/public/{stem}.py: there is no public test of {named[stem]}; write one"
    for stem in sorted(public.keys() - named.keys()):
        yield f"tests/public/{stem}.py: rubric.toml has no such automatic item; remove it, or add the item"
    checks: dict[str, set[str]] = {}
    for file in sorted((repository / "grader" / "suites").glob("part*/test_*.py")):
        text = file.read_text(encoding="utf-8")
        name = file.relative_to(repository).as_posix()
        item = _SUITE_ITEM.search(text)
        if item is None:
            yield f'{name}: names no item; add a line like pytestmark = pytest.mark.item("1.7.kld")'
        elif item[1] not in automatic:
            yield f"{name}: rubric.toml has no automatic item {item[1]}; remove the file, or add the item"
        else:
            checks.setdefault(item[1], set()).update(_SUITE_CHECK.findall(text))
    table = tomllib.loads((repository / PRICES).read_text(encoding="utf-8"))
    prices = {item_id: {check.partition("[")[0] for check in row} for item_id, row in table.items()}
    for item_id in sorted(automatic - checks.keys()):
        yield f"grader/suites: no file has checks of the automatic item {item_id}; write one"
    for item_id in sorted(checks.keys() | prices.keys()):
        there, priced = checks.get(item_id, set()), prices.get(item_id, set())
        for check in sorted(there - priced):
            yield f'{PRICES}: ["{item_id}"] has no price for the check {check}; add one'
        for check in sorted(priced - there) if item_id in automatic else []:
            yield f'{PRICES}: ["{item_id}"] has a price for no check, {check}; remove it'
