"""Scripts in the manner of the course's original template run beside the files that are given now."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.solutions.small_mnist import VALIDATION, write_mnist

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"
# No command line of ours, no folder of runs, no callbacks but Lightning's: what students brought along.
PART1 = """
import os, sys
import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import TensorBoardLogger
from mnist import mnist
from train_pl import VAE, GenerateCallback
from utils import *

loaders = mnist(batch_size=64, num_workers=0, root=sys.argv[1])
pl.seed_everything(42)
trainer = pl.Trainer(
    default_root_dir="logs",
    accelerator="cpu",
    max_epochs=1,
    callbacks=[ModelCheckpoint(save_weights_only=True, mode="min", monitor="val_bpd"), GenerateCallback()],
    enable_progress_bar=False,
)
trainer.logger._default_hp_metric = None
model = VAE(num_filters=1, z_dim=20, lr=1e-3)
trainer.fit(model, loaders[0], loaders[1])
model = VAE.load_from_checkpoint(trainer.checkpoint_callback.best_model_path)
print("score", trainer.test(model, dataloaders=loaders[2], verbose=False)[0]["test_bpd"])
"""
PART2 = """
import sys
import torch
from torch.utils.tensorboard import SummaryWriter
from mnist import mnist
from models import AdversarialAE
from train import train_aae
from utils import TensorBoardLogger

loader = mnist(batch_size=64, num_workers=0, root=sys.argv[1])
model = AdversarialAE(z_dim=8)
writer = SummaryWriter("logs")
loggers = [TensorBoardLogger(writer, avg_window=2, name=name) for name in ("gen", "disc")]
autoencoder = [*model.encoder.parameters(), *model.decoder.parameters()]
optimizers = (torch.optim.Adam(autoencoder, 1e-3), torch.optim.SGD(model.discriminator.parameters(), 5e-3))
for epoch in range(2):
    train_aae(epoch, model, loader, *loggers, *optimizers, lambda_=0.995)
writer.close()
x = next(iter(loader))[0]
print("score", torch.nn.functional.mse_loss(model(x)[0], x).item())
"""


def score(part: str, script: str, folder: Path, train: int) -> float:
    shutil.copytree(SOLUTIONS / part, folder / part)
    (folder / part / "own.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "own.py", str(write_mnist(folder / "data", train=train))],
        cwd=folder / part,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert list((folder / part).rglob("events.out.*"))
    return float(done.stdout.split("score ")[1])


def test_part_1_trains_without_what_is_given_now(tmp_path: Path) -> None:
    assert 0 < score("part1", PART1, tmp_path, VALIDATION + 128) < 4.5
    assert list(tmp_path.rglob("samples_epoch_001.png"))


def test_part_2_trains_without_what_is_given_now(tmp_path: Path) -> None:
    assert 0 < score("part2", PART2, tmp_path, 256) < 1
