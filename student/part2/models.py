"""The three networks of the adversarial autoencoder, and its losses."""

import torch
import torch.nn.functional as F
from torch import nn


class ConvEncoder(nn.Module):
    """Deterministic encoder E: maps an image to its latent code."""

    def __init__(self, z_dim: int):
        """Builds the encoder.

        Args:
            z_dim: number of latent dimensions.
        """
        super().__init__()
        # Recommended, with c = 32: 3x3 convolutions with c, c, 2c, 2c, 2c channels and strides
        # 2, 1, 2, 1, 2, each followed by GELU (28 -> 14 -> 7 -> 4 pixels), flattened to 2*16*c
        # features, then one linear layer.
        raise NotImplementedError("Question 2.4: ConvEncoder, the layers")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Encodes a batch of images.

        Args:
            x: [B, 1, 28, 28], grey values in [-1, 1].

        Returns:
            Latent codes [B, z_dim], unbounded both ways.
        """
        raise NotImplementedError("Question 2.4: ConvEncoder, forward")

    @property
    def device(self) -> torch.device:
        """The device of the encoder's parameters."""
        return next(self.parameters()).device


class ConvDecoder(nn.Module):
    """Decoder R: maps a latent code to an image."""

    def __init__(self, z_dim: int):
        """Builds the decoder.

        Args:
            z_dim: number of latent dimensions.
        """
        super().__init__()
        # Recommended: the encoder in reverse. A linear layer to 2*16*c features, reshaped to
        # [B, 2c, 4, 4]; transposed convolutions of stride 2 with output padding 0, 1, 1 where the
        # encoder had stride 2 (4 -> 7 -> 14 -> 28 pixels); a tanh at the end.
        # Most pixels are black, -1, and the fastest way there is to push every input of the tanh far
        # down, where its gradient vanishes: a network can then stay black for good (reconstruction loss
        # 0.43). A last bias that starts at MNIST's mean pixel, -0.74 = tanh(-0.95), prevents it.
        raise NotImplementedError("Question 2.4: ConvDecoder, the layers")

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Decodes a batch of latent codes.

        Args:
            z: [B, z_dim].

        Returns:
            Images [B, 1, 28, 28], grey values in [-1, 1].
        """
        raise NotImplementedError("Question 2.4: ConvDecoder, forward")


class Discriminator(nn.Module):
    """Discriminator D: tells codes drawn from the prior (real) from codes of images (fake)."""

    def __init__(self, z_dim: int):
        """Builds the discriminator.

        Args:
            z_dim: number of latent dimensions.
        """
        super().__init__()
        # Recommended: 3 linear layers, 512 units in the two hidden ones, LeakyReLU(0.2) between them.
        # AdversarialAE builds all three networks, so question 2.4 needs these layers as well, although
        # they have no say as long as lambda_ = 1.
        raise NotImplementedError("Question 2.5: Discriminator, the layers")

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Judges a batch of latent codes.

        Args:
            z: [B, z_dim].

        Returns:
            Logits [B, 1], no sigmoid: positive for real codes, negative for fake ones.
        """
        raise NotImplementedError("Question 2.5: Discriminator, forward")


class AdversarialAE(nn.Module):
    """Adversarial autoencoder (Makhzani et al., 2015) with a standard normal prior."""

    def __init__(self, z_dim: int = 8):
        """Builds encoder, decoder and discriminator.

        Args:
            z_dim: number of latent dimensions.
        """
        super().__init__()
        self.z_dim = z_dim
        self.encoder = ConvEncoder(z_dim)
        self.decoder = ConvDecoder(z_dim)
        self.discriminator = Discriminator(z_dim)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Reconstructs a batch of images.

        Args:
            x: [B, 1, 28, 28], grey values in [-1, 1].

        Returns:
            The reconstructions [B, 1, 28, 28] and the latent codes [B, z_dim].
        """
        raise NotImplementedError("Question 2.4: AdversarialAE.forward")

    def get_loss_autoencoder(
        self, x: torch.Tensor, recon_x: torch.Tensor, z_fake: torch.Tensor, lambda_: float = 1
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss that encoder and decoder minimize: their side of equation 15.

        Args:
            x: images [B, 1, 28, 28].
            recon_x: their reconstructions, same shape.
            z_fake: their latent codes [B, z_dim].
            lambda_: weight of the reconstruction loss; the adversarial loss has weight 1 - lambda_.

        Returns:
            The weighted loss, and a dictionary for the log with `gen_loss`, `recon_loss`, `ae_loss`.
            recon_loss: squared error, mean over all pixels (equation 18). gen_loss: binary
            cross-entropy of the discriminator's judgement of z_fake.
        """
        # Which label should the discriminator give z_fake, if the encoder had its way? The
        # non-saturating loss is the cross-entropy with that label; F.binary_cross_entropy_with_logits
        # works on logits and does not overflow.
        raise NotImplementedError("Question 2.5: get_loss_autoencoder")

    def get_loss_discriminator(self, z_fake: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss that the discriminator minimizes: its side of equation 15.

        Args:
            z_fake: latent codes of images [B, z_dim].

        Returns:
            The loss, and a dictionary for the log with `disc_loss`, `loss_real`, `loss_fake` (binary
            cross-entropies of as many samples of the prior, and of z_fake; disc_loss is their mean) and
            `accuracy`, the fraction of real and fake codes that the discriminator tells right.
        """
        # The encoder must not learn from this loss: nothing may flow back through z_fake.
        raise NotImplementedError("Question 2.5: get_loss_discriminator")

    @torch.no_grad()
    def sample(self, batch_size: int) -> torch.Tensor:
        """Generates images from latents drawn from the prior.

        Args:
            batch_size: number of images.

        Returns:
            Images [B, 1, 28, 28], grey values in [-1, 1].
        """
        raise NotImplementedError("Question 2.5: AdversarialAE.sample")
