"""A JupyterHub on a machine of its own, on the loopback alone, set up as docs/hub.md says."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.machines.machine import PYTHON, Machine

HUB = Path("/srv/hub")
FOR_STUDENTS = Path("/srv/students")
PASSWORD = secrets.token_hex(8)
TOKEN = secrets.token_hex(16)
STAFF_OF_PML = ("ana",)

_CONFIG = '''
import grp
import os

c = get_config()  # noqa: F821
STUDENTS = "/srv/students"  # turns formgrader off

c.JupyterHub.bind_url = "http://127.0.0.1:{port}/jupyter/"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:////srv/hub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/srv/hub/cookie_secret"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.pid_file = "/srv/hub/proxy.pid"
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = {password!r}
c.Authenticator.allowed_users = {accounts!r}

ENVIRONMENT = {environment!r}
SERVER = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.cmd = SERVER
c.Spawner.start_timeout = c.Spawner.http_timeout = 300


def before(spawner):
    """Give formgrader to staff alone."""
    spawner.environment = dict(ENVIRONMENT)
    if spawner.user.name not in grp.getgrnam("kit").gr_mem:
        spawner.environment["JUPYTER_CONFIG_PATH"] = STUDENTS + ":" + ENVIRONMENT["JUPYTER_CONFIG_PATH"]


c.Spawner.pre_spawn_hook = before

# The formgrader of the course that has an account of its own.
c.JupyterHub.services = [
    dict(
        name="pml",
        url="http://127.0.0.1:{service_port}",
        command=[*SERVER, "--ServerApp.root_dir=/home/course-pml"],
        user="course-pml",
        cwd="/home/course-pml",
        environment=ENVIRONMENT,
        oauth_no_confirm=True,
        timeout=300,
    ),
    dict(name="script", api_token={token!r}),
]
c.JupyterHub.load_groups = {{"pml": dict(users={staff!r})}}
c.JupyterHub.load_roles = [
    dict(name="formgrader-pml", scopes=["access:services!service=pml"], groups=["pml"]),
    dict(
        name="script",
        scopes=["admin:users", "admin:servers", "access:servers", "tokens"],
        services=["script"],
    ),
]
'''
_NO_FORMGRADER = {
    "ServerApp": {
        "jpserver_extensions": {
            "nbgrader.server_extensions.formgrader": False,
            "nbgrader.server_extensions.course_list": False,
        }
    }
}


def install(folder: Path) -> None:
    """Install JupyterHub, over the kit's environment, and its proxy into a folder; what is there stays."""
    environment = folder / "environment"
    if not (environment / "installed").exists():
        shutil.rmtree(environment, ignore_errors=True)
        uv = PYTHON.parent / "uv"
        subprocess.run([uv, "venv", "-q", "--python", PYTHON, environment], check=True)
        site = next(environment.glob("lib/python3*/site-packages"))
        kits = Path(sys.prefix) / site.relative_to(environment)
        (site / "kit.pth").write_text(f"{os.path.realpath(kits)}\n")
        python = environment / "bin" / "python"
        subprocess.run([uv, "pip", "install", "-q", "--python", python, "jupyterhub>=6,<7"], check=True)
        (environment / "installed").touch()
    if not (folder / "node_modules").exists():
        line = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", folder]
        subprocess.run([*line, "configurable-http-proxy@5"], check=True)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Hub:
    """A running hub; a context manager.

    Args:
        machine: on which it runs.
        tools: where `install` has put it.
        accounts: who may log in.
    """

    def __init__(self, machine: Machine, tools: Path, accounts: set[str]) -> None:
        self.machine, self._tools = machine, tools
        self._python = tools / "environment" / "bin" / "python"
        port, hub_port, proxy_port, service_port = free_ports(4)
        self.address = f"http://127.0.0.1:{port}/jupyter"
        kit = Path(os.path.realpath(sys.prefix))
        environment = {
            "JUPYTER_CONFIG_PATH": str(kit / "etc" / "jupyter"),
            "JUPYTER_PATH": str(kit / "share" / "jupyter"),
            "PATH": f"{kit / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        text = _CONFIG.format(
            port=port,
            hub_port=hub_port,
            proxy_port=proxy_port,
            service_port=service_port,
            proxy=str(tools / "node_modules" / ".bin" / "configurable-http-proxy"),
            password=PASSWORD,
            accounts=accounts,
            environment=environment,
            python=str(self._python),
            token=TOKEN,
            staff=list(STAFF_OF_PML),
        )
        folder = machine.path(HUB)
        folder.mkdir(mode=0o700)  # it holds keys, and a database that is readable by everyone
        (folder / "jupyterhub_config.py").write_text(text)
        students = machine.path(FOR_STUDENTS / "jupyter_server_config.d")
        students.mkdir(parents=True)
        (students / "nbgrader.json").write_text(json.dumps(_NO_FORMGRADER))

    def __enter__(self) -> Hub:
        line = self.machine.command("env", "-C", HUB, "HOME=/srv/hub", "PATH=/usr/local/bin:/usr/bin:/bin")
        log = self.machine.path(HUB / "log").open("wb")
        self._process = subprocess.Popen([*line, self._python, "-m", "jupyterhub"], stdout=log, stderr=log)
        self.wait("", "the hub")
        self.wait("/services/pml/api", "the formgrader of pml")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(self.log()[-6000:])
        self._process.terminate()
        self._process.wait(60)

    def log(self) -> str:
        """All that the hub and its servers have said."""
        return self.machine.path(HUB / "log").read_text(errors="replace")

    def wait(self, path: str, what: str) -> None:
        """Wait until somebody answers there."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the hub has ended: {self.log()[-3000:]}")
            status, _ = self.ask(path or "/hub/api/")
            if status not in (0, 502, 503, 404, 599):
                return
            time.sleep(0.5)
        raise RuntimeError(f"{what} does not answer: {self.log()[-3000:]}")

    def ask(self, path: str, data: Any = None, token: str = TOKEN, method: str = "") -> tuple[int, Any]:
        """Ask the hub or a server; returns the status, 0 where nobody answers, and what came."""
        request = urllib.request.Request(
            f"{self.address}{path}",
            data=None if data is None else json.dumps(data).encode(),
            headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
            method=method or ("GET" if data is None else "POST"),
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, text = answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode("utf-8", "replace")
        except OSError as error:
            return 0, str(error)
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def token_of(self, account: str) -> str:
        """A token with an account's own rights."""
        status, answer = self.ask(f"/hub/api/users/{account}/tokens", {"note": "script"})
        if status != 201:
            raise RuntimeError(f"no token for {account}: {status} {answer}")
        return answer["token"]

    def start_servers(self, *accounts: str) -> None:
        """Start accounts' own servers, all at once, and wait for them."""
        for account in accounts:
            status, answer = self.ask(f"/hub/api/users/{account}/server", {})
            if status not in (201, 202):
                raise RuntimeError(f"no server for {account}: {status} {answer}")
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if all(self.ask(f"/hub/api/users/{account}")[1].get("server") for account in accounts):
                return
            time.sleep(0.5)
        raise RuntimeError(f"the servers of {accounts} do not start: {self.log()[-3000:]}")

    def stop_server(self, account: str) -> None:
        """Stop an account's own server."""
        self.ask(f"/hub/api/users/{account}/server", method="DELETE")
