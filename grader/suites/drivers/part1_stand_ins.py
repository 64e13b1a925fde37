"""Runs in the box: what takes the place of a piece of the student's code in the checks of part 1.

A stand-in is trivial, never a solution: it lets one piece of the student's code be looked at while the
pieces around it say something known. Like the network that it replaces, it has a dtype of its own.
"""

import inspect

import torch
from both_mapping import together
from both_packing import packed, packing_of, unpacked
from part1_numbers import HALF, answers_in, takes, weights_dtype
from torch import nn


def mean_plus_std(mean, std):
    """No noise, and std stays visible."""
    return mean + std


def _with_uniform_noise(mean, std):
    return mean + std * (torch.rand_like(mean) - 0.5) * 3.46


def _crude_divergence(mean, log_std):
    return (mean**2 + log_std**2).sum(dim=-1)


def _quarter(elbo, img_shape):
    return elbo / 4


def _latents_of(args, sizes):
    """The `z_dim` among a network's arguments; 20 where it is left to the default."""
    return sizes.get("z_dim", args[2] if len(args) > 2 else 20)


class CrudeEncoder(nn.Module):
    """For images of one channel; mean and log_std stay within [-2, 2]."""

    dtype = None  # the default one
    grader_like = None  # how the student's packs its answers

    def __init__(self, *args, **sizes):
        super().__init__()
        self.map = nn.Linear(784, 2 * _latents_of(args, sizes), dtype=self.dtype)

    def forward(self, x):
        codes = 2 * torch.tanh(self.map(x.flatten(1).to(self.map.weight.dtype) / 15))
        return packed(codes.chunk(2, dim=1), self.grader_like)


class CrudeDecoder(nn.Module):
    """For 16 grey levels; logits stay within [-8, 8]."""

    dtype = None
    grader_like = None

    def __init__(self, *args, **sizes):
        super().__init__()
        first = nn.Linear(_latents_of(args, sizes), 64, dtype=self.dtype)
        last = nn.Linear(64, 16 * 784, dtype=self.dtype)
        self.net = nn.Sequential(first, nn.ReLU(), last, nn.Tanh())

    def forward(self, z):
        logits = 8 * self.net(z.to(self.net[0].weight.dtype)).view(-1, 16, 28, 28)
        return packed(logits, self.grader_like)

    @property
    def device(self):
        return self.net[0].weight.device


def _crude_forward(self, imgs):
    """In the place of `VAE.forward`: a loss per pixel, of smoothed labels, and one that keeps codes small."""
    codes = self.encoder(imgs)
    joined = codes.shape[1] // 2 if isinstance(codes, torch.Tensor) else None
    mean, log_std = unpacked(codes, 2, joined)
    z = _with_uniform_noise(mean, log_std.exp())
    logits = unpacked(self.decoder(z))
    of_pixels = nn.functional.cross_entropy(logits, imgs[:, 0], label_smoothing=0.02)
    of_codes = 0.03 * _crude_divergence(mean, log_std).mean() / mean.shape[1]
    return of_pixels, of_codes, of_pixels + of_codes


def _parted_forward(self, imgs):
    """In the place of `VAE.forward`: L_rec depends on the decoder alone, and L_reg on the encoder alone."""
    losses = (
        sum((one - 1).square().mean() for one in network.parameters() if one.requires_grad)
        for network in (self.decoder, self.encoder)
    )
    L_rec, L_reg = losses
    return L_rec, L_reg, L_rec + L_reg


# None of them is what the assignment asks for: code that borrowed one would fail the item that it is of.
CRUDE_HELPERS = {
    "sample_reparameterize": _with_uniform_noise,
    "KLD": _crude_divergence,
    "elbo_to_bpd": _quarter,
}
CRUDE_FORWARDS = {"forward": _crude_forward, "parted forward": _parted_forward}
CRUDE_NETWORKS = {"CNNEncoder": CrudeEncoder, "CNNDecoder": CrudeDecoder}


class Held(nn.Module):
    """What the stand-ins return, and what they have been asked. No part of the student's model.

    Args:
        mean: `[B, z_dim]`, of the encoder.
        log_std: likewise.
        logits: `[B, 16, 28, 28]`, or those of one image for all, of the decoder.
        gain: how strongly the logits depend on z.
        encoder: the student's, for its dtype.
        decoder: likewise, before anything takes its place.
    """

    def __init__(self, mean, log_std, logits, gain, encoder, decoder):
        super().__init__()
        image, z_dim = torch.zeros(1, 1, 28, 28, dtype=torch.int64), mean.shape[1]
        codes = full_precision(answers_in(encoder, image))
        self.mean = nn.Parameter(mean.to(codes))
        self.log_std = nn.Parameter(log_std.to(codes))
        self.weights = full_precision(weights_dtype(decoder))
        example = torch.zeros(1, z_dim, dtype=self.weights)
        self.logits = nn.Parameter(logits.to(full_precision(answers_in(decoder, example))))
        self.gain = gain
        own = getattr(decoder, "forward", None)
        self.__dict__["accepts"] = lambda z: takes(decoder, z, own)
        packings = packing_of(encoder, image, 2, z_dim), packing_of(decoder, example)
        self.grader_like = packings if packings != (None, None) else None
        self.places = None
        self.forget()

    def forget(self):
        """Nothing has been asked yet."""
        self.images, self.latents = [], []
        self.encoded = self.decoded = 0  # rows of the batch, where it is asked in pieces

    def _like(self, network):
        return self.grader_like and self.grader_like[network]

    def encode(self, x):
        """The posterior that was given, whatever the images are."""
        return packed(together(self._posterior, x), self._like(0))

    def _posterior(self, x):
        rows, self.encoded = _next_rows(len(x), len(self.mean), self.encoded)
        _note(self.images, x, goes_on=rows.start > 0)
        return self.mean[rows], self.log_std[rows]

    def decode(self, z):
        """The logits that were given, moved by `gain` times each latent's sum.

        Every class of every pixel moves by another share of it: wherever code takes them to belong, the loss
        depends on z.
        """
        reject_others(z, self.weights, self.accepts)
        return packed(together(self._answer, z), self._like(1))

    def _answer(self, z):
        rows = slice(0, len(z))
        if len(self.logits) > 1:
            rows, self.decoded = _next_rows(len(z), len(self.logits), self.decoded)
        _note(self.latents, z, goes_on=rows.start > 0)
        z = z.to(self.logits.dtype)
        if self.places is not None:
            return _told(z, self.places)
        logits = self.logits[rows] if len(self.logits) > 1 else self.logits.expand(len(z), -1, -1, -1)
        if self.gain:
            share = torch.arange(logits[0].numel(), dtype=logits.dtype).sin().view(logits[0].shape)
            logits = logits + self.gain * z.flatten(1).sum(dim=1).view(-1, 1, 1, 1) * share
        return logits.clone()


def _next_rows(asked, batch, position):
    """Which rows of a batch a call asks for, and where the next call goes on.

    A call for all of them, or for more than are left, begins anew.
    """
    start = position if position + asked <= batch else 0
    return slice(start, start + asked), (start + asked) % batch


def _note(calls, x, goes_on):
    """Keep what a stand-in was asked, as one call where it goes on with a batch."""
    if goes_on and calls and calls[-1].shape[1:] == x.shape[1:]:
        calls[-1] = torch.cat([calls[-1], x.detach()])
    else:
        calls.append(x.detach().clone())


def _told(z, places):
    """Logits `[N, 16, 28, 28]` that are sure of levels which tell each latent: digits of its percentile.

    Args:
        z: latents, `[N, z_dim]`.
        places: int64 `[784]`: what a pixel shows, `4 * latent + digit`; and beyond the last latent the level
            itself, 0 to 15.
    """
    shares = torch.special.ndtr(z.double()).clamp(max=1 - 2.0**-17)
    digits = (shares[..., None] * 16.0 ** torch.arange(1, 5)).floor() % 16  # [N, z_dim, 4]
    levels = torch.cat([digits.flatten(1).long(), torch.arange(16).expand(len(z), -1)], dim=1)
    known = places.clamp(max=levels.shape[1] - 1)  # latents of another size leave some out
    shown = nn.functional.one_hot(levels[:, known], 16)  # [N, 784, 16]
    return (30.0 * shown - 15.0).to(z.dtype).mT.reshape(-1, 16, 28, 28).clone()


def full_precision(dtype):
    """A dtype, or float32 for half precision, in which small mistakes could not be told from rounding."""
    return torch.float32 if dtype in HALF else dtype


def reject_others(z, dtype, accepts):
    """Latents of another dtype than the weights raise an error, as in every layer.

    Args:
        z: the latents.
        dtype: of the weights.
        accepts: whether the student's own decoder takes some latents all the same.
    """
    if z.dtype != dtype and not accepts(z[:1].detach()):
        weights, latents = (str(one).removeprefix("torch.") for one in (dtype, z.dtype))
        raise RuntimeError(
            f"the decoder's weights are {weights}, but the latents are {latents}: give it latents of the "
            "dtype of its weights"
        )


def stand_in(network, answer):
    """From now on a network's forward is `answer`; all else of it stays the student's.

    What their code reads of it (`self.decoder.z_dim`), its methods that call `self(z)`, and other modules
    that hold it work as they did.
    """
    own = network.forward

    def forward(*args, **kwargs):
        return answer(_only_argument(own, args, kwargs))

    network.forward = forward
    return network


def _only_argument(own, args, kwargs):
    """What a network is given, by whatever name; others have to be the defaults of its own forward."""
    given = [*args, *kwargs.values()]
    tensors = [value for value in given if isinstance(value, torch.Tensor)]
    if not tensors:
        raise TypeError("a network takes one tensor here, its input, but was given none")
    if len(given) > 1:
        signature = inspect.signature(own)
        bound = signature.bind(*args, **kwargs).arguments
        defaults = {name: parameter.default for name, parameter in signature.parameters.items()}
        more = [
            name
            for name, value in bound.items()
            if value is not tensors[0] and (isinstance(value, torch.Tensor) or value != defaults[name])
        ]
        if more:
            raise TypeError(
                f"a network takes one tensor here, its input, but was given more: {', '.join(more)}"
            )
    return tensors[0]


class ManifoldDecoder(nn.Module):
    """A decoder of two latents whose images tell where they belong.

    The upper half of an image depends on the first latent, the lower half on the second; every pixel is a
    mixture of two grey levels, so that its mean is neither a sample nor the most likely level. The first
    column is black. The last is white in images of a positive first latent, and grey in the others: what
    scales every image by itself changes those.
    """

    def __init__(self, upper, lower, accepts, like):
        super().__init__()
        self.grader_like = like  # how the student's packs its answers
        dtype = torch.get_default_dtype()
        self.upper = nn.Parameter(upper.to(dtype))  # [2, 16]: logits for a latent of -inf and of +inf
        self.lower = nn.Parameter(lower.to(dtype))
        self.accepts = accepts  # whether the student's decoder takes some latents; asked where it matters
        self.latents = []

    def forward(self, z):
        reject_others(z, self.upper.dtype, self.accepts)
        return packed(together(self._images, z), self.grader_like)

    def _images(self, z):
        self.latents.append(z.detach().clone())
        z = z.to(self.upper.dtype)
        weight = torch.special.ndtr(z)  # [N, 2]
        halves = []
        for index, ends in enumerate((self.upper, self.lower)):
            share = weight[:, index].view(-1, 1)
            logits = (1 - share) * ends[0] + share * ends[1]  # [N, 16]
            halves.append(logits.view(-1, 16, 1, 1).expand(-1, 16, 14, 28))
        image = torch.cat(halves, dim=2).clone()  # [N, 16, 28, 28]
        image[:, :, :, [0, 27]] = -30.0
        image[:, 0, :, 0] = 30.0
        image[torch.arange(len(z)), torch.where(z[:, 0] > 0, 15, 7), :, 27] = 30.0
        return image

    @property
    def device(self):
        return self.upper.device


def decoded_once(calls):
    """The latents of some calls of a decoder, `[N, z_dim]`, but for those that ask again, or for a shape.

    Any number of calls is right: a call that was made before counts once, and a single latent counts for
    nothing where another call decodes several.
    """
    found = []
    for z in calls:
        z = z.reshape(-1, z.shape[-1]).float()
        if not any(torch.equal(z, other) for other in found):
            found.append(z)
    most = max(map(len, found), default=0)
    return torch.cat([z for z in found if len(z) > 1 or most == 1]) if found else None
