#!/bin/sh
# parso 0.8.7, the parser behind jedi and IPython's completion, ships grammars for Python 3.12 to 3.14.
#
# One expects: load_grammar(version="3.12") accepts what Python 3.12 accepts, so that a file which 3.11 refuses and
# the newer grammar takes is in newer syntax, and any other holds a mistake.
# What happens: type parameters (PEP 695) and their defaults (PEP 696) are known; the f-strings of PEP 701, the
# statement `type X = int`, `except A, B:` (PEP 758) and t-strings (PEP 750) are errors in every grammar. The same
# file that Python 3.12 runs is "a syntax error" in parso's grammar of 3.12.
# Why it matters here: a hand-in written for a newer Python must wait for a person and not be marked as a mistake.
# ruff 0.17.6, asked with --target-version, tells the two apart for all of these.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check parso==0.8.7 ruff==0.17.6
"$folder/venv/bin/python" - <<'PYTHON'
import json
import subprocess
import sys

import parso
from ruff import find_ruff_bin

# Source -> the release that reads it first, and whether parso's grammar of that release does.
CASES = {
    "def first[T](values: list[T]) -> T: ...\n": ("3.12", True),
    "class Box[T = int]: ...\n": ("3.13", True),
    'name = f"{"outer" + "inner"}"\n': ("3.12", False),
    'lines = f"{"\\n".join(rows)}"\n': ("3.12", False),
    "type Pair = tuple[int, int]\n": ("3.12", False),
    "try: ...\nexcept ValueError, TypeError: ...\n": ("3.14", False),
    'greeting = t"hello {name}"\n': ("3.14", False),
}


def parso_reads(source, version):
    grammar = parso.load_grammar(version=version)
    return not list(grammar.iter_errors(grammar.parse(source)))


def ruff_reads(source, version):
    target = "py" + version.replace(".", "")
    command = [find_ruff_bin(), "check", "--isolated", "--no-cache", "--select", "F401", "--output-format", "json"]
    done = subprocess.run([*command, "--target-version", target, "-"], input=source, capture_output=True, text=True)
    return not any(one["code"] == "invalid-syntax" for one in json.loads(done.stdout))


print("parso", parso.__version__)
changed = False
for source, (version, expected) in CASES.items():
    seen, ruff, before = parso_reads(source, version), ruff_reads(source, version), ruff_reads(source, "3.11")
    print(f"{source.splitlines()[-1]!r:46} Python {version}: parso {seen!s:5}  ruff {ruff!s:5}  (ruff for 3.11: {before})")
    changed |= seen != expected or not ruff or before
sys.exit("the behaviour has changed" if changed else 0)
PYTHON
