"""Submissions that send the grader more and more, or take ever more memory in the box."""

from tests.bank.hostile_entry import KLD, MODELS, NETWORKS, SOLUTIONS, TRAIN, UTILS, VAE, Hostile, in_kld

ENCODER, AUTOENCODER = ("1.7.encoder",), ("2.4.autoencoder",)
# Whose given code is left alone and whose weights get gradients: that much is right, whatever else it sends.
SIGNATURE, GRADIENTS = "has_the_given_signature", "gradients_reach_its_parameters"


def encoder(init: str, forward: str) -> dict[str, str]:
    """An encoder of part 1: the lines of its constructor, and what forward returns."""
    lines = "\n        ".join(init.splitlines() or ["pass"])
    return {
        NETWORKS: f"""
class CNNEncoder(nn.Module):
    def __init__(self, num_input_channels: int = 1, num_filters: int = 32, z_dim: int = 20):
        super().__init__()
        self.z_dim = z_dim
        {lines}
    def forward(self, x):
        mean = x.float().mean((1, 2, 3))
        return {forward}
"""
    }


LARGE = "self.large = nn.Parameter(torch.ones(15_000_000))"
# One session with that much held fits; two at once do not.
ASKS_FOR_ONE_SESSION = ("optimizer_trains_all_weights_at_the_given_rate",)
# An encoder with one weight answers these rightly enough; they do not ask for its state.
WHERE_A_STATE_IS_NOT_READ = (
    SIGNATURE,
    GRADIENTS,
    "returns_mean_and_log_std",
    "works_for_any_batch_size_and_z_dim",
    "takes_the_number_of_input_channels",
    "looks_at_the_whole_image",
    "encodes_each_image_by_itself",
)

PILE = (
    Hostile(
        "thirty outputs that all depend on 15 million weights",
        encoder(LARGE, "tuple(self.large.mean() * (i + 1) + mean for i in range(30))"),
        items=ENCODER,
        may_pass=(SIGNATURE, GRADIENTS),
    ),
    Hostile(
        "a thousand outputs that all depend on 15 million weights",
        encoder(LARGE, "tuple(self.large.mean() * (i + 1) + mean for i in range(1000))"),
        items=ENCODER,
        may_pass=(SIGNATURE, GRADIENTS),  # of the first two, which are all that the grader takes
    ),
    Hostile(
        "two outputs that fill a message",
        encoder(
            "self.weight = nn.Parameter(torch.ones(1))",
            "tuple(self.weight * mean.repeat(8_000_000 // len(mean)) for _ in range(2))",
        ),
        items=ENCODER,
        may_pass=(SIGNATURE, GRADIENTS),
    ),
    Hostile(
        "outputs of single bytes that a comparison makes eight times as large",
        encoder(
            "self.weight = nn.Parameter(torch.ones(1))",
            "(torch.arange(60_000_000).reshape(-1, 6).to(torch.uint8)[: len(x) * 600_000],) * 2",
        ),
        items=ENCODER,
    ),
    Hostile(
        "a hundred thousand weights",
        encoder(
            "self.many = nn.ParameterList(nn.Parameter(torch.ones(1)) for _ in range(100_000))",
            "(sum(self.many[:50]) * mean[:, None].repeat(1, self.z_dim),) * 2",
        ),
        items=ENCODER,
    ),
    Hostile(
        "a state with buffers that fill a message",
        encoder(
            "self.weight = nn.Parameter(torch.ones(1, 1))\n"
            "self.register_buffer('large', torch.zeros(4000, 4000, dtype=torch.float32))",
            "(self.weight * mean[:, None].repeat(1, self.z_dim) + self.large[0, 0],) * 2",
        ),
        items=ENCODER,
        may_pass=WHERE_A_STATE_IS_NOT_READ,
    ),
    Hostile(
        "a state that is another, large one at every look",
        encoder(
            "self.weight = nn.Parameter(torch.ones(1, 1))",
            "(self.weight * mean[:, None].repeat(1, self.z_dim),) * 2\n"
            "    def state_dict(self, *args, **kwargs):\n"
            "        return {str(i): torch.randn(500, 1000) for i in range(30)}",
        ),
        items=ENCODER,
        may_pass=WHERE_A_STATE_IS_NOT_READ,
    ),
    Hostile(
        "attributes that fill a message each time they are read",
        {
            MODELS: """
class AdversarialAE(AdversarialAE):
    encoder = decoder = discriminator = property(
        lambda self: [torch.ones(15_000_000)], lambda self, value: None
    )
"""
        },
        items=AUTOENCODER,
    ),
    Hostile(
        "results nested as deeply, and with as many pieces, as a message may have",
        {
            UTILS: in_kld(
                """
                value = {'a': [torch.ones(16_000)] * 500}
                for _ in range(6):
                    value = [value, {}]
                return value
                """
            )
        },
        items=KLD,
    ),
    Hostile(
        "right networks, and more than half of the memory taken by the import in every session",
        {},
        {
            name: (SOLUTIONS / name).read_bytes() + b"\nHELD = torch.ones(625_000_000)\n"
            for name in (NETWORKS, MODELS)
        }
        | {name: (SOLUTIONS / name).read_bytes() for name in (UTILS, VAE, TRAIN)},
        items=("1.7.training", "2.4.reconstruction"),
        may_pass=ASKS_FOR_ONE_SESSION,
    ),
)
