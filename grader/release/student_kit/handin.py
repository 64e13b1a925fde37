"""Packs what is to be handed in: your five files, report.ipynb and the figures, into handin.zip."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from kit.agreement import HERE, YOURS, unlike_the_grader

ARCHIVE = HERE / "handin.zip"
REPORT = "report.ipynb"
FIGURES = (".png", ".jpg", ".jpeg", ".csv", ".svg")
NOT_SHOWN = ".svg"  # a picture that may hold a script: no page of the grader shows it
EMPTY = "YOUR ANSWER HERE"
STUB = b'NotImplementedError("Question '
SHOWN_FIGURE = re.compile(r"\]\(figures/([^)\s]+)\)")


def unreadable(files: list[Path]) -> Iterator[str]:
    """What Python cannot read."""
    for file in files:
        name = file.relative_to(HERE).as_posix()
        try:
            compile(file.read_bytes(), name, "exec")
        except (SyntaxError, ValueError) as error:
            yield f"{name} is not valid Python: {error}"
        except (RecursionError, MemoryError):
            yield f"{name} is nested too deeply for Python to read it"


def missing_in_report(report: Path) -> Iterator[str]:
    """Answers that are not written, with their points, and figures that are not there."""
    try:
        cells = json.loads(report.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells]
        marked = [cell["metadata"].get("nbgrader", {}) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        yield f"{REPORT} cannot be read as a notebook: open it with make report, and save it"
        return
    empty = []
    for text, mark in zip(texts, marked, strict=True):
        if mark.get("grade") and mark.get("solution") and text.strip() in ("", EMPTY):
            question = str(mark.get("grade_id", "")).removeprefix("q").replace("-", ".")
            empty.append((question, float(mark.get("points") or 0)))
    if empty:
        points = sum(worth for _, worth in empty)
        yield f"no answer yet in {REPORT} ({points:g} points): " + ", ".join(name for name, _ in empty)
    due = dict.fromkeys(name for text in texts for name in SHOWN_FIGURE.findall(text))
    if absent := [name for name in due if not (HERE / "figures" / name).is_file()]:
        yield "figures that the report shows and that are not there yet: " + ", ".join(absent)


def notes(code: list[Path], inside: list[Path]) -> Iterator[str]:
    """What you may want to know before you hand in."""
    for file in code:
        if count := file.read_bytes().count(STUB):
            places = f"{count} place{'s' if count > 1 else ''}"
            name = file.relative_to(HERE).as_posix()
            yield f"{name} has {places} where something is still to be written: make check shows which"
    yield from missing_in_report(HERE / REPORT)
    for file in inside:
        name = file.relative_to(HERE).as_posix()
        if not sendable(file):
            yield f"{name!r} stays out: its name is not text that a zip can hold; rename it"
        elif file.suffix.lower() not in FIGURES and not file.name.startswith("."):
            yield f"{name} stays out; figures end in {', '.join(FIGURES)}"
        elif file.suffix.lower() == NOT_SHOWN:
            yield f"{name} will not be seen by those who mark: save it as .png"


def sendable(file: Path) -> bool:
    """Whether a zip can hold a file's name."""
    try:
        file.as_posix().encode()
    except UnicodeEncodeError:
        return False
    return True


def pack(files: list[Path]) -> None:
    """Write the archive, all of it or nothing."""
    unfinished = ARCHIVE.with_name(f".{ARCHIVE.name}")
    try:
        # A file dated before 1980, as some tools leave them, becomes one of 1980.
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for file in files:
                archive.write(file, file.relative_to(HERE))
        os.replace(unfinished, ARCHIVE)
    finally:
        unfinished.unlink(missing_ok=True)


def nothing_packed() -> int:
    """Say so, and leave no archive of before, which would be handed in by mistake; the exit status."""
    ARCHIVE.unlink(missing_ok=True)
    print("handin: nothing was packed", file=sys.stderr)
    return 1


def main() -> int:
    """Packs; returns the exit status."""
    files = [HERE / name for name in (*YOURS, REPORT)]
    if missing := [file.relative_to(HERE).as_posix() for file in files if not file.is_file()]:
        for name in missing:
            print(f"handin: {name} is missing", file=sys.stderr)
        return nothing_packed()
    inside = sorted(file for file in (HERE / "figures").rglob("*") if file.is_file())
    figures = [file for file in inside if file.suffix.lower() in FIGURES and sendable(file)]
    code = [file for file in files if file.suffix == ".py"]
    try:
        pack([*files, *figures])
    except OSError as error:
        print(f"handin: {error.filename or ARCHIVE.name}: {error.strerror}", file=sys.stderr)
        return nothing_packed()
    print(f"{ARCHIVE.name}: {len(files)} files and {len(figures)} figures.")
    for note in notes(code, inside):
        print(f"Note: {note}.")
    lost = [*unreadable(code), *unlike_the_grader()]
    for problem in lost:
        print(f"handin: {problem}", file=sys.stderr)
    if lost:
        print("handin: packed all the same; what depends on that can earn no points", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
