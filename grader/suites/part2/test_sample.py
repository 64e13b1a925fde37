"""Item 2.5.sample: `AdversarialAE.sample`, judged by the codes that its decoder receives."""

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.draw import Draw
from grader.suites.expect import expect, expect_close, expect_shape, fail
from grader.suites.part import Part
from grader.suites.part2.chance import expect_standard_normal

pytestmark = pytest.mark.item("2.5.sample")

HINT = "self.decoder(torch.randn(batch_size, self.z_dim, device=self.encoder.device))"


def codes_of(part: Part, model: Remote, canvas: Remote, batch_size: int, z_dim: int) -> torch.Tensor:
    """What the decoder received in one call of `sample`, `[batch_size, z_dim]`."""
    seen = part.driver.sampled_codes(model, canvas, batch_size)
    return joined(seen, batch_size, z_dim)


def joined(seen: list[torch.Tensor], batch_size: int, z_dim: int) -> torch.Tensor:
    """The codes of one call, which may decode all of them at once or a few at a time."""
    shapes = [list(codes.shape) for codes in seen]
    if not seen or any(codes.dim() != 2 or codes.shape[1] != z_dim for codes in seen):
        fail(
            f"in sample({batch_size}) with z_dim = {z_dim} the decoder should receive codes "
            f"[{batch_size}, {z_dim}], but gets {shapes[0] if seen else 'nothing'}",
            HINT,
        )
    codes = torch.cat(seen)
    expect(
        len(codes) == batch_size,
        f"in sample({batch_size}) the decoder receives {len(codes)} codes",
        HINT,
    )
    return codes


def test_images_are_the_decoders(part2: Part, draw: Draw) -> None:
    for batch_size, z_dim in ((7, 5), (1, 3), (4, 8)):
        part2.seed(draw.seed())
        model = part2.driver.build(z_dim)
        canvas = part2.driver.painted(model)
        images = expect_shape(
            model.sample(batch_size),
            (batch_size, 1, 28, 28),
            f"the result of sample({batch_size})",
            "return the decoder's output",
        )
        codes = joined(part2.driver.seen(canvas), batch_size, z_dim)
        expected = torch.zeros(batch_size, 784)
        expected[:, :z_dim] = codes.tanh()
        expect_close(
            images,
            expected.view(-1, 1, 28, 28),
            "the result of sample, as against what the decoder made of the codes",
            "return the decoder's output as it is, in [-1, 1]",
        )


def test_codes_come_from_the_prior(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    model = part2.driver.build(40)
    canvas = part2.driver.painted(model)
    # 60,000 numbers: a standard deviation of 0.96 would be 14 sigma off.
    codes = codes_of(part2, model, canvas, 1500, 40)
    expect_standard_normal(codes, "the codes that are decoded")


def test_every_call_draws_afresh(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    model = part2.driver.build(40)
    canvas = part2.driver.painted(model)
    first, second = (codes_of(part2, model, canvas, 50, 40) for _ in range(2))
    # For 2,000 independent pairs the scaled sum is N(0, 1): beyond 6 with a chance of 2e-9.
    shared = float((first * second).sum()) / first.numel() ** 0.5
    expect(
        abs(shared) < 6, "two calls of sample give the same codes", "draw afresh, and set no seed in sample"
    )
