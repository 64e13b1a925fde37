"""A script that runs in another checkout, in a process of its own, and says how long something takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


class Measured:
    """A process that takes a seed on each line and answers with the CPU seconds that it needed.

    Args:
        checkout: where it runs, and whose grader it imports.
        script: its source; `sys.argv` has the folder and the CPU.
        folder: what is marked or examined again and again.
        cpu: the number of the CPU that it keeps to.
    """

    def __init__(self, checkout: Path, script: str, folder: Path, cpu: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", script, str(folder), str(cpu)],
            cwd=checkout,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, seed: int) -> float:
        """The CPU seconds with this seed.

        Raises:
            ValueError: the script ended, or what came was not right; it has said so on standard error.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seed}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End it and its box."""
        self._process.communicate()
