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
        self._epoch: dict[str, tuple] = {}  # sum and number of the values of an epoch

    def add_values(self, values: dict[str, float | torch.Tensor]) -> None:
        """Takes one value per name, a number or a tensor with a single element."""
        for key, value in values.items():
            window = self._collected.setdefault(key, [])
            window.append(torch.as_tensor(value).detach().float())
            self._seen[key] = self._seen.get(key, 0) + 1
            total, count = self._epoch.get(key, (0, 0))
            self._epoch[key] = (total + window[-1], count + 1)  # no .item(): a GPU need not be waited for
            if len(window) == self.avg_window:
                tag = key if self.name is None else f"{self.name}/{key}"
                self.summary_writer.add_scalar(tag, torch.stack(window).mean(), self._seen[key])
                window.clear()

    def epoch_means(self) -> dict[str, float]:
        """The mean of every name's values since the last call."""
        means = {key: float(total) / count for key, (total, count) in self._epoch.items()}
        self._epoch.clear()
        return means

    def state_dict(self) -> dict[str, int]:
        """The number of values so far, with which the curves of a training go on after an interruption."""
        return self._seen

    def load_state_dict(self, state: dict[str, int]) -> None:
        """The counterpart of `state_dict`."""
        self._seen = state
