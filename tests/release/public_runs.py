"""Runs the students' tests on any code, each time in a process of its own that has torch at hand."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PUBLIC = Path(__file__).resolve().parents[1] / "public"
MINUTES_PER_RUN = 5


@dataclass
class Outcome:
    """What became of one test."""

    name: str
    item: str
    status: str
    message: str = ""
    not_written: str = ""


@dataclass
class Notes:
    """A pytest plugin that notes outcomes."""

    outcomes: list[Outcome] = field(default_factory=list)
    messages: dict[str, str] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo
    ) -> Iterator[pytest.TestReport]:
        if call.excinfo is not None:
            self.messages[item.nodeid] = str(call.excinfo.value)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome == "failed":
            missing = dict(report.user_properties).get("not written", "")
            status = "error" if report.when != "call" else report.outcome
            message = self.messages.get(report.nodeid, "")
            self.outcomes.append(
                Outcome(report.nodeid, item_of(report.nodeid), status, message, str(missing))
            )


def item_of(node: str) -> str:
    """The item that a test belongs to, by its file: `test_1_7_kld.py` -> `1.7.kld`."""
    part, question, name = Path(node.split("::")[0]).stem.removeprefix("test_").split("_", 2)
    return f"{part}.{question}.{name}"


def files_of(item: str) -> list[Path]:
    """The test files of an item (`1.7.kld`), a question (`1.7`) or a part (`1`)."""
    return [
        file for file in sorted(PUBLIC.glob("test_*.py")) if f"{item_of(file.name)}.".startswith(f"{item}.")
    ]


def run(code: Path, items: tuple[str, ...] = ("1", "2"), first_failure_only: bool = False) -> list[Outcome]:
    """Run tests on `code/part1` and `code/part2`, in this process: call it in a child."""
    notes = Notes()
    files = [str(file) for item in items for file in files_of(item)]
    options = ["-p", "no:terminal", "-p", "no:cacheprovider", "-W", "ignore", "-c", os.devnull]
    options += [f"--rootdir={PUBLIC}", f"--code={code}", *(["-x"] if first_failure_only else [])]
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        status = pytest.main([*options, *files], plugins=[notes])
    assert status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), f"pytest ended with {status!r}"
    return notes.outcomes


def _run_files(files: dict[str, bytes], items: tuple[str, ...], first_failure_only: bool) -> list[Outcome]:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return run(Path(folder), items, first_failure_only)


def pool() -> ProcessPoolExecutor:
    """One worker at a time, new for every run, born with torch loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "torchvision", "pytorch_lightning", "tests.release.public_runs"])
    return ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1)


def run_all(
    tasks: dict[str, tuple[dict[str, bytes], tuple[str, ...]]], first_failure_only: bool = False
) -> Iterator[tuple[str, list[Outcome]]]:
    """Run the tests of many submissions, `name -> (files, items)`; outcomes as they come."""
    with pool() as workers:
        futures = {
            workers.submit(_run_files, files, items, first_failure_only): name
            for name, (files, items) in tasks.items()
        }
        for future in as_completed(futures, timeout=60 * MINUTES_PER_RUN * len(futures)):
            yield futures[future], future.result()


def run_folder(code: Path, items: tuple[str, ...] = ("1", "2")) -> list[Outcome]:
    """Run the tests of one folder in a child."""
    with pool() as workers:
        return workers.submit(run, code, items).result(timeout=60 * MINUTES_PER_RUN)


def without_caches(source: Path, target: Path) -> None:
    """Copy `part1` and `part2` of a folder."""
    for part in ("part1", "part2"):
        shutil.copytree(
            source / part, target / part, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
        )
