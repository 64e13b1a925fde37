"""The folder of a training run, and the files in it. Provided; part 1 and part 2 have the same file."""

import argparse
import csv
import errno
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
# A row per epoch; what was measured at the end; how it was started.
METRICS, SUMMARY, OPTIONS = "metrics.csv", "summary.csv", "options.json"
# Options that say how to train, but not what comes out.
HOW = {"data_dir", "log_dir", "figures", "num_workers", "progress_bar", "resume", "fresh"}


def name_of(args: argparse.Namespace, parser: argparse.ArgumentParser, named_by: Sequence[str]) -> str:
    """The name of a run: the options in `named_by`, and the others that are not at their defaults."""
    names = [name for name in vars(args) if name not in {*HOW, "epochs", "no_cuda", *named_by}]
    told = [*named_by, *(name for name in names if getattr(args, name) != parser.get_default(name))]
    return "_".join(f"{name.rstrip('_')}_{getattr(args, name):g}" for name in told)


def begin(folder: Path, args: argparse.Namespace) -> None:
    """Makes a run's folder; a run of other code that is there already is kept under another name."""
    code = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(HERE.glob("*.py")))).hexdigest()
    note = folder / "code.sha256"
    changed = note.exists() and note.read_text() != code
    worth = any((folder / name).exists() for name in ("last.ckpt", "checkpoint.pt"))
    if worth and (args.fresh or (changed and not args.resume)):
        kept = folder.rename(f"{folder}.until-{datetime.now():%Y-%m-%d-%H%M%S-%f}")
        why = "" if args.fresh else ", since the code has changed (--resume would go on all the same)"
        print(f"Beginning anew{why}. The run that was there is now in {kept}")
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(code)
    told = {name: value for name, value in vars(args).items() if name not in HOW}
    versions = {"python": platform.python_version(), "torch": str(torch.__version__)}
    (folder / OPTIONS).write_text(json.dumps({"options": told, "versions": versions}, indent=1))


def save_whole(state: Any, path: Path) -> None:
    """`torch.save` in two steps: a kill leaves the file before it, or the new one, whole."""
    unfinished = Path(f"{path}.part")
    try:
        torch.save(state, unfinished)
    except RuntimeError as error:  # how torch says that the disk is full
        raise OSError(errno.EIO, "cannot be written whole; the disk may be full", str(unfinished)) from error
    os.replace(unfinished, path)


def read_rows(*tables: Path) -> list[dict[str, float]]:
    """The rows of CSV tables, one for each epoch; what is said of an epoch last counts."""
    rows: dict[float, dict[str, float]] = {}
    for table in tables:
        with open(table, newline="") as file:
            for row in csv.DictReader(file):
                values = {name: float(value) for name, value in row.items() if value}
                rows.setdefault(values["epoch"], {}).update(values)
    return [rows[epoch] for epoch in sorted(rows)]


def write_rows(table: Path, rows: Iterable[Mapping[str, float]]) -> None:
    """Writes a CSV table; a value that a row lacks is left empty."""
    rows = [{name: f"{value:.6g}" for name, value in row.items()} for row in rows]
    with open(table, "w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
