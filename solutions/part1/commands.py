"""The command line of a training: options, and a clear message for what can go wrong. Provided.

Part 1 and part 2 have the same file.
"""

import argparse
import contextlib
import math
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import runs
from evidence import note_options
from runs import Trouble

HERE = Path(__file__).parent
FIGURES = HERE.parent / "figures"  # beside report.ipynb, which shows them
USAGE, TROUBLE, INTERRUPTED = 2, 1, 130
MNIST_FILES = tuple(
    f"{half}-{kind}-ubyte" for half in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
)


def natural(text: str) -> int:
    """An option that is a whole number, 1 or more."""
    return _at_least(1, text)


def whole(text: str) -> int:
    """An option that is a whole number, 0 or more."""
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    with contextlib.suppress(ValueError):
        if (value := int(text)) >= least:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least {least}")


def positive(text: str) -> float:
    """An option that is a number above 0, such as a learning rate."""
    with contextlib.suppress(ValueError):
        if 0 < (value := float(text)) < math.inf:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not a number above 0")


def fraction(text: str) -> float:
    """An option that is a number between 0 and 1, both included."""
    with contextlib.suppress(ValueError):
        if 0 <= (value := float(text)) <= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text} is not a number between 0 and 1")


def add_common_options(parser: argparse.ArgumentParser, log_dir: str) -> None:
    """Adds the options that both trainings have.

    Args:
        parser: receives them.
        log_dir: default of `--log_dir`.
    """
    parser.allow_abbrev = False
    parser.conflict_handler = "resolve"  # earlier releases had --no-cuda in part 2 only, in train.py
    parser.add_argument("--data_dir", default="../data", help="folder of the MNIST data set")
    parser.add_argument("--seed", type=whole, default=42, help="seed of every random number")
    parser.add_argument(
        "--num_workers", type=whole, default=0, help="loading processes; 0 is usually fastest"
    )
    # `--no-cuda` is what the course has always called it.
    parser.add_argument(
        "--cpu",
        "--no-cuda",
        dest="no_cuda",
        action="store_true",
        help="train on the CPU even where there is a GPU, NVIDIA's or Apple's",
    )
    parser.add_argument("--log_dir", default=log_dir, help="holds a folder for every combination of options")
    parser.add_argument("--figures", default=str(FIGURES), help="folder for the figures of the report")
    parser.add_argument(
        "--progress_bar",
        action=argparse.BooleanOptionalAction,
        default=sys.stderr.isatty(),
        help="show a progress bar; by default, when the output is a terminal",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="go on from the last epoch although the code has changed"
    )
    again.add_argument(
        "--fresh", action="store_true", help="begin anew; the run that is there is kept under another name"
    )


def run(
    train: Callable[[argparse.Namespace], object],
    parser: argparse.ArgumentParser,
    named_by: Sequence[str],
    arguments: Sequence[str] | None = None,
) -> int:
    """Runs a training as a command.

    Args:
        train: the training; `args.log_dir` is the folder of this very run when it is called.
        parser: the options.
        named_by: the options that always stand in the name of a run's folder. The others do when they are
            not at their defaults, so that every combination of options has a folder of its own.
        arguments: the command line, by default the process's.

    Returns:
        The exit status: 0, 2 for options that make no sense, 1 for trouble, 130 after Ctrl-C.
    """
    try:
        args = parser.parse_args(arguments)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else USAGE
    try:
        check_folder("--log_dir", args.log_dir)
        check_folder("--figures", args.figures)
        check_data(args.data_dir)
        name = runs.name_of(args, parser, named_by)
        with runs.opened(Path(args.log_dir) / name, HERE, args.resume, args.fresh) as folder:
            args.log_dir = str(folder)
            note_options(folder, args)
            with told(folder):
                train(args)
    except Trouble as trouble:
        print(f"{parser.prog}: {trouble}", file=sys.stderr)
        return TROUBLE
    except KeyboardInterrupt:
        print(f"\n{parser.prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


@contextlib.contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turns what can happen to a training into messages; a mistake in the code keeps its traceback."""
    # TensorBoard writes in a thread of its own; what it meets there, training meets with its next write.
    threading.excepthook = _quiet_about_disks
    go_on = f"The epochs that were finished are kept in {folder}: the same command goes on from there."
    try:
        yield
    except BaseException as error:
        if _interrupted(error):
            print(f"\n{go_on}", file=sys.stderr)
            raise KeyboardInterrupt from None
        if isinstance(error, OSError):
            where = error.filename or folder
            raise Trouble(f"{where}: {error.strerror or error}. {go_on}") from error
        if isinstance(error, NotImplementedError) and str(error).startswith("Question "):
            place = traceback.extract_tb(error.__traceback__)[-1]
            file = Path(place.filename)
            where = f"{file.parent.name}/{file.name}, line {place.lineno}"
            raise Trouble(f"{where}: training needs what is not written yet. {error}") from error
        raise


def _interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: Lightning makes an exit of that, and a file half written fails for it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _quiet_about_disks(arguments: threading.ExceptHookArgs) -> None:
    if not isinstance(arguments.exc_value, OSError):
        threading.__excepthook__(arguments)


def check_folder(option: str, folder: str) -> None:
    """Makes a folder.

    Raises:
        Trouble: it cannot be made, or nothing can be written there.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or error
        raise Trouble(f"{option} {folder} cannot be written: {reason}. Choose another folder.") from error


def check_data(root: str) -> None:
    """Sees to it that the data set is there, and whole.

    Raises:
        Trouble: it is neither there nor can be downloaded, or only a part of it is there.
    """
    folder = Path(root) / "MNIST" / "raw"
    for name in MNIST_FILES:
        if (folder / name).exists():
            check_idx(folder / name)
    if all((folder / name).exists() for name in MNIST_FILES):
        return
    from torchvision.datasets import MNIST

    try:
        MNIST(root, train=True, download=True)
    except (OSError, RuntimeError) as error:
        raise Trouble(
            f"--data_dir {root}: MNIST is not there and cannot be downloaded: {error}\n"
            f"Try again with a network, or put {', '.join(MNIST_FILES)} into {folder}."
        ) from error


def check_idx(file: Path) -> None:
    """Compares the size of a file of MNIST with what its first bytes announce.

    Raises:
        Trouble: it is not whole, or cannot be read.
    """
    try:
        with open(file, "rb") as stream:
            head = stream.read(16)
            size = os.fstat(stream.fileno()).st_size
    except OSError as error:
        raise Trouble(f"{file} cannot be read: {error.strerror}") from error
    dimensions = head[3] if len(head) > 3 else 0
    if head[:3] == b"\0\0\x08" and len(head) >= 4 + 4 * dimensions:
        sizes = [int.from_bytes(head[4 * n : 4 * n + 4], "big") for n in range(1, dimensions + 1)]
        expected = 4 + 4 * dimensions + math.prod(sizes)
        if size == expected:
            return
        due = f" instead of {expected:,}"
    else:
        due = ""
    raise Trouble(
        f"{file} has {size:,} bytes{due}: its download was cut off. "
        f"Please delete the folder {file.parent}; the same command then downloads it again."
    )
