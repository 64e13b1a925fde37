"""Runs in the box: `main` of the student's train.py up to the training, for what it hands over."""

import argparse
import contextlib
import functools
import importlib
import inspect
import runpy

import torch
import torchvision
from both_packing import unpacked
from part2_stand_ins import STAND_INS, complete, without_broken
from part2_surroundings import LOGS, make_room, write_events_at_once
from torchvision.datasets import MNIST, VisionDataset


class Images(MNIST):
    """Stands in for torchvision's MNIST; what it holds is set by `prepare`."""

    grader_images = None

    def __init__(self, root="data", train=True, transform=None, target_transform=None, download=False):
        VisionDataset.__init__(self, root, transform=transform, target_transform=target_transform)
        self.train = train
        self.data = self.grader_images
        self.targets = torch.arange(len(self.data)) % 10


def prepare(images):
    """Before `train` is imported: no data set to load.

    Args:
        images: uint8 `[N, 28, 28]`, what MNIST holds from now on.
    """
    Images.grader_images = images
    torchvision.datasets.MNIST = Images
    torchvision.datasets.mnist.MNIST = Images
    write_events_at_once()


class Caught(BaseException):
    """Ends `main` once it has handed over what we want to see."""


# Pictures are not what `main` is judged by; they may need questions that are not answered yet.
PICTURES = ("save", "generate", "image", "sample", "reconstruct", "plot", "visual")


class HandedOver:
    """What `main` hands to its first call of `train_aae`: a model, and optimizers that take steps.

    Which gradients they follow, and what is asked of the weights then, the suite decides step by step.
    """

    def __init__(self, caught):
        self.model = complete(caught["model"])
        self._caught = caught
        sides = (self.model.encoder, self.model.decoder, self.model.discriminator)
        self._trained = [
            {
                name: weight
                for name, weight in side.named_parameters()
                if weight.requires_grad and weight.numel()
            }
            for side in sides
        ]

    def contents(self):
        """By side the number of elements of each trained weight tensor, by name; and the other arguments.

        "z_dim" is the length of the model's codes, 0 if it cannot be found out; "lambda_" NaN for nothing.
        """
        sizes = [{name: weight.numel() for name, weight in side.items()} for side in self._trained]
        return {"sizes": sizes, "lambda_": float(self._caught["lambda_"]), "z_dim": code_length(self.model)}

    @torch.no_grad()
    def zero(self):
        """Set all trained weights to zero, whichever optimizer holds them."""
        for side in self._trained:
            for weight in side.values():
                weight.zero_()

    @torch.no_grad()
    def step(self, name, gradients, places, count):
        """Let an optimizer take steps, all with the same gradients.

        Args:
            name: `optimizer_ae` or `optimizer_disc`.
            gradients: `[tensors, N]` for all sides: each tensor's, over and over in its elements' order.
            places: int64 `[tensors, K]`, elements of each tensor.
            count: number of steps.

        Returns:
            The weights in these places, float64 `[tensors, K]`.
        """
        weights = [weight for side in self._trained for weight in side.values()]
        for weight, row in zip(weights, gradients, strict=True):
            gradient = row.repeat(-(-weight.numel() // len(row)))[: weight.numel()]
            # In the weight's own memory format, as `backward` leaves it: fused optimizers go by the memory.
            weight.grad = torch.empty_like(weight).copy_(gradient.view(weight.shape))
        for _ in range(count):
            self._caught[name].step()
        found = [weight.flatten()[chosen].double() for weight, chosen in zip(weights, places, strict=True)]
        return torch.stack(found)


def run_main(options):
    """Run `main` up to its first call of `train_aae`; None if it ends without one.

    With the same options, one run serves both optimizers.

    Args:
        options: what the command line gives `main`.
    """
    key = tuple(sorted(options.items()))
    if key not in _runs:
        caught = _caught_in_main(options)
        _runs[key] = None if caught is None else HandedOver(caught)
    return _runs[key]


_runs = {}


@torch.no_grad()
def code_length(model):
    """The length of a model's codes; 0 if it cannot be found out."""
    try:
        return int(unpacked(model.encoder(torch.zeros(2, 1, 28, 28))).shape[1])
    except Exception:
        return 0


def default_code_length():
    """The length of the codes of a model that is built without arguments; 0 if it cannot be found out."""
    try:
        with without_broken(STAND_INS):
            return code_length(importlib.import_module("models").AdversarialAE())
    except Exception:
        return 0


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
    """What `main` hands to its first call of `train_aae`; None if it ends without one.

    First without the functions that seem to make pictures; where `main` cannot do without them, with them.
    A `get_reconstruction_optimizer` makes none: what it should have made shows in what is handed over.
    """
    try:
        caught = _run_main(options, pictures=False)
    except Exception:
        with contextlib.suppress(Exception):
            return _run_main(options, pictures=True)
        raise
    if caught is not None and _is_what_main_hands_over(caught, options):
        return caught
    with contextlib.suppress(Exception):
        return _run_main(options, pictures=True) or caught
    return caught


def _is_what_main_hands_over(caught, options):
    """Whether a model, two optimizers and the given lambda were handed over."""
    steps = all(callable(getattr(caught[name], "step", None)) for name in ("optimizer_ae", "optimizer_disc"))
    return isinstance(caught["model"], torch.nn.Module) and steps and caught["lambda_"] == options["lambda_"]


def _run_main(options, pictures):
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
        if own and not pictures and any(word in name.lower() for word in PICTURES):
            replaced[name] = lambda *args, **kwargs: 0.0
    before = {name: getattr(train, name) for name in replaced}
    for name, value in replaced.items():
        setattr(train, name, value)
    LOGS.mkdir(exist_ok=True)
    make_room()
    try:
        with without_broken(STAND_INS):
            # A folder that is not there yet, as for a first run.
            name = f"run_{len(_runs) + 1}{'_with_pictures' if pictures else ''}"
            train.main(Options(**options, log_dir=str(LOGS / name)))
    except Caught:
        return caught
    finally:
        for name, value in before.items():
            setattr(train, name, value)
    return None
