"""The folder of a training run: what is kept in it, and how nothing in it gets lost. Provided.

A run belongs to its options and to your code. Started again, it goes on from its last finished epoch; with
changed code it begins anew, and the run that was there is kept under another name.

Part 1 and part 2 have the same file.
"""

import argparse
import ast
import contextlib
import csv
import hashlib
import io
import os
import pickle
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.csv"  # a row per epoch
SUMMARY = "summary.csv"  # what was measured at the end
CODE = "code.sha256"
KEPT_EPOCHS = (10, 20, 50)  # those besides the last that the figures show
# Options that say how to train, but not what comes out.
NOT_IN_NAMES = {
    *("help", "data_dir", "epochs", "num_workers", "log_dir", "figures", "progress_bar", "resume", "fresh"),
    "no_cuda",
}
YOURS = ("utils.py", "cnn_encoder_decoder.py", "train_pl.py", "models.py", "train.py")


class Trouble(Exception):
    """What keeps a training from running; the message says what to do."""


def name_of(args: argparse.Namespace, parser: argparse.ArgumentParser, named_by: Sequence[str]) -> str:
    """The name of a run: the options in `named_by`, and the others that are not at their defaults."""
    names = [name for name in vars(args) if name not in NOT_IN_NAMES and name not in named_by]
    told = [*named_by, *(name for name in names if getattr(args, name) != parser.get_default(name))]
    return "_".join(f"{name.rstrip('_')}_{getattr(args, name):g}" for name in told)


@contextlib.contextmanager
def opened(folder: Path, code: Path, resume: bool, fresh: bool) -> Iterator[Path]:
    """Makes a run's folder ready for this process alone.

    Args:
        folder: the run's.
        code: folder of the code that will train.
        resume: go on although the code has changed.
        fresh: begin anew in any case.

    Yields:
        The folder, empty or with what an earlier start of the same run has left.

    Raises:
        Trouble: another process trains in it.
    """
    with _locked(folder):
        folder.mkdir(parents=True, exist_ok=True)
        digest = code_digest(code)
        note = folder / CODE
        changed = not note.exists() or note.read_text().strip() != digest
        anew = (folder / CHECKPOINT).exists() and (fresh or (changed and not resume))
        if anew:
            kept = _set_aside(folder)
            why = "" if fresh else ", since the code has changed (--resume would go on all the same)"
            print(f"Beginning anew{why}. The run that was there is now in {kept}")
            folder.mkdir()
        write_atomically(note, f"{digest}\n".encode())
        yield folder


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Of a file beside the folder: Windows opens no folder, and moves none in which a file is open.
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f".{folder.name}.lock"), "ab") as file:
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except (BlockingIOError, PermissionError):
            raise Trouble(f"{folder}: another training with these options is under way there") from None
        yield


def _set_aside(folder: Path) -> Path:
    number = 1
    while (kept := folder.with_name(f"{folder.name}.old-{number}")).exists():
        number += 1
    folder.rename(kept)
    return kept


def code_digest(folder: Path) -> str:
    """SHA-256 of the code that decides what a training comes to, comments and layout left out.

    It is the same under every Python, so that a run may go on where there is another one.
    """
    digest = hashlib.sha256()
    for file in (folder / name for name in YOURS if (folder / name).exists()):
        digest.update(f"{file.name}\0{_written(ast.parse(file.read_bytes()))}\0".encode())
    return digest.hexdigest()


def _written(part: object) -> str:
    """A part of a syntax tree as text. `ast.dump` writes other empty fields in each version of Python."""
    if isinstance(part, list):
        return f"[{','.join(map(_written, part))}]"
    if not isinstance(part, ast.AST):
        return repr(part)
    filled = [(name, value) for name, value in ast.iter_fields(part) if value is not None and value != []]
    return f"{type(part).__name__}({','.join(f'{name}={_written(value)}' for name, value in filled)})"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file beside its place, brings it to the disk, and moves it there in one step.

    Whenever the process is killed, the file is the new one or the one before, and whole.

    Raises:
        OSError: it cannot be written; the file before it stays as it is.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        # After the move there is nothing left to remove; an interruption may come before it or after.
        Path(temporary).unlink(missing_ok=True)


def save_state(path: Path, parts: Mapping[str, Any], **numbers: Any) -> None:
    """Writes a checkpoint.

    Args:
        path: where.
        parts: models, optimizers and loggers by name; whatever has a `state_dict`.
        numbers: what else to remember, such as the number of finished epochs.
    """
    buffer = io.BytesIO()
    torch.save({"parts": {name: part.state_dict() for name, part in parts.items()}, **numbers}, buffer)
    write_atomically(path, buffer.getvalue())
    keep_epoch(path, numbers.get("epoch"))


def keep_epoch(checkpoint: Path, epoch: int | None) -> None:
    """Keeps a copy of the checkpoint of an epoch that the figures show; the next epoch replaces it."""
    if epoch in KEPT_EPOCHS:
        shutil.copyfile(checkpoint, checkpoint.with_name(kept(epoch)))


def kept(epoch: int) -> str:
    """The file with the checkpoint of an epoch that the figures show."""
    return f"epoch_{epoch:03d}.pt"


def load_state(path: Path, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Reads a checkpoint of `save_state` into the same parts; returns the numbers.

    Raises:
        Trouble: it is damaged, or of other networks.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        for name, saved in state.pop("parts").items():
            parts[name].load_state_dict(saved)
    except (RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise Trouble(f"{path} does not fit this model: {reason} Begin anew with --fresh.") from error
    return state


def add_row(table: Path, row: Mapping[str, Any]) -> None:
    """Adds an epoch to a CSV table. Rows of this epoch and of later ones, from before a kill, are replaced.

    Args:
        table: the file.
        row: numbers by column, the first of them `epoch`.
    """
    rows = [old for old in read_rows(table) if int(old["epoch"]) < row["epoch"]]
    rows.append({name: f"{float(value):.6g}" for name, value in row.items()})
    write_rows(table, rows)


def read_rows(table: Path) -> list[dict[str, str]]:
    """The rows of a CSV table, none where there is no file."""
    if not table.exists():
        return []
    with open(table, newline="") as file:
        return list(csv.DictReader(file))


def write_rows(table: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes a CSV table; a value that a row lacks is left empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(table, buffer.getvalue().encode())
