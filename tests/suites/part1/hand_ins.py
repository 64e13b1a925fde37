"""More edits of the solutions of part 1, in the styles of real hand-ins: other idioms, libraries and dtypes."""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.part1.variants import (
    BUILT,
    CLOSED_FORM,
    DECODED,
    DECODER,
    DECODER_LAYERS,
    DRAWN,
    ENCODER,
    ENCODER_LAYERS,
    FIRST_LINEAR,
    FORWARD,
    HEADS,
    INPUT,
    KLD,
    L_REC,
    L_REG,
    LEVELS_RETURNED,
    LOG_STD_HEAD,
    LOGITS,
    MANIFOLD,
    MEAN_HEAD,
    MEANS,
    NETWORKS,
    NETWORKS_BUILT,
    NLL,
    NOISY,
    PRIOR,
    PROBABILITIES,
    RETURNED,
    SAMPLE,
    SAMPLED,
    SOFTMAX,
    TOTAL,
    TRAIN,
    TRAINING,
    VAE_CLASS,
    right,
    wrong,
)
from tests.suites.variants import Variant

ADAM = "return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)"
STEP = """        return self._step(batch, "train")"""
CODES = "self.mean(features), self.log_std(features)"
IMPORTS_OF_NETWORKS = "import torch\nfrom torch import nn\n"


def optimizers(name: str, code: str, *edits: tuple[str, str]) -> Variant:
    """Another configure_optimizers that trains the VAE as well."""
    return right(name, (ADAM, code), *edits, file=TRAIN)


def wrong_optimizers(name: str, code: str, family: str) -> Variant:
    """One that does not."""
    return Variant(name, ((ADAM, code),), TRAINING, TRAIN, (), family)


DOUBLE_VAE = (
    (
        VAE_CLASS,
        """class DoubleEncoder(CNNEncoder):
    def forward(self, x):
        features = self.net(x.double() / 15 * 2 - 1)
        return self.mean(features), self.log_std(features)


"""
        + VAE_CLASS,
    ),
    ("CNNEncoder(z_dim=z_dim", "DoubleEncoder(z_dim=z_dim"),
    (
        "        self.decoder = CNNDecoder(z_dim=z_dim, num_filters=num_filters)\n",
        "        self.decoder = CNNDecoder(z_dim=z_dim, num_filters=num_filters)\n        self.double()\n",
    ),
)
RIGHT_DTYPES = (
    right(
        "float64 by default",
        (IMPORTS_OF_NETWORKS, IMPORTS_OF_NETWORKS + "\ntorch.set_default_dtype(torch.float64)\n"),
        (INPUT, INPUT.replace("x.float()", "x.to(torch.get_default_dtype())")),
        file=NETWORKS,
    ),
    right(
        "networks that make themselves double",
        (LOG_STD_HEAD, LOG_STD_HEAD + "\n        self.double()"),
        (INPUT, INPUT.replace("x.float()", "x.double()")),
        (BUILT, "        self.double()\n" + BUILT),
        (DECODED, "return self.net(z.double())"),
        file=NETWORKS,
    ),
    right(
        "a VAE that makes its networks double",
        *DOUBLE_VAE,
        (PRIOR, PRIOR.replace("device=", "dtype=torch.float64, device=")),
        file=TRAIN,
    ),
    right(
        "some layers in float64",
        (MEAN_HEAD, MEAN_HEAD.replace("z_dim)", "z_dim, dtype=torch.float64)")),
        (LOG_STD_HEAD, LOG_STD_HEAD.replace("z_dim)", "z_dim, dtype=torch.float64)")),
        (HEADS, HEADS.replace("features)", "features.double())")),
        (FIRST_LINEAR, FIRST_LINEAR.replace("c)", "c, dtype=torch.float64)")),
        (DECODED, "return self.net[1:](self.net[0](z.to(torch.float64)).float())"),
        file=NETWORKS,
    ),
)
RESIDUAL = """class Residual(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.GroupNorm(groups, channels), nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1), nn.GroupNorm(groups, channels),
        )

    def forward(self, x):
        return nn.functional.silu(x + self.body(x))


class CNNEncoder"""
RESHAPE = """class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(x.size(0), *self.shape)


class Scale(nn.Module):
    def forward(self, x):
        return x.to(torch.float32).div(7.5).sub(1)


class CNNEncoder"""
POOLING = """class AttentionPool(nn.Module):
    \"\"\"Weighs the 49 places of a feature map, several times.\"\"\"

    def __init__(self, channels, heads):
        super().__init__()
        self.place = nn.Parameter(torch.randn(49, channels) * 0.3)
        self.score = nn.Linear(channels, heads)

    def forward(self, x):
        tokens = x.flatten(2).transpose(1, 2) + self.place  # [B, 49, channels]
        weights = self.score(tokens).softmax(dim=1)  # [B, 49, heads]
        return torch.einsum("bnh,bnc->bhc", weights, tokens).flatten(1)


class CNNEncoder"""
RIGHT_NETWORKS = (
    right(
        "residual blocks with GroupNorm",
        ("class CNNEncoder", RESIDUAL),
        (
            ENCODER_LAYERS,
            """        self.net = nn.Sequential(
            nn.Conv2d(num_input_channels, c, 4, stride=2, padding=1), Residual(c, 2),
            nn.Conv2d(c, 2 * c, 4, stride=2, padding=1), Residual(2 * c, 4), nn.Flatten(),
        )
        self.mean = nn.Linear(49 * 2 * c, z_dim)
        self.log_std = nn.Linear(49 * 2 * c, z_dim)
""",
        ),
        file=NETWORKS,
    ),
    right(
        "one sequence with reshaping modules",
        ("class CNNEncoder", RESHAPE),
        (
            ENCODER_LAYERS,
            """        self.enc = nn.Sequential(
            Scale(), nn.Conv2d(num_input_channels, c, 5, 2, 2), nn.ReLU(inplace=True), nn.Conv2d(c, 2 * c, 5, 2, 2),
            nn.ReLU(inplace=True), Reshape(-1), nn.Linear(98 * c, 2 * z_dim), Reshape(2, z_dim),
        )
""",
        ),
        (INPUT, "codes = self.enc(x)"),
        (HEADS, "tuple(codes.unbind(dim=1))"),
        (
            DECODER_LAYERS,
            """        self.net = nn.Sequential(
            nn.Linear(z_dim, 49 * c), nn.ReLU(inplace=True), Reshape(c, 7, 7), nn.ConvTranspose2d(c, c, 4, 2, 1),
            nn.ReLU(inplace=True), nn.ConvTranspose2d(c, num_input_channels, 4, 2, 1),
        )
""",
        ),
        file=NETWORKS,
    ),
    right(
        "attention pooling",
        ("class CNNEncoder", POOLING),
        (
            "            nn.Conv2d(2 * c, 2 * c, kernel_size=3, padding=1, stride=2),  # 7 -> 4\n            nn.GELU(),\n            nn.Flatten(),\n",
            "            AttentionPool(2 * c, 16),\n",
        ),
        file=NETWORKS,
    ),
    right(
        "every image standardized by itself",
        (
            INPUT,
            "x = x.float()\n        m, s = x.mean(dim=(1, 2, 3), keepdim=True), x.std(dim=(1, 2, 3), keepdim=True)\n"
            "        features = self.net((x - m) / (s + 1e-6))",
        ),
        file=NETWORKS,
    ),
    right(
        "every image divided by its own maximum",
        (INPUT, "features = self.net(x / x.flatten(1).max(dim=1).values.view(-1, 1, 1, 1))"),
        file=NETWORKS,
    ),
    right(
        "LayerNorm of the features, InstanceNorm of the maps",
        ("            nn.Flatten(),\n", "            nn.Flatten(),\n            nn.LayerNorm(2 * 16 * c),\n"),
        (
            "            nn.Conv2d(2 * c, 2 * c, kernel_size=3, padding=1),\n",
            "            nn.Conv2d(2 * c, 2 * c, kernel_size=3, padding=1),\n            nn.InstanceNorm2d(2 * c, affine=True),\n",
        ),
        file=NETWORKS,
    ),
    right(
        "tiny networks",
        (
            ENCODER_LAYERS,
            """        self.net = nn.Sequential(
            nn.AvgPool2d(2), nn.Flatten(), nn.Linear(196 * num_input_channels, 24), nn.Tanh(),
        )
        self.mean, self.log_std = nn.Linear(24, z_dim), nn.Linear(24, z_dim)
""",
        ),
        (
            DECODER_LAYERS,
            """        self.net = nn.Sequential(
            nn.Linear(z_dim, 24), nn.ReLU(), nn.Linear(24, 4 * 49), nn.ReLU(), nn.Unflatten(1, (4, 7, 7)),
            nn.ConvTranspose2d(4, num_input_channels, 4, stride=4),
        )
""",
        ),
        file=NETWORKS,
    ),
    right(
        "arguments of its own behind the given ones",
        (
            "num_filters: int = 32, z_dim: int = 20)",
            "num_filters: int = 32, z_dim: int = 20, *, depth: int = 1)",
        ),
        file=NETWORKS,
    ),
    right(
        "arguments taken as keywords",
        (
            "def __init__(self, num_input_channels: int = 16, num_filters: int = 32, z_dim: int = 20):",
            "def __init__(self, *args, **kwargs):",
        ),
        (
            "        c = num_filters\n" + DECODER_LAYERS,
            "        given = {'num_input_channels': 16, 'num_filters': 32, 'z_dim': 20}\n"
            "        given.update(zip(given, args))\n        given.update(kwargs)\n"
            "        num_input_channels, c, z_dim = given.values()\n" + DECODER_LAYERS,
        ),
        file=NETWORKS,
    ),
)
RIGHT_IDIOMS = (
    right(
        "scripted helpers",
        (
            "def KLD(",
            "@torch.jit.script\ndef _terms(m: torch.Tensor, s: torch.Tensor) -> torch.Tensor:\n    return (torch.exp(2 * s) + m * m - 1 - 2 * s) / 2\n\n\ndef KLD(",
        ),
        (CLOSED_FORM, "_terms(mean, log_std).sum(-1)"),
    ),
    right(
        "normal numbers of a size, einsum for the sum",
        (NOISY, "mean + torch.normal(0.0, 1.0, size=tuple(mean.shape), device=mean.device) * std"),
        (
            CLOSED_FORM,
            'torch.einsum("...d->...", 0.5 * (log_std.mul(2).exp() + mean.pow(2) - log_std.mul(2) - 1))',
        ),
    ),
    right(
        "log-likelihood by einsum",
        (
            NLL,
            'nll = -torch.einsum("bkhw,bhwk->bhw", logits.log_softmax(dim=1), F.one_hot(imgs[:, 0], 16).to(logits.dtype))',
        ),
        file=TRAIN,
    ),
    right(
        "gathered log-probabilities and a named tuple",
        (
            VAE_CLASS,
            "from typing import NamedTuple\n\n\nclass Terms(NamedTuple):\n    rec: torch.Tensor\n    reg: torch.Tensor\n    bpd: torch.Tensor\n\n\n"
            + VAE_CLASS,
        ),
        (NLL, "nll = logits.logsumexp(1) - logits.gather(1, imgs)[:, 0]"),
        (RETURNED, "return Terms(L_rec, L_reg, bpd)"),
        file=TRAIN,
    ),
    right(
        "Gumbel-softmax",
        (
            DRAWN,
            "levels = F.gumbel_softmax(per_pixel.clamp(min=1e-12).log(), tau=1.0, hard=True, dim=-1).argmax(-1)",
        ),
        file=TRAIN,
    ),
    right(
        "cross-entropy by the images of a batch",
        (NLL + "  # [B, 28, 28]", ""),
        (
            L_REC,
            'L_rec = torch.stack([F.cross_entropy(one[None], img, reduction="sum") for one, img in zip(logits, imgs)]).mean()',
        ),
        file=TRAIN,
    ),
)
MANUAL = """        optimizer = self.optimizers()
        bpd = self._step(batch, "train")
        optimizer.zero_grad()
        self.manual_backward(bpd)
        torch.nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        optimizer.step()
        return bpd"""
GATHERED = """        bpd = self._step(batch, "train")
        self.manual_backward(bpd / 4)
        if (batch_idx + 1) % 4 == 0:
            for optimizer in self.optimizers():
                optimizer.step()
                optimizer.zero_grad()"""
BY_HAND = (
    "        self.save_hyperparameters()\n",
    "        self.save_hyperparameters()\n        self.automatic_optimization = False\n",
)
RIGHT_OPTIMIZERS = (
    optimizers(
        "AdamW with groups",
        "decayed = [p for p in self.parameters() if p.dim() > 1]\n"
        "        others = [p for p in self.parameters() if p.dim() <= 1]\n"
        "        groups = [{'params': decayed, 'weight_decay': 0.01}, {'params': others, 'weight_decay': 0.0}]\n"
        "        return torch.optim.AdamW(groups, lr=self.hparams.lr, betas=(0.9, 0.99))",
    ),
    optimizers(
        "momentum in a list", "return [torch.optim.SGD(self.parameters(), lr=self.hparams.lr, momentum=0.9)]"
    ),
    optimizers(
        "RMSprop and cosine annealing",
        "optimizer = torch.optim.RMSprop(self.parameters(), lr=self.hparams.lr)\n"
        "        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=80)]",
    ),
    optimizers(
        "a warm-up that begins at zero",
        "optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)\n"
        "        warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1.0, epoch / 5))\n"
        "        return {'optimizer': optimizer, 'lr_scheduler': {'scheduler': warm_up, 'interval': 'epoch'}}",
    ),
    optimizers(
        "a plateau of what is validated",
        "optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)\n"
        "        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3)\n"
        "        return {'optimizer': optimizer, 'lr_scheduler': plateau, 'monitor': 'val_bpd'}",
    ),
    optimizers(
        "one cycle",
        "optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)\n"
        "        steps = max(10, int(self.trainer.estimated_stepping_batches))\n"
        "        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=self.hparams.lr, total_steps=steps)\n"
        "        return [optimizer], [{'scheduler': cycle, 'interval': 'step'}]",
    ),
    optimizers("optimization by hand, with clipped gradients", ADAM, BY_HAND, (STEP, MANUAL)),
    optimizers(
        "two optimizers by hand, gradients gathered over batches",
        "return [torch.optim.Adam(net.parameters(), lr=self.hparams.lr) for net in (self.encoder, self.decoder)]",
        BY_HAND,
        (STEP, GATHERED),
    ),
    optimizers(
        "averaged weights and more in the log",
        ADAM,
        (
            NETWORKS_BUILT,
            NETWORKS_BUILT
            + "        self.average = torch.optim.swa_utils.AveragedModel(self.decoder)\n        self.average.requires_grad_(False)\n",
        ),
        (
            STEP,
            '        bpd = self._step(batch, "train")\n'
            '        self.log("lr", self.optimizers().param_groups[0]["lr"], prog_bar=True)\n'
            '        self.log("step", float(self.trainer.global_step))\n'
            '        return {"loss": bpd, "batch": batch_idx}\n\n'
            "    def on_train_batch_end(self, outputs, batch, batch_idx):\n"
            "        self.average.update_parameters(self.decoder)",
        ),
    ),
)
RIGHT = RIGHT_DTYPES + RIGHT_NETWORKS + RIGHT_IDIOMS + RIGHT_OPTIMIZERS

WRONG_OPTIMIZERS = (
    wrong_optimizers(
        "the encoder alone", ADAM.replace("self.", "self.encoder.", 1), "optimizer holds too little"
    ),
    wrong_optimizers(
        "the decoder alone", ADAM.replace("self.", "self.decoder.", 1), "optimizer holds too little"
    ),
    wrong_optimizers(
        "the last layers alone",
        "heads = [*self.encoder.mean.parameters(), *self.encoder.log_std.parameters(), *self.decoder.net[-1].parameters()]\n"
        "        return torch.optim.Adam(heads, lr=self.hparams.lr)",
        "optimizer holds too little",
    ),
    wrong_optimizers(
        "a decoder that is frozen",
        "self.decoder.requires_grad_(False)\n        " + ADAM,
        "optimizer holds too little",
    ),
    wrong_optimizers(
        "a generator that is used up",
        "parameters = self.decoder.parameters()\n        count = sum(p.numel() for p in parameters)\n"
        "        self.count = count\n"
        "        return torch.optim.Adam([{'params': list(parameters)}, {'params': self.encoder.parameters()}], lr=self.hparams.lr)",
        "optimizer holds too little",
    ),
    wrong_optimizers(
        "a rate of zero", ADAM.replace("self.hparams.lr", "0 * self.hparams.lr"), "learning rate"
    ),
    wrong_optimizers("a rate written in", ADAM.replace("self.hparams.lr", "1e-3"), "rate ignored"),
    wrong_optimizers("the rate left out", ADAM.replace(", lr=self.hparams.lr", ""), "rate ignored"),
    wrong_optimizers(
        "a scheduler that sets the rate",
        ADAM.replace("return", "optimizer =")
        + "\n        for group in optimizer.param_groups:\n            group['lr'] = 5e-4\n        return optimizer",
        "rate ignored",
    ),
)
WRONG_NETWORKS = (
    wrong(
        ENCODER,
        "divided by the maximum of the batch",
        (INPUT, "features = self.net(x / x.max())"),
        family="batch mixed",
    ),
    wrong(
        ENCODER,
        "standardized over the batch",
        (INPUT, "x = x.float()\n        features = self.net((x - x.mean()) / x.std())"),
        family="batch mixed",
    ),
    wrong(
        DECODER,
        "latents divided by the largest",
        (DECODED, "return self.net(z / z.abs().max() * 3)"),
        family="batch mixed",
    ),
    wrong(
        ENCODER,
        "normalized codes",
        (MEAN_HEAD, "self.mean = nn.Sequential(nn.Linear(2 * 16 * c, z_dim), nn.LayerNorm(z_dim))"),
        family="dimensions lost",
    ),
    wrong(
        DECODER,
        "normalized latents",
        ("            " + FIRST_LINEAR, "            nn.LayerNorm(z_dim),\n            " + FIRST_LINEAR),
        family="dimensions lost",
    ),
    wrong(
        ENCODER,
        "another default of z_dim",
        (
            "num_input_channels: int = 1, num_filters: int = 32, z_dim: int = 20",
            "num_input_channels: int = 1, num_filters: int = 32, z_dim: int = 2",
        ),
        family="signature",
    ),
    wrong(
        DECODER,
        "another default of num_filters",
        (
            "num_input_channels: int = 16, num_filters: int = 32",
            "num_input_channels: int = 16, num_filters: int = 64",
        ),
        family="signature",
    ),
    wrong(
        DECODER,
        "another default of num_input_channels",
        ("num_input_channels: int = 16", "num_input_channels: int = 1"),
        family="signature",
    ),
    wrong(
        ENCODER,
        "arguments in another order",
        (
            "self, num_input_channels: int = 1, num_filters: int = 32, z_dim: int = 20",
            "self, z_dim: int = 20, num_filters: int = 32, num_input_channels: int = 1",
        ),
        family="signature",
    ),
    wrong(
        DECODER,
        "an argument of another name",
        ("num_input_channels: int = 16", "num_levels: int = 16"),
        ("c, num_input_channels, kernel", "c, num_levels, kernel"),
        family="signature",
    ),
    wrong(
        ENCODER,
        "weights in bfloat16",
        (LOG_STD_HEAD, LOG_STD_HEAD + "\n        self.bfloat16()"),
        (INPUT, "features = self.net((x / 15 * 2 - 1).bfloat16())"),
        (HEADS, "self.mean(features).float(), self.log_std(features).float()"),
        family="half precision",
        also=(TRAINING,),
    ),
)
WRONG_FORWARD = (
    wrong(
        FORWARD,
        "the mean while evaluating",
        (SAMPLED, SAMPLED + "\n        z = z if self.training else mean"),
        family="evaluation mode",
    ),
    wrong(
        FORWARD,
        "label smoothing",
        (NLL, NLL.replace("reduction", "label_smoothing=0.1, reduction")),
        family="label smoothing",
    ),
    wrong(
        FORWARD,
        "free bits of every latent",
        (
            L_REG,
            "L_reg = (0.5 * ((2 * log_std).exp() + mean**2 - 1 - 2 * log_std)).clamp(min=0.3).sum(1).mean()",
        ),
        family="free bits",
    ),
    wrong(
        FORWARD,
        "free bits of the mean over the batch",
        (
            L_REG,
            "L_reg = (0.5 * ((2 * log_std).exp() + mean**2 - 1 - 2 * log_std)).mean(0).clamp(min=0.5).sum()",
        ),
        family="free bits",
    ),
    wrong(FORWARD, "divided by 128", (L_REC, "L_rec = nll.sum() / 128"), family="fixed factor"),
    wrong(FORWARD, "divided by 784", (L_REC, "L_rec = nll.sum() / 784"), family="fixed factor"),
    wrong(FORWARD, "half of the KL", (L_REG, L_REG.replace("KLD", "0.5 * KLD")), family="fixed factor"),
    wrong(
        FORWARD,
        "a weighted KL in the loss",
        (TOTAL, TOTAL.replace("+ L_reg", "+ 4 * L_reg")),
        family="fixed factor",
    ),
    wrong(
        FORWARD,
        "channels last by a view",
        (LOGITS, "logits = self.decoder(z).view(-1, 28, 28, 16).permute(0, 3, 1, 2)"),
        family="pixels scrambled",
    ),
    wrong(
        FORWARD, "tanh on the logits", (LOGITS, "logits = self.decoder(z).tanh()"), family="squashed logits"
    ),
)
WRONG_OTHERS = (
    wrong(KLD, "four times", (CLOSED_FORM, CLOSED_FORM.replace("0.5", "2.0")), family="fixed factor"),
    wrong(
        KLD,
        "free bits",
        (CLOSED_FORM, CLOSED_FORM.replace(".sum(", ".clamp(min=0.25).sum(")),
        family="free bits",
    ),
    wrong(
        SAMPLE,
        "levels one too high",
        (LEVELS_RETURNED, LEVELS_RETURNED.replace("levels", "(levels + 1).clamp(max=15)")),
        family="level off by one",
    ),
    wrong(
        SAMPLE,
        "levels one too low, round the end",
        (LEVELS_RETURNED, LEVELS_RETURNED.replace("levels", "((levels - 1) % 16)")),
        family="level off by one",
    ),
    wrong(
        SAMPLE,
        "tanh before the softmax",
        (PROBABILITIES, "probabilities = self.decoder(z).tanh().softmax(dim=1)"),
        family="squashed logits",
    ),
    wrong(SAMPLE, "latents of another dtype than the weights", *DOUBLE_VAE, family="dtype"),
    wrong(
        MANIFOLD, "the probability of ink", (MEANS, "1 - probabilities[:, :1]"), family="probability of ink"
    ),
    wrong(
        MANIFOLD,
        "tanh before the softmax",
        (SOFTMAX, "decoder(z).tanh().softmax(dim=1)"),
        family="squashed logits",
    ),
)
WRONG = WRONG_OPTIMIZERS + WRONG_NETWORKS + WRONG_FORWARD + WRONG_OTHERS
