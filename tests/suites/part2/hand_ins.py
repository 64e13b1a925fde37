"""Networks and losses of part 2 in the styles of real hand-ins, right and wrong, in words of our own."""

from textwrap import dedent, indent

from tests.suites.part2.variants import (
    AE_LOSS,
    AUTOENCODER,
    DISC_LOSS,
    DISCRIMINATOR,
    LAST_LINEAR,
    MODELS,
    RECONSTRUCTION,
    TRAINING,
    right,
    wrong,
)
from tests.suites.variants import solution

SOURCE = solution("part2")[MODELS].decode()
HE = "\n        self.net.apply(he_initialization)"
IMPORTS = "import torch.nn.functional as F\n"


def answer(to: str, code: str) -> tuple[str, str]:
    """The edit that puts other code in the place of the answer to a question in models.py."""
    _, _, rest = SOURCE.partition(f"        # BEGIN SOLUTION {to}\n")
    old, end, _ = rest.partition("        # END SOLUTION")
    assert end, to
    begin = f"# BEGIN SOLUTION {to}\n"
    return begin + old, begin + indent(dedent(code).strip("\n") + "\n", " " * 8)


def encoder(layers: str, forward: str = "return self.net(x)") -> tuple[tuple[str, str], ...]:
    """Another encoder."""
    return answer("2.4: ConvEncoder, the layers", layers), answer("2.4: ConvEncoder, forward", forward)


def decoder(layers: str, forward: str = "return self.net(z)") -> tuple[tuple[str, str], ...]:
    """Another decoder."""
    return answer("2.4: ConvDecoder, the layers", layers), answer("2.4: ConvDecoder, forward", forward)


def discriminator(layers: str, forward: str = "return self.net(z)") -> tuple[tuple[str, str], ...]:
    """Another discriminator."""
    return answer("2.5: Discriminator, the layers", layers), answer("2.5: Discriminator, forward", forward)


def of_autoencoder(code: str) -> tuple[str, str]:
    """Another loss of the autoencoder."""
    return answer("2.5: get_loss_autoencoder", code)


def of_discriminator(code: str) -> tuple[str, str]:
    """Another loss of the discriminator."""
    return answer("2.5: get_loss_discriminator", code)


AE_TAIL = """
ae_loss = lambda_ * recon_loss + (1 - lambda_) * gen_loss
return ae_loss, {"gen_loss": gen_loss, "recon_loss": recon_loss, "ae_loss": ae_loss}
"""
DISC_HEAD = """
real = self.discriminator(torch.randn_like(z_fake))
fake = self.discriminator(z_fake.detach())
"""
DISC_TAIL = """
disc_loss = loss_real + loss_fake
accuracy = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
log = {"disc_loss": disc_loss, "loss_real": loss_real, "loss_fake": loss_fake, "accuracy": accuracy}
return disc_loss, log
"""
BCE = "F.binary_cross_entropy_with_logits"
RECON = "recon_loss = F.mse_loss(recon_x, x)\n"


def generator(gen_loss: str, recon: str = RECON) -> tuple[str, str]:
    """A loss of the autoencoder with this term for the generator."""
    return of_autoencoder(recon + "logits = self.discriminator(z_fake)\ngen_loss = " + gen_loss + AE_TAIL)


def both(loss_real: str, loss_fake: str, head: str = DISC_HEAD, tail: str = DISC_TAIL) -> tuple[str, str]:
    """A loss of the discriminator with these two terms."""
    return of_discriminator(f"{head}loss_real = {loss_real}\nloss_fake = {loss_fake}\n{tail}")


REAL_TERM, FAKE_TERM = f"{BCE}(real, torch.ones_like(real))", f"{BCE}(fake, torch.zeros_like(fake))"
GEN_TERM = f"{BCE}(logits, torch.ones_like(logits))"


def narrow(filters: int, activation: str) -> tuple[tuple[str, str], ...]:
    """Networks of so few filters, with the weights that PyTorch starts with and inputs in [0, 1]."""
    c, a = filters, f"nn.{activation}()"
    return (
        *encoder(
            f"""
            self.net = nn.Sequential(
                nn.Conv2d(1, {c}, 3, stride=2, padding=1), {a},
                nn.Conv2d({c}, {c}, 3, padding=1), {a},
                nn.Conv2d({c}, {2 * c}, 3, stride=2, padding=1), {a},
                nn.Conv2d({2 * c}, {2 * c}, 3, padding=1), {a},
                nn.Conv2d({2 * c}, {2 * c}, 3, stride=2, padding=1), {a},
                nn.Flatten(), nn.Linear({32 * c}, z_dim),
            )
            """,
            "return self.net((x + 1) / 2)",
        ),
        *decoder(
            f"""
            self.net = nn.Sequential(
                nn.Linear(z_dim, {32 * c}), {a}, nn.Unflatten(1, ({2 * c}, 4, 4)),
                nn.ConvTranspose2d({2 * c}, {2 * c}, 3, stride=2, padding=1), {a},
                nn.Conv2d({2 * c}, {2 * c}, 3, padding=1), {a},
                nn.ConvTranspose2d({2 * c}, {c}, 3, stride=2, padding=1, output_padding=1), {a},
                nn.Conv2d({c}, {c}, 3, padding=1), {a},
                nn.ConvTranspose2d({c}, 1, 3, stride=2, padding=1, output_padding=1), nn.Tanh(),
            )
            """
        ),
    )


MLP = (
    *encoder(
        """
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 256), nn.LayerNorm(256), nn.SiLU(), nn.Linear(256, z_dim)
        )
        """
    ),
    *decoder(
        """
        self.net = nn.Sequential(
            nn.Linear(z_dim, 256), nn.LayerNorm(256), nn.SiLU(), nn.Linear(256, 784), nn.Tanh()
        )
        """,
        "return self.net(z).reshape(-1, 1, 28, 28)",
    ),
)
RESIDUAL = (
    (
        "class ConvEncoder(",
        dedent(
            """
            class ResidualBlock(nn.Module):
                def __init__(self, channels):
                    super().__init__()
                    self.body = nn.Sequential(
                        nn.GroupNorm(4, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)
                    )

                def forward(self, x):
                    return x + self.body(x)


            class ConvEncoder("""
        ).lstrip("\n"),
    ),
    *encoder(
        """
        self.stem = nn.Conv2d(1, 16, 3, padding=1)
        self.blocks = nn.ModuleList([ResidualBlock(16), ResidualBlock(16)])
        self.downs = nn.ModuleList([nn.Conv2d(16, 16, 4, stride=2, padding=1) for _ in range(2)])
        self.head = nn.Linear(16 * 49, z_dim)
        """,
        """
        h = self.stem(x)
        for block, down in zip(self.blocks, self.downs):
            h = down(block(h))
        return self.head(h.reshape(h.shape[0], -1))
        """,
    ),
    *decoder(
        """
        self.start = nn.Linear(z_dim, 16 * 49)
        self.block = ResidualBlock(16)
        self.ups = nn.ModuleList([nn.Conv2d(16, 64, 3, padding=1), nn.Conv2d(16, 64, 3, padding=1)])
        self.shuffle = nn.PixelShuffle(2)
        self.last = nn.Conv2d(16, 1, 3, padding=1)
        """,
        """
        h = self.block(self.start(z).view(-1, 16, 7, 7))
        for up in self.ups:
            h = F.silu(self.shuffle(up(h)))
        return torch.tanh(self.last(h))
        """,
    ),
)
UPSAMPLED = (
    *encoder(
        """
        layers, channels = [], 1
        for width in (16, 32, 32):
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1)]
            layers += [nn.BatchNorm2d(width), nn.LeakyReLU(0.2)]
            channels = width
        self.features = nn.Sequential(*layers)
        self.score = nn.Conv2d(32, 1, 1)
        self.code = nn.Linear(32, z_dim)
        """,
        """
        h = self.features(x).flatten(2)  # [B, 32, 16]
        attention = self.score(h.unflatten(2, (4, 4))).flatten(2).softmax(dim=2)  # [B, 1, 16]
        positions = torch.linspace(-1, 1, h.shape[2], device=h.device)
        return self.code((h * attention).sum(dim=2) + (h * positions).mean(dim=2))
        """,
    ),
    *decoder(
        """
        self.linear = nn.Linear(z_dim, 32 * 7 * 7)
        self.convs = nn.Sequential(
            nn.BatchNorm2d(32), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, padding=1),
            nn.BatchNorm2d(16), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 3, padding=1),
        )
        """,
        "return 2 * self.convs(self.linear(z).view(len(z), 32, 7, 7)).sigmoid() - 1",
    ),
)
BY_HAND = """
with torch.no_grad():
    shape = self.discriminator(torch.randn_like(z_fake)).shape
real, fake = self.discriminator(torch.randn_like(z_fake)), self.discriminator(z_fake.detach())
"""
CAT = f"""
codes = torch.cat([torch.randn(z_fake.size(), device=z_fake.device), z_fake.detach()], dim=0)
logits = self.discriminator(codes)
real, fake = logits.split(len(z_fake))
labels = torch.cat([real.new_ones(real.shape), fake.new_zeros(fake.shape)])
disc_loss = {BCE}(logits, labels)
loss_real, loss_fake = {BCE}(real, labels[: len(real)]), {BCE}(fake, labels[len(real) :])
accuracy = ((logits > 0) == labels.bool()).double().mean()
log = {{"disc_loss": disc_loss, "loss_real": loss_real, "loss_fake": loss_fake, "accuracy": accuracy}}
return disc_loss, log
"""
PROBABILITIES = """
real = torch.sigmoid(self.discriminator(torch.randn_like(z_fake)))
fake = torch.sigmoid(self.discriminator(z_fake.detach()))
"""
PROBABLE_TAIL = DISC_TAIL.replace("real > 0)", "real > 0.5)").replace("fake < 0)", "fake < 0.5)")
DOUBLE = (IMPORTS, IMPORTS + "\ntorch.set_default_dtype(torch.float64)\n")

RIGHT = (
    right(
        "the discriminator asked for the shape of its labels",
        generator(f"{BCE}(logits, torch.ones(self.discriminator(z_fake).shape))"),
        both(f"{BCE}(real, torch.ones(shape))", f"{BCE}(fake, torch.zeros(shape))", BY_HAND),
    ),
    right(
        "the discriminator asked again for a log",
        generator(GEN_TERM.replace("F.", "(self.discriminator(z_fake).sigmoid().mean(), F.") + ")[1]"),
        both(
            REAL_TERM,
            FAKE_TERM,
            DISC_HEAD + "probe = self.discriminator(torch.zeros_like(z_fake[:1])).item()\n",
        ),
    ),
    right("three filters, GELU", *narrow(3, "GELU")),
    right("three filters, tanh", *narrow(3, "Tanh")),
    right("three filters, ReLU", *narrow(3, "ReLU")),
    right(
        "log(sigmoid) with a small number added",
        generator("-torch.log(torch.sigmoid(logits) + 1e-6).mean()"),
        both(
            "-torch.log(real + 1e-6).mean()",
            "-torch.log(1 - fake + 1e-6).mean()",
            PROBABILITIES,
            PROBABLE_TAIL,
        ),
    ),
    right(
        "BCELoss of a sigmoid",
        generator("nn.BCELoss()(torch.sigmoid(logits), logits.new_ones(logits.shape))"),
        both(
            "nn.BCELoss()(real, torch.full_like(real, 1.0))",
            "nn.BCELoss()(fake, torch.full_like(fake, 0.0))",
            PROBABILITIES,
            PROBABLE_TAIL,
        ),
    ),
    right(
        "logsigmoid, and clamped probabilities",
        generator("-F.logsigmoid(logits).mean()"),
        both(
            "-real.clamp(1e-7, 1 - 1e-7).log().mean()",
            "-(1 - fake.clamp(1e-7, 1 - 1e-7)).log().mean()",
            PROBABILITIES,
            PROBABLE_TAIL,
        ),
    ),
    right("one cross-entropy of real and fake together", of_discriminator(CAT)),
    right("double precision as the default", DOUBLE, ("return self.net(x)", "return self.net(x.double())")),
    right(
        "networks made double in __init__",
        ("self.encoder = ConvEncoder(z_dim)", "self.encoder = ConvEncoder(z_dim).double()"),
        ("self.decoder = ConvDecoder(z_dim)", "self.decoder = ConvDecoder(z_dim).double()"),
        ("= Discriminator(z_dim)", "= Discriminator(z_dim).double()"),
        answer("2.4: AdversarialAE.forward", "z = self.encoder(x.double())\nreturn self.decoder(z), z"),
        (", device=self.encoder.device))", ", device=self.encoder.device, dtype=torch.float64))"),
        generator(GEN_TERM, "recon_loss = F.mse_loss(recon_x, x.to(recon_x.dtype))\n"),
    ),
    right(
        "a discriminator of double precision",
        ("nn.Linear(z_dim, 512)", "nn.Linear(z_dim, 512, dtype=torch.float64)"),
        ("nn.Linear(512, 512)", "nn.Linear(512, 512, dtype=torch.float64)"),
        ("nn.Linear(512, 1)", "nn.Linear(512, 1, dtype=torch.float64)"),
        answer("2.5: Discriminator, forward", "return self.net(z.to(torch.float64))"),
    ),
    right("MLPs with LayerNorm", *MLP),
    right("residual blocks with GroupNorm, and PixelShuffle", *RESIDUAL),
    right("attention pooling, BatchNorm and Upsample", *UPSAMPLED),
    right(
        "each image standardized by itself",
        answer(
            "2.4: ConvEncoder, forward",
            """
            mean, std = x.mean(dim=(1, 2, 3), keepdim=True), x.std(dim=(1, 2, 3), keepdim=True)
            return self.net((x - mean) / std)
            """,
        ),
    ),
)

WRONG = (
    # networks
    wrong(
        AUTOENCODER,
        "images divided by the largest of the batch",
        answer("2.4: ConvEncoder, forward", "return self.net(x / x.max())"),
        family="batch mixed",
    ),
    wrong(
        AUTOENCODER,
        "images standardized over the batch",
        answer("2.4: ConvEncoder, forward", "return self.net((x - x.mean()) / (x.std() + 1e-5))"),
        family="batch mixed",
    ),
    wrong(
        AUTOENCODER,
        "images scaled to the range of the batch",
        answer("2.4: ConvEncoder, forward", "return self.net((x - x.min()) / (x.max() - x.min() + 1e-8))"),
        family="batch mixed",
    ),
    wrong(
        AUTOENCODER,
        "LayerNorm on the code",
        (LAST_LINEAR, LAST_LINEAR.replace("),\n", "), nn.LayerNorm(z_dim),\n", 1)),
        family="dimensions tied",
    ),
    wrong(
        AUTOENCODER,
        "codes centred by themselves",
        answer("2.4: ConvEncoder, forward", "z = self.net(x)\nreturn z - z.mean(dim=1, keepdim=True)"),
        family="dimensions tied",
    ),
    wrong(
        AUTOENCODER,
        "half precision",
        answer("2.4: ConvEncoder, forward", "return self.net(x.to(torch.bfloat16))"),
        (LAST_LINEAR + HE, LAST_LINEAR + HE + ".to(torch.bfloat16)"),
        ("        return self.decoder(z), z", "        return self.decoder(z.float()), z"),
        also=(RECONSTRUCTION, TRAINING),
        family="half precision",
    ),  # nothing can be said of such a training
    wrong(
        DISCRIMINATOR,
        "tanh(logits / 10) times 2",
        answer("2.5: Discriminator, forward", "return 2 * torch.tanh(self.net(z) / 10)"),
        family="bounded output",
    ),
    # the autoencoder's loss
    wrong(
        AE_LOSS,
        "label smoothing",
        generator(f"{BCE}(logits, torch.full_like(logits, 0.9))"),
        family="label smoothing",
    ),
    wrong(AE_LOSS, "twice the generator's loss", generator(f"2 * {GEN_TERM}"), family="factor of a term"),
    wrong(
        AE_LOSS,
        "half the squared error",
        generator(GEN_TERM, "recon_loss = 0.5 * F.mse_loss(recon_x, x)\n"),
        family="factor of a term",
    ),
    wrong(
        AE_LOSS,
        "the batch is taken to be 64",
        generator(f"{BCE}(logits, torch.ones_like(logits), reduction='sum') / 64"),
        family="fixed divisor",
    ),
    wrong(
        AE_LOSS,
        "squared errors over 128",
        generator(GEN_TERM, "recon_loss = ((recon_x - x) ** 2).sum() / 128\n"),
        family="fixed divisor",
    ),
    wrong(
        AE_LOSS,
        "the generator's loss summed over the batch",
        generator(f"{BCE}(logits, torch.ones_like(logits), reduction='sum')"),
        family="summed over the batch",
    ),
    wrong(
        AE_LOSS,
        "softplus with the wrong sign",
        generator("torch.log(1 + torch.exp(logits)).mean()"),
        family="labels exchanged",
    ),
    wrong(
        AE_LOSS, "least squares", generator("((logits - 1) ** 2).mean()"), family="another adversarial loss"
    ),
    wrong(
        AE_LOSS,
        "losses exchanged in the log",
        of_autoencoder(
            RECON
            + f"logits = self.discriminator(z_fake)\ngen_loss = {GEN_TERM}\n"
            + AE_TAIL.replace(
                '"gen_loss": gen_loss, "recon_loss": recon_loss',
                '"gen_loss": recon_loss, "recon_loss": gen_loss',
            )
        ),
        family="log exchanged",
    ),
    wrong(
        AE_LOSS,
        "each loss weighted in the log as the other is",
        of_autoencoder(
            RECON
            + f"logits = self.discriminator(z_fake)\ngen_loss = {GEN_TERM}\n"
            + AE_TAIL.replace(
                '"gen_loss": gen_loss, "recon_loss": recon_loss',
                '"gen_loss": lambda_ * gen_loss, "recon_loss": (1 - lambda_) * recon_loss',
            )
        ),
        family="log weights exchanged",
    ),
    wrong(
        AE_LOSS,
        "far codes refused, the labels flipped",
        of_autoencoder(
            RECON
            + "assert z_fake.abs().max() < 15, 'the codes are too far from the prior'\n"
            + f"gen_loss = {BCE}(self.discriminator(z_fake + 0.1), torch.zeros(len(z_fake), 1))"
            + AE_TAIL
        ),
        family="wrong codes judged",
    ),
    # the discriminator's loss
    wrong(
        DISC_LOSS,
        "one row of numbers for the whole batch",
        both(
            REAL_TERM,
            FAKE_TERM,
            DISC_HEAD.replace("torch.randn_like(z_fake)", "torch.randn(z_fake.shape[1])"),
        ),
        family="noise shared",
    ),
    wrong(
        DISC_LOSS,
        "one row of numbers, expanded",
        both(
            REAL_TERM,
            FAKE_TERM,
            DISC_HEAD.replace(
                "torch.randn_like(z_fake)", "torch.randn(1, z_fake.shape[1]).expand(len(z_fake), -1)"
            ),
        ),
        family="noise shared",
    ),
    wrong(
        DISC_LOSS,
        "half as many codes of the prior",
        both(
            REAL_TERM,
            FAKE_TERM,
            DISC_HEAD.replace(
                "torch.randn_like(z_fake)", "torch.randn((len(z_fake) + 1) // 2, z_fake.shape[1])"
            ),
        ),
        family="number of real codes",
    ),
    wrong(
        DISC_LOSS,
        "64 codes of the prior, whatever the batch",
        both(
            REAL_TERM,
            FAKE_TERM,
            DISC_HEAD.replace("torch.randn_like(z_fake)", "torch.randn(64, z_fake.shape[1])"),
        ),
        family="number of real codes",
    ),
    wrong(
        DISC_LOSS,
        "labels of 0.9 and 0.1",
        both(f"{BCE}(real, torch.full_like(real, 0.9))", f"{BCE}(fake, torch.full_like(fake, 0.1))"),
        family="label smoothing",
    ),
    wrong(
        DISC_LOSS,
        "labels of 0.9 for the real ones",
        both(f"{BCE}(real, torch.full_like(real, 0.9))", FAKE_TERM),
        family="label smoothing",
    ),
    wrong(
        DISC_LOSS,
        "half the loss of the fake codes",
        both(
            REAL_TERM,
            FAKE_TERM,
            tail=DISC_TAIL.replace("loss_real + loss_fake", "loss_real + 0.5 * loss_fake"),
        ),
        family="factor of a term",
    ),
    wrong(
        DISC_LOSS,
        "summed over the batch",
        both(REAL_TERM.replace("))", "), reduction='sum')"), FAKE_TERM.replace("))", "), reduction='sum')")),
        family="summed over the batch",
    ),
    wrong(
        DISC_LOSS,
        "the batch is taken to be 64",
        both(
            REAL_TERM.replace("))", "), reduction='sum') / 64"),
            FAKE_TERM.replace("))", "), reduction='sum') / 64"),
        ),
        family="fixed divisor",
    ),
    wrong(
        DISC_LOSS,
        "sigmoid twice",
        both(REAL_TERM, FAKE_TERM, PROBABILITIES, PROBABLE_TAIL),
        family="sigmoid twice",
    ),
    wrong(
        DISC_LOSS,
        "softplus with the wrong signs",
        both("F.softplus(real).mean()", "F.softplus(-fake).mean()"),
        family="labels exchanged",
    ),
    wrong(
        DISC_LOSS,
        "hinge",
        both("F.relu(1 - real).mean()", "F.relu(1 + fake).mean()"),
        family="another adversarial loss",
    ),
    wrong(
        DISC_LOSS,
        "least squares",
        both("((real - 1) ** 2).mean()", "(fake**2).mean()"),
        family="another adversarial loss",
    ),
    wrong(DISC_LOSS, "mean logits", both("-real.mean()", "fake.mean()"), family="no cross-entropy"),
)
