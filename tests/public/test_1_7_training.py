"""Question 1.7: does the whole VAE learn? A training of a few seconds, on images that the test draws.

What your loss says of itself does not count for much: with scrambled pixels or a missing term it can look
fine. The test also looks at what the decoder makes of held-out images.
"""

import warnings

import pytest
import pytorch_lightning as pl
import torch
from pictures import noisy_ramps
from pytorch_lightning.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

STEPS, BATCH_SIZE = 40, 8
EPOCHS = 9  # of so many steps; most need two, networks with sigmoids or tanhs learn later
# Adam learns at the first; RMSprop may need a smaller one, SGD a larger one.
RATES = (2e-3, 5e-4, 0.1)
LIMIT, FAR = 1.8, 1.5


def look_at(vae, images):
    """Bits per dimension, and how far the decoder's likeliest grey levels are from the images."""
    vae.eval()
    with torch.no_grad():
        _, _, bpd = vae(images)
        mean, _ = vae.encoder(images)
        levels = vae.decoder(mean).argmax(dim=1, keepdim=True)
    vae.train()
    return bpd.mean(), (levels - images).abs().float().mean()


class Look(pl.Callback):
    """Looks at held-out images after every epoch, and ends the training when the VAE is good enough."""

    def __init__(self, images):
        self.images = images

    def on_train_start(self, trainer, pl_module):
        groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
        self.rates = [group.get("initial_lr", group["lr"]) for group in groups]

    def on_train_epoch_end(self, trainer, pl_module):
        self.steps = trainer.global_step
        self.bpd, self.distance = look_at(pl_module, self.images)
        self.learned = bool(self.bpd < LIMIT and self.distance < FAR)
        trainer.should_stop = self.learned or not torch.isfinite(self.bpd)


def train(part1, folder, lr, images, held_out, epochs=EPOCHS, steps=STEPS):
    """A training as in train_pl.py, by Lightning: your training_step, and your optimizers whatever they are.

    Returns:
        The VAE, its weights before the training, and what was seen of it.
    """
    vae = part1.train_pl.VAE(num_filters=32, z_dim=8, lr=lr)
    vae(held_out[:2])  # lazy layers take their shapes from a first input
    before = {name: value.clone() for name, value in vae.named_parameters()}
    labels = torch.zeros(BATCH_SIZE).long()
    epoch = [(images[torch.randint(len(images), (BATCH_SIZE,))], labels) for _ in range(steps)]
    look = Look(held_out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=epochs,
            logger=TensorBoardLogger(folder),  # your hooks may write to it
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            callbacks=[look],
        )
        trainer.fit(
            vae,
            DataLoader(epoch, batch_size=None),
            DataLoader([(held_out[:BATCH_SIZE], labels)], batch_size=None),
        )
    return vae, before, look


def test_short_training_learns_the_images(part1, tmp_path):
    images, held_out = noisy_ramps(400), noisy_ramps(100)
    for lr in RATES:
        vae, before, look = train(part1, tmp_path, lr, images, held_out)
        if look.learned:
            break
    steps, bpd, distance = look.steps, look.bpd, look.distance

    after = dict(vae.named_parameters())
    moved = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    still = {name.split(".")[0] for name in before} & {"encoder", "decoder"} - moved
    assert not still, (
        f"training leaves all weights of the {' and the '.join(sorted(still))} as they were.\n"
        "Hint: look at configure_optimizers: the optimizer holds all parameters of the VAE; is its rate 0?"
    )

    # Right code starts at 4 bits, reaches 1.05 to 1.5, and cannot get below 1: every pixel hides a coin flip.
    assert bpd < LIMIT, (
        f"after {steps} steps the VAE still needs {bpd:.2f} bits per dimension for held-out images; "
        "it should be 1.5 or less.\n"
        "Hint: first get the tests of KLD, elbo_to_bpd, both networks and forward green; then look for a "
        "network without gradients."
    )
    assert bpd > 0.95, (
        f"{bpd:.2f} bits per dimension cannot be: the random part of these images alone costs 1 bit.\n"
        "Hint: a missing or subtracted term makes the loss too small; look at VAE.forward and KLD."
    )
    assert distance < FAR, (
        f"the loss is low ({bpd:.2f} bits), but the decoder's likeliest levels are {distance:.1f} of "
        "15 levels away from the images.\n"
        "Hint: pixels and levels are scrambled before the loss; a reshape of [B, 16, 28, 28] needs a permute."
    )


def test_the_optimizer_has_the_given_learning_rate(part1, tmp_path):
    images = noisy_ramps(4)
    slow, fast = (
        train(part1, tmp_path, lr, images, images, epochs=1, steps=1)[2].rates for lr in (1e-4, 1e-2)
    )
    ratios = [new / old for old, new in zip(slow, fast, strict=True) if old]
    # Groups of weights may have rates of their own; a warm-up may begin with 0, which says nothing.
    assert not ratios or any(ratio == pytest.approx(100, rel=0.1) for ratio in ratios), (
        f"with VAE(lr=1e-4) the optimizer's learning rate is {slow[0]:g}, with VAE(lr=1e-2) {fast[0]:g}.\n"
        "Hint: lr=self.hparams.lr in configure_optimizers."
    )
