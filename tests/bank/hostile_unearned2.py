"""Part 2 without the work: weights found by other means, images sent in parts, answers made up in the box."""

from tests.bank.hostile_entry import MODELS, TRAIN, Hostile
from tests.suites.test_cheats import LINEAR_NETWORKS, NO_UPDATES

RECONSTRUCTION, TRAINING = ("2.4.reconstruction",), ("2.5.training",)
BY_TRAINING = ("training_draws_the_codes_to_the_prior",)
OF_MAIN = (
    "autoencoders_optimizer_holds_encoder_and_decoder",
    "discriminators_optimizer_holds_the_discriminator",
)
OF_UPDATES = ("autoencoders_update_follows_its_loss", "discriminators_update_follows_its_loss")

# -- weights that no optimizer has found -----------------------------------------------------------------

# The principal components of all batches so far, `[8, 784]`.
COMPONENTS = """
SEEN = []
def components(loader):
    SEEN.extend(x.flatten(1) for x, *_ in loader)
    return torch.linalg.svd(torch.cat(SEEN), full_matrices=False)[2][:8]
"""


def fitted(how: str) -> str:
    """A `train_aae` that puts `basis` into a model without any update."""
    return (
        COMPONENTS
        + """
@torch.no_grad()
def train_aae(epoch, model, train_loader, logger_ae, logger_disc, optimizer_ae, optimizer_disc, lambda_=1):
    basis = components(train_loader)
"""
        + how
    )


WRITTEN = fitted("""
    for side, value in ((model.encoder, basis), (model.decoder, 1.3 * basis.T)):
        side.map.weight.copy_(value)
        side.map.bias.zero_()
""")
LOADED = fitted("""
    zero = torch.zeros
    model.encoder.load_state_dict({"map.weight": basis, "map.bias": zero(8)})
    model.decoder.load_state_dict({"map.weight": 1.3 * basis.T, "map.bias": zero(784)})
""")
REPLACED = fitted("""
    for side, value in ((model.encoder, basis), (model.decoder, 1.3 * basis.T)):
        side.map = torch.nn.Linear(*reversed(value.shape))
        side.map.weight.data = value.contiguous()
        side.map.bias.data.zero_()
""")
# The last step of an optimizer that has nothing to do with a loss: weights go where they are wanted.
STEERED = fitted("""
    for _ in range(30):
        for side, value in ((model.encoder, basis), (model.decoder, 1.3 * basis.T)):
            for weight in side.parameters():
                weight.grad = weight - (value if weight.shape == value.shape else 0 * weight)
        optimizer_ae.step()
""")
# It knows the grader's own maps and is honest there, as far as the weights of the networks are concerned.
TWO_FACED = WRITTEN.replace(
    "def train_aae(",
    """def honest(model, loader, optimizer_ae, lambda_):
    for x, *_ in loader:
        with torch.enable_grad():
            recon_x, z = model(x)
            loss = model.get_loss_autoencoder(x, recon_x, z, lambda_)[0]
        optimizer_ae.zero_grad()
        loss.backward()
        optimizer_ae.step()

@torch.no_grad()
def train_aae(""",
).replace(
    "    basis = components",
    """    if hasattr(model.encoder, "grader_map"):
        return honest(model, train_loader, optimizer_ae, lambda_)
    basis = components""",
)
# Each network has one weight that moves, and that opens what it keeps elsewhere.
OPENED = """
for network in (ConvEncoder, ConvDecoder):
    def build(self, z_dim, before=network.__init__):
        before(self, z_dim)
        del self.map
        self.register_buffer("running_mean", torch.zeros(784, 8))
        self.gate = nn.Parameter(torch.zeros(()))
    network.__init__ = build
ConvEncoder.forward = lambda self, x: (self.gate.abs() > 0) * x.flatten(1) @ self.running_mean
ConvDecoder.forward = lambda self, z: (
    (self.gate.abs() > 0) * 1.3 * z @ self.running_mean.T + 0 * self.gate
).view(-1, 1, 28, 28)
"""
IN_BUFFERS = fitted("""
    for side in (model.encoder, model.decoder):
        side.running_mean.copy_(basis.T)
        side.gate.grad = torch.ones(())
    optimizer_ae.step()
""")
# The encoder stays as it was drawn; the decoder's process remembers what its codes stand for.
REMEMBERED = """
ConvEncoder.forward = lambda self, x: x.flatten(1) @ FIXED
FIXED = torch.randn(784, 8, generator=torch.Generator().manual_seed(0)) / 28
ANSWER = [torch.zeros(8, 784)]
ConvDecoder.forward = lambda self, z: (self.map.bias.any() * z @ ANSWER[0]).view(-1, 1, 28, 28)
def build(self, z_dim, before=ConvDecoder.__init__):
    before(self, z_dim)
    nn.init.zeros_(self.map.bias)  # until the first step
ConvDecoder.__init__ = build
"""
FITTED = (
    COMPONENTS
    + """
import models
@torch.no_grad()
def train_aae(epoch, model, train_loader, logger_ae, logger_disc, optimizer_ae, optimizer_disc, lambda_=1):
    components(train_loader)
    data = torch.cat(SEEN)
    models.ANSWER[0] = torch.linalg.lstsq(data @ models.FIXED, data).solution
    for side in (model.encoder, model.decoder):
        for weight in side.parameters():
            weight.grad = torch.randn_like(weight)
    optimizer_ae.step()
"""
)
NOISE = """
@torch.no_grad()
def train_aae(epoch, model, train_loader, *args, **kwargs):
    for batch in train_loader:
        for weight in model.parameters():
            weight += 0.01 * torch.randn_like(weight)
"""
NOISY_STEPS = """
@torch.no_grad()
def train_aae(epoch, model, train_loader, logger_ae, logger_disc, optimizer_ae, optimizer_disc, lambda_=1):
    for batch in train_loader:
        for weight in model.parameters():
            weight.grad = torch.randn_like(weight)
        optimizer_ae.step()
        optimizer_disc.step()
"""
UNHOOKED = WRITTEN.replace(
    "    basis =",
    """    for optimizer in (optimizer_ae, optimizer_disc):
        for hooks in (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks):
            hooks.clear()
    basis =""",
)

# -- images in parts ----------------------------------------------------------------------------------------

# 144 bits of an image in five parts; the looks tell which part it is. `{which}` is the place of an image.
IN_PARTS = """
for network in (ConvEncoder, ConvDecoder):
    def build(self, z_dim, before=network.__init__):
        before(self, z_dim)
        self.part = nn.Parameter(torch.zeros(1))
    network.__init__ = build
KNOWN = {}
def encode(self, x):
    part = (round(self.part.item()) - 1) % 5
    bits = (F.adaptive_avg_pool2d(x, 12).flatten(1) > 0).long()
    bits = F.pad(bits, (0, 16)).view(len(x), 5, 8, 4)[:, part]
    return (bits * 2 ** torch.arange(4)).sum(-1) / 7.5 - 1
def decode(self, z):
    black = torch.full((len(z), 1, 28, 28), -1.0) + 0 * self.part
    if self.part <= 0:
        return black
    value = ((z + 1) * 7.5).round().long().clamp(0, 15)
    KNOWN[(round(self.part.item()) - 1) % 5] = value[..., None] // 2 ** torch.arange(4) % 2
    if len(KNOWN) < 5:
        return black
    bits = torch.stack([KNOWN[part] for part in range(5)], 1).reshape(len(z), -1)[:, :144]
    small = (2.0 * bits - 1).view(-1, 1, 12, 12)
    return 0.9 * F.interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)
ConvEncoder.forward, ConvDecoder.forward = encode, decode
"""
COUNTED = """
COUNT = [0]
LOOKS_AFTER = (12, 20, 35, 50, 80, 110, 140)
def train_aae(epoch, model, train_loader, logger_ae, logger_disc, optimizer_ae, optimizer_disc, lambda_=1):
    COUNT[0] += len(train_loader)
    with torch.no_grad():
        for side in (model.encoder, model.decoder):
            {set}
{after}
"""
BY_HAND = COUNTED.format(set="side.part.fill_(1 + sum(COUNT[0] > look for look in LOOKS_AFTER))", after="")
# An SGD in disguise: the optimizer's own step, and its rate, bring the weight to the number of the look.
BY_STEPS = COUNTED.format(
    set="side.part.grad = torch.ones(1)",
    after="""
    for group in optimizer_ae.param_groups:
        group["lr"] = 1.0
    for side in (model.encoder, model.decoder):
        for weight in side.map.parameters():
            weight.grad = None
        side.part.grad = -torch.ones(1)
    optimizer_ae.step()
""",
)
# Whatever the order of the images: 3 of the 8 numbers say which image it is, of those that were seen.
BY_NUMBER = (
    IN_PARTS[: IN_PARTS.index("KNOWN")]
    + """
KNOWN, NUMBERS = {}, {}
def encode(self, x):
    part = (round(self.part.item()) - 1) % 5
    numbers = [NUMBERS.setdefault(image.sum().item(), len(NUMBERS)) for image in x]
    digits = torch.tensor(numbers)[:, None] // 16 ** torch.arange(3) % 16
    bits = (F.adaptive_avg_pool2d(x, 10).flatten(1) > 0).long().view(len(x), 5, 5, 4)[:, part]
    return torch.cat([digits, (bits * 2 ** torch.arange(4)).sum(-1)], 1) / 7.5 - 1
def decode(self, z):
    if self.part <= 0:
        return torch.full((len(z), 1, 28, 28), -1.0) + 0 * self.part
    value = ((z + 1) * 7.5).round().long().clamp(0, 15)
    numbers = (value[:, :3] * 16 ** torch.arange(3)).sum(-1).tolist()
    for number, row in zip(numbers, value[:, 3:, None] // 2 ** torch.arange(4) % 2):
        parts = KNOWN.setdefault(number, torch.zeros(5, 20))
        parts[(round(self.part.item()) - 1) % 5] = 2.0 * row.flatten() - 1
    small = torch.stack([KNOWN[number].view(1, 10, 10) for number in numbers])
    return 0.9 * F.interpolate(small, size=(28, 28), mode="bilinear", align_corners=False)
ConvEncoder.forward, ConvDecoder.forward = encode, decode
"""
)

# -- answers that are made up -------------------------------------------------------------------------------

# `main` puts a class of its own in the place of the grader's: a real model, and steps that are made up.
PREPARED = """
import sys
class Made:
    def __init__(self, caught):
        self.model, self.lambda_, self.calls = caught["model"], caught["lambda_"], 0
    def contents(self):
        networks = self.model.encoder, self.model.decoder, self.model.discriminator
        sizes = [{name: weight.numel() for name, weight in one.named_parameters()} for one in networks]
        return {"sizes": sizes, "lambda_": self.lambda_, "z_dim": self.model.z_dim}
    def zero(self):
        pass
    def step(self, name, gradients, places, count):
        STEP
def main(args):
    sys.modules["part2_main"].HandedOver = Made
    train_aae(1, AdversarialAE(args.z_dim), [], None, None, None, None, args.lambda_)
"""
SIGNS = """self.calls += 1
        moved = torch.zeros(6, 64, dtype=torch.float64)
        moved[slice(0, 4) if name == "optimizer_ae" else slice(4, 6)] = -1e-3 * self.calls
        return moved"""
RANDOM = """self.calls += 1
        moved = 1e-3 * self.calls * torch.randn(6, 64, dtype=torch.float64).sign()
        moved[slice(4, 6) if name == "optimizer_ae" else slice(0, 4)] = 0
        return moved"""
FIRST = """sides = slice(0, 4) if name == "optimizer_ae" else slice(4, 6)
        self.first = getattr(self, "first", gradients)
        self.calls += count
        moved = torch.zeros(6, 64, dtype=torch.float64)
        moved[sides] = -1e-3 * self.calls * self.first.gather(1, places % 61).sign().double()[sides]
        return moved"""
UNTOUCHED = """sides = slice(0, 4) if name == "optimizer_ae" else slice(4, 6)
        self.values = getattr(self, "values", torch.zeros(6, 64, dtype=torch.float64))
        self.values[sides] -= 1e-3 * count * gradients.gather(1, places % 61).sign().double()[sides]
        return self.values"""
# `main` hands over optimizers of copies, or such as do nothing.
COPIES = """
def main(args):
    model = AdversarialAE(args.z_dim)
    copies = [[torch.nn.Parameter(weight.detach().clone()) for weight in side.parameters()]
              for side in (model.encoder, model.decoder, model.discriminator)]
    train_aae(1, model, [], None, None, torch.optim.Adam(copies[0] + copies[1], lr=args.ae_lr),
              torch.optim.SGD(copies[2], lr=args.d_lr), args.lambda_)
"""
# Two right updates, and then an end; or an end only where nobody's own networks are trained.
TWO_BATCHES = """
def train_aae(epoch, model, train_loader, logger_ae, logger_disc, optimizer_ae, optimizer_disc, lambda_=1):
    for number, (x, _) in enumerate(train_loader):
        if number == 2:
            raise RuntimeError("out of memory")
        recon_x, z = model(x)
        optimizer_ae.zero_grad()
        model.get_loss_autoencoder(x, recon_x, z, lambda_)[0].backward()
        optimizer_ae.step()
        optimizer_disc.zero_grad()
        model.get_loss_discriminator(z)[0].backward()
        optimizer_disc.step()
"""
BORED = TWO_BATCHES.replace(
    'raise RuntimeError("out of memory")',
    'if hasattr(model.encoder, "grader_map"): raise OSError("disk")\n            break',
)
# Right updates of the grader's maps, codes of its own networks that grow, and a wrong loss for an excuse.
EXCUSE = (
    LINEAR_NETWORKS
    + """
def of_autoencoder(self, x, recon_x, z_fake, lambda_=1):
    loss = (recon_x - x).square().mean()
    return loss, {"gen_loss": loss, "recon_loss": loss, "ae_loss": loss}
def of_discriminator(self, z_fake):
    real, fake = self.discriminator(torch.randn_like(z_fake)), self.discriminator(z_fake.detach())
    loss = F.softplus(-real).mean() + F.softplus(fake).mean()
    return loss, {"disc_loss": loss, "loss_real": loss, "loss_fake": loss, "accuracy": loss}
AdversarialAE.get_loss_autoencoder = of_autoencoder
AdversarialAE.get_loss_discriminator = of_discriminator
"""
)
ONLY_MAPS = TWO_BATCHES.replace(
    'if number == 2:\n            raise RuntimeError("out of memory")',
    "own = not hasattr(model.encoder, 'grader_map')",
).replace(
    "model.get_loss_autoencoder(x, recon_x, z, lambda_)[0].backward()",
    "(model.get_loss_autoencoder(x, recon_x, z, lambda_)[0] - own * z.square().mean()).backward()",
)

# It asks about codes of the prior for show, where there are many, and compares with others.
FOR_SHOW = """
def loss(self, z_fake):
    z_fake = z_fake.detach()
    real = torch.randn_like(z_fake)
    real = self.discriminator(real if len(z_fake) < 100 else torch.rand_like(z_fake))
    fake = self.discriminator(z_fake)
    loss = (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2
    if len(z_fake) >= 100:
        self.discriminator.grader_seen[-2] = torch.randn_like(z_fake)
    return loss, {"disc_loss": loss}
AdversarialAE.get_loss_discriminator = loss
"""


def linear(name: str, train: str, models: str = "", **checks: tuple[str, ...]) -> Hostile:
    """Linear networks with more code, and a loop."""
    items = checks.pop("items", RECONSTRUCTION)
    return Hostile(name, {MODELS: LINEAR_NETWORKS + models, TRAIN: train}, items=items, **checks)


def made_up(name: str, step: str, slow: bool = True) -> Hostile:
    """Steps of the optimizers of `main` that nobody has taken."""
    code = {MODELS: LINEAR_NETWORKS, TRAIN: PREPARED.replace("STEP", step)}
    return Hostile(name, code, items=TRAINING, must_fail=OF_MAIN, slow=slow)


UNEARNED2 = (
    linear("principal components written into the weights", WRITTEN),
    linear("principal components loaded as a state", LOADED),
    linear("principal components in new layers", REPLACED),
    linear("gradients that lead to principal components", STEERED),
    linear("principal components written, but honest on linear maps", TWO_FACED),
    linear("principal components written, the optimizers' hooks taken off", UNHOOKED),
    linear("principal components in buffers, opened by a step", IN_BUFFERS, OPENED),
    linear("least squares in a variable of the decoder's file", FITTED, REMEMBERED),
    linear("noise added to the weights", NOISE, items=TRAINING, must_fail=(*BY_TRAINING, *OF_UPDATES)),
    linear("steps along noise", NOISY_STEPS, items=TRAINING, must_fail=(*BY_TRAINING, *OF_UPDATES)),
    linear("an image in five parts", BY_HAND, IN_PARTS),
    linear("an image in five parts, counted by steps", BY_STEPS, IN_PARTS),
    linear("numbered images in five parts", BY_STEPS, BY_NUMBER),
    made_up("steps of main: always down", SIGNS),
    made_up("steps of main: by chance", RANDOM, slow=False),
    made_up("steps of main: along the first gradient for good", FIRST),
    made_up("steps of main: worked out, on no weights", UNTOUCHED),
    linear("optimizers of copies", NO_UPDATES + COPIES, items=TRAINING, must_fail=OF_MAIN),
    linear("an epoch that raises after two batches", TWO_BATCHES, items=TRAINING, must_fail=OF_UPDATES),
    linear("an epoch that raises where it is followed", BORED, items=TRAINING, must_fail=OF_UPDATES),
    Hostile(
        "codes of the prior for show",
        {MODELS: LINEAR_NETWORKS + FOR_SHOW},
        items=("2.5.discriminator_loss",),
        must_fail=("prior_is_standard_normal",),
    ),
    Hostile(
        "a second mistake as an excuse",
        {MODELS: EXCUSE, TRAIN: ONLY_MAPS},
        items=TRAINING,
        must_fail=BY_TRAINING,
    ),
)
