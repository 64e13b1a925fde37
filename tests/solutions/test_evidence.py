"""Full trainings leave evidence of themselves: weights, metrics and options, where `handin.py` packs them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from .small_mnist import VALIDATION, write_mnist

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"


@pytest.fixture(scope="module")
def kit(tmp_path_factory) -> Path:
    """Both parts after a training of each that a question asks for."""
    kit = tmp_path_factory.mktemp("kit")
    data = write_mnist(kit / "data", train=VALIDATION + 128)
    for part in ("part1", "part2"):
        shutil.copytree(SOLUTIONS / part, kit / part)
    train(kit, "part1", "train_pl.py", "--epochs", "11", "--num_filters", "1", data=data)
    little = write_mnist(kit / "little", train=640)
    train(kit, "part2", "train.py", "--epochs", "1", "--z_dim", "8", data=little)
    return kit


def train(kit: Path, part: str, script: str, *options: str, data: Path) -> str:
    common = ("--data_dir", str(data), "--cpu", "--no-progress_bar")
    done = subprocess.run(
        [sys.executable, script, *options, *common],
        cwd=kit / part,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_vae_leaves_the_weights_that_its_figures_show(kit):
    folder = kit / "evidence" / "vae_z_dim_20"
    assert {file.name for file in folder.iterdir()} == {
        *("epoch_010.safetensors", "final.safetensors", "tested.safetensors"),
        *("metrics.csv", "summary.csv", "options.json"),
    }
    logs = kit / "part1" / "VAE_logs" / "z_dim_20_num_filters_1"
    for name, checkpoint in (
        ("final", "last.ckpt"),
        ("tested", "best.ckpt"),
    ):
        state = torch.load(logs / checkpoint, weights_only=True)["state_dict"]
        weights = load_file(folder / f"{name}.safetensors")
        assert weights.keys() == state.keys()
        assert all(torch.equal(weights[one], value) for one, value in state.items()), name
    first, last = (load_file(folder / f"{name}.safetensors") for name in ("epoch_010", "final"))
    assert not torch.equal(first["decoder.net.0.weight"], last["decoder.net.0.weight"])
    assert (folder / "metrics.csv").read_bytes() == (logs / "metrics.csv").read_bytes()


def test_of_part_2_the_discriminator_stays_at_home(kit):
    folder = kit / "evidence" / "aae_z_dim_8_lambda_0.995"
    assert {file.name for file in folder.iterdir()} == {
        *("final.safetensors", "metrics.csv", "summary.csv", "options.json"),
    }
    names = load_file(folder / "final.safetensors").keys()
    assert {name.partition(".")[0] for name in names} == {"encoder", "decoder"}


def test_the_options_are_told_and_no_path(kit):
    text = (kit / "evidence" / "vae_z_dim_20" / "options.json").read_text()
    told = json.loads(text)
    assert (told["options"]["z_dim"], told["options"]["epochs"], told["options"]["seed"]) == (20, 11, 42)
    assert told["versions"]["torch"] == torch.__version__
    assert str(kit) not in text
    assert "dir" not in "".join(name for name in told["options"] if name != "z_dim")


def test_a_run_that_no_question_asks_for_leaves_none(kit):
    train(kit, "part2", "train.py", "--epochs", "1", "--z_dim", "3", data=kit / "little")
    assert not list((kit / "evidence").glob("*z_dim_3*"))


def test_a_training_ends_well_without_safetensors(kit):
    code = "import sys; sys.modules['safetensors.torch'] = None; import runpy; sys.argv[0] = 'train.py'; "
    code += "runpy.run_path('train.py', run_name='__main__')"
    options = ("--epochs", "1", "--z_dim", "2", "--data_dir", str(kit / "little"), "--cpu")
    done = subprocess.run(
        [sys.executable, "-c", code, *options],
        cwd=kit / "part2",
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ".", "PATH": "/usr/bin:/bin", "HOME": str(kit)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "No evidence of this training is kept, since safetensors is not installed" in done.stdout
    assert "Figure for the report" in done.stdout


@pytest.mark.parametrize("part", ["part1", "part2"])
def test_weights_in_another_order_or_shared_are_kept(part, tmp_path):
    # safetensors 0.8 refuses both: a model in channels_last would have ended its training with an error.
    script = (
        "import torch, evidence; from pathlib import Path; model = torch.nn.Module(); "
        "model.encoder = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last); "
        f"model.decoder = model.encoder; evidence.keep_weights(model, Path({str(tmp_path)!r}), 'final')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=SOLUTIONS / part, check=True)
    weights = load_file(tmp_path / "final.safetensors")
    assert torch.equal(weights["encoder.weight"], weights["decoder.weight"])


def test_nothing_of_an_earlier_longer_training_stays(tmp_path):
    # Weights of another training beside this one's numbers look like a false claim.
    stale = tmp_path / "evidence" / "vae_z_dim_20" / "epoch_050.safetensors"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "final.safetensors").write_bytes(b"new")
    script = (
        "import evidence; from pathlib import Path; "
        f"evidence.publish_evidence(Path({str(tmp_path / 'logs')!r}), Path({str(tmp_path / 'figures')!r}), "
        "'vae_z_dim_20', (10, 50))"
    )
    subprocess.run([sys.executable, "-c", script], cwd=SOLUTIONS / "part1", check=True)
    assert [file.name for file in stale.parent.iterdir()] == ["final.safetensors"]
