"""Files of one's own, which only this machine has: each is named, however the code comes to it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from grader.release import bundle
from tests.release.public_runs import without_caches
from tests.release.test_handin import SOLUTIONS, UTILS, edit, run

MODELS = "part2/models.py"
LIB = "import sys\nsys.path.insert(0, __file__.replace('utils.py', 'lib'))\nfrom mathutil import HALF"
OTHER_PART = (
    "import sys\nsys.path.append(str(__import__('pathlib').Path(__file__).parents[1] / 'part1'))\n"
    "from cnn_encoder_decoder import CNNDecoder"
)


@pytest.fixture(scope="module")
def packed() -> bytes:
    return bundle.pack(bundle.contents())


@pytest.fixture
def kit(packed: bytes, tmp_path: Path) -> Path:
    """The release with the solutions in it."""
    zipfile.ZipFile(io.BytesIO(packed)).extractall(tmp_path)
    without_caches(SOLUTIONS, tmp_path / bundle.NAME)
    return tmp_path / bundle.NAME


def write(kit: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (kit / name).parent.mkdir(exist_ok=True)
        (kit / name).write_text(text)


# What is written behind `import math` of utils.py, and what is said of it.
IMPORTS = {
    "import_module": (
        "import importlib\nHALF = importlib.import_module('helpers2').HALF",
        "part1/helpers2",
        5,
    ),
    "import_module by another name": (
        "from importlib import import_module as load\nimport_module = load\n"
        "x = import_module(name='helpers2')",
        "part1/helpers2",
        6,
    ),
    "__import__": ("HALF = __import__('part1.helpers2').helpers2.HALF", "part1/helpers2", 4),
    "a folder of libraries": (LIB, "part1/lib/mathutil", 6),
    "an attempt": (
        "try:\n    from helpers2 import HALF\nexcept ImportError:\n    HALF = 0.25",
        "part1/helpers2",
        5,
    ),
    "the second attempt": (
        "try:\n    HALF = 1 / 0\nexcept ArithmeticError:\n    from helpers2 import HALF",
        "part1/helpers2",
        7,
    ),
}
FILES = {"part1/helpers2.py": "HALF = 0.5\n", "part1/lib/mathutil.py": "HALF = 0.5\n"}


@pytest.mark.parametrize("kind", IMPORTS)
def test_an_import_of_ones_own_is_named_in_whatever_way_it_is_written(kit: Path, kind: str) -> None:
    code, file, line = IMPORTS[kind]
    write(kit, FILES)
    edit(kit / UTILS, "import math\n", f"import math\n{code}\n")
    said = f"{UTILS}, line {line}, imports {file}, which the grader does not have: it reads your five files"
    done = run(kit, "handin.py")
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize("code", [OTHER_PART, "from part1.cnn_encoder_decoder import CNNDecoder"])
def test_the_other_part_is_not_at_hand(kit: Path, code: str) -> None:
    edit(kit / MODELS, "import torch\n", f"import torch\n{code}\n")
    done = run(kit, "handin.py")
    assert done.returncode == 1
    assert "imports part1/cnn_encoder_decoder, which the grader does not have when it marks part2" in (
        done.stderr
    )


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    from runs import HERE\nexcept ImportError:\n    from helpers2 import HERE",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from helpers2 import HALF",
        "try:\n    import mathutil\nexcept ImportError:\n    mathutil = None",
        "import importlib\nNAME = importlib.import_module('json')\nimportlib.import_module(NAME.__name__)",
        "def load(import_module=str):\n    return import_module('a' if math else 'helpers2')",
    ],
)
def test_an_import_that_is_not_carried_out_does_not_matter(kit: Path, code: str) -> None:
    write(kit, FILES)
    edit(kit / UTILS, "import math\n", f"import math\n{code}\n")
    assert run(kit, "handin.py").stderr == ""
