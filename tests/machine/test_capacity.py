"""How many submissions a machine can mark at once, and what a control group leaves."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from grader.machine.capacity import JOB_BYTES, Capacity, capacity

GB = 10**9


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Capacity]:
    """The capacity of a machine with 64 GB free and 16 processors, in these control groups."""

    class Free:
        available = 64 * GB

    monkeypatch.setattr(psutil, "virtual_memory", Free)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)))

    def write(groups: str, **files: str) -> Capacity:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(groups)
        (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
        for name, content in files.items():
            path = tmp_path / "sys/fs/cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return capacity(tmp_path)

    return write


def test_without_control_groups_the_machine_counts(pretend):
    assert pretend("0::/\n") == Capacity(16, 64 * GB)


def test_the_memory_of_a_container_counts(pretend):
    files = {
        "memory.max": f"{4 * GB}\n",
        "memory.current": f"{GB}\n",
        "memory.stat": f"file 1\ninactive_file {GB // 2}\n",
    }
    found = pretend("0::/\n", **files)
    assert found == Capacity(16, 4 * GB - GB // 2, grouped=True)
    assert found.jobs == (4 * GB - GB // 2) // JOB_BYTES == 2


def test_the_narrowest_of_nested_groups_counts(pretend):
    groups = {"a/memory.max": f"{2 * GB}\n", "a/b/memory.max": "max\n", "a/b/cpu.max": "max 100000\n"}
    found = pretend("0::/a/b\n", **groups, **{"a/cpu.max": "250000 100000\n"})
    assert (found.memory, found.processors, found.jobs) == (2 * GB, 3, 1)


def test_a_group_that_allows_more_than_there_is_changes_nothing(pretend):
    assert pretend("0::/\n", **{"memory.max": f"{900 * GB}\n"}) == Capacity(16, 64 * GB)


def test_groups_of_version_1_count(pretend):
    found = pretend(
        "5:memory:/job\n4:cpu,cpuacct:/job\n0::/\n",
        **{
            "memory/job/memory.limit_in_bytes": f"{3 * GB}\n",
            "memory/job/memory.usage_in_bytes": "0\n",
            "cpu/job/cpu.cfs_quota_us": "200000\n",
            "cpu/job/cpu.cfs_period_us": "100000\n",
        },
    )
    assert found == Capacity(2, 3 * GB, grouped=True)


def test_a_path_of_the_host_that_a_container_does_not_see_is_no_obstacle(pretend):
    found = pretend("0::/../../docker/0123\n", **{"memory.max": f"{2 * GB}\n"})
    assert found.memory == 2 * GB


def test_one_submission_is_marked_however_little_there_is(pretend):
    assert pretend("0::/\n", **{"memory.max": "1000\n", "cpu.max": "1000 100000\n"}).jobs == 1


def test_this_machine_has_a_capacity():
    found = capacity()
    assert 1 <= found.processors <= (os.cpu_count() or 1)
    assert 0 < found.memory <= psutil.virtual_memory().total
