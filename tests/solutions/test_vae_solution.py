"""The solution of part 1 keeps its contract, checked against independent formulas."""

import logging
import math
from argparse import Namespace

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence


class PeakedDecoder(nn.Module):
    """Certain of its pixels: image n shows level `levels[n, i, j]` at pixel (i, j)."""

    def __init__(self, levels: torch.Tensor):
        super().__init__()
        self.levels = levels
        self.latents: list[torch.Tensor] = []

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        self.latents.append(z)
        one_hot = nn.functional.one_hot(self.levels[: len(z)], 16)
        return 50.0 * one_hot.permute(0, 3, 1, 2)


def test_reparameterize_has_its_moments_and_gradients(part1):
    mean = torch.full((200_000,), 2.0, requires_grad=True)
    std = torch.full((200_000,), 0.5, requires_grad=True)
    z = part1.utils.sample_reparameterize(mean, std)
    z.sum().backward()
    # Seven standard errors: 7 * 0.5 / sqrt(200,000) = 0.008.
    assert z.mean().item() == pytest.approx(2, abs=0.008)
    assert z.std().item() == pytest.approx(0.5, abs=0.006)
    assert torch.equal(mean.grad, torch.ones_like(mean))
    assert torch.allclose(std.grad, (z - mean) / std, atol=1e-5)


def test_reparameterize_refuses_a_negative_std(part1):
    with pytest.raises(AssertionError, match="log_std"):
        part1.utils.sample_reparameterize(torch.zeros(2), torch.tensor([1.0, -1.0]))


def test_kld_is_the_divergence_that_torch_computes(part1):
    mean, log_std = torch.randn(3, 5, 7, dtype=torch.float64), torch.randn(3, 5, 7, dtype=torch.float64)
    prior = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = kl_divergence(Normal(mean, log_std.exp()), prior).sum(-1)
    assert torch.allclose(part1.utils.KLD(mean, log_std), expected, rtol=1e-12)


def test_uniform_model_of_16_levels_costs_4_bits(part1):
    nats = torch.full((5,), 28 * 28 * math.log(16), dtype=torch.float64)
    bpd = part1.utils.elbo_to_bpd(nats, (5, 1, 28, 28))
    assert torch.allclose(bpd, torch.full_like(nats, 4), rtol=1e-12)


@pytest.mark.parametrize(("batch", "z_dim", "filters"), [(1, 20, 32), (3, 5, 6)])
def test_networks_have_the_contracts_shapes(part1, batch, z_dim, filters):
    networks = part1.cnn_encoder_decoder
    mean, log_std = networks.CNNEncoder(num_filters=filters, z_dim=z_dim)(
        torch.randint(16, (batch, 1, 28, 28))
    )
    assert mean.shape == log_std.shape == (batch, z_dim)
    decoder = networks.CNNDecoder(num_filters=filters, z_dim=z_dim)
    assert decoder(mean).shape == (batch, 16, 28, 28)
    assert decoder.device == torch.device("cpu")


def test_forward_adds_both_terms(part1):
    vae = part1.train_pl.VAE(num_filters=4, z_dim=3, lr=1e-3)
    # The KL of an untrained encoder is next to nothing, a lost or subtracted term would not show.
    nn.init.constant_(vae.encoder.mean.bias, 3)
    images = torch.randint(16, (5, 1, 28, 28))
    L_rec, L_reg, bpd = vae(images)
    assert L_rec.shape == L_reg.shape == bpd.shape == ()
    assert L_reg.item() == pytest.approx(3 * 3**2 / 2, rel=0.1)
    assert bpd.item() == pytest.approx((L_rec + L_reg).item() / math.log(2) / 784, rel=1e-5)
    # An untrained model is close to uniform over the 16 levels.
    assert bpd.item() == pytest.approx(4, abs=0.3)
    bpd.backward()
    assert all(p.grad.abs().sum() > 0 for p in vae.parameters())


def test_forward_compares_pixel_by_pixel(part1):
    images = torch.randint(16, (3, 1, 28, 28))
    vae = part1.train_pl.VAE(num_filters=4, z_dim=3, lr=1e-3)
    vae.decoder = PeakedDecoder(images.squeeze(1))
    assert vae(images)[0].item() == pytest.approx(0, abs=1e-3)


def test_sample_puts_every_pixel_in_its_place(part1):
    levels = torch.randint(16, (3, 28, 28))
    vae = part1.train_pl.VAE(num_filters=4, z_dim=3, lr=1e-3)
    vae.decoder = PeakedDecoder(levels)
    samples = vae.sample(3)
    assert torch.equal(samples, levels.unsqueeze(1))
    assert vae.decoder.latents[0].shape == (3, 3)
    assert not samples.requires_grad


def test_manifold_shows_means_over_equally_likely_latents(part1):
    levels = torch.randint(16, (9, 28, 28))
    decoder = PeakedDecoder(levels)
    grid = part1.utils.visualize_manifold(decoder, grid_size=3)
    assert grid.shape == (3, 3 * 30 + 2, 3 * 30 + 2)
    (z,) = decoder.latents
    axis = Normal(0, 1).icdf((torch.arange(3) + 0.5) / 3)
    assert torch.allclose(
        z, torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1).reshape(9, 2), atol=1e-6
    )
    # The fourth image is the first of the second row; images are two pixels apart.
    assert torch.allclose(grid[0, 32:60, 2:30], levels[3] / 15, atol=1e-6)


def test_loaders_split_and_discretize(part1, full_size_data):
    train, validation, test = part1.mnist.mnist("nowhere", batch_size=128)
    assert [len(loader.dataset) for loader in (train, validation, test)] == [54_000, 6_000, 10_000]
    images, labels = next(iter(train))
    assert images.dtype == torch.int64
    assert images.shape == (128, 1, 28, 28)
    assert images.unique().tolist() == [0, 15]
    # The bar of a digit is in the row that its label says: images and labels stay together.
    assert torch.equal(images[:, 0, :, 10].argmax(1), 4 + 2 * labels)
    grey = torch.tensor([0, 0.0624, 0.0626, 0.5, 0.999, 1])
    assert part1.mnist.discretize(grey).tolist() == [0, 0, 1, 8, 15, 15]


def options(log_dir, **changes) -> Namespace:
    values = {"z_dim": 2, "num_filters": 1, "lr": 1e-2, "batch_size": 64, "epochs": 1, "seed": 1}
    files = {"data_dir": "nowhere", "log_dir": str(log_dir), "num_workers": 0, "progress_bar": False}
    return Namespace(**(values | files | changes))


def test_training_script_runs_to_the_end(part1, little_data, tmp_path):
    result = part1.train_pl.train_vae(options(tmp_path))
    assert 0 < result["test_bpd"] < 4
    names = {file.name for file in tmp_path.iterdir()}
    assert {"samples_epoch_000.png", "manifold.png", "bpd_curves.png", "best.ckpt", "metrics.csv"} <= names


@pytest.mark.parametrize(
    ("z_dim", "figures"),
    [(20, {"1.7_bpd_curves.png", "1.8_samples_epoch_000.png"}), (2, {"1.9_manifold.png"}), (5, set())],
)
def test_the_figures_of_the_questions_come_out(part1, little_data, tmp_path, z_dim, figures):
    folder = tmp_path / "figures"
    part1.train_pl.train_vae(options(tmp_path / "logs", z_dim=z_dim, figures=str(folder)))
    assert {file.name for file in folder.glob("*")} == figures


def test_the_curve_begins_with_the_untrained_model(part1, little_data, tmp_path):
    torch.manual_seed(1)
    part1.train_pl.train_vae(options(tmp_path, epochs=1))
    untrained, trained = part1.runs.read_rows(tmp_path / "metrics.csv")
    losses = ("bpd", "reconstruction_loss", "regularization_loss")
    assert untrained.keys() == {"epoch", *(f"val_{name}" for name in losses)}
    assert trained.keys() == untrained.keys() | {"seconds", *(f"train_{name}" for name in losses)}
    assert (untrained["epoch"], trained["epoch"]) == (0, 1)
    assert untrained["val_bpd"] == pytest.approx(4, abs=0.3)  # 16 levels, all of them likely
    assert trained["val_bpd"] < untrained["val_bpd"]


@pytest.mark.parametrize("epochs", [1, 6])
def test_the_curve_shows_the_untrained_model_and_the_later_epochs(part1, tmp_path, monkeypatch, epochs):
    kept = []
    monkeypatch.setattr(part1.figures, "save", lambda figure, path: kept.append(figure))
    rows = [{"epoch": 0, "val_bpd": 4.03}]
    rows += [{"epoch": n, "train_bpd": 0.5 + 1 / n, "val_bpd": 0.5 + 0.5 / n} for n in range(1, epochs + 1)]
    part1.figures.draw_curves(rows, 0.55, 20, tmp_path)
    axes = kept[0].axes[0]
    training, validation = axes.lines[:2]
    assert list(training.get_xdata()) == list(range(1, epochs + 1))
    assert (validation.get_xdata()[0], validation.get_ydata()[0]) == (0, 4.03)
    assert axes.get_ylim()[1] > 4.03
    insets = axes.child_axes
    assert len(insets) == (epochs > 5)
    for inset in insets:  # not pressed together by what comes before
        assert inset.get_ylim()[1] < 1.2


def test_the_cpu_is_used_on_request(part1, little_data, tmp_path, monkeypatch):
    asked = []
    trainer = part1.train_pl.pl.Trainer

    def noted(*args, **kwargs):
        asked.append(kwargs["accelerator"])
        return trainer(*args, **(kwargs | {"accelerator": "cpu"}))

    monkeypatch.setattr(part1.train_pl.pl, "Trainer", noted)
    parsed = part1.train_pl.command_line().parse_args(["--cpu"])
    part1.train_pl.train_vae(options(tmp_path / "cpu", no_cuda=parsed.no_cuda))
    part1.train_pl.train_vae(options(tmp_path / "auto"))
    assert asked == ["cpu", "auto"]


def weights(part1, log_dir) -> dict[str, torch.Tensor]:
    return part1.train_pl.VAE.load_from_checkpoint(log_dir / "best.ckpt", weights_only=True).state_dict()


def without_seconds(part1, log_dir) -> list[dict[str, float]]:
    rows = part1.callbacks.write_metrics(log_dir)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_a_training_that_goes_on_ends_like_an_undisturbed_one(part1, little_data, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    undisturbed = part1.train_pl.train_vae(options(whole, epochs=3))

    step, calls = part1.train_pl.VAE.training_step, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == 8:  # an epoch has 3 batches: in the middle of the third
            raise ValueError("the plug is pulled")
        return step(self, *args)

    monkeypatch.setattr(part1.train_pl.VAE, "training_step", interrupted)
    with pytest.raises(ValueError, match="plug"):
        part1.train_pl.train_vae(options(parts, epochs=3))
    assert len(without_seconds(part1, parts)) == 1 + 2  # the untrained model and two epochs
    result = part1.train_pl.train_vae(options(parts, epochs=3))
    assert result == undisturbed
    assert without_seconds(part1, parts) == without_seconds(part1, whole)
    columns = [(folder / "metrics.csv").read_text().splitlines()[0] for folder in (whole, parts)]
    assert columns[0] == columns[1]
    for name, value in weights(part1, parts).items():
        assert torch.equal(value, weights(part1, whole)[name]), name


def test_more_epochs_later_are_the_same_as_at_once(part1, little_data, tmp_path):
    at_once = part1.train_pl.train_vae(options(tmp_path / "at_once", epochs=2))
    part1.train_pl.train_vae(options(tmp_path / "later", epochs=1))
    assert part1.train_pl.train_vae(options(tmp_path / "later", epochs=2)) == at_once
    # What is done is done: fewer epochs change nothing, but the figures are drawn again.
    (tmp_path / "later" / "manifold.png").unlink()
    assert part1.train_pl.train_vae(options(tmp_path / "later", epochs=1)) == at_once
    assert (tmp_path / "later" / "manifold.png").exists()


def test_training_does_not_wait_for_later_questions(part1, little_data, tmp_path, monkeypatch, capsys):
    def unanswered(*args):
        raise NotImplementedError("Question 1.x: not yet")

    monkeypatch.setattr(part1.train_pl.VAE, "sample", unanswered)
    monkeypatch.setattr(part1.train_pl, "visualize_manifold", unanswered)
    assert part1.train_pl.train_vae(options(tmp_path))["test_bpd"] < 4
    assert capsys.readouterr().out.count("Question 1.x: not yet") == 3


def test_lightning_says_nothing_of_the_gpu_and_no_tips(part1):
    loggers = ("pytorch_lightning.accelerators.cuda", "pytorch_lightning.utilities.rank_zero")
    before = logging.getLogger("pytorch_lightning").level
    try:
        part1.callbacks.quiet_lightning()
        for name in loggers:
            assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
            assert logging.getLogger(name).isEnabledFor(logging.WARNING), name
    finally:
        logging.getLogger("pytorch_lightning").setLevel(before)


@pytest.mark.filterwarnings("error")
def test_a_figure_asks_nothing_of_torch_that_numpy_will_soon_refuse(part1, monkeypatch, tmp_path):
    """NumPy 2.5 warns of what matplotlib 3.11 does with a tensor of torch 2.15, and will refuse it."""
    kept = []
    monkeypatch.setattr(part1.figures, "save", lambda figure, path: kept.append(figure))
    part1.figures.draw_samples(torch.randint(16, (64, 1, 28, 28)), 3, tmp_path)
    assert kept[0].axes[0].images[0].get_array().shape == (242, 242, 3)
