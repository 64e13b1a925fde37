"""A student's networks with handed-in weights, in the box: encoder and decoder in sessions of their own.

What the encoder knows of an image reaches the decoder through the codes only, which pass through the hands of
the grader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from grader.box.budget import Budget
from grader.box.client import Channels
from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.evidence.trainings import Training
from grader.submission.model import GIVEN_FILES
from grader.suites.conftest import STUDENT
from grader.suites.part import HELPER_FOLDER, Part, helpers_of

BATCH = 250  # images in a message: the logits of 250 take 12 MB
ANY_DEVICE = ["cuda"]  # code that names one stays on the CPU
FAR_TOO_LARGE = 1e6


class Unusable(Exception):
    """Networks cannot be run, or what they return is not what they have to return."""


@dataclass(frozen=True)
class Place:
    """Where a submission's networks are run.

    Attributes:
        files: the submitted files.
        box: where sessions come from.
        budget: what all its sessions may take together.
    """

    files: Mapping[str, bytes]
    box: Callable[[], Channels]
    budget: Budget

    def part(self, folder: str) -> Part:
        """A session with the files of one part: the student's, those that were given, the helpers."""
        files = {name: content for name, content in self.files.items() if name.startswith(f"{folder}/")}
        for name in GIVEN_FILES:
            if name.startswith(f"{folder}/") and (STUDENT / name).exists():
                files[name] = (STUDENT / name).read_bytes()
        for source in helpers_of(folder):
            files[f"{HELPER_FOLDER}/{source.name}"] = source.read_bytes()
        return Part(self.box, folder, files, self.budget, list(ANY_DEVICE))


class Networks:
    """Encoder and decoder of one training. A context: its sessions end with it.

    Raises:
        StudentError: the student's code cannot make them.
    """

    def __init__(self, place: Place, training: Training, filters: int, seed: int) -> None:
        self.training = training
        self._parts = [place.part(training.part) for _ in range(2)]
        try:
            for number, part in enumerate(self._parts):
                part.begin_check(seed + number)
            self.encoder, self.decoder = self._made(training, filters)
            for network in (self.encoder, self.decoder):
                network.eval()
                network.requires_grad_(False)
        except BaseException:
            self.close()
            raise

    def _made(self, training: Training, filters: int) -> tuple[Remote, Remote]:
        encoding, decoding = self._parts
        if training.part == "part1":
            return (
                encoding.driver.network("CNNEncoder", 1, filters, training.z_dim),
                decoding.driver.network("CNNDecoder", 16, filters, training.z_dim),
            )
        return encoding.models.ConvEncoder(training.z_dim), decoding.models.ConvDecoder(training.z_dim)

    def __enter__(self) -> Networks:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End both sessions."""
        for part in self._parts:
            part.close()

    def load(self, weights: Mapping[str, dict[str, torch.Tensor]]) -> None:
        """Give both networks weights.

        Raises:
            StudentError: they do not fit.
        """
        for network, name in ((self.encoder, "encoder"), (self.decoder, "decoder")):
            network.load_state_dict(weights[name])
            network.eval()

    def encode(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Means and log standard deviations of part 1, codes and None of part 2; `[N, z_dim]`.

        Raises:
            Unusable: they have another shape or are no numbers.
            StudentError: the code failed.
        """
        first, second = [], []
        for batch in images.split(BATCH):
            said = self.encoder(batch)
            if self.training.part == "part1":
                if not isinstance(said, tuple | list) or len(said) != 2:
                    raise Unusable
                mean, log_std = said
                second.append(self._numbers(log_std, len(batch), (self.training.z_dim,)))
            else:
                mean = said
            first.append(self._numbers(mean, len(batch), (self.training.z_dim,)))
        return torch.cat(first), torch.cat(second) if second else None

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Logits `[N, 16, 28, 28]` of part 1, images `[N, 1, 28, 28]` of part 2, at most `BATCH` of them.

        Raises:
            Unusable: they have another shape or are no numbers.
            StudentError: the code failed.
        """
        channels = 16 if self.training.part == "part1" else 1
        return self._numbers(self.decoder(codes), len(codes), (channels, 28, 28))

    @staticmethod
    def _numbers(said: object, count: int, shape: tuple[int, ...]) -> torch.Tensor:
        if not isinstance(said, torch.Tensor) or said.shape != (count, *shape):
            raise Unusable
        numbers = said.detach().float()
        if not bool(numbers.isfinite().all()) or float(numbers.abs().max()) > FAR_TOO_LARGE:
            raise Unusable
        return numbers


__all__ = ["BATCH", "Networks", "Place", "StudentError", "Unusable"]
