#!/bin/sh
# torchvision 0.29.2 with torch 2.15.0: `from torchvision.utils import make_grid`.
#
# One expects: a function that arranges images in one tensor needs torch, and little more; to import it after torch
# costs some tens of milliseconds. What compiles models is imported by those who compile.
# What happens: importing any module of torchvision imports torchvision.models and torchvision.ops; roi_align there
# asks torch._dynamo.utils whether compiling is supported, and that imports the whole compiler front end, sympy and
# triton: some 1,100 modules, and more than half as much CPU time as torch itself took.
# Why it matters here: the assignment's utils.py imports make_grid for one of its four functions. A third of the time in
# which a student's first test of any of them answers is spent there, and each process that only wants a picture grid
# pays for a compiler. The box imports it once and forks; `make watch` imports it ahead of the next save.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
if command -v uv > /dev/null; then
    uv pip install --quiet --python "$folder/venv/bin/python" torch==2.15.0 torchvision==0.29.2
else
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.15.0 torchvision==0.29.2
fi
cat > "$folder/look.py" <<'PYTHON'
import sys
import time

import torch

with_torch, seconds_of_torch = set(sys.modules), time.process_time()
from torchvision.utils import make_grid

seconds = time.process_time() - seconds_of_torch
new = set(sys.modules) - with_torch
grid = make_grid(torch.zeros(4, 1, 28, 28))
import torchvision

print("torch", torch.__version__, "torchvision", torchvision.__version__)
print(f"make_grid works: {list(grid.shape)}")
print(f"import torch: {len(with_torch)} modules, {seconds_of_torch:.1f} s of CPU time since Python started")
print(f"import torchvision.utils after it: {len(new)} modules, {seconds:.1f} s")
for package in ("torch._dynamo", "sympy", "triton", "torch.distributed"):
    count = sum(name == package or name.startswith(f"{package}.") for name in new)
    print(f"    {count} of {package}")
compiler = "torch._dynamo.symbolic_convert" in new and "sympy" in new
print("the compiler's front end was imported" if compiler else "the compiler was not imported")
sys.exit(0 if compiler and seconds > seconds_of_torch / 3 else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/look.py" > /dev/null 2>&1 || true # compiles what will be measured
"$folder/venv/bin/python" -W ignore "$folder/look.py"
