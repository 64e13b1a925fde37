"""Runs the public tests on every save: `python check.py [QUESTION] --watch`.

To import PyTorch and Lightning takes seconds, the tests of a function a fraction of one. So a spare process
imports the libraries and the tests ahead of time and waits for the next save. Then it imports your code, runs
the tests and ends; another one takes its place. No run knows anything of the one before.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(__file__).resolve().parents[1]
FOLDERS = ("part1", "part2", "tests")
# What your code and the tests import, and what PyTorch imports when the first optimizer takes a step.
LIBRARIES = (
    "torch",
    "torch.utils.data",
    "torch.utils.tensorboard",
    "torch._dynamo",
    "torchvision.datasets",
    "torchvision.transforms",
    "torchvision.utils",
    "pytorch_lightning",
    "pytorch_lightning.loggers",
    "matplotlib.pyplot",
    "numpy",
    "tqdm",
)
LOOK_SECONDS = 0.2  # how often to see whether a run has ended
STEP_MILLISECONDS = 25  # a save of an editor's is over when nothing has changed for so long
PATIENCE = 3.0  # after so many seconds of a run, the next spare process does not wait for its end
REPORTED = (0, 1, 2, 130)  # how check.py ends
WAITING = "Waiting for the next save in part1, part2 or tests; Ctrl+C ends."
BROKEN_OFF = f"""
Your code has ended Python before all tests were done: look for os._exit, for a signal, or for more memory
than there is.

{WAITING}"""
END_SECONDS = 2.0  # for a run that is to end; then it is killed


class Save:
    """In a spare process: the next save, which it waits for.

    Its input and output are those from before pytest puts others in their places.
    """

    def __init__(self) -> None:
        self._input = os.fdopen(os.dup(0))
        self.output = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace")
        for library in LIBRARIES:
            with contextlib.suppress(Exception):  # the code that needs it will say that it is missing
                importlib.import_module(library)

    def wait(self) -> list[str]:
        """Wait for it, and end this process when no run is wanted any more.

        Returns:
            The files that have changed, such as `part1/utils.py`.
        """
        gc.collect()
        gc.freeze()  # what is there now stays: the run's own searches for garbage need not look at it
        line = self._input.readline()
        if not line.strip():
            os._exit(0)
        return [str(name) for name in json.loads(line)]

    def end(self, status: int) -> NoReturn:
        """End this process at once: taking PyTorch down would keep the next one waiting for a second."""
        self.output.flush()
        os._exit(status)


class Run:
    """A process that is ready to run the tests, or runs them, or has.

    Args:
        options: for check.py, such as the question.
    """

    def __init__(self, options: Sequence[str]) -> None:
        command = [sys.executable, str(HERE / "check.py"), *options, "--spare"]
        # A group of its own: Ctrl+C reaches the watching process only, which ends the run quietly.
        group: dict[str, Any] = {"process_group": 0}
        if os.name == "nt":
            group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, **group)

    @property
    def alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None

    @property
    def broken_off(self) -> bool:
        """Whether it has ended without a report."""
        return self._process.poll() not in (None, *REPORTED)

    def go(self, changed: Sequence[str]) -> None:
        """Let it run the tests, beginning with those of these files."""
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError):  # it has just died, and has said why
            stdin.write(json.dumps(list(changed)).encode() + b"\n")
            stdin.close()

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


def watch(options: Sequence[str]) -> None:
    """Run the tests now and after every save, until interrupted."""
    from watchfiles import PythonFilter
    from watchfiles import watch as changes

    folders = [HERE / name for name in FOLDERS]
    how = {"yield_on_timeout": True, "rust_timeout": int(1000 * LOOK_SECONDS), "step": STEP_MILLISECONDS}
    spare: Run | None = None
    run = Run(options)
    try:
        run.go([])
        began, told = time.monotonic(), False
        for found in changes(*folders, watch_filter=PythonFilter(), **how):  # type: ignore[arg-type]
            if found:
                run.end()
                changed = sorted(Path(path).relative_to(HERE).as_posix() for _, path in found)
                if spare is not None and (
                    not spare.alive or any(name.startswith("tests/") for name in changed)
                ):
                    spare.end()  # it has died, or has read the tests that were there before
                    spare = None
                run, spare = spare or Run(options), None
                run.go(changed)
                began, told = time.monotonic(), False
            elif spare is None and (not run.alive or time.monotonic() - began > PATIENCE):
                spare = Run(options)
            if run.broken_off and not told:
                told = True
                print(BROKEN_OFF, flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        run.end()
        if spare is not None:
            spare.end()
