#!/bin/sh
# pytorch-lightning 2.6.6 with torch 2.15.0: Trainer.fit and a model that is in evaluation mode.
#
# One expects: fit trains, so it puts the model into training mode, at its start and again when the next epoch begins.
# What happens: it leaves every module in the mode in which it finds it. A model on which eval() was called before fit is
# trained in evaluation mode from the first batch to the last. Where a callback, or a method that it calls, says eval() at
# the end of an epoch, the first epoch is in training mode and all others are not. A validation loop in between makes
# no difference: it brings back the mode from before it. Nothing is printed while the summary of the model is off.
# Why it matters here: a sample() that says self.eval() is right in itself and, called between epochs, turns off
# dropout and the updates of batch statistics for the rest of the training: no error, only another curve. The given
# callback remembers the mode around its samples and sets it again.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
if command -v uv > /dev/null; then
    uv pip install --quiet --python "$folder/venv/bin/python" torch==2.15.0 pytorch-lightning==2.6.6
else
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.15.0 pytorch-lightning==2.6.6
fi
cd "$folder"
"$folder/venv/bin/python" -W ignore - 2> log <<'PYTHON' || { cat log; exit 1; }
import sys

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader


class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
        self.modes = []

    def training_step(self, batch, number):
        self.modes.append(self.layers[1].training)
        return self.layers(batch).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 1e-3)

    def sample(self):
        self.eval()
        return self.layers(torch.zeros(1, 4))


class WithValidation(Model):
    def validation_step(self, batch, number):
        self.layers(batch)


class SamplesAtTheEnd(pl.Callback):
    def on_train_epoch_end(self, trainer, model):
        model.sample()


def modes(model, callbacks=(), evaluated=False):
    """Whether dropout was on, by epoch of two batches."""
    if evaluated:
        model.eval()
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    trainer = pl.Trainer(max_epochs=3, accelerator="cpu", callbacks=list(callbacks), **quiet)
    batches = DataLoader(torch.rand(8, 4), batch_size=4)
    trainer.fit(model, batches, batches if isinstance(model, WithValidation) else None)
    return [all(model.modes[at : at + 2]) for at in (0, 2, 4)]


print("pytorch-lightning", pl.__version__, "torch", torch.__version__)
found = {
    "as it was made": modes(Model()),
    "eval() before fit": modes(Model(), evaluated=True),
    "eval() at the end of each epoch": modes(Model(), [SamplesAtTheEnd()]),
    "the same, with validation": modes(WithValidation(), [SamplesAtTheEnd()]),
}
for name, seen in found.items():
    print(f"{name:32} in training mode, by epoch: {seen}")
expected = [[True] * 3, [False] * 3, [True, False, False], [True, False, False]]
sys.exit(0 if list(found.values()) == expected else "the behaviour has changed")
PYTHON
