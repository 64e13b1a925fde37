"""The Python environment of the exercise, which setup_env.py makes, on every system."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
FOLDER = HERE / ".venv"
NEEDED = "pytest", "rich", "torch"


def python_in(folder: Path = FOLDER, system: str = os.name) -> Path:
    """Where the Python of an environment is; `system` is `nt` for Windows."""
    return folder / "Scripts" / "python.exe" if system == "nt" else folder / "bin" / "python"


def enter() -> None:
    """Go on in a Python that has the libraries: this one, or that of the environment.

    Where it is not this one, the command runs there, and this process ends as it does.
    """
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return
    python = python_in()
    if Path(sys.prefix).resolve() == FOLDER.resolve() or not python.exists():
        there = "is not there yet" if not python.exists() else f"lacks {', '.join(missing)}"
        print(f"The environment {FOLDER.name} {there}. Make it: python setup_env.py", file=sys.stderr)
        sys.exit(2)
    child = subprocess.Popen([str(python), *sys.argv])
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            continue  # it has got the Ctrl+C, too, and ends in its own way


def write_what_can_be_written() -> None:
    """Let no sign stop the output: one that the console does not have becomes a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
