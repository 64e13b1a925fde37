"""Copies of the kit that a test may change."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from grader.release.stubs import REPOSITORY

# What a release and a course are made of.
NEEDED = ("grader", "solutions", "student", "tests/public", "docs/handout")
FILES = ("Makefile", "requirements.txt", "LICENSE", "README.md")


class Kit:
    """A copy of the kit.

    Attributes:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in NEEDED:
            ignored = shutil.ignore_patterns("__pycache__", "*.csv")
            shutil.copytree(REPOSITORY / name, root / name, ignore=ignored)
        for name in FILES:
            shutil.copyfile(REPOSITORY / name, root / name)

    def read(self, name: str) -> str:
        """The text of a file."""
        return (self.root / name).read_text(encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        """Replace what stands in a file exactly once."""
        text = self.read(name)
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")

    def add(self, name: str, text: str, after: str = "") -> None:
        """Write to the end of a file, or behind what stands in it once."""
        if after:
            self.change(name, after, after + text)
        else:
            with (self.root / name).open("a", encoding="utf-8") as file:
                file.write(text)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python with this kit's grader."""
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=self.root, capture_output=True, text=True, timeout=300, check=False
        )

    def nbgrader(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run nbgrader in the kit's course, `course/`."""
        command = [sys.executable, "-m", "nbgrader", *arguments]
        return subprocess.run(
            command, cwd=self.root / "course", capture_output=True, text=True, timeout=300, check=False
        )
