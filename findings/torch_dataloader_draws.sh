#!/bin/sh
# torch 2.15.0: iterating over a DataLoader that does not shuffle.
#
# One expects: a loader that keeps the order has nothing to draw. To look at the validation images between two epochs
# leaves the random numbers of the training as they were.
# What happens: every iterator draws one number from torch's global generator, a seed for workers, also where there are
# none. All that is drawn afterwards is other numbers. With a generator of its own (the argument is documented for
# shuffling) the loader leaves the global one alone.
# Why it matters here: whether, and how often, somebody validates or draws a figure decides the noise of all later epochs;
# a resumed training differs from one that ran through, and a curve cannot be repeated from its seed. The exercise's
# loader has a generator of its own, and every epoch begins with a seed.
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
from torch.utils.data import DataLoader, TensorDataset

images = TensorDataset(torch.zeros(8, 2))


def noise_after(loader=None, passes=1):
    torch.manual_seed(0)
    for _ in range(passes if loader is not None else 0):
        assert len(list(loader)) == 2
    return torch.randn(20)


print("torch", torch.__version__)
alone = noise_after()
LOADERS = {
    "in order": DataLoader(images, 4),
    "shuffled": DataLoader(images, 4, shuffle=True),
    "in order, with a generator": DataLoader(images, 4, generator=torch.Generator()),
    "shuffled, with a generator": DataLoader(images, 4, shuffle=True, generator=torch.Generator()),
}
same = {name: torch.equal(noise_after(loader), alone) for name, loader in LOADERS.items()}
for name, kept in same.items():
    print(f"after one pass, {name:28} the noise is {'the same' if kept else 'other numbers'}")
again = torch.equal(noise_after(LOADERS["in order"], 1), noise_after(LOADERS["in order"], 2))
print(f"one pass and two passes in order leave {'the same' if again else 'different'} noise")
sys.exit(0 if list(same.values()) == [False, False, True, True] and not again else "the behaviour has changed")
PYTHON
