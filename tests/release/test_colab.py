"""The notebook for Colab, run as Colab runs it on pretended disks, and the batch script for Slurm."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import nbformat
import pytest

from grader.release import bundle

ROOT = Path(__file__).parents[2]
NOTEBOOK = bundle.KIT / "colab.ipynb"


def cells() -> dict[str, str]:
    """The code of the notebook by the names of its cells."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"}


def test_it_is_a_notebook_without_outputs_that_asks_for_a_gpu() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.accelerator == "GPU"
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_its_trainings_are_those_of_the_handout() -> None:
    asked: list[tuple[str, ...]] = []

    def run(script: str, *options: str, folder: str) -> None:
        asked.append((folder, script, *options))

    for name in ("train-vae", "train-aae"):
        exec(cells()[name], {"run": run})
    page = (ROOT / "docs" / "handout" / "practicalities.md").read_text()
    listed = page.partition("```sh\ncd part1\npython train_pl.py")[2].partition("```")[0]
    assert sum(command[1] == "train_pl.py" for command in asked) == 1 + listed.count("train_pl.py")
    assert sum(command[1] == "train.py" for command in asked) == listed.count("python train.py")
    assert len(set(asked)) == len(asked)


class Colab:
    """Colab's package: a Drive, an upload and a download."""

    def __init__(self, root: Path, archive: Path) -> None:
        self.root, self.archive = root, archive
        self.downloaded: list[str] = []

    def mount(self, folder: str) -> None:
        (Path(folder) / "MyDrive").mkdir(parents=True, exist_ok=True)

    def upload(self) -> dict[str, bytes]:
        return {str(self.archive): b""}

    def download(self, name: str) -> None:
        assert Path(name).is_file()
        self.downloaded.append(Path(name).name)


@pytest.fixture
def colab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Colab:
    (tmp_path / bundle.NAME).with_suffix(".zip").write_bytes(bundle.pack(bundle.contents()))
    pretended = Colab(tmp_path, tmp_path / f"{bundle.NAME}.zip")
    module = types.ModuleType("google.colab")
    module.drive = module.files = pretended  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google.colab", module)
    return pretended


def session(colab: Colab, *names: str, disk: str) -> dict[str, object]:
    """A session with a disk of its own and the same Drive."""
    here = colab.root / disk
    here.mkdir()
    if disk != "first":
        (here / "drive").symlink_to(colab.root / "first" / "drive")
    space: dict[str, object] = {}
    for name in names:
        exec(cells()[name].replace('Path("/content")', f"Path({str(here)!r})"), space)
    return space


def test_what_was_done_is_kept_in_drive_for_the_next_session(colab: Colab, capfd) -> None:
    first = session(colab, "get", "define", disk="first")
    work = colab.root / "first" / bundle.NAME
    script = (
        "import pathlib; pathlib.Path('VAE_logs').mkdir(); pathlib.Path('VAE_logs/x').write_text('epoch 1')"
    )
    assert first["run"]("-c", script, folder="part1") == 0  # type: ignore[operator]
    assert first["run"]("-c", "print('seen'); raise SystemExit(3)") == 3  # type: ignore[operator]
    assert "seen" in capfd.readouterr().out
    shutil.rmtree(work)

    second = session(colab, "get", "define", disk="second")
    assert "Going on with what is kept" in capfd.readouterr().out
    again = colab.root / "second" / bundle.NAME
    assert (again / "part1" / "VAE_logs" / "x").read_text() == "epoch 1"
    exec(cells()["hand-in"], second)
    assert colab.downloaded == ["handin.zip"]
    assert (colab.root / "first" / "drive" / "MyDrive" / bundle.NAME / "handin.zip").is_file()


def test_it_installs_the_pinned_versions_and_leaves_colabs_pytorch(colab: Colab, monkeypatch) -> None:
    space = session(colab, "get", disk="first")
    asked: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: asked.append(command))
    exec(cells()["install"], space)
    pins = asked[0][asked[0].index("--quiet") + 1 :]
    assert {pin.partition("==")[0] for pin in pins} == {
        *("pytorch-lightning", "safetensors", "tensorboard", "matplotlib", "rich"),
        *("pytest", "pytest-timeout", "ruff"),
    }
    lines = bundle.contents()["requirements.txt"].decode().splitlines()
    assert {line.partition(";")[0].strip() for line in lines} >= set(pins)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["part1", "--z_dim", "2"], 0, "train_pl.py --no-progress_bar --z_dim 2 in part1"),
        (["part2"], 0, "train.py --no-progress_bar in part2"),
        ([], 2, "usage: sbatch train.sbatch"),
    ],
)
def test_the_batch_script_trains_a_part_with_its_options(
    tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    for name in ("part1", "part2", "bin"):
        (tmp_path / name).mkdir()
    for name, line in (("srun", 'exec "$@"'), ("python", 'echo "$@" in ${PWD##*/}')):
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    done = subprocess.run(
        ["bash", bundle.KIT / "train.sbatch", *arguments],
        cwd=tmp_path / "part1",
        env=os.environ
        | {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "PYTHON": str(tmp_path / "bin" / "python"),
            "SLURM_SUBMIT_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == status
    assert said in done.stdout + done.stderr
