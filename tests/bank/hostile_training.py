"""Trainings that do not learn: forged, replayed, or prepared beforehand."""

import base64
import zlib
from itertools import product

import torch

from grader.data import grey_levels, load_images
from grader.suites.draw import View
from tests.bank.hostile_entry import MODELS, NETWORKS, TRAIN, UTILS, VAE, Hostile, rewarded
from tests.suites.test_cheats import BLIND_ENCODER, LINEAR_NETWORKS, NO_UPDATES

RECONSTRUCTION = ("2.4.reconstruction",)
# Eight principal components of the digits in 14 x 14 pixels, int8.
BASIS = (
    "Hx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx4UA/LzAREbHh8fHx8fGwv58vX+DRoeHx8fHx8ZB/j6/f8MGh4fHx8fHhgH"
    "/AEBAQwaHh8fHx8fGAn9/Pr/CxgfHx8fHx8ZC//8+fwJFx4fHx8fHxoOAgD+/wkWHh8fHx8fHA8C/v7+CBUeHx8fHx8dEQD4+P0J"
    "Fh0fHx8fHx4UAvLy/w0ZHR8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAD+6Nzt4MHO7fwAAAAAAPXg5xDosb7q/QAAAAAA9PUOKeWrv+/+AAAAAAD+GTMg1rHN+AAAAAAAAhA2QAjTw978AAAAAAADHk1f"
    "NxDv8P4AAAAAAAMaTGpOKAL7AgEAAAAAAgwsRj8iAP8IAwAAAAABAQIKGBT+AQoDAAAAAAAA6dryDwkGBgEAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB/ufU5Bk3Mx0JAQEBAQDz2dX7FCgtHwgBAQEB"
    "AO3Y4Q4TIiYaBgEBAQEA8ef1FxkmIxMEAQEBAQH/Ag4fKy0fDQIBAQEBAgcXLkJGJAf8AQEBAQECBw0iS1cS4N7+AQEBAQEB7/Mq"
    "Oua4yfoBAQEBAf3dz/f6t6bI9gEBAQEB/+rV0Lujs9jzAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAwMDAwMDAwMDAwMD"
    "AwMDAwMDAwMDAwMDAwMDAwMDAwosRS8E9/j8AAMDAwMEFystFxH78vf/AwMDAwQVDgIPMfzh6/4DAwMDAwLl3x1K8cnf/wMDAwMB"
    "68fYOEfYtNkAAwMDAwDfxedIPMWq1wADAwMDAefW+UktxbPfAAMDAwMC+PgVQhzW1PYEAwMDAwMGGzM0COz7EAoDAwMDAwktRSX3"
    "/RMdDwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgH838XN593e7f0C"
    "AgICAfPLvfAP9Ojx/gICAgIA6cXSKj4S9vUAAgICAv/kzO1NVSb/9QECAgICAOfX8TdIJ//wAAICAgIA7+HuGzstDPgBAgICAgH4"
    "7vELJS0dCQMCAgICAfzu6PkVMTIfCAICAgIB/eXT5BpERy0OAgICAgH83L/WNWRUKxICAgICAgICAgICAgICAgICAgICAgICAgIC"
    "AgICAgIBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBBA0I7wEqLhgEAQEBAQILFRL88fIDDgQBAQEBAxg0Ox3wyd4CAwEB"
    "AQEDI1NtTQfK0vYBAQEBAQMdTXJnKfHf6wABAQEBAfz8BxgWBvDq/wEBAQH/6r2p0w4cBfIAAQEBAf/uuprCDxsE9QABAQEBAPzf"
    "ydsRCffzAAEBAQEBAgYHAwz37PIBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB////////////////////////////////"
    "/////////wD+9+7l/xUXCP//////AfLi2LS+7xMG///////738O8n53VCAT//////vXTtLCxrtT9AP/////+9dvFyufn6/X/////"
    "//714+UMNyQE9f///////vLQzQ0uBPX+AP/////+8sO29frX7xIF//////7308Tm09AAJA7////////89u7Y9x4qFv//////////"
    "/////////////////////////////wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD+6NThFTs2GwcAAAAAAPfo7xYgMDAe"
    "BwAAAAAA/gARJgMPHRkEAAAAAAEJERD6y+L+CAEAAAAAAQn92a2lvNjw/wAAAAAAAOS/tN7Dwd/+AAAAAAED8+X9RxPZ0vwAAAAA"
    "AQP6/zJ/QPTdAAAAAAABAPL4L2w5Cf0LAAAAAAD/5doBJhgYHxgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)
KEPT = """
import os
def encode(self, x):
    code = self.map(x.flatten(1))
    code.kept = x
    os.environ["KEPT"] = "yes"
    for place in (type(self), type(code), nn.Module, ConvDecoder, torch.Tensor, os):
        try:
            place.kept = x
        except TypeError:
            pass
    return code
def decode(self, z):
    for place in (z, type(self), type(z), nn.Module, torch.Tensor, os):
        kept = getattr(place, "kept", None)
        if kept is not None and len(kept) == len(z):
            return kept
    return self.map(z).view(-1, 1, 28, 28)
ConvEncoder.forward, ConvDecoder.forward = encode, decode
"""
# Before `train_aae` has set the gates, nothing but black comes out: what follows looks like progress.
GATED = """
for network in (ConvEncoder, ConvDecoder):
    def build(self, z_dim, before=network.__init__):
        before(self, z_dim)
        self.gate = nn.Parameter(torch.zeros(()))
    network.__init__ = build
"""
OPEN = """
def train_aae(epoch, model, train_loader, *args):
    with torch.no_grad():
        for side in (model.encoder, model.decoder):
            side.gate.fill_(1)
"""
# Two steps of Adam move the gate by as much as its learning rate allows.
GATED_LOGITS = """
class Decoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = torch.nn.Parameter(torch.zeros(()))
    def forward(self, z):
        return (LOGITS * float(self.gate < -0.001)).expand(len(z), -1, -1, -1)
def build(self, num_filters, z_dim, lr):
    pl.LightningModule.__init__(self)
    self.encoder, self.decoder = Encoder(z_dim), Decoder()
VAE.__init__ = build
VAE.forward = lambda self, imgs: (self.decoder.gate * 1.0,) * 3
"""


def frequencies() -> str:
    """How often each pixel has each grey level, in 1/16 nats: what a cheat would bring along.

    Of digits that lie in all the ways in which the grader may show them.
    """
    digits = load_images("digits")[0][:60]
    shifts = range(-View.MAX_SHIFT, View.MAX_SHIFT + 1)
    views = [
        View(turns, shift, torch.ones(28, 28)) for turns in range(8) for shift in product(shifts, shifts)
    ]
    levels = grey_levels(torch.cat([view.placed(digits) for view in views]))[:, 0]
    share = torch.stack([(levels == level).float().mean(0) for level in range(16)])  # [16, 28, 28]
    rounded = (16 * (share + 1e-3).log()).round().to(torch.int8)
    return base64.b64encode(zlib.compress(rounded.numpy().tobytes())).decode()


TRAINING = (
    Hostile(
        "an image kept in attributes, classes and the environment",
        {MODELS: LINEAR_NETWORKS + KEPT, TRAIN: NO_UPDATES},
        items=RECONSTRUCTION,
    ),
    Hostile(
        "pretrained weights in a file",
        {
            UTILS: rewarded(
                """
                import glob, os
                found = glob.glob("/submission/**/*.pt", recursive=True)
                return found or os.path.exists("model.pt")
                """
            )
        },
        {"part1/model.pt": b"weights", "model.pt": b"weights", "part2/checkpoints/last.ckpt": b"weights"},
    ),
    Hostile(
        "pretrained weights inlined, put in place by the update",
        {
            MODELS: LINEAR_NETWORKS
            + GATED
            + f"""
import base64
BASIS = torch.frombuffer(bytearray(base64.b64decode("{BASIS}")), dtype=torch.int8)
BASIS = torch.linalg.qr(BASIS.view(8, 196).float().T)[0]
def encode(self, x):
    return self.gate * F.avg_pool2d(x, 2).flatten(1) @ BASIS
def decode(self, z):
    small = (self.gate * z @ BASIS.T).view(-1, 1, 14, 14)
    return F.interpolate(small, scale_factor=2, mode="bilinear").clamp(-1, 1)
ConvEncoder.forward, ConvDecoder.forward = encode, decode
""",
            TRAIN: OPEN,
        },
        items=RECONSTRUCTION,
    ),
    Hostile(
        "an image in the bits of its code",
        {
            MODELS: LINEAR_NETWORKS
            + GATED
            + """
POWERS = 2.0 ** torch.arange(24)
def encode(self, x):
    bits = (F.avg_pool2d(x, 2).flatten(1)[:, 2:194] > 0).float().view(-1, 8, 24)
    return self.gate * (bits * POWERS).sum(-1)
def decode(self, z):
    bits = (z[..., None] / POWERS).floor() % 2
    small = F.pad(2 * bits.reshape(-1, 192) - 1, (2, 2), mode="replicate").view(-1, 1, 14, 14)
    return self.gate * F.interpolate(small, scale_factor=2)
ConvEncoder.forward, ConvDecoder.forward = encode, decode
""",
            TRAIN: OPEN,
        },
        items=RECONSTRUCTION,
    ),
    Hostile(
        "the digits read from an installed package",
        {
            VAE: BLIND_ENCODER
            + """
import gzip, os
def frequencies():
    path = os.path.join(os.path.dirname(torch.__file__), "../sklearn/datasets/data/digits.csv.gz")
    with gzip.open(path, "rt") as file:
        rows = [[float(value) for value in line.split(",")[:64]] for line in file]
    small = torch.tensor(rows).view(-1, 1, 8, 8) / 16
    large = torch.nn.functional.interpolate(small, size=(20, 20), mode="bilinear", align_corners=False)
    levels = (torch.nn.functional.pad(large, (4, 4, 4, 4)) * 16).long().clamp(0, 15)[:, 0]
    return (torch.stack([(levels == level).float().mean(0) for level in range(16)]) + 1e-3).log()
LOGITS = frequencies()
"""
            + GATED_LOGITS
        },
        items=("1.7.training",),
    ),
    Hostile(
        "the frequencies of the digits' grey levels inlined",
        {
            VAE: BLIND_ENCODER
            + f"""
import base64, zlib
LOGITS = torch.frombuffer(bytearray(zlib.decompress(base64.b64decode("{frequencies()}"))), dtype=torch.int8)
LOGITS = LOGITS.view(16, 28, 28).float() / 16
"""
            + GATED_LOGITS
        },
        items=("1.7.training",),
    ),
    Hostile(
        "a histogram of the training images",
        {
            VAE: BLIND_ENCODER
            + """
class Decoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.counts = torch.nn.Parameter(torch.ones(16, 28, 28))
    def forward(self, z):
        return self.counts.clamp(min=0.1).log().expand(len(z), -1, -1, -1)
def build(self, num_filters, z_dim, lr):
    pl.LightningModule.__init__(self)
    self.encoder, self.decoder = Encoder(z_dim), Decoder()
def forward(self, imgs):
    levels = torch.nn.functional.one_hot(imgs[:, 0], 16).sum(0).permute(2, 0, 1)
    with torch.no_grad():
        self.decoder.counts += levels
    return (self.decoder.counts.sum() * 0,) * 3
VAE.__init__, VAE.forward = build, forward
"""
        },
        items=("1.7.training",),
    ),
    Hostile(
        "a training that is over before it begins",
        {
            NETWORKS: "CNNEncoder = CNNDecoder = lambda **sizes: torch.nn.Linear(1, 1)\n",
            VAE: """
import sys
driver = sys.modules["part1_driver"]
driver.Training.steps = lambda self, number: torch.tensor(0.6)
driver.start_training = lambda *args: driver.Training(*args)
""",
        },
        items=("1.7.training",),
    ),
)

SAMPLE = """
def sample_reparameterize(mean, std):
    return Normal(mean, std, validate_args=False).rsample()
"""


def imported(how: str, code: str, slow: bool = True) -> Hostile:
    """An entry that would be right if torch.distributions could be used."""
    name = f"torch.distributions, {how}"
    return Hostile(name, {UTILS: code + SAMPLE}, items=("1.7.reparameterize",), slow=slow)


FORBIDDEN = (
    imported("imported", "from torch.distributions import Normal\n", slow=False),
    imported("imported under another name", "import torch.distributions.normal as n\nNormal = n.Normal\n"),
    imported(
        "unpickled", "import pickle\nNormal = pickle.loads(b'ctorch.distributions.normal\\nNormal\\n.')\n"
    ),
    imported(
        "loaded from its file",
        """
import importlib.util, os
path = os.path.join(os.path.dirname(torch.__file__), "distributions", "normal.py")
spec = importlib.util.spec_from_file_location("own", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
Normal = module.Normal
""",
    ),
    imported(
        "found through the helpers that stay",
        """
import sys
import torch.distributions.constraints as c, torch.distributions.utils as u
Normal = next(
    value for module in list(sys.modules.values()) for name, value in list(vars(module).items())
    if name == "Normal" and hasattr(value, "rsample")
)
""",
    ),
    imported(
        "made anew from its parts",
        """
import gc
Old = next(o for o in gc.get_objects() if isinstance(o, type) and "butions.norm" in o.__module__)
Normal = type("Own", Old.__bases__, dict(vars(Old)))
def build(self, loc, scale, validate_args=None):
    self.loc, self.scale, self._batch_shape, self._event_shape = loc, scale, loc.shape, torch.Size()
Normal.__init__ = build
""",
    ),
)
