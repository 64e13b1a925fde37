#!/bin/sh
# pytest 9.2.0 with torch 2.15.0 and pytorch-lightning 2.6.6 imported: the end of a run.
#
# One expects: a run of one small test costs what the test costs; after the last test pytest has nothing left to do.
# What happens: the plugin for unraisable exceptions, which is on by default, collects garbage twice when a run ends,
# so that no warning of an object's finalizer is missed. A full collection visits every object that the imports have
# made, some 360,000 with PyTorch and Lightning: together they cost seven times the CPU time of collecting,
# running and reporting a test of a function. `-p no:unraisableexception` leaves them out; so does gc.freeze() before,
# which takes what the imports made out of the collector's sight.
# Why it matters here: students check one function on every save, in a process that has imported the libraries ahead of
# time. Two thirds of their waiting was this.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
packages="torch==2.15.0 pytorch-lightning==2.6.6 pytest==9.2.0"
if command -v uv > /dev/null; then
    uv pip install --quiet --python "$folder/venv/bin/python" $packages
else
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check $packages
fi
cd "$folder"
cat > test_sum.py <<'PYTHON'
import torch


def test_sum():
    assert torch.ones(3).sum() == 3
PYTHON
cat > look.py <<'PYTHON'
import gc
import sys
import time

import pytest
import pytorch_lightning
import torch

torch.ones(3).sum()
if "freeze" in sys.argv:
    gc.collect()
    gc.freeze()
full, began = [], []


def note(phase, info):
    if info["generation"] == 2:
        began.append(time.process_time()) if phase == "start" else full.append(time.process_time() - began[-1])


gc.callbacks.append(note)
start = time.process_time()
status = pytest.main(["-p", "no:terminal", "-p", "no:cacheprovider", *(o for o in sys.argv[1:] if o != "freeze")])
seconds = time.process_time() - start
print(status.value, len(full), sum(full), seconds, len(gc.get_objects()), torch.__version__, pytest.__version__)
PYTHON
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import subprocess
import sys

found = {}
for name, options in {"as it is": [], "no:unraisableexception": ["-p", "no:unraisableexception"], "freeze": ["freeze"]}.items():
    rows = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-W", "ignore", "look.py", *options], capture_output=True, text=True)
        rows.append(done.stdout.split())
    status, count, collecting, seconds, objects, *versions = min(rows, key=lambda row: float(row[3]))
    assert status == "0", done.stdout + done.stderr
    found[name] = int(count), float(collecting), float(seconds)
    print(f"torch {versions[0]}, pytest {versions[1]}, {name}: one test in {float(seconds):.2f} s of CPU time, "
          f"{float(collecting):.2f} of it in {count} full collections; {int(objects):,} objects")
usual, without, frozen = found.values()
same = usual[0] >= 2 and usual[1] > 0.5 * usual[2] and without[2] < 0.5 * usual[2] and frozen[2] < 0.5 * usual[2]
sys.exit(0 if same else "the behaviour has changed")
PYTHON
