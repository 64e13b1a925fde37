"""Every stub, when it is called, names the question that it belongs to."""

from types import SimpleNamespace

import pytest
import torch


@pytest.mark.parametrize(
    ("question", "call"),
    [
        (
            r"1\.7: sample_reparameterize",
            lambda p: p.utils.sample_reparameterize(torch.ones(1), torch.ones(1)),
        ),
        (r"1\.7: KLD", lambda p: p.utils.KLD(torch.ones(1), torch.ones(1))),
        (r"1\.7: elbo_to_bpd", lambda p: p.utils.elbo_to_bpd(torch.ones(1), [1, 1, 28, 28])),
        (r"1\.9: visualize_manifold", lambda p: p.utils.visualize_manifold(None)),
        (r"1\.7: CNNEncoder, the layers", lambda p: p.cnn_encoder_decoder.CNNEncoder()),
        (r"1\.7: CNNEncoder, forward", lambda p: p.cnn_encoder_decoder.CNNEncoder.forward(None, None)),
        (r"1\.7: CNNDecoder, the layers", lambda p: p.cnn_encoder_decoder.CNNDecoder()),
        (r"1\.7: CNNDecoder, forward", lambda p: p.cnn_encoder_decoder.CNNDecoder.forward(None, None)),
        (r"1\.7: CNNEncoder, the layers", lambda p: p.train_pl.VAE(num_filters=4, z_dim=2, lr=1e-3)),
        (r"1\.7: VAE\.forward", lambda p: p.train_pl.VAE.forward(None, None)),
        (r"1\.8: VAE\.sample", lambda p: p.train_pl.VAE.sample(None, 1)),
    ],
)
def test_part1(stub1, question, call):
    with pytest.raises(NotImplementedError, match=f"Question {question}"):
        call(stub1)


@pytest.mark.parametrize(
    ("question", "call"),
    [
        (r"2\.4: ConvEncoder, the layers", lambda m: m.ConvEncoder(8)),
        (r"2\.4: ConvEncoder, forward", lambda m: m.ConvEncoder.forward(None, None)),
        (r"2\.4: ConvDecoder, the layers", lambda m: m.ConvDecoder(8)),
        (r"2\.4: ConvDecoder, forward", lambda m: m.ConvDecoder.forward(None, None)),
        (r"2\.5: Discriminator, the layers", lambda m: m.Discriminator(8)),
        (r"2\.5: Discriminator, forward", lambda m: m.Discriminator.forward(None, None)),
        (r"2\.4: ConvEncoder, the layers", lambda m: m.AdversarialAE()),
        (r"2\.4: AdversarialAE\.forward", lambda m: m.AdversarialAE.forward(None, None)),
        (
            r"2\.5: get_loss_autoencoder",
            lambda m: m.AdversarialAE.get_loss_autoencoder(None, None, None, None),
        ),
        (r"2\.5: get_loss_discriminator", lambda m: m.AdversarialAE.get_loss_discriminator(None, None)),
        (r"2\.5: AdversarialAE\.sample", lambda m: m.AdversarialAE.sample(None, 1)),
    ],
)
def test_models(stub2, question, call):
    with pytest.raises(NotImplementedError, match=f"Question {question}"):
        call(stub2.models)


def test_train_aae(stub2):
    model = SimpleNamespace(train=lambda: None, encoder=SimpleNamespace(device="cpu"))
    with pytest.raises(NotImplementedError, match=r"Question 2\.4: train_aae"):
        stub2.train.train_aae(1, model, [(torch.zeros(1), None)], None, None, None, None)


def test_main(stub2, monkeypatch):
    monkeypatch.setattr(stub2.train, "mnist", lambda **_: None)
    monkeypatch.setattr(stub2.train, "AdversarialAE", lambda z_dim: torch.nn.Identity())
    args = SimpleNamespace(
        lambda_=1,
        seed=1,
        no_cuda=True,
        z_dim=8,
        data_dir="",
        batch_size=1,
        num_workers=0,
        ae_lr=1e-3,
        d_lr=1e-3,
    )
    with pytest.raises(NotImplementedError, match=r"Question 2\.5: main, the two optimizers"):
        stub2.train.main(args)
