"""Takes the students' requirements out of the kit's: the same pins, without what only the kit needs.

The kit's requirements.txt says for every package which others need it (`# via`). Read backwards, that is what
a package needs, so no second lock file has to be kept up to date.
"""

from __future__ import annotations

import re

# What students' code, tests, training and report use by themselves.
ROOTS = (
    "torch",
    "torchvision",
    "numpy",
    "pytorch-lightning",
    "safetensors",
    "tensorboard",
    "matplotlib",
    "pytest",
    "pytest-timeout",
    "rich",
    "watchfiles",
    "ruff",
    "notebook",
    "ipykernel",
)
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==\S+")
_VIA = re.compile(r"\s+#(?: via)?\s*(?P<name>[A-Za-z0-9._-]+)?")


def subset(requirements: str, roots: tuple[str, ...] = ROOTS) -> str:
    """The pins of some packages and of all that they need.

    Args:
        requirements: text of a requirements.txt that `uv pip compile` wrote.
        roots: the packages that are wanted.

    Returns:
        Their lines, environment markers included, in the same order.

    Raises:
        ValueError: a package that is wanted is not pinned.
    """
    lines: dict[str, list[str]] = {}
    needs: dict[str, set[str]] = {}
    name = ""
    for line in requirements.splitlines():
        if pin := _PIN.match(line):
            name = pin["name"].lower()
            lines.setdefault(name, []).append(line.strip())
        elif (via := _VIA.match(line)) and via["name"]:
            needs.setdefault(via["name"].lower(), set()).add(name)
    if missing := [root for root in roots if root not in lines]:
        raise ValueError(f"requirements.txt does not pin {', '.join(missing)}; run `make lock`")
    wanted: set[str] = set()
    found = list(roots)
    while found:
        package = found.pop()
        if package not in wanted:
            wanted.add(package)
            found += needs.get(package, ())
    return "".join(f"{line}\n" for package in sorted(wanted) for line in lines[package])
