"""Run the tests in two processes: `python -m tests.two_processes [what pytest takes]`.

One goes through the files from the first to the last, the other from the last to the first, until they meet:
a file belongs to the process that comes to it first, so that its fixtures are made once. What the second one
says is shown when both have ended, and the last line counts the tests of both. Files that are named are run
in one process.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType

import pytest

# Set in the environment of the two: where they leave word, and which of them it is.
SHARED, SECOND = "TESTS_SHARED_FOLDER", "TESTS_SECOND_PROCESS"
PLUGIN = "tests.two_processes"
ENDING_SECONDS = 60  # for what fixtures end after Ctrl-C
COUNTED = ("failed", "error", "passed", "skipped", "xfailed", "xpassed")


class Share:
    """The part of the tests that is run in this process.

    Args:
        folder: where the two tell each other which files they have begun.
        second: whether this is the one that begins with the last file.
    """

    def __init__(self, folder: Path, second: bool) -> None:
        self._folder = folder
        self._second = second
        self._mine: dict[Path, bool] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Let the second process begin with the last file; within a file the order stays."""
        if self._second:
            files = {path: place for place, path in enumerate(dict.fromkeys(item.path for item in items))}
            items.sort(key=lambda item: -files[item.path])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Pass over the tests of a file that the other one has begun."""
        if item.path not in self._mine:
            self._mine[item.path] = self._claim(item.path)
        return None if self._mine[item.path] else True

    def _claim(self, path: Path) -> bool:
        try:
            (self._folder / str(path).replace(os.sep, "|")).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Leave word of how many tests came to what."""
        counts = {name: len(terminalreporter.stats.get(name, [])) for name in COUNTED}
        (self._folder / f"counts-{int(self._second)}").write_text(json.dumps(counts))


def pytest_configure(config: pytest.Config) -> None:
    """Where this file is loaded as a plugin: in either of the two processes."""
    if folder := os.environ.pop(SHARED, None):  # tests that run pytest run all of theirs
        config.pluginmanager.register(Share(Path(folder), SECOND in os.environ))
        os.environ.pop(SECOND, None)


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main(arguments: list[str]) -> int:
    """Run both, show what they say and count; the exit status is the worse of theirs."""
    if any(".py" in argument for argument in arguments):
        return subprocess.call([sys.executable, "-m", "pytest", *arguments])
    command = [sys.executable, "-m", "pytest", "-p", PLUGIN, *arguments]
    signal.signal(signal.SIGTERM, _end)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tests-") as folder, tempfile.TemporaryFile() as said:
        environment = {**os.environ, SHARED: folder}
        first = subprocess.Popen(command, env=environment)
        second = subprocess.Popen(
            command, env={**environment, SECOND: "yes"}, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            statuses = [first.wait(), second.wait()]
        except KeyboardInterrupt:  # of the terminal's, which they have, too
            statuses = [process.wait(ENDING_SECONDS) for process in (first, second)]
        finally:
            for process in (first, second):
                process.kill()
        said.seek(0)
        sys.stdout.write(said.read().decode(errors="replace"))
        counts: Counter[str] = Counter()
        for file in Path(folder).glob("counts-*"):
            counts.update(json.loads(file.read_text()))
    told = ", ".join(f"{counts[name]} {name}" for name in COUNTED if counts[name]) or "no tests ran"
    print(f"===== both: {told} in {time.monotonic() - began:.0f}s =====")
    # A process that was ended by a signal has a negative status: the worst of all.
    return max((abs(status) for status in statuses), default=0)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main(sys.argv[1:]))
