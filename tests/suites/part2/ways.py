"""Ways of PyTorch that hand-ins seldom take: own backward passes, mappings, hooks, layouts.

Right code, one of each kind.
"""

# Pieces of code as they stand in the files are longer than a line here.

from tests.suites.second_look import right

MODELS = "part2/models.py"
TRAIN = "part2/train.py"

FORWARD = """\
        recon_x, z_fake = model(x)
        ae_loss, logging_ae = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)
"""
STEP = """\
        optimizer_ae.zero_grad()
        ae_loss.backward()
        optimizer_ae.step()
"""
RIGHT_WAYS = (
    right(
        "a gradient scaler that is off",
        TRAIN,
        (
            STEP,
            """\
        scaler = torch.amp.GradScaler("cpu", enabled=False)
        optimizer_ae.zero_grad()
        scaler.scale(ae_loss).backward()
        scaler.step(optimizer_ae)
        scaler.update()
""",
        ),
    ),
    right(
        "a gradient scaler of the GPU's",
        TRAIN,
        (
            STEP,
            """\
        scaler = torch.amp.GradScaler("cuda", enabled=torch.cuda.is_available())
        optimizer_ae.zero_grad()
        scaler.scale(ae_loss).backward()
        scaler.unscale_(optimizer_ae)
        torch.nn.utils.clip_grad_norm_(model.encoder.parameters(), 10.0)
        scaler.step(optimizer_ae)
        scaler.update()
""",
        ),
    ),
    right(
        "autocast where there is a GPU",
        TRAIN,
        (
            FORWARD,
            """\
        with torch.autocast("cuda", enabled=torch.cuda.is_available()):
            recon_x, z_fake = model(x)
            ae_loss, logging_ae = model.get_loss_autoencoder(x, recon_x, z_fake, lambda_)
""",
        ),
    ),
    right(
        "gradients by autograd.grad",
        TRAIN,
        (
            STEP,
            """\
        parameters = [*model.encoder.parameters(), *model.decoder.parameters()]
        for parameter, gradient in zip(parameters, torch.autograd.grad(ae_loss, parameters), strict=True):
            parameter.grad = gradient
        optimizer_ae.step()
""",
        ),
    ),
    right(
        "a hook on the codes",
        TRAIN,
        (
            FORWARD,
            FORWARD
            + """\
        z_fake.register_hook(lambda gradient: gradient.clamp(-10, 10))
""",
        ),
    ),
    right(
        "a closure",
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
            optimizer_ae.zero_grad()
            recon_x, kept["z"] = model(x)
            loss, kept["log"] = model.get_loss_autoencoder(x, recon_x, kept["z"], lambda_)
            loss.backward()
            return loss

        optimizer_ae.step(closure)
        z_fake, logging_ae = kept["z"], kept["log"]
""",
        ),
    ),
    right(
        "anomalies are looked for",
        TRAIN,
        (
            STEP,
            """\
        optimizer_ae.zero_grad()
        with torch.autograd.set_detect_anomaly(True):
            ae_loss.backward()
        optimizer_ae.step()
""",
        ),
    ),
    right(
        "optimizers by names",
        TRAIN,
        (
            "    autoencoder_parameters = [*model.encoder.parameters(), *model.decoder.parameters()]\n",
            """\
    autoencoder_parameters = [
        (name, p) for name, p in model.named_parameters() if not name.startswith("discriminator")
    ]
""",
        ),
    ),
    right(
        "the discriminator mapped over codes",
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
        # END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.vmap(self.net)(z)
        """Judges''',
        ),
    ),
    right(
        "encoder and decoder compiled eagerly",
        MODELS,
        (
            """\
        self.encoder = ConvEncoder(z_dim)
        self.decoder = ConvDecoder(z_dim)
""",
            """\
        self.encoder = torch.compile(ConvEncoder(z_dim), backend="eager")
        self.decoder = torch.compile(ConvDecoder(z_dim), backend="eager")
""",
        ),
    ),
    right(
        "all channels last",
        MODELS,
        (
            "        self.discriminator = Discriminator(z_dim)\n",
            """\
        self.discriminator = Discriminator(z_dim)
        self.to(memory_format=torch.channels_last)
""",
        ),
        (
            "        z = self.encoder(x)\n",
            "        z = self.encoder(x.contiguous(memory_format=torch.channels_last))\n",
        ),
    ),
    right(
        "accuracy as a number of numpy's",
        MODELS,
        (
            "import math\n",
            """\
import math

import numpy as np
""",
        ),
        (
            "        accuracy = torch.cat([logits_real > 0, logits_fake < 0]).float().mean()\n",
            """\
        right = torch.cat([logits_real > 0, logits_fake < 0])
        accuracy = np.mean(right.numpy())
""",
        ),
    ),
    right(
        "losses logged as numbers",
        MODELS,
        (
            """\
            "loss_real": loss_real,
            "loss_fake": loss_fake,
""",
            """\
            "loss_real": loss_real.item(),
            "loss_fake": np.float32(loss_fake.item()),
""",
        ),
        (
            "import math\n",
            """\
import math

import numpy as np
""",
        ),
    ),
    right(
        "the code detached by a no_grad copy",
        MODELS,
        (
            "        logits_fake = self.discriminator(z_fake.detach())\n",
            """\
        with torch.no_grad():
            fake = z_fake.clone()
        logits_fake = self.discriminator(fake)
""",
        ),
    ),
    right(
        "codes of the prior from a generator",
        MODELS,
        (
            "        return self.decoder(torch.randn(batch_size, self.z_dim, device=self.encoder.device))\n",
            """\
        draw = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
        return self.decoder(torch.randn(batch_size, self.z_dim, generator=draw).to(self.encoder.device))
""",
        ),
    ),
    right(
        "GELU with a tanh, scripted",
        MODELS,
        (
            """\
            nn.Linear(512, 1),
        )
""",
            """\
            nn.Linear(512, 1),
        )
        self.net = torch.jit.script(self.net)
""",
        ),
    ),
    right(
        "a fused optimizer for channels last",
        TRAIN,
        (
            "model = AdversarialAE(z_dim=args.z_dim).to(device)",
            "model = AdversarialAE(z_dim=args.z_dim).to(device, memory_format=torch.channels_last)",
        ),
        ("betas=(0.5, 0.999))", "betas=(0.5, 0.999), fused=True)"),
    ),
)
