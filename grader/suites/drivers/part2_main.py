"""Runs in the box: `main` of the student's train.py up to the training, for what it hands over."""

import argparse
import contextlib
import functools
import importlib
import inspect
import runpy

import torch
import torch.utils.tensorboard
import torchvision
from part2_stand_ins import STAND_INS, Silent, complete, without_broken

LOG_DIR = "/tmp/logs"


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


def steps_of_main(options, name, pattern, scales, count):
    """Run `main` up to its first call of `train_aae`; then let one of its optimizers take some steps.

    Before the first all parameters are zero, whichever optimizer holds them. The gradient of each, the same
    at every step, is the pattern over and over, in the order of its elements, times the scales in turn.

    Args:
        options: what the command line gives `main`.
        name: `optimizer_ae` or `optimizer_disc`.
        pattern: float `[N]`.
        scales: one for each parameter of a side, over and over.
        count: number of steps.

    Returns:
        "signs": for encoder, decoder and discriminator in turn a list with the signs of each parameter after
        the first step, int8 `[number of elements]`; "sizes": the same for the mean length of the last step;
        "lambda_": what `train_aae` is given, NaN for nothing. None if `main` ended without training.
    """
    caught = _caught_in_main(options)
    if caught is None:
        return None
    model = complete(caught["model"])
    trained = [
        [parameter for parameter in side.parameters() if parameter.requires_grad]
        for side in (model.encoder, model.decoder, model.discriminator)
    ]
    with torch.no_grad():
        for side in trained:
            for index, parameter in enumerate(side):
                parameter.zero_()
                gradient = pattern.repeat(-(-parameter.numel() // len(pattern)))[: parameter.numel()]
                gradient = gradient.view(parameter.shape) * scales[index % len(scales)]
                parameter.grad = gradient.to(parameter.dtype)
    for index in range(count):
        if index == count - 1:
            before = [[parameter.detach().clone() for parameter in side] for side in trained]
        caught[name].step()
        if index == 0:
            signs = [
                [parameter.detach().flatten().sign().to(torch.int8) for parameter in side] for side in trained
            ]
    sizes = [
        [(parameter.detach() - old).abs().mean() for parameter, old in zip(*pair, strict=True)]
        for pair in zip(trained, before, strict=True)
    ]
    return {"signs": signs, "sizes": sizes, "lambda_": float(caught["lambda_"])}


class Options(argparse.Namespace):
    """What the command line gives `main`; an option of the student's own has its default."""

    def __getattr__(self, name):
        defaults = {} if name.startswith("__") else _own_defaults()
        if name not in defaults:
            raise AttributeError(f"main(args) reads args.{name}, but train.py adds no such option")
        return defaults[name]


@functools.cache
def _own_defaults():
    """The defaults of all options that train.py adds to a parser when it is run as a program."""
    defaults = {}
    add, parse = argparse._ActionsContainer.add_argument, argparse.ArgumentParser.parse_known_args

    def add_argument(self, *args, **kwargs):
        action = add(self, *args, **kwargs)
        converted = isinstance(action.default, str) and callable(action.type)
        defaults[action.dest] = action.type(action.default) if converted else action.default
        return action

    def parse_known_args(self, *args, **kwargs):
        raise Caught

    argparse._ActionsContainer.add_argument = add_argument
    argparse.ArgumentParser.parse_known_args = parse_known_args
    try:
        with contextlib.suppress(Caught, Exception, SystemExit):
            runpy.run_path(importlib.import_module("train").__file__, run_name="__main__")
    finally:
        argparse._ActionsContainer.add_argument = add
        argparse.ArgumentParser.parse_known_args = parse
    return defaults


def _caught_in_main(options):
    """What `main` hands to its first call of `train_aae`; None if it ends without one."""
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
        lambda_=float("nan"),
        *args,
        **kwargs,
    ):
        caught.update(model=model, optimizer_ae=optimizer_ae, optimizer_disc=optimizer_disc, lambda_=lambda_)
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
        with without_broken(STAND_INS):
            train.main(Options(**options, log_dir=LOG_DIR))
    except Caught:
        return caught
    finally:
        for name, value in before.items():
            setattr(train, name, value)
    return None
