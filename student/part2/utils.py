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
        self._sums: dict[str, torch.Tensor] = {}  # of the epoch
        self._counts: dict[str, int] = {}

    def add_values(self, values: dict[str, float | torch.Tensor]) -> None:
        """Takes one value per name, a number or a tensor with a single element."""
        for key, value in values.items():
            window = self._collected.setdefault(key, [])
            window.append(torch.as_tensor(value).detach().float())
            self._seen[key] = self._seen.get(key, 0) + 1
            self._sums[key] = self._sums.get(key, 0) + window[-1]  # no .item(): a GPU need not be waited for
            self._counts[key] = self._counts.get(key, 0) + 1
            if len(window) == self.avg_window:
                tag = key if self.name is None else f"{self.name}/{key}"
                # Values from before an interruption were read from a file, and may be on another device.
                mean = torch.stack([one.to(window[-1].device) for one in window]).mean()
                self.summary_writer.add_scalar(tag, mean, self._seen[key])
                window.clear()

    def epoch_means(self) -> dict[str, float]:
        """The mean of every name's values since the last call."""
        means = {key: float(total) / self._counts[key] for key, total in self._sums.items()}
        self._sums.clear()
        self._counts.clear()
        return means

    def state_dict(self) -> dict[str, dict]:
        """What a training that goes on needs, so that its curves go on, too."""
        return {"seen": dict(self._seen), "collected": {key: list(v) for key, v in self._collected.items()}}

    def load_state_dict(self, state: dict[str, dict]) -> None:
        """The counterpart of `state_dict`."""
        self._seen = dict(state["seen"])
        self._collected = {key: list(values) for key, values in state["collected"].items()}
