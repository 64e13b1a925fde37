"""Imports `part1` and `part2`, whose modules share names, side by side."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[2]


def load_part(folder: str) -> SimpleNamespace:
    """Imports every module of a part, e.g. `solutions/part1`, and leaves sys.modules as it was."""
    path = REPOSITORY / folder
    names = sorted(file.stem for file in path.glob("*.py"))
    shadowed = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(path))
    try:
        return SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(path))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(shadowed)


@pytest.fixture(scope="session")
def part1() -> SimpleNamespace:
    return load_part("solutions/part1")


@pytest.fixture(scope="session")
def part2() -> SimpleNamespace:
    return load_part("solutions/part2")


@pytest.fixture(scope="session")
def stub1() -> SimpleNamespace:
    return load_part("student/part1")


@pytest.fixture(scope="session")
def stub2() -> SimpleNamespace:
    return load_part("student/part2")


@pytest.fixture(autouse=True)
def _own_random_numbers():
    """One thread, and a seed that leaks into no other test."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield
    torch.set_num_threads(threads)


def bars(count: int) -> SimpleNamespace:
    """Images and labels as torchvision's MNIST holds them; a bright bar whose row tells the label."""
    images = torch.zeros(count, 28, 28, dtype=torch.uint8)
    labels = torch.arange(count) % 10
    images[torch.arange(count), 4 + 2 * labels, 4:24] = 255
    return SimpleNamespace(data=images, targets=labels)


@pytest.fixture
def full_size_data(monkeypatch, part1, part2):
    """Replaces MNIST by as many images of bars."""
    for part in (part1, part2):
        monkeypatch.setattr(
            part.mnist, "MNIST", lambda root, train, download: bars(60_000 if train else 10_000)
        )


@pytest.fixture
def little_data(monkeypatch, part1, part2):
    """Replaces MNIST by 256 images of bars, 64 of them for validation."""
    for part in (part1, part2):
        monkeypatch.setattr(part.mnist, "MNIST", lambda root, train, download: bars(256))
    monkeypatch.setattr(part1.mnist, "NUM_VALIDATION_IMAGES", 64)
