"""Builds the zip that students get: stubs, public tests, handout, report notebook, and what runs them.

The same sources make the same zip, byte for byte. A release that would give away a solution, a model answer
or a hidden test is not written, nor one that contradicts `rubric.toml` or `questions.toml`.

Usage: python -m grader.release.bundle [--output build/release]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import sys
import zipfile
from pathlib import Path

from grader.files import write_atomically
from grader.questions import load_questions
from grader.release import leaks, stubs
from grader.release.handout import shipped_pages
from grader.release.manifest import require_agreement
from grader.release.notebook import notebook_text
from grader.release.requirements import subset
from grader.rubric import load_rubric

REPOSITORY = Path(__file__).resolve().parents[2]
KIT = Path(__file__).with_name("student_kit")
NAME = "deep-generative-models"
EARLY = (1980, 1, 1, 0, 0, 0)
HANDOUT_SUFFIXES = (".md", ".svg", ".png")  # the figures, not the scripts that draw them
_UV_VERSION = re.compile(r"^UV_VERSION := (\S+)$", re.MULTILINE)


class LeakError(Exception):
    """The release would give something away; the message says what."""


def contents(repository: Path = REPOSITORY) -> dict[str, bytes]:
    """The files of the release by their names in it.

    Raises:
        MarkerError: a solution's markers are malformed.
        ValueError: requirements.txt lacks a pin that students need.
    """
    files: dict[str, bytes] = {}
    for path, text in stubs.generate(repository / "solutions").items():
        files[path.as_posix()] = text.encode()
    for file in sorted((repository / "tests" / "public").glob("*.py")):
        files[f"tests/{file.name}"] = file.read_bytes()
    files["tests/points.json"] = points().encode()
    files["tests/given.json"] = given(files).encode()
    folder = repository / "docs" / "handout"
    handout = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.suffix in HANDOUT_SUFFIXES
    }
    shipped = shipped_pages(load_questions(), load_rubric(), handout)
    files |= {f"handout/{name}": content for name, content in shipped.items()}
    files["report.ipynb"] = notebook_text().encode()
    pins = (repository / "requirements.txt").read_text(encoding="utf-8")
    files["requirements.txt"] = subset(pins).encode()
    files["LICENSE"] = (repository / "LICENSE").read_bytes()
    for file in sorted(KIT.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            files[file.relative_to(KIT).as_posix()] = file.read_bytes()
    uv = _UV_VERSION.search((repository / "Makefile").read_text(encoding="utf-8"))
    if uv is None:
        raise ValueError("the Makefile does not set UV_VERSION")
    files["setup_env.py"] = files["setup_env.py"].replace(b"@UV_VERSION@", uv[1].encode())
    for name, number in sums().items():
        files["README.md"] = files["README.md"].replace(f"@{name}@".encode(), f"{number:g}".encode())
    return files


def sums() -> dict[str, float]:
    """What the students' README says of the points."""
    rubric = load_rubric()
    in_all, by_tests = (sum(item.points for item in items) for items in (rubric.items, rubric.automatic))
    return {"POINTS": in_all, "POINTS_BY_TESTS": by_tests, "POINTS_BY_HAND": in_all - by_tests}


def points() -> str:
    """The manifest that `check.py` counts with: every item of the rubric, with its points."""
    rows = [
        {"id": item.id, "points": item.points, "how": item.how, "title": item.title, "files": item.files}
        for item in load_rubric().items
    ]
    return json.dumps(rows, indent=1) + "\n"


def given(files: dict[str, bytes]) -> str:
    """What `check.py` and `handin.py` compare the given files with: SHA-256 by name."""
    written = load_rubric().files
    found = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in sorted(files.items())
        if name.startswith(("part1/", "part2/")) and name.endswith(".py") and name not in written
    }
    return json.dumps(found, indent=1) + "\n"


def pack(files: dict[str, bytes]) -> bytes:
    """A zip with one wrapping folder, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{NAME}/{name}", date_time=EARLY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def build(output: Path, repository: Path = REPOSITORY) -> Path:
    """Builds the release.

    Returns:
        The zip.

    Raises:
        ContradictionError: a file contradicts the rubric or the questions.
        LeakError: a file of the release holds a solution, a model answer or a hidden test.
    """
    require_agreement(repository)
    files = contents(repository)
    if found := list(leaks.find(files, repository)):
        raise LeakError("nothing was written, since the release would give away:\n  " + "\n  ".join(found))
    path = output / f"{NAME}.zip"
    output.mkdir(parents=True, exist_ok=True)
    write_atomically(path, pack(files))
    return path


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.release.bundle", description="Build the zip for students."
    )
    parser.add_argument("--output", type=Path, default=Path("build/release"), help="folder for the zip")
    output = parser.parse_args(arguments).output
    try:
        path = build(output)
    except (LeakError, stubs.MarkerError, ValueError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"release: {output}: {error.strerror or error}", file=sys.stderr)
        return 2
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    print(f"{path}: {len(names)} files, {path.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
