"""Trains at full length and writes docs/results.md: `python -m tests.results`. Goes on where it was stopped.

What docs/results/scores.csv holds is done: to train it anew, take its line out. A rehearsal takes minutes,
and writes its page elsewhere:

    python -m tests.results --epochs 2 --images 9000 --docs build/rehearsal/docs --output build/rehearsal
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from functools import partial
from pathlib import Path

from tests.results.images import RAW, guesses, write_part
from tests.results.page import write_page
from tests.results.trainings import (
    EXTRA,
    SEED_TRAININGS,
    TRAININGS,
    Places,
    Training,
    machine,
    run_all,
    start,
    state,
)

ALL = {training.name: training for training in (*TRAININGS, *EXTRA, *SEED_TRAININGS)}


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.results", description="Train at full length.", allow_abbrev=False
    )
    root = os.environ.get("MNIST_ROOT", "data")
    parser.add_argument(
        "--data_dir", type=Path, default=Path(root), help=f"holds MNIST/raw (default: {root})"
    )
    parser.add_argument("--output", type=Path, default=Path("build/results"), help="logs and checkpoints")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="receives results.md and results/")
    parser.add_argument("--jobs", type=_at_least_one, default=1, help="trainings at a time")
    parser.add_argument("--threads", type=_at_least_one, default=None, help="of each (default: cores / jobs)")
    parser.add_argument("--extra", action="store_true", help="train for question 2.7 as well: z_dim 20")
    parser.add_argument("--only", nargs="*", choices=ALL, metavar="NAME", help=f"some of {', '.join(ALL)}")
    parser.add_argument(
        "--page", action="store_true", help="train nothing, write the page from what is there"
    )
    parser.add_argument("--epochs", type=_at_least_one, help="rehearsal: of every training")
    parser.add_argument("--images", type=_at_least_one, help="rehearsal: of every set")
    options = parser.parse_args(arguments)
    if (options.epochs or options.images) and options.docs == Path("docs"):
        parser.error("--epochs and --images are for rehearsals: give their page another folder with --docs")
    if not (options.data_dir / RAW / "train-images-idx3-ubyte").exists():
        print(
            f"results: --data_dir {options.data_dir}: there is no {RAW}/train-images-idx3-ubyte",
            file=sys.stderr,
        )
        return 2
    data, note = options.data_dir, ""
    if options.images:
        data = write_part(data, options.output / "data", options.images)
        note = f"A rehearsal with {options.images:,} images of every set: these are no results."
    places = Places(data, options.output, options.docs / "results")
    trainings = chosen(options.only, options.extra)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    failed = []
    try:
        if not options.page:
            threads = options.threads or max(1, (os.cpu_count() or 1) // options.jobs)
            words = machine(threads, options.jobs)
            begin = partial(start, places=places, threads=threads, epochs=options.epochs, words=words)
            failed = run_all(pending(trainings, places), options.jobs, begin)
    except KeyboardInterrupt:
        print(
            "\nresults: interrupted; the same command goes on from the last finished epochs", file=sys.stderr
        )
        return 130
    finally:
        print(f"written: {write_page(options.docs, places, options.extra, guesses(data), note)}")
    for training in failed:
        print(f"results: {training.name} failed, see {options.output / training.name}.log", file=sys.stderr)
    return int(bool(failed))


def chosen(only: list[str] | None, extra: bool) -> tuple[Training, ...]:
    """The trainings that are asked for."""
    if only is not None:
        return tuple(ALL[name] for name in dict.fromkeys(only))
    return (*TRAININGS, *(EXTRA if extra else ()), *SEED_TRAININGS)


def pending(trainings: tuple[Training, ...], places: Places) -> tuple[Training, ...]:
    """Those that are not at their end."""
    return tuple(training for training in trainings if state(training, places).score is None)


if __name__ == "__main__":
    sys.exit(main())
