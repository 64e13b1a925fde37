#!/bin/sh
# JupyterLab 4.6.6: a cell of text with a pasted picture, split behind the picture (Ctrl+Shift+Minus). Needs chromium.
#
# One expects: each half keeps what it shows; at worst one of the two keeps all attachments, and nothing is lost.
# What happens: the first half gets the text that shows the picture, and no attachment. They go to the second half, and
# are saved with it only if it shows them, too. Split behind the picture, the saved file holds ![](attachment:...)
# and the picture nowhere. Split before it, nothing is lost. Nothing is said.
# Why it matters here: a student who splits an answer to add a formula hands in an answer without its figure. handin.py
# names pictures that are no longer in the notebook; a grader's page says so in the picture's place.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chromium=$(command -v chromium || command -v chromium-browser) || { echo "chromium is missing"; exit 2; }
python3 -m venv "$folder/venv"
if command -v uv > /dev/null; then
    uv pip install --quiet --python "$folder/venv/bin/python" jupyterlab==4.6.6 playwright==1.65.2
else
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check jupyterlab==4.6.6 playwright==1.65.2
fi
cd "$folder"
export HOME="$folder" CHROMIUM="$chromium"
"$folder/venv/bin/python" - <<'PYTHON'
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version

from playwright.sync_api import sync_playwright

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SHOWN = "![it](attachment:it.png)"
# Where the cell is split, in characters from its end; None: it is not, and a letter is typed at its end.
CASES = {"typed": None, "before": len(" after" + SHOWN), "behind": len(" after")}


def write(name):
    cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": f"before {SHOWN} after"}
    cell["attachments"] = {"it.png": {"image/png": PICTURE}}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}  # else it asks for one
    table = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    with open(f"{name}.ipynb", "w") as file:
        json.dump(table, file)


def cells(name):
    with open(f"{name}.ipynb") as file:
        return [
            ("".join(cell["source"]), sorted(cell.get("attachments", {})))
            for cell in json.load(file)["cells"]
            if cell["cell_type"] == "markdown"
        ]


def edit(page, place):
    cell = page.locator(".jp-MarkdownCell").first
    cell.wait_for(timeout=60_000)
    time.sleep(3)
    cell.click()
    page.keyboard.press("Enter")
    page.locator(".jp-MarkdownCell .cm-content").first.wait_for(timeout=30_000)
    page.keyboard.press("Control+End")
    if place is None:
        page.keyboard.type("!")
    else:
        for _ in range(place):
            page.keyboard.press("ArrowLeft")
        page.keyboard.press("Control+Shift+Minus")
    time.sleep(1)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+s")


with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
with open("log", "w") as log:
    server = subprocess.Popen([*command, "--IdentityProvider.token=t"], stdout=log, stderr=log)
address = f"http://127.0.0.1:{port}"
print("jupyterlab", version("jupyterlab"))
found = {}
try:
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{address}/api?token=t")
            break
        except urllib.error.URLError:
            time.sleep(0.5)
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
        for name, place in CASES.items():
            write(name)
            written = os.stat(f"{name}.ipynb").st_mtime_ns
            page = browser.new_page()
            page.goto(f"{address}/lab/tree/{name}.ipynb?reset&token=t")
            edit(page, place)
            for _ in range(60):
                if os.stat(f"{name}.ipynb").st_mtime_ns != written:
                    break
                time.sleep(0.5)
            time.sleep(2)  # until it is written to its end
            page.close()
            found[name] = cells(name)
            for text, kept in found[name]:
                print(f"{name:7} {text!r:50} attachments: {kept}")
        browser.close()
finally:
    server.terminate()
    server.wait()
expected = {
    "typed": [(f"before {SHOWN} after!", ["it.png"])],
    "before": [("before ", []), (f"{SHOWN} after", ["it.png"])],
    "behind": [(f"before {SHOWN}", []), (" after", [])],
}
sys.exit(0 if found == expected else "the behaviour has changed")
PYTHON
