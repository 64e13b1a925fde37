"""What is shipped runs on Linux, macOS and Windows: read in the files, and tried without what some lack."""

from __future__ import annotations

import ast
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import types
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.release import bundle
from tests.release.test_handin import kit_module
from tests.solutions.small_mnist import VALIDATION, write_mnist

SOLUTIONS = Path(__file__).parents[2] / "solutions"
NOT_ON_WINDOWS = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
NOT_IN_OS = {
    "fork",
    "forkpty",
    "getuid",
    "geteuid",
    "killpg",
    "setsid",
    "mkfifo",
    "nice",
    "sched_setaffinity",
}
# Before all that a Python of the kit imports: as on Windows there is no fcntl and no fork, and msvcrt
# locks files. (subprocess takes msvcrt for a sign of Windows, so it has to come first.)
WITHOUT = """
import os, subprocess, sys, types
for name in ("fork", "forkpty"):
    delattr(os, name) if hasattr(os, name) else None
sys.modules["fcntl"] = None
locks = types.ModuleType("msvcrt")
locks.LK_NBLCK, locks.locking = 2, lambda file, mode, count: None
sys.modules["msvcrt"] = locks
"""


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return bundle.contents()


@pytest.fixture(scope="module")
def trees(files: dict[str, bytes]) -> dict[str, ast.Module]:
    return {name: ast.parse(content) for name, content in files.items() if name.endswith(".py")}


def test_names_of_files_are_allowed_everywhere(files: dict[str, bytes]) -> None:
    assert [name for name in files if re.search(r'[<>:"\\|?*]|[. ]$', name) or not name.isascii()] == []
    assert len({name.lower() for name in files}) == len(files)
    assert not {Path(name).stem.lower() for name in files} & {"con", "prn", "aux", "nul"}


def test_text_has_the_line_ends_that_every_system_reads(files: dict[str, bytes]) -> None:
    texts = (".py", ".md", ".txt", ".ini", ".ipynb", ".json", ".sbatch")
    assert [name for name, content in files.items() if name.endswith(texts) and b"\r" in content] == []


def test_what_windows_lacks_is_not_taken_for_granted(trees: dict[str, ast.Module]) -> None:
    found = []
    for name, tree in trees.items():
        attempts = {id(node) for one in ast.walk(tree) if isinstance(one, ast.Try) for node in ast.walk(one)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import) and id(node) not in attempts:
                found += [f"{name}:{node.lineno}: {a.name}" for a in node.names if a.name in NOT_ON_WINDOWS]
            if isinstance(node, ast.ImportFrom) and node.module in NOT_ON_WINDOWS:
                found.append(f"{name}:{node.lineno}: {node.module}")
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {f"os.{one}" for one in NOT_IN_OS}:
                found.append(f"{name}:{node.lineno}: {ast.unparse(node)}")
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.system":
                found.append(f"{name}:{node.lineno}: os.system")
            if isinstance(node, ast.keyword) and node.arg in ("shell", "preexec_fn"):
                found.append(f"{name}:{node.value.lineno}: {node.arg}=")
            if isinstance(node, ast.Constant) and str(node.value).startswith(("/tmp", "/dev/", "/proc/")):
                found.append(f"{name}:{node.lineno}: {node.value}")
    assert found == []


def test_the_commands_read_and_write_utf_8_whatever_the_system_prefers(trees: dict[str, ast.Module]) -> None:
    ours = {name: tree for name, tree in trees.items() if not name.startswith(("part", "tests/"))}
    assert {"check.py", "handin.py", "setup_env.py", "kit/watch.py"} <= ours.keys()
    found = [
        f"{name}:{node.lineno}: {ast.unparse(node)}"
        for name, tree in ours.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("read_text", "write_text")
        and not any(word.arg == "encoding" for word in node.keywords)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("system", "name", "python"),
    [
        ("Linux", "posix", "bin/python"),
        ("Darwin", "posix", "bin/python"),
        ("Windows", "nt", "Scripts/python.exe"),
    ],
)
def test_the_environment_on_each_system(
    system: str, name: str, python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    environment = kit_module("environment", monkeypatch)
    assert environment.python_in(tmp_path, name) == tmp_path / python
    setup = kit_setup(monkeypatch)
    commands: list[list[str]] = []

    def run(command: list[str], **options: object) -> types.SimpleNamespace:
        commands.append([str(word) for word in command])
        (tmp_path / ".venv").mkdir(exist_ok=True)
        return types.SimpleNamespace(returncode=0)

    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(setup, "FOLDER", tmp_path / ".venv")
    monkeypatch.setattr(setup, "READY", tmp_path / ".venv" / ".ready")
    monkeypatch.setattr(setup, "REQUIREMENTS", tmp_path / "requirements.txt")
    (tmp_path / "requirements.txt").write_text("torch==2.15.0\nnvidia-cublas==1 ; sys_platform == 'linux'\n")
    monkeypatch.setattr(setup.subprocess, "run", run)
    monkeypatch.setattr(setup, "python_in", lambda: environment.python_in(tmp_path / ".venv", name))

    monkeypatch.setattr(sys, "argv", ["setup_env.py"])
    assert setup.main() == 0
    said = capsys.readouterr().out
    assert ("3.1 GB to download and 5.9 GB" in said) == (system == "Linux")
    assert said.index("GB to download") < said.index("is ready")
    assert commands[-1][0] == str(tmp_path / ".venv" / python)
    assert "--torch-backend" not in commands[-1]
    assert "nvidia-cublas" in (tmp_path / ".venv" / "requirements.txt").read_text()

    count = len(commands)
    assert setup.main() == 0  # there already
    assert len(commands) == count

    monkeypatch.setattr(sys, "argv", ["setup_env.py", "--cpu"])
    assert setup.main() == 0
    if system == "Linux":  # elsewhere PyPI's build is the CPU's, and it is there
        assert commands[-1][-2:] == ["--torch-backend", "cpu"]
        assert "nvidia-cublas" not in (tmp_path / ".venv" / "requirements.txt").read_text()
    else:
        assert len(commands) == count


def kit_setup(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """setup_env.py of the release."""
    kit_module("environment", monkeypatch)
    monkeypatch.delitem(sys.modules, "setup_env", raising=False)
    import setup_env

    return setup_env


def test_too_little_room_is_said_before_the_download(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = kit_setup(monkeypatch)
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=2_000_000_000))
    assert setup.problem("cuda") == "5.9 GB are needed here and 2.0 GB are free: make room, or use --cpu"
    assert setup.problem("cpu") == ""


def test_an_older_python_is_told_so() -> None:
    old = next(
        (python for python in (Path.home() / ".pyenv" / "versions").glob("3.[6-9].*/bin/python")), None
    )
    if old is None:
        pytest.skip("no Python before 3.11 is installed")
    done = subprocess.run([old, bundle.KIT / "setup_env.py"], capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"setup_env: Python 3\.11 or newer is needed, and this is 3\.\d+\n", done.stderr)


@pytest.fixture
def bare(tmp_path: Path, files: dict[str, bytes]) -> Iterator[tuple[Path, dict[str, str]]]:
    """The release with the solutions in it, and variables that take away fcntl, fork and make."""
    zipfile.ZipFile(io.BytesIO(bundle.pack(files))).extractall(tmp_path)
    kit = tmp_path / bundle.NAME
    for part in ("part1", "part2"):
        shutil.copytree(SOLUTIONS / part, kit / part, dirs_exist_ok=True)
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(WITHOUT)
    kept = {name: value for name, value in os.environ.items() if name not in ("PATH", "PYTHONPATH")}
    yield (
        kit,
        kept | {"PATH": str(tmp_path), "PYTHONPATH": str(tmp_path / "without"), "COLUMNS": "100"},
    )
    for process in psutil.Process().children(recursive=True):
        if str(kit) in " ".join(process.cmdline()):
            process.kill()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_check_watch_train_go_on_and_hand_in_without_fcntl_fork_and_make(
    bare: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    kit, variables = bare

    def run(*command: str, folder: str = ".", python: str = sys.executable) -> str:
        done = subprocess.run(
            [python, *command], cwd=kit / folder, capture_output=True, text=True, env=variables
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    gone = "import os, importlib.util as u; print(hasattr(os, 'fork'), u.find_spec('make'))"
    assert run("-c", gone) == "False None\n"
    assert "In reach: 1.5 of 1.5 points" in run("check.py", "1.7.kld")
    assert "handin.zip: 6 files" in run("handin.py")

    steps = 20 * 32  # images, so many at a time
    options = ("--no-progress_bar", "--cpu", "--batch_size", "32", "--data_dir")
    first = str(write_mnist(tmp_path / "first", train=VALIDATION + steps))
    second = str(write_mnist(tmp_path / "second", train=steps))
    small = ("train_pl.py", "--num_filters", "1", *options, first)
    run(*small, "--epochs", "1", folder="part1")
    assert "1 of 2 epochs are done already" in run(*small, "--epochs", "2", folder="part1")
    other = ("train.py", *options, second)
    run(*other, "--epochs", "1", folder="part2")
    assert "1 of 2 epochs are done already" in run(*other, "--epochs", "2", folder="part2")

    utils = kit / "part1" / "utils.py"
    with subprocess.Popen(
        [sys.executable, "check.py", "1.7.bpd", "--watch"],
        cwd=kit,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stdout is not None
        until(watching.stdout, "In reach: 1 of 1 points")
        until(watching.stdout, "Waiting")
        utils.write_text(utils.read_text().replace("math.log2(math.e)", "math.log(2)"))
        until(watching.stdout, "In reach: 0 of 1 points")
        for process in [*psutil.Process(watching.pid).children(recursive=True), watching]:
            process.kill()


def until(lines: Iterator[str], words: str) -> None:
    """Read as far as a line with these words."""
    assert any(words in line for line in lines), f"{words} never came"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_environment_is_made_without_make(bare: tuple[Path, dict[str, str]]) -> None:
    kit, variables = bare
    made = subprocess.run(
        [sys.executable, "setup_env.py"], cwd=kit, capture_output=True, text=True, env=variables
    )
    assert made.returncode == 0, made.stderr
    assert "GB to download" in made.stdout
    # Any Python starts a check; it goes on in the environment.
    bare_python = [sys.executable, "-S", "check.py", "1.7.kld"]
    checked = subprocess.run(bare_python, cwd=kit, capture_output=True, text=True, env=variables)
    assert "In reach: 1.5 of 1.5 points" in checked.stdout, checked.stderr
