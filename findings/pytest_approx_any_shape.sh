#!/bin/sh
# pytest 9.2.0 with numpy 2.4.6: pytest.approx of one number, and an array on the other side.
#
# One expects: value == pytest.approx(0.5) is false, or an error, unless value is one number near 0.5. Two arrays are
# compared shape by shape, so an array and a number should be no equals, either.
# What happens: an array equals the number where all of its elements do, whatever its shape. An array without elements
# equals every number: all() of nothing is true. It works from both sides, and through everything that numpy can read,
# tensors of PyTorch too. Lists are not meant: [] and [0.5] equal no number, and two arrays must have one shape.
# Why it matters here: "the loss is 0.25" passes for a loss per image, for one per pixel, and for the empty slice of
# a batch. This kit asks for the number of elements first, and compares what float() or item() gives.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pytest==9.2.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from pytest import approx

print("pytest", version("pytest"), "numpy", np.__version__)


class Tensor:
    """What numpy can read, as a tensor is."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values


half, none, many = np.array(0.5), np.array([]), np.full((128, 28, 28), 0.5)
CASES = {
    "array(0.5) == approx(0.5)": (half == approx(0.5), True),
    "array(0.5) == approx(0.7)": (half == approx(0.7), False),
    "128 x 28 x 28 halves == approx(0.5)": (many == approx(0.5), True),
    "0.5 == approx(128 x 28 x 28 halves)": (approx(many) == 0.5, True),
    "array([]) == approx(0.5)": (none == approx(0.5), True),
    "array([]) == approx(7)": (none == approx(7), True),
    "3 == approx(array([]))": (approx(none) == 3, True),
    "an empty tensor == approx(0.5)": (Tensor([]) == approx(0.5), True),
    "[] == approx(0.5)": ([] == approx(0.5), False),
    "array of 3 == approx(array of 1)": (np.full(3, 0.5) == approx(np.full(1, 0.5)), False),
}
for name, (seen, _) in CASES.items():
    print(f"{name:38} {seen}")
sys.exit(0 if all(seen is expected for seen, expected in CASES.values()) else "the behaviour has changed")
PYTHON
