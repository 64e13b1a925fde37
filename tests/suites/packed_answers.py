"""Networks that return more than the contract asks for, or the same in another form.

Most come with code that unpacks what they pack: the mistake is in one place, and one item pays for it.
"""

from tests.suites.variants import Variant

NETWORKS, TRAIN_PL, UTILS = "part1/cnn_encoder_decoder.py", "part1/train_pl.py", "part1/utils.py"
MODELS, TRAIN = "part2/models.py", "part2/train.py"

PAIR = "return self.mean(features), self.log_std(features)"
ENCODED = "mean, log_std = self.encoder(imgs)"
DECODED = "        # BEGIN SOLUTION 1.7: CNNDecoder, forward\n        return self.net(z)"
LOSSES = "return L_rec, L_reg, bpd\n"
CODE = "        # BEGIN SOLUTION 2.4: ConvEncoder, forward\n        return self.net(x)"
IMAGE = "        # BEGIN SOLUTION 2.4: ConvDecoder, forward\n        return self.net(z)"
MODEL_FORWARD = "    def forward(self, x: torch.Tensor) -> tuple"
LOGIT = "        # BEGIN SOLUTION 2.5: Discriminator, forward\n        return self.net(z)"


def encoder(name: str, returned: str, unpacked: str = ENCODED) -> Variant:
    """An encoder of part 1 that returns something else, and what forward does with it."""
    elsewhere = ((TRAIN_PL, ENCODED, unpacked),) if unpacked != ENCODED else ()
    return Variant(name, ((PAIR, returned),), "1.7.encoder", NETWORKS, (), "number of results", elsewhere)


def of_part2(item: str, name: str, *edits: tuple[str, str]) -> Variant:
    """The same in part 2, whose networks and model are in one file."""
    return Variant(name, edits, item, MODELS, (), "number of results")


FEATURES = "return self.mean(features), self.log_std(features), features"

WRONG_PACKED = (
    encoder("features beside the posterior", FEATURES, "mean, log_std, _ = self.encoder(imgs)"),
    encoder("features that nobody takes", FEATURES),
    encoder(
        "a dict of mean and log_std",
        'return {"mean": self.mean(features), "log_std": self.log_std(features)}',
        'moments = self.encoder(imgs)\n        mean, log_std = moments["mean"], moments["log_std"]',
    ),
    encoder(
        "mean and log_std in one tensor",
        "return torch.cat([self.mean(features), self.log_std(features)], dim=1)",
        "mean, log_std = self.encoder(imgs).chunk(2, dim=1)",
    ),
    Variant(
        "latents beside the logits",
        ((DECODED, "        return self.net(z), z"),),
        "1.7.decoder",
        NETWORKS,
        (),
        "number of results",
        (
            (TRAIN_PL, "self.decoder(z)", "self.decoder(z)[0]"),
            (UTILS, "decoder(z).softmax", "decoder(z)[0].softmax"),
        ),
    ),
    Variant(
        "latents that nobody takes",
        ((DECODED, "        return self.net(z), z"),),
        "1.7.decoder",
        NETWORKS,
        (),
        "number of results",
    ),
    Variant(
        "latents beside the losses",
        (
            (LOSSES, "return L_rec, L_reg, bpd, z\n"),
            ("L_rec, L_reg, bpd = self(imgs)", "L_rec, L_reg, bpd, _ = self(imgs)"),
        ),
        "1.7.forward",
        TRAIN_PL,
        (),
        "number of results",
    ),
    of_part2(
        "2.4.autoencoder",
        "images beside the code",
        (CODE, "        return self.net(x), x"),
        ("self.encoder(", "self.code_of("),
        (
            MODEL_FORWARD,
            f"    def code_of(self, x):\n        return self.encoder(x)[0]\n\n{MODEL_FORWARD}",
        ),
    ),
    of_part2("2.4.autoencoder", "images that nobody takes", (CODE, "        return self.net(x), x")),
    of_part2(
        "2.4.autoencoder",
        "codes beside the image",
        (IMAGE, "        return self.net(z), z"),
        ("return self.decoder(z), z", "return self.decoder(z)[0], z"),
        (
            "return self.decoder(torch.randn(batch_size, self.z_dim, device=self.encoder.device))",
            "return self.decoder(torch.randn(batch_size, self.z_dim, device=self.encoder.device))[0]",
        ),
    ),
    of_part2("2.4.autoencoder", "codes that nobody takes", (IMAGE, "        return self.net(z), z")),
    Variant(
        "images beside reconstruction and code",
        (("return self.decoder(z), z", "return self.decoder(z), z, x"),),
        "2.4.autoencoder",
        MODELS,
        (),
        "number of results",
        ((TRAIN, "recon_x, z_fake = model(x)", "recon_x, z_fake, _ = model(x)"),),
    ),
    of_part2(
        "2.5.discriminator",
        "features beside the logit",
        (LOGIT, "        return self.net(z), z"),
        ("logits = self.discriminator(z_fake)", "logits = self.discriminator(z_fake)[0]"),
        ("self.discriminator(torch.randn_like(z_fake))", "self.discriminator(torch.randn_like(z_fake))[0]"),
        ("self.discriminator(z_fake.detach())", "self.discriminator(z_fake.detach())[0]"),
    ),
    of_part2("2.5.discriminator", "features that nobody asks for", (LOGIT, "        return self.net(z), z")),
)
