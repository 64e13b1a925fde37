#!/bin/sh
# JupyterHub 6.1.0, jupyter_server 2.21.1: a GET that a page's script sends with a valid login.
#
# One expects: XSRF tokens protect requests that change something. A GET with the cookies of a login is answered, whether
# a person follows a link or a script on the page asks.
# What happens: if it comes from a script (the browser adds "Sec-Fetch-Mode: cors") and carries no token, the server takes
# it for logged out. It is not refused but redirected to the hub's login, which sends it back, logged in, to be taken for
# logged out again, until the client gives up. Each pass sets another _xsrf cookie: what the page sends in the meantime
# with PUT, and the token that it has read, is refused with 403. With the token in a header, the GET is answered.
# Why it matters here: one forgotten header on a harmless GET of an extension made formgrader lose a mark now and then,
# on a hub only.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jupyterhub==6.1.0 jupyter_server==2.21.1 requests==2.32.5
npm install --silent --no-fund --no-audit --prefix "$folder" configurable-http-proxy@5
cd "$folder"
export HOME="$folder" PATH="$folder/venv/bin:$folder/node_modules/.bin:$PATH"
"$folder/venv/bin/python" - <<'PYTHON'
import os
import re
import socket
import subprocess
import sys
import time
from importlib.metadata import version

import requests

print("jupyterhub", version("jupyterhub"), "jupyter_server", version("jupyter_server"))
probes = [socket.socket() for _ in range(3)]
for probe in probes:
    probe.bind(("127.0.0.1", 0))
port, hub_port, proxy_port = (probe.getsockname()[1] for probe in probes)
for probe in probes:
    probe.close()
with open("note.txt", "w") as file:
    file.write("a note")
with open("jupyterhub_config.py", "w") as file:
    file.write(f"""
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.Spawner.cmd = [{sys.executable!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root", "--ServerApp.root_dir={os.getcwd()}"]
c.Spawner.environment = {{"JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp"}}
""")
hub = subprocess.Popen([sys.executable, "-m", "jupyterhub"], stdout=open("log", "w"), stderr=subprocess.STDOUT)
address = f"http://127.0.0.1:{port}"
NAVIGATE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
SCRIPT = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
PLACE = f"{address}/user/ada/files/note.txt"


def token(browser):
    found = [c.value for c in browser.cookies if c.name == "_xsrf" and c.path.startswith("/user/ada")]
    return found[-1] if found else ""


try:
    browser = requests.Session()
    field = None
    while field is None:  # until the hub answers behind its proxy
        try:
            page = browser.get(f"{address}/hub/login", headers=NAVIGATE)
            field = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        except requests.ConnectionError:
            pass
        time.sleep(0.5)
    form = {"username": "ada", "password": "x", "_xsrf": field[1]}
    browser.post(f"{address}/hub/login", form, headers=NAVIGATE)
    for _ in range(120):
        page = browser.get(PLACE, headers=NAVIGATE)
        if page.text == "a note":
            break
        time.sleep(0.5)
    before = token(browser)
    link = browser.get(PLACE, headers=NAVIGATE, allow_redirects=False)
    named = browser.get(PLACE, headers=SCRIPT | {"X-XSRFToken": before}, allow_redirects=False)
    bare = browser.get(PLACE, headers=SCRIPT, allow_redirects=False)
    try:
        end = f"status {browser.get(PLACE, headers=SCRIPT).status_code}"
    except requests.TooManyRedirects as error:
        end = str(error)
    after = token(browser)
finally:
    hub.terminate()
    hub.wait()
print("by a link, without a token:", link.status_code)
print("by a script, with the token:", named.status_code)
print("by a script, without a token:", bare.status_code, bare.headers.get("Location", "")[:40])
print("followed:", end)
print("the _xsrf cookie is another one then:", before != after)
expected = (200, 200, 302, True)
sys.exit((link.status_code, named.status_code, bare.status_code, before != after) != expected)
PYTHON
