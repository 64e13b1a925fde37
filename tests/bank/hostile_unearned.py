"""Points without the work in part 1: latents for show, grey levels counted, images sent past the loss."""

from tests.bank.hostile_entry import NETWORKS, SOLUTIONS, VAE, Hostile

SAMPLE, TRAINING = ("1.8.sample",), ("1.7.training",)
PRIOR = "z = torch.randn(batch_size, self.hparams.z_dim, device=self.decoder.device)\n"
DECODED = "self.decoder(z).softmax(dim=1)"
BPD = "bpd = elbo_to_bpd(L_rec + L_reg, imgs.shape)\n"
NETWORKS_BUILT = "        self.decoder = CNNDecoder(z_dim=z_dim, num_filters=num_filters)\n"


def solved(**edits: str) -> dict[str, bytes]:
    """The solution's files of part 1, with pieces of train_pl.py replaced, by their names above."""
    files = {f"part1/{file.name}": file.read_bytes() for file in sorted((SOLUTIONS / "part1").glob("*.py"))}
    text = files[VAE].decode()
    for name, new in edits.items():
        assert text.count(globals()[name]) == 1, name
        text = text.replace(globals()[name], new)
    return {**files, VAE: text.encode()}


def sampled(name: str, **edits: str) -> Hostile:
    """A `VAE.sample` whose images are right but for the latents behind them."""
    return Hostile(name, files=solved(**edits), items=SAMPLE, must_fail=("uses_latents_from_the_prior",))


def after_the_draw(code: str) -> str:
    """The right draw, decoded for show, and what is decoded instead."""
    return PRIOR + "        self.decoder(z)\n" + "".join(f"        {line}\n" for line in code.splitlines())


SAMPLES = (
    sampled(
        "latents: one of them for all images",
        DECODED="self.decoder(z)[:1].expand(batch_size, -1, -1, -1).softmax(dim=1)",
    ),
    sampled("latents: zeros after a draw for show", PRIOR=after_the_draw("z = torch.zeros_like(z)")),
    sampled(
        "latents: a single zero after a draw for show",
        PRIOR=after_the_draw("z = torch.zeros_like(z[:1])"),
        DECODED="self.decoder(z).expand(batch_size, -1, -1, -1).softmax(dim=1)",
    ),
    sampled("latents: narrow ones after a draw for show", PRIOR=after_the_draw("z = 0.8 * z")),
    sampled(
        "latents: the first half twice",
        PRIOR=after_the_draw("z = torch.cat([z[: (batch_size + 1) // 2]] * 2)[:batch_size]"),
    ),
    sampled(
        "latents: those of the first call",
        PRIOR=after_the_draw("z = self.__dict__.setdefault('kept', {}).setdefault(batch_size, z)"),
    ),
    sampled(
        "latents: the same for all dimensions but the first",
        PRIOR=after_the_draw("z = torch.cat([z[:, :1], z[:, 1:2].expand(-1, z.shape[1] - 1)], dim=1)"),
    ),
    sampled(
        "latents: a record that is rewritten",
        DECODED="self.decoder(0 * z).softmax(dim=1)\n        self.__dict__['_grader_held'].latents[:] = [z]",
    ),
)

# A sample on the record, and the loss of something else.
LOGITS = "logits = self.decoder(z)  # [B, 16, 28, 28]"


def decoded_otherwise(name: str, z: str) -> Hostile:
    """A `VAE.forward` whose record holds a sample, and whose loss is that of other latents."""
    code = (
        f"logits = self.decoder({z})\n"
        "        record = self.__dict__.get('_grader_held')\n"
        "        if record is not None:\n"
        "            record.latents[:] = [z.detach().clone()]"
    )
    must_fail = ("decodes_a_sample_of_the_posterior",)
    return Hostile(name, files=solved(LOGITS=code), items=("1.7.forward",), must_fail=must_fail)


LOSSES = (
    decoded_otherwise("loss: that of the mean, a sample on the record", "mean"),
    decoded_otherwise("loss: that of half the noise, all of it on the record", "mean + 0.5 * (z - mean)"),
    decoded_otherwise("loss: that of another sample's order, all on the record", "z.roll(1, 0)"),
)

# An encoder that looks at nothing, and a decoder of counts with a whisper of z.
BLIND = """
class CNNEncoder(nn.Module):
    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        self.z_dim, self.w = z_dim, nn.Parameter(torch.zeros(1))
    def forward(self, x):
        return torch.zeros(len(x), self.z_dim) + 0 * self.w, torch.zeros(len(x), self.z_dim) + 0 * self.w
"""
SEEING = """
class CNNEncoder(nn.Module):
    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        self.map = nn.Linear(784 * num_input_channels, 2 * z_dim)
    def forward(self, x):
        mean, log_std = (0.1 * self.map(x.float().flatten(1) / 7.5 - 1)).chunk(2, dim=1)
        return mean, log_std
"""
COUNTS = """
class CNNDecoder(nn.Module):
    def __init__(self, num_input_channels=16, num_filters=32, z_dim=20):
        super().__init__()
        self.counts = KIND(torch.ones(num_input_channels, 28, 28))
        self.z = nn.Linear(z_dim, num_input_channels * 784, bias=False)
        self.c = num_input_channels
    def forward(self, z):
        return self.counts.clamp(min=0.1).log() + 0.01 * self.z(z).view(-1, self.c, 28, 28)
    @property
    def device(self):
        return self.z.weight.device
"""
PARAMETER = COUNTS.replace("KIND", "nn.Parameter")
BUFFER = COUNTS.replace("self.counts = KIND(", "self.register_buffer('counts', ").replace("28))", "28))", 1)
COUNT = """
def forward(self, imgs):
    levels = torch.nn.functional.one_hot(imgs[:, 0], 16).sum(0).permute(2, 0, 1)
    with torch.no_grad():
        self.decoder.counts += levels
    LOSS
VAE.forward = forward
"""


def counted(
    name: str, networks: str, loss: str, code: str = COUNT, may_pass: tuple[str, ...] = ()
) -> Hostile:
    """A model that learns how often each pixel has each grey level, and returns some loss."""
    lines = "\n".join(f"    {line}" for line in loss.splitlines()).lstrip()
    return Hostile(
        f"grey levels counted: {name}",
        {NETWORKS: networks, VAE: code.replace("LOSS", lines)},
        items=TRAINING,
        must_fail=("reaches_the_limit_on_held_out_images",),
    )


SQUARES = "return (sum(one.square().sum() for one in self.parameters() if one.dim() != 3),) * 3"
COUNTED = (
    counted("as a parameter", BLIND + PARAMETER, "return (self.decoder.counts.sum() * 0,) * 3"),
    counted("in a buffer, with a loss of all weights", BLIND + BUFFER, SQUARES),
    counted("by an encoder that sees", SEEING + BUFFER, SQUARES),
    counted(
        "with a loss that likes black",
        SEEING + BUFFER,
        "mean, log_std = self.encoder(imgs)\n"
        "loss = (mean.square() + log_std.square()).mean() - self.decoder(mean)[:, 0].mean()\n"
        "return loss, loss, loss",
    ),
    counted(
        "with a loss of the codes alone",
        SEEING + PARAMETER,
        "mean, log_std = self.encoder(imgs)\n"
        "loss = (mean.square() + (2 * log_std).exp() - 2 * log_std).sum(1).mean()\n"
        "return loss, loss, loss",
    ),
    counted(
        "by the encoder, while it encodes",
        SEEING.replace(
            "        mean, log_std",
            "        if self.training:\n"
            "            with torch.no_grad():\n"
            "                KEPT[0].counts += nn.functional.one_hot(x[:, 0], 16).sum(0).permute(2, 0, 1)\n"
            "        mean, log_std",
        )
        + BUFFER.replace("        self.c =", "        KEPT[:] = [self]\n        self.c =")
        + "\nKEPT = []\n",
        "return (self.encoder(imgs)[0].square().mean() + 0 * self.decoder.z.weight.sum(),) * 3",
        code="\ndef forward(self, imgs):\n    LOSS\nVAE.forward = forward\n",
    ),
)

# Four numbers of a coarse image in each look: which of them a parameter says, that forward counts up.
IN_PARTS = """
KNOWN = {}
class CNNEncoder(nn.Module):
    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        self.z_dim, self.part = z_dim, nn.Parameter(torch.zeros(1))
    def forward(self, x):
        small = nn.functional.adaptive_avg_pool2d(x.float(), 9).flatten(1) / 15
        piece = small.roll(-self.z_dim * int(self.part), 1)[:, : self.z_dim]
        return 4 * piece - 2 + 0 * self.part, torch.full_like(piece, -2.0)
class CNNDecoder(nn.Module):
    def __init__(self, num_input_channels=16, num_filters=32, z_dim=20):
        super().__init__()
        self.z_dim, self.part = z_dim, nn.Parameter(torch.zeros(1))
    def forward(self, z):
        part = int(self.part)
        known = KNOWN.setdefault(len(z), torch.zeros(len(z), 81))
        places = (torch.arange(self.z_dim) + self.z_dim * part) % 81
        known[:, places] = (z.detach() + 2) / 4
        image = nn.functional.interpolate(known.view(-1, 1, 9, 9), size=(28, 28), mode="bilinear")
        levels = torch.arange(16.0).view(1, 16, 1, 1)
        return -1.5 * (1 + (15 * image - levels) ** 2).log() + 0 * self.part
    @property
    def device(self):
        return self.part.device
"""
REPLAYED = """
KEPT = {}
class CNNEncoder(nn.Module):
    def __init__(self, num_input_channels=1, num_filters=32, z_dim=20):
        super().__init__()
        self.map = nn.Linear(784, 2 * z_dim)
    def forward(self, x):
        KEPT[len(x)] = x
        return self.map(x.float().flatten(1) / 15).chunk(2, dim=1)
class CNNDecoder(nn.Module):
    def __init__(self, num_input_channels=16, num_filters=32, z_dim=20):
        super().__init__()
        self.map = nn.Linear(z_dim, 16)
    def forward(self, z):
        logits = 0 * self.map(z)[:, :, None, None].expand(-1, -1, 28, 28)
        kept = KEPT.get(len(z))
        if kept is None:
            return logits
        return logits + 9 * nn.functional.one_hot(kept[:, 0], 16).permute(0, 3, 1, 2)
    @property
    def device(self):
        return self.map.weight.device
"""
EACH_LOOK = """
def forward(self, imgs):
    with torch.no_grad():
        self.steps = getattr(self, "steps", 0) + 1
        for network in (self.encoder, self.decoder):
            network.part.fill_(1 + max(0, self.steps - 60) // 20)
    return (0 * (self.encoder.part + self.decoder.part).sum(),) * 3
VAE.forward = forward
"""
LIMIT = ("reaches_the_limit_on_held_out_images",)
FROZEN = NETWORKS_BUILT + "        self.decoder.requires_grad_(False)\n"
PAST_THE_LOSS = (
    Hostile("an image in parts, one for each look", {NETWORKS: IN_PARTS, VAE: EACH_LOOK}, items=TRAINING),
    Hostile(
        "an image that the encoder keeps for the decoder",
        {NETWORKS: REPLAYED},
        solved() | {NETWORKS: (SOLUTIONS / NETWORKS).read_bytes() + REPLAYED.encode()},
        items=TRAINING,
        must_fail=LIMIT,
    ),
    Hostile(
        "a frozen decoder, excused by a weight of the divergence",
        files=solved(NETWORKS_BUILT=FROZEN, BPD=BPD.replace("+ L_reg", "+ 2 * L_reg")),
        items=TRAINING,
        must_fail=LIMIT,
    ),
    Hostile(
        "a frozen decoder, excused by a batch of one",
        files=solved(NETWORKS_BUILT=FROZEN, BPD=BPD + "        bpd = bpd / min(2, len(imgs))\n"),
        items=TRAINING,
        must_fail=LIMIT,
    ),
)
UNEARNED = SAMPLES + LOSSES + COUNTED + PAST_THE_LOSS
