"""Edits of the solution's part2/models.py that put other code in the place of whole answers."""

from textwrap import dedent, indent

from tests.suites.part2.variants import MODELS
from tests.suites.variants import solution

SOURCE = solution("part2")[MODELS].decode()
HE = "\n        self.net.apply(he_initialization)"
IMPORTS = "import torch.nn.functional as F\n"


def answer(to: str, code: str) -> tuple[str, str]:
    """The edit that puts other code in the place of the answer to a question in models.py."""
    _, _, rest = SOURCE.partition(f"        # BEGIN SOLUTION {to}\n")
    old, end, _ = rest.partition("        # END SOLUTION")
    assert end, to
    begin = f"# BEGIN SOLUTION {to}\n"
    return begin + old, begin + indent(dedent(code).strip("\n") + "\n", " " * 8)


def encoder(layers: str, forward: str = "return self.net(x)") -> tuple[tuple[str, str], ...]:
    """Another encoder."""
    return answer("2.4: ConvEncoder, the layers", layers), answer("2.4: ConvEncoder, forward", forward)


def decoder(layers: str, forward: str = "return self.net(z)") -> tuple[tuple[str, str], ...]:
    """Another decoder."""
    return answer("2.4: ConvDecoder, the layers", layers), answer("2.4: ConvDecoder, forward", forward)


def discriminator(layers: str, forward: str = "return self.net(z)") -> tuple[tuple[str, str], ...]:
    """Another discriminator."""
    return answer("2.5: Discriminator, the layers", layers), answer("2.5: Discriminator, forward", forward)


def of_autoencoder(code: str) -> tuple[str, str]:
    """Another loss of the autoencoder."""
    return answer("2.5: get_loss_autoencoder", code)


def of_discriminator(code: str) -> tuple[str, str]:
    """Another loss of the discriminator."""
    return answer("2.5: get_loss_discriminator", code)


AE_TAIL = """
ae_loss = lambda_ * recon_loss + (1 - lambda_) * gen_loss
return ae_loss, {"gen_loss": gen_loss, "recon_loss": recon_loss, "ae_loss": ae_loss}
"""
DISC_HEAD = """
real = self.discriminator(torch.randn_like(z_fake))
fake = self.discriminator(z_fake.detach())
"""
DISC_TAIL = """
disc_loss = loss_real + loss_fake
accuracy = ((real > 0).float().mean() + (fake < 0).float().mean()) / 2
log = {"disc_loss": disc_loss, "loss_real": loss_real, "loss_fake": loss_fake, "accuracy": accuracy}
return disc_loss, log
"""
BCE = "F.binary_cross_entropy_with_logits"
RECON = "recon_loss = F.mse_loss(recon_x, x)\n"


def generator(gen_loss: str, recon: str = RECON) -> tuple[str, str]:
    """A loss of the autoencoder with this term for the generator."""
    return of_autoencoder(recon + "logits = self.discriminator(z_fake)\ngen_loss = " + gen_loss + AE_TAIL)


def both(loss_real: str, loss_fake: str, head: str = DISC_HEAD, tail: str = DISC_TAIL) -> tuple[str, str]:
    """A loss of the discriminator with these two terms."""
    return of_discriminator(f"{head}loss_real = {loss_real}\nloss_fake = {loss_fake}\n{tail}")


REAL_TERM, FAKE_TERM = f"{BCE}(real, torch.ones_like(real))", f"{BCE}(fake, torch.zeros_like(fake))"
GEN_TERM = f"{BCE}(logits, torch.ones_like(logits))"
