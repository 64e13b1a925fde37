"""Question 1.8, `VAE.sample(batch_size)` in part1/train_pl.py: z from the prior, then every pixel by chance.

The decoder is made to return logits that the test chooses, so the right samples are known.
"""

import math

import pytest
import torch
from chance import STANDARD_ERRORS, assert_independent, assert_standard_normal
from networks import replace_output, without_repeats

Z_DIM = 50
HINT = "softmax over the 16 levels (dimension 1), permute(0, 2, 3, 1), then torch.multinomial."


def build(part1):
    return part1.train_pl.VAE(num_filters=4, z_dim=Z_DIM, lr=1e-3).eval()


def decode_to(vae, logits):
    """Every latent is decoded to these logits [16, 28, 28]."""
    return replace_output(vae.decoder, lambda z: logits.expand(len(z), 16, 28, 28).contiguous())


def sample(vae, batch_size):
    """Samples as double precision numbers; integers and floats are both right."""
    images = vae.sample(batch_size)
    assert images.shape == (batch_size, 1, 28, 28), (
        f"sample({batch_size}) should have shape {[batch_size, 1, 28, 28]}, but has {list(images.shape)}.\n"
        "Hint: one channel; squeeze() would swallow a batch of one."
    )
    return images.double()


@pytest.mark.parametrize("batch_size", [1, 5])
def test_returns_images_of_grey_levels(part1, batch_size):
    vae = build(part1)
    images = sample(vae, batch_size)
    assert torch.equal(images, images.round()), (
        "some pixels lie between two grey levels.\nHint: draw a level for every pixel; no mean, no division."
    )
    assert images.min() >= 0 and images.max() <= 15, (
        f"grey levels run from 0 to 15, these from {images.min():.0f} to {images.max():.0f}.\n"
        "Hint: return the index that torch.multinomial draws."
    )


def test_latents_come_from_the_prior(part1):
    vae = build(part1)
    latents = decode_to(vae, torch.zeros(16, 1, 1))
    sample(vae, 150)
    assert latents, "sample never calls self.decoder.\nHint: draw z, then decode it."
    z = without_repeats(latents)
    assert z.shape == (150, Z_DIM), (
        f"for 150 images with z_dim = {Z_DIM} the decoder is given latents {list(z.shape)}.\n"
        "Hint: [batch_size, z_dim] numbers; z_dim is self.hparams.z_dim."
    )
    assert_independent(z, "z", "every image needs a z of its own.")
    assert_standard_normal(z, "z", "the prior is N(0, I): torch.randn.")


def test_two_calls_differ(part1):
    vae = build(part1)
    latents = decode_to(vae, torch.zeros(16, 1, 1))
    first, second = sample(vae, 3), sample(vae, 3)
    half = len(latents) // 2
    assert not torch.equal(torch.cat(latents[:half]), torch.cat(latents[half:])), (
        "two calls use the same z.\nHint: set no seed inside the function."
    )
    assert not torch.equal(first, second), (
        "two calls give the same images.\nHint: draw new pixels in every call."
    )


def test_every_pixel_is_in_its_place(part1):
    vae = build(part1)
    wanted = torch.randint(16, (28, 28))
    sure = 9 * torch.nn.functional.one_hot(wanted, 16).permute(2, 0, 1).float()  # [16, 28, 28], logits
    decode_to(vae, sure)
    share = (sample(vae, 4) == wanted).double().mean()
    # The probability of the wanted level is e^9 / (e^9 + 15) = 99.8%.
    assert share > 0.98, (
        f"only {share:.0%} of the pixels have the level that the decoder is sure of (99.8%).\n"
        "Hint: reshaping [B, 16, 28, 28] to rows of 16 without permute(0, 2, 3, 1) scrambles pixels and "
        "levels; afterwards keep rows and columns in their order."
    )


def test_pixels_are_drawn_from_their_distribution(part1):
    vae = build(part1)
    probabilities = torch.full((16,), 0.1 / 14)
    probabilities[3], probabilities[11] = 0.6, 0.3
    decode_to(vae, probabilities.log().view(16, 1, 1))
    images = sample(vae, 30)
    count = images.numel()
    slips = {
        1.0: "that is the most likely level (argmax), not a draw",
        0.0: "that is a mean, rounded perhaps, not a draw",
        probabilities.softmax(0)[3].item(): "softmax is applied twice",
        (probabilities**2 / (probabilities**2).sum())[3].item(): "use the softmax as it is, without a factor",
        1 / 16: "all levels come up equally often: use the decoder's probabilities",
    }
    for level, probability in ((3, 0.6), (11, 0.3)):
        share = (images == level).double().mean().item()
        limit = STANDARD_ERRORS * math.sqrt(probability * (1 - probability) / count)
        near = (slip for wrong, slip in slips.items() if level == 3 and abs(share - wrong) < 0.01)
        assert abs(share - probability) < limit, (
            f"a level with probability {probability} comes up in {share:.1%} of {count} pixels.\n"
            f"Hint: {next(near, HINT.rstrip('.'))}."
        )
    nearly_sure = torch.full((16,), 0.02 / 15)
    nearly_sure[5] = 0.98
    decode_to(vae, nearly_sure.log().view(16, 1, 1))
    share = (sample(vae, 30) != 5).double().mean().item()
    assert abs(share - 0.02) < STANDARD_ERRORS * math.sqrt(0.02 * 0.98 / count), (
        f"where one level has a probability of 98%, the others come up in {share:.1%} of {count} pixels "
        "instead of 2%.\n"
        "Hint: draw the rare levels, too, with the probabilities as they are: nothing added or cut off."
    )


def test_every_pixel_is_drawn_by_itself(part1):
    vae = build(part1)
    probabilities = torch.full((16,), 0.1 / 14)
    probabilities[3], probabilities[11] = 0.6, 0.3
    decode_to(vae, probabilities.log().view(16, 1, 1))
    hits = (sample(vae, 30) == 3).double().flatten(1)  # [30, 784]
    # In each image 60% of 784 pixels, give or take; were one number used for all, it would be all or none.
    limit = STANDARD_ERRORS * math.sqrt(0.6 * 0.4 / 784)
    assert (hits.mean(dim=1) - 0.6).abs().max() < limit, (
        "within one image the pixels depend on each other.\nHint: a draw of its own for every pixel."
    )
    # Any two images: correlated by 1 if they share their draws, else by 0 with standard error 1 / 28.
    others = torch.corrcoef(hits).fill_diagonal_(0)
    assert others.abs().max() < 8 / 28, (
        "some images of one batch depend on each other.\nHint: a draw of its own for every image."
    )
