"""Which CPU a worker process keeps to.

A worker and its box take turns: one waits while the other works. Left alone, the kernel wakes each of them
on another CPU than the one that woke it. On one CPU the same submission was measured to cost a fifth less
time, since every request finds its caches warm, and the other CPUs are free for the other workers.
"""

from __future__ import annotations

import os
from multiprocessing.context import SpawnContext
from multiprocessing.queues import SimpleQueue

import psutil

LOOK_SECONDS = 0.2
# Of a CPU that is busier than this, the rest of the machine already has a use: the kernel then knows better.
MOST_BUSY = 50.0


def idle_cpus(count: int) -> list[int]:
    """The `count` most idle CPUs that this process may use; none where so many are not idle."""
    if not hasattr(os, "sched_setaffinity"):  # macOS
        return []
    busy = psutil.cpu_percent(interval=LOOK_SECONDS, percpu=True)
    allowed = [cpu for cpu in os.sched_getaffinity(0) if cpu < len(busy) and busy[cpu] <= MOST_BUSY]
    if len(allowed) < count:
        return []
    return sorted(allowed, key=lambda cpu: busy[cpu])[:count]


def places(context: SpawnContext, jobs: int) -> SimpleQueue[int | None]:
    """For each of `jobs` worker processes the CPU that it keeps to, or None where it may use all."""
    queue: SimpleQueue[int | None] = context.SimpleQueue()
    idle = idle_cpus(jobs)
    for worker in range(jobs):
        queue.put(idle[worker] if idle else None)
    return queue


def take_place(queue: SimpleQueue[int | None]) -> None:
    """In a worker process: keep to one of the places."""
    cpu = queue.get()
    if cpu is not None:
        keep_to(cpu)


def keep_to(cpu: int) -> None:
    """Let this process, and all that it starts from now on, run on this CPU alone."""
    os.sched_setaffinity(0, {cpu})
