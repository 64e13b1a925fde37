"""Question 1.7, `CNNEncoder` in part1/cnn_encoder_decoder.py: images in, mean and log_std of q(z|x) out."""

import pytest
import torch
from networks import assert_all_weights_learn, assert_full_precision, awake, count_weights, large_weights


def images(batch, channels=1):
    return torch.randint(16, (batch, channels, 28, 28))


def encode(encoder, x):
    """mean and log_std, and a clear word when there are not two of them."""
    result = encoder(x)
    assert isinstance(result, tuple | list) and len(result) == 2, (
        f"the encoder should return two tensors, mean and log_std, but returns {type(result).__name__}.\n"
        "Hint: return mean, log_std"
    )
    return result


@pytest.mark.parametrize(
    ("batch", "channels", "num_filters", "z_dim"), [(5, 1, 32, 20), (1, 1, 8, 20), (3, 1, 8, 2), (2, 3, 8, 7)]
)
def test_returns_mean_and_log_std(part1, batch, channels, num_filters, z_dim):
    encoder = part1.cnn_encoder_decoder.CNNEncoder(
        num_input_channels=channels, num_filters=num_filters, z_dim=z_dim
    )
    x = images(batch, channels)
    for name, value in zip(("mean", "log_std"), encode(encoder.eval(), x), strict=True):
        assert value.shape == (batch, z_dim), (
            f"{batch} image(s) with {channels} channel(s) and z_dim={z_dim} should give {name} the shape "
            f"{[batch, z_dim]}, but it is {list(value.shape)}.\n"
            "Hint: all sizes come from the arguments of __init__; squeeze() would swallow a batch of one."
        )
        assert torch.isfinite(value).all(), f"{name} is NaN or infinite.\nHint: look for a log or a division."
    same = part1.cnn_encoder_decoder.CNNEncoder(channels, num_filters, z_dim)
    assert count_weights(same, x) == count_weights(encoder, x), (
        f"CNNEncoder({channels}, {num_filters}, {z_dim}) is another network than with the names of the "
        "arguments.\nHint: leave the order num_input_channels, num_filters, z_dim in __init__."
    )
    assert_full_precision(encoder)


def test_default_sizes_fit_mnist(part1):
    x, encoder = images(2), part1.cnn_encoder_decoder.CNNEncoder()
    mean, _ = encode(encoder.eval(), x)
    assert mean.shape == (2, 20), (
        f"CNNEncoder() should have 20 latent dimensions, but gives {list(mean.shape)}.\n"
        "Hint: leave the defaults of __init__ as they are."
    )
    due = part1.cnn_encoder_decoder.CNNEncoder(num_input_channels=1, num_filters=32, z_dim=20)
    assert count_weights(encoder, x) == count_weights(due, x), (
        "CNNEncoder() is another network than with num_filters=32.\n"
        "Hint: leave the defaults of __init__ as they are."
    )


def test_mean_and_log_std_can_be_any_number(part1):
    x = images(8)
    encoder = large_weights(part1.cnn_encoder_decoder.CNNEncoder(num_filters=8, z_dim=32), x)
    for name, value in zip(("mean", "log_std"), encode(encoder, x), strict=True):
        assert value.min() < -4, (
            f"even with large weights {name} never gets below {value.min():.2f}.\n"
            "Hint: no ReLU, sigmoid, softplus or exp after the last layer. The encoder predicts the log of "
            "std so that it may be negative."
        )
        assert value.max() > 4, (
            f"even with large weights {name} never gets above {value.max():.2f}.\n"
            "Hint: no tanh or sigmoid after the last layer."
        )


def test_mean_and_log_std_differ(part1):
    x = images(2)
    mean, log_std = encode(awake(part1.cnn_encoder_decoder.CNNEncoder(num_filters=8), x), x)
    assert not torch.allclose(mean, log_std, atol=0), (
        "mean and log_std are the same numbers.\nHint: a layer of its own for each, or one twice as wide."
    )


def test_every_image_is_encoded_by_itself(part1):
    x = images(4)
    x[0] //= 2  # an image without white
    encoder = awake(part1.cnn_encoder_decoder.CNNEncoder(num_filters=8, z_dim=5), x)
    together, _ = encode(encoder, x)
    alone = torch.cat([encode(encoder, image.unsqueeze(0))[0] for image in x])
    # Single precision; a batch of one may add in another order.
    assert torch.allclose(together, alone, rtol=1e-3, atol=1e-4 * float(together.abs().max())), (
        "the mean of an image changes with the other images of its batch, or from call to call.\n"
        "Hint: keep the batch in dimension 0 (flatten from dimension 1), and draw nothing here."
    )
    # Some start with weights so small that nothing would be seen beside the biases.
    means, _ = encode(large_weights(encoder, x), x)
    assert (means - means[0]).abs().max() > 1e-3, (
        "different images have the same mean.\nHint: compute the mean from the image."
    )


@pytest.mark.parametrize("row", [0, 14])
@pytest.mark.parametrize("column", [0, 14])
def test_sees_the_whole_image(part1, row, column):
    x = images(2)
    encoder = awake(part1.cnn_encoder_decoder.CNNEncoder(num_filters=8, z_dim=5), x)
    changed = x.clone()
    changed[:, :, row : row + 14, column : column + 14] = (
        15 - changed[:, :, row : row + 14, column : column + 14]
    )
    (before, _), (after, _) = encode(encoder, x), encode(encoder, changed)
    assert not torch.equal(before, after), (
        f"the quarter of the image that starts at row {row}, column {column} has no influence on the mean.\n"
        "Hint: do not cut the image or its features."
    )


@pytest.mark.parametrize("which", [0, 1], ids=["mean", "log_std"])
def test_all_layers_learn(part1, which):
    x = images(4)
    encoder = awake(part1.cnn_encoder_decoder.CNNEncoder(num_filters=8, z_dim=5), x)
    assert_all_weights_learn(
        encoder,
        lambda: encode(encoder, x)[which],
        "no .detach(), .data or torch.no_grad() on the way.",
    )
