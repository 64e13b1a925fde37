"""What a command costs: wall-clock time, CPU time and peak memory, with all that it starts.

CPU time is the whole machine's: processes that are killed in another process namespace, as a box is, are in
nobody's account. So nothing else may run on the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from grader.files import write_atomically

SAMPLE_SECONDS = 1.0


@dataclass(frozen=True)
class Cost:
    """What a contender took.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of all processes.
        peak_bytes: proportional set size of all processes together, at its highest.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def read_kept(path: Path, about: dict[str, object]) -> dict[str, Any]:
    """The costs that an earlier command has kept, by name, as JSON has them; nothing if they are of others.

    Args:
        path: where they are kept.
        about: what they have to be of: the suites, the size of the cohort.
    """
    try:
        record = json.loads(path.read_text())
        if all(record[name] == value for name, value in about.items()):
            return dict(record["costs"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {}


def keep(path: Path, about: dict[str, object], costs: dict[str, Any]) -> None:
    """Keep costs, by name, for later commands."""
    write_atomically(path, (json.dumps({**about, "costs": costs}, indent=1) + "\n").encode())


def machine_cpu_seconds() -> float:
    """CPU time that this machine has spent since it was started."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def measure(action: Callable[[], object], every: float = SAMPLE_SECONDS) -> Cost:
    """Run an action: what it and its processes take; memory is read `every` so many seconds."""
    me = psutil.Process()
    before = {child.pid for child in me.children(recursive=True)}
    own = _memory([me])
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(every):
            children = [child for child in me.children(recursive=True) if child.pid not in before]
            peak = max(peak, _memory(children) + max(0, _memory([me]) - own))

    watcher = threading.Thread(target=watch)
    watcher.start()
    cpu, began = machine_cpu_seconds(), time.monotonic()
    try:
        action()
    finally:
        seconds, cpu = time.monotonic() - began, machine_cpu_seconds() - cpu
        done.set()
        watcher.join()
    return Cost(seconds, cpu, peak)


def end_with_all_on_sigterm() -> None:
    """Let SIGTERM end this process and all that it has started, down to the boxes."""
    signal.signal(signal.SIGTERM, _end_with_all)


def _end_with_all(number: int, frame: FrameType | None) -> None:
    me = psutil.Process()
    while children := [child for child in me.children(recursive=True) if _runs(child)]:
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=1)
    os._exit(128 + number)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run(command: list[str], folder: Path, log: Path) -> None:
    """Run a command in a folder; what it prints goes into a file.

    Raises:
        RuntimeError: it fails.
    """
    with log.open("w") as file:
        status = subprocess.run(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT).returncode
    if status != 0:
        raise RuntimeError(f"{' '.join(command[:6])} ended with {status}:\n{log.read_text()[-3000:]}")


def _memory(processes: list[psutil.Process]) -> int:
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total
