"""Question 2.5, `AdversarialAE.sample(batch_size)` in part2/models.py: codes from the prior, decoded."""

import pytest
import torch
from chance import assert_independent, assert_standard_normal
from networks import replace_output, without_repeats

Z_DIM = 50


def sample(part2, batch_size, image_of=None):
    """Images, and the codes that were decoded to them."""
    model = part2.models.AdversarialAE(Z_DIM).eval()
    decoded = replace_output(model.decoder, image_of or (lambda z: torch.zeros(len(z), 1, 28, 28)))
    images = model.sample(batch_size)
    assert decoded, "sample never calls self.decoder.\nHint: draw codes, then decode them."
    return images, without_repeats(decoded)


@pytest.mark.parametrize("batch_size", [1, 5])
def test_returns_images(part2, batch_size):
    images = part2.models.AdversarialAE(8).eval().sample(batch_size)
    assert images.shape == (batch_size, 1, 28, 28), (
        f"sample({batch_size}) should be {[batch_size, 1, 28, 28]}, not {list(images.shape)}.\n"
        "Hint: return what the decoder makes of batch_size codes."
    )
    assert images.min() >= -1 and images.max() <= 1, (
        "grey values lie in [-1, 1].\nHint: nothing after the decoder."
    )


def test_codes_come_from_the_prior(part2):
    _, z = sample(part2, 150)
    assert z.shape == (150, Z_DIM), (
        f"for 150 images with z_dim={Z_DIM} the decoder is given codes {list(z.shape)}.\n"
        "Hint: [batch_size, self.z_dim] numbers."
    )
    assert_independent(z, "z", "every image needs a code of its own.")
    assert_standard_normal(z, "z", "the prior is N(0, I): torch.randn.")


def test_returns_what_the_decoder_makes_of_them(part2):
    images, z = sample(part2, 5, lambda z: z[:, :1].tanh().view(-1, 1, 1, 1).expand(-1, 1, 28, 28))
    assert torch.allclose(images[:, 0, 0, 0], z[:, 0].tanh(), atol=1e-6), (
        "the images are not those that the decoder made.\nHint: return self.decoder(z) as it is."
    )


def test_two_calls_differ(part2):
    (_, first), (_, second) = sample(part2, 3), sample(part2, 3)
    assert not torch.equal(first, second), (
        "two calls use the same codes.\nHint: set no seed inside the function."
    )
