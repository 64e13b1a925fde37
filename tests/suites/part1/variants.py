"""Edits of the solutions of part 1: mistakes, each with the item that must lose points, and right code."""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.variants import Variant

UTILS, NETWORKS, TRAIN = "part1/utils.py", "part1/cnn_encoder_decoder.py", "part1/train_pl.py"
REPARAMETERIZE, KLD, BPD = "1.7.reparameterize", "1.7.kld", "1.7.bpd"
ENCODER, DECODER, FORWARD, TRAINING = "1.7.encoder", "1.7.decoder", "1.7.forward", "1.7.training"
SAMPLE, MANIFOLD = "1.8.sample", "1.9.manifold"
FILES = {
    **dict.fromkeys((REPARAMETERIZE, KLD, BPD, MANIFOLD), UTILS),
    **dict.fromkeys((ENCODER, DECODER), NETWORKS),
    **dict.fromkeys((FORWARD, SAMPLE), TRAIN),
}


def wrong(item: str, name: str, *edits: tuple[str, str], family: str, also: tuple[str, ...] = ()) -> Variant:
    """A mistake, in the file that its item is about."""
    return Variant(name, edits, item, FILES[item], also, family)


def right(name: str, *edits: tuple[str, str], file: str = UTILS) -> Variant:
    """The same, written another way."""
    return Variant(name, edits, file=file)


# utils.py
ASSERTION = """    assert not (std < 0).any(), "std has negative entries: is it a log_std that needs an exp?"
"""
NOISY = "mean + std * torch.randn_like(std)"
CLOSED_FORM = "0.5 * (torch.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum(dim=-1)"
PRODUCT = "math.prod(img_shape[1:])"
BITS = "elbo * math.log2(math.e) / dimensions"
PERCENTILES = "(torch.arange(grid_size, device=decoder.device) + 0.5) / grid_size"
AXIS = "torch.special.ndtri(percentiles)"
LATENTS = "torch.cartesian_prod(axis, axis)"
SOFTMAX = "decoder(z).softmax(dim=1)"
LEVELS = "torch.linspace(0, 1, probabilities.shape[1], device=z.device)"
MEANS = 'torch.einsum("nkhw,k->nhw", probabilities, levels).unsqueeze(1)'
GRID = "make_grid(mean_images, nrow=grid_size, normalize=False, padding=2, pad_value=0.5)"
# cnn_encoder_decoder.py
INPUT = "features = self.net(x.float() / 15 * 2 - 1)"
HEADS = "self.mean(features), self.log_std(features)"
FIRST_CONV = "nn.Conv2d(num_input_channels, c, kernel_size=3, padding=1, stride=2)"
ENCODER_LAYERS = """        self.net = nn.Sequential(
            nn.Conv2d(num_input_channels, c, kernel_size=3, padding=1, stride=2),  # 28 -> 14
            nn.GELU(),
            nn.Conv2d(c, c, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv2d(c, 2 * c, kernel_size=3, padding=1, stride=2),  # 14 -> 7
            nn.GELU(),
            nn.Conv2d(2 * c, 2 * c, kernel_size=3, padding=1),
            nn.GELU(),
            nn.Conv2d(2 * c, 2 * c, kernel_size=3, padding=1, stride=2),  # 7 -> 4
            nn.GELU(),
            nn.Flatten(),
        )
        self.mean = nn.Linear(2 * 16 * c, z_dim)
        self.log_std = nn.Linear(2 * 16 * c, z_dim)
"""
MEAN_HEAD = "self.mean = nn.Linear(2 * 16 * c, z_dim)"
LOG_STD_HEAD = "self.log_std = nn.Linear(2 * 16 * c, z_dim)"
DECODED = "return self.net(z)"
FIRST_LINEAR = "nn.Linear(z_dim, 2 * 16 * c)"
UNFLATTEN = "nn.Unflatten(1, (2 * c, 4, 4))"
DECODER_LAYERS = """        self.net = nn.Sequential(
            nn.Linear(z_dim, 2 * 16 * c),
            nn.GELU(),
            nn.Unflatten(1, (2 * c, 4, 4)),
            nn.ConvTranspose2d(2 * c, 2 * c, kernel_size=3, padding=1, stride=2),  # 4 -> 7
            nn.GELU(),
            nn.Conv2d(2 * c, 2 * c, kernel_size=3, padding=1),
            nn.GELU(),
            nn.ConvTranspose2d(2 * c, c, kernel_size=3, padding=1, stride=2, output_padding=1),  # 7 -> 14
            nn.GELU(),
            nn.Conv2d(c, c, kernel_size=3, padding=1),
            nn.GELU(),
            nn.ConvTranspose2d(
                c, num_input_channels, kernel_size=3, padding=1, stride=2, output_padding=1
            ),  # 14 -> 28
        )
"""
LAST_LAYER = "c, num_input_channels, kernel_size=3, padding=1, stride=2, output_padding=1"
# train_pl.py
NETWORKS_BUILT = """        self.encoder = CNNEncoder(z_dim=z_dim, num_filters=num_filters)
        self.decoder = CNNDecoder(z_dim=z_dim, num_filters=num_filters)
"""
ENCODED = "mean, log_std = self.encoder(imgs)"
SAMPLED = "z = sample_reparameterize(mean, log_std.exp())"
LOGITS = "logits = self.decoder(z)  # [B, 16, 28, 28]"
NLL = 'nll = F.cross_entropy(logits, imgs.squeeze(1), reduction="none")'
L_REC = "L_rec = nll.sum(dim=(1, 2)).mean()"
L_REG = "L_reg = KLD(mean, log_std).mean()"
TOTAL = "bpd = elbo_to_bpd(L_rec + L_reg, imgs.shape)"
RETURNED = "return L_rec, L_reg, bpd"
PRIOR = "z = torch.randn(batch_size, self.hparams.z_dim, device=self.decoder.device)"
PROBABILITIES = "probabilities = self.decoder(z).softmax(dim=1)"
PER_PIXEL = "per_pixel = probabilities.permute(0, 2, 3, 1)"
DRAWN = "levels = torch.multinomial(per_pixel.flatten(0, 2), num_samples=1)"
LEVELS_RETURNED = "return levels.view(per_pixel.shape[:3]).unsqueeze(1)"

WRONG_HELPERS = (
    # sample_reparameterize
    wrong(
        REPARAMETERIZE,
        "one eps shared by the batch",
        (NOISY, "mean + std * torch.randn_like(std[:1])"),
        family="noise shared",
    ),
    wrong(
        REPARAMETERIZE,
        "one eps for all dimensions",
        (NOISY, "mean + std * torch.randn_like(std[..., :1])"),
        family="noise shared",
    ),
    wrong(
        REPARAMETERIZE,
        "one number for everything",
        (NOISY, "mean + std * torch.randn(1)"),
        family="noise shared",
    ),
    wrong(
        REPARAMETERIZE,
        "two dimensions only",
        (NOISY, "mean + std * torch.randn(std.shape[0], std.shape[1])"),
        family="two dimensions only",
    ),
    wrong(
        REPARAMETERIZE,
        "noise of the last dimension",
        (NOISY, "mean + std * torch.randn(std.shape[-1])"),
        family="noise shared",
    ),
    wrong(REPARAMETERIZE, "uniform noise", (NOISY, "mean + std * torch.rand_like(std)"), family="not normal"),
    wrong(
        REPARAMETERIZE,
        "uniform noise of variance 1",
        (NOISY, "mean + std * 12**0.5 * (torch.rand_like(std) - 0.5)"),
        family="not normal",
    ),
    wrong(
        REPARAMETERIZE,
        "a scale of 0.98",
        (NOISY, "mean + 0.98 * std * torch.randn_like(std)"),
        family="scale of the noise",
    ),
    wrong(
        REPARAMETERIZE,
        "half of the normal",
        (NOISY, "mean + std * torch.randn_like(std).abs()"),
        family="not normal",
    ),
    wrong(REPARAMETERIZE, "no noise", (NOISY, "mean + std"), family="nothing drawn"),
    wrong(REPARAMETERIZE, "the mean", (NOISY, "mean"), family="nothing drawn"),
    wrong(REPARAMETERIZE, "noise alone", (NOISY, "std * torch.randn_like(std)"), family="mean left out"),
    wrong(
        REPARAMETERIZE,
        "std and mean exchanged",
        (NOISY, "std + mean * torch.randn_like(std)"),
        family="mean and std exchanged",
    ),
    wrong(REPARAMETERIZE, "std is ignored", (NOISY, "mean + torch.randn_like(std)"), family="std misread"),
    wrong(
        REPARAMETERIZE,
        "std taken for its logarithm",
        (NOISY, "mean + std.exp() * torch.randn_like(std)"),
        family="std misread",
    ),
    wrong(
        REPARAMETERIZE,
        "variance for std",
        (NOISY, "mean + std**2 * torch.randn_like(std)"),
        family="std misread",
    ),
    wrong(
        REPARAMETERIZE,
        "std taken for the variance",
        (NOISY, "mean + std.sqrt() * torch.randn_like(std)"),
        family="std misread",
    ),
    wrong(
        REPARAMETERIZE,
        "torch.normal has no gradient",
        (NOISY, "torch.normal(mean, std)"),
        family="gradient cut",
    ),
    wrong(REPARAMETERIZE, "detached", (NOISY, "(" + NOISY + ").detach()"), family="gradient cut"),
    wrong(
        REPARAMETERIZE,
        "detached std",
        (NOISY, NOISY.replace("std *", "std.detach() *")),
        family="gradient cut",
    ),
    wrong(
        REPARAMETERIZE,
        "seeded",
        (NOISY, "(torch.manual_seed(0), " + NOISY + ")[1]"),
        family="not drawn afresh",
    ),
    wrong(REPARAMETERIZE, "the assertion dropped", (ASSERTION, ""), family="given assertion"),
    wrong(
        REPARAMETERIZE,
        "std up to 5",
        (NOISY, NOISY.replace("std *", "std.clamp(max=5) *")),
        family="limited",
    ),
    wrong(
        REPARAMETERIZE,
        "mean within 10",
        (NOISY, NOISY.replace("mean", "mean.clamp(-10, 10)")),
        family="limited",
    ),
    # KLD
    wrong(KLD, "squeezed", (CLOSED_FORM, CLOSED_FORM + ".squeeze()"), family="batch dimension lost"),
    wrong(
        KLD,
        "a small number in the logarithm",
        (CLOSED_FORM, CLOSED_FORM.replace("- 2 * log_std)", "- torch.log(torch.exp(log_std) ** 2 + 1e-6))")),
        family="limited",
    ),
    wrong(
        KLD,
        "log_std within 3",
        (CLOSED_FORM, CLOSED_FORM.replace("log_std", "log_std.clamp(-3, 3)")),
        family="limited",
    ),
    wrong(KLD, "at most 100", (CLOSED_FORM, CLOSED_FORM + ".clamp(max=100)"), family="limited"),
    wrong(
        KLD,
        "summed over everything",
        (CLOSED_FORM, CLOSED_FORM.replace("dim=-1", "")),
        family="wrong dimension",
    ),
    wrong(
        KLD,
        "summed over the batch",
        (CLOSED_FORM, CLOSED_FORM.replace("dim=-1", "dim=0")),
        family="wrong dimension",
    ),
    wrong(KLD, "axis 1", (CLOSED_FORM, CLOSED_FORM.replace("dim=-1", "dim=1")), family="wrong dimension"),
    wrong(
        KLD,
        "averaged over the dimensions",
        (CLOSED_FORM, CLOSED_FORM.replace("sum(", "mean(")),
        family="averaged instead of summed",
    ),
    wrong(KLD, "averaged over the batch", (CLOSED_FORM, CLOSED_FORM + ".mean()"), family="batch reduced"),
    wrong(
        KLD,
        "kept dimension",
        (CLOSED_FORM, CLOSED_FORM.replace("dim=-1", "dim=-1, keepdim=True")),
        family="dimension kept",
    ),
    wrong(
        KLD, "one half is missing", (CLOSED_FORM, CLOSED_FORM.replace("0.5 * ", "")), family="constant factor"
    ),
    wrong(KLD, "flipped sign", (CLOSED_FORM, "-" + CLOSED_FORM), family="sign"),
    wrong(
        KLD,
        "log-variance",
        (CLOSED_FORM, CLOSED_FORM.replace("2 * log_std", "log_std")),
        family="log_std misread",
    ),
    wrong(
        KLD,
        "2 is missing in the exponent",
        (CLOSED_FORM, CLOSED_FORM.replace("exp(2 * ", "exp(")),
        family="log_std misread",
    ),
    wrong(
        KLD,
        "2 is missing before log_std",
        (CLOSED_FORM, CLOSED_FORM.replace("- 2 * ", "- ")),
        family="log_std misread",
    ),
    wrong(KLD, "log_std is added", (CLOSED_FORM, CLOSED_FORM.replace("- 2 *", "+ 2 *")), family="sign"),
    wrong(KLD, "1 is added", (CLOSED_FORM, CLOSED_FORM.replace("- 1", "+ 1")), family="constant term"),
    wrong(KLD, "1 is missing", (CLOSED_FORM, CLOSED_FORM.replace(" - 1", "")), family="constant term"),
    wrong(KLD, "mean is not squared", (CLOSED_FORM, CLOSED_FORM.replace("**2", "")), family="square missing"),
    wrong(
        KLD,
        "log_std taken for std",
        (CLOSED_FORM, "0.5 * (log_std**2 + mean**2 - 1 - torch.log(log_std**2)).sum(dim=-1)"),
        family="log_std misread",
    ),
    wrong(
        KLD,
        "the other direction",
        (CLOSED_FORM, "0.5 * ((1 + mean**2) * torch.exp(-2 * log_std) - 1 + 2 * log_std).sum(dim=-1)"),
        family="other direction",
    ),
    wrong(KLD, "detached", (CLOSED_FORM, "(" + CLOSED_FORM + ").detach()"), family="gradient cut"),
    wrong(
        KLD,
        "detached log_std",
        (CLOSED_FORM, CLOSED_FORM.replace("log_std", "log_std.detach()")),
        family="gradient cut",
    ),
    wrong(KLD, "zeros", (CLOSED_FORM, "0 * " + CLOSED_FORM), family="input ignored"),
    # elbo_to_bpd
    wrong(BPD, "log2(e) is inverted", (BITS, "elbo / math.log2(math.e) / dimensions"), family="log base"),
    wrong(BPD, "log2(e) is missing", (BITS, "elbo / dimensions"), family="log base"),
    wrong(BPD, "log10", (BITS, BITS.replace("log2", "log10")), family="log base"),
    wrong(BPD, "the batch counts", (PRODUCT, "math.prod(img_shape)"), family="wrong dimensions counted"),
    wrong(
        BPD,
        "the channels do not count",
        (PRODUCT, "math.prod(img_shape[2:])"),
        family="wrong dimensions counted",
    ),
    wrong(
        BPD,
        "the height does not count",
        (PRODUCT, "img_shape[1] * img_shape[3]"),
        family="not divided by the size",
    ),
    wrong(BPD, "28 x 28 is fixed", (PRODUCT, "784"), family="size fixed"),
    wrong(BPD, "sum of the sizes", (PRODUCT, "sum(img_shape[1:])"), family="sizes added"),
    wrong(BPD, "multiplied", (BITS, BITS.replace("/ dim", "* dim")), family="not divided by the size"),
    wrong(BPD, "not divided", (BITS, "elbo * math.log2(math.e)"), family="not divided by the size"),
    wrong(BPD, "flipped sign", (BITS, "-" + BITS), family="sign"),
    wrong(BPD, "averaged", (BITS, BITS.replace("elbo", "elbo.mean()")), family="batch reduced"),
    wrong(BPD, "a constant share", (BITS, "elbo / 4"), family="not divided by the size"),
    wrong(BPD, "a number", (BITS, BITS.replace("elbo", "elbo.mean().item()")), family="gradient cut"),
    wrong(BPD, "detached", (BITS, BITS.replace("elbo", "elbo.detach()")), family="gradient cut"),
)
WRONG_MANIFOLDS = (
    wrong(
        MANIFOLD,
        "evenly spaced latents",
        (AXIS, "torch.linspace(-3, 3, grid_size)"),
        family="inverse CDF missing",
    ),
    wrong(MANIFOLD, "percentiles as latents", (AXIS, "percentiles"), family="inverse CDF missing"),
    wrong(MANIFOLD, "random latents", (LATENTS, "torch.randn(grid_size**2, 2)"), family="not a grid"),
    wrong(
        MANIFOLD,
        "the CDF instead of its inverse",
        (AXIS, "torch.special.ndtr(percentiles)"),
        family="inverse CDF missing",
    ),
    wrong(
        MANIFOLD,
        "erfinv without the factors",
        (AXIS, "torch.erfinv(percentiles)"),
        family="inverse CDF misscaled",
    ),
    wrong(
        MANIFOLD,
        "erfinv without sqrt(2)",
        (AXIS, "torch.erfinv(2 * percentiles - 1)"),
        family="inverse CDF misscaled",
    ),
    wrong(
        MANIFOLD,
        "percentiles without the half",
        (PERCENTILES, "(torch.arange(grid_size) + 1) / (grid_size + 1)"),
        family="wrong percentiles",
    ),
    wrong(
        MANIFOLD,
        "from 0.01 to 0.99",
        (PERCENTILES, "torch.linspace(0.01, 0.99, grid_size)"),
        family="wrong percentiles",
    ),
    wrong(
        MANIFOLD,
        "infinite ends",
        (PERCENTILES, "torch.linspace(0, 1, grid_size)"),
        family="wrong percentiles",
    ),
    wrong(
        MANIFOLD,
        "only the diagonal",
        (LATENTS, "torch.stack([axis.repeat(grid_size)] * 2, dim=1)"),
        family="not a grid",
    ),
    wrong(MANIFOLD, "float64 latents", (LATENTS, LATENTS + ".double()"), family="dtype"),
    wrong(MANIFOLD, "no softmax", (SOFTMAX, "decoder(z)"), family="wrong probabilities"),
    wrong(
        MANIFOLD,
        "softmax over the batch",
        (SOFTMAX, "decoder(z).softmax(dim=0)"),
        family="wrong probabilities",
    ),
    wrong(MANIFOLD, "sigmoid", (SOFTMAX, "decoder(z).sigmoid()"), family="wrong probabilities"),
    wrong(MANIFOLD, "classes as pixels", (MEANS, "probabilities[:, :1]"), family="classes as pixels"),
    wrong(MANIFOLD, "sixteen channels", (MEANS, "probabilities"), family="classes as pixels"),
    wrong(MANIFOLD, "argmax", (MEANS, "probabilities.argmax(1, keepdim=True) / 15"), family="argmax"),
    wrong(
        MANIFOLD,
        "samples",
        (
            MEANS,
            "torch.multinomial(probabilities.permute(0, 2, 3, 1).flatten(0, 2), 1).view(-1, 1, 28, 28) / 15",
        ),
        family="sample instead of mean",
    ),
    wrong(
        MANIFOLD,
        "reshape without permute",
        (SOFTMAX, "decoder(z)"),
        (MEANS, "(probabilities.reshape(-1, 16).softmax(-1) @ torch.linspace(0, 1, 16)).view(-1, 1, 28, 28)"),
        family="pixels scrambled",
    ),
    wrong(
        MANIFOLD,
        "levels the other way round",
        (LEVELS, LEVELS.replace("(0, 1", "(1, 0")),
        family="wrong grey levels",
    ),
    wrong(MANIFOLD, "levels 0 to 2", (LEVELS, LEVELS.replace("(0, 1", "(0, 2")), family="wrong grey levels"),
    wrong(
        MANIFOLD,
        "levels 0 to one half",
        (LEVELS, LEVELS.replace("(0, 1", "(0, 0.5")),
        family="wrong grey levels",
    ),
    wrong(MANIFOLD, "levels 1 to 16", (LEVELS, "torch.arange(1.0, 17)"), family="wrong grey levels"),
    wrong(MANIFOLD, "rows of 8", (GRID, GRID.replace("nrow=grid_size", "nrow=8")), family="layout"),
    wrong(MANIFOLD, "images without a grid", (GRID, "mean_images"), family="layout"),
    wrong(
        MANIFOLD,
        "one image everywhere",
        (GRID, GRID.replace("mean_images,", "mean_images[:1].expand(grid_size**2, -1, -1, -1),")),
        family="one image everywhere",
    ),
    wrong(
        MANIFOLD,
        "a grey square",
        (GRID, "torch.full((3, 30 * grid_size + 2, 30 * grid_size + 2), 0.5)"),
        family="one image everywhere",
    ),
    wrong(
        MANIFOLD,
        "20 by 20 whatever is asked",
        (PERCENTILES, "(torch.arange(20) + 0.5) / 20"),
        (GRID, GRID.replace("nrow=grid_size", "nrow=20")),
        family="grid size ignored",
    ),
    wrong(MANIFOLD, "10 by default", ("grid_size: int = 20", "grid_size: int = 10"), family="grid size"),
    wrong(
        MANIFOLD,
        "every image scaled by itself",
        (GRID, "make_grid(mean_images, nrow=grid_size, normalize=True, scale_each=True)"),
        family="scaled by itself",
    ),
    wrong(
        MANIFOLD, "mirrored images", (GRID, GRID.replace("images,", "images.flip(-1),")), family="mirrored"
    ),
    wrong(MANIFOLD, "transposed images", (GRID, GRID.replace("images,", "images.mT,")), family="mirrored"),
    wrong(
        MANIFOLD, "images upside down", (GRID, GRID.replace("images,", "images.flip(-2),")), family="mirrored"
    ),
    wrong(
        MANIFOLD,
        "images turned by a quarter",
        (GRID, GRID.replace("images,", "images.rot90(1, (-2, -1)),")),
        family="mirrored",
    ),
    wrong(
        MANIFOLD,
        "halves of the axis the other way round",
        (
            "axis = " + AXIS,
            "upper = torch.special.ndtri(percentiles)[grid_size // 2 :]\n"
            "    axis = torch.cat([-upper[grid_size % 2 :], upper])",
        ),
        family="order of the grid",
    ),
    wrong(MANIFOLD, "latents within 1.7", (AXIS, AXIS + ".clamp(-1.7, 1.7)"), family="latents limited"),
)
WRONG_NETWORKS = (
    wrong(
        DECODER,
        "device on a GPU",
        ("return next(self.parameters()).device", 'return torch.device("cuda")'),
        family="device",
    ),
    wrong(DECODER, "device a method", ("    @property\n    def device", "    def device"), family="device"),
    # the encoder
    wrong(
        ENCODER,
        "tanh on the mean",
        (HEADS, "self.mean(features).tanh(), self.log_std(features)"),
        family="bounded output",
    ),
    wrong(
        ENCODER,
        "ReLU on the mean",
        (HEADS, "self.mean(features).relu(), self.log_std(features)"),
        family="bounded output",
    ),
    wrong(
        ENCODER,
        "sigmoid on log_std",
        (HEADS, "self.mean(features), self.log_std(features).sigmoid()"),
        family="bounded output",
    ),
    wrong(
        ENCODER,
        "std instead of log_std",
        (HEADS, "self.mean(features), self.log_std(features).exp()"),
        family="bounded output",
    ),
    wrong(
        ENCODER,
        "softplus on log_std",
        (HEADS, "self.mean(features), nn.functional.softplus(self.log_std(features))"),
        family="bounded output",
    ),
    wrong(
        ENCODER, "one head for both", (HEADS, "self.mean(features), self.mean(features)"), family="one head"
    ),
    wrong(
        ENCODER,
        "one tensor",
        (HEADS, "torch.cat([self.mean(features), self.log_std(features)], dim=1)"),
        family="number of results",
    ),
    wrong(
        ENCODER,
        "squeezed",
        (HEADS, "self.mean(features).squeeze(), self.log_std(features).squeeze()"),
        family="batch dimension lost",
    ),
    wrong(
        ENCODER,
        "hard-coded channels",
        (FIRST_CONV, FIRST_CONV.replace("num_input_channels", "1")),
        family="size fixed",
    ),
    wrong(
        ENCODER,
        "hard-coded z_dim",
        ("self.mean = nn.Linear(2 * 16 * c, z_dim)", "self.mean = nn.Linear(2 * 16 * c, 20)"),
        family="size fixed",
    ),
    wrong(
        ENCODER,
        "hard-coded filters",
        (MEAN_HEAD, MEAN_HEAD.replace("2 * 16 * c", "1024")),
        family="size fixed",
    ),
    wrong(
        ENCODER,
        "activation not instantiated",
        (ENCODER_LAYERS, ENCODER_LAYERS.replace("nn.GELU()", "nn.GELU")),
        family="layer not instantiated",
    ),
    wrong(
        ENCODER, "no float", (INPUT, "features = self.net(x)"), family="dtype"
    ),  # convolutions do not take integers
    wrong(
        ENCODER, "detached features", (INPUT, INPUT + ".detach()"), family="gradient cut"
    ),  # nothing but the heads learns
    wrong(
        ENCODER,
        "detached features for log_std",
        (HEADS, HEADS.replace("log_std(features)", "log_std(features.detach())")),
        family="gradient cut",
    ),
    wrong(
        ENCODER,
        "noisy",
        (HEADS, "self.mean(features) + torch.randn(len(x), 1), self.log_std(features)"),
        family="random",
    ),
    wrong(
        ENCODER,
        "upper half of the image",
        (INPUT, "x = torch.cat([x[:, :, :14], 0 * x[:, :, 14:]], 2)\n        " + INPUT),
        family="part ignored",
    ),
    wrong(
        ENCODER,
        "batch mixed up",
        (INPUT, INPUT + "\n        features = features - features.mean(0)"),
        family="batch mixed",
    ),
    wrong(
        ENCODER,
        "zeros",
        (HEADS, "torch.zeros(len(x), self.mean.out_features), torch.zeros(len(x), self.mean.out_features)"),
        family="input ignored",
    ),  # a code of nothing
    # the decoder
    wrong(
        DECODER, "tanh on the logits", (DECODED, "return self.net(z).tanh()"), family="bounded output"
    ),  # the training says so, too
    wrong(
        DECODER, "sigmoid on the logits", (DECODED, "return self.net(z).sigmoid()"), family="bounded output"
    ),
    wrong(DECODER, "ReLU on the logits", (DECODED, "return self.net(z).relu()"), family="bounded output"),
    wrong(DECODER, "softmax", (DECODED, "return self.net(z).softmax(dim=1)"), family="bounded output"),
    wrong(
        DECODER,
        "softmax over the batch",
        (DECODED, "return self.net(z).softmax(dim=0)"),
        family="bounded output",
    ),
    wrong(
        DECODER,
        "log-softmax over a row",
        (DECODED, "return self.net(z).log_softmax(dim=-1)"),
        family="bounded output",
    ),
    wrong(
        DECODER,
        "one channel",
        (LAST_LAYER, LAST_LAYER.replace("num_input_channels", "1")),
        family="size fixed",
    ),
    wrong(
        DECODER,
        "hard-coded channels",
        (LAST_LAYER, LAST_LAYER.replace("num_input_channels", "16")),
        family="size fixed",
    ),
    wrong(
        DECODER,
        "32 x 32",
        (
            "nn.ConvTranspose2d(2 * c, 2 * c, kernel_size=3, padding=1, stride=2)",
            "nn.ConvTranspose2d(2 * c, 2 * c, kernel_size=3, padding=1, stride=2, output_padding=1)",
        ),
        family="image size",
    ),
    wrong(
        DECODER, "hard-coded z_dim", (FIRST_LINEAR, FIRST_LINEAR.replace("z_dim", "20")), family="size fixed"
    ),
    wrong(
        DECODER,
        "activation not instantiated",
        (DECODER_LAYERS, DECODER_LAYERS.replace("nn.GELU()", "nn.GELU")),
        family="layer not instantiated",
    ),
    wrong(
        DECODER,
        "half of the latents",
        (DECODED, "return self.net(torch.cat([z[:, : z.shape[1] // 2], 0 * z[:, z.shape[1] // 2 :]], 1))"),
        family="part ignored",
    ),
    wrong(DECODER, "detached latents", (DECODED, "return self.net(z.detach())"), family="gradient cut"),
    wrong(
        DECODER,
        "detached in the middle",
        (DECODED, "h = self.net[0](z).detach()\n        return self.net[1:](h)"),
        family="gradient cut",
    ),
    wrong(DECODER, "noisy", (DECODED, "return self.net(z + 0.5 * torch.randn_like(z))"), family="random"),
    wrong(DECODER, "zeros", (DECODED, "return torch.zeros(len(z), 16, 28, 28)"), family="input ignored"),
    wrong(DECODER, "batch mixed up", (DECODED, "return self.net(z - z.mean(0))"), family="batch mixed"),
    wrong(DECODER, "squeezed", (DECODED, "return self.net(z).squeeze()"), family="batch dimension lost"),
)
WRONG_FORWARD = (
    wrong(
        FORWARD,
        "reshape without permute",
        (
            NLL + "  # [B, 28, 28]",
            'nll = F.cross_entropy(logits.reshape(-1, 16), imgs.flatten(), reduction="none").view(-1, 28, 28)',
        ),
        family="pixels scrambled",
    ),  # fine by its own loss
    wrong(
        FORWARD,
        "squeeze of a batch of one",
        (NLL, NLL.replace("squeeze(1)", "squeeze()")),
        family="batch dimension lost",
    ),
    wrong(FORWARD, "KL subtracted", (TOTAL, TOTAL.replace("+", "-")), family="sign"),  # it runs away
    wrong(FORWARD, "KL left out", (TOTAL, TOTAL.replace("L_rec + L_reg", "L_rec")), family="term left out"),
    wrong(
        FORWARD,
        "reconstruction left out",
        (TOTAL, TOTAL.replace("L_rec + L_reg", "L_reg")),
        family="term left out",
    ),
    wrong(
        FORWARD, "bpd of the ELBO", (TOTAL, TOTAL.replace("L_rec + L_reg", "-(L_rec + L_reg)")), family="sign"
    ),
    wrong(FORWARD, "bpd in nats", (TOTAL, "bpd = L_rec + L_reg"), family="log base"),
    wrong(
        FORWARD, "bpd divided by the batch", (TOTAL, TOTAL + " / len(imgs)"), family="divided once too often"
    ),
    wrong(
        FORWARD,
        "KL summed over the batch",
        (L_REG, L_REG.replace("mean()", "sum()")),
        family="summed over the batch",
    ),
    wrong(FORWARD, "KL per dimension", (L_REG, L_REG + " / mean.shape[1]"), family="divided once too often"),
    wrong(
        FORWARD,
        "KLD is given std",
        (L_REG, L_REG.replace("log_std", "log_std.exp()")),
        family="log_std misread",
    ),
    wrong(FORWARD, "KL per image", (L_REG, L_REG.replace(".mean()", "")), family="not one number"),
    wrong(
        FORWARD,
        "log_std as std",
        (SAMPLED, SAMPLED.replace(".exp()", "")),
        also=(TRAINING,),
        family="log_std misread",
    ),  # the given assertion stops it
    wrong(
        FORWARD,
        "log_std as std, made positive",
        (SAMPLED, SAMPLED.replace(".exp()", ".abs()")),
        family="log_std misread",
    ),
    wrong(
        FORWARD,
        "log-variance",
        (SAMPLED, SAMPLED.replace("log_std.exp", "(0.5 * log_std).exp")),
        family="log_std misread",
    ),
    wrong(
        FORWARD,
        "variance",
        (SAMPLED, SAMPLED.replace("log_std.exp", "(2 * log_std).exp")),
        family="log_std misread",
    ),
    wrong(FORWARD, "decodes the mean", (SAMPLED, "z = mean"), family="nothing drawn"),
    wrong(FORWARD, "decodes noise", (SAMPLED, "z = torch.randn_like(mean)"), family="posterior ignored"),
    wrong(FORWARD, "detached latents", (LOGITS, "logits = self.decoder(z.detach())"), family="gradient cut"),
    wrong(
        FORWARD,
        "encoder detached",
        (ENCODED, "mean, log_std = (code.detach() for code in self.encoder(imgs))"),
        family="gradient cut",
    ),
    wrong(
        FORWARD,
        "reconstruction averaged over the pixels",
        (L_REC, "L_rec = nll.mean()"),
        family="averaged instead of summed",
    ),  # the KL term outweighs it
    wrong(
        FORWARD,
        "reconstruction summed over the batch",
        (L_REC, "L_rec = nll.sum()"),
        family="summed over the batch",
    ),
    wrong(
        FORWARD,
        "reconstruction divided by the batch twice",
        (L_REC, L_REC + " / len(imgs)"),
        family="divided once too often",
    ),
    wrong(FORWARD, "log-likelihood", (L_REC, "L_rec = -nll.sum(dim=(1, 2)).mean()"), family="sign"),
    wrong(
        FORWARD,
        "softmax before the cross-entropy",
        (LOGITS, "logits = self.decoder(z).softmax(dim=1)"),
        family="softmax before the loss",
    ),
    wrong(
        FORWARD,
        "squared error",
        (NLL, "nll = (logits.argmax(1) - imgs.squeeze(1)).float() ** 2"),
        family="another loss",
    ),
    wrong(
        FORWARD,
        "shifted grey levels",
        (NLL, NLL.replace("imgs.squeeze(1)", "(imgs.squeeze(1) - 1).clamp(min=0)")),
        family="wrong target",
    ),
    wrong(
        FORWARD,
        "log_std detached for the KL term",
        (L_REG, "L_reg = KLD(mean, log_std.detach()).mean()"),
        family="gradient cut",
    ),
    wrong(
        FORWARD,
        "mean detached for the KL term",
        (L_REG, "L_reg = KLD(mean.detach(), log_std).mean()"),
        family="gradient cut",
    ),
    wrong(
        FORWARD, "L_reg detached", (TOTAL, TOTAL.replace("L_reg", "L_reg.detach()")), family="gradient cut"
    ),
    wrong(
        FORWARD, "L_rec detached", (TOTAL, TOTAL.replace("L_rec", "L_rec.detach()")), family="gradient cut"
    ),
    wrong(
        FORWARD, "numbers", (RETURNED, "return L_rec.item(), L_reg.item(), bpd.item()"), family="gradient cut"
    ),
    wrong(FORWARD, "only the loss", (RETURNED, "return bpd"), also=(TRAINING,), family="number of results"),
    wrong(
        FORWARD,
        "another order",
        (RETURNED, "return bpd, L_rec, L_reg"),
        also=(TRAINING,),
        family="order of the results",
    ),
    wrong(
        FORWARD,
        "zeros",
        (RETURNED, "return 0 * L_rec, 0 * L_reg, 0 * bpd"),
        also=(TRAINING,),
        family="input ignored",
    ),
    wrong(
        FORWARD,
        "transposed images",
        (NLL, NLL.replace("imgs.squeeze(1)", "imgs.squeeze(1).mT")),
        family="pixels scrambled",
    ),
    wrong(
        FORWARD,
        "zeros encoded",
        (ENCODED, ENCODED.replace("imgs", "torch.zeros_like(imgs)")),
        family="other images",
    ),
    wrong(
        FORWARD,
        "other order encoded",
        (ENCODED, ENCODED.replace("imgs", "imgs.flip(0)")),
        family="other images",
    ),
    wrong(
        FORWARD,
        "black and white encoded",
        (ENCODED, ENCODED.replace("imgs", "(imgs > 7).long()")),
        family="other images",
    ),
    wrong(
        FORWARD,
        "no KL term while training",
        (TOTAL, "bpd = elbo_to_bpd(L_rec if self.training else L_rec + L_reg, imgs.shape)"),
        family="term left out",
    ),
    wrong(
        FORWARD,
        "the mean while training",
        (SAMPLED, SAMPLED + "\n        z = mean if self.training else z"),
        family="nothing drawn",
    ),
    wrong(
        FORWARD,
        "tanh while training",
        (LOGITS, LOGITS.split("  #")[0] + "\n        logits = logits.tanh() if self.training else logits"),
        family="training mode",
    ),
    wrong(
        FORWARD,
        "noise of a fixed seed",
        (
            SAMPLED,
            "eps = torch.randn(mean.shape, generator=torch.Generator().manual_seed(42))\n"
            "        z = mean + log_std.exp() * eps",
        ),
        family="not drawn afresh",
    ),
    wrong(
        FORWARD, "seeded", (SAMPLED, "torch.manual_seed(42)\n        " + SAMPLED), family="not drawn afresh"
    ),
    wrong(
        FORWARD,
        "log_std within [-2, 2]",
        (SAMPLED, "log_std = log_std.clamp(-2, 2)\n        " + SAMPLED),
        family="posterior limited",
    ),
    wrong(
        FORWARD,
        "at least one nat",
        (L_REG, "L_reg = KLD(mean, log_std).clamp(min=1.0).mean()"),
        family="free bits",
    ),
    wrong(
        FORWARD,
        "at most ten nats a pixel",
        (L_REC, "L_rec = nll.clamp(max=10).sum((1, 2)).mean()"),
        family="limited",
    ),
)
WRONG_SAMPLES = (
    wrong(
        SAMPLE,
        "argmax",
        (DRAWN, "levels = per_pixel.flatten(0, 2).argmax(-1, keepdim=True)"),
        family="argmax",
    ),
    wrong(
        SAMPLE,
        "expectation",
        (DRAWN, "levels = per_pixel.flatten(0, 2) @ torch.arange(16.0)"),
        family="mean instead of sample",
    ),
    wrong(
        SAMPLE,
        "rounded expectation",
        (DRAWN, "levels = (per_pixel.flatten(0, 2) @ torch.arange(16.0)).round()"),
        family="mean instead of sample",
    ),
    wrong(
        SAMPLE,
        "reshape without permute",
        (PER_PIXEL, "per_pixel = probabilities.reshape(batch_size, 28, 28, 16)"),
        family="pixels scrambled",
    ),
    wrong(
        SAMPLE,
        "softmax after a reshape without permute",
        (PROBABILITIES, "probabilities = self.decoder(z).reshape(-1, 16, 28, 28)"),
        (PER_PIXEL, "per_pixel = probabilities.reshape(-1, 16).softmax(-1).view(-1, 28, 28, 16)"),
        family="pixels scrambled",
    ),
    wrong(
        SAMPLE,
        "softmax over the batch",
        (PROBABILITIES, PROBABILITIES.replace("dim=1", "dim=0")),
        family="wrong probabilities",
    ),
    wrong(
        SAMPLE,
        "logits as probabilities",
        (PROBABILITIES, "probabilities = self.decoder(z)"),
        family="wrong probabilities",
    ),
    wrong(
        SAMPLE,
        "sigmoid as probabilities",
        (PROBABILITIES, "probabilities = self.decoder(z).sigmoid()"),
        family="wrong probabilities",
    ),
    wrong(
        SAMPLE,
        "temperature",
        (PROBABILITIES, PROBABILITIES.replace(".softmax", ".mul(2).softmax")),
        family="wrong probabilities",
    ),
    wrong(
        SAMPLE,
        "softmax twice",
        (PROBABILITIES, PROBABILITIES + ".softmax(dim=1)"),
        family="wrong probabilities",
    ),
    wrong(SAMPLE, "scaled to 0..1", (LEVELS_RETURNED, LEVELS_RETURNED + " / 15"), family="wrong grey levels"),
    wrong(SAMPLE, "levels 1 to 16", (LEVELS_RETURNED, LEVELS_RETURNED + " + 1"), family="wrong grey levels"),
    wrong(
        SAMPLE,
        "no channel dimension",
        (LEVELS_RETURNED, LEVELS_RETURNED.replace(".unsqueeze(1)", "")),
        family="channel dimension",
    ),
    wrong(
        SAMPLE,
        "squeezed",
        (LEVELS_RETURNED, LEVELS_RETURNED.replace(".unsqueeze(1)", ".squeeze().unsqueeze(1)")),
        family="batch dimension lost",
    ),
    wrong(SAMPLE, "transposed images", (LEVELS_RETURNED, LEVELS_RETURNED + ".mT"), family="pixels scrambled"),
    wrong(SAMPLE, "uniform latents", (PRIOR, PRIOR.replace("randn", "rand")), family="not normal"),
    wrong(SAMPLE, "narrow latents", (PRIOR, PRIOR + " * 0.9"), family="not normal"),
    wrong(SAMPLE, "latents of zeros", (PRIOR, PRIOR.replace("randn", "zeros")), family="nothing drawn"),
    wrong(
        SAMPLE,
        "one latent for the batch",
        (PRIOR, "z = torch.randn(1, self.hparams.z_dim).expand(batch_size, -1)"),
        family="noise shared",
    ),
    wrong(SAMPLE, "hard-coded z_dim", (PRIOR, "z = torch.randn(batch_size, 20)"), family="size fixed"),
    wrong(
        SAMPLE,
        "the same latents in every call",
        (PRIOR, "torch.manual_seed(0)\n        " + PRIOR),
        family="not drawn afresh",
    ),
    wrong(
        SAMPLE,
        "one image for the batch",
        (LEVELS_RETURNED, LEVELS_RETURNED + "[:1].expand(batch_size, -1, -1, -1)"),
        family="noise shared",
    ),
    wrong(
        SAMPLE,
        "one draw for all pixels",
        (DRAWN, "levels = (per_pixel.flatten(0, 2).cumsum(-1) < torch.rand(1)).sum(-1).clamp(max=15)"),
        family="noise shared",
    ),
    wrong(
        SAMPLE,
        "one draw for an image",
        (DRAWN, "levels = (per_pixel.cumsum(-1) < torch.rand(batch_size, 1, 1, 1)).sum(-1).clamp(max=15)"),
        family="noise shared",
    ),
    wrong(
        SAMPLE,
        "a constant image",
        (LEVELS_RETURNED, "return torch.zeros(batch_size, 1, 28, 28).long()"),
        family="logits ignored",
    ),
    wrong(
        SAMPLE,
        "random levels",
        (LEVELS_RETURNED, "return torch.randint(16, (batch_size, 1, 28, 28))"),
        family="levels at random",
    ),
    wrong(
        SAMPLE, "seeded pixels", (DRAWN, "torch.manual_seed(42)\n        " + DRAWN), family="not drawn afresh"
    ),
    wrong(
        SAMPLE,
        "one draw for a column",
        (DRAWN, "levels = (per_pixel.cumsum(-1) < torch.rand(batch_size, 1, 28, 1)).sum(-1).clamp(max=15)"),
        family="noise shared",
    ),
    wrong(
        SAMPLE,
        "two images of the same draws",
        (
            DRAWN,
            "u = torch.rand(1 + batch_size // 2, 28, 28, 1).repeat(2, 1, 1, 1)[:batch_size]\n"
            "        levels = (per_pixel.cumsum(-1) < u).sum(-1).clamp(max=15)",
        ),
        family="noise shared",
    ),
    wrong(
        SAMPLE,
        "argmax of what is nearly sure",
        (
            LEVELS_RETURNED,
            "best = per_pixel.max(-1)\n"
            "        levels = torch.where(best.values > 0.9, best.indices, levels.view(per_pixel.shape[:3]))\n"
            "        return levels.unsqueeze(1)",
        ),
        family="likely levels",
    ),
    wrong(
        SAMPLE,
        "a little added to the probabilities",
        (PROBABILITIES, PROBABILITIES + " + 1e-3"),
        family="likely levels",
    ),
)
WRONG = WRONG_HELPERS + WRONG_MANIFOLDS + WRONG_NETWORKS + WRONG_FORWARD + WRONG_SAMPLES

BATCH_NORM = right(
    "BatchNorm",
    (
        "            nn.Conv2d(c, c, kernel_size=3, padding=1),\n",
        "            nn.Conv2d(c, c, kernel_size=3, padding=1),\n            nn.BatchNorm2d(c),\n",
    ),
    (
        "            nn.Conv2d(2 * c, 2 * c, kernel_size=3, padding=1),\n",
        "            nn.Conv2d(2 * c, 2 * c, kernel_size=3, padding=1),\n            nn.BatchNorm2d(2 * c),\n",
    ),
    file=NETWORKS,
)
DROPOUT = right(
    "Dropout",
    ("            nn.Flatten(),\n", "            nn.Flatten(),\n            nn.Dropout(0.1),\n"),
    ("            nn.Unflatten", "            nn.Dropout(0.1),\n            nn.Unflatten"),
    file=NETWORKS,
)
MLP = right(
    "MLP",
    (
        ENCODER_LAYERS,
        """        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(784 * num_input_channels, 512),
            nn.ReLU(),
            nn.Linear(512, 256),
            nn.ReLU(),
        )
        self.mean = nn.Linear(256, z_dim)
        self.log_std = nn.Linear(256, z_dim)
""",
    ),
    (
        DECODER_LAYERS,
        """        self.net = nn.Sequential(
            nn.Linear(z_dim, 256),
            nn.ReLU(),
            nn.Linear(256, 512),
            nn.ReLU(),
            nn.Linear(512, 784 * num_input_channels),
            nn.Unflatten(1, (num_input_channels, 28, 28)),
        )
""",
    ),
    file=NETWORKS,
)
UNSCALED = right("unscaled input", (INPUT, "features = self.net(x.float())"), file=NETWORKS)
ONE_HOT = right(
    "one-hot input",
    (FIRST_CONV, FIRST_CONV.replace("num_input_channels", "16 * num_input_channels")),
    (
        INPUT,
        "levels = nn.functional.one_hot(x, 16).float()  # [B, C, 28, 28, 16]\n        features = self.net(levels.permute(0, 1, 4, 2, 3).flatten(1, 2))",
    ),
    file=NETWORKS,
)
RIGHT_HELPERS = (
    right(
        "KLD with a limit for stability",
        (CLOSED_FORM, CLOSED_FORM.replace("log_std)", "log_std.clamp(-15, 15))", 1)),
    ),
    right(
        "noise after a check by ValueError",
        (ASSERTION, "    if bool((std < 0).any()):\n        raise ValueError('std')\n"),
    ),
    right("noise by torch.normal", (NOISY, "mean + std * torch.normal(0, 1, size=std.shape)")),
    right("noise in place", (NOISY, "mean + std * torch.empty_like(mean).normal_()")),
    right("noise of the shape", (NOISY, "torch.randn(*std.shape, device=std.device) * std + mean")),
    right(
        "addcmul",
        (NOISY, "torch.addcmul(mean, torch.normal(torch.zeros_like(mean), torch.ones_like(std)), std)"),
    ),
    right(
        "noise minus, float64 and back",
        (NOISY, "mean - (std.double() * torch.randn(mean.size()).double()).to(mean.dtype)"),
    ),
    right(
        "KLD by torch.sum",
        (CLOSED_FORM, "torch.sum(torch.exp(2 * log_std) + torch.pow(mean, 2) - 1 - 2 * log_std, dim=-1) / 2"),
    ),
    right(
        "KLD by einsum",
        (
            CLOSED_FORM,
            'torch.einsum("...d->...", log_std.exp().square() + mean * mean - 1 - log_std.exp().square().log()) / 2',
        ),
    ),
    right(
        "KLD by expm1",
        (CLOSED_FORM, "0.5 * (torch.expm1(2 * log_std) + mean.square() - 2 * log_std).sum(-1)"),
    ),
    right(
        "KLD of the variance",
        (
            CLOSED_FORM,
            "-0.5 * torch.sum(1 + torch.log(torch.exp(log_std) ** 2) - mean.pow(2) - torch.exp(log_std) ** 2, -1)",
        ),
    ),
    right(
        "KLD term by term",
        (CLOSED_FORM, "(-log_std + 0.5 * (log_std.exp() ** 2 + mean**2) - 0.5).sum(mean.dim() - 1)"),
    ),
    right("bpd by torch.prod", (PRODUCT, "torch.prod(torch.tensor(img_shape[1:]))")),
    right(
        "bpd by numpy",
        (PRODUCT, "np.prod(img_shape[1:])"),
        ("import math\n", "import math\n\nimport numpy as np\n"),
        (BITS, "elbo * np.log2(np.e) * (1 / dimensions)"),
    ),
    right("bpd through ln 2", (BITS, "elbo / math.log(2) / img_shape[1] / img_shape[2] / img_shape[3]")),
    right("bpd by torch.log2", (BITS, "elbo * torch.log2(torch.exp(torch.tensor(1.0))) / dimensions")),
    right("bpd of shape [1]", (BITS, "(elbo * torch.tensor([math.log2(math.e)]) / dimensions)")),
)
RIGHT_FORWARD = (
    right(
        "inlined helpers",
        (SAMPLED, "z = mean + log_std.exp() * torch.randn_like(mean)"),
        (L_REG, "L_reg = 0.5 * ((2 * log_std).exp() + mean**2 - 1 - 2 * log_std).sum(1).mean()"),
        (TOTAL, "bpd = (L_rec + L_reg) / 0.6931471805599453 / 784"),
        file=TRAIN,
    ),
    right(
        "keywords",
        (SAMPLED, "z = sample_reparameterize(std=torch.exp(log_std), mean=mean)"),
        (L_REG, "L_reg = torch.mean(KLD(log_std=log_std, mean=mean), dim=0)"),
        (TOTAL, "bpd = elbo_to_bpd(img_shape=imgs.size(), elbo=L_rec + L_reg)"),
        file=TRAIN,
    ),
    right(
        "bpd of every image, then the mean",
        (L_REC, "L_rec = nll.sum(dim=(1, 2))"),
        (L_REG, "L_reg = KLD(mean, log_std)"),
        (TOTAL, "bpd = elbo_to_bpd(L_rec + L_reg, list(imgs.shape)).mean()"),
        (RETURNED, "return L_rec.mean(), L_reg.mean(), bpd"),
        file=TRAIN,
    ),
    right(
        "one-hot and log-softmax",
        (NLL, "nll = -(F.one_hot(imgs.squeeze(1), 16).permute(0, 3, 1, 2) * logits.log_softmax(1)).sum(1)"),
        file=TRAIN,
    ),
    right(
        "images scaled before the encoder", (ENCODED, ENCODED.replace("imgs", "imgs / 7.5 - 1")), file=TRAIN
    ),
    right("gather", (NLL, "nll = -F.log_softmax(logits, dim=1).gather(1, imgs).squeeze(1)"), file=TRAIN),
    right(
        "sum divided by the batch",
        (NLL + "  # [B, 28, 28]", ""),
        (L_REC, "L_rec = torch.nn.CrossEntropyLoss(reduction='sum')(logits, imgs[:, 0]) / imgs.shape[0]"),
        file=TRAIN,
    ),
    right(
        "mean times the pixels",
        (NLL + "  # [B, 28, 28]", ""),
        (L_REC, "L_rec = F.cross_entropy(logits, imgs.squeeze(dim=1)) * 28 * 28"),
        file=TRAIN,
    ),
    right(
        "permuted and flattened",
        (
            NLL + "  # [B, 28, 28]",
            'nll = F.cross_entropy(logits.permute(0, 2, 3, 1).reshape(-1, 16), imgs.view(-1), reduction="none").view(-1, 28, 28)',
        ),
        file=TRAIN,
    ),
    right(
        "NLL loss",
        (NLL, 'nll = F.nll_loss(F.log_softmax(logits, 1), imgs.squeeze(1), reduction="none")'),
        file=TRAIN,
    ),
    right("losses of shape [1]", (RETURNED, "return L_rec.view(1), L_reg.view(1), bpd.view(1)"), file=TRAIN),
    right(
        "L_rec and L_reg for the log only",
        (RETURNED, "return L_rec.detach(), L_reg.item(), bpd"),
        file=TRAIN,
    ),
    right("a list", (RETURNED, "return [L_rec, L_reg, bpd]"), file=TRAIN),
    right(
        "import *",
        (
            "from utils import KLD, elbo_to_bpd, sample_reparameterize, visualize_manifold",
            "import matplotlib.pyplot as plt\nimport scipy.stats\nimport sklearn\nfrom utils import *  # noqa",
        ),
        file=TRAIN,
    ),
    right(
        "helpers under other names",
        (
            "from utils import KLD, elbo_to_bpd, sample_reparameterize, visualize_manifold",
            "import utils\nfrom utils import elbo_to_bpd, sample_reparameterize as draw, visualize_manifold",
        ),
        (SAMPLED, "z = draw(mean, log_std.exp())"),
        (L_REG, "L_reg = utils.KLD(mean, log_std).mean()"),
        file=TRAIN,
    ),
    right(
        "code that prints, and a step that returns the negative ELBO in nats",
        (ENCODED, "print(imgs.shape)\n        " + ENCODED),
        (
            "        return bpd\n\n    def training_step",
            "        return L_rec + L_reg\n\n    def training_step",
        ),
        file=TRAIN,
    ),
)
CHANNELS_LAST = "probs = self.decoder(z).permute(0, 2, 3, 1).softmax(-1)"
LOOP = """images = []
        for _ in range(batch_size):
            logits = self.decoder(torch.randn(1, self.hparams.z_dim))[0]  # [16, 28, 28]
            probs = logits.permute(1, 2, 0).reshape(-1, 16).softmax(-1)
            images.append(torch.multinomial(probs, 1).view(1, 28, 28))
        return torch.stack(images)"""
VAE_CLASS = "class VAE(pl.LightningModule):"
RIGHT_NETWORKS_OF_THE_VAE = (
    right(
        "a decoder with methods of its own",
        (
            VAE_CLASS,
            """class Decoder(CNNDecoder):
    def nll(self, z, images):
        return F.cross_entropy(self(z), images.squeeze(1), reduction="none")

    def probabilities(self, z):
        return self(z).softmax(dim=1)


"""
            + VAE_CLASS,
        ),
        ("CNNDecoder(z_dim=z_dim", "Decoder(z_dim=z_dim"),
        (LOGITS, ""),
        (NLL, "nll = self.decoder.nll(z, imgs)"),
        (PROBABILITIES, "probabilities = self.decoder.probabilities(z)"),
        file=TRAIN,
    ),
    right(
        "layers with the names that stand-ins may have",
        (NETWORKS_BUILT, NETWORKS_BUILT + "        self.decoder.logits = self.decoder.net[-1]\n"),
        (PRIOR, "z = torch.randn(batch_size, self.encoder.mean.out_features)"),
        (LEVELS_RETURNED, "assert self.decoder.logits.out_channels == 16\n        " + LEVELS_RETURNED),
        file=TRAIN,
    ),
    right(
        "a pipeline that holds the decoder",
        (
            NETWORKS_BUILT,
            NETWORKS_BUILT
            + "        self.generator = torch.nn.Sequential(self.decoder, torch.nn.Softmax(1))\n",
        ),
        (PROBABILITIES, "probabilities = self.generator(z)"),
        file=TRAIN,
    ),
    right(
        "decoded twice, once for a log",
        (
            LEVELS_RETURNED,
            "self.mean_level = self.decoder(z).softmax(1).mean((0, 2, 3))\n        " + LEVELS_RETURNED,
        ),
        file=TRAIN,
    ),
    right(
        "networks called by keywords, defaults said",
        (ENCODED, "mean, log_std = self.encoder(x=imgs)"),
        (LOGITS, "logits = self.decoder(z=z)"),
        (PROBABILITIES, "probabilities = self.decoder.forward(z=z).softmax(dim=1)"),
        file=TRAIN,
    ),
)
RIGHT_SAMPLES = (
    right(
        "Gumbel-max",
        (DRAWN, "levels = (per_pixel.log() - torch.log(-torch.log(torch.rand_like(per_pixel)))).argmax(-1)"),
        file=TRAIN,
    ),
    right(
        "cumulated probabilities",
        (DRAWN, "levels = (per_pixel.cumsum(-1) < torch.rand(batch_size, 28, 28, 1)).sum(-1).clamp(max=15)"),
        file=TRAIN,
    ),
    right(
        "exponential race",
        (DRAWN, "levels = (per_pixel / torch.empty_like(per_pixel).exponential_()).argmax(-1)"),
        file=TRAIN,
    ),
    right("a loop over images", (PRIOR, LOOP), file=TRAIN),
    right(
        "transposed and flattened",
        (PER_PIXEL, "flat = probabilities.flatten(2).transpose(1, 2)  # [B, 784, 16]"),
        (DRAWN, "levels = torch.multinomial(flat.reshape(-1, 16), 1)"),
        (LEVELS_RETURNED, "return levels.reshape(batch_size, 1, 28, 28)"),
        file=TRAIN,
    ),
    right("uint8", (LEVELS_RETURNED, LEVELS_RETURNED + ".to(torch.uint8)"), file=TRAIN),
    right("float32", (LEVELS_RETURNED, LEVELS_RETURNED + ".float()"), file=TRAIN),
    right(
        "latents made on the CPU",
        (PRIOR, "z = torch.empty(batch_size, self.hparams.z_dim).normal_().to(self.device)"),
        file=TRAIN,
    ),
    right(
        "latents of the decoder's size",
        (PRIOR, "z = torch.normal(0.0, 1.0, (batch_size, self.decoder.net[0].in_features))"),
        file=TRAIN,
    ),
    right(
        "z_dim as an attribute",
        (
            "        self.save_hyperparameters()\n",
            "        self.save_hyperparameters()\n        self.z_dim = z_dim\n",
        ),
        (PRIOR, "z = torch.randn((batch_size, self.z_dim))"),
        file=TRAIN,
    ),
)
RIGHT_MANIFOLDS = (
    right(
        "meshgrid ij",
        (LATENTS, 'torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)'),
    ),
    right(
        "meshgrid xy",
        (LATENTS, 'torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)'),
    ),
    right("levels 0 to 15", (LEVELS, "torch.arange(16.0)")),
    right("levels over 16", (LEVELS, "torch.arange(16) / 16")),
    right("no padding, normalized", (GRID, "make_grid(mean_images, grid_size, padding=0, normalize=True)")),
    right(
        "padding 1, the value range",
        (GRID, "make_grid(mean_images, nrow=grid_size, padding=1, normalize=True, value_range=(0, 1))"),
    ),
    right("erfinv", (AXIS, "math.sqrt(2) * torch.erfinv(2 * percentiles - 1)")),
    right(
        "linspace of percentiles",
        (PERCENTILES, "torch.linspace(0.5 / grid_size, (grid_size - 0.5) / grid_size, grid_size)"),
    ),
    right(
        "scipy",
        ("import math\n", "import math\n\nfrom scipy.stats import norm\n"),
        (AXIS, "torch.tensor(norm.ppf(percentiles.numpy())).float()"),
    ),
    right(
        "the standard library",
        (
            AXIS,
            "torch.tensor([__import__('statistics').NormalDist().inv_cdf(p) for p in percentiles.tolist()])",
        ),
    ),
    right(
        "a loop over latents",
        (SOFTMAX, "torch.cat([decoder(latent[None]) for latent in z]).softmax(dim=1)"),
    ),
    right("permuted", (MEANS, "(probabilities.permute(0, 2, 3, 1) @ levels)[:, None]")),
    right(
        "a loop over levels",
        (MEANS, "sum(level * probabilities[:, k : k + 1] for k, level in enumerate(levels))"),
    ),
)
BUILT = """        # END SOLUTION

    def forward(self, z"""


def initialized(name: str, code: str) -> Variant:
    """Both networks with weights of an initialization, and biases of zero."""
    function = f"""def initialize(layer):
    if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.{code}
        nn.init.zeros_(layer.bias)


class CNNEncoder"""
    apply = "        self.apply(initialize)\n"
    return right(
        name,
        (LOG_STD_HEAD + "\n", LOG_STD_HEAD + "\n" + apply),
        (BUILT, apply + BUILT),
        ("class CNNEncoder", function),
        file=NETWORKS,
    )


NORMALIZED = (
    "            nn.Flatten(),\n",
    "            nn.GroupNorm(4, 2 * c),\n            nn.Flatten(),\n",
)
RIGHT_NETWORKS = (
    initialized("weights from N(0, 0.01)", "normal_(layer.weight, std=0.01)"),
    initialized("weights from a truncated normal", "trunc_normal_(layer.weight, std=0.02)"),
    right(
        "a small head behind GroupNorm",
        NORMALIZED,
        (LOG_STD_HEAD, LOG_STD_HEAD + "\n        nn.init.normal_(self.log_std.weight, std=1e-3)"),
        file=NETWORKS,
    ),
    right(
        "a gain that starts at zero",
        (LOG_STD_HEAD, LOG_STD_HEAD + "\n        self.gain = nn.Parameter(torch.zeros(1))"),
        (HEADS, "self.mean(features), self.gain * self.log_std(features)"),
        file=NETWORKS,
    ),
    right(
        "lazy layers",
        (FIRST_CONV, "nn.LazyConv2d(c, kernel_size=3, padding=1, stride=2)"),
        (MEAN_HEAD, "self.mean = nn.LazyLinear(z_dim)"),
        (LOG_STD_HEAD, "self.log_std = nn.LazyLinear(z_dim)"),
        (FIRST_LINEAR, "nn.LazyLinear(2 * 16 * c)"),
        file=NETWORKS,
    ),
    right(
        "spectral norm in the decoder",
        (
            BUILT,
            "        for layer in self.net:\n            if hasattr(layer, 'weight'):\n"
            "                nn.utils.parametrizations.spectral_norm(layer)\n" + BUILT,
        ),
        file=NETWORKS,
    ),
    BATCH_NORM,
    DROPOUT,
    MLP,
    UNSCALED,
    ONE_HOT,
    right("input in 0..1", (INPUT, "features = self.net(x / 15)"), file=NETWORKS),
    right("other activations", ("nn.GELU()", "nn.LeakyReLU(0.1)"), file=NETWORKS),
    right("tanh everywhere", ("nn.GELU()", "nn.Tanh()"), file=NETWORKS),
    right("sigmoid everywhere", ("nn.GELU()", "nn.Sigmoid()"), file=NETWORKS),
    right(
        "an embedding",
        (FIRST_CONV, FIRST_CONV.replace("num_input_channels", "4 * num_input_channels")),
        (MEAN_HEAD, MEAN_HEAD + "\n        self.embedding = nn.Embedding(16, 4)"),
        (INPUT, "features = self.net(self.embedding(x).permute(0, 1, 4, 2, 3).flatten(1, 2))"),
        file=NETWORKS,
    ),
    right(
        "one linear layer and chunk",
        (MEAN_HEAD, "self.head = nn.Linear(2 * 16 * c, 2 * z_dim)"),
        (LOG_STD_HEAD, ""),
        (HEADS, "self.head(features).chunk(2, dim=-1)"),
        file=NETWORKS,
    ),
    right(
        "heads of different depth",
        (
            LOG_STD_HEAD,
            "self.log_std = nn.Sequential(*self.net, nn.Linear(2 * 16 * c, z_dim))\n        self.net = nn.Flatten()",
        ),
        (MEAN_HEAD, "self.mean = nn.Linear(784 * num_input_channels, z_dim)"),
        (HEADS, "self.mean(features), self.log_std(features.view(x.shape))"),
        file=NETWORKS,
    ),
    right(
        "log_std starts at zero",
        (
            LOG_STD_HEAD,
            LOG_STD_HEAD
            + "\n        nn.init.zeros_(self.log_std.weight)\n        nn.init.zeros_(self.log_std.bias)",
        ),
        file=NETWORKS,
    ),
    right(
        "clamped log_std and a list",
        (HEADS, "[self.mean(features), self.log_std(features).clamp(-10, 10)]"),
        file=NETWORKS,
    ),
    right(
        "extra constructor arguments and a layer without use",
        ("z_dim: int = 20)", "z_dim: int = 20, activation=nn.GELU, *, dropout: float = 0.0)"),
        ("        c = num_filters\n", "        c = num_filters\n        self.unused = nn.Linear(3, 3)\n"),
        file=NETWORKS,
    ),
    right("log-softmax output", (DECODED, "return self.net(z).log_softmax(dim=1)"), file=NETWORKS),
    right(
        "upsampling",
        (
            DECODER_LAYERS,
            """        self.net = nn.Sequential(
            nn.Linear(z_dim, 49 * c),
            nn.ReLU(),
            nn.Unflatten(1, (c, 7, 7)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(c, c, 3, padding=1),
            nn.SiLU(),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Conv2d(c, num_input_channels, 3, padding=1),
        )
""",
        ),
        file=NETWORKS,
    ),
)
RIGHT = (
    RIGHT_HELPERS
    + RIGHT_FORWARD
    + RIGHT_NETWORKS_OF_THE_VAE
    + RIGHT_SAMPLES
    + RIGHT_MANIFOLDS
    + RIGHT_NETWORKS
)
