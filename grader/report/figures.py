"""Figures that students handed in, kept beside the results: drawn anew, so that only pixels remain.

Nothing here decodes a picture. `redraw.py` does, in a process with limits and, unless the sandbox is waived,
in the kind of box that students' code runs in. What it hands back is measured and looked at from outside
before it is kept. An SVG or a PDF can hold scripts and is never kept.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from grader.box.interpreter import own_python
from grader.box.launcher import ENVIRONMENT, bubblewrap_arguments, find_bubblewrap
from grader.files import write_atomically
from grader.limits import FIGURES_SECONDS
from grader.report import redraw
from grader.report.by_eye import is_expected
from grader.report.redraw import MOST_FIGURES, SUFFIXES, TOO_LARGE, TOO_MANY
from grader.submission.names import safe_name
from grader.submission.shown import NOTEBOOK, refusal

FOLDER = "figures"
SMALL = f"{FOLDER}/small"  # for pages that hold many
REPORT = "report"  # pictures out of a notebook are called `report-1.7.curves`

MOST_LARGE, MOST_SMALL = 3_000_000, 200_000  # bytes of what comes back
_MOST_LINE = 2000
_MOST_LINES = 1000
_SIGNATURES = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff", ".webp": b"RIFF"}
_CANNOT = "it takes too much time or memory to draw"


@dataclass(frozen=True)
class Figures:
    """What became of the figures of a submission.

    Attributes:
        files: what is kept, by its path in the submission's folder of results: `figures/1.9_manifold.png`
            and, smaller, `figures/small/1.9_manifold.webp`.
        refused: one line for each that was left out, with the reason.
        beyond: the same of those beyond what is kept in all, a line for each reason.
    """

    files: Mapping[str, bytes]
    refused: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Said:
    """A line that came back, with what followed it."""

    name: str
    cell: str = ""
    error: str = ""
    end: bool = False
    large: tuple[str, bytes] = ("", b"")
    small: tuple[str, bytes] = ("", b"")


def draw_figures(shown: Mapping[str, bytes], sandbox: bool = True) -> Figures:
    """Draw the figures of a submission anew. Never raises for what is in them.

    Args:
        shown: what was handed in, by path: figures and notebooks.
        sandbox: whether to do it in a box.

    Raises:
        OSError: the process that draws cannot be started.
    """
    files = {name: shown[name] for name in sorted(_without_doubles(shown), key=_rank)}
    if not files:
        return Figures({})
    kept: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    seen: set[bytes] = set()
    ended = set()
    for said in _understood(_redrawn(files, sandbox), frozenset(files)):
        if said.end:
            ended.add(said.name)
        elif said.error:
            refused[said.name] = said.error
        elif said.large[1] not in seen:
            seen.add(said.large[1])
            stem = _free_stem(said, kept)
            for folder, (suffix, content) in ((FOLDER, said.large), (SMALL, said.small)):
                kept[f"{folder}/{stem}{suffix}"] = content
    refused |= {name: _CANNOT for name in files if name not in ended}
    beyond = {name: error for name, error in refused.items() if error.startswith((TOO_MANY, TOO_LARGE))}
    return Figures(
        kept,
        tuple(refusal(name, error) for name, error in refused.items() if name not in beyond),
        tuple(_told_once(beyond)),
    )


def replace_figures(folder: Path, files: Mapping[str, bytes]) -> None:
    """Make these the only figures in a submission's folder of results.

    Args:
        folder: exists.
        files: by path, as `draw_figures` returns them; none of them removes the folder of figures.

    Raises:
        OSError: a file cannot be written, or the folder of figures is a link.
    """
    place = folder / FOLDER
    if place.is_symlink():
        raise NotADirectoryError(20, "it is a link, and figures are never written through one", str(place))
    if place.is_dir():
        shutil.rmtree(place)
    elif place.exists():
        place.unlink()
    for name, content in files.items():
        path = folder / name
        assert path.parent in (place, folder / SMALL), name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)


def _without_doubles(shown: Mapping[str, bytes]) -> Iterator[str]:
    """The names without drawings of which there is a picture of the same name as well."""
    pictures = {_stem(name) for name in shown if name.lower().endswith(SUFFIXES)}
    for name in shown:
        if name.lower().endswith((*SUFFIXES, NOTEBOOK)) or _stem(name) not in pictures:
            yield name


def _rank(name: str) -> tuple[int, str]:
    """What the assignment asks for first, then what was put into the report: not all may be kept."""
    first = is_expected(_stem(name)) and name.lower().endswith(SUFFIXES)
    return (0 if first else 1 if name.lower().endswith(NOTEBOOK) else 2), name


def _stem(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).stem


def _free_stem(said: _Said, kept: Mapping[str, bytes]) -> str:
    """A file name, without its suffix, that no other figure has."""
    if said.name.lower().endswith(NOTEBOOK):
        item = said.cell.removeprefix("q").replace("-", ".")
        stem = f"{REPORT}-{item}" if item else REPORT
    else:
        stem = safe_name(_stem(said.name))
    taken = {PurePosixPath(name).stem.casefold() for name in kept}
    free, count = stem, 1
    while free.casefold() in taken:
        count += 1
        free = f"{stem}-{count}"
    return free


def _told_once(beyond: Mapping[str, str]) -> Iterator[str]:
    """What to say about figures beyond what is kept in all: once for each reason."""
    names: dict[str, list[str]] = {}
    for name, error in beyond.items():
        names.setdefault(error, []).append(name)
    for error, (name, *more) in names.items():
        yield refusal(name, error + (f", {len(more)} more are not" if more else ""))


def _redrawn(files: Mapping[str, bytes], sandbox: bool) -> bytes:
    """What `redraw.py` says about files, as much of it as there may be."""
    command = [sys.executable, "-I", "-B", "-c", _source()]
    if sandbox:  # with the grader's Python, whichever the students' code has: its Pillow is known
        command = bubblewrap_arguments(find_bubblewrap(), _source(), own_python())
    most = MOST_FIGURES * (MOST_LARGE + MOST_SMALL) + _MOST_LINES * _MOST_LINE
    with tempfile.TemporaryFile() as source:
        source.write(json.dumps([[name, len(content)] for name, content in files.items()]).encode() + b"\n")
        for content in files.values():
            source.write(content)
        source.seek(0)
        with subprocess.Popen(
            command,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,  # Ctrl-C in the grader's terminal is for the grader to handle
        ) as process:
            timer = threading.Timer(FIGURES_SECONDS, process.kill)
            timer.start()
            try:
                assert process.stdout is not None
                return process.stdout.read(most)
            finally:
                timer.cancel()
                process.kill()


@cache
def _source() -> str:
    return Path(redraw.__file__).read_text(encoding="utf-8")


def _understood(reply: bytes, names: frozenset[str]) -> Iterator[_Said]:
    """A reply line by line, up to the first one that is not as it has to be."""
    position = 0
    for _ in range(_MOST_LINES):
        end = reply.find(b"\n", position, position + _MOST_LINE)
        try:
            said = json.loads(reply[position:end]) if end >= 0 else None
            if not isinstance(said, dict) or said["from"] not in names:
                return
            position = end + 1
            if said.get("end") is True:
                yield _Said(said["from"], end=True)
            elif "error" in said:
                yield _Said(said["from"], error=str(said["error"])[:200])
            else:
                parts = []
                for key, most in (("large", MOST_LARGE), ("small", MOST_SMALL)):
                    suffix, size = said[key]
                    content = reply[position : position + size]
                    if not 0 < size <= most or len(content) != size:
                        return
                    if not content.startswith(_SIGNATURES[suffix]):
                        return
                    position += size
                    parts.append((suffix, content))
                cell = said["cell"] if redraw.CELL.fullmatch(said["cell"]) else ""
                yield _Said(said["from"], cell, large=parts[0], small=parts[1])
        except (ValueError, KeyError, TypeError, RecursionError):
            return
