"""MNIST's files are read as torchvision reads them, and what is none of them is as good as missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch

from grader.evidence import images
from tests.test_grading import mnist_root

ROOT = mnist_root()
needs_mnist = pytest.mark.skipif(ROOT is None, reason="MNIST_ROOT says where MNIST is")


def write(path: Path, count: int, kind: bytes = b"\0\0\x08\x03", side: int = 28) -> None:
    shape = b"".join(number.to_bytes(4, "big") for number in (count, side, side))
    path.write_bytes(kind + shape + bytes(range(256)) * (count * side * side // 256 + 1))
    os.truncate(path, 16 + count * side * side)


def test_images_are_read(tmp_path):
    write(tmp_path / "images", 3)
    read = images._read(tmp_path / "images")
    assert (read.shape, read.dtype) == ((3, 28, 28), torch.uint8)
    assert read.flatten()[:300].tolist() == [*range(256), *range(44)]


@pytest.mark.parametrize("wrong", ["labels", "another size", "cut", "empty", "longer"])
def test_what_is_no_file_of_images_is_refused(tmp_path, wrong):
    path = tmp_path / "images"
    write(
        path,
        3,
        kind=b"\0\0\x08\x01" if wrong == "labels" else b"\0\0\x08\x03",
        side=32 if "size" in wrong else 28,
    )
    with path.open("ab") as file:
        if wrong in ("cut", "empty"):
            file.truncate(0 if wrong == "empty" else 1000)
        elif wrong == "longer":
            file.write(b"\0")
    with pytest.raises(ValueError, match=r"holds no images|reshape|unpack"):
        images._read(path)


@needs_mnist
def test_it_is_what_torchvision_reads():
    from torchvision.datasets import MNIST

    for name, training in (("train", True), ("t10k", False)):
        read = images._read(ROOT / f"MNIST/raw/{name}-images-idx3-ubyte")
        assert torch.equal(read, MNIST(str(ROOT), train=training, download=False).data)


@needs_mnist
def test_a_download_that_was_cut_is_no_mnist(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "MNIST", tmp_path / "MNIST")
    os.truncate(tmp_path / "MNIST/raw/train-images-idx3-ubyte", 10_000_000)
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    images.image_sets.cache_clear()
    try:
        assert images.image_sets() is None
    finally:
        images.image_sets.cache_clear()
