"""Item 2.5.sample: `AdversarialAE.sample`, judged by the codes that its images tell of.

In the decoder's place stands a map of the grader's that can be inverted. So what the decoder was given is
read off the images that `sample` returns, and nothing the session says of it has to be believed.
"""

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import as_tensor, expect, expect_shape
from grader.suites.part import Part
from grader.suites.part2.chance import expect_standard_normal

pytestmark = pytest.mark.item("2.5.sample")

HINT = "self.decoder(torch.randn(batch_size, self.z_dim, device=self.encoder.device))"
PIXELS = 784
# Of the pixels' logits: float32 leaves 1e-6 of them; a random image, or one moved by 1%, is far beyond.
MAX_RESIDUAL = 1e-3


class Canvas:
    """The grader's decoder in a model of the student's: `tanh(z @ weight + bias)`, 784 pixels."""

    def __init__(self, part: Part, draw: Draw, z_dim: int) -> None:
        # Logits of about 0.5: neither lost in float32 nor in tanh's saturation.
        self.weight = draw.normal(z_dim, PIXELS) * 0.5 / z_dim**0.5
        self.bias = draw.normal(PIXELS) * 0.5  # an image of one grey level is none of this decoder's
        self.model: Remote = part.driver.build(z_dim)
        part.driver.painted(self.model, self.weight, self.bias)

    def codes(self, batch_size: int) -> torch.Tensor:
        """What the decoder was given in one call of `sample`, `[batch_size, z_dim]`, float64.

        Raises:
            CheckFailed: the images are not what the decoder makes of any codes.
        """
        images = expect_shape(
            self.model.sample(batch_size),
            (batch_size, 1, 28, 28),
            f"the result of sample({batch_size})",
            "return the decoder's output",
        )
        lowest, highest = float(images.min()), float(images.max())
        logits = as_tensor(images, "").double().clamp(-1, 1).atanh().flatten(1)
        weight = self.weight.double()
        logits = logits.nan_to_num(0.0, 1e3, -1e3) - self.bias.double()
        codes = torch.linalg.lstsq(weight.T, logits.T).solution.T
        residual = (codes @ weight - logits).abs().max()
        expect(
            bool(residual < MAX_RESIDUAL),
            f"the result of sample({batch_size}) is not the decoder's output for any codes (its pixels lie "
            f"between {lowest:.2f} and {highest:.2f})",
            "return the decoder's output as it is, in [-1, 1]",
        )
        return codes


def test_images_are_the_decoders(part2: Part, draw: Draw) -> None:
    for batch_size, z_dim in ((7, 5), (1, 3), (4, 8)):
        part2.seed(draw.seed())
        Canvas(part2, draw, z_dim).codes(batch_size)


def test_codes_come_from_the_prior(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    # 60,000 numbers: a standard deviation of 0.96 would be 14 sigma off.
    expect_standard_normal(Canvas(part2, draw, 40).codes(1500), "the codes that are decoded")


def test_every_call_draws_afresh(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    # Of the usual length: that it follows z_dim is what the other checks ask.
    canvas = Canvas(part2, draw, 8)
    first, second = (canvas.codes(250) for _ in range(2))
    # For 2,000 independent pairs the scaled sum is N(0, 1): beyond 6 with a chance of 2e-9.
    shared = float((first * second).sum()) / first.numel() ** 0.5
    expect(
        abs(shared) < 6, "two calls of sample give the same codes", "draw afresh, and set no seed in sample"
    )
