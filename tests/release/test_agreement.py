"""For what runs at a student's and not at the grader, `check.py` says so and the grader finds it so."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.release import bundle
from grader.submission.read import read_submission
from tests.release.test_handin import QUIET, edit
from tests.release.test_own_files import OTHER_PART

SOLUTIONS = Path(__file__).parents[2] / "solutions"
UTILS = "part1/utils.py"
# Kind -> what is added to utils.py, what else is written, and a word of what check.py says.
KINDS = {
    "a helper file": ("from helpers import ONE", {"part1/helpers.py": "ONE = 1\n"}, "imports part1/helpers"),
    "an addition to a given file": (
        "from drawing import ONE",
        {"part1/drawing.py": (SOLUTIONS / "part1" / "drawing.py").read_text() + "\nONE = 1\n"},
        "part1/drawing.py differs",
    ),
    "a file read at import": (
        "from pathlib import Path\nONE = Path(__file__).with_name('one.txt').read_text()",
        {"part1/one.txt": "1"},
        "reads part1/one.txt",
    ),
    "a helper file by its name": (
        "import importlib\nONE = importlib.import_module('helpers').ONE",
        {"part1/helpers.py": "ONE = 1\n"},
        "imports part1/helpers",
    ),
    "a folder of helper files": (
        "import sys\nsys.path.insert(0, __file__.replace('utils.py', 'lib'))\nfrom helpers import ONE",
        {"part1/lib/helpers.py": "ONE = 1\n"},
        "imports part1/lib/helpers",
    ),
    "a helper file with a way out": (
        "try:\n    from helpers import math\nexcept ImportError:\n    math = None",
        {"part1/helpers.py": "import math\n"},
        "imports part1/helpers",
    ),
    "a file read at a call": (
        "from pathlib import Path\none = Path(__file__).with_name('one.txt')\n"
        "math.prod = lambda of, prod=math.prod: prod(of) * int(one.read_text())",
        {"part1/one.txt": "1"},
        "reads part1/one.txt",
    ),
    "nothing of the kind": ("ONE = 1", {}, ""),
}


@pytest.fixture(scope="module")
def marker() -> Iterator[Marker]:
    marking = Marker(MarkingOptions(seed=3))
    yield marking
    marking.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_check_and_grade_agree(kind: str, tmp_path: Path, marker: Marker) -> None:
    zipfile.ZipFile(io.BytesIO(bundle.pack(bundle.contents()))).extractall(tmp_path)
    kit = tmp_path / bundle.NAME
    for part in ("part1", "part2"):
        shutil.copytree(SOLUTIONS / part, kit / part, dirs_exist_ok=True)
    line, files, said = KINDS[kind]
    edit(kit / UTILS, "import math\n", f"import math\n{line}\n")
    for name, text in files.items():
        (kit / name).parent.mkdir(exist_ok=True)
        (kit / name).write_text(text)

    checked = subprocess.run(
        [sys.executable, "check.py", "1.7.bpd"], cwd=kit, capture_output=True, text=True, env=QUIET
    )
    assert "In reach: 1 of 1 points" in checked.stdout  # it runs here
    assert ("The grader will not see this" in checked.stdout) == bool(said)
    assert said in " ".join(checked.stdout.split())
    assert checked.returncode == (1 if said else 0)
    # What code does when it is called shows while it runs, and handin.py runs nothing.
    shows = said and kind != "a file read at a call"
    packed = subprocess.run([sys.executable, "handin.py"], cwd=kit, capture_output=True)
    assert packed.returncode == (1 if shows else 0)

    (item,) = marker.mark(read_submission(kit / "handin.zip"), frozenset({"1.7.bpd"})).items
    assert item.points == (0 if said else 1)


@pytest.mark.slow
def test_check_and_grade_agree_on_the_other_part(tmp_path: Path, marker: Marker) -> None:
    zipfile.ZipFile(io.BytesIO(bundle.pack(bundle.contents()))).extractall(tmp_path)
    kit = tmp_path / bundle.NAME
    for part in ("part1", "part2"):
        shutil.copytree(SOLUTIONS / part, kit / part, dirs_exist_ok=True)
    edit(kit / "part2" / "models.py", "import torch\n", f"import torch\n{OTHER_PART}\n")

    checked = subprocess.run(
        [sys.executable, "check.py", "2.5.discriminator"], cwd=kit, capture_output=True, text=True, env=QUIET
    )
    assert re.search(r"In reach: (\S+) of \1 points", checked.stdout)
    assert "The grader will not see this" in checked.stdout
    assert subprocess.run([sys.executable, "handin.py"], cwd=kit, capture_output=True).returncode == 1
    (item,) = marker.mark(read_submission(kit / "handin.zip"), frozenset({"2.5.discriminator"})).items
    assert item.points == 0
