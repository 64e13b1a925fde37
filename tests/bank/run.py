"""Marks entries of the bank in several processes, and keeps every verdict as soon as it is there."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bank.attack import attacks_digest
from tests.bank.digest import verdict_digest
from tests.bank.entries import Entry
from tests.bank.verdict import Verdict
from tests.bank.worker import attack, mark, start

KEPT = Path("build/bank/verdicts.jsonl")


# What is marked: an entry, or the name of an attack.
Task = tuple[Entry | str, int]


def key(entry: Entry | str, seed: int) -> str:
    """Names what a kept verdict depends on."""
    if isinstance(entry, str):
        return f"{verdict_digest()} {attacks_digest()} {entry!r} {seed}"
    parts = frozenset(f"part{item.split('.')[0]}" for item in entry.items)
    return f"{verdict_digest(parts)} {entry.digest} {seed}"


def kept() -> dict[str, Verdict]:
    """The verdicts of earlier runs, by key."""
    if not KEPT.exists():
        return {}
    found = {}
    for line in KEPT.read_text().splitlines():
        record = json.loads(line)
        found[record["key"]] = Verdict(**{name: _tuples(value) for name, value in record["verdict"].items()})
    return found


def run(tasks: list[Task], jobs: int) -> Iterator[Verdict]:
    """Mark in several processes; verdicts as they come, each kept at once."""
    before = kept()
    todo = []
    for entry, seed in tasks:
        if key(entry, seed) in before:
            yield before[key(entry, seed)]
        else:
            todo.append((entry, seed))
    if not todo:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=start) as pool:
        futures = {
            pool.submit(attack if isinstance(entry, str) else mark, entry, seed): (entry, seed)
            for entry, seed in todo
        }
        for future in as_completed(futures):
            verdict = future.result()
            keep(*futures[future], verdict)
            yield verdict


def keep(entry: Entry | str, seed: int, verdict: Verdict) -> None:
    """Remember a verdict for later runs."""
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with KEPT.open("a") as file:
        file.write(json.dumps({"key": key(entry, seed), "verdict": asdict(verdict)}) + "\n")


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
