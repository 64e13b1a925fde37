#!/bin/sh
# torch 2.15.0 with tensorboard 2.21.0 and torchvision 0.29.2: images of whole numbers.
#
# One expects: SummaryWriter.add_image takes whole numbers from 0 to 255 as they are, whatever their type, as it does for
# uint8; values of another range are refused, or stretched.
# What happens: all types but uint8, int64 too, are taken to lie between 0 and 1. They are multiplied by 255 and cut:
# every pixel that is not 0 becomes white, without a word. For the 16 grey levels of a 4-bit image, which a categorical
# decoder samples as int64, that is a plausible picture of sharp black and white digits. torchvision's make_grid keeps
# the type, and its save_image raises RuntimeError for int64: it adds 0.5 in place.
# Why it matters here: samples of a model look sharper than they are, and the grey levels that the question asks for are
# gone. The exercise's code divides by 15 first, and the grader's pictures are drawn from its own scale.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
packages="torch==2.15.0 torchvision==0.29.2 tensorboard==2.21.0 pillow==13.0.0"
if command -v uv > /dev/null; then
    uv pip install --quiet --python "$folder/venv/bin/python" $packages
else
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check $packages
fi
cd "$folder"
"$folder/venv/bin/python" -W ignore - 2> log <<'PYTHON' || { cat log; exit 1; }
import io
import sys
from importlib.metadata import version

import numpy as np
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter
from torchvision.utils import make_grid, save_image

for package in ("torch", "torchvision", "tensorboard"):
    print(package, version(package))
levels = torch.tensor([0, 5, 10, 15])
CASES = {
    "uint8, 0 to 255": (levels * 17).to(torch.uint8),
    "int64, 0 to 255": levels * 17,
    "int64, 0 to 15": levels,
    "float32, 0 to 15": levels.float(),
    "float32, 0 to 1": levels / 15,
}
with SummaryWriter("logs") as writer:
    for name, row in CASES.items():
        writer.add_image(name, row.view(1, 1, 4))
events = EventAccumulator("logs", size_guidance={"images": 0}).Reload()
seen = {}
for tag in events.Tags()["images"]:
    (image,) = events.Images(tag)
    seen[tag] = np.array(Image.open(io.BytesIO(image.encoded_image_string)))[0, :, 0].tolist()
for tag, row in seen.items():
    print(f"{tag:20} read back as {row}")
grid = make_grid(levels.view(1, 1, 1, 4))
try:
    save_image(levels.view(1, 1, 1, 4), "image.png")
    saved = "saves it"
except RuntimeError as error:
    saved = f"RuntimeError: {error}"
print(f"make_grid: {grid.dtype}; save_image: {saved}")
as_they_are, white = [0, 85, 170, 255], [0, 255, 255, 255]
rows = list(seen.values())
same = rows == [as_they_are, white, white, white, as_they_are] and grid.dtype == torch.int64 and saved[0] == "R"
sys.exit(0 if same else "the behaviour has changed")
PYTHON
