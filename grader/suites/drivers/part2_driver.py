"""Runs in the box: helpers for the checks of part 2, the one module that the suites load.

Here are the updates and the trainings by the student's `train_aae`.
"""

import contextlib
import importlib

import torch
from part2_main import first_step_of_main, prepare
from part2_stand_ins import (
    DecoderStandIn,
    DiscriminatorStandIn,
    EncoderStandIn,
    Silent,
    build,
    judged,
    painted,
    seen,
)
from torch import nn

__all__ = ["build", "first_step_of_main", "judged", "painted", "prepare", "seen"]

DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")


@contextlib.contextmanager
def _no_dropout():
    """Makes dropout pass everything on: the layers call these functions, too."""
    functional = nn.functional
    before = {name: getattr(functional, name) for name in DROPOUTS}
    for name in DROPOUTS:
        setattr(functional, name, lambda input, *args, **kwargs: input)
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(functional, name, function)


class Snapshots:
    """A loader of a few batches that copies the model's state before each of them and at the end."""

    def __init__(self, model, batches, seeds):
        self.model = model
        self.batches = batches
        self.seeds = seeds
        self.states = []
        self.dataset = batches

    def __len__(self):
        return len(self.batches)

    def _note(self):
        self.states.append({name: value.clone() for name, value in self.model.state_dict().items()})

    def __iter__(self):
        for batch, seed in zip(self.batches, self.seeds, strict=True):
            self._note()
            torch.manual_seed(seed)
            yield batch, torch.zeros(len(batch), dtype=torch.int64)
        self._note()


def _trivial_autoencoder_loss(x, recon_x, z_fake, lambda_=1, *, model):
    recon, gen = (recon_x * x).mean(), model.discriminator(z_fake).mean()
    loss = lambda_ * recon + (1 - lambda_) * gen
    return loss, {"gen_loss": gen, "recon_loss": recon, "ae_loss": loss}


def _trivial_discriminator_loss(z_fake, *, model):
    loss = model.discriminator(z_fake.detach()).square().mean()
    return loss, {"disc_loss": loss, "loss_real": loss, "loss_fake": loss, "accuracy": loss}


def with_trivial_losses(model):
    """Give the model losses that are none of the assignment's, in place of the student's; returns it."""

    def autoencoder_loss(x, recon_x, z_fake, lambda_=1, *args, **kwargs):
        return _trivial_autoencoder_loss(x, recon_x, z_fake, lambda_, model=model)

    def discriminator_loss(z_fake, *args, **kwargs):
        return _trivial_discriminator_loss(z_fake, model=model)

    model.get_loss_autoencoder = autoencoder_loss
    model.get_loss_discriminator = discriminator_loss
    return model


def with_linear_discriminator(model, z_dim):
    """Let a linear map take the place of the model's discriminator; returns the model."""
    model.discriminator = DiscriminatorStandIn(z_dim)
    return model


def with_linear_networks(model, z_dim, state):
    """Let linear maps of this state take the places of the networks, and odd losses those of theirs."""

    def forward(x):
        z = model.encoder(x)
        return model.decoder(z), z

    def autoencoder_loss(x, recon_x, z_fake, lambda_=1, *args, **kwargs):
        # Not the assignment's: halved, with least squares for the generator, and lambda squared.
        recon, gen = (recon_x - x).square().mean() / 2, (model.discriminator(z_fake) - 1).square().mean()
        loss = lambda_**2 * recon + (1 - lambda_**2) * gen
        return loss, {"gen_loss": loss, "recon_loss": loss, "ae_loss": loss}

    with_trivial_losses(model)
    model.encoder, model.decoder = EncoderStandIn(z_dim), DecoderStandIn(z_dim)
    model.discriminator = DiscriminatorStandIn(z_dim)
    model.forward, model.get_loss_autoencoder = forward, autoencoder_loss
    model.load_state_dict(state, strict=False)
    return model


def with_squared_error(model):
    """Let the model's autoencoder loss be its reconstruction alone, for training with lambda = 1."""
    with_trivial_losses(model)
    model.get_loss_autoencoder = lambda x, recon_x, *args, **kwargs: (
        (loss := (recon_x - x).square().mean()),
        {"gen_loss": loss, "recon_loss": loss, "ae_loss": loss},
    )
    return model


def updates(model, batches, seeds, lr, lambda_):
    """The model's states before, between and after the updates of one epoch with plain gradient steps."""
    train = importlib.import_module("train")
    sides = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimizer_ae = torch.optim.SGD(sides, lr=lr)
    optimizer_disc = torch.optim.SGD(model.discriminator.parameters(), lr=lr)
    loader = Snapshots(model, batches, seeds)
    model.train()
    with _no_dropout():
        train.train_aae(1, model, loader, Silent(), Silent(), optimizer_ae, optimizer_disc, lambda_)
    return loader.states


def autoencoder_loss(model, x, lambda_):
    """The loss of the student's (or whatever stands in for it) of a batch."""
    with _no_dropout():
        recon_x, z = model(x)
        return model.get_loss_autoencoder(x, recon_x, z, lambda_)[0]


def discriminator_loss(model, x):
    """The same for the discriminator."""
    with _no_dropout():
        return model.get_loss_discriminator(model(x)[1])[0]


class Training:
    """A training by the student's `train_aae`, a few batches at a time."""

    def __init__(self, model, images, batch_size, lambda_, lr, disc_lr, adam_disc):
        if any(nn.parameter.is_lazy(parameter) for parameter in model.parameters()):
            with torch.no_grad():
                model(images[:2])
        sides = [*model.encoder.parameters(), *model.decoder.parameters()]
        self.model = model
        self.images = images
        self.batch_size = batch_size
        self.lambda_ = lambda_
        self.optimizer_ae = torch.optim.Adam(sides, lr=lr, betas=(0.5, 0.999))
        of_disc = torch.optim.Adam if adam_disc else torch.optim.SGD
        self.optimizer_disc = of_disc(model.discriminator.parameters(), lr=disc_lr)
        self.steps_ae = 0
        self.optimizer_ae.register_step_post_hook(self._count)

    def _count(self, *args):
        self.steps_ae += 1

    def _batches(self, count):
        order = torch.randint(len(self.images), (count, self.batch_size))
        return [(self.images[chosen], torch.zeros(self.batch_size, dtype=torch.int64)) for chosen in order]

    def _train(self, batches):
        train = importlib.import_module("train")
        train.train_aae(
            1,
            self.model,
            batches,
            Silent(),
            Silent(),
            self.optimizer_ae,
            self.optimizer_disc,
            self.lambda_,
        )

    def run(self, count):
        """Train on so many batches."""
        self._train(self._batches(count))

    def run_autoencoder(self, count):
        """Train on so many batches; what fails after the autoencoder's update of a batch does not matter."""
        for batch in self._batches(count):
            before = self.steps_ae
            try:
                self._train([batch])
            except Exception:
                if self.steps_ae == before:
                    raise

    def state(self):
        """The states of encoder, decoder and discriminator."""
        model = self.model
        return [dict(side.state_dict()) for side in (model.encoder, model.decoder, model.discriminator)]


def start_training(model, images, batch_size, lambda_, lr, disc_lr, adam_disc):
    """Make a `Training`."""
    return Training(model, images, batch_size, lambda_, lr, disc_lr, adam_disc)


@torch.no_grad()
def encode(encoder_state, images, z_dim):
    """Codes of images by an encoder of this state."""
    model = build(z_dim, ("ConvDecoder", "Discriminator"))
    model.encoder.load_state_dict(encoder_state)
    return model.eval().encoder(images)


@torch.no_grad()
def decode(decoder_state, codes):
    """Images of codes by a decoder of this state."""
    model = build(codes.shape[1], ("ConvEncoder", "Discriminator"))
    model.decoder.load_state_dict(decoder_state)
    return model.eval().decoder(codes)
