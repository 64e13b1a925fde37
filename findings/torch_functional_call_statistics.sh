#!/bin/sh
# torch 2.15.0: torch.func.functional_call of a network with batch normalization.
#
# One expects: a functional call takes other parameters and leaves the module as it is.
# What happens: of a module in training mode whose parameters were given, the running statistics are the module's own, and
# the call updates them, its count of batches included. Where the buffers are given as well, the module stays as it
# is, and the tensors that were given are changed in place. torch.func.grad of such a call raises RuntimeError, since
# the update writes into a captured tensor, whether the buffers were given or not.
# Why it matters here: to look at averaged weights on training images by a functional call shifts the statistics of the
# network that is still being trained. The suites judge what weights an optimizer has left, buffers apart.
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
from torch.func import functional_call, grad

print("torch", torch.__version__)
torch.manual_seed(0)
images = torch.randn(8, 3)


def made():
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    return network, dict(network.named_parameters()), {name: one.clone() for name, one in network.named_buffers()}


def moved(tensors, before):
    return any(not torch.equal(tensors[name], before[name]) for name in before)


network, parameters, before = made()
functional_call(network, parameters, (images,))
own = moved(dict(network.named_buffers()), before)
print(f"parameters given: the module's statistics {'have changed' if own else 'are as they were'}")

network, parameters, before = made()
given = {name: one.clone() for name, one in before.items()}
functional_call(network, {**parameters, **given}, (images,))
kept, in_place = not moved(dict(network.named_buffers()), before), moved(given, before)
print(f"buffers given, too: the module's {'are as they were' if kept else 'have changed'}, "
      f"the given ones {'have changed' if in_place else 'are as they were'}")

network, parameters, given = made()
refused = []
for extra in ({}, given):
    try:
        grad(lambda values, extra=extra: functional_call(network, {**values, **extra}, (images,)).sum())(parameters)
    except RuntimeError as error:
        refused.append(str(error).split("(aten")[0].strip())
print(f"grad of it: {refused}")
same = own and kept and in_place and len(refused) == 2
sys.exit(0 if same else "the behaviour has changed")
PYTHON
