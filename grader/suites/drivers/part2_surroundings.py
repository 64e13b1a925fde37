"""Runs in the box: what a training loop finds around it: batches, loggers that write event files, folders.

All of that is real, so that whatever a loop does besides its updates (pictures, figures, weights, curves)
works here as it does at home, and costs little.
"""

import contextlib
import copy
import importlib
import inspect
import os
import re
from pathlib import Path

import torch
from tensorboard.summary.writer import event_file_writer
from torch.utils.data import DataLoader, TensorDataset, default_collate
from torch.utils.tensorboard import SummaryWriter

HOME = Path(__file__).resolve().parents[1]  # the submission's private folder; its file system has 64 MB
LOGS = HOME / "logs"
# What a loop may write until the next batch, or the next epoch; then its files are thrown away.
LEAST_BYTES, LEAST_FILES = 40 * 2**20, 2048
MOST_FOLDERS = 5
_given: set[Path] = set()
_tried: set[int] = set()


class WritesAtOnce:
    """Takes the place of TensorBoard's thread that writes event files: it has the same methods.

    A session may have few threads, and a writer that a loop makes and does not close would keep one.
    """

    def __init__(self, record_writer, max_queue_size=20, flush_secs=120):
        self._writer = record_writer
        self._closed = False

    def write(self, bytestring):
        if self._closed:
            raise OSError("Writer is closed")
        self._writer.write(bytestring)

    def flush(self):
        if self._closed:
            raise OSError("Writer is closed")
        self._writer.flush()

    def close(self):
        if not self._closed:
            self._closed = True
            self._writer.flush()
            self._writer.close()


def write_events_at_once():
    """From now on event files are written without a thread."""
    if hasattr(event_file_writer, "_AsyncWriter"):
        event_file_writer._AsyncWriter = WritesAtOnce


class Folder(str):
    """Text, as the course's original `main` gives a writer; as good as the given one's `Path`."""

    def __truediv__(self, other):
        return Path(self) / other

    def __getattr__(self, name):
        return getattr(Path(self), name)


def _files():
    return {path for path in HOME.rglob("*") if not path.is_dir()}


def make_room():
    """Throw away what the student's code has written, where there is not much room left. Folders stay."""
    state = os.statvfs(HOME)
    if state.f_bavail * state.f_frsize >= LEAST_BYTES and state.f_favail >= LEAST_FILES:
        return
    for path in _files() - _given:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def loggers():
    """The two loggers of `main`, on one writer, which is closed in the end."""
    base = importlib.import_module("utils").TensorBoardLogger

    class Logger(base):
        """What it cannot take has cost the loss that returns it its points."""

        def add_values(self, values):
            with contextlib.suppress(Exception):
                super().add_values(values)

    if not _given:
        _given.update(_files())
    make_room()
    write_events_at_once()
    writer = SummaryWriter(Folder(LOGS / "training"))
    try:
        yield Logger(writer, name="autoencoder"), Logger(writer, name="discriminator")
    finally:
        with contextlib.suppress(Exception):
            writer.close()


class Loader(DataLoader):
    """A loader of batches that are there already, in their order.

    Of its data set it makes batches as the given one does (`collate_fn(dataset[:16])`), and as any other.
    """

    def __init__(self, batches, restarted=None):
        images = torch.cat(batches)
        self.grader_restarted = restarted
        self.grader_batches = [(batch, torch.zeros(len(batch), dtype=torch.int64)) for batch in batches]
        labels = torch.zeros(len(images), dtype=torch.int64)
        super().__init__(TensorDataset(images, labels), batch_size=len(batches[0]), collate_fn=_collate)

    def __len__(self):
        return len(self.grader_batches)

    def __iter__(self):
        for batch in self.grader_batches:
            make_room()
            yield batch

    def grader_restart(self):
        """The epoch begins again: what was noted of it so far does not count."""
        if self.grader_restarted is not None:
            self.grader_restarted()


def _collate(samples):
    batch = isinstance(samples, tuple) and all(isinstance(part, torch.Tensor) for part in samples)
    return samples if batch else default_collate(samples)


def train_epoch(epoch, model, loader, optimizer_ae, optimizer_disc, lambda_):
    """An epoch by the student's `train_aae`.

    A folder that it writes to may be made elsewhere, by `main` or in an epoch before: where one is missing,
    it is made, and the epoch begins again.
    """
    train = importlib.import_module("train")
    stateful = (model, optimizer_ae, optimizer_disc)
    chances = 0 if epoch in _tried else MOST_FOLDERS
    _tried.add(epoch)
    while True:
        before = copy.deepcopy([one.state_dict() for one in stateful]) if chances else []
        try:
            with loggers() as (logger_ae, logger_disc):
                train.train_aae(
                    epoch, model, loader, logger_ae, logger_disc, optimizer_ae, optimizer_disc, lambda_
                )
            return
        except (OSError, RuntimeError) as error:
            folder = _missing_folder(error)
            if not chances or folder is None:
                raise
            folder.mkdir(parents=True)
        chances -= 1
        for one, state in zip(stateful, before, strict=True):
            one.load_state_dict(state)
        loader.grader_restart()


def train_aae_takes(name):
    """Whether `train_aae` can be given an argument by this name."""
    parameters = inspect.signature(importlib.import_module("train").train_aae).parameters
    return name in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def _missing_folder(error):
    """The folder of ours that an error misses, if any."""
    name = str(getattr(error, "filename", None) or "")
    if match := re.match(r"Parent directory (.+) does not exist", str(error)):  # of torch.save
        name = f"{match[1]}/file"
    folder = Path(name).absolute().parent
    return folder if name and folder.is_relative_to(HOME) and not folder.exists() else None
