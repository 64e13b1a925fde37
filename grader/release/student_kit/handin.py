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
FIGURES = ("*.png", "*.svg", "*.jpg", "*.csv")


def problems(files: list[Path]) -> list[str]:
    """What is missing, or cannot be read by Python."""
    found = []
    for file in files:
        name = file.relative_to(HERE).as_posix()
        if not file.is_file():
            found.append(f"{name} is missing")
        elif file.suffix == ".py":
            try:
                compile(file.read_bytes(), name, "exec")
            except (SyntaxError, ValueError) as error:
                found.append(f"{name} is not valid Python: {error}")
    return found


def main() -> int:
    """Packs; returns the exit status."""
    files = [HERE / name for name in (*YOURS, REPORT)]
    if found := problems(files):
        for problem in found:
            print(f"handin: {problem}", file=sys.stderr)
        print("handin: nothing was packed", file=sys.stderr)
        return 1
    figures = sorted(file for pattern in FIGURES for file in (HERE / "figures").rglob(pattern))
    stubs = [
        file
        for file in files
        if file.suffix == ".py" and 'NotImplementedError("Question ' in file.read_text()
    ]
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in [*files, *figures]:
            archive.write(file, file.relative_to(HERE))
    print(f"{ARCHIVE.name}: {len(files)} files and {len(figures)} figures.")
    for file in stubs:
        print(f"Note: {file.relative_to(HERE).as_posix()} still has something to be written.")
    if not figures:
        print("Note: there are no figures yet; training writes them into figures/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
