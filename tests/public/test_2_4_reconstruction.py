"""Question 2.4: does the plain autoencoder learn? `train_aae` with lambda = 1, for a second or two.

The losses of question 2.5 are replaced by the squared error alone: here the networks and the first half of
`train_aae` are looked at. The images are drawn by the test.
"""

import torch
from epochs import train_epoch
from networks import parameters_of
from pictures import edges, loader_of

BATCHES, BATCH_SIZE = 40, 16
EPOCHS = 8  # of so many batches; most need one, narrow networks and those with sigmoids more
LIMIT = 0.3


def squared_error(x, recon_x, z_fake, lambda_=1):
    """Equation 18 in the place of the whole loss."""
    error = (recon_x - x).square().mean()
    return error, {"recon_loss": error, "gen_loss": 0.0, "ae_loss": error}


def no_discriminator(z_fake):
    """A loss that nothing can be learned from."""
    loss, real, fake = (torch.zeros((), requires_grad=True) for _ in range(3))
    return loss, {"disc_loss": loss, "loss_real": real, "loss_fake": fake, "accuracy": 0.5}


def test_short_training_reconstructs_held_out_images(part2, loggers):
    model = part2.models.AdversarialAE(z_dim=8)
    model.get_loss_autoencoder = squared_error
    model.get_loss_discriminator = no_discriminator
    held_out = edges(64)
    model(held_out)  # lazy layers take their shapes from a first input
    trained = parameters_of(model.encoder, model.decoder)
    optimizer_ae = torch.optim.Adam(trained, lr=1e-3, betas=(0.5, 0.999))
    optimizer_disc = torch.optim.SGD(model.discriminator.parameters(), lr=5e-3)
    before = [parameter.detach().clone() for parameter in trained]
    for epoch in range(1, EPOCHS + 1):
        loader = loader_of(edges(BATCHES * BATCH_SIZE), BATCH_SIZE)
        model.train()
        train_epoch(part2, epoch, model, loader, loggers, optimizer_ae, optimizer_disc, 1)
        assert not all(torch.equal(old, new) for old, new in zip(before, trained, strict=True)), (
            "after an epoch of train_aae encoder and decoder are what they were before.\n"
            "Hint: loss, optimizer_ae.zero_grad(), backward() and optimizer_ae.step() for every batch."
        )
        model.eval()
        with torch.no_grad():
            recon_x, _ = model(held_out)
        error = (recon_x - held_out).square().mean().item()
        if error < LIMIT:
            break

    # A grey image scores 0.74; right code below 0.1.
    assert error < LIMIT, (
        f"after {epoch * BATCHES} batches the mean squared error on held-out images is {error:.2f}; a grey "
        "image has 0.74, right code 0.1 or less.\n"
        "Hint: zero_grad before every backward pass, no detached tensors; are the tests of forward green?"
    )
