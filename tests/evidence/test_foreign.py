"""Checkpoints and event files of training scripts of one's own, read in the box."""

from __future__ import annotations

import argparse
import contextlib
import io
import pickle
from pathlib import Path

import pytest
import torch

from grader.box.budget import Budget
from grader.evidence.facts import Kind
from grader.evidence.foreign import checkpoint, curves, name_of
from grader.evidence.networks import Place
from grader.evidence.weights import Refused
from tests.evidence.making import Made, contradicted, supported


@pytest.fixture
def place(box) -> Place:
    return Place({}, lambda: box, Budget(60))


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def lightning(made: Made, name: str = "final", prefix: str = "") -> bytes:
    """A checkpoint as Lightning writes it: weights, the optimizer's numbers, hyper-parameters."""
    state = {f"{prefix}{key}": value for key, value in made.weights[name].items()}
    return saved(
        {
            "epoch": 10,
            "state_dict": {**state, "other.weight": torch.ones(3)},
            "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(5)}}}],
            "hyper_parameters": {"args": argparse.Namespace(z_dim=20)},
        }
    )


def events(folder: Path, points: dict[str, list[tuple[int, float]]]) -> bytes:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(folder)
    for tag, values in points.items():
        for step, value in values:
            writer.add_scalar(tag, value, step)
    writer.add_image("samples", torch.zeros(1, 8, 8), 0)
    writer.close()
    (file,) = folder.glob("events.out.tfevents.*")
    return file.read_bytes()


@pytest.mark.parametrize("prefix", ["", "model.", "vae.module.", "_orig_mod."])
def test_weights_are_found_whatever_the_model_is_called(vae, place, prefix):
    found = checkpoint(lightning(vae, prefix=prefix), place)
    for name, value in vae.weights["final"].items():
        network, _, inner = name.partition(".")
        assert torch.equal(found[network][inner], value)


class Runs:
    def __reduce__(self):
        return (exec, ("import os; os.environ['RUN'] = 'yes'",))


HOSTILE = {
    "empty": b"",
    "no zip": b"PK" + bytes(500),
    "code": saved({"state_dict": {"encoder.w": Runs()}}),
    "a plain pickle with code": pickle.dumps(Runs()),
    "no networks": saved({"state_dict": {"head.weight": torch.ones(2)}}),
    "not numbers": saved({"encoder.w": torch.tensor([float("nan")]), "decoder.w": torch.ones(1)}),
    "too many numbers": saved({"encoder.w": torch.zeros(3_000_000), "decoder.w": torch.ones(1)}),
    "a small file of a large tensor": saved(
        {"encoder.w": torch.zeros(1).expand(10**10), "decoder.w": torch.ones(1)}
    ),
    "another type": saved({"encoder.w": torch.ones(2, dtype=torch.complex64), "decoder.w": torch.ones(1)}),
    "a list": saved([1, 2]),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_checkpoint_is_refused(place, content):
    with pytest.raises(Refused):
        checkpoint(content, place)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("last.ckpt", "final"),
        ("epoch=79-step=33760.ckpt", "final"),
        ("epoch=9-step=4220.ckpt", "epoch_010"),
        ("epoch_010.ckpt", "epoch_010"),
        ("best.ckpt", "tested"),
        ("final.safetensors", None),
        ("weights.ckpt", None),
    ],
)
def test_names_tell_what_the_weights_are(file, name):
    assert name_of(file, 80) == name


def test_every_point_of_a_curve_is_read(place, tmp_path):
    """The accumulator of TensorBoard would keep a sample of them."""
    points = [(step, float(step % 7)) for step in range(1500)]
    rows = curves(events(tmp_path, {"recon_loss": points}), place)
    assert [(epoch, row["recon_loss"]) for epoch, row in rows.items()] == points


def test_steps_of_lightning_are_told_apart_by_its_epochs(place, tmp_path):
    values = [(99 + 100 * epoch, 1.0 / (epoch + 1)) for epoch in range(5)]
    steps = {"val_bpd": values, "epoch": [(step, index) for index, (step, _) in enumerate(values)]}
    rows = curves(events(tmp_path, steps), place)
    assert {epoch: row["val_bpd"] for epoch, row in rows.items()} == {
        index: pytest.approx(value) for index, (_, value) in enumerate(values)
    }


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"\xff" * 1000, HOSTILE["code"]])
def test_what_is_no_event_file_gives_nothing(place, content):
    with contextlib.suppress(Refused):
        assert curves(content, place) == {}


def test_a_training_with_lightnings_files_is_judged_as_well(vae, judged, tmp_path):
    values = [(100 * epoch - 1, row["val_bpd"]) for epoch, row in vae.rows.items() if epoch]
    train = [(step, value + 0.1) for step, value in values]
    numbers = [(step, index) for index, (step, _) in enumerate(values)]
    own = vae.files()
    files = {name: content for name, content in own.items() if name.endswith((".json", "summary.csv"))}
    files |= {
        f"evidence/{vae.run}/epoch=10-step=1100.ckpt": lightning(vae),
        f"evidence/{vae.run}/epoch=9-step=1000.ckpt": lightning(vae, "epoch_010"),
        f"evidence/{vae.run}/events.out.tfevents.1.host.2.0": events(
            tmp_path, {"val_bpd": values, "train_bpd": train, "epoch": numbers}
        ),
    }
    run = judged(files)
    assert not contradicted(run), run.claims
    assert not run.problems
    assert supported(run) >= {Kind.EPOCH, Kind.END, Kind.SCORE}
