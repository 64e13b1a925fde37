#!/bin/sh
# torch 2.15.0 on a CPU: the mean cross-entropy of a batch of images in float16.
#
# One expects: the mean of many small numbers is a small number. The mean of 100,352 ones in float16 is 1, although
# their sum is beyond float16's largest number, 65504; mse_loss of such a batch is right, too.
# What happens: cross_entropy keeps the sum and the number of targets in float16 and divides them at the end. For
# images of 28 x 28 and 16 levels it is right for small batches, infinite as soon as the sum is beyond 65504, and from
# 84 images on, where the number of pixels is, too, the mean is nan; or, where the network is good and the sum
# small, exactly 0.0. With reduction="none" and a mean behind it everything is right. autocast is, too: it computes
# this loss in float32.
# Why it matters here: a loss in half precision passes a test with a few images. In a batch of 128 it says that the
# model is perfect, or nothing. Tests of a loss need a batch of the training's size as well as a small one.
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
import math
import sys

import torch
from torch.nn.functional import cross_entropy, mse_loss

print("torch", torch.__version__)
torch.manual_seed(0)
print("images  untrained (float32)  trained (float32)  mean of each  mse_loss of ones")
rows = {}
for images in (5, 25, 64, 83, 84, 128):
    levels = torch.randint(16, (images, 28, 28))
    untrained = torch.randn(images, 16, 28, 28)
    trained = torch.full_like(untrained, -4).scatter_(1, levels[:, None], 4)
    ones = torch.ones(images, 28, 28, dtype=torch.float16)
    row = []
    for logits in (untrained, trained):
        row += [cross_entropy(logits.half(), levels).item(), cross_entropy(logits, levels).item()]
    row += [cross_entropy(untrained.half(), levels, reduction="none").mean().item(), mse_loss(ones, 0 * ones).item()]
    rows[images] = row
    print("{:6}  {:9.4f}  ({:.4f})  {:7.4f}  ({:.4f})  {:12.4f}  {:16.4f}".format(images, *row))
same = True
for images, (half, single, good_half, good, each, mse) in rows.items():
    near = math.isclose(half, single, rel_tol=0.01), math.isclose(good_half, good, rel_tol=0.01)
    same &= abs(each - single) < 0.01 and mse == 1 and good > 0.005
    if images <= 25:
        same &= near == (True, True)
    elif images <= 83:
        same &= half == math.inf and near[1]
    else:
        same &= math.isnan(half) and good_half == 0
with torch.autocast("cpu", torch.float16):
    under = cross_entropy(untrained.half(), levels).item()
print(f"128 images under autocast: {under:.4f}")
sys.exit(0 if same and abs(under - single) < 0.01 else "the behaviour has changed")
PYTHON
