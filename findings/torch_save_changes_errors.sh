#!/bin/sh
# torch 2.15.0: Ctrl-C, or a full disk, while torch.save writes.
#
# One expects: KeyboardInterrupt for Ctrl-C and OSError for a full disk, at once, whatever is written to.
# What happens: into a file object, Ctrl-C during one of the archive's writes is a RuntimeError about a position
# ("unexpected pos") in half of the cases, with the interrupt only as its context; in some others the whole archive
# is written first, without that part, and the interrupt comes at the end. OSError of a file object comes through.
# Into a path it is the other way round: no Python runs while torch writes, so that Ctrl-C comes after the file is
# whole, but a full disk is a RuntimeError about a position, without errno.
# Why it matters here: "except KeyboardInterrupt" misses a student's Ctrl-C, "except OSError" a full disk, and both look
# like a broken torch. The exercise's training saves into a path, looks for the interrupt among the contexts, and says
# that the disk may be full.
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
import errno
import io
import os
import signal
import sys
from pathlib import Path

import torch

WEIGHTS = {"weight": torch.zeros(1000)}


class Interrupted(io.BytesIO):
    """Ctrl-C comes during one of its writes."""

    def __init__(self, number):
        super().__init__()
        self.number, self.writes = number, 0

    def write(self, content):
        self.writes += 1
        if self.writes == self.number:
            signal.raise_signal(signal.SIGINT)
        return super().write(content)


class Full(io.BytesIO):
    def write(self, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def error_of(target):
    try:
        torch.save(WEIGHTS, target)
    except BaseException as error:
        return error
    return None


print("torch", torch.__version__)
whole = Interrupted(0)
torch.save(WEIGHTS, whole)
hidden, late = [], []
for number in range(1, whole.writes + 1):
    file = Interrupted(number)
    error = error_of(file)
    if isinstance(error, RuntimeError) and isinstance(error.__context__, KeyboardInterrupt):
        hidden.append(number)
        words = str(error).splitlines()[0]
    elif isinstance(error, KeyboardInterrupt) and file.writes > number:
        late.append(number)
print(f"Ctrl-C in one of {whole.writes} writes: RuntimeError for {len(hidden)}, KeyboardInterrupt later for {len(late)}")
print(f"such as: {words}")
full_file = error_of(Full())
print(f"a file object on a full disk: {full_file!r}")
full_path = error_of(Path("/dev/full"))
print(f"a path on a full disk: {type(full_path).__name__}: {str(full_path).splitlines()[0]}")
seen = len(hidden) > whole.writes // 2 and late and type(full_file) is OSError and type(full_path) is RuntimeError
sys.exit(0 if seen else "the behaviour has changed")
PYTHON
