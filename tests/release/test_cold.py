"""A cold check imports what its items need: one function is answered in the time of PyTorch."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.release import bundle

SOLUTIONS = Path(__file__).parents[2] / "solutions"
QUIET = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
HEAVY = ("torchvision", "pytorch_lightning", "matplotlib", "tensorboard", "torch._dynamo", "watchfiles")
# Runs check.py as the command line does, then says which of the heavy packages have been imported.
LOOK = """
import runpy, sys
sys.argv = ["check.py", *sys.argv[1:]]
try:
    runpy.run_path("check.py", run_name="__main__")
except SystemExit as end:
    print("status", end.code)
print("imported", *sorted({name for name in %r if name in sys.modules}))
"""
NOTHING = ("1.7.reparameterize", "1.7.kld", "1.7.bpd", "1.7.encoder", "1.7.decoder")
NOTHING += (
    "2.4.autoencoder",
    "2.5.discriminator",
    "2.5.autoencoder_loss",
    "2.5.discriminator_loss",
    "2.5.sample",
)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release with the solutions in it."""
    folder = tmp_path_factory.mktemp("cold")
    zipfile.ZipFile(io.BytesIO(bundle.pack(bundle.contents()))).extractall(folder)
    for part in ("part1", "part2"):
        shutil.copytree(SOLUTIONS / part, folder / bundle.NAME / part, dirs_exist_ok=True)
    return folder / bundle.NAME


def imported(kit: Path, item: str) -> set[str]:
    """What a check of an item that is right imports of the heavy packages."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK % (HEAVY,), item], cwd=kit, capture_output=True, text=True, env=QUIET
    )
    *_, status, names = done.stdout.splitlines()
    assert status == "status 0", done.stdout + done.stderr
    return set(names.split()[1:])


@pytest.mark.parametrize(
    "item", [pytest.param(item, marks=[] if item == "1.7.kld" else pytest.mark.slow) for item in NOTHING]
)
def test_these_need_nothing_but_torch(kit: Path, item: str) -> None:
    assert imported(kit, item) == set()


def test_the_manifold_needs_torchvision_and_no_lightning(kit: Path) -> None:
    assert "torchvision" in imported(kit, "1.9.manifold")
    assert not imported(kit, "1.9.manifold") & {"pytorch_lightning", "matplotlib", "tensorboard"}
