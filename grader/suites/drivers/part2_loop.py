"""Runs in the box: the updates by the student's `train_aae`, one batch after the other."""

import contextlib
import itertools

import numpy as np
import torch
from both_packing import packed, packing_of, settle_packing, unpacked
from part2_stand_ins import DecoderStandIn, DiscriminatorStandIn, EncoderStandIn, QuadraticStandIn
from part2_surroundings import Loader, make_room, train_epoch
from torch import nn

DROPOUTS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")


@contextlib.contextmanager
def no_dropout():
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


class Snapshots(Loader):
    """A loader of a few batches that copies the model's state before each of them; `finish` copies the last.

    Where a loop fetches a batch before it has worked on the one before, the optimizers' steps tell where the
    one ends and the other begins: two steps for each. What is fetched for another look at some images, before
    the updates, between them or after them, is not counted.
    """

    def __init__(self, model, batches, seeds, optimizers):
        super().__init__(batches)
        self.grader_model = model
        self.grader_seeds = seeds
        for optimizer in optimizers:
            optimizer.register_step_post_hook(self._step)
        self.grader_restart()

    def grader_restart(self):
        self.grader_states = []
        self.grader_steps = 0
        self.grader_fetched = 0
        self.grader_ahead = False
        self.grader_finished = False
        self.grader_again = 0

    def __iter__(self):
        if self.grader_steps:
            yield from self._another_look()
            return
        self.grader_states.clear()
        self.grader_ahead = False
        for index, batch in enumerate(self.grader_batches):
            make_room()
            self.grader_fetched = index + 1
            if index == 0 or self.grader_steps:
                self._begin(self.grader_seeds[index])
            else:
                self.grader_ahead = True
                _seed(self.grader_seeds[0])
            yield batch
        self.grader_finished = True

    def _another_look(self):
        for batch in self.grader_batches:
            before = self.grader_steps
            yield batch
            self.grader_again += self.grader_finished and self.grader_steps > before

    def _begin(self, seed):
        state = self.grader_model.state_dict()
        self.grader_states.append({name: value.clone() for name, value in state.items()})
        _seed(seed)

    def _step(self, *args):
        self.grader_steps += 1
        fetched_before = self.grader_ahead and len(self.grader_states) < len(self.grader_seeds)
        if fetched_before and self.grader_steps == 2 * len(self.grader_states):
            self._begin(self.grader_seeds[len(self.grader_states)])

    def finish(self):
        """Copy the last state; returns the loader."""
        self._begin(0)
        if not self.grader_steps:  # no batch was fetched ahead of its updates: there are none
            self.grader_states = self.grader_states[-1:] * (self.grader_fetched + 1)
        return self

    def count(self):
        """The number of states."""
        return len(self.grader_states) + self.grader_again

    def state(self, index):
        """One of the states; all of them may be more than one reply can hold."""
        return self.grader_states[index]


def _seed(number):
    torch.manual_seed(number)
    np.random.seed(number)


def _trivial_autoencoder_loss(x, recon_x, z_fake, lambda_=1, *, model):
    recon, gen = (recon_x * x).mean(), unpacked(model.discriminator(z_fake)).mean()
    loss = lambda_ * recon + (1 - lambda_) * gen
    return loss, {"gen_loss": gen, "recon_loss": recon, "ae_loss": loss}


def _trivial_discriminator_loss(z_fake, *, model, turns):
    # Two terms, each by itself: a loop may go backward through one after the other.
    fake = unpacked(model.discriminator(z_fake.detach())).square().mean() / 50
    real = (unpacked(model.discriminator(z_fake.detach() / 2 + 1)) - 1).square().mean() / 50
    loss = real + fake
    # All wrong, all right, and so on: no update may depend on it.
    accuracy = loss.detach().new_tensor(float(next(turns) % 2))
    return loss, {"disc_loss": loss, "loss_real": real, "loss_fake": fake, "accuracy": accuracy}


def with_trivial_losses(model):
    """Give the model losses that are none of the assignment's, in place of the student's; returns it."""

    def autoencoder_loss(x, recon_x, z_fake, lambda_=1, *args, **kwargs):
        return _trivial_autoencoder_loss(x, recon_x, z_fake, lambda_, model=model)

    turns = itertools.count()

    def discriminator_loss(z_fake, *args, **kwargs):
        return _trivial_discriminator_loss(z_fake, model=model, turns=turns)

    model.get_loss_autoencoder = autoencoder_loss
    model.get_loss_discriminator = discriminator_loss
    return model


def _forward_of(model):
    """A trivial forward for a model, which packs its answer as the model's own."""
    like = packing_of(model, torch.zeros(1, 1, 28, 28), 2)

    def forward(x):
        z = unpacked(model.encoder(x))
        return packed((unpacked(model.decoder(z)), z), like)

    return forward


def with_linear_discriminator(model, z_dim):
    """Let a linear map take the place of the model's discriminator; returns the model."""
    model.discriminator = DiscriminatorStandIn(z_dim).replaces(model.discriminator)
    return model


def with_linear_networks(model, z_dim, state):
    """Let linear maps of this state take the places of the networks, and odd losses those of theirs."""

    forward = _forward_of(model)

    def autoencoder_loss(x, recon_x, z_fake, lambda_=1, *args, **kwargs):
        # Not the assignment's: least squares for the generator, and lambda squared. No gradient is so large
        # that a loop clips it, and none so small that steps of the decoder are lost in rounding.
        recon, gen = (
            (recon_x - x).square().mean(),
            (unpacked(model.discriminator(z_fake)) - 1).square().mean(),
        )
        loss = 5 * lambda_**2 * recon + 0.05 * (1 - lambda_**2) * gen
        return loss, {"gen_loss": loss, "recon_loss": loss, "ae_loss": loss}

    with_trivial_losses(model)
    model.encoder = EncoderStandIn(z_dim).replaces(model.encoder)
    model.decoder = DecoderStandIn(z_dim).replaces(model.decoder)
    model.discriminator = DiscriminatorStandIn(z_dim).replaces(model.discriminator)
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


def with_crude(model, z_dim, pieces):
    """Let cruder pieces take the places of those that are wrong; returns the model.

    Args:
        model: the student's.
        z_dim: the length of its codes.
        pieces: of "encoder", "decoder", "discriminator", "forward", "autoencoder_loss", "discriminator_loss".
    """

    forward = _forward_of(model)

    # Least squares, none of the assignment's losses: they draw codes to the prior as well.
    def autoencoder_loss(x, recon_x, z_fake, lambda_=1, *args, **kwargs):
        recon, gen = (
            (recon_x - x).square().mean(),
            (unpacked(model.discriminator(z_fake)) - 1).square().mean(),
        )
        loss = lambda_ * recon + (1 - lambda_) * gen
        return loss, {"gen_loss": gen, "recon_loss": recon, "ae_loss": loss}

    def discriminator_loss(z_fake, *args, **kwargs):
        real = (unpacked(model.discriminator(torch.randn_like(z_fake))) - 1).square().mean()
        fake = unpacked(model.discriminator(z_fake.detach())).square().mean()
        loss = real + fake
        return loss, {"disc_loss": loss, "loss_real": real, "loss_fake": fake, "accuracy": 0 * loss.detach()}

    networks = {"encoder": EncoderStandIn, "decoder": DecoderStandIn, "discriminator": QuadraticStandIn}
    replaced = networks.keys() & set(pieces)
    for name in replaced:
        setattr(model, name, networks[name](z_dim).replaces(getattr(model, name, None)))
    if "forward" in pieces:
        model.forward = forward
    if "autoencoder_loss" in pieces:
        model.get_loss_autoencoder = autoencoder_loss
    if "discriminator_loss" in pieces:
        model.get_loss_discriminator = discriminator_loss
    settle_packing([getattr(model, name) for name in replaced], lambda: _all_of(model))
    return model


def _all_of(model):
    """The results of whatever in a model calls its networks."""
    x = torch.zeros(2, 1, 28, 28)
    recon_x, z = unpacked(model(x), 2)
    return recon_x, model.get_loss_autoencoder(x, recon_x, z, 0.5)[0], model.get_loss_discriminator(z)[0]


def updates(model, batches, seeds, lr, lambda_, epoch=1):
    """The model's states before, between and after the updates of one epoch with plain gradient steps."""
    sides = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimizer_ae = torch.optim.SGD(sides, lr=lr)
    optimizer_disc = torch.optim.SGD(model.discriminator.parameters(), lr=lr)
    loader = Snapshots(model, batches, seeds, (optimizer_ae, optimizer_disc))
    model.train()
    trained = {parameter: parameter.requires_grad for parameter in model.parameters()}
    with no_dropout():
        train_epoch(epoch, model, loader, optimizer_ae, optimizer_disc, lambda_)
    for parameter, before in trained.items():  # a loop may freeze one side during the update of the other
        parameter.requires_grad_(before)
    return loader.finish()


def _few(network):
    """The last weight tensor of a network that has eight elements, or the last of all."""
    weights = list(network.parameters())
    return next((weight for weight in reversed(weights) if weight.numel() >= 8), weights[-1])


def first_eight(weight):
    """The first eight elements; with zeros behind them where there are fewer."""
    values = weight.detach().flatten()[:8].float()
    return nn.functional.pad(values, (0, 8 - len(values))).clone()


def epochs(model, batches, lr, lambda_, counts):
    """Let a model be trained for epochs of the numbers 1, 2 and so on, with so many of the batches each.

    Returns:
        For each epoch the weights after every step of the optimizers, a few of each network: "encoder",
        "decoder" and "discriminator" `[steps, 8]`; and "drawn" `[calls, 8]`, the first code of the prior that
        could be drawn in each call of get_loss_discriminator.
    """
    sides = [*model.encoder.parameters(), *model.decoder.parameters()]
    optimizer_ae = torch.optim.SGD(sides, lr=lr)
    optimizer_disc = torch.optim.SGD(model.discriminator.parameters(), lr=lr)
    few = {side: _few(getattr(model, side)) for side in ("encoder", "decoder", "discriminator")}
    loss = model.get_loss_discriminator
    found = []

    def note(*sides):
        for side in sides:
            found[-1][side].append(first_eight(few[side]))

    def drawing(z_fake, *args, **kwargs):
        found[-1]["drawn"].append(torch.randn(8))
        return loss(z_fake)

    optimizer_ae.register_step_post_hook(lambda *args: note("encoder", "decoder"))
    optimizer_disc.register_step_post_hook(lambda *args: note("discriminator"))
    model.get_loss_discriminator = drawing

    def begin():
        found[-1] = {name: [first_eight(few[name])] for name in few} | {"drawn": []}

    for number, count in enumerate(counts, start=1):
        found.append({})
        begin()
        train_epoch(number, model, Loader(batches[:count], begin), optimizer_ae, optimizer_disc, lambda_)
    return [
        {name: torch.stack(rows) if rows else torch.zeros(0, 8) for name, rows in epoch.items()}
        for epoch in found
    ]


def weights(model):
    """The names of the model's weights; a state holds buffers, too, which move without any update."""
    return [name for name, _ in model.named_parameters()]


@torch.no_grad()
def repeats(model, x):
    """Whether the networks in training mode make the same of the same images twice, but for dropout."""
    model.train()
    with no_dropout():
        results = []
        for _ in range(2):
            z = unpacked(model.encoder(x))
            results.append((z, unpacked(model.decoder(z)), unpacked(model.discriminator(z))))
    return all(torch.equal(first, second) for first, second in zip(*results, strict=True))


def autoencoder_loss(model, x, lambda_):
    """The loss of the student's (or whatever stands in for it) of a batch."""
    with no_dropout():
        recon_x, z = unpacked(model(x), 2)
        return model.get_loss_autoencoder(x, recon_x, z, lambda_)[0]


def discriminator_loss(model, x):
    """The same for the discriminator."""
    with no_dropout():
        return model.get_loss_discriminator(unpacked(model(x), 2)[1])[0]
