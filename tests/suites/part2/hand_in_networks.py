"""Networks of part 2 in the styles of real hand-ins, right and wrong, in words of our own."""

from textwrap import dedent

from tests.suites.part2.answers import (
    GEN_TERM,
    HE,
    IMPORTS,
    answer,
    decoder,
    discriminator,
    encoder,
    generator,
)
from tests.suites.part2.variants import (
    AUTOENCODER,
    DISCRIMINATOR,
    LAST_LINEAR,
    RECONSTRUCTION,
    TRAINING,
    right,
    wrong,
)


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
DOUBLE = (IMPORTS, IMPORTS + "\ntorch.set_default_dtype(torch.float64)\n")

WIDE = "        c = 160\n        self.net = nn.Sequential(\n            "

RIGHT = (
    right("three filters, GELU", *narrow(3, "GELU")),
    right("three filters, tanh", *narrow(3, "Tanh")),
    right("three filters, ReLU", *narrow(3, "ReLU")),
    # The rate at which others learn fastest drives them to black and white.
    right(
        "160 filters",
        ("        c = 32\n        self.net = nn.Sequential(\n            nn.Conv2d(", WIDE + "nn.Conv2d("),
        ("        c = 32\n        self.net = nn.Sequential(\n            nn.Linear(", WIDE + "nn.Linear("),
    ),
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
    right(
        "a small discriminator, residual, with LayerNorm",
        *discriminator(
            """
            self.first, self.norm = nn.Linear(z_dim, 16), nn.LayerNorm(16)
            self.hidden, self.last = nn.Linear(16, 16), nn.Linear(16, 1)
            """,
            """
            h = self.first(z)
            h = h + F.relu(self.hidden(self.norm(h)))
            return self.last(h)
            """,
        ),
    ),
    right("residual blocks with GroupNorm, and PixelShuffle", *RESIDUAL),
    right("attention pooling, BatchNorm and Upsample", *UPSAMPLED),
    # Real codes and fake ones are normalized apart: this discriminator cannot see how far the codes lie away.
    right(
        "BatchNorm in all three networks",
        (
            "            nn.GELU(),\n            nn.Conv2d(c, 2",
            "            nn.BatchNorm2d(c), nn.GELU(),\n            nn.Conv2d(c, 2",
        ),
        (
            "            nn.GELU(),\n            nn.Unflatten",
            "            nn.BatchNorm1d(2 * 16 * c), nn.GELU(),\n            nn.Unflatten",
        ),
        ("            nn.LeakyReLU(0.2),", "            nn.BatchNorm1d(512), nn.LeakyReLU(0.2),"),
    ),
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
)
