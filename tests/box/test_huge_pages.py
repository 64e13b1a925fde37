"""The template lies in huge pages, where the kernel has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader.box.launcher import Box
from grader.box.processes import descendants

SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def test_most_of_the_template_lies_in_huge_pages(box: Box) -> None:
    release = tuple(map(int, re.findall(r"\d+", Path("/proc/sys/kernel/osrelease").read_text())[:2]))
    if release < (6, 1) or not SETTING.exists() or "[never]" in SETTING.read_text():
        pytest.skip("this kernel gathers no huge pages")
    *_, template = box.pid, *descendants(box.pid)
    text = Path(f"/proc/{template}/smaps_rollup").read_text()
    sizes = {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)}
    assert sizes["AnonHugePages"] > sizes["Anonymous"] / 2
