"""Edits of the solutions of part 2: mistakes, each with the item that must lose points, and right code."""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.variants import Variant

MODELS, TRAIN = "part2/models.py", "part2/train.py"
AUTOENCODER, RECONSTRUCTION = "2.4.autoencoder", "2.4.reconstruction"
DISCRIMINATOR, SAMPLE, TRAINING = "2.5.discriminator", "2.5.sample", "2.5.training"
AE_LOSS, DISC_LOSS = "2.5.autoencoder_loss", "2.5.discriminator_loss"


def wrong(
    item: str,
    name: str,
    *edits: tuple[str, str],
    family: str,
    file: str = MODELS,
    also: tuple[str, ...] = (),
) -> Variant:
    """A mistake."""
    return Variant(name, edits, item, file, also, family)


def right(name: str, *edits: tuple[str, str], file: str = MODELS) -> Variant:
    """The same, written another way."""
    return Variant(name, edits, file=file)


LAST_LINEAR = "nn.Linear(2 * 16 * c, z_dim),\n        )"
TANH = "            nn.Tanh(),\n"
FORWARD = "        z = self.encoder(x)\n        return self.decoder(z), z"
RECON = "F.mse_loss(recon_x, x)"
GEN_LOGITS = "logits = self.discriminator(z_fake)  # [B, 1]"
GEN = "F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))"
AE_SUM = "ae_loss = lambda_ * recon_loss + (1 - lambda_) * gen_loss"
REAL_LOGITS = "self.discriminator(torch.randn_like(z_fake))"
FAKE_LOGITS = "self.discriminator(z_fake.detach())"
REAL = "F.binary_cross_entropy_with_logits(logits_real, torch.ones_like(logits_real))"
FAKE = "F.binary_cross_entropy_with_logits(logits_fake, torch.zeros_like(logits_fake))"
DISC_SUM = "disc_loss = (loss_real + loss_fake) / 2"
ACCURACY = "torch.cat([logits_real > 0, logits_fake < 0]).float().mean()"
SAMPLED = "self.decoder(torch.randn(batch_size, self.z_dim, device=self.encoder.device))"
D_LAST = "nn.Linear(512, 1),\n"
D_FORWARD = 'Logits [B, 1], no sigmoid: positive for real codes, negative for fake ones.\n        """\n'
AE_UPDATE = """        optimizer_ae.zero_grad()
        ae_loss.backward()
        optimizer_ae.step()
"""
DISC_UPDATE = """        optimizer_disc.zero_grad()
        disc_loss.backward()
        optimizer_disc.step()
"""
DISC_CALL = "        disc_loss, logging_disc = model.get_loss_discriminator(z_fake)\n"
AE_CALL = "model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)"
AE_PARAMETERS = "[*model.encoder.parameters(), *model.decoder.parameters()]"
DISC_PARAMETERS = "SGD(model.discriminator.parameters()"

WRONG = (
    # the networks
    wrong(
        AUTOENCODER,
        "tanh on the code",
        (LAST_LINEAR, LAST_LINEAR.replace("),\n", "), nn.Tanh(),\n", 1)),
        family="bounded output",
    ),
    wrong(
        AUTOENCODER,
        "ReLU on the code",
        (LAST_LINEAR, LAST_LINEAR.replace("),\n", "), nn.ReLU(),\n", 1)),
        family="bounded output",
    ),
    wrong(
        AUTOENCODER,
        "sigmoid on the code",
        (LAST_LINEAR, LAST_LINEAR.replace("),\n", "), nn.Sigmoid(),\n", 1)),
        family="bounded output",
    ),
    wrong(AUTOENCODER, "no tanh on the image", (TANH, ""), family="range of the image"),
    wrong(
        AUTOENCODER,
        "sigmoid on the image",
        (TANH, TANH.replace("Tanh", "Sigmoid")),
        family="range of the image",
    ),
    wrong(
        AUTOENCODER, "ReLU on the image", (TANH, TANH.replace("Tanh", "ReLU")), family="range of the image"
    ),
    wrong(
        AUTOENCODER,
        "half a tanh",
        (
            "return self.net(z)\n        # END SOLUTION\n\n\nclass Disc",
            "return self.net(z) * 0.5\n        # END SOLUTION\n\n\nclass Disc",
        ),
        family="range of the image",
    ),
    wrong(
        AUTOENCODER,
        "forward in the other order",
        (FORWARD, FORWARD.replace("self.decoder(z), z", "z, self.decoder(z)")),
        also=(RECONSTRUCTION, TRAINING),
        family="order of the results",
    ),  # nothing trains on a code taken for an image
    wrong(
        AUTOENCODER,
        "detached code",
        (FORWARD, FORWARD.replace("self.decoder(z), z", "self.decoder(z.detach()), z")),
        family="gradient cut",
    ),
    wrong(
        AUTOENCODER,
        "the code that is returned is detached",
        (FORWARD, FORWARD.replace("self.decoder(z), z", "self.decoder(z), z.detach()")),
        family="gradient cut",
    ),
    wrong(
        AUTOENCODER,
        "noisy code",
        (FORWARD, FORWARD.replace("self.decoder(z), z", "self.decoder(z + torch.randn_like(z)), z")),
        family="random",
    ),
    wrong(
        AUTOENCODER,
        "noisy encoder",
        ("        return self.net(x)", "        return self.net(x + 0.3 * torch.randn_like(x))"),
        family="random",
    ),
    wrong(
        AUTOENCODER,
        "upper half of the image",
        (
            "        return self.net(x)",
            "        x = torch.cat([x[:, :, :14], 0 * x[:, :, 14:]], 2)\n        return self.net(x)",
        ),
        family="part ignored",
    ),
    wrong(
        AUTOENCODER,
        "squeezed codes",
        ("        return self.net(x)", "        return self.net(x).squeeze()"),
        family="batch dimension lost",
    ),
    wrong(
        AUTOENCODER, "hard-coded z_dim", (LAST_LINEAR, LAST_LINEAR.replace("z_dim", "8")), family="size fixed"
    ),
    wrong(
        AUTOENCODER,
        "activation not instantiated",
        ("nn.Tanh(),", "nn.Tanh,"),
        also=(RECONSTRUCTION, TRAINING),
        family="layer not instantiated",
    ),  # nothing trains without a decoder
    wrong(
        DISCRIMINATOR, "sigmoid", (D_LAST, D_LAST + "            nn.Sigmoid(),\n"), family="bounded output"
    ),
    wrong(DISCRIMINATOR, "ReLU", (D_LAST, D_LAST + "            nn.ReLU(),\n"), family="bounded output"),
    wrong(DISCRIMINATOR, "tanh", (D_LAST, D_LAST + "            nn.Tanh(),\n"), family="bounded output"),
    wrong(
        DISCRIMINATOR,
        "softmax over the one output",
        (D_LAST, D_LAST + "            nn.Softmax(dim=1),\n"),
        family="softmax over one output",
    ),
    wrong(
        DISCRIMINATOR,
        "squeezed logits",
        (D_FORWARD, D_FORWARD + "        return self.net(z).squeeze(1)\n"),
        family="output dimension lost",
    ),
    wrong(DISCRIMINATOR, "linear", ("nn.LeakyReLU(0.2)", "nn.Identity()"), family="linear"),
    wrong(
        DISCRIMINATOR,
        "two outputs",
        (D_LAST, D_LAST.replace("1", "2", 2).replace("522", "512")),
        family="number of outputs",
    ),
    wrong(
        DISCRIMINATOR,
        "detached codes",
        (D_FORWARD, D_FORWARD + "        z = z.detach()\n"),
        family="gradient cut",
    ),
    # the autoencoder's loss
    wrong(
        AE_LOSS,
        "generator target 0",
        (GEN, GEN.replace("ones_like", "zeros_like")),
        family="labels exchanged",
    ),
    wrong(
        AE_LOSS,
        "the discriminator's loss for the generator",
        (GEN_LOGITS + "\n        gen_loss = " + GEN, "gen_loss = self.get_loss_discriminator(z_fake)[0]"),
        family="labels exchanged",
    ),
    wrong(
        AE_LOSS,
        "generator loss from the decoder's output",
        (GEN_LOGITS, "logits = self.discriminator(self.encoder(recon_x))"),
        family="wrong codes judged",
    ),
    wrong(AE_LOSS, "minus mean D", (GEN, "-logits.mean()"), family="no cross-entropy"),
    wrong(AE_LOSS, "log of a raw logit", (GEN, "-torch.log(logits).mean()"), family="log of a logit"),
    wrong(
        AE_LOSS, "saturating loss", (GEN, "torch.log(1 - logits.sigmoid()).mean()"), family="saturating loss"
    ),
    wrong(AE_LOSS, "log sigmoid overflows", (GEN, "-torch.log(logits.sigmoid()).mean()"), family="overflow"),
    wrong(
        AE_LOSS, "sigmoid twice", (GEN, GEN.replace("(logits,", "(logits.sigmoid(),")), family="sigmoid twice"
    ),
    wrong(
        AE_LOSS,
        "sum of squares",
        (RECON, "F.mse_loss(recon_x, x, reduction='sum')"),
        family="summed instead of averaged",
    ),
    wrong(
        AE_LOSS,
        "sum over the pixels",
        (RECON, "F.mse_loss(recon_x, x, reduction='sum') / len(x)"),
        family="summed instead of averaged",
    ),
    wrong(AE_LOSS, "absolute error", (RECON, "F.l1_loss(recon_x, x)"), family="another loss"),
    wrong(
        AE_LOSS,
        "lambda the other way round",
        (AE_SUM, "ae_loss = (1 - lambda_) * recon_loss + lambda_ * gen_loss"),
        family="lambda",
    ),
    wrong(AE_LOSS, "lambda ignored", (AE_SUM, "ae_loss = recon_loss + gen_loss"), family="lambda"),
    wrong(
        AE_LOSS,
        "adversarial term dropped",
        (AE_SUM, "ae_loss = lambda_ * recon_loss"),
        family="term left out",
    ),
    wrong(
        AE_LOSS,
        "detached codes",
        (GEN_LOGITS, "logits = self.discriminator(z_fake.detach())"),
        family="gradient cut",
    ),
    wrong(
        AE_LOSS,
        "losses in the log are weighted",
        ('{"gen_loss": gen_loss, "recon_loss"', '{"gen_loss": (1 - lambda_) * gen_loss, "recon_loss"'),
        family="log weighted",
    ),
    wrong(
        AE_LOSS,
        "a key is missing",
        ('"recon_loss": recon_loss, "ae_loss"', '"ae_loss"'),
        family="log incomplete",
    ),
    # the discriminator's loss
    wrong(
        DISC_LOSS,
        "flipped labels",
        (REAL, REAL.replace("ones", "zeros")),
        (FAKE, FAKE.replace("zeros", "ones")),
        family="labels exchanged",
    ),
    wrong(
        DISC_LOSS,
        "uniform prior",
        (REAL_LOGITS, "self.discriminator(torch.rand_like(z_fake))"),
        family="not normal",
    ),
    wrong(
        DISC_LOSS,
        "uniform prior of variance 1",
        (REAL_LOGITS, "self.discriminator(12**0.5 * (torch.rand_like(z_fake) - 0.5))"),
        family="not normal",
    ),
    wrong(
        DISC_LOSS,
        "prior of the codes' own spread",
        (
            REAL_LOGITS,
            "self.discriminator(torch.randn_like(z_fake) * z_fake.detach().std() + z_fake.detach().mean())",
        ),
        family="not normal",
    ),
    wrong(
        DISC_LOSS,
        "one prior row for the batch",
        (REAL_LOGITS, "self.discriminator(torch.randn_like(z_fake[:1]).expand_as(z_fake))"),
        family="noise shared",
    ),
    wrong(
        DISC_LOSS,
        "a single prior row",
        (REAL_LOGITS, "self.discriminator(torch.randn_like(z_fake[:1]))"),
        family="noise shared",
    ),
    wrong(
        DISC_LOSS,
        "one number for all dimensions",
        (REAL_LOGITS, "self.discriminator(torch.randn_like(z_fake[:, :1]).expand_as(z_fake))"),
        family="noise shared",
    ),
    wrong(
        DISC_LOSS,
        "seeded prior",
        (
            REAL_LOGITS,
            "self.discriminator(torch.randn(z_fake.shape, generator=torch.Generator().manual_seed(0)))",
        ),
        family="not drawn afresh",
    ),
    wrong(
        DISC_LOSS,
        "wide prior",
        (REAL_LOGITS, "self.discriminator(1.1 * torch.randn_like(z_fake))"),
        family="not normal",
    ),
    wrong(
        DISC_LOSS,
        "target -1",
        (FAKE, FAKE.replace("torch.zeros_like", "-torch.ones_like")),
        family="wrong target",
    ),
    wrong(DISC_LOSS, "only the fake codes", (DISC_SUM, "disc_loss = loss_fake"), family="term left out"),
    wrong(DISC_LOSS, "real minus fake", (DISC_SUM, "disc_loss = loss_real - loss_fake"), family="sign"),
    wrong(
        DISC_LOSS,
        "log(1 - sigmoid) overflows",
        (FAKE, "-torch.log(1 - logits_fake.sigmoid()).mean()"),
        family="overflow",
    ),
    wrong(DISC_LOSS, "log of a raw logit", (REAL, "-torch.log(logits_real).mean()"), family="log of a logit"),
    wrong(DISC_LOSS, "detached logits", (FAKE_LOGITS, FAKE_LOGITS + ".detach()"), family="gradient cut"),
    wrong(
        DISC_LOSS,
        "accuracy at 0.5 on logits",
        (ACCURACY, ACCURACY.replace("> 0", "> 0.5").replace("< 0", "< 0.5")),
        family="accuracy threshold",
    ),
    wrong(
        DISC_LOSS,
        "accuracy by equality",
        (ACCURACY, ACCURACY.replace("> 0", "== 1").replace("< 0", "== 0")),
        family="accuracy threshold",
    ),
    wrong(
        DISC_LOSS,
        "accuracy of the fake codes",
        (ACCURACY, "(logits_fake < 0).float().mean()"),
        family="accuracy of one kind",
    ),
    wrong(
        DISC_LOSS,
        "losses exchanged in the log",
        ('"loss_real": loss_real', '"loss_real": loss_fake'),
        ('"loss_fake": loss_fake', '"loss_fake": loss_real'),
        family="log exchanged",
    ),
    wrong(
        DISC_LOSS, "accuracy is missing", ('            "accuracy": accuracy,\n', ""), family="log incomplete"
    ),
    # samples
    wrong(SAMPLE, "uniform", (SAMPLED, SAMPLED.replace("randn", "rand")), family="not normal"),
    wrong(
        SAMPLE,
        "a constant image",
        (SAMPLED, "self.decoder(torch.zeros(batch_size, self.z_dim))"),
        family="nothing drawn",
    ),
    wrong(
        SAMPLE,
        "one code for all",
        (SAMPLED, "self.decoder(torch.randn(1, self.z_dim).expand(batch_size, -1))"),
        family="noise shared",
    ),
    wrong(
        SAMPLE,
        "the decoder is not asked",
        (SAMPLED, "torch.randn(batch_size, 1, 28, 28).clamp(-1, 1)"),
        family="decoder not used",
    ),
    wrong(
        SAMPLE, "hard-coded z_dim", (SAMPLED, "self.decoder(torch.randn(batch_size, 8))"), family="size fixed"
    ),
    wrong(SAMPLE, "codes", (SAMPLED, "torch.randn(batch_size, self.z_dim)"), family="decoder not used"),
    wrong(
        SAMPLE,
        "narrow prior",
        (SAMPLED, "self.decoder(0.9 * torch.randn(batch_size, self.z_dim))"),
        family="not normal",
    ),
    wrong(
        SAMPLE,
        "the same in every call",
        (SAMPLED, "(torch.manual_seed(0), " + SAMPLED + ")[1]"),
        family="not drawn afresh",
    ),
)
WRONG = (
    *WRONG,
    wrong(
        AUTOENCODER,
        "codes within 3",
        ("        return self.net(x)\n", "        return 3 * self.net(x).tanh()\n"),
        family="bounded output",
    ),
    wrong(
        DISCRIMINATOR,
        "logits within 3",
        (D_FORWARD, D_FORWARD + "        return 3 * self.net(z).tanh()\n"),
        family="bounded output",
    ),
    wrong(
        AE_LOSS,
        "keys are missing where lambda is 1",
        (
            AE_SUM,
            AE_SUM
            + "\n        if lambda_ == 1:\n            return ae_loss, {'ae_loss': ae_loss, 'recon_loss': recon_loss}",
        ),
        family="log incomplete",
    ),
)
WRITTEN_OUT = """        z_real = torch.randn(z_fake.shape)
        real, fake = model.discriminator(z_real), model.discriminator(z_fake.detach())
        bce = torch.nn.functional.binary_cross_entropy_with_logits
        disc_loss = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
        logging_disc = {"disc_loss": disc_loss}
"""
OPTIMIZERS = (
    wrong(
        TRAINING,
        "autoencoder over everything",
        (AE_PARAMETERS, "model.parameters()"),
        file=TRAIN,
        family="optimizer holds too much",
    ),
    wrong(
        TRAINING,
        "autoencoder over the encoder",
        (AE_PARAMETERS, "model.encoder.parameters()"),
        file=TRAIN,
        family="optimizer holds too little",
    ),
    wrong(
        TRAINING,
        "discriminator over the encoder",
        (DISC_PARAMETERS, "SGD(model.encoder.parameters()"),
        file=TRAIN,
        family="sides exchanged",
    ),
    wrong(
        TRAINING,
        "discriminator over everything",
        (DISC_PARAMETERS, "SGD(model.parameters()"),
        file=TRAIN,
        family="optimizer holds too much",
    ),
    wrong(
        TRAINING,
        "discriminator over nothing",
        (DISC_PARAMETERS, "SGD([torch.zeros(1, requires_grad=True)]"),
        file=TRAIN,
        family="optimizer holds too little",
    ),
    wrong(
        TRAINING,
        "sides exchanged",
        (AE_PARAMETERS, "model.discriminator.parameters()"),
        (DISC_PARAMETERS, "SGD([*model.encoder.parameters(), *model.decoder.parameters()]"),
        file=TRAIN,
        family="sides exchanged",
    ),
    wrong(
        TRAINING, "upwards", ("lr=args.ae_lr", "maximize=True, lr=args.ae_lr"), file=TRAIN, family="upwards"
    ),
    wrong(TRAINING, "no learning rate", ("lr=args.d_lr", "lr=0.0"), file=TRAIN, family="learning rate"),
    wrong(
        TRAINING,
        "all but the encoder's first layer",
        (AE_PARAMETERS, "[*model.encoder.parameters(), *model.decoder.parameters()][1:]"),
        file=TRAIN,
        family="optimizer holds too little",
    ),
    # the updates
    wrong(
        TRAINING,
        "lambda not passed on",
        (AE_CALL, AE_CALL.replace(", lambda_)", ")")),
        file=TRAIN,
        family="lambda",
    ),
    wrong(
        TRAINING,
        "lambda fixed",
        (AE_CALL, AE_CALL.replace("lambda_)", "0.995)")),
        file=TRAIN,
        family="lambda",
    ),
    wrong(TRAINING, "the discriminator is not updated", (DISC_UPDATE, ""), file=TRAIN, family="no update"),
    wrong(
        TRAINING,
        "no step of the discriminator",
        ("        optimizer_disc.step()\n", ""),
        file=TRAIN,
        family="no update",
    ),
    wrong(
        TRAINING,
        "labels exchanged in a loss written out in the loop",
        (DISC_CALL, WRITTEN_OUT.replace("ones", "none").replace("zeros", "ones").replace("none", "zeros")),
        file=TRAIN,
        family="wrong update",
    ),
    wrong(
        TRAINING,
        "a uniform prior in a loss written out in the loop",
        (DISC_CALL, WRITTEN_OUT.replace("torch.randn(", "torch.rand(")),
        file=TRAIN,
        family="wrong update",
    ),
    wrong(
        TRAINING,
        "stale discriminator gradients",
        ("        optimizer_disc.zero_grad()\n", ""),
        file=TRAIN,
        family="stale gradients",
    ),
    wrong(
        TRAINING,
        "zero_grad after the backward pass",
        (
            DISC_UPDATE,
            "        disc_loss.backward()\n        optimizer_disc.zero_grad()\n        optimizer_disc.step()\n",
        ),
        file=TRAIN,
        family="no update",
    ),
    wrong(
        TRAINING,
        "autoencoder without zero_grad",
        ("        optimizer_ae.zero_grad()\n", ""),
        file=TRAIN,
        family="stale gradients",
    ),
    wrong(
        TRAINING,
        "no step of the autoencoder",
        ("        optimizer_ae.step()\n", ""),
        file=TRAIN,
        also=(RECONSTRUCTION,),
        family="no update",
    ),  # nothing is learned
    wrong(
        TRAINING,
        "detached reconstruction",
        (AE_CALL, AE_CALL.replace("recon_x,", "recon_x.detach(),")),
        file=TRAIN,
        also=(RECONSTRUCTION,),
        family="no update",
    ),  # the decoder learns nothing
    wrong(
        RECONSTRUCTION,
        "no update with lambda 1",
        (
            AE_UPDATE,
            "        if lambda_ < 1:\n            optimizer_ae.zero_grad()\n            ae_loss.backward()\n"
            "            optimizer_ae.step()\n",
        ),
        file=TRAIN,
        family="no update",
    ),
    wrong(
        RECONSTRUCTION,
        "an epoch with lambda 1 is left at once",
        ("    model.train()\n    for", "    if lambda_ == 1:\n        return\n    model.train()\n    for"),
        file=TRAIN,
        family="no update",
    ),
    wrong(
        TRAINING,
        "one backward for both optimizers",
        (AE_UPDATE, ""),
        (
            DISC_UPDATE,
            "        optimizer_ae.zero_grad()\n        optimizer_disc.zero_grad()\n        (ae_loss + disc_loss).backward()\n        optimizer_ae.step()\n        optimizer_disc.step()\n",
        ),
        file=TRAIN,
        family="stale gradients",
    ),
    wrong(
        TRAINING,
        "autoencoder's loss for the discriminator",
        (
            DISC_UPDATE,
            DISC_UPDATE.replace("disc_loss", "model.get_loss_autoencoder(x, *model(x), lambda_)[0]"),
        ),
        file=TRAIN,
        family="wrong loss",
    ),
    wrong(
        TRAINING,
        "discriminator steps with the autoencoder's optimizer",
        ("optimizer_disc.step()", "optimizer_ae.step()"),
        file=TRAIN,
        family="no update",
    ),
    wrong(
        TRAINING,
        "only the first batch",
        (
            "        logger_disc.add_values(logging_disc)\n",
            "        logger_disc.add_values(logging_disc)\n        break\n",
        ),
        file=TRAIN,
        family="not every batch",
    ),
    wrong(
        TRAINING,
        "the encoder learns to please the other side",
        (AE_CALL, AE_CALL.replace("lambda_)", "2 - lambda_)")),
        file=TRAIN,
        family="lambda",
    ),
)
COUNTED = ("for x, _ in train_loader:", "for i, (x, _) in enumerate(train_loader):")
UPDATE_IF = "".join(f"    {line}\n" for line in DISC_UPDATE.splitlines())
OPTIMIZERS = (
    *OPTIMIZERS,
    wrong(TRAINING, "a tiny learning rate", ("lr=args.ae_lr", "lr=1e-9"), file=TRAIN, family="learning rate"),
    wrong(
        TRAINING,
        "lambda not handed over by main",
        ("optimizer_disc, args.lambda_)", "optimizer_disc)"),
        file=TRAIN,
        family="lambda",
    ),
    wrong(
        TRAINING,
        "a break after 100 batches",
        (COUNTED[0], COUNTED[1] + "\n        if i >= 100:\n            break"),
        file=TRAIN,
        family="no update",
    ),
    wrong(
        TRAINING,
        "the discriminator in the first batches only",
        COUNTED,
        (DISC_UPDATE, "        if i < 30:\n" + UPDATE_IF),
        file=TRAIN,
        family="no update",
    ),
    wrong(
        TRAINING,
        "the discriminator in every other epoch",
        (DISC_UPDATE, "        if epoch % 2:\n" + UPDATE_IF),
        file=TRAIN,
        family="no update",
    ),
    wrong(
        TRAINING,
        "another lambda in late epochs",
        ("    model.train()\n", "    model.train()\n    lambda_ = lambda_ if epoch <= 50 else 1\n"),
        file=TRAIN,
        family="lambda",
    ),
    wrong(
        TRAINING,
        "half a batch",
        ("        x = x.to(model.encoder.device)\n", "        x = x.to(model.encoder.device)[:32]\n"),
        file=TRAIN,
        family="wrong update",
    ),
    wrong(
        TRAINING,
        "a seed for every batch",
        (DISC_CALL, "        torch.manual_seed(42)\n" + DISC_CALL),
        file=TRAIN,
        family="not drawn afresh",
    ),
)
LEAKS = (
    Variant(
        "a discriminator loss that leaks into the encoder",
        ((FAKE_LOGITS, FAKE_LOGITS.replace(".detach()", "")),),
        TRAINING,
        MODELS,
        family="gradient leaks",
    ),
)
LEAKING_LOOP = (
    (
        AE_UPDATE,
        "        ae_loss.backward()\n        optimizer_ae.step()\n        optimizer_ae.zero_grad()\n",
    ),
    (DISC_CALL, "        _, z_fake = model(x)\n" + DISC_CALL),
)

RIGHT = (
    right("the solution"),
    right("disc loss as a sum", (DISC_SUM, "disc_loss = loss_real + loss_fake")),
    right(
        "floats in the logs",
        (
            '{"gen_loss": gen_loss, "recon_loss": recon_loss, "ae_loss": ae_loss}',
            '{"gen_loss": gen_loss.item(), "recon_loss": recon_loss.item(), "ae_loss": ae_loss.item()}',
        ),
        ('"accuracy": accuracy', '"accuracy": accuracy.item()'),
    ),
    right(
        "one call for real and fake",
        (
            "logits_real = " + REAL_LOGITS + "  # [B, 1]\n        logits_fake = " + FAKE_LOGITS,
            "z = torch.cat([z_fake.detach(), torch.randn_like(z_fake)])\n        logits_fake, logits_real = self.discriminator(z).chunk(2)",
        ),
    ),
    right(
        "fake before real",
        (
            "logits_real = " + REAL_LOGITS + "  # [B, 1]\n        logits_fake = " + FAKE_LOGITS,
            "logits_fake = " + FAKE_LOGITS + "\n        logits_real = " + REAL_LOGITS,
        ),
    ),
    right(
        "accuracy by sigmoid",
        (
            ACCURACY,
            "(((logits_real.sigmoid() > 0.5).float().mean() + (logits_fake.sigmoid() <= 0.5).float().mean()) / 2)",
        ),
    ),
    right("softplus", (GEN, "F.softplus(-logits).mean()"), (FAKE, "F.softplus(logits_fake).mean()")),
    right(
        "BCELoss classes",
        (GEN, "nn.BCEWithLogitsLoss()(logits, torch.full_like(logits, 1.0))"),
        (RECON, "((recon_x - x) ** 2).mean()"),
    ),
    right(
        "z_real of the model's size",
        (
            REAL_LOGITS,
            "self.discriminator(torch.randn(z_fake.size(0), self.z_dim, device=self.encoder.device))",
        ),
    ),
    right(
        "BatchNorm",
        (
            "            nn.GELU(),\n            nn.Conv2d(c, 2 * c",
            "            nn.BatchNorm2d(c),\n            nn.GELU(),\n            nn.Conv2d(c, 2 * c",
        ),
        (
            "            nn.GELU(),\n            nn.Unflatten",
            "            nn.BatchNorm1d(2 * 16 * c),\n            nn.GELU(),\n            nn.Unflatten",
        ),
    ),
    right(
        "Dropout",
        ("            nn.Flatten(),\n", "            nn.Flatten(),\n            nn.Dropout(0.1),\n"),
        (
            "            nn.LeakyReLU(0.2),\n            nn.Linear(512, 512)",
            "            nn.LeakyReLU(0.2),\n            nn.Dropout(0.2),\n            nn.Linear(512, 512)",
        ),
    ),
    right("ReLU everywhere", ("nn.GELU()", "nn.ReLU()"), ("nn.LeakyReLU(0.2)", "nn.ReLU()")),
    right("narrower", ("c = 32", "c = 16")),
    right(
        "extra constructor arguments",
        (
            "def __init__(self, z_dim: int):",
            "def __init__(self, z_dim: int, num_filters: int = 32, *, slope: float = 0.2):",
        ),
    ),
    right(
        "samples one by one",
        (SAMPLED, "torch.cat([self.decoder(torch.randn(1, self.z_dim)) for _ in range(batch_size)])"),
    ),
    right(
        "samples built on the CPU",
        (SAMPLED, "self.decoder(torch.empty(batch_size, self.z_dim).normal_().to(self.encoder.device))"),
    ),
    right(
        "code that prints",
        ("        z = self.encoder(x)\n", "        print(x.shape)\n        z = self.encoder(x)\n"),
    ),
)
FORWARD_OF_DECODER = (
    "        # BEGIN SOLUTION 2.4: ConvDecoder, forward\n        return self.net(z)\n        # END SOLUTION\n"
)
FORWARD_OF_DISC = "        # BEGIN SOLUTION 2.5: Discriminator, forward\n        return self.net(z)\n        # END SOLUTION\n"
DEVICE = """
    @property
    def device(self):
        return next(self.parameters()).device
"""
ENCODER_LAYERS = LAST_LINEAR + "\n        self.net.apply(he_initialization)"
DECODER_LAYERS = TANH + "        )\n        self.net.apply(he_initialization)"
D_LAYERS = """        self.net = nn.Sequential(
            nn.Linear(z_dim, 512),
            nn.LeakyReLU(0.2),
            nn.Linear(512, 512),
            nn.LeakyReLU(0.2),
            nn.Linear(512, 1),
        )
"""
NORMED = "nn.utils.parametrizations.spectral_norm"
# The networks know more, take more, or keep more than ours.
RIGHT_NETWORKS = (
    right(
        "a decoder with a device",
        (SAMPLED, SAMPLED.replace("self.encoder", "self.decoder")),
        (FORWARD_OF_DECODER, FORWARD_OF_DECODER + DEVICE),
    ),
    right(
        "a decoder that knows z_dim",
        (SAMPLED, "self.decoder(torch.randn(batch_size, self.decoder.latent_size))"),
        (
            FORWARD_OF_DECODER,
            FORWARD_OF_DECODER
            + "\n    @property\n    def latent_size(self):\n        return self.net[0].in_features\n",
        ),
    ),
    right(
        "a decoder with an optional argument",
        (SAMPLED, "self.decoder(torch.randn(batch_size, self.z_dim), activate=True)"),
        (
            'def forward(self, z: torch.Tensor) -> torch.Tensor:\n        """Decodes',
            'def forward(self, z: torch.Tensor, activate: bool = True) -> torch.Tensor:\n        """Decodes',
        ),
        (TANH, ""),
        (
            FORWARD_OF_DECODER,
            FORWARD_OF_DECODER.replace("self.net(z)", "self.net(z).tanh() if activate else self.net(z)"),
        ),
    ),
    right(
        "a discriminator with a device and its z_dim",
        (
            REAL_LOGITS,
            "self.discriminator(torch.randn(len(z_fake), self.discriminator.z_dim, device=self.discriminator.device))",
        ),
        (D_LAYERS, D_LAYERS + "        self.z_dim = z_dim\n"),
        (FORWARD_OF_DISC, FORWARD_OF_DISC + DEVICE),
    ),
    right(
        "a discriminator with an optional argument",
        (FAKE_LOGITS, "self.discriminator(z_fake, detach=True)"),
        (
            'def forward(self, z: torch.Tensor) -> torch.Tensor:\n        """Judges',
            'def forward(self, z: torch.Tensor, detach: bool = False) -> torch.Tensor:\n        """Judges',
        ),
        (FORWARD_OF_DISC, FORWARD_OF_DISC.replace("(z)", "(z.detach() if detach else z)")),
    ),
    right(
        "spectral norm in the discriminator",
        (D_LAYERS, D_LAYERS + f"        for layer in self.net[::2]:\n            {NORMED}(layer)\n"),
    ),
    right(
        "spectral norm in the hidden layers",
        (D_LAYERS, D_LAYERS + f"        {NORMED}(self.net[0])\n        {NORMED}(self.net[2])\n"),
        (ENCODER_LAYERS, ENCODER_LAYERS + f"\n        {NORMED}(self.net[2])"),
        (DECODER_LAYERS, DECODER_LAYERS + f"\n        {NORMED}(self.net[5])\n        {NORMED}(self.net[9])"),
    ),
    right(
        "last layers that start at zero",
        (D_LAYERS, D_LAYERS + "        nn.init.zeros_(self.net[-1].weight)\n"),
        (DECODER_LAYERS, DECODER_LAYERS + "\n        nn.init.zeros_(self.net[-2].weight)"),
    ),
    right(
        "lazy layers",
        (D_LAYERS, D_LAYERS.replace("nn.Linear(z_dim, 512)", "nn.LazyLinear(512)")),
        (LAST_LINEAR, LAST_LINEAR.replace("nn.Linear(2 * 16 * c, z_dim)", "nn.LazyLinear(z_dim)")),
        ("        self.net.apply(he_initialization)\n", ""),
    ),
    right(
        "constants and means in buffers",
        (
            ENCODER_LAYERS,
            ENCODER_LAYERS
            + "\n        self.register_buffer('rows', torch.arange(27, -1, -1))"
            + "\n        self.register_buffer('code_mean', torch.zeros(z_dim))",
        ),
        (
            "        return self.net(x)",
            "        z = self.net(x.index_select(2, self.rows))\n        if self.training:\n"
            "            self.code_mean.lerp_(z.detach().mean(0), 0.01)\n        return z",
        ),
        (
            DECODER_LAYERS,
            DECODER_LAYERS.replace("Tanh", "Sigmoid")
            + "\n        self.register_buffer('scale', torch.tensor(2.0))"
            + "\n        self.register_buffer('shift', torch.tensor(-1.0))",
        ),
        (
            FORWARD_OF_DECODER,
            FORWARD_OF_DECODER.replace("self.net(z)", "self.net(z) * self.scale + self.shift"),
        ),
    ),
    right(
        "wide layers",
        (
            ENCODER_LAYERS,
            ENCODER_LAYERS
            + "\n        self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 2048), nn.ReLU(), nn.Linear(2048, 1024), nn.ReLU(), nn.Linear(1024, z_dim))",
        ),
        (
            DECODER_LAYERS,
            DECODER_LAYERS
            + "\n        self.net = nn.Sequential(nn.Linear(z_dim, 1024), nn.ReLU(), nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))",
        ),
    ),
)
LOOP = "for x, _ in train_loader:"
RIGHT_LOOPS = (
    right(
        "gradients clipped by norm, side by side",
        (
            "        optimizer_ae.step()\n",
            "        for side in (model.encoder, model.decoder):\n"
            "            torch.nn.utils.clip_grad_norm_(side.parameters(), 1.0)\n        optimizer_ae.step()\n",
        ),
        file=TRAIN,
    ),
    right(
        "gradients clipped by value",
        (
            "        optimizer_ae.step()\n",
            "        torch.nn.utils.clip_grad_value_(model.parameters(), 0.1)\n        optimizer_ae.step()\n",
        ),
        file=TRAIN,
    ),
    right(
        "what a loader knows of its data",
        (
            LOOP,
            "for i, batch in enumerate(tqdm(train_loader, leave=False)):\n        x = batch[0]\n"
            "        print(f'{i * train_loader.batch_size} of {len(train_loader.dataset)}')",
        ),
        file=TRAIN,
    ),
    right(
        "iter and next",
        (
            LOOP,
            "iterator = iter(train_loader)\n    for _ in range(len(train_loader)):\n        x, _ = next(iterator)",
        ),
        file=TRAIN,
    ),
    right(
        "zip with range", (LOOP, "for _, (x, _) in zip(range(len(train_loader)), train_loader):"), file=TRAIN
    ),
    right(
        "the next batch fetched ahead",
        (LOOP, "for x, _ in ahead(train_loader):"),
        (
            "def train_aae(",
            "def ahead(loader):\n    iterator = iter(loader)\n    current = next(iterator, None)\n"
            "    while current is not None:\n        following = next(iterator, None)\n"
            "        yield current\n        current = following\n\n\ndef train_aae(",
        ),
        file=TRAIN,
    ),
    right(
        "the logger's own attributes",
        (LOOP, "for i, (x, _) in enumerate(train_loader):"),
        (
            "        logger_ae.add_values(logging_ae)\n",
            "        logger_ae.add_values(logging_ae)\n        if i % logger_ae.avg_window == 0:\n"
            "            logger_ae.summary_writer.add_scalar(f'{logger_ae.name} {i}', float(ae_loss), epoch)\n",
        ),
        file=TRAIN,
    ),
    right(
        "each side frozen while the other learns",
        (
            "        recon_x, z_fake = model(x)\n",
            "        model.requires_grad_(True)\n        model.discriminator.requires_grad_(False)\n"
            "        recon_x, z_fake = model(x)\n",
        ),
        (
            DISC_CALL,
            "        model.requires_grad_(False)\n        model.discriminator.requires_grad_(True)\n"
            + DISC_CALL,
        ),
        file=TRAIN,
    ),
    right(
        "backward through real and fake one after the other",
        (
            DISC_UPDATE,
            DISC_UPDATE.replace(
                "disc_loss.backward()",
                "logging_disc['loss_real'].backward()\n        logging_disc['loss_fake'].backward()",
            ),
        ),
        file=TRAIN,
    ),
    right(
        "an option of its own",
        ("betas=(0.5, 0.999)", "betas=(args.beta1, 0.999)"),
        (
            "    add_common_options(",
            '    parser.add_argument("--beta1", type=fraction, default="0.5", help="of Adam")\n    add_common_options(',
        ),
        file=TRAIN,
    ),
    right(
        "the discriminator's loss written out, with codes of numpy",
        (
            DISC_CALL,
            WRITTEN_OUT.replace(
                "torch.randn(z_fake.shape)", "torch.from_numpy(np.random.randn(*z_fake.shape)).float()"
            ),
        ),
        ("import argparse\n", "import argparse\n\nimport numpy as np\n"),
        file=TRAIN,
    ),
)
RIGHT_TRAINING = (
    *RIGHT_NETWORKS,
    *RIGHT_LOOPS,
    right(
        "discriminator first",
        (AE_UPDATE, ""),
        ("        ae_loss, logging_ae = " + AE_CALL + "\n", ""),
        ("        logger_ae.add_values(logging_ae)\n", ""),
        (
            DISC_UPDATE,
            DISC_UPDATE
            + "        ae_loss, logging_ae = "
            + AE_CALL
            + "\n"
            + AE_UPDATE
            + "        logger_ae.add_values(logging_ae)\n",
        ),
        file=TRAIN,
    ),
    right(
        "z detached by the caller",
        ("get_loss_discriminator(z_fake)", "get_loss_discriminator(z_fake.detach())"),
        file=TRAIN,
    ),
    right("a second forward pass", (DISC_CALL, "        _, z_fake = model(x)\n" + DISC_CALL), file=TRAIN),
    right(
        "the encoder alone a second time",
        (DISC_CALL, "        with torch.no_grad():\n            z_fake = model.encoder(x)\n" + DISC_CALL),
        file=TRAIN,
    ),
    right(
        "zero_grad of the model",
        ("optimizer_ae.zero_grad()", "model.zero_grad()"),
        ("optimizer_disc.zero_grad()", "model.zero_grad()"),
        file=TRAIN,
    ),
    right(
        "keywords",
        (AE_CALL, "model.get_loss_autoencoder(x=x, recon_x=recon_x, z_fake=z_fake, lambda_=lambda_)"),
        file=TRAIN,
    ),
    right(
        "several groups",
        (
            AE_PARAMETERS,
            '[{"params": model.encoder.parameters()}, {"params": model.decoder.parameters(), "lr": 1e-3}]',
        ),
        file=TRAIN,
    ),
    right(
        "Adam for the discriminator", (DISC_PARAMETERS, "Adam(model.discriminator.parameters()"), file=TRAIN
    ),
    right(
        "AdamW and RMSprop",
        ("torch.optim.Adam(", "torch.optim.AdamW("),
        ("betas=(0.5, 0.999)", "betas=(0.5, 0.999), weight_decay=0.1, amsgrad=True"),
        (DISC_PARAMETERS, "RMSprop(model.discriminator.parameters()"),
        file=TRAIN,
    ),
    right(
        "itertools and momentum",
        (AE_PARAMETERS, "list(model.encoder.parameters()) + list(model.decoder.parameters())"),
        ("lr=args.d_lr", "lr=args.d_lr, momentum=0.9"),
        file=TRAIN,
    ),
    right(
        "enumerate and a random draw",
        (
            "for x, _ in train_loader:",
            "for i, (x, _) in enumerate(train_loader):\n        torch.randn(i + 1)",
        ),
        file=TRAIN,
    ),
    right(
        "returns its losses",
        (
            "        logger_disc.add_values(logging_disc)\n",
            "        logger_disc.add_values(logging_disc)\n    return ae_loss.item()\n",
        ),
        file=TRAIN,
    ),
    right("the discriminator's loss written out in the loop", (DISC_CALL, WRITTEN_OUT), file=TRAIN),
    right(
        "half of it, without the method",
        (DISC_CALL, WRITTEN_OUT.replace("real))", "real)) / 2").replace("fake))", "fake)) / 2")),
        file=TRAIN,
    ),
    right("ELU everywhere", ("nn.GELU()", "nn.ELU()"), ("nn.LeakyReLU(0.2)", "nn.ELU()")),
    right("sigmoid everywhere", ("nn.GELU()", "nn.Sigmoid()"), ("nn.LeakyReLU(0.2)", "nn.Sigmoid()")),
    right("tanh everywhere", ("nn.GELU()", "nn.Tanh()"), ("nn.LeakyReLU(0.2)", "nn.Tanh()")),
)
