"""Code of part 2 in the styles of real hand-ins, right and wrong, in words of our own; here the losses."""

from tests.suites.part2 import hand_in_networks
from tests.suites.part2.answers import (
    AE_TAIL,
    BCE,
    DISC_HEAD,
    DISC_TAIL,
    FAKE_TERM,
    GEN_TERM,
    REAL_TERM,
    RECON,
    both,
    generator,
    of_autoencoder,
    of_discriminator,
)
from tests.suites.part2.variants import AE_LOSS, DISC_LOSS, right, wrong

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

RIGHT = (
    *hand_in_networks.RIGHT,
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
)

WRONG = (
    *hand_in_networks.WRONG,
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
        family="labels exchanged",
    ),
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
