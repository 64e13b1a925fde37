"""What a second look at real styles has brought: right code that lost points, and mistakes that lost none."""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.variants import Variant

UTILS, NETWORKS, TRAIN_PL = "part1/utils.py", "part1/cnn_encoder_decoder.py", "part1/train_pl.py"
TRAIN = "part2/train.py"
OPTIMIZER = "return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)"
LOGGED = "        logger_disc.add_values(logging_disc)\n"
DISC_STEP = "        optimizer_disc.step()\n"
MEANS = "    probabilities = decoder(z).softmax(dim=1)"
SAMPLED = "        probabilities = self.decoder(z).softmax(dim=1)"
HOOK = "    def configure_optimizers(self)"
MAIN = "    # Two optimizers, because the two sides want opposite things"


def right(name: str, file: str, *edits: tuple[str, str]) -> Variant:
    """Right code."""
    return Variant(name, edits, file=file)


RIGHT = (
    right(
        "the decoder is asked for its shape before",
        UTILS,
        (MEANS, "    classes = decoder(z[:1]).shape[1]\n    assert classes == 16\n" + MEANS),
    ),
    right(
        "the decoder is asked twice",
        UTILS,
        (MEANS, "    height = decoder(z).shape[-1]\n    assert height\n" + MEANS),
    ),
    right(
        "sample asks the decoder for its shape before",
        TRAIN_PL,
        (SAMPLED, "        height = self.decoder(z[:1]).shape[-1]\n        assert height == 28\n" + SAMPLED),
    ),
    right(
        "a softmax written out",
        UTILS,
        (
            MEANS,
            "    weights = decoder(z).exp()\n    probabilities = weights / weights.sum(dim=1, keepdim=True)",
        ),
    ),
    right(
        "double weights behind float results",
        NETWORKS,
        (
            "        self.log_std = nn.Linear(2 * 16 * c, z_dim)\n",
            "        self.log_std = nn.Linear(2 * 16 * c, z_dim)\n        self.double()\n",
        ),
        ("self.net(x.float() / 15 * 2 - 1)", "self.net(x.double() / 15 * 2 - 1)"),
        (
            "return self.mean(features), self.log_std(features)",
            "return self.mean(features).float(), self.log_std(features).float()",
        ),
    ),
    right(
        "a hook that writes to the logger",
        TRAIN_PL,
        (
            HOOK,
            '    def on_train_start(self) -> None:\n        self.logger.experiment.add_text("networks", str(self.encoder))\n        self.logger.log_hyperparams({"z_dim": self.hparams.z_dim})\n\n'
            + HOOK,
        ),
    ),
    right(
        "main calls a helper of its own",
        TRAIN,
        (
            "def main(args",
            "def sample_batch(loader, device):\n    return next(iter(loader))[0][:8].to(device)\n\n\ndef main(args",
        ),
        (MAIN, "    print(sample_batch(train_loader, device).shape)\n" + MAIN),
    ),
    right(
        "the size of a layer's gradient in the log",
        TRAIN,
        (
            LOGGED,
            LOGGED
            + '        logger_ae.summary_writer.add_scalar("gradient", model.encoder.net[0].weight.grad.norm())\n',
        ),
    ),
)


def wrong(
    item: str, name: str, file: str, *edits: tuple[str, str], family: str, also: tuple[str, ...] = ()
) -> Variant:
    """A mistake."""
    return Variant(name, edits, item, file, also, family)


WRONG = (
    wrong(
        "1.7.training",
        "maximized",
        TRAIN_PL,
        (OPTIMIZER, OPTIMIZER[:-1] + ", maximize=True)"),
        family="up the gradient",
    ),
    wrong(
        "1.7.training",
        "training_step returns the negative",
        TRAIN_PL,
        ('return self._step(batch, "train")', 'return -self._step(batch, "train")'),
        family="up the gradient",
    ),
    wrong(
        "2.4.autoencoder",
        "another default of z_dim",
        "part2/models.py",
        ("z_dim: int = 8", "z_dim: int = 20"),
        family="signature",
    ),
    wrong(
        "2.4.autoencoder",
        "codes normalised in forward",
        "part2/models.py",
        (
            "        return self.decoder(z), z\n",
            "        z = F.normalize(z, dim=1)\n        return self.decoder(z), z\n",
        ),
        family="codes changed in forward",
    ),
    wrong(
        "2.5.training",
        "the discriminator learns only while it is bad",
        TRAIN,
        (DISC_STEP, "        if logging_disc['accuracy'] < 0.8:\n            optimizer_disc.step()\n"),
        family="no update",
    ),
    wrong(
        "2.5.training",
        "the discriminator learns in the first epochs only",
        TRAIN,
        (DISC_STEP, "        if epoch <= 50:\n            optimizer_disc.step()\n"),
        family="no update",
    ),
    wrong(
        "2.5.training",
        "the autoencoder learns in the first epochs only",
        TRAIN,
        ("        optimizer_ae.step()\n", "        if epoch <= 50:\n            optimizer_ae.step()\n"),
        family="no update",
    ),
)
