"""Mistakes that a seldom taken way of PyTorch hides, see ways.py.

Each is in one place.
"""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.part2.ways import FORWARD, MODELS, STEP, TRAIN
from tests.suites.second_look import wrong

WRONG_WAYS = (
    wrong(
        "2.4.reconstruction",
        "a gradient scaler that only updates itself",
        TRAIN,
        (
            STEP,
            """\
        scaler = torch.amp.GradScaler("cpu", enabled=False)
        optimizer_ae.zero_grad()
        scaler.scale(ae_loss).backward()
        scaler.update()
""",
        ),
        family="no update",
        also=("2.5.training",),
    ),
    wrong(
        "2.5.training",
        "a closure that gathers gradients",
        TRAIN,
        (
            FORWARD,
            "",
        ),
        (
            STEP,
            """\
        kept = {}

        def closure():
            recon_x, kept["z"] = model(x)
            loss, kept["log"] = model.get_loss_autoencoder(x, recon_x, kept["z"], lambda_)
            loss.backward()
            return loss

        optimizer_ae.step(closure)
        z_fake, logging_ae = kept["z"], kept["log"]
""",
        ),
        family="stale gradients",
    ),
    wrong(
        "2.5.training",
        "a hook that reverses the codes' gradient",
        TRAIN,
        (
            FORWARD,
            FORWARD
            + """\
        z_fake.register_hook(lambda gradient: -gradient)
""",
        ),
        family="wrong update",
        also=("2.4.reconstruction",),
    ),
    wrong(
        "2.5.training",
        "optimizers by names, with the discriminator in both",
        TRAIN,
        (
            "    autoencoder_parameters = [*model.encoder.parameters(), *model.decoder.parameters()]\n",
            '    autoencoder_parameters = [(name, p) for name, p in model.named_parameters() if name != "discriminator"]\n',
        ),
        family="optimizer holds too much",
    ),
    wrong(
        "2.5.autoencoder_loss",
        "judged in inference mode",
        MODELS,
        (
            "        logits = self.discriminator(z_fake)  # [B, 1]\n",
            """\
        with torch.inference_mode():
            logits = self.discriminator(z_fake)  # [B, 1]
""",
        ),
        family="gradient cut",
        also=("2.5.training",),
    ),
    wrong(
        "2.5.discriminator",
        "a batch norm that mixes real and fake, by a hook",
        MODELS,
        (
            '''\
            nn.Linear(512, 1),
        )
        # END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Judges''',
            '''\
            nn.Linear(512, 1),
        )
        self.net.register_forward_hook(lambda module, args, output: output - output.mean())
        # END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Judges''',
        ),
        family="batch mixed",
        also=("2.5.training",),
    ),
    wrong(
        "2.5.discriminator_loss",
        "a functional call with weights that learn nothing",
        MODELS,
        (
            "        logits_fake = self.discriminator(z_fake.detach())",
            """\
        kept = {name: one.detach() for name, one in self.discriminator.named_parameters()}
        logits_fake = torch.func.functional_call(self.discriminator, kept, z_fake.detach())""",
        ),
        family="gradient cut",
        also=("2.5.training",),
    ),
)
