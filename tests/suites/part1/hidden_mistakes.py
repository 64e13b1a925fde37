"""Mistakes that a seldom taken way of PyTorch hides, see ways.py.

Each is in one place.
"""

# Pieces of code as they stand in the files are longer than a line here.

from tests.suites.part1.ways import CLOSED_FORM, DIVERGENCE, NETWORKS, NOISY, TRAIN, UTILS
from tests.suites.second_look import wrong

PRIOR = "        z = torch.randn(batch_size, self.hparams.z_dim, device=self.decoder.device)\n"
SAMPLED = "        z = sample_reparameterize(mean, log_std.exp())\n"

WRONG_WAYS = (
    *(
        wrong(
            "1.8.sample",
            f"no latent beyond {most:g}",
            TRAIN,
            (PRIOR, PRIOR.rstrip("\n") + f".clamp(-{most:g}, {most:g})\n"),
            family="tails cut",
        )
        for most in (2, 2.5)
    ),
    wrong(
        "1.7.reparameterize",
        "no noise without gradients",
        UTILS,
        (
            NOISY,
            "    return mean + std * torch.randn_like(std) if torch.is_grad_enabled() else mean + 0 * std\n",
        ),
        family="without gradients",
    ),
    wrong(
        "1.7.forward",
        "the mean without gradients",
        TRAIN,
        (SAMPLED, SAMPLED.rstrip("\n") + " if torch.is_grad_enabled() else mean\n"),
        family="without gradients",
    ),
    wrong(
        "1.7.kld",
        "an autograd function that forgets the mean's gradient",
        UTILS,
        (
            "def KLD(",
            DIVERGENCE.replace("return grad.unsqueeze(-1) * mean,", "return None,"),
        ),
        (
            CLOSED_FORM,
            "    return Divergence.apply(mean, log_std)\n",
        ),
        family="gradient cut",
    ),
    wrong(
        "1.7.reparameterize",
        "a straight-through function",
        UTILS,
        (
            "def sample_reparameterize(",
            """\
class Noisy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, mean, std):
        eps = torch.randn_like(mean)
        return torch.addcmul(mean, std, eps)

    @staticmethod
    def backward(ctx, grad):
        return grad, None


def sample_reparameterize(""",
        ),
        (NOISY, "    return Noisy.apply(mean, std)\n"),
        family="gradient cut",
        also=("1.7.training",),
    ),
    wrong(
        "1.7.reparameterize",
        "one noise for all rows, by a mapping",
        UTILS,
        (
            NOISY,
            """\
    if mean.dim() < 2:
        return mean + std * torch.randn_like(std)
    return torch.vmap(lambda m, s: m + s * torch.randn_like(s), randomness="same")(mean, std)
""",
        ),
        family="noise shared",
    ),
    wrong(
        "1.7.forward",
        "in inference mode",
        TRAIN,
        (
            "    def forward(self, imgs",
            """\
    @torch.inference_mode()
    def forward(self, imgs""",
        ),
        family="gradient cut",
        also=("1.7.training",),
    ),
    wrong(
        "1.7.decoder",
        "a hook that squashes the logits",
        NETWORKS,
        (
            """\
                c, num_input_channels, kernel_size=3, padding=1, stride=2, output_padding=1
            ),  # 14 -> 28
        )
""",
            """\
                c, num_input_channels, kernel_size=3, padding=1, stride=2, output_padding=1
            ),  # 14 -> 28
        )
        self.net.register_forward_hook(lambda module, args, output: output.tanh())
""",
        ),
        family="bounded output",
    ),
    wrong(
        "1.7.encoder",
        "a functional call with copies of the weights",
        NETWORKS,
        (
            "        features = self.net(x.float() / 15 * 2 - 1)  # [B, 2*16*c]\n",
            """\
        weights = {name: value.clone().detach() for name, value in self.net.named_parameters()}
        features = torch.func.functional_call(self.net, weights, (x.float() / 15 * 2 - 1,))
""",
        ),
        family="gradient cut",
        also=("1.7.training",),
    ),
    wrong(
        "1.7.encoder",
        "a parametrization that detaches",
        NETWORKS,
        (
            "class CNNEncoder(",
            """\
class Detached(nn.Module):
    def forward(self, weight):
        return weight.detach()


class CNNEncoder(""",
        ),
        (
            "        self.log_std = nn.Linear(2 * 16 * c, z_dim)\n",
            """\
        self.log_std = nn.Linear(2 * 16 * c, z_dim)
        nn.utils.parametrize.register_parametrization(self.mean, "weight", Detached())
""",
        ),
        family="gradient cut",
    ),
    wrong(
        "1.8.sample",
        "a generator that begins anew in every call",
        TRAIN,
        (
            "        z = torch.randn(batch_size, self.hparams.z_dim, device=self.decoder.device)\n",
            """\
        own = torch.Generator().manual_seed(torch.Generator().initial_seed() % 1000)
        z = torch.randn(batch_size, self.hparams.z_dim, generator=own).to(self.decoder.device)
""",
        ),
        family="not drawn afresh",
    ),
    wrong(
        "1.7.forward",
        "a hook that limits the latents",
        TRAIN,
        (
            "        self.decoder = CNNDecoder(z_dim=z_dim, num_filters=num_filters)\n",
            """\
        self.decoder = CNNDecoder(z_dim=z_dim, num_filters=num_filters)
        self.decoder.register_forward_pre_hook(lambda module, args: (args[0].clamp(-1, 1),))
""",
        ),
        family="posterior limited",
        also=("1.8.sample",),
    ),
)
