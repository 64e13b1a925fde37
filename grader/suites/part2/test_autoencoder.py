"""Item 2.4.autoencoder: `ConvEncoder`, `ConvDecoder` and `AdversarialAE.forward`."""

from typing import Any

import pytest
import torch

from grader.box.remote import Remote
from grader.suites.diagnosis import looks_for_a_cause
from grader.suites.draw import Draw
from grader.suites.expect import CheckFailed, close, expect, expect_close, expect_finite, expect_shape, fail
from grader.suites.part import Part
from grader.suites.part2.gradients import gradient_of_input, gradients_of_weights
from grader.suites.part2.ranges import cause_of_range
from grader.suites.part2.some_network import by_some_network
from grader.suites.severity import SERIOUS, SLIP

pytestmark = pytest.mark.item("2.4.autoencoder")

# Networks with random weights are asked again with other ones, before a side counts as never reached: for
# a right encoder of 32 outputs the chance of one sign throughout is at most 2^-32 per network; for a right
# decoder it is the chance that 12 images have pixels of one sign only.
NETWORKS = 4
# All weights times this: what the last layer lets through then shows, whatever normalizes before it.
LARGE = 6.0
# For codes, with a limit that leaves room for a clamp meant for stability, at 10, say. A very deep network
# overflows with the first factor.
FACTORS, FAR_OUT = [30.0, 6.0], 9.0
# Singular values of codes that lie on a line are rounding, 1e-6 of their size.
TIED = 1e-5


def encoder_of(part: Part, z_dim: int) -> Remote:
    """The student's encoder in evaluation mode, without weights that are zero or lazy."""
    encoder = part.models.ConvEncoder(z_dim)
    encoder.eval()  # in training mode a BatchNorm refuses a batch of one
    example = torch.zeros(1, 1, 28, 28)
    return part.driver.answering(part.driver.awake(encoder, example), example)


def decoder_of(part: Part, z_dim: int) -> Remote:
    """The student's decoder in the same way."""
    decoder = part.models.ConvDecoder(z_dim)
    decoder.eval()
    example = torch.zeros(1, z_dim)
    return part.driver.answering(part.driver.awake(decoder, example), example)


def images_of(draw: Draw, count: int) -> torch.Tensor:
    """Noise of every grey value: `[count, 1, 28, 28]` in [-1, 1]."""
    return draw.uniform(count, 1, 28, 28, low=-1.0)


def very_different(draw: Draw) -> torch.Tensor:
    """Noise, and images that are black, dark, bright and of one grey: `[6, 1, 28, 28]` in [-1, 1]."""
    black, grey = torch.full((1, 1, 28, 28), -1.0), torch.full((1, 1, 28, 28), 0.5)
    dark, bright = -0.9 + 0.1 * images_of(draw, 1), 0.7 + 0.2 * images_of(draw, 1)
    return torch.cat([images_of(draw, 2), black, dark, bright, grey])


def test_encoder_maps_images_to_codes(part2: Part, draw: Draw) -> None:
    for batch, z_dim in ((5, 8), (1, 3), (3, 20)):
        encoder = part2.driver.takes_its_dtype(part2.models.ConvEncoder(z_dim=z_dim))
        encoder.eval()  # in training mode a BatchNorm refuses a batch of one
        codes = expect_shape(
            encoder(images_of(draw, batch)),
            (batch, z_dim),
            f"the code of {batch} image(s) with z_dim = {z_dim}",
            "the last layer maps to z_dim; keep the batch dimension, also for a batch of one: no squeeze()",
        )
        expect_finite(codes, "the code", "look for a division by zero or a log on the way")


@by_some_network
def test_encoder_codes_each_image_by_itself(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    encoder = encoder_of(part2, 6)
    images = very_different(draw)
    codes = expect_shape(encoder(images), (6, 6), "the code of 6 images", "[B, z_dim]")
    hint = "keep the batch dimension, also for a batch of one: no squeeze()"
    alone = torch.cat(
        [expect_shape(encoder(image[None]), (1, 6), "the code of one image", hint) for image in images]
    )
    finite = alone.isfinite().all(1)  # an image of one grey may be divided by its spread of 0
    codes, alone, again = codes[finite], alone[finite], encoder(images)[finite]
    expect(
        close(codes, again, rtol=1e-5, atol=1e-6),
        "the same images in evaluation mode get another code the second time",
        "the encoder of an adversarial autoencoder is deterministic: no sampling, dropout only in training",
    )
    expect(
        part2.driver.alters(encoder, images) is not True,
        "the encoder changes the images that it is given: the loss then compares with other ones",
        "x = (x - mean) / std makes a new tensor; no x -= ..., and nothing in x.data",
    )
    spread = float((codes - codes.mean(0)).abs().max())
    expect(
        spread > 1e-6,
        "different images get the same code",
        "the code has to depend on the image; are the images replaced or multiplied by zero on the way?",
    )
    # One image alone and within a batch: sums in another order move float32 codes by 1e-6 of their size.
    expect(
        close(alone, codes, rtol=1e-3, atol=1e-4 * float(codes.abs().max())),
        "in evaluation mode the code of an image depends on the other images of its batch",
        "flatten with start_dim=1 and keep the batch dimension first; a maximum, minimum, mean or deviation "
        "of an image is taken over its own pixels: x.amax(dim=(1, 2, 3), keepdim=True)",
    )


def rank_of(codes: Any, z_dim: int) -> int:
    """How many dimensions the codes of 24 images fill, but for rounding."""
    codes = expect_shape(codes, (24, z_dim), "the code of 24 images", "[B, z_dim]").double()
    expect_finite(codes, "the code", "look for a division by zero or a log on the way")
    sizes = torch.linalg.svdvals(codes - codes.mean(0))
    return int((sizes > TIED * float(codes.abs().max())).sum())


@by_some_network
def test_codes_fill_their_dimensions(part2: Part, draw: Draw) -> None:
    for z_dim in (1, 2):
        part2.seed(draw.seed())
        encoder = encoder_of(part2, z_dim)
        images = draw.uniform(24, 1, 4, 4, low=-1.0).repeat_interleave(7, 2).repeat_interleave(7, 3)
        rank = rank_of(encoder(images), z_dim)
        if rank < z_dim:  # what an image adds may be lost beside a bias: it shows with larger weights
            rank = rank_of(part2.driver.when_enlarged(encoder, images, FACTORS), z_dim)
        expect(
            rank == z_dim,
            f"with z_dim = {z_dim} the codes of 24 different images fill {rank} of {z_dim} dimensions",
            "no LayerNorm, softmax or mean over the latent dimensions, which ties them together: codes shall "
            "look like N(0, I)",
        )


def test_codes_are_unbounded_both_ways(part2: Part, draw: Draw) -> None:
    lowest, highest = 0.0, 0.0
    for _ in range(NETWORKS):
        part2.seed(draw.seed())
        encoder = encoder_of(part2, 32)
        codes = part2.driver.when_enlarged(encoder, 3 * images_of(draw, 6), FACTORS)
        codes = expect_shape(codes, (6, 32), "the code of 6 images", "[B, z_dim]")
        expect_finite(codes, "the code", "look for a division by zero or a log on the way")
        lowest, highest = min(lowest, float(codes.min())), max(highest, float(codes.max()))
        if (
            lowest < -FAR_OUT and highest > FAR_OUT
        ):  # tanh and sigmoid stay within 1; ReLU and softplus above 0
            return
    cause = cause_of_range(lowest, highest)
    fail(
        f"with large weights the codes only reach from {lowest:.3g} to {highest:.3g}",
        (f"{cause}; " if cause else "")
        + "codes shall look like N(0, I), any real number: nothing that limits them at the end",
    )


@by_some_network
def test_encoder_uses_the_whole_image(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    encoder = encoder_of(part2, 8)
    images = images_of(draw, 3).requires_grad_()
    call = part2.record(encoder, images)
    codes = expect_shape(call.value, (3, 8), "the code of 3 images", "[B, z_dim]")
    gradient = gradient_of_input(
        call,
        draw.normal(*codes.shape),
        "no gradient flows from the code to the image",
        "no .detach() or no_grad",
    )
    blocks = gradient.abs().reshape(3, 4, 7, 4, 7).amax(dim=(2, 4))  # [3, 4, 4] blocks of 7x7 pixels
    unused = int((blocks.amax(0) == 0).sum())
    expect(
        unused == 0,
        f"{unused} of the image's 16 blocks of 7x7 pixels have no influence on the code",
        "check strides, paddings and what is cut off before the linear layer",
    )
    expect(
        bool((blocks.amax(dim=(1, 2)) > 0).all()),
        "some images of the batch have no influence on any code",
        "keep the batch dimension first and code every image",
    )


def test_decoder_maps_codes_to_images(part2: Part, draw: Draw) -> None:
    for batch, z_dim in ((5, 8), (1, 3), (3, 20)):
        part2.seed(draw.seed())
        decoder = part2.driver.takes_its_dtype(part2.models.ConvDecoder(z_dim=z_dim))
        decoder.eval()
        images = expect_shape(
            decoder(draw.normal(batch, z_dim)),
            (batch, 1, 28, 28),
            f"the image of {batch} code(s) with z_dim = {z_dim}",
            "4x4 -> 7x7 -> 14x14 -> 28x28 with output padding 0, 1, 1, and one channel at the end",
        )
        expect_finite(images, "the image", "look for a division by zero or a log on the way")


@by_some_network
def test_decoder_uses_every_code_by_itself(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    decoder = decoder_of(part2, 6)
    codes = draw.normal(4, 6)
    images = expect_shape(decoder(codes), (4, 1, 28, 28), "the image of 4 codes", "[B, 1, 28, 28]")
    alone = torch.cat([decoder(code[None]) for code in codes])
    expect(
        close(alone, images, rtol=1e-3, atol=1e-5),
        "in evaluation mode the image of a code depends on the other codes of its batch, or on chance",
        "reshape to [B, channels, 4, 4] with the batch dimension first",
    )
    leaf = codes.clone().requires_grad_()
    call = part2.record(decoder, leaf)
    gradient = gradient_of_input(
        call,
        draw.normal(4, 1, 28, 28),
        "no gradient flows from the image to the code",
        "no .detach() or no_grad",
    )
    unused = int((gradient.abs().amax(0) == 0).sum())
    expect(unused == 0, f"{unused} of 6 latent dimensions have no influence on the image", "use all of z")


def test_grey_values_fill_minus_one_to_one(part2: Part, draw: Draw) -> None:
    lowest, highest = 0.0, 0.0
    for _ in range(NETWORKS):
        part2.seed(draw.seed())
        decoder = decoder_of(part2, 8)
        part2.driver.enlarge(decoder, LARGE)
        images = expect_shape(
            decoder(draw.normal(12, 8, std=4.0)), (12, 1, 28, 28), "the image of 12 codes", "[B, 1, 28, 28]"
        )
        expect_finite(images, "the image", "look for a division by zero or a log on the way")
        lowest, highest = min(lowest, float(images.min())), max(highest, float(images.max()))
        cause = cause_of_range(lowest, highest)
        if lowest < -1.0001 or highest > 1.0001:
            fail(
                f"grey values should stay between -1 and 1, but reach from {lowest:.3g} to {highest:.3g}",
                f"{cause}; end the decoder with a tanh" if cause else "end the decoder with a tanh",
            )
        if lowest < -0.9 and highest > 0.9:
            return
    fail(
        f"grey values should reach from -1 to 1, but stay between {lowest:.3g} and {highest:.3g}",
        (f"{cause}; " if cause else "")
        + "images are scaled to [-1, 1]: a tanh at the end, and nothing after it",
    )


def test_forward_returns_reconstruction_and_code(part2: Part, draw: Draw) -> None:
    length = part2.driver.default_code_length()
    expect(
        length in (0, 8),  # 0 where it cannot be found out: that shows below
        f"AdversarialAE() without z_dim makes codes of length {length} instead of 8",
        "leave the signature as it is given: z_dim: int = 8",
    )
    for batch, z_dim in ((3, 5), (1, 8)):
        part2.seed(draw.seed())
        model = part2.driver.build(z_dim, ["Discriminator"])
        model.eval()
        images = images_of(draw, batch)
        recon, codes = pair(model(images))
        hint = "return (recon_x, z), in this order"
        expect_order(recon, codes)
        expect_shape(codes, (batch, z_dim), "the second result of forward, the codes", hint)
        expect_shape(recon, (batch, 1, 28, 28), "the first result of forward, the reconstructions", hint)
        try:
            expect_close(
                codes,
                part2.driver.answer_of(model, "encoder", images),
                "the codes in forward",
                "z is the encoder's output for x",
            )
            expect_close(
                recon,
                part2.driver.answer_of(model, "decoder", codes),
                "the reconstructions in forward",
                "recon_x is the decoder's output for z, with no noise added",
            )
        except CheckFailed:
            for name, first, second in zip(
                ("reconstruction", "code"), (recon, codes), pair(model(images)), strict=True
            ):
                expect(
                    repeats(first, second),
                    f"the {name} in forward differs between two calls with the same images",
                    "encoder and decoder are deterministic: no noise in forward",
                    SERIOUS,
                )
            raise


def repeats(first: Any, second: Any) -> bool:
    """Whether two results of the same call agree far better than right code needs to."""
    return isinstance(second, torch.Tensor) and close(second, first, rtol=0.1, atol=0.1)


def expect_order(recon: Any, codes: Any) -> None:
    """Fail if the images come second."""
    both = isinstance(recon, torch.Tensor) and isinstance(codes, torch.Tensor)
    expect(
        not (both and codes.dim() == 4 and recon.dim() == 2),
        "forward returns its results in another order: first the code, then the image",
        "return (recon_x, z)",
        SERIOUS,
    )


def pair(value: Any) -> tuple[Any, Any]:
    """The two results of forward."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        fail("forward should return two tensors (recon_x, z)", "return recon_x, z", SLIP)
    return value[0], value[1]


@by_some_network
def test_reconstruction_trains_all_weights(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    model = part2.driver.build(8, ["Discriminator"])
    model.eval()  # a bias in front of a BatchNorm has no influence in training mode
    images = images_of(draw, 4)
    call = part2.record(model, images)
    recon, _ = pair(call.value)
    expect_shape(
        recon, (4, 1, 28, 28), "the first result of forward, the reconstructions", "return recon_x, z"
    )
    gradients = gradients_of_weights(call, draw.normal(4, 1, 28, 28), model)
    without = {
        name
        for name, gradient in gradients.items()
        if name.startswith(("encoder.", "decoder.")) and (gradient is None or not bool(gradient.any()))
    }
    # Weights that are defined and never used do no harm; those that matter must get a gradient.
    dead = [name for name in sorted(without) if matters(model, name, images, recon, draw)]
    expect(
        not dead,
        f"no gradient flows from the reconstruction to {len(dead)} weight tensors, among them "
        f"{', '.join(dead[:3])}",
        "keep the graph from recon_x through z back to the encoder: no .detach(), .data, .item() or no_grad",
    )
    for side in ("encoder", "decoder"):
        expect(
            any(name.startswith(f"{side}.") for name in gradients),
            f"no gradient flows from the reconstruction to the {side}: all of its weights are frozen",
            "leave requires_grad of the weights as it is: they are what training changes",
        )


@by_some_network
def test_code_of_forward_trains_the_encoder(part2: Part, draw: Draw) -> None:
    part2.seed(draw.seed())
    model = part2.driver.build(8, ["ConvDecoder", "Discriminator"])
    model.eval()
    call = part2.record(model, images_of(draw, 4))
    recon, codes = pair(call.value)
    hint = "return the encoder's output as it is: no .detach(), .data or no_grad"
    expect_shape(
        codes, (4, 8), "the second result of forward, the codes", "return (recon_x, z), in this order"
    )
    others = [None] if isinstance(recon, torch.Tensor) else []
    gradients = call.gradients(*others, draw.normal(4, 8), of=model)
    expect(
        any(
            gradient is not None and bool(gradient.any())
            for name, gradient in gradients.items()
            if name.startswith("encoder.")
        ),
        "no gradient flows from the codes that forward returns to the encoder: the adversarial loss cannot "
        "train it",
        hint,
    )


@looks_for_a_cause
def matters(model: Remote, name: str, images: torch.Tensor, recon: torch.Tensor, draw: Draw) -> bool:
    """Whether another value of a weight changes the reconstruction."""
    state = model.state_dict()
    model.load_state_dict({**state, name: state[name] + draw.normal(*state[name].shape)})
    changed, _ = pair(model(images))
    model.load_state_dict(state)
    return not torch.equal(changed, recon)
