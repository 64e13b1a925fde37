"""Ways of PyTorch that hand-ins seldom take: own backward passes, mappings, hooks, layouts.

Right code, one of each kind.
"""

# Pieces of code as they stand in the files are longer than a line here.

from tests.suites.second_look import right

NETWORKS = "part1/cnn_encoder_decoder.py"
TRAIN = "part1/train_pl.py"
UTILS = "part1/utils.py"

CLOSED_FORM = "    return 0.5 * (torch.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum(dim=-1)\n"
NOISY = "    return mean + std * torch.randn_like(std)\n"
DIVERGENCE = """\
class Divergence(torch.autograd.Function):
    @staticmethod
    def forward(ctx, mean, log_std):
        variance = torch.exp(2 * log_std)
        ctx.save_for_backward(mean, variance)
        return 0.5 * (variance + mean**2 - 1 - 2 * log_std).sum(dim=-1)

    @staticmethod
    def backward(ctx, grad):
        mean, variance = ctx.saved_tensors
        return grad.unsqueeze(-1) * mean, grad.unsqueeze(-1) * (variance - 1)


def KLD("""

RIGHT_WAYS = (
    right(
        "KLD as an autograd function",
        UTILS,
        (
            "def KLD(",
            DIVERGENCE,
        ),
        (
            CLOSED_FORM,
            "    return Divergence.apply(mean, log_std)\n",
        ),
    ),
    right(
        "KLD of one row, mapped",
        UTILS,
        (
            CLOSED_FORM,
            """\
    def of_row(m, s):
        return 0.5 * (torch.exp(2 * s) + m**2 - 1 - 2 * s).sum()

    rows = torch.vmap(of_row)(mean.reshape(-1, mean.shape[-1]), log_std.reshape(-1, mean.shape[-1]))
    return rows.reshape(mean.shape[:-1])
""",
        ),
    ),
    right(
        "KLD compiled",
        UTILS,
        (
            "def KLD(",
            """\
@torch.compile(backend="eager")
def KLD(""",
        ),
    ),
    right(
        "KLD scripted",
        UTILS,
        (
            "def KLD(",
            """\
@torch.jit.script
def KLD(""",
        ),
    ),
    right(
        "bpd with numpy's numbers",
        UTILS,
        (
            "import math\n",
            """\
import math

import numpy as np
""",
        ),
        (
            """\
    dimensions = math.prod(img_shape[1:])
    return elbo * math.log2(math.e) / dimensions
""",
            "    return np.log2(np.e) * elbo / np.prod(img_shape[1:])\n",
        ),
    ),
    right(
        "noise mapped with different randomness",
        UTILS,
        (
            NOISY,
            """\
    if mean.dim() == 0:
        return mean + std * torch.randn_like(std)
    return torch.vmap(lambda m, s: m + s * torch.randn_like(s), randomness="different")(mean, std)
""",
        ),
    ),
    right(
        "the manifold in inference mode",
        UTILS,
        (
            """\
@torch.no_grad()
def visualize""",
            """\
@torch.inference_mode()
def visualize""",
        ),
    ),
    right(
        "weight norm on the encoder's convolutions",
        NETWORKS,
        (
            "        self.mean = nn.Linear(2 * 16 * c, z_dim)\n",
            """\
        for layer in self.net:
            if isinstance(layer, nn.Conv2d):
                nn.utils.parametrizations.weight_norm(layer)
        self.mean = nn.Linear(2 * 16 * c, z_dim)
""",
        ),
    ),
    right(
        "channels last",
        NETWORKS,
        (
            "        features = self.net(x.float() / 15 * 2 - 1)  # [B, 2*16*c]\n",
            """\
        x = (x.float() / 15 * 2 - 1).contiguous(memory_format=torch.channels_last)
        features = self.net(x)
""",
        ),
        (
            "        self.log_std = nn.Linear(2 * 16 * c, z_dim)\n",
            """\
        self.log_std = nn.Linear(2 * 16 * c, z_dim)
        self.to(memory_format=torch.channels_last)
""",
        ),
    ),
    right(
        "a pre-hook scales the images",
        NETWORKS,
        (
            "        self.mean = nn.Linear(2 * 16 * c, z_dim)\n",
            """\
        self.net.register_forward_pre_hook(lambda module, args: (args[0].float() / 15 * 2 - 1,))
        self.mean = nn.Linear(2 * 16 * c, z_dim)
""",
        ),
        (
            "        features = self.net(x.float() / 15 * 2 - 1)  # [B, 2*16*c]\n",
            "        features = self.net(x)\n",
        ),
    ),
    right(
        "the network compiled eagerly",
        NETWORKS,
        (
            "        self.mean = nn.Linear(2 * 16 * c, z_dim)\n",
            """\
        self.net = torch.compile(self.net, backend="eager")
        self.mean = nn.Linear(2 * 16 * c, z_dim)
""",
        ),
    ),
    right(
        "a functional call with parameters of its own",
        NETWORKS,
        (
            "        self.mean = nn.Linear(2 * 16 * c, z_dim)\n",
            """\
        self.weights = nn.ParameterDict({n.replace(".", "_"): p for n, p in self.net.named_parameters()})
        self.shape_only = [self.net.to("meta")]
        del self.net
        self.mean = nn.Linear(2 * 16 * c, z_dim)
""",
        ),
        (
            "        features = self.net(x.float() / 15 * 2 - 1)  # [B, 2*16*c]\n",
            """\
        weights = {name.replace("_", "."): value for name, value in self.weights.items()}
        features = torch.func.functional_call(self.shape_only[0], weights, (x.float() / 15 * 2 - 1,))
""",
        ),
    ),
    right(
        "an activation with a backward pass of its own",
        NETWORKS,
        (
            "class CNNEncoder(",
            """\
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        s = x.sigmoid()
        return grad * (s + x * s * (1 - s))


class Act(nn.Module):
    def forward(self, x):
        return Swish.apply(x)


class CNNEncoder(""",
        ),
        ("nn.GELU()", "Act()"),
    ),
    right(
        "buffers that are not saved",
        NETWORKS,
        (
            "        self.log_std = nn.Linear(2 * 16 * c, z_dim)\n",
            """\
        self.log_std = nn.Linear(2 * 16 * c, z_dim)
        self.register_buffer("scale", torch.tensor(2 / 15), persistent=False)
""",
        ),
        (
            "        features = self.net(x.float() / 15 * 2 - 1)  # [B, 2*16*c]\n",
            "        features = self.net(x * self.scale - 1)\n",
        ),
    ),
    right(
        "built under a device",
        NETWORKS,
        (
            "        self.mean = nn.Linear(2 * 16 * c, z_dim)\n",
            """\
        with torch.device("cpu"):
            self.mean = nn.Linear(2 * 16 * c, z_dim)
""",
        ),
    ),
    right(
        "lazy layers throughout",
        NETWORKS,
        (
            "nn.Conv2d(num_input_channels, c, kernel_size=3, padding=1, stride=2)",
            "nn.LazyConv2d(c, kernel_size=3, padding=1, stride=2)",
        ),
        ("        self.mean = nn.Linear(2 * 16 * c, z_dim)\n", "        self.mean = nn.LazyLinear(z_dim)\n"),
        (
            "        self.log_std = nn.Linear(2 * 16 * c, z_dim)\n",
            "        self.log_std = nn.LazyLinear(z_dim)\n",
        ),
    ),
    right(
        "samples in inference mode",
        TRAIN,
        (
            """\
    @torch.no_grad()
    def sample""",
            """\
    @torch.inference_mode()
    def sample""",
        ),
    ),
    right(
        "a plateau that watches the validation",
        TRAIN,
        (
            "        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)\n",
            """\
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "val_bpd"}}
""",
        ),
    ),
    right(
        "a warm-up in optimizer_step",
        TRAIN,
        (
            "        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)\n",
            """\
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)

    def optimizer_step(self, epoch, batch_idx, optimizer, optimizer_closure=None):
        scale = min(1.0, (self.trainer.global_step + 1) / 5)
        for group in optimizer.param_groups:
            group["lr"] = scale * self.hparams.lr
        optimizer.step(closure=optimizer_closure)
""",
        ),
    ),
    right(
        "clipping by Lightning's hook",
        TRAIN,
        (
            "        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)\n",
            """\
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)

    def configure_gradient_clipping(self, optimizer, gradient_clip_val=None, gradient_clip_algorithm=None):
        self.clip_gradients(optimizer, gradient_clip_val=5.0, gradient_clip_algorithm="norm")
""",
        ),
    ),
    right(
        "a dictionary from training_step",
        TRAIN,
        (
            '        return self._step(batch, "train")',
            '        return {"loss": self._step(batch, "train"), "images": len(batch[0])}',
        ),
    ),
    right(
        "named parameters",
        TRAIN,
        (
            "        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)\n",
            "        return torch.optim.Adam(self.named_parameters(), lr=self.hparams.lr)\n",
        ),
    ),
)
