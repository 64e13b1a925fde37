"""The gradebook in PostgreSQL: a real server, started by the test, with data in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradebook.courses import hand_in, make_course, notebook, pretend_to_grade, roster, run, scores


def tool(name: str) -> str:
    """A program of PostgreSQL's server; Debian keeps them out of the path."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        pytest.skip(f"no PostgreSQL server here ({name} is missing): apt install postgresql")
    return found


@pytest.fixture
def server(tmp_path_factory) -> Iterator[str]:
    """The URL of an empty database."""
    initdb, postgres = tool("initdb"), tool("postgres")
    folder = tmp_path_factory.mktemp("postgresql")
    user: dict = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        try:
            account = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no account postgres")
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        folder = Path(
            subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip()
        )
        os.chown(folder, account.pw_uid, account.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    setup = [
        initdb,
        "--pgdata",
        data,
        "--username",
        "course",
        "--auth",
        "trust",
        "--encoding",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run(setup, check=True, capture_output=True, cwd="/", **user)
    process = subprocess.Popen(
        [
            postgres,
            "-D",
            data,
            "-p",
            str(port),
            "-k",
            folder,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
        ],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **user,
    )
    try:
        wait = [tool("pg_isready"), "--host", "127.0.0.1", "--port", str(port)]
        for _ in range(300):
            if subprocess.run(wait, capture_output=True, check=False).returncode == 0:
                break
            assert process.poll() is None, "the server has ended"
            subprocess.run(["sleep", "0.1"], check=True)
        yield f"postgresql+psycopg2://course@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def test_the_whole_cycle_with_postgresql(server, tmp_path, monkeypatch):
    import sqlalchemy

    course = make_course(tmp_path / "course", db_url=server)
    pretend_to_grade(monkeypatch)
    roster(course, "ada", "1042")
    for student in ("ada", "1042"):
        hand_in(course, student, notebook(course))
    assert run(course, feedback=True) == 0
    assert scores(course, "1042")["q1-7-kld"].auto == 0.75
    assert not (course.root / "gradebook.db").exists()
    assert "Score: 11.25 / 64.0" in (course.feedback("ada") / "report.html").read_text()
    engine = sqlalchemy.create_engine(server)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select count(*) from submitted_assignment")).scalar() == 2
    engine.dispose()
