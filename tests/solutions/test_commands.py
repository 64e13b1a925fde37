"""What the training commands say to bad input: one message, no traceback, the right exit status."""

import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.solutions.small_mnist import write_mnist

SOLUTIONS = Path(__file__).parents[2] / "solutions"
CODE = '''\
"""A step."""
from torch import nn


class Model(nn.Module):
    """With defaults, a text in a text, and names without values."""

    size: int

    def forward(self, x, *others, scale=1.0, mean=None, **more):
        print(f"{scale:.2f} {mean!r} {'a' + f'{x}'}", end="")
        first, *rest = [None, {}, (), ..., b"x", *others, {**more}]
        return (lambda: x[:, ::2] if x is not None else ())()

    @property
    async def nothing(self): return
'''


@pytest.fixture
def data(tmp_path) -> Path:
    return write_mnist(tmp_path / "data", train=64, test=8)


@pytest.fixture
def scripts(in_part1, in_part2, part1, part2, monkeypatch, tmp_path):
    """The parts by number; what they do when their options are good is to be silent."""
    monkeypatch.chdir(tmp_path)
    return {1: part1, 2: part2}


def run(scripts, part: int, *arguments: str, data: Path | None = None, train=lambda args: None) -> int:
    """Runs a command as `python train_pl.py` or `python train.py` does; returns the exit status."""
    script = scripts[part].train_pl if part == 1 else scripts[part].train
    given = [*(["--data_dir", str(data)] if data else []), "--figures", "drawn", *arguments]
    return scripts[part].commands.run(train, script.command_line(), script.NAMED_BY, given)


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
        assert flag in (error := said(capsys))
        assert str(tmp_path / "taken" / "logs") in error


@pytest.mark.parametrize("part", [1, 2])
@pytest.mark.parametrize("left", [0, 10, 20_000])
def test_a_half_downloaded_file_ends_with_1(scripts, data, capsys, part, left):
    file = data / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:left])
    assert run(scripts, part, data=data, train=pytest.fail) == 1
    error = said(capsys)
    assert str(file) in error
    assert f"{left:,} bytes" in error
    assert "delete" in error
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


def test_changed_code_begins_anew_and_keeps_the_old_run(scripts, data, capsys, monkeypatch):
    run(scripts, 2, data=data, train=leave_checkpoint)
    run(scripts, 2, data=data, train=has_checkpoint)
    monkeypatch.setattr(scripts[2].runs, "code_digest", lambda folder: "another")
    run(scripts, 2, "--resume", data=data, train=has_checkpoint)
    run(scripts, 2, data=data, train=has_checkpoint)  # it now is this code's
    monkeypatch.setattr(scripts[2].runs, "code_digest", lambda folder: "a third")
    capsys.readouterr()
    run(scripts, 2, data=data, train=has_none)
    assert "--resume" in capsys.readouterr().out
    assert Path("AAE_logs/z_dim_8_lambda_0.995.old-1/checkpoint.pt").read_bytes() == b"state"


def test_fresh_begins_anew_and_keeps_every_old_run(scripts, data):
    for _ in range(3):
        run(scripts, 2, "--fresh", data=data, train=leave_checkpoint)
    assert sorted(folder.name for folder in Path("AAE_logs").glob("[!.]*")) == [
        "z_dim_8_lambda_0.995",
        "z_dim_8_lambda_0.995.old-1",
        "z_dim_8_lambda_0.995.old-2",
    ]


def test_comments_are_no_change_of_the_code(part2, tmp_path):
    for name, text in (("train.py", "x = 1\n"), ("models.py", "y = 2\n")):
        (tmp_path / name).write_text(text)
    before = part2.runs.code_digest(tmp_path)
    (tmp_path / "train.py").write_text("# a note\nx = 1  # one\n")
    assert part2.runs.code_digest(tmp_path) == before
    (tmp_path / "train.py").write_text("x = 2\n")
    assert part2.runs.code_digest(tmp_path) != before


def test_the_code_is_the_same_under_every_python(part2, tmp_path):
    """`ast.dump` says another thing in 3.11, 3.12 and 3.13: there a copied run began anew."""
    (tmp_path / "train.py").write_text(CODE)
    assert part2.runs.code_digest(tmp_path).startswith("a2b40fa1e12d93ed")


def test_two_trainings_do_not_share_a_folder(scripts, data, capsys):
    def again(args):
        assert run(scripts, 2, data=data, train=pytest.fail) == 1
        assert "another training" in said(capsys)

    assert run(scripts, 2, data=data, train=again) == 0
    assert run(scripts, 2, data=data) == 0


WITHOUT_FCNTL = """
import os, sys, types
import torch  # before: `subprocess` takes a Python with msvcrt for one on Windows

taken = []

def locking(descriptor, mode, count):
    name = os.fstat(descriptor).st_ino
    if name in taken:
        raise PermissionError(13, "Permission denied")
    taken.append(name)

sys.modules["fcntl"] = None  # importing it is an ImportError then
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
opened = os.open
def open_no_folder(path, *arguments, **options):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", str(path))
    return opened(path, *arguments, **options)
os.open = open_no_folder

from pathlib import Path
import runs

folder = Path(sys.argv[1], "logs", "run")
with runs.opened(folder, Path.cwd(), False, False):
    assert folder.is_dir()
    try:
        with runs.opened(folder, Path.cwd(), False, False):
            print("two at a time")
    except runs.Trouble as trouble:
        print(trouble)
"""


def test_a_run_has_its_folder_to_itself_on_windows_too(tmp_path):
    """Windows has no fcntl, opens no folder, and locks with msvcrt: PermissionError where another has it."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FCNTL, str(tmp_path)],
        cwd=SOLUTIONS / "part2",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("another training with these options is under way there\n")


def test_a_state_is_written_whole_or_not_at_all(part2, tmp_path, monkeypatch):
    layer = torch.nn.Linear(2, 2)
    path = tmp_path / "checkpoint.pt"
    part2.runs.save_state(path, {"layer": layer}, epoch=3)
    before = path.read_bytes()

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"checkpoint\.pt"):
        part2.runs.save_state(path, {"layer": layer}, epoch=4)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    other = torch.nn.Linear(2, 2)
    assert part2.runs.load_state(path, {"layer": other}) == {"epoch": 3}
    assert torch.equal(layer.weight, other.weight)
    assert stat.S_IMODE(path.stat().st_mode) & 0o444


def test_an_interruption_right_after_writing_is_no_other_error(part2, tmp_path, monkeypatch):
    replace = os.replace

    def interrupted(*args):
        replace(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        part2.runs.write_atomically(tmp_path / "metrics.csv", b"epoch")
    assert [file.name for file in tmp_path.iterdir()] == ["metrics.csv"]


def test_a_checkpoint_of_another_network_is_told(part2, tmp_path):
    path = tmp_path / "checkpoint.pt"
    part2.runs.save_state(path, {"layer": torch.nn.Linear(2, 2)})
    with pytest.raises(part2.runs.Trouble, match="--fresh"):
        part2.runs.load_state(path, {"layer": torch.nn.Linear(3, 2)})
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(part2.runs.Trouble, match=r"checkpoint\.pt.*--fresh"):
        part2.runs.load_state(path, {"layer": torch.nn.Linear(2, 2)})


def test_rows_of_a_table_replace_those_of_the_same_epochs(part2, tmp_path):
    table = tmp_path / "metrics.csv"
    for epoch in (1, 2, 3):
        part2.runs.add_row(table, {"epoch": epoch, "loss": 0.5})
    part2.runs.add_row(table, {"epoch": 2, "loss": torch.tensor(0.123456789)})
    assert table.read_text() == "epoch,loss\n1,0.5\n2,0.123457\n"


def test_the_shared_modules_are_the_same_in_both_parts():
    solutions = Path(__file__).resolve().parents[2] / "solutions"
    for name in ("commands.py", "runs.py", "drawing.py", "evidence.py"):
        assert (solutions / "part2" / name).resolve() == (solutions / "part1" / name).resolve()
