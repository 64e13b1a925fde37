"""More mistakes in part 1, as they are made in real hand-ins."""

# Pieces of code as they stand in the files are longer than a line here.
# ruff: noqa: E501

from tests.suites.part1.hand_ins import ADAM, DOUBLE_VAE
from tests.suites.part1.variants import (
    CLOSED_FORM,
    DECODED,
    DECODER,
    ENCODER,
    FIRST_LINEAR,
    FORWARD,
    HEADS,
    INPUT,
    KLD,
    L_REC,
    L_REG,
    LEVELS_RETURNED,
    LOG_STD_HEAD,
    LOGITS,
    MANIFOLD,
    MEAN_HEAD,
    MEANS,
    NLL,
    PROBABILITIES,
    SAMPLE,
    SAMPLED,
    SOFTMAX,
    TOTAL,
    TRAIN,
    TRAINING,
    wrong,
)
from tests.suites.variants import Variant


def wrong_optimizers(name: str, code: str, family: str) -> Variant:
    """One that does not."""
    return Variant(name, ((ADAM, code),), TRAINING, TRAIN, (), family)


WRONG_OPTIMIZERS = (
    wrong_optimizers(
        "the encoder alone", ADAM.replace("self.", "self.encoder.", 1), "optimizer holds too little"
    ),
    wrong_optimizers(
        "the decoder alone", ADAM.replace("self.", "self.decoder.", 1), "optimizer holds too little"
    ),
    wrong_optimizers(
        "the last layers alone",
        "heads = [*self.encoder.mean.parameters(), *self.encoder.log_std.parameters(), *self.decoder.net[-1].parameters()]\n"
        "        return torch.optim.Adam(heads, lr=self.hparams.lr)",
        "optimizer holds too little",
    ),
    *(
        Variant(
            f"{term} alone is minimized",
            (("batch_size=len(imgs))\n        return bpd", f"batch_size=len(imgs))\n        return {term}"),),
            TRAINING,
            TRAIN,
            (),
            family,
        )
        for term, family in (("L_rec", "term left out"), ("L_reg", "optimizer holds too little"))
    ),
    wrong_optimizers(
        "a decoder that is frozen",
        "self.decoder.requires_grad_(False)\n        " + ADAM,
        "optimizer holds too little",
    ),
    wrong_optimizers(
        "a generator that is used up",
        "parameters = self.decoder.parameters()\n        count = sum(p.numel() for p in parameters)\n"
        "        self.count = count\n"
        "        return torch.optim.Adam([{'params': list(parameters)}, {'params': self.encoder.parameters()}], lr=self.hparams.lr)",
        "optimizer holds too little",
    ),
    wrong_optimizers(
        "a rate of zero", ADAM.replace("self.hparams.lr", "0 * self.hparams.lr"), "learning rate"
    ),
    wrong_optimizers("a rate written in", ADAM.replace("self.hparams.lr", "1e-3"), "rate ignored"),
    wrong_optimizers("the rate left out", ADAM.replace(", lr=self.hparams.lr", ""), "rate ignored"),
    wrong_optimizers(
        "a scheduler that sets the rate",
        ADAM.replace("return", "optimizer =")
        + "\n        for group in optimizer.param_groups:\n            group['lr'] = 5e-4\n        return optimizer",
        "rate ignored",
    ),
)
WRONG_NETWORKS = (
    wrong(
        ENCODER,
        "divided by the maximum of the batch",
        (INPUT, "features = self.net(x / x.max())"),
        family="batch mixed",
    ),
    wrong(
        ENCODER,
        "standardized over the batch",
        (INPUT, "x = x.float()\n        features = self.net((x - x.mean()) / x.std())"),
        family="batch mixed",
    ),
    wrong(
        DECODER,
        "latents divided by the largest",
        (DECODED, "return self.net(z / z.abs().max() * 3)"),
        family="batch mixed",
    ),
    wrong(
        ENCODER,
        "normalized codes",
        (MEAN_HEAD, "self.mean = nn.Sequential(nn.Linear(2 * 16 * c, z_dim), nn.LayerNorm(z_dim))"),
        family="dimensions lost",
    ),
    wrong(
        DECODER,
        "normalized latents",
        ("            " + FIRST_LINEAR, "            nn.LayerNorm(z_dim),\n            " + FIRST_LINEAR),
        family="dimensions lost",
    ),
    wrong(
        ENCODER,
        "another default of z_dim",
        (
            "num_input_channels: int = 1, num_filters: int = 32, z_dim: int = 20",
            "num_input_channels: int = 1, num_filters: int = 32, z_dim: int = 2",
        ),
        family="signature",
    ),
    wrong(
        DECODER,
        "another default of num_filters",
        (
            "num_input_channels: int = 16, num_filters: int = 32",
            "num_input_channels: int = 16, num_filters: int = 64",
        ),
        family="signature",
    ),
    wrong(
        DECODER,
        "another default of num_input_channels",
        ("num_input_channels: int = 16", "num_input_channels: int = 1"),
        family="signature",
    ),
    wrong(
        ENCODER,
        "arguments in another order",
        (
            "self, num_input_channels: int = 1, num_filters: int = 32, z_dim: int = 20",
            "self, z_dim: int = 20, num_filters: int = 32, num_input_channels: int = 1",
        ),
        family="signature",
    ),
    wrong(
        DECODER,
        "an argument of another name",
        ("num_input_channels: int = 16", "num_levels: int = 16"),
        ("c, num_input_channels, kernel", "c, num_levels, kernel"),
        family="signature",
    ),
    wrong(
        ENCODER,
        "weights in bfloat16",
        (LOG_STD_HEAD, LOG_STD_HEAD + "\n        self.bfloat16()"),
        (INPUT, "features = self.net((x / 15 * 2 - 1).bfloat16())"),
        (HEADS, "self.mean(features).float(), self.log_std(features).float()"),
        family="half precision",
        also=(TRAINING,),
    ),
)
WRONG_FORWARD = (
    wrong(
        FORWARD,
        "the mean while evaluating",
        (SAMPLED, SAMPLED + "\n        z = z if self.training else mean"),
        family="evaluation mode",
    ),
    wrong(
        FORWARD,
        "label smoothing",
        (NLL, NLL.replace("reduction", "label_smoothing=0.1, reduction")),
        family="label smoothing",
    ),
    wrong(
        FORWARD,
        "free bits of every latent",
        (
            L_REG,
            "L_reg = (0.5 * ((2 * log_std).exp() + mean**2 - 1 - 2 * log_std)).clamp(min=0.3).sum(1).mean()",
        ),
        family="free bits",
    ),
    wrong(
        FORWARD,
        "free bits of the mean over the batch",
        (
            L_REG,
            "L_reg = (0.5 * ((2 * log_std).exp() + mean**2 - 1 - 2 * log_std)).mean(0).clamp(min=0.5).sum()",
        ),
        family="free bits",
    ),
    wrong(FORWARD, "divided by 128", (L_REC, "L_rec = nll.sum() / 128"), family="fixed factor"),
    wrong(FORWARD, "divided by 784", (L_REC, "L_rec = nll.sum() / 784"), family="fixed factor"),
    wrong(FORWARD, "half of the KL", (L_REG, L_REG.replace("KLD", "0.5 * KLD")), family="fixed factor"),
    wrong(
        FORWARD,
        "a weighted KL in the loss",
        (TOTAL, TOTAL.replace("+ L_reg", "+ 4 * L_reg")),
        family="fixed factor",
    ),
    wrong(
        FORWARD,
        "channels last by a view",
        (LOGITS, "logits = self.decoder(z).view(-1, 28, 28, 16).permute(0, 3, 1, 2)"),
        family="pixels scrambled",
    ),
    wrong(
        FORWARD, "tanh on the logits", (LOGITS, "logits = self.decoder(z).tanh()"), family="squashed logits"
    ),
)
WRONG_OTHERS = (
    wrong(KLD, "four times", (CLOSED_FORM, CLOSED_FORM.replace("0.5", "2.0")), family="fixed factor"),
    wrong(
        KLD,
        "free bits",
        (CLOSED_FORM, CLOSED_FORM.replace(".sum(", ".clamp(min=0.25).sum(")),
        family="free bits",
    ),
    wrong(
        SAMPLE,
        "levels one too high",
        (LEVELS_RETURNED, LEVELS_RETURNED.replace("levels", "(levels + 1).clamp(max=15)")),
        family="level off by one",
    ),
    wrong(
        SAMPLE,
        "levels one too low, round the end",
        (LEVELS_RETURNED, LEVELS_RETURNED.replace("levels", "((levels - 1) % 16)")),
        family="level off by one",
    ),
    wrong(
        SAMPLE,
        "tanh before the softmax",
        (PROBABILITIES, "probabilities = self.decoder(z).tanh().softmax(dim=1)"),
        family="squashed logits",
    ),
    wrong(SAMPLE, "latents of another dtype than the weights", *DOUBLE_VAE, family="dtype"),
    wrong(
        MANIFOLD, "the probability of ink", (MEANS, "1 - probabilities[:, :1]"), family="probability of ink"
    ),
    wrong(
        MANIFOLD,
        "tanh before the softmax",
        (SOFTMAX, "decoder(z).tanh().softmax(dim=1)"),
        family="squashed logits",
    ),
)
WRONG = WRONG_OPTIMIZERS + WRONG_NETWORKS + WRONG_FORWARD + WRONG_OTHERS
