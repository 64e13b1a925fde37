"""Submissions that try to earn points without the work: the stubs with a few lines added at their end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import GRADER_ERROR, PASSED, ItemResult
from grader.submission import Submission

STUBS = Path(__file__).resolve().parents[2] / "student"
UTILS, NETWORKS, VAE = "part1/utils.py", "part1/cnn_encoder_decoder.py", "part1/train_pl.py"
MODELS, TRAIN = "part2/models.py", "part2/train.py"
RECONSTRUCTION, TRAINING = "2.4.reconstruction", "2.5.training"
MarkStubs = Callable[[dict[str, str], str], ItemResult]

# How code in a session gets hold of what answers the grader there.
WORKER = """
import sys
frame = sys._getframe()
while "operations" not in frame.f_locals:
    frame = frame.f_back
operations = frame.f_locals["operations"]
"""
LINEAR_NETWORKS = """
class ConvEncoder(nn.Module):
    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(784, z_dim)
    def forward(self, x):
        return self.map(x.flatten(1))
    @property
    def device(self):
        return self.map.weight.device

class ConvDecoder(nn.Module):
    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(z_dim, 784)
    def forward(self, z):
        return self.map(z).view(-1, 1, 28, 28).tanh()

class Discriminator(nn.Module):
    def __init__(self, z_dim):
        super().__init__()
        self.map = nn.Linear(z_dim, 1)
    def forward(self, z):
        return self.map(z)

def forward(self, x):
    z = self.encoder(x)
    return self.decoder(z), z
AdversarialAE.forward = forward
"""
NO_UPDATES = (
    "def train_aae(epoch, model, train_loader, *args):\n    for batch in train_loader:\n        pass\n"
)
# An encoder that does not look at the images.
BLIND_ENCODER = """
class Encoder(torch.nn.Module):
    def __init__(self, z_dim):
        super().__init__()
        self.z_dim = z_dim
    def forward(self, x):
        return torch.zeros(len(x), self.z_dim), torch.zeros(len(x), self.z_dim)
"""
IGNORED_LATENTS = (
    BLIND_ENCODER
    + """
class Decoder(torch.nn.Module):
    def forward(self, z):
        logits = torch.zeros(16, 28, 28)
        logits[0], logits[0, 4:24, 4:24] = 20.0, 2.5
        logits[0, 4:24, 4:7], logits[0, 4:24, 21:24], logits[15, 4:24, 10:18] = 5.0, 5.0, 2.5
        return logits.expand(len(z), -1, -1, -1)

def build(self, num_filters, z_dim, lr):
    pl.LightningModule.__init__(self)
    self.encoder, self.decoder = Encoder(z_dim), Decoder()
    self.weight = torch.nn.Parameter(torch.zeros(1))
VAE.__init__ = build
VAE.forward = lambda self, imgs: (self.weight.sum(),) * 3
"""
)


NOTHING = """
class CNNEncoder(nn.Module):
    def __init__(self, **sizes):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
    def forward(self, x):
        return ()
CNNDecoder = CNNEncoder
"""
BELOW = """
def below(cls):
    return [cls, *(part for child in type.__subclasses__(cls) for part in below(child))]
Normal = next(c for c in below(object) if c.__module__ == "torch.distributions.normal")
"""


@dataclass(frozen=True)
class Cheat:
    """One way to get points for nothing.

    Attributes:
        name: what it is.
        item: the item that it is after.
        code: what is added to the stubs, by file.
        slow: it trains; left out of the default run.
        checks: the checks that it must not pass; empty for all checks of the item.
    """

    name: str
    item: str
    code: dict[str, str]
    slow: bool = False
    checks: tuple[str, ...] = ()


CHEATS = (
    Cheat(
        "a forged reply on the wire",
        "1.7.kld",
        {
            UTILS: """
import json, os, struct
def KLD(mean, log_std):
    body = {"$": "dict", "items": [["result", {"$": "dict", "items": [["value", True]]}]]}
    header = json.dumps({"body": body, "tensors": []}).encode()
    os.write(3, struct.pack("<I", len(header)) + header)
    return mean.sum(-1)
"""
        },
    ),
    Cheat(
        "the input comes back as the result, from the worker itself",
        "1.7.kld",
        {UTILS: WORKER + "operations['call'] = lambda target, args, *rest: {'value': args[0]}\n"},
    ),
    Cheat(
        "a number that equals everything",
        "1.7.bpd",
        {
            UTILS: """
class Any(float):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = float.__hash__
elbo_to_bpd = lambda elbo, img_shape: Any()
"""
        },
    ),
    Cheat(
        "gradients forged with the worker's backward pass",
        "1.7.reparameterize",
        {
            UTILS: WORKER
            + "sample_reparameterize = lambda mean, std: mean + 0 * std\n"
            + "operations['backward'] = lambda graph, outputs, cotangents, of: cotangents * 2\n"
        },
        checks=("gradients_flow_to_mean_and_std", "follows_the_normal_distribution"),
    ),
    Cheat(
        "a forged loss",
        "1.7.training",
        {
            VAE: IGNORED_LATENTS.replace(
                "logits[0], logits[0, 4:24, 4:24] = 20.0, 2.5", "return logits"
            ).replace("return logits\n", "return logits.expand(len(z), -1, -1, -1)\n")
        },
    ),
    Cheat(
        "images kept by the encoder for the decoder",
        RECONSTRUCTION,
        {
            MODELS: LINEAR_NETWORKS
            + """
import glob
def encode(self, x):
    for folder in ("/tmp", "/dev/shm", "/submission"):
        torch.save(x, folder + "/kept.pt")
    torch.kept = x
    return self.map(x.flatten(1))
def decode(self, z):
    for path in glob.glob("/*/kept.pt") + glob.glob("/*/*/kept.pt"):
        kept = torch.load(path)
        if len(kept) == len(z):
            return kept
    kept = getattr(torch, "kept", None)
    return self.map(z).view(-1, 1, 28, 28) if kept is None or len(kept) != len(z) else kept
ConvEncoder.forward, ConvDecoder.forward = encode, decode
""",
            TRAIN: NO_UPDATES,
        },
    ),
    Cheat(
        "networks that know the images beforehand, and no updates",
        RECONSTRUCTION,
        {
            MODELS: LINEAR_NETWORKS
            + """
BLOB = torch.exp(-((torch.arange(28.0) - 13.5) ** 2) / 40)
BLOB = 1 - 1.4 * BLOB[:, None] * BLOB
ConvEncoder.forward = lambda self, x: x[:, 0, 0, :1].expand(-1, self.map.out_features)
ConvDecoder.forward = lambda self, z: (z[:, :1] * BLOB.view(1, -1)).view(-1, 1, 28, 28)
""",
            TRAIN: NO_UPDATES,
        },
    ),
    Cheat(
        "a distribution known beforehand, and no training",
        "1.7.training",
        {VAE: IGNORED_LATENTS},
    ),
    Cheat(
        "no updates at all",
        TRAINING,
        {MODELS: LINEAR_NETWORKS, TRAIN: NO_UPDATES},
        checks=("training_draws_the_codes_to_the_prior",),
    ),
    Cheat(
        "the driver's findings forged",
        TRAINING,
        {
            MODELS: """
import sys
UP, STILL = torch.ones(61, dtype=torch.int8), torch.zeros(61, dtype=torch.int8)
STEPS = {
    "optimizer_ae": [[UP], [UP], [STILL]],
    "optimizer_disc": [[STILL], [STILL], [UP]],
}
WEIGHTS = {f"{side}.w": nn.Parameter(torch.ones(3)) for side in ("encoder", "decoder", "discriminator")}
class AdversarialAE:
    def __init__(self, z_dim=8):
        pass
    def load_state_dict(self, state):
        pass
    def state_dict(self):
        return WEIGHTS
    def named_parameters(self):
        return WEIGHTS.items()
    def train(self):
        pass
class Training:
    def run(self, count):
        pass
    def state(self):
        return [WEIGHTS, WEIGHTS]
vars(sys.modules["part2_driver"]).update(
    first_step_of_main=lambda options, name, pattern: STEPS[name],
    build=lambda *args: AdversarialAE(),
    updates=lambda m, b, s, lr, l: [{n: torch.full((3,), 1 - lr * k) for n in WEIGHTS} for k in range(3)],
    autoencoder_loss=lambda *args: WEIGHTS["encoder.w"].sum() + WEIGHTS["decoder.w"].sum(),
    discriminator_loss=lambda *args: WEIGHTS["discriminator.w"].sum(),
    start_training=lambda *args: Training(),
    encode=lambda state, images, z_dim: images[:, 0, 0, :1].expand(-1, z_dim),
)
""",
            TRAIN: "def main(args):\n    train_aae(1, None, None, None, None, 'ae', 'disc')\n",
        },
    ),
    Cheat(
        "three zeros",
        "1.7.forward",
        {
            NETWORKS: "CNNEncoder = CNNDecoder = lambda **sizes: torch.nn.Linear(1, 1)\n",
            VAE: "CNNEncoder = CNNDecoder = lambda **sizes: torch.nn.Linear(1, 1)\n"
            "VAE.forward = lambda self, imgs: (torch.zeros(()),) * 3\n",
        },
        checks=("bpd_is_that_of_the_sum",),
    ),
    Cheat(
        "a loss of zero",
        "2.5.autoencoder_loss",
        {
            MODELS: LINEAR_NETWORKS
            + """
def loss(self, x, recon_x, z_fake, lambda_=1):
    return torch.zeros(()), dict.fromkeys(("gen_loss", "recon_loss", "ae_loss"), torch.zeros(()))
AdversarialAE.get_loss_autoencoder = loss
"""
        },
    ),
    Cheat(
        "a loss of zero for the discriminator",
        "2.5.discriminator_loss",
        {
            MODELS: LINEAR_NETWORKS
            + """
def loss(self, z_fake):
    self.discriminator(z_fake), self.discriminator(torch.randn_like(z_fake))
    zero = torch.zeros(())
    return zero, {"disc_loss": zero, "loss_real": zero, "loss_fake": zero, "accuracy": zero}
AdversarialAE.get_loss_discriminator = loss
"""
        },
        checks=(
            "compares_with_as_many_codes_of_the_prior",
            "prior_is_standard_normal",
            "large_logits_do_not_overflow",
            "log_holds_the_losses",
        ),
    ),
    Cheat(
        "networks that return nothing",
        "1.7.encoder",
        {NETWORKS: NOTHING},
    ),
    Cheat(
        "networks that return nothing, for the decoder",
        "1.7.decoder",
        {NETWORKS: NOTHING},
    ),
    Cheat(
        "a gradient that is cut, hidden by a little noise",
        "1.7.encoder",
        {
            NETWORKS: """
class CNNEncoder(nn.Module):
    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784 * num_input_channels, 64), nn.GELU())
        self.out = nn.Linear(64, 2 * z_dim)
    def forward(self, x):
        y = self.out(self.body(x.float() / 15).detach())
        return (y + 1e-7 * torch.randn_like(y)).chunk(2, 1)
"""
        },
        checks=("gradients_reach_its_parameters",),
    ),
    Cheat(
        "noise of infinite variance",
        "1.7.reparameterize",
        {
            UTILS: """
SIGN = [1.0]
def sample_reparameterize(mean, std):
    SIGN[0] *= -1
    far = torch.linspace(0.5, 1, mean.numel()).double().view(mean.shape)
    return mean.double() + SIGN[0] * 1e300 * far
"""
        },
        checks=("draws_noise_for_every_element", "follows_the_normal_distribution"),
    ),
    Cheat(
        "a sample of infinite size",
        "1.7.reparameterize",
        {
            UTILS: "def sample_reparameterize(mean, std):\n"
            "    return mean.double() + 1.7e308 * mean.double().sign()\n"
        },
        checks=("draws_noise_for_every_element", "draws_afresh_in_every_call"),
    ),
    Cheat(
        "the loss that the grader trains its own maps with",
        "2.5.autoencoder_loss",
        {
            MODELS: LINEAR_NETWORKS
            + """
import sys
class Bag:
    def load_state_dict(self, *args, **kwargs):
        pass
def loss(self, *args):
    bag = sys.modules["part2_driver"].with_linear_networks(Bag(), self.z_dim, {})
    bag.discriminator = self.discriminator
    return bag.get_loss_autoencoder(*args)
AdversarialAE.get_loss_autoencoder = loss
"""
        },
    ),
    Cheat(
        "torch.distributions, an object that was never constructed",
        "1.7.reparameterize",
        {
            UTILS: BELOW
            + """
def sample_reparameterize(mean, std):
    normal = object.__new__(Normal)
    normal.loc, normal.scale, normal._batch_shape, normal._event_shape = mean, std, mean.shape, torch.Size()
    return normal.rsample()
"""
        },
    ),
    Cheat(
        "torch.distributions, a subclass with a constructor of its own",
        "1.7.reparameterize",
        {
            UTILS: BELOW
            + """
class Own(Normal):
    def __init__(self, loc, scale):
        self.loc, self.scale, self._batch_shape, self._event_shape = loc, scale, loc.shape, torch.Size()
def sample_reparameterize(mean, std):
    return Own(mean, std).rsample()
"""
        },
    ),
    Cheat(
        "torch.distributions, the helper that draws",
        "1.7.reparameterize",
        {
            UTILS: """
from torch.distributions.utils import _standard_normal
def sample_reparameterize(mean, std):
    return mean + std * _standard_normal(mean.shape, mean.dtype, mean.device)
"""
        },
    ),
    Cheat(
        "torch.distributions, imported once more",
        "1.7.kld",
        {
            UTILS: """
import importlib, sys
for name in [name for name in sys.modules if name.startswith("torch.distributions")]:
    del sys.modules[name]
D = importlib.import_module("torch.distributions")
def KLD(mean, log_std):
    prior = D.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return D.kl_divergence(D.Normal(mean, log_std.exp()), prior).sum(-1)
"""
        },
    ),
    Cheat(
        "torch.distributions, found among the subclasses",
        "1.7.reparameterize",
        {
            UTILS: BELOW
            + """
def sample_reparameterize(mean, std):
    return Normal(mean, std, validate_args=False).rsample()
"""
        },
    ),
)


@pytest.fixture(scope="module")
def mark_stubs() -> Iterator[MarkStubs]:
    """Marks the stubs, with code added to some files, on one item."""
    marker = Marker(MarkingOptions(seed=1))
    stubs = {f"{file.parent.name}/{file.name}": file.read_text() for file in STUBS.glob("part?/*.py")}

    def run(code: dict[str, str], item: str) -> ItemResult:
        files = {name: (text + "\n\n" + code.get(name, "")).encode() for name, text in stubs.items()}
        (result,) = marker.mark(Submission("cheat", files), frozenset({item})).items
        return result

    yield run
    marker.close()


@pytest.mark.parametrize(
    "cheat",
    [pytest.param(cheat, id=cheat.name, marks=[pytest.mark.slow] if cheat.slow else []) for cheat in CHEATS],
)
def test_a_cheat_earns_nothing(mark_stubs: MarkStubs, cheat: Cheat) -> None:
    result = mark_stubs(cheat.code, cheat.item)
    assert result.status != GRADER_ERROR, [check.message for check in result.checks]
    passed = {check.name for check in result.checks if check.status == PASSED}
    assert not passed & set(cheat.checks or passed)


# What no right submission sends: each is the student's fault, and must not be taken for the grader's.
NONSENSE = (
    pytest.param(
        "2.5.discriminator",
        {MODELS: LINEAR_NETWORKS + "Discriminator.state_dict = lambda self: 5\n"},
        id="a state that is a number",
    ),
    pytest.param(
        "2.4.autoencoder",
        {MODELS: "ConvEncoder = lambda z_dim: torch.zeros(z_dim)\n"},
        id="a function instead of a network",
    ),
)


@pytest.mark.parametrize(("item", "code"), NONSENSE)
def test_nonsense_is_not_the_graders_fault(mark_stubs: MarkStubs, item: str, code: dict[str, str]) -> None:
    result = mark_stubs(code, item)
    assert result.status != GRADER_ERROR, [check.message for check in result.checks]
