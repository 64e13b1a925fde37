"""Runs in the box: helpers for the checks of part 2.

Stand-ins take the place of the networks that a check is not about, so that one mistake costs one item.
They are trivial on purpose: no question is answered by what stands here.
"""

import argparse
import contextlib
import importlib
import inspect

import torch
import torch.utils.tensorboard
import torchvision
from torch import nn

LOG_DIR = "/tmp/logs"


class EncoderStandIn(nn.Module):
    """A linear map of the pixels."""

    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(784, z_dim)

    def forward(self, x):
        return self.map(x.flatten(1))

    @property
    def device(self):
        return self.map.weight.device


class DecoderStandIn(nn.Module):
    """A linear map to the pixels."""

    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(z_dim, 784)

    def forward(self, z):
        return self.map(z).view(-1, 1, 28, 28)


class DiscriminatorStandIn(nn.Module):
    """A linear map to one number."""

    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(z_dim, 1)

    def forward(self, z):
        return self.map(z)


STAND_INS = {
    "ConvEncoder": (EncoderStandIn, (2, 1, 28, 28)),
    "ConvDecoder": (DecoderStandIn, (2, 8)),
    "Discriminator": (DiscriminatorStandIn, (2, 8)),
}
_works = {}


def _network_works(name):
    """Whether the student's network of this name can be built and run; found out once."""
    if name not in _works:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            try:
                network = getattr(importlib.import_module("models"), name)(8)
                network(torch.zeros(STAND_INS[name][1]))
                _works[name] = True
            except Exception:
                _works[name] = False
    return _works[name]


@contextlib.contextmanager
def _without_broken(names):
    """While it lasts, the constructor of AdversarialAE finds a stand-in for every network that fails."""
    models = importlib.import_module("models")
    broken = [name for name in names if not _network_works(name)]
    before = {name: getattr(models, name) for name in broken if hasattr(models, name)}
    for name in broken:
        setattr(models, name, STAND_INS[name][0])
    try:
        yield
    finally:
        for name in broken:
            if name in before:
                setattr(models, name, before[name])
            else:
                delattr(models, name)


def build(z_dim, replaceable=tuple(STAND_INS)):
    """An AdversarialAE of the student's networks; those of `replaceable` that fail give way to a stand-in."""
    with _without_broken(replaceable):
        return importlib.import_module("models").AdversarialAE(z_dim=z_dim)


class Judge(nn.Module):
    """Stands in for the discriminator: the logits `z @ weight + bias`, and a record of what it was asked.

    `flat` and `probabilities` follow a discriminator that breaks the contract in this way, for which
    another item takes its points.
    """

    def __init__(self, weight, bias, flat, probabilities):
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.flat = flat
        self.probabilities = probabilities
        self.seen = []

    def forward(self, z):
        self.seen.append(z.detach().clone())
        value = z @ self.weight + self.bias
        if self.probabilities:
            value = value.sigmoid()
        return value if self.flat else value.unsqueeze(-1)


def judged(model, weight, bias, flat, probabilities):
    """Let a `Judge` take the place of the model's discriminator; returns it."""
    model.discriminator = Judge(weight, bias, flat, probabilities)
    return model.discriminator


class Canvas(nn.Module):
    """Stands in for the decoder: paints the code into the first pixels, and keeps a record of the codes."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, z):
        self.seen.append(z.detach().clone())
        image = z.new_zeros(len(z), 784)
        image[:, : z.shape[1]] = z.tanh()
        return image.view(-1, 1, 28, 28)


def painted(model):
    """Let a `Canvas` take the place of the model's decoder; returns it."""
    model.decoder = Canvas()
    return model.decoder


def seen(stand_in):
    """What a `Judge` or a `Canvas` was given since the last time, joined where all are codes of one size."""
    codes, stand_in.seen = stand_in.seen, []
    together = len({tuple(z.shape[1:]) for z in codes}) == 1 and all(z.dim() == 2 for z in codes)
    return [torch.cat(codes)] if together else codes[:16]


def sampled_codes(model, canvas, batch_size):
    """The codes that the decoder receives in `sample`."""
    canvas.seen = []
    model.sample(batch_size)
    return seen(canvas)


class Silent:
    """Stands in for loggers and for TensorBoard: takes everything and keeps nothing."""

    def __init__(self, *args, **kwargs):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class Images:
    """Stands in for torchvision's MNIST; `data` and `targets` are set by `prepare`."""

    data = None
    targets = None

    def __init__(self, root=None, train=True, transform=None, target_transform=None, download=False):
        self.transform = transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        image = self.data[index]
        return (self.transform(image) if self.transform else image), int(self.targets[index])


def prepare(images):
    """Before `train` is imported: no data set to load, no event files to write.

    Args:
        images: uint8 `[N, 28, 28]`, what MNIST holds from now on.
    """
    Images.data = images
    Images.targets = torch.arange(len(images)) % 10
    torchvision.datasets.MNIST = Images
    torchvision.datasets.mnist.MNIST = Images
    torch.utils.tensorboard.SummaryWriter = Silent


class Caught(BaseException):
    """Ends `main` once it has handed over what we want to see."""


# Pictures are not what `main` is judged by; they may need questions that are not answered yet.
PICTURES = ("save", "generate", "image", "sample", "reconstruct", "plot", "visual")


def optimizers_of_main(options):
    """Run `main` up to its first call of `train_aae`.

    Returns:
        For each optimizer how many of the parameters it holds: `{side: [held, all]}` with the sides
        encoder, decoder, discriminator, and `other`. None if `main` ended without training.
    """
    train = importlib.import_module("train")
    caught = {}

    def train_aae(
        epoch,
        model,
        train_loader,
        logger_ae,
        logger_disc,
        optimizer_ae,
        optimizer_disc,
        lambda_=1,
        *args,
        **kwargs,
    ):
        caught.update(model=model, optimizer_ae=optimizer_ae, optimizer_disc=optimizer_disc)
        raise Caught

    replaced = {"train_aae": train_aae}
    for name, value in vars(train).items():
        own = inspect.isfunction(value) and value.__module__ == "train" and name not in ("main", "train_aae")
        if own and any(word in name.lower() for word in PICTURES):
            replaced[name] = lambda *args, **kwargs: 0.0
    before = {name: getattr(train, name) for name in replaced}
    for name, value in replaced.items():
        setattr(train, name, value)
    try:
        with _without_broken(STAND_INS):
            train.main(argparse.Namespace(**options, log_dir=LOG_DIR))
    except Caught:
        return {name: _held(caught["model"], caught[name]) for name in ("optimizer_ae", "optimizer_disc")}
    finally:
        for name, value in before.items():
            setattr(train, name, value)
    return None


def _held(model, optimizer):
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    known, counts = set(), {}
    for side in ("encoder", "decoder", "discriminator"):
        own = {id(parameter) for parameter in getattr(model, side).parameters() if parameter.requires_grad}
        counts[side] = [len(own & held), len(own)]
        known |= {id(parameter) for parameter in getattr(model, side).parameters()}
    counts["other"] = [len(held - known), 0]
    return counts


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
    """Let linear maps of this state take the places of the networks, and plain losses those of theirs."""
    functional = nn.functional

    def forward(x):
        z = model.encoder(x)
        return model.decoder(z), z

    def autoencoder_loss(x, recon_x, z_fake, lambda_=1, *args, **kwargs):
        logits = model.discriminator(z_fake)
        recon = functional.mse_loss(recon_x, x)
        gen = functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        loss = lambda_ * recon + (1 - lambda_) * gen
        return loss, {"gen_loss": gen, "recon_loss": recon, "ae_loss": loss}

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

    def __init__(self, model, images, batch_size, lambda_, lr, disc_lr):
        if any(nn.parameter.is_lazy(parameter) for parameter in model.parameters()):
            with torch.no_grad():
                model(images[:2])
        sides = [*model.encoder.parameters(), *model.decoder.parameters()]
        self.model = model
        self.images = images
        self.batch_size = batch_size
        self.lambda_ = lambda_
        self.optimizer_ae = torch.optim.Adam(sides, lr=lr, betas=(0.5, 0.999))
        self.optimizer_disc = torch.optim.SGD(model.discriminator.parameters(), lr=disc_lr)
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


def start_training(model, images, batch_size, lambda_, lr, disc_lr):
    """Make a `Training`."""
    return Training(model, images, batch_size, lambda_, lr, disc_lr)


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
