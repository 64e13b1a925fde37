"""The solution of part 2 keeps its contract, checked against independent formulas."""

from argparse import Namespace
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F

from tests.solutions.conftest import bars


@pytest.fixture
def model(part2):
    return part2.models.AdversarialAE(z_dim=5)


class Log:
    """Keeps what a TensorBoardLogger would average."""

    def __init__(self):
        self.values: list[dict] = []

    def add_values(self, values: dict) -> None:
        self.values.append(values)


def test_forward_returns_reconstruction_and_code(model):
    x = torch.rand(1, 1, 28, 28) * 2 - 1
    recon_x, z = model(x)
    assert recon_x.shape == x.shape
    assert z.shape == (1, 5)
    assert recon_x.abs().max() <= 1
    assert torch.equal(z, model.encoder(x))


def test_autoencoder_wants_its_codes_taken_for_real(model):
    x, recon_x, z = torch.rand(3, 1, 28, 28), torch.rand(3, 1, 28, 28), torch.randn(3, 5)
    loss, log = model.get_loss_autoencoder(x, recon_x, z, lambda_=0.3)
    gen = -F.logsigmoid(model.discriminator(z)).mean()
    recon = ((x - recon_x) ** 2).mean()
    assert log["gen_loss"].item() == pytest.approx(gen.item(), rel=1e-5)
    assert log["recon_loss"].item() == pytest.approx(recon.item(), rel=1e-5)
    assert loss.item() == log["ae_loss"].item() == pytest.approx((0.3 * recon + 0.7 * gen).item(), rel=1e-5)


def test_discriminator_loss_does_not_reach_the_encoder(model):
    z_fake = torch.full((4, 5), 3.0, requires_grad=True)
    loss, log = model.get_loss_discriminator(z_fake)
    loss.backward()
    assert z_fake.grad is None
    fake = -F.logsigmoid(-model.discriminator(z_fake)).mean()
    assert log["loss_fake"].item() == pytest.approx(fake.item(), rel=1e-5)
    assert loss.item() == pytest.approx((log["loss_real"] + log["loss_fake"]).item() / 2, rel=1e-5)


@pytest.mark.parametrize(("scale", "accuracy"), [(1.0, 1.0), (-1.0, 0.0)])
def test_accuracy_counts_both_kinds(model, scale, accuracy):
    # The prior stays within 20 of the origin, the fake codes do not.
    model.discriminator = Sphere(scale)
    _, log = model.get_loss_discriminator(torch.full((8, 5), 100.0))
    assert float(log["accuracy"]) == accuracy


class Sphere(torch.nn.Module):
    """Takes codes within a distance of 20 for real."""

    def __init__(self, scale: float):
        super().__init__()
        self.scale = scale

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.scale * (20 - z.norm(dim=1, keepdim=True))


def test_samples_are_decoded_from_the_prior(model):
    samples = model.sample(7)
    assert samples.shape == (7, 1, 28, 28)
    assert not samples.requires_grad
    assert samples.std(dim=0).max() > 0


def test_every_update_moves_its_own_side(part2, model):
    before = deepcopy(model.state_dict())
    frozen = torch.optim.SGD([torch.zeros(1, requires_grad=True)])
    ae = torch.optim.Adam([*model.encoder.parameters(), *model.decoder.parameters()], lr=1e-3)
    disc = torch.optim.SGD(model.discriminator.parameters(), lr=1e-1)

    def moved() -> set[str]:
        return {
            name.split(".")[0] for name, value in model.state_dict().items() if not value.equal(before[name])
        }

    batches = [(torch.rand(4, 1, 28, 28) * 2 - 1, torch.zeros(4))] * 2
    part2.train.train_aae(1, model, batches, Log(), Log(), ae, frozen, 0.5)
    assert moved() == {"encoder", "decoder"}
    model.load_state_dict(before)
    logs = Log(), Log()
    part2.train.train_aae(1, model, batches, *logs, frozen, disc, 0.5)
    assert moved() == {"discriminator"}
    assert [len(log.values) for log in logs] == [2, 2]


def test_discriminator_step_uses_its_own_loss_only(part2, model):
    """The autoencoder's backward pass leaves gradients in the discriminator; they must not count."""
    x = torch.rand(4, 1, 28, 28) * 2 - 1
    expected = deepcopy(model)
    torch.manual_seed(3)
    expected.get_loss_discriminator(expected.encoder(x))[0].backward()
    frozen = torch.optim.SGD([torch.zeros(1, requires_grad=True)])
    disc = torch.optim.SGD(model.discriminator.parameters(), lr=1)
    torch.manual_seed(3)
    part2.train.train_aae(1, model, [(x, None)], Log(), Log(), frozen, disc, 0)
    for moved, start in zip(
        model.discriminator.parameters(), expected.discriminator.parameters(), strict=True
    ):
        assert torch.allclose(moved, start - start.grad, atol=1e-6)


def test_autoencoder_leaves_the_all_black_image(part2):
    """The known trouble of this exercise: a saturated tanh, stuck at the background."""
    model = part2.models.AdversarialAE()
    x = torch.full((32, 1, 28, 28), -1.0)
    for number, image in enumerate(x):
        image[:, 4 + number % 8 * 2 : 9 + number % 8 * 2, 6:22] = 1
    optimizer = torch.optim.Adam([*model.encoder.parameters(), *model.decoder.parameters()], lr=1e-3)
    unused = torch.optim.SGD(model.discriminator.parameters(), lr=1e-3)
    part2.train.train_aae(1, model, [(x, None)] * 60, Log(), Log(), optimizer, unused, 1)
    black, mean = F.mse_loss(x, -torch.ones_like(x)), F.mse_loss(x, x.mean(0).expand_as(x))
    assert F.mse_loss(model(x)[0], x) < 0.8 * mean < black


def test_loader_scales_and_keeps_labels(part2, full_size_data):
    loader = part2.mnist.mnist("nowhere", batch_size=64)
    images, labels = next(iter(loader))
    assert len(loader) == 937
    assert images.shape == (64, 1, 28, 28)
    assert images.unique().tolist() == [-1, 1]
    assert torch.equal(images[:, 0, :, 10].argmax(1), 4 + 2 * labels)


def test_logger_writes_the_mean_of_a_window(part2):
    class Writer:
        def __init__(self):
            self.points = []

        def add_scalar(self, tag, value, step):
            assert not value.requires_grad, "keeps the graph of every batch in the window"
            self.points.append((tag, float(value), step))

    writer = Writer()
    logger = part2.utils.TensorBoardLogger(writer, avg_window=2, name="side")
    for value in (1.0, torch.tensor(3.0, requires_grad=True), 5, torch.tensor([6.0]).squeeze(), 9):
        logger.add_values({"loss": value})
    assert writer.points == [("side/loss", 2.0, 2), ("side/loss", 5.5, 4)]


def options(log_dir, **changes) -> Namespace:
    values = {
        "z_dim": 2,
        "batch_size": 64,
        "lambda_": 0.995,
        "ae_lr": 1e-3,
        "d_lr": 5e-3,
        "epochs": 1,
        "seed": 1,
    }
    files = {"data_dir": "nowhere", "log_dir": str(log_dir), "num_workers": 0, "no_cuda": True}
    return Namespace(**(values | files | changes))


def test_training_script_runs_to_the_end(part2, little_data, tmp_path):
    part2.train.main(options(tmp_path / "logs"))
    names = {file.name for file in (tmp_path / "logs").iterdir()}
    assert {"checkpoint.pt", "samples_epoch_000.png", "reconstructions_epoch_001.png"} <= names
    assert {"loss_curves.png", "reconstructions_by_digit.png", "summary.csv", "metrics.csv"} <= names


@pytest.mark.parametrize(
    ("z_dim", "lambda_", "figures"),
    [
        (8, 1, {"2.4_reconstructions.png"}),
        (8, 0.995, {"2.5_reconstructions.png", "2.5_samples.png"}),
        (2, 1, {"2.6_autoencoder_reconstructions.png", "2.6_autoencoder_samples.png"}),
        (2, 0.995, {"2.6_adversarial_reconstructions.png", "2.6_adversarial_samples.png"}),
        (20, 0.995, {"2.7_samples.png"}),
        (20, 1, set()),
        (3, 0.5, set()),
    ],
)
def test_the_figures_of_the_questions_come_out(part2, little_data, tmp_path, z_dim, lambda_, figures):
    folder = tmp_path / "figures"
    part2.train.main(options(tmp_path / "logs", z_dim=z_dim, lambda_=lambda_, figures=str(folder)))
    assert {file.name for file in folder.glob("*")} == figures


def test_the_loss_at_the_end_is_over_the_whole_training_set(part2, little_data, tmp_path):
    part2.train.main(options(tmp_path, batch_size=100))  # 2 batches of 100: 56 images are left over
    model = part2.models.AdversarialAE(z_dim=2)
    part2.train.load_checkpoint(tmp_path / "checkpoint.pt", {"model": model})
    images = part2.mnist._scale((bars(256).data.unsqueeze(1), None))[0]
    expected = F.mse_loss(model.eval()(images)[0], images).item()
    name, value = (tmp_path / "summary.csv").read_text().split()
    assert name == "train_reconstruction_loss"
    assert float(value) == pytest.approx(expected, rel=1e-4)


def state_of(part2, log_dir) -> dict:
    return torch.load(log_dir / "checkpoint.pt", weights_only=True)


def without_seconds(log_dir) -> list[list[str]]:
    return [line.split(",")[:-1] for line in (log_dir / "metrics.csv").read_text().splitlines()]


def test_a_training_that_goes_on_ends_like_an_undisturbed_one(part2, little_data, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    part2.train.main(options(whole, epochs=3))

    loss, calls = part2.models.AdversarialAE.get_loss_discriminator, []

    def interrupted(self, *args):
        calls.append(1)
        if len(calls) == 10:  # an epoch has 4 batches: in the middle of the third
            raise ValueError("the plug is pulled")
        return loss(self, *args)

    monkeypatch.setattr(part2.models.AdversarialAE, "get_loss_discriminator", interrupted)
    with pytest.raises(ValueError, match="plug"):
        part2.train.main(options(parts, epochs=3))
    assert len(state_of(part2, parts)["rows"]) == 2
    part2.train.main(options(parts, epochs=3))
    assert without_seconds(parts) == without_seconds(whole)
    one, other = state_of(part2, whole), state_of(part2, parts)
    assert len(one["rows"]) == len(other["rows"]) == 3
    assert one["logger_ae"] == other["logger_ae"]
    for name, value in one["model"].items():
        assert torch.equal(value, other["model"][name]), name
    for name in ("samples_epoch_003.png", "reconstructions_epoch_003.png"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes()


def test_more_epochs_later_are_the_same_as_at_once(part2, little_data, tmp_path):
    part2.train.main(options(tmp_path / "at_once", epochs=2))
    part2.train.main(options(tmp_path / "later", epochs=1))
    part2.train.main(options(tmp_path / "later", epochs=2))
    part2.train.main(options(tmp_path / "later", epochs=1))  # what is done is done
    assert without_seconds(tmp_path / "later") == without_seconds(tmp_path / "at_once")
    assert len(without_seconds(tmp_path / "later")) == 1 + 2


def test_training_of_2_4_does_not_wait_for_samples(part2, little_data, tmp_path, monkeypatch, capsys):
    def unanswered(*args):
        raise NotImplementedError("Question 2.5: AdversarialAE.sample")

    monkeypatch.setattr(part2.models.AdversarialAE, "sample", unanswered)
    monkeypatch.setattr(
        part2.models.AdversarialAE,
        "get_loss_discriminator",
        lambda self, z: (self.discriminator(z.detach()).mean(), {}),
    )
    part2.train.main(options(tmp_path, lambda_=1, z_dim=8, figures=str(tmp_path / "figures")))
    assert "Question 2.5: AdversarialAE.sample" in capsys.readouterr().out
    assert (tmp_path / "figures" / "2.4_reconstructions.png").exists()


def test_a_progress_bar_changes_nothing_else(part2, little_data, tmp_path, capsys):
    part2.train.main(options(tmp_path / "without"))
    part2.train.main(options(tmp_path / "with", progress_bar=True))
    assert "Epoch 1 of 1" in capsys.readouterr().err
    assert without_seconds(tmp_path / "with") == without_seconds(tmp_path / "without")


def test_a_logger_gives_the_means_of_an_epoch(part2):
    logger = part2.utils.TensorBoardLogger(None, avg_window=100)
    for value in (1.0, torch.tensor(2.0), 6):
        logger.add_values({"loss": value})
    logger.add_values({"accuracy": 0.5})
    assert logger.epoch_means() == {"loss": 3.0, "accuracy": 0.5}
    logger.add_values({"loss": 5.0})
    assert logger.epoch_means() == {"loss": 5.0}


@pytest.mark.parametrize("lambda_", [-0.1, 1.5, float("nan")])
def test_lambda_outside_its_range_is_refused(part2, tmp_path, lambda_):
    with pytest.raises(ValueError, match="lambda"):
        part2.train.main(options(tmp_path, lambda_=lambda_))
