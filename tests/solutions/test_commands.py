"""What the training commands say to bad input: one message, no traceback, the right exit status."""

import errno
import os
import socket
from pathlib import Path

import pytest
import torch

from tests.solutions.small_mnist import write_mnist


@pytest.fixture
def data(tmp_path) -> Path:
    return write_mnist(tmp_path / "data", train=64, test=8)


@pytest.fixture
def scripts(part1, part2, monkeypatch, tmp_path):
    """The parts by number; what they do when their options are good is to be silent."""
    monkeypatch.chdir(tmp_path)
    return {1: part1, 2: part2}


def run(scripts, part: int, *arguments: str, data: Path | None = None, train=lambda args: None) -> int:
    """Runs a command as `python train_pl.py` or `python train.py` does; returns the exit status."""
    script = scripts[part].train_pl if part == 1 else scripts[part].train
    given = [*(["--data_dir", str(data)] if data else []), "--figures", "drawn", *arguments]
    try:
        return scripts[part].commands.run(train, script.command_line(), script.NAMED_BY, given)
    except SystemExit as usage:
        return usage.code


def said(capsys) -> str:
    """The message, which is no traceback."""
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--no_such_flag",),
        ("--epochs", "0"),
        ("--epochs", "-3"),
        ("--z_dim", "0"),
        ("--z_dim", "eight"),
        ("--batch_size", "-1"),
        ("--num_workers", "-1"),
        ("--seed", "-1"),
        ("--resume", "--fresh"),
        ("--z", "8"),
    ],
)
def test_bad_usage_ends_with_2(scripts, data, capsys, part, arguments):
    assert run(scripts, part, *arguments, data=data, train=pytest.fail) == 2
    assert arguments[0] in said(capsys)


@pytest.mark.parametrize(
    ("part", "flag", "value"),
    [
        (1, "--num_filters", "0"),
        (1, "--lr", "0"),
        (1, "--lr", "nan"),
        (2, "--ae_lr", "-0.1"),
        (2, "--d_lr", "inf"),
        (2, "--lambda_", "1.5"),
        (2, "--lambda_", "-0.1"),
        (2, "--lambda_", "nan"),
    ],
)
def test_numbers_out_of_range_end_with_2(scripts, data, capsys, part, flag, value):
    assert run(scripts, part, f"{flag}={value}", data=data, train=pytest.fail) == 2
    assert flag in (error := said(capsys))
    assert value in error


@pytest.mark.parametrize("lambda_", ["0", "1", "0.995"])
def test_the_ends_of_the_range_are_in_it(scripts, data, lambda_):
    assert run(scripts, 2, "--lambda_", lambda_, data=data) == 0


def test_a_folder_that_cannot_be_written_ends_with_1(scripts, data, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file, not a folder")
    for flag in ("--log_dir", "--figures"):
        status = run(scripts, 2, flag, str(tmp_path / "taken" / "logs"), data=data, train=pytest.fail)
        assert status == 1
        assert str(tmp_path / "taken") in said(capsys)


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("left", [0, 10, 20_000])
def test_a_half_downloaded_file_ends_with_1(scripts, data, capsys, part, left):
    file = data / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:left])
    assert run(scripts, part, data=data, train=pytest.fail) == 1
    error = said(capsys)
    assert "MNIST can't be read" in error
    assert f"Delete the folder {file.parent}" in error
    assert file.exists(), "the message asks the student to delete it; we do not"


def test_a_missing_dataset_that_cannot_be_downloaded_ends_with_1(scripts, tmp_path, capsys, monkeypatch):
    def no_network(*args, **kwargs):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    assert run(scripts, 1, data=tmp_path / "nothing", train=pytest.fail) == 1
    error = said(capsys)
    assert "--data_dir" in error
    assert str(tmp_path / "nothing") in error
    assert "train-images-idx3-ubyte" in error, "which files to put there by hand"


def test_a_full_disk_ends_with_1(scripts, data, capsys):
    def train(args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), f"{args.log_dir}/checkpoint.pt")

    assert run(scripts, 2, data=data, train=train) == 1
    error = said(capsys)
    assert "No space left on device" in error
    assert "checkpoint.pt" in error
    assert "same command" in error


def test_an_interruption_says_how_to_go_on(scripts, data, capsys):
    def train(args):
        raise KeyboardInterrupt

    assert run(scripts, 2, data=data, train=train) == 130
    assert "same command" in said(capsys)


def test_lightnings_way_to_be_interrupted_is_known(scripts, data, capsys):
    def train(args):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise SystemExit(1)  # noqa: B904

    assert run(scripts, 1, data=data, train=train) == 130
    assert "same command" in said(capsys)


def test_what_fails_because_of_an_interruption_is_one(scripts, data, capsys):
    def train(args):
        try:
            raise KeyboardInterrupt
        finally:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "half written")

    assert run(scripts, 1, data=data, train=train) == 130
    assert "same command" in said(capsys)


def test_a_question_that_is_not_answered_yet_is_named(scripts, data, capsys):
    def train(args):
        raise NotImplementedError("Question 2.5: main, the two optimizers")

    assert run(scripts, 2, data=data, train=train) == 1
    error = said(capsys)
    assert "Question 2.5: main, the two optimizers" in error
    assert Path(__file__).name in error, "where it is"


def test_a_mistake_in_the_code_keeps_its_traceback(scripts, data):
    def train(args):
        raise ValueError("shapes do not match")

    with pytest.raises(ValueError, match="shapes"):
        run(scripts, 2, data=data, train=train)


def test_every_combination_of_options_has_a_folder(scripts, data, tmp_path):
    seen = []
    for part, arguments in (
        (1, ()),
        (1, ("--epochs", "3")),
        (1, ("--z_dim", "2", "--lr", "0.01", "--seed", "7")),
        (2, ()),
        (2, ("--lambda_", "1", "--z_dim", "2", "--num_workers", "1")),
    ):
        run(scripts, part, *arguments, data=data, train=lambda args: seen.append(args.log_dir))
    assert [str(folder) for folder in seen] == [
        "VAE_logs/z_dim_20",
        "VAE_logs/z_dim_20",
        "VAE_logs/z_dim_2_lr_0.01_seed_7",
        "AAE_logs/z_dim_8_lambda_0.995",
        "AAE_logs/z_dim_2_lambda_1",
    ]


def leave_checkpoint(args) -> None:
    (Path(args.log_dir) / "checkpoint.pt").write_bytes(b"state")


def has_checkpoint(args) -> None:
    assert (Path(args.log_dir) / "checkpoint.pt").exists()


def has_none(args) -> None:
    assert not (Path(args.log_dir) / "checkpoint.pt").exists()


def test_changed_code_begins_anew_and_keeps_the_old_run(scripts, data, capsys, monkeypatch, tmp_path):
    run(scripts, 2, data=data, train=leave_checkpoint)
    run(scripts, 2, data=data, train=has_checkpoint)
    code = tmp_path / "code"
    code.mkdir()
    monkeypatch.setattr(scripts[2].runs, "HERE", code)
    (code / "train.py").write_text("another")
    run(scripts, 2, "--resume", data=data, train=has_checkpoint)
    run(scripts, 2, data=data, train=has_checkpoint)  # it now is this code's
    (code / "helper.py").write_text("a third")
    capsys.readouterr()
    run(scripts, 2, data=data, train=has_none)
    assert "--resume" in capsys.readouterr().out
    (kept,) = Path("AAE_logs").glob("z_dim_8_lambda_0.995.until-*")
    assert (kept / "checkpoint.pt").read_bytes() == b"state"


def test_a_run_that_has_come_to_nothing_is_not_kept(scripts, data, monkeypatch, tmp_path):
    run(scripts, 2, data=data, train=lambda args: None)
    monkeypatch.setattr(scripts[2].runs, "HERE", tmp_path)
    run(scripts, 2, data=data, train=lambda args: None)
    assert [folder.name for folder in Path("AAE_logs").iterdir()] == ["z_dim_8_lambda_0.995"]


def test_fresh_begins_anew_and_keeps_every_old_run(scripts, data):
    for _ in range(3):
        run(scripts, 2, "--fresh", data=data, train=leave_checkpoint)
    first, *kept = sorted(folder.name for folder in Path("AAE_logs").iterdir())
    assert first == "z_dim_8_lambda_0.995"
    assert len(kept) == 2
    assert all(name.startswith(f"{first}.until-") for name in kept)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk is pretended by /dev/full")
def test_a_state_is_written_whole_or_not_at_all(part2, tmp_path):
    """torch 2.15 says RuntimeError for a full disk; a student is told of the disk and of the file."""
    path = tmp_path / "checkpoint.pt"
    part2.runs.save_whole({"epoch": 3}, path)
    before = path.read_bytes()
    (tmp_path / "checkpoint.pt.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"written whole; the disk may be full: .*checkpoint\.pt\.part"):
        part2.runs.save_whole({"epoch": 4}, path)
    assert path.read_bytes() == before
    assert torch.load(path, weights_only=True) == {"epoch": 3}


def test_what_a_table_says_last_of_an_epoch_counts(part2, tmp_path):
    """A start that goes on after a kill repeats the epoch that was under way."""
    (tmp_path / "first.csv").write_text("epoch,loss,seconds\n1,0.5,\n1,,7\n2,0.25,\n")
    (tmp_path / "second.csv").write_text("epoch,loss,seconds\n2,0.125,8\n")
    rows = part2.runs.read_rows(tmp_path / "first.csv", tmp_path / "second.csv")
    assert rows == [{"epoch": 1, "loss": 0.5, "seconds": 7}, {"epoch": 2, "loss": 0.125, "seconds": 8}]
    part2.runs.write_rows(tmp_path / "both.csv", [{"epoch": 0}, *rows])
    assert (tmp_path / "both.csv").read_text().split() == [
        "epoch,loss,seconds",
        "0,,",
        "1,0.5,7",
        "2,0.125,8",
    ]
