"""Options of a training, and messages for what goes wrong. Provided; part 1 and part 2 have the same file."""

import argparse
import math
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from runs import HERE, begin, name_of
from torchvision.datasets import MNIST

FIGURES = HERE.parent / "figures"  # beside report.ipynb, which shows them
TROUBLE, INTERRUPTED = 1, 130


def _number(kind: type, fits: Callable[[float], bool], what: str) -> Callable[[str], float]:
    """An option that is a number, for argparse."""

    def parse(text: str) -> float:
        try:
            if fits(value := kind(text)):
                return value
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"{text} is not {what}")

    return parse


natural = _number(int, lambda value: value >= 1, "a whole number of at least 1")
whole = _number(int, lambda value: value >= 0, "a whole number of at least 0")
positive = _number(float, lambda value: 0 < value < math.inf, "a number above 0")
fraction = _number(float, lambda value: 0 <= value <= 1, "a number between 0 and 1")


def add_common_options(parser: argparse.ArgumentParser, log_dir: str) -> None:
    """Adds the options that both trainings have; `log_dir` is the default of `--log_dir`."""
    parser.allow_abbrev = False
    parser.conflict_handler = "resolve"  # earlier releases had --no-cuda in part 2 only, in train.py
    add = parser.add_argument
    add("--data_dir", default="../data", help="folder of the MNIST data set")
    add("--seed", type=whole, default=42, help="seed of every random number")
    add("--num_workers", type=whole, default=0, help="loading processes; 0 is usually fastest")
    cpu = "train on the CPU even where there is a GPU, NVIDIA's or Apple's"
    add("--cpu", "--no-cuda", dest="no_cuda", action="store_true", help=cpu)
    add("--log_dir", default=log_dir, help="holds a folder for every combination of options")
    add("--figures", default=str(FIGURES), help="folder for the figures of the report")
    bar = "show a progress bar; by default, when the output is a terminal"
    add("--progress_bar", action=argparse.BooleanOptionalAction, default=sys.stderr.isatty(), help=bar)
    add = parser.add_mutually_exclusive_group().add_argument
    add("--resume", action="store_true", help="go on from the last epoch although the code has changed")
    add("--fresh", action="store_true", help="begin anew; the run that is there is kept under another name")


def run(
    train: Callable[[argparse.Namespace], object],
    parser: argparse.ArgumentParser,
    named_by: Sequence[str],
    arguments: Sequence[str] | None = None,
) -> int:
    """Runs a training as a command, with `args.log_dir` the folder of this very run (see `name_of`).

    Returns the exit status: 0, 1 for trouble, 130 after Ctrl-C. Options that make no sense exit with 2.
    """
    args = parser.parse_args(arguments)
    folder = Path(args.log_dir) / name_of(args, parser, named_by)
    try:
        Path(args.figures).mkdir(parents=True, exist_ok=True)
        problem = check_data(args.data_dir)
        if not problem:
            begin(folder, args)
            args.log_dir = str(folder)
            train(args)
            return 0
        status = TROUBLE
    except BaseException as error:
        go_on = f"Finished epochs are kept in {folder}: the same command goes on from there."
        if interrupted(error):
            problem, status = f"interrupted. {go_on}", INTERRUPTED
        elif isinstance(error, OSError):
            problem, status = f"{error.filename or folder}: {error.strerror or error}. {go_on}", TROUBLE
        elif isinstance(error, NotImplementedError) and str(error).startswith("Question "):
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}, line {place.lineno}"
            problem, status = f"{where}: training needs what is not written yet. {error}", TROUBLE
        else:
            raise  # a mistake in the code keeps its traceback
    print(f"{parser.prog}: {problem}", file=sys.stderr)
    return status


def interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind it: Lightning makes an exit of that, and a file half written fails for it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def check_data(root: str) -> str:
    """Downloads MNIST where it is missing; what to do where that fails, empty where all is well."""
    try:
        for train in (True, False):
            MNIST(root, train=train, download=True)
    except Exception as error:  # of many kinds: no network, no permission, a file that was cut off
        folder = Path(root) / "MNIST" / "raw"
        files = ", ".join(name.removesuffix(".gz") for name, _ in MNIST.resources)
        return (
            f"--data_dir {root}: MNIST can't be read or downloaded: {error or type(error).__name__}.\n"
            f"Delete the folder {folder}, whose files may be cut off, and try again with a network; or put "
            f"these files there: {files}."
        )
    return ""
