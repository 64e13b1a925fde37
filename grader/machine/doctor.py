"""All about this machine that a person would check before the work, in a second: nothing heavy is loaded.

Versions are those of the packages' own metadata. What only some commands need is a note where it is missing;
what every marking needs is a fault.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from grader.box.interpreter import VARIABLE, box_python
from grader.digits import digits_file
from grader.errors import GraderFault, GraderUsageError
from grader.limits import BOX_TRIAL_SECONDS
from grader.machine.capacity import JOB_BYTES, capacity
from grader.machine.finding import FAULT, FINE, NOTE, Finding
from grader.machine.refusals import explained, remedy_for
from grader.machine.trial import FULL_ADDRESS_SPACE, address_space, try_box
from grader.text import printable

if TYPE_CHECKING:
    from packaging.requirements import Requirement

OLDEST = (3, 11)
PAIR = ("torch", "torchvision")
LEAST_DISK = 10**9  # bytes: results and pages of some hundred submissions, and what is written on the way
SETUP = "run make setup"
_ROOT = Path("/")
_REPOSITORY = Path(__file__).parents[2]


def examine_machine(root: Path = _ROOT) -> Iterator[Finding]:
    """Look at everything that marking needs from the machine.

    Args:
        root: the folder with proc/, sys/ and etc/ in it.
    """
    yield _python()
    yield from _box_python()
    yield from _torch()
    yield from _packages()
    yield from examine_box(root)
    yield from _capacity(root)
    yield _disk()
    yield from _images()
    yield _browser()
    yield _slurm()


def examine_box(root: Path = _ROOT) -> Iterator[Finding]:
    """Whether students' code can be confined, for the account that asks: some systems let only root do it."""
    try:
        refused = try_box()
    except GraderUsageError:  # said already: it is BOX_PYTHON
        return
    if refused is not None:
        yield Finding(FAULT, explained(refused, root), remedy_for(refused, root).steps)
        return
    yield Finding(FINE, f"the sandbox starts and holds ({_bubblewrap()})")
    limit = address_space()
    if limit is not None and limit < FULL_ADDRESS_SPACE:
        yield Finding(
            NOTE,
            f"ulimit -v leaves {limit // 1024} kB of address space, less than the sandbox's own limit: "
            "students' networks may run out of memory earlier; ulimit -v unlimited, or "
            f"{FULL_ADDRESS_SPACE // 1024}",
        )


def _bubblewrap() -> str:
    command = ["bwrap", "--version"]
    try:
        said = subprocess.check_output(
            command, text=True, stderr=subprocess.DEVNULL, timeout=BOX_TRIAL_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return "bubblewrap"
    return printable(said.strip(), 60) or "bubblewrap"


def _python() -> Finding:
    here = f"Python {platform.python_version()}, {printable(sys.executable)}"
    if sys.version_info < OLDEST:
        return Finding(FAULT, f"{here}; 3.11 or newer is needed")
    return Finding(FINE, here)


def _box_python() -> Iterator[Finding]:
    if os.environ.get(VARIABLE):
        try:
            found = box_python()
        except GraderUsageError as error:
            yield Finding(FAULT, str(error))
        else:
            yield Finding(
                FINE, f"students' code runs on Python {found.dotted}, {printable(found.executable)}"
            )


def _torch() -> Iterator[Finding]:
    """torch and torchvision are a pair: each torchvision works with one torch, or few."""
    try:
        found = {name: version(name) for name in PAIR}
    except PackageNotFoundError as error:
        yield Finding(FAULT, f"{error.name} is not installed here; {SETUP}, or use .venv/bin/python")
        return
    pinned = {wanted.name: str(wanted.specifier).removeprefix("==") for wanted in _pinned()}
    text = " and ".join(f"{name} {found[name]}" for name in PAIR)
    if any(found[name].partition("+")[0] != pinned.get(name, found[name]) for name in PAIR):
        pair = " and ".join(pinned[name] for name in PAIR)
        yield Finding(FAULT, f"{text} are here, and the kit is for the pair {pair}; {SETUP}")
    else:
        yield Finding(FINE, text)


def _pinned() -> list[Requirement]:
    """What requirements.txt pins for this system; nothing in an installed copy, which has no such file."""
    from packaging.requirements import InvalidRequirement, Requirement

    file = _REPOSITORY / "requirements.txt"
    pinned = []
    for line in file.read_text().splitlines() if file.is_file() else ():
        if line and not line.startswith((" ", "#")):
            try:
                wanted = Requirement(line)
            except InvalidRequirement:
                continue
            if wanted.marker is None or wanted.marker.evaluate():
                pinned.append(wanted)
    return pinned


def _packages() -> Iterator[Finding]:
    """Whether the environment is the one that requirements.txt pins."""
    other, missing = [], []
    pinned = _pinned()
    for wanted in pinned:
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            missing.append(wanted.name)
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            other.append(f"{wanted.name} {found}")
    if missing:
        yield Finding(NOTE, f"{_some(missing)} missing, of requirements.txt; {SETUP}")
    if other:
        yield Finding(NOTE, f"{_some(other)} not what requirements.txt pins; {SETUP}")
    if pinned and not missing and not other:
        yield Finding(FINE, "all packages are those of requirements.txt")


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{shown} {'are' if len(names) > 1 else 'is'}"


def _capacity(root: Path) -> Iterator[Finding]:
    found = capacity(root)
    whose = "left by this process's control group" if found.grouped else "free"
    text = f"{found.memory / 1e9:.1f} GB of memory are {whose}, with {_processors(found.processors)}"
    if found.memory < JOB_BYTES:
        needed = JOB_BYTES / 1e9
        yield Finding(
            FAULT,
            f"{text}: too little, a submission takes {needed:.1f} GB; end what else runs, or raise the "
            "limit of the container, service or job",
        )
    else:
        yield Finding(FINE, f"{text}: enough for JOBS={found.jobs}")


def _processors(count: int) -> str:
    return f"{count} processor{'s' if count > 1 else ''}"


def _disk() -> Finding:
    places = {"the current folder": Path.cwd(), "the folder for temporary files": Path(_temporary())}
    short = {
        f"{what} ({printable(str(place))})": free
        for what, place in places.items()
        if (free := shutil.disk_usage(place).free) < LEAST_DISK
    }
    if short:
        what, free = min(short.items(), key=lambda pair: pair[1])
        return Finding(
            FAULT, f"{what} has {free / 1e9:.1f} GB of disk left; make room, or give --output on another disk"
        )
    least = min(shutil.disk_usage(place).free for place in places.values())
    return Finding(FINE, f"{least / 1e9:.0f} GB of disk are left")


def _temporary() -> str:
    import tempfile

    return tempfile.gettempdir()


def _images() -> Iterator[Finding]:
    try:
        digits_file()
    except GraderFault as error:
        yield Finding(FAULT, str(error))
    given = os.environ.get("MNIST_ROOT")
    place = Path(given) if given else Path.home() / ".cache" / "grader"
    raw = place / "MNIST" / "raw"
    if list(raw.glob("train-images-idx3-ubyte*")):
        yield Finding(FINE, f"MNIST lies in {printable(str(raw))}")
    elif given:
        yield Finding(FAULT, f"MNIST_ROOT={printable(given)}: there is no MNIST/raw with the images in it")
    else:
        yield Finding(
            NOTE,
            "MNIST is not here; only --data mnist needs it, and downloads it or takes it from MNIST_ROOT",
        )


def _browser() -> Finding:
    found = next((name for name in ("chromium", "chromium-browser") if shutil.which(name)), None)
    if found is None:
        return Finding(NOTE, "no chromium; only the kit's own tests of pages need it (apt install chromium)")
    return Finding(FINE, f"{found}, for the kit's own tests of pages")


def _slurm() -> Finding:
    if shutil.which("sbatch") is None:
        return Finding(NOTE, "no Slurm (sbatch); only --slurm needs it")
    missing = [
        package
        for module, package in (("dask_jobqueue", "dask-jobqueue"), ("cryptography", "cryptography"))
        if importlib.util.find_spec(module) is None
    ]
    if missing:
        return Finding(NOTE, f"Slurm is here; --slurm needs pip install {' '.join(missing)}")
    return Finding(FINE, "Slurm is here, and what --slurm needs")
