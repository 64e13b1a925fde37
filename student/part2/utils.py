"""Logging for the adversarial autoencoder. Provided; nothing to write here."""

import torch
from torch.utils.tensorboard import SummaryWriter


class TensorBoardLogger:
    """Writes running means of named values to TensorBoard.

    Losses of single batches are noisy: the logger collects `avg_window` of each name and writes their
    mean as one point.
    """

    def __init__(self, summary_writer: SummaryWriter, avg_window: int = 50, name: str | None = None):
        """Configures the logger.

        Args:
            summary_writer: where the points go.
            avg_window: number of values behind one point.
            name: prefix of the names in TensorBoard, None for no prefix.
        """
        self.summary_writer = summary_writer
        self.avg_window = avg_window
        self.name = name
        self._collected: dict[str, list[torch.Tensor]] = {}
        self._seen: dict[str, int] = {}

    def add_values(self, values: dict[str, float | torch.Tensor]) -> None:
        """Takes one value per name, a number or a tensor with a single element."""
        for key, value in values.items():
            window = self._collected.setdefault(key, [])
            window.append(torch.as_tensor(value).detach().float())
            self._seen[key] = self._seen.get(key, 0) + 1
            if len(window) == self.avg_window:
                tag = key if self.name is None else f"{self.name}/{key}"
                self.summary_writer.add_scalar(tag, torch.stack(window).mean(), self._seen[key])
                window.clear()
