#!/bin/sh
# torch 2.15.0 on a CPU: optimizers with fused=True, and a gradient in another memory format than its weight.
#
# One expects: fused is an implementation. The same weights and gradients give the same step, whatever their strides.
# What happens: the fused kernels of Adam, AdamW and SGD go through the memory of weight and gradient side by side. Where
# a weight is in channels_last and its gradient contiguous, every element follows the gradient of another one: half of
# them go up instead of down. No error, no warning; the plain loop and foreach are right. `backward` and autograd.grad
# give gradients in the weight's own format, so it takes a gradient that was set by hand: `weight.grad = ...`.
# Why it matters here: the grader gives optimizers gradients of its own, to see which weights they move. Right code whose
# weights are in channels_last lost points. Gradients are now laid out as their weights are.
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

print("torch", torch.__version__)
torch.manual_seed(0)
start, gradient = torch.randn(16, 8, 3, 3), torch.randn(16, 8, 3, 3)
HOW = {"loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


def share_down(kind, how, layout):
    """The share of the elements that move down their gradient in one step."""
    weight = torch.nn.Parameter(start.clone().contiguous(memory_format=torch.channels_last))
    weight.grad = gradient.clone().contiguous(memory_format=layout)
    kind([weight], lr=0.1, **how).step()
    return float(((start - weight.detach()) * gradient > 0).double().mean())


same = True
for kind in (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD):
    for name, how in HOW.items():
        alike, other = (share_down(kind, how, layout) for layout in (torch.channels_last, torch.contiguous_format))
        print(f"{kind.__name__:6} {name:8} same format: {alike:.0%} go down, another format: {other:.0%}")
        # AdamW's decay of the weights turns a few small ones.
        same &= alike > 0.95 and ((0.4 < other < 0.6) if name == "fused" else other > 0.95)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
