#!/bin/sh
# torch 2.15.0 on a CPU: torch.randn of different sizes with the same seed.
#
# One expects: a seed gives one stream of normal numbers, as torch.rand gives one of uniform numbers: fewer numbers are
# the beginning of more, and neither the layout nor the precision of the tensor matters but for rounding.
# What happens: fewer than 16 numbers come from another algorithm and have none in common with a longer draw. From 16 on
# numbers are made in blocks of 16, and where the size is no multiple of 16 the last 16 are drawn again, so that up to 15
# of the others differ from a longer draw, too. randn_like of a transposed tensor keeps its layout and is then filled one
# by one: all numbers are others. float64 is another stream; float16 is the one of float32, rounded.
# Why it matters here: "the same seed, the same noise" holds for one size and layout only. A reference value of
# mean + std * eps that was computed with another batch, fewer latent dimensions or a contiguous std is a wrong one, and
# right code would fail. The suites record or replace the noise, or judge its distribution, and compare no seeded draws.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
if command -v uv > /dev/null; then
    uv pip install --quiet --python "$folder/venv/bin/python" torch==2.15.0 numpy==2.4.6
else
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.15.0 numpy==2.4.6
fi
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import torch


def drawn(draw, *shape, **how):
    torch.manual_seed(0)
    return draw(*shape, **how)


def begins_alike(one, other):
    """How many of the first numbers are the same."""
    size = min(one.numel(), other.numel())
    same = one.flatten()[:size] == other.flatten()[:size]
    return size if same.all() else int((~same).nonzero()[0])


print("torch", torch.__version__)
long = drawn(torch.randn, 64)
found = {size: begins_alike(drawn(torch.randn, size), long) for size in (8, 15, 16, 20, 31, 32, 40, 48)}
for size, same in found.items():
    print(f"randn({size}): the first {same} of {size} are those of randn(64)")
uniform = begins_alike(drawn(torch.rand, 8), drawn(torch.rand, 64))
print(f"rand(8): the first {uniform} of 8 are those of rand(64)")
std = torch.ones(8, 20)
transposed = int((drawn(torch.randn_like, std) == drawn(torch.randn_like, std.t()).t()).sum())
flat = int((drawn(torch.randn_like, std).flatten() == drawn(torch.randn_like, std.t()).flatten()).sum())
print(f"randn_like of 8 x 20 and of its transpose, 160 numbers: {transposed} and, in order, {flat} in common")
double, half = drawn(torch.randn, 64, dtype=torch.float64), drawn(torch.randn, 64, dtype=torch.float16)
apart = {name: float((one.double() - long.double()).abs().max()) for name, one in (("float64", double), ("float16", half))}
print(f"largest difference from float32: {apart}")
expected = {8: 0, 15: 0, 16: 16, 20: 4, 31: 15, 32: 32, 40: 24, 48: 48}
same = found == expected and uniform == 8 and transposed == flat == 0 and apart["float64"] > 1 > 0.01 > apart["float16"]
sys.exit(0 if same else "the behaviour has changed")
PYTHON
