"""Runs in the box: helpers for the checks of part 2, the one module that the suites load.

Here are the updates and the trainings by the student's `train_aae`.
"""

import contextlib

import torch
from both_packing import answering, unpacked
from part2_loop import (
    autoencoder_loss,
    discriminator_loss,
    epochs,
    no_dropout,
    repeats,
    updates,
    weights,
    with_crude,
    with_linear_discriminator,
    with_linear_networks,
    with_squared_error,
    with_trivial_losses,
)
from part2_main import code_length, default_code_length, prepare, run_main
from part2_stand_ins import (
    alters,
    answer_of,
    awake,
    build,
    enlarge,
    judged,
    painted,
    seen,
    takes_its_dtype,
    when_enlarged,
)
from part2_surroundings import Loader, train_aae_takes, train_epoch

__all__ = [
    "alters",
    "answer_of",
    "answering",
    "autoencoder_loss",
    "awake",
    "build",
    "code_length",
    "default_code_length",
    "discriminator_loss",
    "enlarge",
    "epochs",
    "judged",
    "painted",
    "prepare",
    "repeats",
    "run_main",
    "seen",
    "takes_its_dtype",
    "train_aae_takes",
    "updates",
    "weights",
    "when_enlarged",
    "with_crude",
    "with_linear_discriminator",
    "with_linear_networks",
    "with_squared_error",
    "with_trivial_losses",
]


class KeptWeights:
    """The weights that an optimizer holds, as its last step left them.

    Between two steps nobody else has a say: what a loop writes into weights (other averages, noise, limits)
    is gone before the next step, and is not what a training ends with.
    """

    def __init__(self, optimizer):
        self.weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        self.values = [weight.detach().clone() for weight in self.weights]
        optimizer.register_step_pre_hook(self._put_back)
        optimizer.register_step_post_hook(self._keep)

    @torch.no_grad()
    def _put_back(self, *args):
        # Not the weights themselves: a step with a closure goes backward through what they were used for.
        torch._foreach_copy_([weight.data for weight in self.weights], self.values)

    @torch.no_grad()
    def _keep(self, *args):
        torch._foreach_copy_(self.values, self.weights)


class Training:
    """A training by the student's `train_aae`, a few batches at a time."""

    def __init__(self, model, images, batch_size, lambda_, lr, disc_lr, adam_disc):
        sides = [*model.encoder.parameters(), *model.decoder.parameters()]
        self.model = model
        self.images = images
        self.batch_size = batch_size
        self.lambda_ = lambda_
        self.optimizer_ae = torch.optim.Adam(sides, lr=lr, betas=(0.5, 0.999))
        of_disc = torch.optim.Adam if adam_disc else torch.optim.SGD
        self.optimizer_disc = of_disc(model.discriminator.parameters(), lr=disc_lr)
        self.steps_ae = 0
        self.one_by_one = False
        self.optimizer_ae.register_step_post_hook(self._count)
        kept = [KeptWeights(optimizer) for optimizer in (self.optimizer_ae, self.optimizer_disc)]
        values = {
            id(weight): value for one in kept for weight, value in zip(one.weights, one.values, strict=True)
        }
        self.kept = [
            {name: values[id(weight)] for name, weight in side.named_parameters()} for side in self._sides()
        ]

    def _sides(self):
        return self.model.encoder, self.model.decoder, self.model.discriminator

    def _count(self, *args):
        self.steps_ae += 1

    def _batches(self, count):
        order = torch.randint(len(self.images), (count, self.batch_size))
        return [self.images[chosen] for chosen in order]

    def _train(self, batches):
        loader = Loader(batches)
        train_epoch(1, self.model, loader, self.optimizer_ae, self.optimizer_disc, self.lambda_)

    def train_aae(self, count):
        """Train on so many batches."""
        self._train(self._batches(count))

    def train_autoencoder(self, count):
        """Train on so many batches; what fails after the autoencoder's update of a batch does not matter.

        The discriminator's update may still be missing: then each batch gets an epoch of its own. Otherwise
        they make one epoch, since a loop may do something else at the last batch.
        """
        batches = self._batches(count)
        done = 0 if self.one_by_one else self._updated(batches)
        if done < count:
            self.one_by_one = True
        for batch in batches[done:]:
            self._updated([batch])

    def _updated(self, batches):
        """The number of the batches that have updated the autoencoder, at least one."""
        before = self.steps_ae
        try:
            self._train(batches)
        except Exception:
            if self.steps_ae == before:
                raise
            return self.steps_ae - before
        return len(batches)

    def state(self):
        """The states of encoder, decoder and discriminator: weights as the optimizers left them."""
        return [side.state_dict() | kept for side, kept in zip(self._sides(), self.kept, strict=True)]

    def buffers(self):
        """The names of what else is in the states, for each of the three."""
        return [
            sorted(set(side.state_dict()) - set(kept))
            for side, kept in zip(self._sides(), self.kept, strict=True)
        ]


def start_training(model, images, batch_size, lambda_, lr, disc_lr, adam_disc):
    """Make a `Training`."""
    return Training(model, images, batch_size, lambda_, lr, disc_lr, adam_disc)


@torch.no_grad()
def encode(encoder_state, images, z_dim, training=False):
    """Codes of images by an encoder of this state; in training mode, but without dropout, if asked for."""
    model = build(z_dim, ("ConvDecoder", "Discriminator"))
    model.encoder.load_state_dict(encoder_state)
    with no_dropout() if training else contextlib.nullcontext():
        return unpacked(model.train(training).encoder(images))


@torch.no_grad()
def decode(decoder_state, codes, training=False):
    """Images of codes by a decoder of this state; in training mode, but without dropout, if asked for."""
    model = build(codes.shape[1], ("ConvEncoder", "Discriminator"))
    model.decoder.load_state_dict(decoder_state)
    with no_dropout() if training else contextlib.nullcontext():
        return unpacked(model.train(training).decoder(codes))
