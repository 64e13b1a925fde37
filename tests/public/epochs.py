"""An epoch by `train_aae`, with the folders that it may miss here."""

import re
from pathlib import Path

MOST_FOLDERS = 5


def train_epoch(part2, epoch, model, loader, loggers, optimizer_ae, optimizer_disc, lambda_):
    """Run `train_aae` for an epoch; what the optimizers have noted is that of one epoch.

    A loop may save into a folder that `main` has made, or an earlier epoch: where one is missing, it is made,
    and the epoch begins again.
    """

    def train():
        optimizers = optimizer_ae, optimizer_disc
        part2.train.train_aae(epoch, model, loader, *loggers, *optimizers, lambda_=lambda_)

    for _ in range(MOST_FOLDERS):
        try:
            train()
            return
        except (FileNotFoundError, RuntimeError) as error:
            folder = missing_folder(error)
            if folder is None:
                raise
            folder.mkdir(parents=True)
        for optimizer in (optimizer_ae, optimizer_disc):
            getattr(optimizer, "noted", []).clear()
    train()


def missing_folder(error):
    """The folder below the current one whose absence an error complains of, if any."""
    path = getattr(error, "filename", None)
    if path is None:  # torch.save only says it
        said = re.search(r"Parent directory (.+) does not exist", str(error))
        path = Path(said[1], "file") if said else None
    if path is None:
        return None
    missing = Path(path).absolute().parent
    return missing if missing.is_relative_to(Path.cwd()) and not missing.exists() else None
