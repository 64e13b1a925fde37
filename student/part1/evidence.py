"""What a training leaves for those who mark: weights, metrics, options. Provided; the same in both parts."""

from collections.abc import Iterable
from pathlib import Path

import torch
from drawing import publish
from runs import METRICS, OPTIONS, SUMMARY

FOLDER = "evidence"  # beside the report's figures, where `handin.py` packs it
NETWORKS = ("encoder.", "decoder.")


def keep_weights(model: torch.nn.Module, log_dir: Path, name: str) -> None:
    """Writes encoder and decoder into a run's folder, as `NAME.safetensors`."""
    try:
        from safetensors.torch import save_file  # here, since an environment of one's own may lack it
    except ImportError:
        print("No evidence of this training is kept, since safetensors is not installed (requirements.txt)")
        return
    weights = {key: value for key, value in model.state_dict().items() if key.startswith(NETWORKS)}
    # Copies, in the usual order: safetensors takes neither shared weights nor those in channels_last.
    copies = {key: value.cpu().contiguous().clone() for key, value in weights.items()}
    save_file(copies, log_dir / f"{name}.safetensors")


def publish_evidence(log_dir: Path, figures: Path, run: str, shown: Iterable[int]) -> None:
    """Copies what a run has come to; `shown` are the epochs before the last that the figures show."""
    weights = [f"{name}.safetensors" for name in ("tested", "final", *(f"epoch_{one:03d}" for one in shown))]
    names = {name: name for name in (METRICS, SUMMARY, OPTIONS, *weights)}
    folder = figures.resolve().parent / FOLDER / run
    for earlier in folder.glob("*.safetensors"):
        earlier.unlink()
    publish(log_dir, folder, names)
