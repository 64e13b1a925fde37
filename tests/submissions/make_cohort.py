"""Assembles the sample cohort: `python tests/submissions/make_cohort.py build/cohort`.

The submissions are made from `solutions/`, `student/` and the edits in cohort.toml, so that no second
copy of the solutions has to be kept up to date. An edit whose text is gone stops the assembly.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
COHORT = HERE / "cohort.toml"
PARTS = ("part1", "part2")
WRAPPING_FOLDER = "handed-in"
EARLY = (1980, 1, 1, 0, 0, 0)  # the same archive, whenever it is assembled


class CohortError(Exception):
    """The cohort cannot be assembled as described."""


@dataclass(frozen=True)
class Edit:
    """One replacement of a text that occurs exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Recipe:
    """How one submission is made."""

    name: str
    source: Path
    parts: tuple[str, ...]
    solved: tuple[str, ...]
    edits: tuple[Edit, ...]
    archive: bool


def read_recipes(path: Path = COHORT) -> list[Recipe]:
    """The cohort's description.

    Raises:
        CohortError: it has an option that does not exist, or lacks one.
    """
    return [_recipe(name, table) for name, table in tomllib.loads(path.read_text()).items()]


def _recipe(name: str, table: dict[str, Any]) -> Recipe:
    unknown = set(table) - {"from", "parts", "solved", "edits", "archive"}
    if unknown or "from" not in table:
        raise CohortError(f"{name}: unknown option {', '.join(unknown)}" if unknown else f"{name}: no 'from'")
    try:
        edits = tuple(Edit(**edit) for edit in table.get("edits", ()))
    except TypeError as error:
        raise CohortError(f"{name}: an edit has file, old and new: {error}") from error
    return Recipe(
        name=name,
        source=REPOSITORY / table["from"],
        parts=tuple(table.get("parts", PARTS)),
        solved=tuple(table.get("solved", ())),
        edits=edits,
        archive=table.get("archive", False),
    )


def files_of(recipe: Recipe) -> dict[str, str]:
    """The submission's files by their path.

    Raises:
        CohortError: a file is missing, or an edit's text does not occur exactly once.
    """
    files = {}
    for path in sorted(recipe.source.rglob("*")):
        name = path.relative_to(recipe.source).as_posix()
        outside = "/" in name and not name.startswith(tuple(f"{part}/" for part in recipe.parts))
        if path.name.endswith((".py", ".py.txt")) and not outside:
            files[name.removesuffix(".txt")] = path.read_text()
    for name in recipe.solved:
        if name not in files:
            raise CohortError(f"{recipe.name}: there is no {name} to be solved")
        files[name] = (REPOSITORY / "solutions" / name).read_text()
    for edit in recipe.edits:
        count = files.get(edit.file, "").count(edit.old)
        if count != 1:
            raise CohortError(f"{recipe.name}: {edit.file} has {count} times, instead of once: {edit.old!r}")
        files[edit.file] = files[edit.file].replace(edit.old, edit.new)
    if not files:
        raise CohortError(f"{recipe.name}: {recipe.source} holds no Python files")
    return files


def write(recipe: Recipe, folder: Path) -> None:
    """Write one submission into the cohort's folder."""
    files = files_of(recipe)
    if recipe.archive:
        with zipfile.ZipFile(folder / f"{recipe.name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(zipfile.ZipInfo(f"{WRAPPING_FOLDER}/{name}", EARLY), text)
        return
    for name, text in files.items():
        path = folder / recipe.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_cohort(folder: Path, recipes: list[Recipe]) -> None:
    """Assemble the cohort in a new folder, or anew in one that holds nothing but a cohort.

    Raises:
        CohortError: the folder holds something else, or a submission cannot be made.
    """
    ours = {f"{recipe.name}.zip" if recipe.archive else recipe.name for recipe in recipes}
    if folder.exists():
        strangers = sorted({path.name for path in folder.iterdir()} - ours)
        if strangers:
            raise CohortError(
                f"{folder} holds {strangers[0]}, which is not of the cohort; choose another folder"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for recipe in recipes:
        write(recipe, folder)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Assemble the sample cohort.")
    parser.add_argument("folder", type=Path, help="where to put it, for example build/cohort")
    folder = parser.parse_args().folder
    try:
        recipes = read_recipes()
        make_cohort(folder, recipes)
    except (CohortError, OSError) as error:
        print(f"make_cohort: {error}", file=sys.stderr)
        return 1
    print(f"{len(recipes)} submissions in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
