"""What a full training leaves for those who mark: weights, metrics and options. Provided.

Part 1 and part 2 have the same file.
"""

import argparse
import json
import platform
from collections.abc import Iterable
from pathlib import Path

import torch
from runs import CHECKPOINT, METRICS, NOT_IN_NAMES, SUMMARY, kept, write_atomically

FOLDER = "evidence"  # beside the report's figures
OPTIONS = "options.json"
NETWORKS = ("encoder.", "decoder.")
BEST = "best.ckpt"  # of part 1: what the test score is of


def note_options(log_dir: Path, args: argparse.Namespace) -> None:
    """Writes down how a training was started, without any path of your machine.

    Args:
        log_dir: the run's folder.
        args: the options.
    """
    left_out = NOT_IN_NAMES - {"epochs", "no_cuda"}
    options = {name: value for name, value in vars(args).items() if name not in left_out}
    versions = {"python": platform.python_version(), "torch": str(torch.__version__)}
    text = json.dumps({"options": options, "versions": versions}, indent=1) + "\n"
    write_atomically(log_dir / OPTIONS, text.encode())


def publish_evidence(log_dir: Path, figures: Path, run: str, shown: Iterable[int]) -> None:
    """Copies what a run has come to to where `handin.py` packs it; nothing is lost where that is not there.

    Args:
        log_dir: the run's folder.
        figures: the report's folder of figures.
        run: what the run is called among the evidence.
        shown: the epochs before the last that the questions' figures show.
    """
    try:
        from safetensors.torch import save
    except ImportError:
        print("No evidence of this training is kept, since safetensors is not installed (requirements.txt)")
        return
    folder = figures.resolve().parent / FOLDER / run
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.safetensors"):
        old.unlink()
    checkpoints = {f"epoch_{epoch:03d}": kept(epoch) for epoch in shown}
    for name, checkpoint in {**checkpoints, "tested": BEST, "final": CHECKPOINT}.items():
        if (log_dir / checkpoint).exists():
            saved = torch.load(log_dir / checkpoint, map_location="cpu", weights_only=True)
            state = saved["state_dict"] if "state_dict" in saved else saved["parts"]["model"]
            weights = {one: value.clone() for one, value in state.items() if one.startswith(NETWORKS)}
            write_atomically(folder / f"{name}.safetensors", save(weights))
    for name in (METRICS, SUMMARY, OPTIONS):
        if (log_dir / name).exists():
            write_atomically(folder / name, (log_dir / name).read_bytes())
