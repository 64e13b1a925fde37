"""Question 2.4, `ConvEncoder`, `ConvDecoder` and `AdversarialAE.forward` in part2/models.py."""

import pytest
import torch
from networks import assert_all_weights_learn, awake, in_precision_of, large_weights


def images(batch):
    """Noise of all grey values from -1 to 1."""
    return 2 * torch.rand(batch, 1, 28, 28) - 1


@pytest.mark.parametrize(("batch", "z_dim"), [(5, 8), (1, 8), (3, 2), (2, 20)])
def test_encoder_returns_codes(part2, batch, z_dim):
    z = part2.models.ConvEncoder(z_dim).eval()(images(batch))
    assert isinstance(z, torch.Tensor), (
        "the encoder should return one tensor of codes.\nHint: it is deterministic here: no mean and log_std."
    )
    assert z.shape == (batch, z_dim), (
        f"{batch} image(s) with z_dim={z_dim} should have codes {[batch, z_dim]}, not {list(z.shape)}.\n"
        "Hint: the last layer has z_dim outputs; squeeze() would swallow a batch of one."
    )
    assert torch.isfinite(z).all(), "a code is NaN or infinite.\nHint: look for a log or a division."


def test_codes_have_eight_dimensions_by_default(part2):
    _, z = part2.models.AdversarialAE().eval()(images(2))
    assert z.shape == (2, 8), (
        f"AdversarialAE() should make codes of 8 dimensions, but their shape is {list(z.shape)}.\n"
        "Hint: leave the default of __init__ as it is."
    )


@pytest.mark.parametrize(("batch", "z_dim"), [(5, 8), (1, 8), (3, 2), (2, 20)])
def test_decoder_returns_images(part2, batch, z_dim):
    x = part2.models.ConvDecoder(z_dim).eval()(torch.randn(batch, z_dim))
    assert x.shape == (batch, 1, 28, 28), (
        f"{batch} code(s) with z_dim={z_dim} should give images {[batch, 1, 28, 28]}, not {list(x.shape)}.\n"
        "Hint: 4x4 -> 7x7 -> 14x14 -> 28x28 with output padding 0, 1, 1; one channel at the end."
    )
    assert torch.isfinite(x).all(), "a pixel is NaN or infinite.\nHint: look for a log or a division."


def test_codes_can_be_any_number(part2):
    x = images(8)
    z = large_weights(part2.models.ConvEncoder(32), x)(x)
    assert z.min() < -4 and z.max() > 4, (
        f"even with large weights codes stay between {z.min():.2f} and {z.max():.2f}.\n"
        "Hint: no activation after the last layer. The codes shall look like N(0, I), which has no bounds."
    )


@torch.no_grad()
def test_codes_vary_in_all_dimensions(part2):
    x = images(40)
    z = awake(part2.models.ConvEncoder(5), x)(x)
    spread = torch.linalg.svdvals((z - z.mean(dim=0)).double())
    assert spread[-1] > 1e-4 * spread[0], (
        "codes of five dimensions vary in four of them at most: one follows from the others.\n"
        "Hint: return what the last layer gives; subtract no mean over the dimensions."
    )


def test_grey_values_reach_from_minus_1_to_1(part2):
    z = torch.randn(8, 8)
    x = large_weights(part2.models.ConvDecoder(8), z)(z)
    assert x.min() >= -1 and x.max() <= 1, (
        f"grey values should stay in [-1, 1], but reach from {x.min():.2f} to {x.max():.2f}.\n"
        "Hint: a tanh at the end of the decoder."
    )
    assert x.min() < -0.9 and x.max() > 0.9, (
        f"even with large weights grey values stay between {x.min():.2f} and {x.max():.2f}, far from black.\n"
        "Hint: tanh at the end, no sigmoid (0 to 1) and no ReLU, and nothing after it."
    )


def test_every_image_is_encoded_by_itself(part2):
    x = images(4)
    encoder = awake(part2.models.ConvEncoder(5), x)
    together = encoder(x)
    alone = torch.cat([encoder(image.unsqueeze(0)) for image in x])
    # Single precision; a batch of one may add in another order.
    assert torch.allclose(together, alone, rtol=1e-3, atol=1e-4 * float(together.abs().max())), (
        "the code of an image changes with the other images of its batch, or from call to call.\n"
        "Hint: this encoder is deterministic: no noise. Keep the batch in dimension 0."
    )


@pytest.mark.parametrize("row", [0, 14])
@pytest.mark.parametrize("column", [0, 14])
def test_encoder_sees_the_whole_image(part2, row, column):
    x = images(2)
    encoder = awake(part2.models.ConvEncoder(5), x)
    changed = x.clone()
    changed[:, :, row : row + 14, column : column + 14] *= -1
    assert not torch.equal(encoder(x), encoder(changed)), (
        f"the quarter of the image that starts at row {row}, column {column} has no influence on the code.\n"
        "Hint: do not cut the image or its features."
    )


@pytest.mark.parametrize("batch", [3, 1])
def test_forward_returns_reconstruction_and_code(part2, batch):
    model = part2.models.AdversarialAE(z_dim=5).eval()
    x = images(batch)
    result = model(x)
    assert isinstance(result, tuple | list) and len(result) == 2, (
        "forward should return two tensors.\nHint: return recon_x, z"
    )
    recon_x, z = result
    assert z.shape == (batch, 5) and recon_x.shape == x.shape, (
        f"forward should return images {list(x.shape)} and codes {[batch, 5]}, in this order, but the shapes "
        f"are {list(recon_x.shape)} and {list(z.shape)}.\nHint: return recon_x, z"
    )
    assert z.requires_grad, (
        "no gradient gets through z to the encoder, which learns from the discriminator's judgement of it.\n"
        "Hint: return z itself, no z.detach()."
    )
    with torch.no_grad():
        assert torch.allclose(z, model.encoder(in_precision_of(z, x)), atol=1e-5), (
            "z is not what the encoder says of x.\nHint: z = self.encoder(x), without noise."
        )
        assert torch.allclose(recon_x, model.decoder(z), atol=1e-5), (
            "recon_x is not what the decoder makes of z.\nHint: decode z itself, without noise."
        )


def test_reconstruction_trains_encoder_and_decoder(part2):
    model = part2.models.AdversarialAE(z_dim=5).eval()
    x = images(4)
    awake(model.encoder, in_precision_of(model.encoder, x))
    awake(model.decoder, in_precision_of(model.decoder, torch.randn(4, 5)))
    sides = torch.nn.ModuleDict({"encoder": model.encoder, "decoder": model.decoder})
    assert_all_weights_learn(sides, lambda: model(x)[0], "decode z itself: no .detach(), .data or no_grad.")
