"""Training loops as students write them, with pictures, bars and writers in them: right and wrong ones.

Each takes the place of the whole body of `train_aae`.
"""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.part2.variants import RECONSTRUCTION, TRAIN, TRAINING, right, wrong
from tests.suites.variants import Variant, solution


def _body() -> str:
    """The body of `train_aae` in the solution, without its docstring."""
    text = solution("part2")[TRAIN].decode()
    start, end = (
        text.index("    model.train()\n    for x, _ in"),
        text.index("\n\n@torch.no_grad()\ndef save_images"),
    )
    return text[start:end]


BODY = _body()
IMPORTS = """import argparse
import itertools
import os

import matplotlib.pyplot as plt
import torchvision
"""


def loop(name: str, body: str, helpers: str = "") -> Variant:
    """A right loop."""
    return right(name, *_edits(body, helpers), file=TRAIN)


def wrong_loop(name: str, family: str, body: str, also: tuple[str, ...] = (), helpers: str = "") -> Variant:
    """A wrong one."""
    return wrong(TRAINING, name, *_edits(body, helpers), family=family, file=TRAIN, also=also)


def _edits(body: str, helpers: str) -> tuple[tuple[str, str], ...]:
    edits = ((BODY, body.strip("\n") + "\n"), ("import argparse\n", IMPORTS))
    return (*edits, ("def train_aae(", helpers.strip("\n") + "\n\n\ndef train_aae(")) if helpers else edits


def changed(body: str, *edits: tuple[str, str]) -> str:
    """A loop with edits, each of which is found in it."""
    for old, new in edits:
        assert old in body, old
        body = body.replace(old, new)
    return body


def indented(lines: str) -> str:
    """Lines of a loop, one level deeper."""
    return "".join(f"    {line}\n" for line in lines.splitlines())


# The course's original template saves reconstructions in a loop like this one.
TEMPLATE = """
    model.train()
    folder = os.path.join(logger_ae.summary_writer.log_dir, "reconstructions")
    for step, (x, _) in enumerate(train_loader):
        x = x.to(model.encoder.device)
        recon_x, z_fake = model(x)
        ae_loss, ae_log = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)
        optimizer_ae.zero_grad()
        ae_loss.backward()
        optimizer_ae.step()
        disc_loss, disc_log = model.get_loss_discriminator(z_fake.detach())
        optimizer_disc.zero_grad()
        disc_loss.backward()
        optimizer_disc.step()
        logger_ae.add_values(ae_log)
        logger_disc.add_values(disc_log)
        if step == 0 and epoch <= 5:
            os.makedirs(folder, exist_ok=True)
            pictures = torch.cat([x[:8], recon_x[:8]])
            name = os.path.join(folder, f"epoch_{epoch:03d}.png")
            torchvision.utils.save_image(pictures, name, nrow=8, normalize=True)
"""
# A bar, sums of losses, and a line at the end of the epoch.
BAR = """
    model.train()
    total_ae, total_disc, images = 0.0, 0.0, 0
    bar = tqdm(enumerate(train_loader), total=len(train_loader), desc=f"epoch {epoch}", leave=False)
    for step, (x, labels) in bar:
        x = x.to(model.encoder.device)
        recon_x, z = model(x)
        optimizer_ae.zero_grad(set_to_none=True)
        loss, log = model.get_loss_autoencoder(x, recon_x, z, lambda_=lambda_)
        loss.backward()
        optimizer_ae.step()
        logger_ae.add_values(log)
        optimizer_disc.zero_grad(set_to_none=True)
        d_loss, d_log = model.get_loss_discriminator(z.detach())
        d_loss.backward()
        optimizer_disc.step()
        logger_disc.add_values(d_log)
        total_ae += loss.item() * x.size(0)
        total_disc += d_loss.item() * x.size(0)
        images += x.size(0)
        if step % 10 == 0:
            bar.set_postfix(ae=f"{loss.item():.3f}", disc=f"{d_loss.item():.3f}")
    print(f"{images} of {len(train_loader.dataset)} images: {total_ae / images:.4f} {total_disc / images:.4f}")
    return total_ae / images, total_disc / images
"""
# All that a SummaryWriter is good for.
WRITER = """
    model.train()
    writer = logger_ae.summary_writer
    for step, (x, labels) in zip(itertools.count(), train_loader):
        number = (epoch - 1) * len(train_loader) + step
        recon_x, z_fake = model(x)
        ae_loss, logging_ae = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)
        optimizer_ae.zero_grad()
        ae_loss.backward()
        optimizer_ae.step()
        disc_loss, logging_disc = model.get_loss_discriminator(z_fake)
        optimizer_disc.zero_grad()
        disc_loss.backward()
        optimizer_disc.step()
        writer.add_scalar("loss of the autoencoder", ae_loss, number)
        writer.add_scalars("losses", {"ae": ae_loss.item(), "disc": disc_loss.item()}, number)
        if step % logger_ae.avg_window == 0:
            writer.add_image("input", (x[0] + 1) / 2, number)
            writer.add_images("reconstructions", (recon_x[:8].detach() + 1) / 2, number)
            writer.add_histogram("codes", z_fake, number)
            writer.add_text("note", f"{logger_ae.name} and {logger_disc.name}, batch {step}", number)
            figure, axes = plt.subplots()
            axes.scatter(*z_fake[:, :2].detach().T, c=labels)
            writer.add_figure("codes of the batch", figure, number)
            plt.close(figure)
            writer.flush()
"""
RIGHT_LOOPS = (
    loop("reconstructions in the logger's folder", TEMPLATE),
    loop("a bar with the losses", BAR),
    loop("scalars, pictures, histograms and text", WRITER),
    loop(
        "pictures of every batch in a folder of its own",
        TEMPLATE.replace("logger_ae.summary_writer.log_dir", "'.'")
        .replace("if step == 0 and epoch <= 5:", "if True:")
        .replace("epoch:03d}.png", "epoch}_{step}.png"),
    ),
    loop(
        "a figure of every epoch",
        BAR.replace(
            "    print(f",
            "    os.makedirs('images', exist_ok=True)\n    plt.figure()\n"
            "    plt.imshow(recon_x[0, 0].detach().cpu(), cmap='gray')\n    plt.title(f'epoch {epoch}')\n"
            "    plt.savefig(f'images/{epoch}.png')\n    plt.close()\n    print(f",
        ),
    ),
    loop(
        "weights saved where the events are",
        TEMPLATE
        + "    folder = logger_ae.summary_writer.get_logdir()\n"
        + "    torch.save(model.state_dict(), os.path.join(folder, f'model_{epoch}.pt'))\n"
        + "    assert logger_disc.summary_writer.file_writer.get_logdir() == str(folder)\n"
        + "    logger_disc.summary_writer.flush()\n",
    ),
    loop(
        "the writer as a context",
        "    with logger_ae.summary_writer as writer:\n"
        + "".join(f"    {line}\n" if line else "\n" for line in BAR.strip("\n").splitlines()[:-1])
        + "        writer.add_scalar('epoch', total_ae / images, epoch)\n",
    ),
    loop(
        "a writer of its own, closed in the end",
        "    from torch.utils.tensorboard import SummaryWriter\n"
        "    own = SummaryWriter(os.path.join('runs', f'epoch_{epoch}'))\n"
        + WRITER.replace("writer = logger_ae.summary_writer", "writer = own")
        + "    own.close()\n    logger_ae.summary_writer.close()\n",
    ),
    loop(
        "learning rates that fall from batch to batch",
        BAR.replace(
            "    bar = tqdm(",
            "    schedulers = [torch.optim.lr_scheduler.ExponentialLR(one, 0.999) for one in "
            "(optimizer_ae, optimizer_disc)]\n    bar = tqdm(",
        ).replace(
            "        images +=",
            "        for scheduler in schedulers:\n            scheduler.step()\n        images +=",
        ),
    ),
    loop(
        "closures",
        """
    model.train()
    for x, _ in train_loader:
        x = x.to(model.encoder.device)

        def of_autoencoder():
            optimizer_ae.zero_grad()
            recon_x, z_fake = model(x)
            loss, values = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)
            loss.backward()
            logger_ae.add_values(values)
            return loss

        def of_discriminator():
            optimizer_disc.zero_grad()
            loss, values = model.get_loss_discriminator(model.encoder(x).detach())
            loss.backward()
            logger_disc.add_values(values)
            return loss

        optimizer_ae.step(of_autoencoder)
        optimizer_disc.step(of_discriminator)
""",
    ),
    loop(
        "helpers, two passes, and clipped gradients",
        """
    model.train()
    for batch in train_loader:
        images = batch[0].to(model.encoder.device)
        recon_x, codes = model(images)
        loss, values = model.get_loss_autoencoder(images, recon_x, codes, lambda_)
        take_step(optimizer_ae, loss, [*model.encoder.parameters(), *model.decoder.parameters()])
        logger_ae.add_values({key: float(value) for key, value in values.items()})
        with torch.no_grad():
            _, codes = model(images)
        loss, values = model.get_loss_discriminator(codes)
        take_step(optimizer_disc, loss, model.discriminator.parameters())
        logger_disc.add_values({key: float(value) for key, value in values.items()})
""",
        helpers="""
def take_step(optimizer, loss, weights):
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, max_norm=5.0)
    optimizer.step()
""",
    ),
    loop(
        "pictures and a line at the last batch",
        TEMPLATE.replace("if step == 0 and epoch <= 5:", "if step == len(train_loader) - 1:")
        + "            print(f'epoch {epoch}: {ae_loss.item():.4f} {disc_loss.item():.4f}')\n"
        + "            with torch.no_grad():\n                model.eval()\n"
        + "                logger_ae.summary_writer.add_images('test', model(x[:4])[0], epoch)\n"
        + "                model.train()\n",
    ),
    loop(
        "the same images shown before and after",
        """
    shown, _ = next(iter(train_loader))
    first = train_loader.dataset[0][0]
    many, _ = train_loader.collate_fn(train_loader.dataset[:16])
    assert first.shape == many[0].shape == shown[0].shape == (1, 28, 28)
"""
        + TEMPLATE.replace(
            "        if step == 0 and",
            "        shown, _ = next(iter(train_loader))\n        if step == 0 and",
        )
        + "    logger_ae.summary_writer.add_images('shown', model(next(iter(train_loader))[0])[0].detach(), epoch)\n",
    ),
    loop(
        "weights and a picture of every batch, under names of their own",
        changed(
            TEMPLATE,
            ("if step == 0 and epoch <= 5:", "if True:"),
            ('f"epoch_{epoch:03d}.png")', 'f"{time.time_ns()}.png")'),
        )
        + "            torch.save(model.state_dict(), name.replace('.png', '.pt'))\n"
        + "            assert os.path.getsize(name) > 0\n",
    ),
    loop(
        "a writer for every few batches, never closed",
        changed(
            BAR,
            (
                "        if step % 10 == 0:\n",
                "        if step % 10 == 0:\n            from torch.utils.tensorboard import SummaryWriter\n"
                "            WRITERS.append(SummaryWriter(f'runs/{len(WRITERS)}'))\n"
                "            WRITERS[-1].add_histogram('codes', z, step)\n",
            ),
        ),
        helpers="WRITERS = []",
    ),
    loop(
        "a path made of the logger's folder, and an evaluation before",
        """
    before = 0.0
    with torch.no_grad():
        for x, _ in train_loader:
            before += torch.nn.functional.mse_loss(model(x)[0], x).item() / len(train_loader)
    print(f"before epoch {epoch}: {before:.4f}")
"""
        + changed(
            TEMPLATE,
            (
                'os.path.join(logger_ae.summary_writer.log_dir, "reconstructions")',
                'Path(logger_disc.summary_writer.log_dir) / "reconstructions"',
            ),
            ("os.makedirs(folder, exist_ok=True)", "folder.mkdir(parents=True, exist_ok=True)"),
        ),
    ),
    loop(
        "folders that main or an epoch before has made",
        changed(
            TEMPLATE,
            ("            os.makedirs(folder, exist_ok=True)\n", ""),
            ("os.path.join(folder, f", "os.path.join('output/pictures', f"),
        )
        + "    torch.save(model.encoder.state_dict(), 'output/weights/encoder.pt')\n"
        + "    plt.figure()\n    plt.plot([epoch, ae_loss.item()])\n    plt.savefig('plots/loss.pdf')\n    plt.close()\n",
    ),
    loop(
        "a graph and hyperparameters",
        TEMPLATE.replace(
            "        if step == 0 and",
            "        if step == 0 and epoch == 1:\n"
            "            logger_ae.summary_writer.add_graph(model, x)\n"
            "            logger_ae.summary_writer.add_hparams({'lambda': lambda_}, {'loss': ae_loss.item()})\n"
            "        if step == 0 and",
        ),
    ),
    loop(
        "folders made in the first epoch, the one with number 0",
        TEMPLATE.replace("os.makedirs(folder, exist_ok=True)", "pass")
        .replace("    folder =", "    if epoch == 0:\n        os.makedirs('pictures')\n    folder =")
        .replace('os.path.join(logger_ae.summary_writer.log_dir, "reconstructions")', "'pictures'"),
    ),
)
NO_DISC_ZERO = "        optimizer_disc.zero_grad()\n"
AE_STEP_OF_TEMPLATE = """        optimizer_ae.zero_grad()
        ae_loss.backward()
        optimizer_ae.step()
"""
DISC_STEP_OF_TEMPLATE = """        disc_loss, disc_log = model.get_loss_discriminator(z_fake.detach())
        optimizer_disc.zero_grad()
        disc_loss.backward()
        optimizer_disc.step()
"""


WRONG_LOOPS = (
    wrong_loop(
        "pictures, and stale gradients in the discriminator",
        "stale gradients",
        changed(TEMPLATE, (NO_DISC_ZERO, "")),
    ),
    wrong_loop(
        "a bar, and no zero_grad for the autoencoder",
        "stale gradients",
        changed(BAR, ("        optimizer_ae.zero_grad(set_to_none=True)\n", "")),
    ),
    wrong_loop(
        "a step at the start of the next batch",
        "step before backward",
        changed(
            WRITER,
            (
                "        recon_x, z_fake = model(x)\n",
                "        optimizer_ae.step()\n        recon_x, z_fake = model(x)\n",
            ),
            ("        ae_loss.backward()\n        optimizer_ae.step()\n", "        ae_loss.backward()\n"),
        ),
    ),
    wrong_loop(
        "zero_grad, step, backward",
        "no update",
        changed(
            TEMPLATE,
            (
                "        disc_loss.backward()\n        optimizer_disc.step()\n",
                "        optimizer_disc.step()\n        disc_loss.backward()\n",
            ),
        ),
    ),
    wrong_loop(
        "lambda left out behind a bar",
        "lambda",
        changed(BAR, (", lambda_=lambda_", "")),
    ),
    wrong_loop(
        "lambda taken for the other weight",
        "lambda",
        changed(TEMPLATE, ("z_fake, lambda_)", "z_fake, 1 - lambda_)")),
    ),
    wrong_loop(
        "the discriminator is only logged",
        "no update",
        changed(
            TEMPLATE,
            (
                DISC_STEP_OF_TEMPLATE,
                "        with torch.no_grad():\n            disc_loss, disc_log = model.get_loss_discriminator(z_fake)\n",
            ),
        ),
    ),
    wrong_loop(
        "losses are summed and printed, nothing is trained",
        "no update",
        changed(
            BAR,
            ("        loss.backward()\n        optimizer_ae.step()\n", ""),
            ("        d_loss.backward()\n        optimizer_disc.step()\n", ""),
        ),
        also=(RECONSTRUCTION,),
    ),
    wrong_loop(
        "a loss made anew from its number",
        "no update",
        changed(
            BAR,
            (
                "        d_loss.backward()",
                "        torch.tensor(d_loss.item(), requires_grad=True).backward()",
            ),
        ),
    ),
    wrong_loop(
        "a loss of attached codes, written out",
        "gradient leaks",
        changed(
            TEMPLATE,
            (
                AE_STEP_OF_TEMPLATE,
                "        optimizer_ae.zero_grad()\n        ae_loss.backward(retain_graph=True)\n",
            ),
            (
                DISC_STEP_OF_TEMPLATE,
                "        real = model.discriminator(torch.randn(z_fake.shape))\n"
                "        fake = model.discriminator(z_fake)\n"
                "        softplus = torch.nn.functional.softplus\n"
                "        disc_loss = softplus(-real).mean() + softplus(fake).mean()\n"
                "        disc_log = {'disc_loss': disc_loss}\n"
                "        optimizer_disc.zero_grad()\n        disc_loss.backward()\n"
                "        optimizer_ae.step()\n        optimizer_disc.step()\n",
            ),
        ),
    ),
    wrong_loop(
        "codes detached for the autoencoder",
        "gradient cut",
        changed(TEMPLATE, ("recon_x, z_fake, lambda_)", "recon_x, z_fake.detach(), lambda_)")),
    ),
    wrong_loop(
        "both backward passes before both steps",
        "stale gradients",
        changed(
            TEMPLATE,
            (
                AE_STEP_OF_TEMPLATE,
                "        optimizer_ae.zero_grad()\n        optimizer_disc.zero_grad()\n        ae_loss.backward()\n",
            ),
            (
                NO_DISC_ZERO + "        disc_loss.backward()\n",
                "        disc_loss.backward()\n        optimizer_ae.step()\n",
            ),
        ),
    ),
    wrong_loop(
        "a break behind the picture",
        "not every batch",
        TEMPLATE + "            break\n",
        also=(RECONSTRUCTION,),
    ),
    wrong_loop(
        "updates at the last batch only",
        "no update",
        changed(
            TEMPLATE,
            (
                AE_STEP_OF_TEMPLATE,
                "        if step < len(train_loader) - 1:\n            continue\n" + AE_STEP_OF_TEMPLATE,
            ),
        ),
        also=(RECONSTRUCTION,),
    ),
    wrong_loop(
        "a picture instead of an update at the last batch",
        "no update",
        changed(
            TEMPLATE,
            (
                "        recon_x, z_fake = model(x)\n",
                "        recon_x, z_fake = model(x)\n        if step == len(train_loader) - 1:\n"
                "            os.makedirs('images', exist_ok=True)\n"
                "            torchvision.utils.save_image(recon_x, f'images/{epoch}.png', normalize=True)\n"
                "            break\n",
            ),
        ),
    ),
    wrong_loop(
        "the discriminator at every other batch",
        "no update",
        changed(
            TEMPLATE, (DISC_STEP_OF_TEMPLATE, "        if step % 2 == 0:\n" + indented(DISC_STEP_OF_TEMPLATE))
        ),
    ),
    wrong_loop(
        "the autoencoder at every other batch",
        "no update",
        changed(
            TEMPLATE, (AE_STEP_OF_TEMPLATE, "        if step % 2 == 1:\n" + indented(AE_STEP_OF_TEMPLATE))
        ),
    ),
    wrong_loop(
        "the first batch all the time",
        "another batch",
        changed(
            TEMPLATE,
            ("    for step, (x, _)", "    x, _ = next(iter(train_loader))\n    for step, _"),
        ),
    ),
    wrong_loop(
        "codes of the batch before for the discriminator",
        "another batch",
        changed(
            TEMPLATE,
            ("    for step,", "    earlier = None\n    for step,"),
            (
                "model.get_loss_discriminator(z_fake.detach())",
                "model.get_loss_discriminator(z_fake.detach() if earlier is None else earlier)",
            ),
            (
                "        logger_ae.add_values(ae_log)",
                "        earlier = z_fake.detach()\n        logger_ae.add_values(ae_log)",
            ),
        ),
    ),
    wrong_loop(
        "the discriminator climbs",
        "upwards",
        changed(TEMPLATE, ("        disc_loss.backward()", "        (-disc_loss).backward()")),
    ),
    wrong_loop(
        "two steps of the autoencoder",
        "too many updates",
        changed(
            TEMPLATE,
            ("        optimizer_ae.step()\n", "        optimizer_ae.step()\n        optimizer_ae.step()\n"),
        ),
    ),
    wrong_loop(
        "only the fake codes go backward",
        "term left out",
        changed(TEMPLATE, ("        disc_loss.backward()", "        disc_log['loss_fake'].backward()")),
    ),
    wrong_loop(
        "optimizers in the wrong places",
        "wrong loss",
        changed(
            TEMPLATE,
            ("optimizer_ae.step()", "optimizer_x.step()"),
            ("optimizer_disc.step()", "optimizer_ae.step()"),
            ("optimizer_x.step()", "optimizer_disc.step()"),
        ),
    ),
)
