"""Packs what is to be handed in: your five files, report.ipynb and the figures, into handin.zip."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ARCHIVE = HERE / "handin.zip"
YOURS = (
    "part1/utils.py",
    "part1/cnn_encoder_decoder.py",
    "part1/train_pl.py",
    "part2/models.py",
    "part2/train.py",
)
REPORT = "report.ipynb"
FIGURES = (".png", ".svg", ".jpg", ".jpeg", ".csv")


def unreadable(files: list[Path]) -> list[str]:
    """What Python cannot read."""
    found = []
    for file in files:
        name = file.relative_to(HERE).as_posix()
        try:
            compile(file.read_bytes(), name, "exec")
        except (SyntaxError, ValueError) as error:
            found.append(f"{name} is not valid Python: {error}")
    return found


def main() -> int:
    """Packs; returns the exit status."""
    files = [HERE / name for name in (*YOURS, REPORT)]
    if missing := [file.relative_to(HERE).as_posix() for file in files if not file.is_file()]:
        for name in missing:
            print(f"handin: {name} is missing", file=sys.stderr)
        ARCHIVE.unlink(missing_ok=True)  # one of before would be handed in by mistake
        print("handin: nothing was packed", file=sys.stderr)
        return 1
    inside = sorted(file for file in (HERE / "figures").rglob("*") if file.is_file())
    figures = [file for file in inside if file.suffix.lower() in FIGURES]
    code = [file for file in files if file.suffix == ".py"]
    stubs = [file for file in code if b'NotImplementedError("Question ' in file.read_bytes()]
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in [*files, *figures]:
            archive.write(file, file.relative_to(HERE))
    print(f"{ARCHIVE.name}: {len(files)} files and {len(figures)} figures.")
    for file in stubs:
        print(f"Note: {file.relative_to(HERE).as_posix()} still has something to be written.")
    for file in inside:
        if file not in figures and not file.name.startswith("."):
            print(
                f"Note: {file.relative_to(HERE).as_posix()} stays out; figures end in {', '.join(FIGURES)}."
            )
    if not figures:
        print("Note: there are no figures yet; training writes them into figures/.")
    found = unreadable(code)
    for problem in found:
        print(f"handin: {problem}", file=sys.stderr)
    if found:
        print("handin: packed all the same; nothing in such a file can earn points", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
