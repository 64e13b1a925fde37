"""Shows how far a step has come: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_SECONDS = 10.0  # between two lines where there is no terminal


def follow(title: str, names: Sequence[str]) -> Iterator[str]:
    """The names, one after another, with the progress shown beside."""
    if not names:
        return
    if sys.stdout.isatty():
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[name]}", style="dim", markup=False),
            transient=True,
            expand=True,
        ) as progress:
            task = progress.add_task(title, total=len(names), name="")
            for name in names:
                progress.update(task, name=name)
                yield name
                progress.advance(task)
    else:
        told = time.monotonic()
        for done, name in enumerate(names):
            if time.monotonic() - told > LINE_SECONDS:
                say(f"{title}: {done} of {len(names)}")
                told = time.monotonic()
            yield name
    say(f"{title}: {len(names)} of {len(names)}")


def say(line: str) -> None:
    """One line on the standard output, at once."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "replace").decode(encoding), flush=True)
