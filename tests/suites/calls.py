"""Right code that calls a network in another way than once for a batch: in pieces, row by row, mapped."""

from tests.suites.second_look import right

MODELS = "part2/models.py"
TRAIN = "part1/train_pl.py"
UTILS = "part1/utils.py"

ENCODED = "        mean, log_std = self.encoder(imgs)\n"
DECODED = "        logits = self.decoder(z)  # [B, 16, 28, 28]\n"
DRAWN = "        probabilities = self.decoder(z).softmax(dim=1)  # [B, 16, 28, 28]\n"
LAID_OUT = "    probabilities = decoder(z).softmax(dim=1)  # [grid_size^2, 16, H, W]\n"
JUDGED = "        logits = self.discriminator(z_fake)  # [B, 1]\n"
COMPARED = """\
        logits_real = self.discriminator(torch.randn_like(z_fake))  # [B, 1]
        logits_fake = self.discriminator(z_fake.detach())
"""
JUDGED_BY = """\
        logits_real = judge(torch.randn_like(z_fake))
        logits_fake = judge(z_fake.detach())
"""
PAINTED = "        return self.decoder(torch.randn(batch_size, self.z_dim, device=self.encoder.device))\n"

# The items whose checks put stand-ins in the place of networks.
ITEMS = {
    "part1": frozenset({"1.7.forward", "1.8.sample", "1.9.manifold"}),
    "part2": frozenset({"2.5.autoencoder_loss", "2.5.discriminator_loss", "2.5.sample"}),
}
RIGHT_CALLS = (
    right(
        "forward encodes image by image",
        TRAIN,
        (
            ENCODED,
            """\
        posteriors = [self.encoder(image.unsqueeze(0)) for image in imgs]
        mean, log_std = (torch.cat(found) for found in zip(*posteriors))
""",
        ),
    ),
    right(
        "forward decodes one latent after another",
        TRAIN,
        (DECODED, "        logits = torch.cat([self.decoder(one[None]) for one in z])\n"),
    ),
    right(
        "forward decodes in pieces",
        TRAIN,
        (DECODED, "        logits = torch.cat([self.decoder(some) for some in z.split(2)])\n"),
    ),
    right(
        "forward maps both networks",
        TRAIN,
        (
            ENCODED,
            """\
        posteriors = torch.vmap(lambda image: self.encoder(image[None]))(imgs)
        mean, log_std = (found.squeeze(1) for found in posteriors)
""",
        ),
        (DECODED, "        logits = torch.vmap(lambda one: self.decoder(one[None])[0])(z)\n"),
    ),
    right(
        "samples decoded by a mapping",
        TRAIN,
        (
            DRAWN,
            """\
        logits = torch.vmap(lambda one: self.decoder(one[None])[0])(z)
        probabilities = logits.softmax(dim=1)
""",
        ),
    ),
    right(
        "the manifold by two mappings",
        UTILS,
        (
            LAID_OUT,
            """\
    grid = z.view(grid_size, grid_size, 2)
    logits = torch.vmap(torch.vmap(lambda one: decoder(one[None])[0]))(grid)
    probabilities = logits.flatten(0, 1).softmax(dim=1)
""",
        ),
    ),
    right(
        "codes judged one by one",
        MODELS,
        (JUDGED, "        logits = torch.cat([self.discriminator(one[None]) for one in z_fake])\n"),
        (
            COMPARED,
            "        judge = lambda z: torch.cat([self.discriminator(some) for some in z.split(3)])\n"
            + JUDGED_BY,
        ),
    ),
    right(
        "codes judged by a mapping",
        MODELS,
        (JUDGED, "        logits = torch.vmap(self.discriminator)(z_fake)\n"),
        (COMPARED, "        judge = torch.vmap(lambda one: self.discriminator(one[None])[0])\n" + JUDGED_BY),
    ),
    right(
        "samples of part 2 by a mapping",
        MODELS,
        (
            PAINTED,
            """\
        z = torch.randn(batch_size, self.z_dim, device=self.encoder.device)
        return torch.vmap(lambda one: self.decoder(one[None])[0])(z)
""",
        ),
    ),
)
