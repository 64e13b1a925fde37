"""What students hand in, and what `handin.py` and `check.py` say of what the grader will not see."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ruff import find_ruff_bin

from grader.evidence.trainings import trainings
from grader.release import bundle
from grader.submission import read_submission

QUIET = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
UTILS, TRAIN = "part1/utils.py", "part1/train_pl.py"


def run(kit: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=kit, capture_output=True, text=True, env=QUIET, check=False
    )


def kit_module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of the release's folder `kit`."""
    monkeypatch.syspath_prepend(str(bundle.KIT))
    for known in [one for one in sys.modules if one == "kit" or one.startswith("kit.")]:
        monkeypatch.delitem(sys.modules, known)
    return importlib.import_module(f"kit.{name}")


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_the_kit_as_it_came_is_like_the_grader(kit: Path) -> None:
    done = run(kit, "handin.py")
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize(
    "line",
    [
        "from helpers import double",
        "from part1.helpers import double",
        "import part1.helpers as mine",
        "from . import helpers",
        "from part1 import helpers",
    ],
)
def test_a_file_of_ones_own_is_not_at_the_grader(kit: Path, line: str) -> None:
    (kit / "part1" / "helpers.py").write_text("def double(x):\n    return 2 * x\n")
    edit(kit / UTILS, "import math\n", f"import math\n{line}\n")
    done = run(kit, "handin.py")
    assert done.returncode == 1
    assert f"{UTILS}, line 4, imports part1/helpers, which the grader does not have" in done.stderr
    assert "part1/helpers.py" not in zipfile.ZipFile(kit / "handin.zip").namelist()


def test_a_package_beside_the_parts_is_not_at_the_grader(kit: Path) -> None:
    (kit / "common").mkdir()
    (kit / "common" / "shapes.py").write_text("SIZE = 28\n")
    edit(kit / TRAIN, "import argparse\n", "import argparse\nimport common.shapes\n")
    assert f"{TRAIN}, line 4, imports common, which" in run(kit, "handin.py").stderr


def test_what_is_not_imported_or_comes_with_the_exercise_does_not_matter(kit: Path) -> None:
    (kit / "part1" / "notes.py").write_text("")
    edit(kit / UTILS, "import math\n", "import math\nimport runs\nfrom part1 import mnist\nimport json\n")
    assert run(kit, "handin.py").stderr == ""


def test_a_given_file_that_was_changed_is_not_at_the_grader(kit: Path) -> None:
    with (kit / "part2" / "mnist.py").open("a") as file:
        file.write("\n\ndef mine():\n    return 1\n")
    done = run(kit, "handin.py")
    assert done.returncode == 1
    assert "part2/mnist.py differs from the file that came with the exercise" in done.stderr


def test_line_ends_of_another_system_are_no_change(kit: Path) -> None:
    file = kit / "part2" / "mnist.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert run(kit, "handin.py").stderr == ""


def test_check_says_so_beside_green_tests(kit: Path) -> None:
    (kit / "part1" / "helpers.py").write_text("ONE = 1\n")
    edit(kit / UTILS, "import math\n", "import math\nfrom helpers import ONE\n")
    done = run(kit, "check.py", "1.7.bpd")
    assert done.returncode == 1
    assert "In reach: 1 of 1 points" in done.stdout
    assert "The grader will not see this" in done.stdout
    assert "imports part1/helpers" in done.stdout


def test_what_is_still_to_be_done_is_said_with_its_points(kit: Path) -> None:
    edit(
        kit / UTILS,
        "    return mean + std * torch.randn_like(std)\n",
        '    raise NotImplementedError("Question 1.7: sample_reparameterize, the noise")\n',
    )
    notebook = json.loads((kit / "report.ipynb").read_text())
    graded = [cell for cell in notebook["cells"] if cell["metadata"]["nbgrader"].get("points")]
    answers = [cell for cell in graded if "".join(cell["source"]) == "YOUR ANSWER HERE"]
    for cell in answers[1:]:
        cell["source"] = ["An answer."]
    (kit / "report.ipynb").write_text(json.dumps(notebook))
    (kit / "figures").mkdir()
    (kit / "figures" / "drawing.svg").write_text("<svg/>")
    done = run(kit, "handin.py")
    assert done.returncode == 0
    assert re.search(r"part1/utils.py +1 place still to be written, 1.5 points\n", done.stdout)
    assert re.search(r"report.ipynb +16 of 17 answers, 0 of 13 figures\n", done.stdout)
    assert re.search(r"figures/ +1 file\n", done.stdout)
    assert "no answer yet in report.ipynb (2 points): 1.1." in done.stdout
    assert "figures/drawing.svg will not be seen by those who mark" in done.stdout


def report_of(kit: Path, *written: str) -> dict[str, Any]:
    """The report with these answers written."""
    notebook = json.loads((kit / "report.ipynb").read_text())
    for cell in notebook["cells"]:
        if cell["id"] in written:
            cell["source"] = [f"My answer to {cell['id']}."]
    return notebook


def said_of(kit: Path, notebook: dict[str, Any]) -> str:
    (kit / "report.ipynb").write_text(json.dumps(notebook))
    done = run(kit, "handin.py")
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("with_ids", [True, False])
def test_answers_are_counted_where_a_program_dropped_their_names(kit: Path, with_ids: bool) -> None:
    """nb-clean 5.0 and nbdev 3.3 remove the metadata of cells; marimo 0.25 gives new ids, too."""
    notebook = report_of(kit, "q1-1", "q1-7-curves")
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {}
        cell["id"] = cell["id"] if with_ids else f"cell-{number}"
    said = said_of(kit, notebook)
    assert "report.ipynb 2 of 17 answers, 0 of 13 figures" in said
    assert re.search(
        r"no answer yet in report.ipynb \([\d.]+ points\): 1.2, 1.3, 1.4, 1.5, 1.6, 1.8.grids,", said
    )
    assert ("17 answers in report.ipynb are in cells that have lost their names" in said) != with_ids


def test_answers_are_counted_in_cells_that_became_one(kit: Path) -> None:
    """jupytext's Markdown and back: neighbouring cells of text are one."""
    whole = "\n\n".join("".join(cell["source"]) for cell in report_of(kit, "q1-1", "q3-1")["cells"])
    notebook = report_of(kit)
    notebook["cells"] = [{"cell_type": "markdown", "metadata": {}, "source": whole}]
    assert "report.ipynb 2 of 17 answers, 0 of 13 figures" in said_of(kit, notebook)


def test_a_pasted_picture_that_a_program_dropped_is_named(kit: Path) -> None:
    """jupytext 1.19, marimo 0.25 and deepnote-cli 0.10 keep the text that shows it, and not the picture."""
    notebook = report_of(kit)
    first, second = (cell for cell in notebook["cells"] if cell["id"] in ("q1-2", "q1-3"))
    first["source"] = "![](attachment:my%20sketch.png)"
    second["source"] = "![](attachment:my%20sketch.png)"
    second["attachments"] = {"my sketch.png": {"image/png": "iVBORw0KGgo="}}
    said = said_of(kit, notebook)
    assert "no longer in it, since some programs drop them: my sketch.png (question 1.2); paste" in said


def test_a_picture_that_is_not_in_figures_is_named(kit: Path) -> None:
    notebook = report_of(kit)
    next(cell for cell in notebook["cells"] if cell["id"] == "q1-2")["source"] = (
        "![a](plots/curve.png)\n![b](https://example.org/b.png)\n<img width=3 src='../c.png'>\n"
        "![d](./figures/1.9_manifold.png) ![e](data:image/png;base64,iVBO)"
    )
    said = said_of(kit, notebook)
    assert (
        "will not see: plots/curve.png, https://example.org/b.png, ../c.png; put them into figures/" in said
    )


def test_a_report_that_is_no_notebook_is_named(kit: Path) -> None:
    (kit / "report.ipynb").write_text("not json")
    assert "report.ipynb cannot be read as a notebook" in run(kit, "handin.py").stdout


def test_old_dates_and_odd_names_are_no_tracebacks(kit: Path) -> None:
    os.utime(kit / UTILS, (0, 0))
    (kit / "figures").mkdir()
    (kit / "figures" / "kept.png").write_bytes(b"png")
    Path(os.fsdecode(os.fsencode(kit / "figures") + b"/\xe4.png")).write_bytes(b"png")
    done = run(kit, "handin.py")
    assert done.returncode == 0, done.stderr
    assert "handin.zip: 6 files and 1 figures." in done.stdout
    assert "stays out: its name is not text that a zip can hold" in done.stdout
    assert read_submission(kit / "handin.zip").files[UTILS] == (kit / UTILS).read_bytes()


def test_a_source_that_the_parser_gives_up_on_is_named(kit: Path) -> None:
    with (kit / UTILS).open("a") as file:
        file.write("\nNESTED = " + "(" * 150 + ")" * 150 + "\nDEEP = " + "-" * 100_000 + "1\n")
    done = run(kit, "handin.py")
    assert done.returncode == 1
    assert f"{UTILS} is " in done.stderr
    assert "Traceback" not in done.stderr


def test_where_it_cannot_write_nothing_old_is_left(kit: Path) -> None:
    (kit / "handin.zip").write_bytes(b"of before")
    (kit / ".handin.zip").mkdir()
    done = run(kit, "handin.py")
    assert done.returncode == 1
    assert "nothing was packed" in done.stderr
    assert not (kit / "handin.zip").exists()


STUBS = Path(__file__).parents[2] / "student"


def test_what_is_not_written_costs_its_points(kit: Path) -> None:
    for part in ("part1", "part2"):
        shutil.copytree(STUBS / part, kit / part, dirs_exist_ok=True)
    said = run(kit, "handin.py").stdout
    points = [float(found) for found in re.findall(r"still to be written, ([\d.]+) points", said)]
    # 1.7.training has nothing of its own that is to be written.
    assert sum(points) == 22.5 - 1.5


@pytest.mark.parametrize(
    ("line", "line_number"),
    [
        ("WEIGHTS = open('weights.pt', 'rb').read()", 4),
        ("WEIGHTS = torch.load(Path(__file__).with_name('weights.pt'))", 4),
        ("class Kept:\n    weights = open('part1/weights.pt')", 5),
        ("NAME = 'weights.pt'\nwith open(NAME) as file: ...", 4),
        ("def kept(weights=open('weights.pt')): ...", 4),
    ],
)
def test_a_file_that_is_read_at_import_is_not_at_the_grader(kit: Path, line: str, line_number: int) -> None:
    (kit / "part1" / "weights.pt").write_bytes(b"")
    edit(kit / UTILS, "import math\n", f"import math\n{line}\n")
    done = run(kit, "handin.py")
    assert done.returncode == 1
    assert f"{UTILS}, line {line_number}, reads part1/weights.pt when it is imported" in done.stderr
    assert re.search(r"part1/utils.py +all is written, but not as it is here, see below\n", done.stdout)


@pytest.mark.parametrize(
    "line",
    [
        "def later():\n    return open('weights.pt')",
        "if __name__ == '__main__':\n    open('weights.pt')",
        "NAME = 'no_such_file.pt'\nTEXT = open(__file__)",
        "NAME = 'weights.pt'",
        "NAMES = 'runs.py', 'mnist.py', '', '.', 'a\\x00b'",
        "'weights.pt'",
    ],
)
def test_other_names_of_files_do_not_matter(kit: Path, line: str) -> None:
    (kit / "part1" / "weights.pt").write_bytes(b"")
    edit(kit / UTILS, "import math\n", f"import math\n{line}\n")
    assert run(kit, "handin.py").stderr == ""


def test_a_package_that_only_this_machine_has_is_named(kit: Path) -> None:
    edit(kit / UTILS, "import math\n", "import math\nimport sklearn.decomposition\nimport numpy, PIL, yaml\n")
    done = run(kit, "handin.py")
    assert f"{UTILS}, line 4, imports sklearn, which is installed here and not at the grader" in done.stderr
    assert "numpy" not in done.stderr + done.stdout
    assert "PIL" not in done.stderr


def test_an_import_that_may_fail_is_no_fault(kit: Path) -> None:
    attempt = "try:\n    import sklearn\nexcept ImportError:\n    sklearn = None\n"
    edit(kit / UTILS, "import math\n", f"import math\n{attempt}")
    assert run(kit, "handin.py").stderr == ""


NEWER = {
    "type Pair = tuple[int, int]": 4,
    "def first[T](values: list[T]) -> T: ...": 4,
    'NAME = f"{\'a\' + "b"}"': 4,
    "LINES = f\"{'\\n'.join([])}\"": 4,
}


@pytest.mark.parametrize("line", NEWER)
@pytest.mark.parametrize("with_ruff", [True, False], ids=["with ruff", "without"])
def test_syntax_of_a_newer_python_is_named(
    kit: Path, line: str, with_ruff: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if this Python were a newer one, which reads the file."""
    agreement = kit_module("agreement", monkeypatch)
    if not with_ruff:
        monkeypatch.setattr(agreement.shutil, "which", lambda name: None)
    else:
        monkeypatch.setattr(agreement.shutil, "which", lambda name: find_ruff_bin())
    source = f"import math\nONE = 1\n\n{line}\n".encode()
    found = list(agreement.newer_syntax(UTILS, source, here=(3, 13)))
    if with_ruff or not line.startswith(("NAME", "LINES")):
        assert len(found) == 1
        assert f"{UTILS}, line {NEWER[line]}, needs a newer Python than the grader has, 3.11: " in found[0]
    assert list(agreement.newer_syntax(UTILS, source, here=(3, 11))) == []
    assert list(agreement.newer_syntax(UTILS, b'import math\nx = f"{math.pi:.3f}"\n', here=(3, 14))) == []


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_a_newer_python_says_so_itself(kit: Path, version: str) -> None:
    python = next(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), None) or shutil.which(
        f"python{version}"
    )
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    edit(kit / UTILS, "import math\n", "import math\ntype Pair = tuple[int, int]\n")
    done = subprocess.run([python, "handin.py"], cwd=kit, capture_output=True, text=True, env=QUIET)
    assert f"{UTILS}, line 4, needs a newer Python" in done.stderr
    assert done.returncode == 1


def test_what_is_installed_is_looked_up_for_unknown_names_only(
    kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes half a second, as long as the rest of a check of one function that is not PyTorch."""
    agreement = kit_module("agreement", monkeypatch)
    monkeypatch.setattr(agreement, "GIVEN", kit / "tests" / "given.json")
    monkeypatch.setattr(agreement, "REQUIREMENTS", kit / "requirements.txt")
    asked = []
    monkeypatch.setattr(agreement.importlib.metadata, "packages_distributions", lambda: asked.append(1) or {})
    assert agreement.unlike_the_grader(kit) == []
    assert asked == []
    edit(kit / UTILS, "import math\n", "import math\nimport sklearn\n")
    agreement.unlike_the_grader(kit)
    assert asked == [1]


def test_evidence_is_packed_and_what_is_missing_costs_nothing(kit: Path) -> None:
    folder = kit / "evidence" / "vae_z_dim_20"
    folder.mkdir(parents=True)
    for name in ("final.safetensors", "metrics.csv", "options.json", "checkpoint.pt"):
        (folder / name).write_bytes(b"x")
    done = run(kit, "handin.py")
    assert (done.returncode, done.stderr) == (0, "")
    packed = {name for name in zipfile.ZipFile(kit / "handin.zip").namelist() if name.startswith("evidence")}
    assert packed == {
        f"evidence/vae_z_dim_20/{name}" for name in ("final.safetensors", "metrics.csv", "options.json")
    }
    assert "0 figures, with 3 files of evidence." in done.stdout
    assert re.search(r"^  evidence/ +1 of 7 trainings$", done.stdout, re.MULTILINE)
    note = next(line for line in done.stdout.splitlines() if line.startswith("Note: no evidence"))
    assert "which costs no points" in note
    assert "vae_z_dim_20" not in note


def test_the_trainings_are_those_that_the_grader_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(bundle.KIT))
    for known in [one for one in sys.modules if one in ("handin", "kit") or one.startswith("kit.")]:
        monkeypatch.delitem(sys.modules, known)
    handin = importlib.import_module("handin")
    monkeypatch.delitem(sys.modules, "handin")
    assert list(handin.TRAININGS) == [training.run for training in trainings()]
    assert all(
        any(item.startswith(handin.TRAININGS[training.run]) for item in training.items)
        for training in trainings()
    )


def test_an_output_that_nobody_reads_to_its_end_is_no_error(kit):
    reader, writer = os.pipe()
    os.close(reader)  # as `| head` does once it has its lines
    with os.fdopen(writer, "w") as gone:
        done = subprocess.run(
            [sys.executable, "handin.py"], cwd=kit, stdout=gone, stderr=subprocess.PIPE, text=True, env=QUIET
        )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert zipfile.is_zipfile(kit / "handin.zip")
