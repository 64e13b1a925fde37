"""A discriminator chosen by the grader: losses are judged by what they make of its logits.

So a mistake in the student's own discriminator costs nothing here. Where that one returns
probabilities, or no dimension of size 1, the losses may follow it: the discriminator's item has
already taken its points for that.
"""

from collections.abc import Callable

import torch

from grader.box.errors import StudentError
from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed
from grader.suites.part import Part

Z_DIM = 5


class Judge:
    """The grader's discriminator in a model of the student's: `logits = z @ weight + bias`."""

    def __init__(
        self,
        part: Part,
        draw: Draw,
        scale: float = 1.0,
        z_dim: int = Z_DIM,
        flat: bool = False,
        prob: bool = False,
    ) -> None:
        self._part = part
        direction = draw.normal(z_dim)
        self.weight = scale * direction / direction.norm()
        self.bias = torch.tensor(0.3 * scale)
        self.model: Remote = part.driver.build(z_dim)
        self.remote: Remote = part.driver.judged(self.model, self.weight, self.bias, flat, prob)

    def logits(self, z: torch.Tensor) -> torch.Tensor:
        """The logits of codes, `[B, z_dim] -> [B]`."""
        return z.double() @ self.weight.double() + self.bias.double()

    def codes(self, draw: Draw, count: int, sign: float) -> torch.Tensor:
        """Codes whose logits have this sign and are large: twice to four times the scale of the weights."""
        direction = self.weight / self.weight.norm()
        across = draw.normal(count, len(direction))
        across = across - (across @ direction)[:, None] * direction
        return across + sign * draw.uniform(count, 1, low=2.0, high=4.0) * direction

    def near(self, draw: Draw, count: int) -> torch.Tensor:
        """Codes whose logits have either sign and are small, 0.3 to 3 in size; the first is negative.

        Here no way to compute a cross-entropy loses digits: not log(1 - sigmoid), nor 1e-6 added in a log.
        """
        signs = torch.tensor([(-1.0) ** (index + 1) for index in range(count)])
        return self.with_logits(draw, signs * draw.uniform(count, low=0.3, high=3.0))

    def with_logits(self, draw: Draw, logits: torch.Tensor) -> torch.Tensor:
        """Codes with these logits, `[B] -> [B, z_dim]`."""
        square = self.weight.square().sum()
        across = draw.normal(len(logits), len(self.weight))
        across = across - (across @ self.weight)[:, None] * self.weight / square
        return across + ((logits - self.bias) / square)[:, None] * self.weight

    def seen(self) -> list[torch.Tensor]:
        """What the discriminator was asked since the last time."""
        codes = self._part.driver.seen(self.remote)
        return [code for code in codes if isinstance(code, torch.Tensor)]

    @staticmethod
    def was_asked(asked: list[torch.Tensor], z: torch.Tensor) -> bool:
        """Whether each of these codes is among those that it was asked about, in one call or several."""
        rows = {tuple(row) for codes in asked if codes.dim() == 2 for row in codes.tolist()}
        return {tuple(row) for row in z.tolist()} <= rows


def convention(part: Part, draw: Draw) -> tuple[bool, bool]:
    """How the student's own discriminator answers: without the last dimension, and with probabilities."""
    try:
        network = part.driver.takes_its_dtype(part.models.Discriminator(Z_DIM))
        network.eval()
        values = network(draw.normal(32, Z_DIM, std=10.0))
    except StudentError:
        return False, False
    if not isinstance(values, torch.Tensor):
        return False, False
    bounded = (
        bool(((values >= 0) & (values <= 1)).all()) and bool((values < 1).any()) and bool((values > 0).any())
    )
    return values.dim() == 1, bounded


def with_judge(part: Part, draw: Draw, check: Callable[[Judge], None], scale: float = 1.0) -> None:
    """Run a check with a discriminator as in the contract; if it fails, with one like the student's own."""
    try:
        check(Judge(part, draw, scale))
    except (CheckFailed, StudentError) as error:
        if isinstance(error, StudentError) and error.kind == "not_implemented":
            raise
        flat, prob = convention(part, draw)
        if not (flat or prob):
            raise
        try:
            check(Judge(part, draw, scale, flat=flat, prob=prob))
        except (CheckFailed, StudentError):
            raise error from None
