"""Packs what is to be handed in: your five files, report.ipynb, figures and evidence, into handin.zip.

    python handin.py

It says what the grader will see of it, what is missing with its points, and what runs here and not there.
Any Python will do.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import signal
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kit.agreement import YOURS, unlike_the_grader
from kit.environment import HERE, write_what_can_be_written
from kit.notebook import read_report

ARCHIVE = HERE / "handin.zip"
REPORT = "report.ipynb"
FIGURES = (".png", ".jpg", ".jpeg", ".csv", ".svg")
WEIGHTS = (".safetensors", ".ckpt")  # ours, and what Lightning writes by itself
EVIDENCE = (*WEIGHTS, ".csv", ".json")
EVENTS = "events.out.tfevents."  # of TensorBoard
# The full trainings that leave evidence, with a question that asks for each.
TRAININGS = {
    "vae_z_dim_20": "1.7",
    "vae_z_dim_2": "1.9",
    "aae_z_dim_8_lambda_1": "2.4",
    "aae_z_dim_8_lambda_0.995": "2.5",
    "aae_z_dim_2_lambda_1": "2.6",
    "aae_z_dim_2_lambda_0.995": "2.6",
    "aae_z_dim_20_lambda_0.995": "2.7",
}
NOT_SHOWN = ".svg"  # a picture that may hold a script: no page of the grader shows it
STUB = re.compile(r"Question (\d+\.\d+): (.+)")


@dataclass
class Seen:
    """What the grader will see of a file or folder.

    Attributes:
        name: of the file.
        state: in a few words.
        missing: what is to be done, a line each.
        lost: what cannot earn a point as it is, a line each.
    """

    name: str
    state: str
    missing: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def code_seen(name: str) -> Seen:
    """One of your five files."""
    try:
        source = (HERE / name).read_bytes()
        compile(source, name, "exec")
        stubs = list(stubs_in(ast.parse(source)))
    except (SyntaxError, ValueError) as error:
        return Seen(name, "cannot be read", lost=(f"{name} is not valid Python: {error}",))
    except (RecursionError, MemoryError):
        return Seen(name, "cannot be read", lost=(f"{name} is nested too deeply for Python to read it",))
    if not stubs:
        return Seen(name, "all is written")
    items = dict(item for question, what in stubs for item in items_of(name, question, what))
    count, points = len(stubs), sum(items.values())
    return Seen(name, f"{count} place{'s' if count > 1 else ''} still to be written, {points:g} points")


def stubs_in(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The questions of what is still to be written, with what it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            argument = node.exc.args[0]
            if isinstance(argument, ast.Constant) and (stub := STUB.match(str(argument.value))):
                yield stub[1], stub[2]


def items_of(name: str, question: str, what: str) -> list[tuple[str, float]]:
    """The items, with their points, that something which is not written costs at least."""
    rows = json.loads((HERE / "tests" / "points.json").read_text(encoding="utf-8"))
    rows = [row for row in rows if row["how"] == "auto" and row["id"].startswith(f"{question}.")]
    rows = [row for row in rows if name in row["files"]]
    word = what.partition(",")[0]
    named = [row for row in rows if word in row["title"].split(", ")]
    # What is no function of its own, such as a step of a loop: the item that is about the whole file.
    whole = [row for row in rows if row["files"][-1] == name and " " in row["title"].replace(", ", "")]
    return [(row["id"], float(row["points"])) for row in named or whole]


def report_seen() -> Seen:
    """The notebook: answers that are not written, with their points, and pictures that are not there."""
    rows = json.loads((HERE / "tests" / "points.json").read_text(encoding="utf-8"))
    try:
        report = read_report(HERE / REPORT, [row for row in rows if row["how"] != "auto"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        told = f"{REPORT} cannot be read as a notebook: open it in Jupyter, and save it"
        return Seen(REPORT, "cannot be read", (told,))
    missing = []
    if report.blank:
        points = sum(report.blank.values())
        missing.append(f"no answer yet in {REPORT} ({points:g} points): {', '.join(report.blank)}")
    if report.nameless:
        missing.append(
            f"{report.nameless} answers in {REPORT} are in cells that have lost their names, as some "
            "programs leave them: they are found by the question above them, so keep each beneath its own"
        )
    absent = [name for name in report.figures if not (HERE / "figures" / name).is_file()]
    if absent:
        missing.append("figures that the report shows and that are not there yet: " + ", ".join(absent))
    if report.dropped:
        names = ", ".join(report.dropped)
        missing.append(
            f"pictures that were pasted into {REPORT} and are no longer in it, since some programs drop "
            f"them: {names}; paste them again, in Jupyter"
        )
    if report.elsewhere:
        missing.append(
            f"pictures that those who mark will not see: {', '.join(report.elsewhere)}; put them into "
            "figures/, and show them from there"
        )
    written, drawn = report.answers - len(report.blank), len(report.figures) - len(absent)
    state = f"{written} of {report.answers} answers, {drawn} of {len(report.figures)} figures"
    return Seen(REPORT, state, tuple(missing))


def figures_seen(inside: list[Path], packed: list[Path]) -> Seen:
    """The folder of figures: what stays out of it, and what nobody will see."""
    missing = []
    for file in inside:
        name = file.relative_to(HERE).as_posix()
        if not sendable(file):
            missing.append(f"{name!r} stays out: its name is not text that a zip can hold; rename it")
        elif file.suffix.lower() not in FIGURES and not file.name.startswith("."):
            missing.append(f"{name} stays out; figures end in {', '.join(FIGURES)}")
        elif file.suffix.lower() == NOT_SHOWN:
            missing.append(f"{name} will not be seen by those who mark: save it as .png")
    return Seen("figures/", f"{len(packed)} file{'' if len(packed) == 1 else 's'}", tuple(missing))


def evidence_seen(packed: list[Path]) -> Seen:
    """The folder of evidence: which trainings can be looked into, and which not."""
    rows = json.loads((HERE / "tests" / "points.json").read_text(encoding="utf-8"))
    asked = {row["id"][:3] for row in rows}
    due = [run for run, question in TRAININGS.items() if question in asked]
    there = {file.parent.name for file in packed if file.suffix in WEIGHTS}
    absent = [run for run in due if run not in there]
    state = f"{len(due) - len(absent)} of {len(due)} trainings"
    if not absent:
        return Seen("evidence/", state)
    told = "no evidence of some trainings, which costs no points (each leaves it when it ends): "
    return Seen("evidence/", state, (told + ", ".join(absent),))


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
    write_what_can_be_written()
    files = [HERE / name for name in (*YOURS, REPORT)]
    if missing := [file.relative_to(HERE).as_posix() for file in files if not file.is_file()]:
        for name in missing:
            print(f"handin: {name} is missing", file=sys.stderr)
        return nothing_packed()
    inside = sorted(file for file in (HERE / "figures").rglob("*") if file.is_file())
    figures = [file for file in inside if file.suffix.lower() in FIGURES and sendable(file)]
    evidence = sorted(
        file
        for file in (HERE / "evidence").glob("*/*")
        if (file.suffix in EVIDENCE or file.name.startswith(EVENTS)) and file.is_file() and sendable(file)
    )
    try:
        pack([*files, *figures, *evidence])
    except OSError as error:
        print(f"handin: {error.filename or ARCHIVE.name}: {error.strerror}", file=sys.stderr)
        return nothing_packed()
    with_it = f", with {len(evidence)} files of evidence" if evidence else ""
    print(f"{ARCHIVE.name}: {len(files)} files and {len(figures)} figures{with_it}.")
    seen = [*(code_seen(name) for name in YOURS), report_seen()]
    seen += [figures_seen(inside, figures), evidence_seen(evidence)]
    unlike = unlike_the_grader()
    print("\nWhat the grader will see")
    width = max(len(one.name) for one in seen)
    for one in seen:
        differs = any(line.startswith(f"{one.name}, ") for line in unlike)
        print(f"  {one.name:{width}}  {one.state}{', but not as it is here, see below' if differs else ''}")
    print()
    for note in (note for one in seen for note in one.missing):
        columns = max(40, shutil.get_terminal_size().columns)
        print(textwrap.fill(f"Note: {note}.", columns, subsequent_indent="  ", break_on_hyphens=False))
    lost = [*(problem for one in seen for problem in one.lost), *unlike]
    for problem in lost:
        print(f"handin: {problem}", file=sys.stderr)
    if lost:
        print("handin: packed all the same; what depends on that can earn no points", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # so that `python handin.py | head` ends without a traceback
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
