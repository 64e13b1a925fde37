"""Files of one's own, which only this machine has: each is named, however the code comes to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.release.test_handin import QUIET, UTILS, edit, run

MODELS = "part2/models.py"
BPD = "    dimensions = "
HERE = "import math\nfrom pathlib import Path\n"
LIB = "import sys\nsys.path.insert(0, __file__.replace('utils.py', 'lib'))\nfrom mathutil import HALF"
OTHER_PART = (
    "import sys\nsys.path.append(str(__import__('pathlib').Path(__file__).parents[1] / 'part1'))\n"
    "from cnn_encoder_decoder import CNNDecoder"
)


def write(kit: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (kit / name).parent.mkdir(exist_ok=True)
        (kit / name).write_text(text)


def check(kit: Path, item: str) -> subprocess.CompletedProcess[str]:
    done = run(kit, "check.py", item)
    assert done.stderr == ""
    return done


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
    checked = check(kit, "2.5.discriminator")
    assert checked.returncode == 1
    assert checked.stdout.count("cnn_encoder_decoder") == 1  # found in both ways, and said once


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


# How utils.py comes to a file when elbo_to_bpd is called, and what check.py says; handin.py runs nothing.
CALLS = {
    "Path.read_text": (
        "import json; json.loads(Path(__file__).with_name('consts.json').read_text())",
        "reads",
    ),
    "from the current folder": ("import json; json.load(open('part1/consts.json'))", "reads"),
    "torch.load": ("torch.load(Path(__file__).parent / 'stats.pt')", "reads"),
    "numpy.load": ("import numpy; numpy.load(str(Path(__file__).parent / 'stats.npy'))", "reads"),
    "os.open": ("import os; os.open(bytes(Path(__file__).parent / 'consts.json'), os.O_RDONLY)", "reads"),
    "a computed name": ("__import__('importlib').import_module('help' + 'ers2')", "loads"),
    "runpy": ("import runpy; runpy.run_path(str(Path(__file__).with_name('helpers2.py')))", "loads"),
    "exec": ("exec(Path(__file__).with_name('helpers2.py').read_text())", "loads"),
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_file_that_is_reached_at_a_call_is_named(kit: Path, kind: str) -> None:
    code, verb = CALLS[kind]
    write(kit, {**FILES, "part1/consts.json": "{}"})
    make = "import numpy, torch; torch.save([1.0], 'part1/stats.pt'); numpy.save('part1/stats.npy', [1.0])"
    run(kit, "-c", make)
    edit(kit / UTILS, "import math\n", HERE)
    edit(kit / UTILS, BPD, f"    {code}\n{BPD}")
    checked = check(kit, "1.7.bpd")
    assert "In reach: 1 of 1 points" in checked.stdout
    assert checked.stdout.count("The grader will not see this") == 1
    line = next(
        number for number, text in enumerate((kit / UTILS).read_text().splitlines(), 1) if code in text
    )
    said = " ".join(checked.stdout.split())
    assert f"The grader will not see this {UTILS}, line {line}, {verb} part1/" in said
    assert checked.returncode == 1


# What else code does with files in the folder when elbo_to_bpd is called.
HARMLESS = {
    "its own output": (
        "import numpy; file = str(Path(__file__).with_name('own.npy')); numpy.save(file, [1]); "
        "numpy.load(file)"
    ),
    "its own output, by torch": (
        "file = Path(__file__).with_name('own.pt'); torch.save([1], file); torch.load(file)"
    ),
    "a log": "print(1, file=open(Path(__file__).with_name('log.txt'), 'a')); open('part1/log.txt').read()",
    "events": "from torch.utils.tensorboard import SummaryWriter; SummaryWriter('part1/logs').close()",
    "the data": "open(Path(__file__).parents[1] / 'data' / 'numbers.txt').read()",
    "what is missing": "Path('part1/none.txt').exists() or __import__('contextlib').suppress(OSError)",
    "source": "import inspect; inspect.getsource(elbo_to_bpd); __import__('traceback').format_stack()",
    "what a library reads": "import matplotlib.pyplot",
    "a package with nothing in it": "from part1 import runs; import part1; part1.__file__",
    "a file of the debugger's": "import pdb; pdb.Pdb(readrc=True)",
    "a given file": "import mnist; import figures; Path(figures.__file__).read_text()",
}


@pytest.mark.parametrize("kind", HARMLESS)
def test_other_files_do_not_matter(kit: Path, kind: str) -> None:
    write(kit, {"part1/__init__.py": '"""The first part."""\n', ".pdbrc": ""})
    write(kit, {"data/numbers.txt": "1", "part1/log.txt": "", "matplotlibrc": "figure.dpi: 90\n"})
    edit(kit / UTILS, "import math\n", HERE)
    edit(kit / UTILS, BPD, f"    {HARMLESS[kind]}\n{BPD}")
    for _ in "the first run", "the next, which finds what that has left":
        checked = check(kit, "1.7.bpd")
        assert "In reach: 1 of 1 points" in checked.stdout
        assert "The grader will not see this" not in checked.stdout
        assert checked.returncode == 0


def test_a_spare_process_knows_what_its_own_run_has_reached(kit: Path) -> None:
    """It waits with all libraries loaded; the save that it waits for is before its run, not a part of it."""
    write(kit, {"part1/consts.json": "{}"})
    edit(kit / UTILS, "import math\n", HERE)
    edit(kit / UTILS, BPD, f"    open(Path(__file__).with_name('consts.json')).close()\n{BPD}")
    done = subprocess.run(
        [sys.executable, "check.py", "1.7.bpd", "--spare"],
        cwd=kit,
        input='["part1/utils.py"]\n',
        capture_output=True,
        text=True,
        env=QUIET,
    )
    assert done.stdout.count("reads part1/consts.json, which the grader does not have") == 1
    assert done.returncode == 1
