#!/bin/sh
# nbgrader 0.9.6: formgrader after a save that the database refused.
#
# One expects: a save that fails, because another program writes to gradebook.db at that moment, is an error of that one
# request; the next one works.
# What happens: all requests share one SQLAlchemy session, which nothing rolls back. After the failed save each request
# that needs the gradebook ends with status 500 (PendingRollbackError), also long after the other program has gone, until
# the server is restarted. The page shows a spinner, and says nothing.
# Why it matters here: whoever marks loses that mark, and everybody on that server is stopped. The kit ends each
# request's session, and tells on the page what was not saved.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nbgrader==0.9.6 sqlalchemy==2.1.9
mkdir "$folder/course"
cd "$folder/course"
echo 'c.CourseDirectory.course_id = "course"' > nbgrader_config.py
HOME=$folder PYTHONWARNINGS=ignore PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" - <<'PYTHON'
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version

from nbgrader.api import Gradebook

print("nbgrader", version("nbgrader"), "sqlalchemy", version("sqlalchemy"))
with Gradebook("sqlite:///gradebook.db", "course") as gradebook:
    gradebook.add_assignment("a")
    gradebook.add_notebook("report", "a")
    gradebook.add_grade_cell("q1", "report", "a", max_score=2, cell_type="markdown")
    gradebook.add_student("ada")
    gradebook.add_submission("a", "ada")
    GRADE = "/formgrader/api/grade/" + gradebook.find_grade("q1", "report", "a", "ada").id
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
command = [sys.executable, "-m", "jupyter", "server", "--no-browser", f"--port={port}", "--ServerApp.token=t"]
server = subprocess.Popen([*command, "--allow-root"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def status(place, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{place}",
        data,
        {"Authorization": "token t"},
        method="GET" if body is None else "PUT",
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


try:
    for _ in range(120):
        try:
            if status("/api/status") == 200:
                break
        except OSError:
            time.sleep(0.5)
    found = [status(GRADE, {"manual_score": 1}), status(GRADE)]
    print("before:                 a save", found[0], " reading it", found[1])
    other = sqlite3.connect("gradebook.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    found.append(status(GRADE, {"manual_score": 2}))
    print("while another writes:   a save", found[2])
    other.execute("ROLLBACK")
    other.close()
    found += [status(GRADE, {"manual_score": 2}), status(GRADE)]
    print("after it has gone:      a save", found[3], " reading it", found[4])
finally:
    server.terminate()
    server.wait()
sys.exit("the behaviour has changed" if found != [200, 200, 500, 500, 500] else 0)
PYTHON
