"""Question 2.5, `train_aae` and the optimizers in `main`, part2/train.py: who learns from which loss?

To see that, the tests run `train_aae` with linear maps for networks and with optimizers that note the
gradients they are given at each step, and take no step.
"""

import argparse
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from epochs import train_epoch
from networks import in_precision_of, parameters_of
from pictures import collate, edges, loader_of
from torch import nn
from torch.nn.functional import softplus
from torch.nn.parameter import is_lazy
from torch.utils.data import DataLoader, TensorDataset

LAMBDA = 0.3


def seed(number):
    torch.manual_seed(number)
    np.random.seed(number)


class Seeded(DataLoader):
    """Batches, each with a seed of its own: what the loop draws for it can be drawn again."""

    def __iter__(self):
        for number, batch in enumerate(super().__iter__()):
            seed(number)
            yield batch


class LinearMap(nn.Module):
    """A network without surprises, in the place of one of yours."""

    def __init__(self, yours, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.outputs = outputs
        self.yours = [yours]  # in a list, so that its weights are no weights of this one
        for parameter in yours.parameters():
            if not is_lazy(parameter):  # your loop may log how large a layer's gradient is
                parameter.grad = torch.zeros_like(parameter)

    def forward(self, *args, **kwargs):  # your forward may take more than the input
        x = next(value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor))
        y = self.linear(x.flatten(1).to(self.linear.weight.dtype))
        return y.view(-1, 1, 28, 28) if self.outputs == 784 else y

    @property
    def device(self):
        return torch.device("cpu")

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.__dict__["yours"][0], name)  # whatever else your code reads of it


class Noting(torch.optim.SGD):
    """An optimizer that notes the gradient of each network at each step, and stays where it is."""

    def __init__(self, *networks):
        super().__init__(parameters_of(*networks), lr=0.0)
        self.networks = networks
        self.noted = []

    def step(self, closure=None):
        if closure is not None:  # computes the loss, and goes backward
            with torch.enable_grad():
                closure()
        gradients = [[parameter.grad for parameter in network.parameters()] for network in self.networks]
        missing = any(g is None for of_one in gradients for g in of_one)
        self.noted.append(None if missing else [flat(of_one) for of_one in gradients])


def flat(tensors):
    return torch.cat([tensor.detach().clone().flatten() for tensor in tensors])


def same_direction(noted, right):
    """Whether the gradients of each network agree up to a factor: clipped ones are right, too."""
    if noted is None:
        return False
    for a, b in zip(noted, right, strict=True):
        limit = a.abs().max()  # some clip every number by itself
        if max(torch.cosine_similarity(a, g, dim=0) for g in (b, b.clamp(-limit, limit))) < 0.9999:
            return False
    return True


def plain_discriminator_loss(model):
    """A loss without chance, so that its gradient can be computed twice."""

    def loss(z_fake):
        z = z_fake.detach()
        real, fake = ((model.discriminator(codes) - 1).square().mean() for codes in (3 - z, z))
        value = (real + fake) / 2
        return value, {"disc_loss": value, "loss_real": real, "loss_fake": fake, "accuracy": 0.5}

    return loss


def run(part2, loggers, own_discriminator_loss=False, own_discriminator=False):
    """An epoch of three batches by `train_aae`: the model, the batches, and what the optimizers noted."""
    model = part2.models.AdversarialAE(z_dim=8)
    model.encoder = LinearMap(model.encoder, 784, 8)
    model.decoder = LinearMap(model.decoder, 8, 784)
    if not own_discriminator:
        model.discriminator = LinearMap(model.discriminator, 8, 1)
    if not own_discriminator_loss:
        model.get_loss_discriminator = plain_discriminator_loss(model)
    batches = edges(24).split(8)
    optimizer_ae, optimizer_disc = Noting(model.encoder, model.decoder), Noting(model.discriminator)
    labels = torch.zeros(24, dtype=torch.int64)
    loader = Seeded(TensorDataset(torch.cat(batches), labels), batch_size=8, collate_fn=collate)
    train_epoch(part2, 1, model, loader, loggers, optimizer_ae, optimizer_disc, LAMBDA)
    model.requires_grad_(True)  # a loop may freeze one side while the other learns
    return SimpleNamespace(model=model, batches=batches, ae=optimizer_ae.noted, disc=optimizer_disc.noted)


def gradients(loss, *networks):
    """The gradient of a loss for each network, as `Noting` notes it."""
    return [flat(torch.autograd.grad(loss, [*net.parameters()], retain_graph=True)) for net in networks]


def gradient_of_autoencoder_loss(model, x, lambda_):
    """What encoder and decoder should be given, by your get_loss_autoencoder."""
    loss, _ = model.get_loss_autoencoder(x, model.decoder(model.encoder(x)), model.encoder(x), lambda_)
    return gradients(loss, model.encoder, model.decoder)


def gradients_of_written_out_loss(model, x, number):
    """The same for a loop that has the cross-entropies in it and calls no method, by the noise it draws."""
    shape = len(x), 8
    draws = (
        lambda: torch.randn(shape),
        lambda: torch.randn(shape, dtype=torch.float64),
        lambda: torch.from_numpy(np.random.randn(*shape)),
    )
    for draw in draws:
        seed(number)
        real = model.discriminator(draw())
        fake = model.discriminator(model.encoder(x).detach())
        loss = softplus(-real).mean() + softplus(fake).mean()
        yield gradients(loss, model.discriminator)


def test_both_sides_take_one_step_per_batch(part2, loggers):
    epoch = run(part2, loggers)
    for name, noted in (("optimizer_ae", epoch.ae), ("optimizer_disc", epoch.disc)):
        assert len(noted) == 3, (
            f"for 3 batches {name} takes {len(noted)} steps.\n"
            f"Hint: {name}.step() once for every batch of train_loader, up to the last."
        )


def test_autoencoder_follows_its_own_loss(part2, loggers):
    epoch = run(part2, loggers)
    for number, (x, noted) in enumerate(zip(epoch.batches, epoch.ae, strict=False), start=1):
        assert noted is not None, (
            "optimizer_ae takes a step, but encoder or decoder have no gradient.\n"
            "Hint: zero_grad(), then backward(), then step(), in this order, and detach nothing."
        )
        right = gradient_of_autoencoder_loss(epoch.model, x, LAMBDA)
        if same_direction(noted, gradient_of_autoencoder_loss(epoch.model, x, 1.0)):
            hint = "this is the gradient for lambda_ = 1: pass lambda_ on to get_loss_autoencoder"
        elif number > 1:
            hint = "gradients of the batch before are still in it: optimizer_ae.zero_grad() before backward()"
        else:
            hint = "backward through ae_loss only, with lambda_ as given, and detach nothing on the way"
        assert same_direction(noted, right), (
            f"at batch {number} the gradient of encoder and decoder is not that of ae_loss.\nHint: {hint}."
        )


def test_discriminator_follows_its_own_loss(part2, loggers):
    epoch = run(part2, loggers)
    for number, (x, noted) in enumerate(zip(epoch.batches, epoch.disc, strict=False), start=1):
        assert noted is not None, (
            "optimizer_disc takes a step, but the discriminator has no gradient.\n"
            "Hint: zero_grad(), then backward(), then step(), in this order."
        )
        loss, _ = epoch.model.get_loss_discriminator(epoch.model.encoder(x))
        right = [
            gradients(loss, epoch.model.discriminator),
            *gradients_of_written_out_loss(epoch.model, x, number - 1),
        ]
        assert any(same_direction(noted, gradient) for gradient in right), (
            f"at batch {number} the gradient of the discriminator is not that of disc_loss.\n"
            "Hint: ae_loss.backward() leaves gradients in the discriminator: optimizer_disc.zero_grad() "
            "before disc_loss.backward(), and one backward pass for each loss."
        )


def autoencoder_follows(epoch):
    """Whether encoder and decoder were given the gradient of ae_loss, and nothing else."""
    return all(
        same_direction(noted, gradient_of_autoencoder_loss(epoch.model, x, LAMBDA))
        for x, noted in zip(epoch.batches, epoch.ae, strict=False)
    )


def test_encoder_learns_nothing_from_the_discriminators_loss(part2, loggers):
    try:
        right = autoencoder_follows(run(part2, loggers, own_discriminator_loss=True))
    except RuntimeError:  # such as a second way back through a graph that is gone
        right = False
    # Perhaps it is your discriminator that detaches the codes, when asked to.
    right = right or autoencoder_follows(
        run(part2, loggers, own_discriminator_loss=True, own_discriminator=True)
    )
    assert right, (
        "with your get_loss_discriminator the gradient of the encoder is not that of ae_loss.\n"
        "Hint: the discriminator's loss leaks into the encoder: detach z_fake in get_loss_discriminator."
    )


def spread_after_training(part2, loggers, batches, discriminators_optimizer):
    """Root mean square of the codes of new images after an epoch of so many batches; the prior has 1."""
    model = part2.models.AdversarialAE(z_dim=8)
    trained = parameters_of(model.encoder, model.decoder)
    optimizer_ae = torch.optim.Adam(trained, lr=1e-3, betas=(0.5, 0.999))
    optimizer_disc = discriminators_optimizer(model.discriminator.parameters())
    loader = loader_of(edges(batches * 16), batch_size=16)
    train_epoch(part2, 1, model, loader, loggers, optimizer_ae, optimizer_disc, 0.7)
    model.eval()
    with torch.no_grad():
        return model.encoder(in_precision_of(model.encoder, edges(64))).square().mean().sqrt().item()


def test_short_training_draws_the_codes_to_the_prior(part2, loggers):
    batches = 80
    spread = spread_after_training(part2, loggers, batches, lambda weights: torch.optim.SGD(weights, lr=0.05))
    if not 0.2 < spread < 4:
        # A discriminator with sigmoids in it learns from SGD too slowly to say anything by now.
        batches = 240
        spread = spread_after_training(
            part2, loggers, batches, lambda weights: torch.optim.Adam(weights, lr=1e-3)
        )
    # Right code ends at 0.6 to 1.7 mostly; a discriminator that is not fought ends far outside.
    assert 0.2 < spread < 4, (
        f"after {batches} batches with lambda = 0.7 the codes spread by {spread:.2f}; the prior has 1.\n"
        "Hint: the encoder must move against the discriminator; look at the target in get_loss_autoencoder."
    )


class MainHasBegunTraining(BaseException):
    """Ends `main` when it calls train_aae."""


class Options(argparse.Namespace):
    """The command line of train.py: what is not set below is off."""

    def __getattr__(self, name):
        return None


def handed_by_main(part2, monkeypatch, tmp_path, **changed):
    """The model and the two optimizers that `main` hands to `train_aae`, without data and files."""
    train, handed = part2.train, SimpleNamespace()

    def train_aae(
        epoch, model, train_loader, logger_ae, logger_disc, optimizer_ae, optimizer_disc, lambda_=1
    ):
        handed.model, handed.optimizer_ae, handed.optimizer_disc = model, optimizer_ae, optimizer_disc
        handed.lambda_ = lambda_
        raise MainHasBegunTraining

    images = SimpleNamespace(data=torch.zeros(128, 28, 28, dtype=torch.uint8), targets=torch.zeros(128))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(part2.mnist, "MNIST", lambda *args, **kwargs: images)
    monkeypatch.setattr(train, "train_aae", train_aae)
    monkeypatch.setattr(train, "save_images", lambda *args, **kwargs: 0.0, raising=False)
    options = {
        "z_dim": 8,
        "batch_size": 64,
        "lambda_": 0.995,
        "ae_lr": 1e-3,
        "d_lr": 5e-3,
        "data_dir": "data",
        "epochs": 1,
        "seed": 42,
        "num_workers": 0,
        "log_dir": str(tmp_path / "logs"),
        "no_cuda": True,
    }
    defaults = vars(train.command_line().parse_args([]))  # options of your own are among them
    with pytest.raises(MainHasBegunTraining):
        train.main(Options(**{**defaults, **options, **changed}))
    return handed


@pytest.mark.parametrize(
    ("name", "sides"), [("optimizer_ae", ("encoder", "decoder")), ("optimizer_disc", ("discriminator",))]
)
def test_optimizer_holds_its_side(part2, monkeypatch, tmp_path, name, sides):
    handed = handed_by_main(part2, monkeypatch, tmp_path)
    assert handed.lambda_ == 0.995, (
        f"main is called with --lambda_ 0.995, but train_aae gets {handed.lambda_}.\n"
        "Hint: hand args.lambda_ over."
    )
    optimizer = getattr(handed, name)
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    for side in ("encoder", "decoder", "discriminator"):
        own = [id(parameter) for parameter in getattr(handed.model, side).parameters()]
        found = sum(parameter in held for parameter in own)
        due = len(own) if side in sides else 0
        assert found == due, (
            f"{name} holds {found} of the {len(own)} parameters of the {side}; it should hold "
            f"{'all' if due else 'none'}.\nHint: {name} trains {' and '.join(sides)}, and nothing else."
        )
    for group in optimizer.param_groups:
        assert group["lr"] > 1e-6, f"{name} has learning rate {group['lr']}.\nHint: args.ae_lr and args.d_lr."
        assert not group.get("maximize"), f"{name} climbs up the loss.\nHint: no maximize=True."


@pytest.mark.parametrize(
    ("name", "own", "other"), [("optimizer_ae", "ae_lr", "d_lr"), ("optimizer_disc", "d_lr", "ae_lr")]
)
def test_learning_rate_follows_its_own_option(part2, monkeypatch, tmp_path, name, own, other):
    factors = {"ae_lr": 10.0, "d_lr": 0.04}
    first = handed_by_main(part2, monkeypatch, tmp_path)
    second = handed_by_main(
        part2, monkeypatch, tmp_path, ae_lr=1e-2, d_lr=2e-4, log_dir=str(tmp_path / "again")
    )
    before, after = ([group["lr"] for group in getattr(run, name).param_groups] for run in (first, second))
    ratios = [new / old for old, new in zip(before, after, strict=True)]
    came = " and ".join(f"{ratio:.3g}" for ratio in ratios)
    # Groups of weights may have rates of their own, but one of them follows the option.
    assert any(ratio == pytest.approx(factors[own], rel=0.1) for ratio in ratios), (
        f"with --{own} times {factors[own]:g} the learning rate of {name} is {came} times what it was.\n"
        f"Hint: lr=args.{own}."
    )
    assert not any(ratio == pytest.approx(factors[other], rel=0.1) for ratio in ratios), (
        f"the learning rate of {name} follows --{other}.\nHint: lr=args.{own}."
    )
