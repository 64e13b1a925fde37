"""A student's networks with handed-in weights, in the box: encoder and decoder in sessions of their own.

What the encoder knows of an image reaches the decoder through the codes only, which pass through the hands of
the grader. All trainings of a part share these two sessions: to open one costs as much as 200 images do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from grader.box.budget import Budget
from grader.box.client import Channels
from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.evidence.trainings import Training
from grader.submission.model import GIVEN_FILES
from grader.suites.conftest import STUDENT
from grader.suites.part import HELPER_FOLDER, Part, helpers_of

BATCH = 100  # images in a message: more of them run slower, and the logits of 100 take 5 MB
ANY_DEVICE = ["cuda"]  # code that names one stays on the CPU
FAR_TOO_LARGE = 1e6


class Unusable(Exception):
    """Networks cannot be run, or what they return is not what they have to return."""


class Misfit(Exception):
    """Weights do not fit the networks."""


@dataclass(frozen=True)
class Place:
    """Where a submission's networks are run. A context: its sessions end with it.

    Attributes:
        files: the submitted files.
        box: where sessions come from.
        budget: what all its sessions may take together.
    """

    files: Mapping[str, bytes]
    box: Callable[[], Channels]
    budget: Budget
    _open: dict[str, tuple[Part, Part]] = field(default_factory=dict)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        for folder in list(self._open):
            self.close(folder)

    def parts(self, folder: str) -> tuple[Part, Part]:
        """The sessions for encoders and for decoders of one part, new ones where there are none."""
        if folder not in self._open:
            self._open[folder] = (self._part(folder), self._part(folder))
        return self._open[folder]

    def close(self, folder: str) -> None:
        """End the sessions of one part: what failed in them must not cost another training anything."""
        for part in self._open.pop(folder, ()):
            part.close()

    def _part(self, folder: str) -> Part:
        """With the files of one part: the student's, those that were given, the helpers."""
        files = {name: content for name, content in self.files.items() if name.startswith(f"{folder}/")}
        for name in GIVEN_FILES:
            if name.startswith(f"{folder}/") and (STUDENT / name).exists():
                files[name] = (STUDENT / name).read_bytes()
        for source in helpers_of(folder):
            files[f"{HELPER_FOLDER}/{source.name}"] = source.read_bytes()
        return Part(self.box, folder, files, self.budget, list(ANY_DEVICE))


class Networks:
    """Encoder and decoder of one training. A context: where it ends with an error, its sessions end, too.

    Args:
        place: where they are run.
        training: the training.
        filters: width of the networks of part 1.
        seed: of all that they draw.

    Raises:
        StudentError: the student's code cannot make them.
    """

    def __init__(self, place: Place, training: Training, filters: int, seed: int) -> None:
        self.training = training
        self._place = place
        self._parts = place.parts(training.part)
        self._loaded: Mapping[str, dict[str, torch.Tensor]] | None = None
        try:
            for number, part in enumerate(self._parts):
                part.begin_check(seed + number)
            self._encoder, self._decoder = self._made(training, filters)
            for network in (self._encoder, self._decoder):
                network.eval()
                network.requires_grad_(False)
        except BaseException:
            place.close(training.part)
            raise
        # Asked for once: each is a request of its own.
        self._take = {"encoder": self._encoder.load_state_dict, "decoder": self._decoder.load_state_dict}

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

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None and not isinstance(error, Misfit):
            self._place.close(self.training.part)

    def load(self, weights: Mapping[str, dict[str, torch.Tensor]]) -> None:
        """Give both networks weights, where they do not have them already.

        Raises:
            Misfit: they do not fit.
            StudentError: the code failed in another way.
        """
        for name, take in self._take.items():
            if self._loaded is None or weights[name] is not self._loaded[name]:
                try:
                    take(weights[name])
                except StudentError as error:
                    self._loaded = None
                    if error.kind != "raised":
                        raise
                    raise Misfit from error
        self._loaded = weights

    def encode(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Means and log standard deviations of part 1, codes and None of part 2; `[N, z_dim]`.

        Raises:
            Unusable: they have another shape or are no numbers.
            StudentError: the code failed.
        """
        first, second = [], []
        for batch in images.split(BATCH):
            said = self._encoder(batch)
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
        return self._numbers(self._decoder(codes), len(codes), (channels, 28, 28))

    @staticmethod
    def _numbers(said: object, count: int, shape: tuple[int, ...]) -> torch.Tensor:
        if not isinstance(said, torch.Tensor) or said.shape != (count, *shape):
            raise Unusable
        numbers = said.detach().float()
        low, high = (float(end) for end in numbers.aminmax())  # not a number where any of them is none
        if not -FAR_TOO_LARGE <= low <= high <= FAR_TOO_LARGE:
            raise Unusable
        return numbers


__all__ = ["BATCH", "Misfit", "Networks", "Place", "StudentError", "Unusable"]
