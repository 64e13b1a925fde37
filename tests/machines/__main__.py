"""`python -m tests.machines`: courses of several people with accounts of their own, on a JupyterHub.

Makes the accounts, the hub, two courses and the hand-ins, goes through the whole cycle with these accounts,
and leaves nothing of it. Nothing is pretended: code is marked in the sandbox, by ordinary users, and two
teaching assistants mark in browsers while runs are started.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.machines.hub import FOR_STUDENTS, HUB, Hub, install
from tests.machines.machine import KIT, PYTHON, ROOT, Machine, everything, missing, opened
from tests.machines.marking import mark_in_browser

STAFF, DGM, PML, EXCHANGE = (
    "dgm-staff",
    Path("/srv/courses/dgm"),
    Path("/home/course-pml/pml"),
    Path("/srv/exchange"),
)
TEACHERS, STUDENTS = ("ana", "tom", "uma"), ("ada", "bob", "carl", "dora", "eve", "finn")
SOLVED = ("ada", "bob")
ANSWERS = 50


class Failed(Exception):
    """Something is not as docs/hub.md says."""


def expect(holds: bool, what: str, said: object = "") -> None:
    """Say what holds; stop where it does not."""
    if not holds:
        raise Failed(f"{what}\n{said}")
    print(f"ok: {what}", flush=True)


def as_staff(machine: Machine, account: str, *command: str | Path, folder: Path = DGM) -> str:
    """Run a command of the staff's, which must succeed; returns what it said."""
    done = machine.run(account, PYTHON, "-m", *command, cwd=folder)
    if done.returncode:
        raise Failed(f"{account}: {' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def make_accounts(machine: Machine) -> None:
    """Staff in a group, a course's own account, students; the kit where staff alone can read it."""
    for group in (STAFF, "kit"):
        machine.root("groupadd", group)
    machine.add_accounts(*TEACHERS, groups=f"{STAFF},kit")
    machine.add_accounts("course-pml", groups="kit")
    machine.add_accounts(*STUDENTS)
    machine.install_kit("kit")
    machine.root("install", "-d", "-o", "ana", DGM.parent)
    machine.root("install", "-d", "-m", "777", EXCHANGE)
    machine.root("mkdir", "-p", "/etc/jupyter")
    system = "c = get_config()\nc.Exchange.root = '/srv/exchange'\nc.Exchange.timezone = 'UTC'\n"
    machine.path("/etc/jupyter/nbgrader_config.py").write_text(system)


def home_config(machine: Machine, account: str, root: Path) -> None:
    """What formgrader reads before the course's own configuration."""
    text = f"c = get_config()\nc.CourseDirectory.root = {str(root)!r}\n"
    done = machine.run(account, "sh", "-c", "mkdir -p .jupyter; cat > .jupyter/nbgrader_config.py", text=text)
    expect(done.returncode == 0, f"{account} has a configuration of their own for formgrader")


def make_courses(machine: Machine) -> None:
    """One shared by a group, one of an account of its own; both released into one exchange."""
    where = ("--exchange", EXCHANGE)
    for account, course, group in (("ana", DGM, ("--group", STAFF)), ("course-pml", PML, ())):
        said = as_staff(
            machine, account, "grader", "course", "init", course, *where, *group, folder=Path("/")
        )
        expect("WARNING" not in said, f"{account} makes the course {course.name}, closed to students", said)
        roster = "id,first_name,last_name,email,lms_user_id\n"
        roster += "".join(f"{student},{student.title()},Student,,\n" for student in STUDENTS)
        machine.run(account, "sh", "-c", "cat > roster.csv", cwd=course, text=roster)
        as_staff(machine, account, "nbgrader", "generate_assignment", "a3", folder=course)
        as_staff(machine, account, "nbgrader", "release_assignment", "a3", folder=course)
        as_staff(machine, account, "nbgrader", "db", "student", "import", "roster.csv", folder=course)
        said = as_staff(machine, account, "grader", "doctor", "--course", course, folder=course)
        expect("FAULT" not in said, f"the doctor finds nothing wrong with {course.name}", said)
    for teacher in TEACHERS:
        if teacher != "ana":
            machine.run(teacher, "ln", "-s", DGM, "dgm")
            home_config(machine, teacher, Path(f"/home/{teacher}/dgm"))
    # The course's own configuration wins over this one.
    home_config(machine, "ana", Path("/home/ana/somewhere-else"))
    home_config(machine, "course-pml", PML)


def answer_everything(machine: Machine, student: str) -> None:
    """Put answers, and code for some, into what a student has fetched."""
    folder = machine.path(f"/home/{student}/a3")
    report = json.loads((folder / "report.ipynb").read_text())
    for cell in report["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution"):
            cell["source"] = f"The answer of {student} to {about['grade_id']}."
    (folder / "report.ipynb").write_text(json.dumps(report))
    if student in SOLVED:
        for part in ("part1", "part2"):
            shutil.copytree(ROOT / "solutions" / part, folder / part, dirs_exist_ok=True)
    machine.root("chown", "-R", f"{student}:{student}", f"/home/{student}/a3")


def hand_in(machine: Machine, hub: Hub) -> None:
    """Every student, on a server of their own, fetches, answers and submits, by nbgrader's list."""
    hub.start_servers(*STUDENTS)
    for student in STUDENTS:
        token = hub.token_of(student)
        which = {"assignment_id": "a3", "course_id": "dgm"}
        status, answer = hub.ask(f"/user/{student}/assignments/fetch", which, token)
        expect(status == 200 and machine.path(f"/home/{student}/a3").is_dir(), f"{student} fetches", answer)
        answer_everything(machine, student)
        status, answer = hub.ask(f"/user/{student}/assignments/submit", which, token)
        expect(status == 200 and "submitted" in str(answer), f"{student} submits", answer)
        status, _ = hub.ask(f"/user/{student}/formgrader/api/assignments", token=token)
        expect(status == 404, f"{student} has no formgrader")
        status, _ = hub.ask("/services/pml/formgrader/api/assignments", token=token)
        expect(status == 403, f"{student} cannot enter the formgrader of pml")
        hub.stop_server(student)
    name = "inbound/ada+a3+2099-01-01 00:00:00.000000 UTC+e"
    forge = f'cd {EXCHANGE}/dgm && cp -r outbound/a3 "{name}" && chmod -R go+rX "{name}"'
    forged = machine.run("eve", "sh", "-c", forge)
    expect(forged.returncode == 0, "eve hands in under the name of ada", forged.stdout)


def start_run(machine: Machine, account: str) -> subprocess.Popen[str]:
    """Start `make grade COURSE=...`."""
    line = machine.as_account(account, PYTHON, "-m", "grader", "course", "grade", DGM, "--jobs", "2")
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def mark(machine: Machine) -> None:
    """One of two that start a run at once gets it."""
    first = start_run(machine, "tom")
    lock = machine.path(DGM / "state" / "lock")
    while first.poll() is None and not (lock.exists() and lock.read_text()):
        time.sleep(0.05)
    second = machine.run("ana", PYTHON, "-m", "grader", "course", "grade", DGM)
    refused = second.returncode == 2 and "tom has had a run" in second.stdout
    expect(refused, "a second run at once is refused, and says who has the first", second.stdout)
    said, _ = first.communicate()
    expect(first.returncode == 0, "a run of tom's marks everything, as an ordinary user", said)
    count = 16 * len(STUDENTS)
    expect(
        f"{count} scores of {len(STUDENTS)} submissions agree" in said,
        f"{count} of {count} scores agree",
        said,
    )
    expect("account eve has put another hand-in" in said, "the forged hand-in waits for a person", said)
    expect(said.count(": 22.5 of 22.5 points") == len(SOLVED), "the solutions have all points", said)
    done = machine.run("ana", PYTHON, "-m", "grader", "course", "grade", DGM)
    expect(done.returncode == 0, "another run, of ana's, ends well", done.stdout)


MARKS = """
import json, sys
from pathlib import Path
from grader.gradebook import steps
from grader.gradebook.course import Course, inside
course = Course(Path(sys.argv[1]))
with inside(course) as config, steps.open_gradebook(config) as gradebook:
    table = {}
    for submission in gradebook.assignment_submissions("a3"):
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                table[f"{submission.student_id} {grade.name}"] = [
                    grade.manual_score, grade.needs_manual_grade, notebook.id, grade.auto_score]
print("MARKS" + json.dumps(table))
"""


def marks(machine: Machine) -> dict[str, list]:
    """What the gradebook holds, by student and cell: the mark by hand, whether it waits, the notebook."""
    done = machine.run("ana", PYTHON, "-c", MARKS, DGM)
    return json.loads(done.stdout.split("MARKS")[-1])


def mark_by_hand(machine: Machine, hub: Hub) -> None:
    """Two browsers as two TAs mark 50 answers each while two runs are started."""
    waiting = [key for key, (_, waits, _, _) in marks(machine).items() if waits]
    expect(len(waiting) >= 2 * ANSWERS, f"{len(waiting)} answers wait for a person")
    given: dict[str, dict[str, float]] = {}
    faults: list[BaseException] = []
    table = marks(machine)

    def work(account: str, keys: Sequence[str]) -> None:
        cells = [(table[key][2], key.split()[1]) for key in keys]
        try:
            points = mark_in_browser(hub, account, cells)
            given[account] = dict(zip(keys, points, strict=True))
        except BaseException as error:
            faults.append(error)

    shares = {"tom": waiting[:ANSWERS], "uma": waiting[ANSWERS : 2 * ANSWERS]}
    hub.start_servers(*shares)
    threads = [threading.Thread(target=work, args=share) for share in shares.items()]
    for thread in threads:
        thread.start()
    time.sleep(5)
    runs = [start_run(machine, account) for account in ("ana", "tom")]
    outputs = [run.communicate()[0] for run in runs]
    for thread in threads:
        thread.join()
    expect(not faults, "two browsers as two TAs come to their end", faults)
    statuses = sorted(run.returncode for run in runs)
    expect(statuses == [0, 2], "of two runs meanwhile one is refused", "\n".join(outputs))
    after = marks(machine)
    wrong = [
        f"{key}: {points} given, {after[key][0]} in the gradebook"
        for points_of in given.values()
        for key, points in points_of.items()
        if after[key][0] != points
    ]
    expect(not wrong and sum(map(len, given.values())) == 2 * ANSWERS, "no mark is lost", wrong)
    expect(not any(after[key][1] for points_of in given.values() for key in points_of), "none is sent back")
    done = machine.run("uma", PYTHON, "-m", "grader", "course", "grade", DGM)
    expect(done.returncode == 0, "a run after that ends well", done.stdout)
    final = marks(machine)
    expect([one[:2] for one in final.values()] == [one[:2] for one in after.values()], "and changes no mark")


def formgraders(hub: Hub) -> None:
    """The course account's formgrader is open to its staff."""
    status, answer = hub.ask("/services/pml/formgrader/api/assignments", token=hub.token_of("ana"))
    expect(status == 200 and answer[0]["name"] == "a3", "ana enters the formgrader of pml", answer)
    status, answer = hub.ask("/services/pml/formgrader/api/assignments", token=hub.token_of("uma"))
    expect(status == 403, "uma, who is not of its staff, does not", answer)


def give_out(machine: Machine, hub: Hub) -> None:
    """Feedback reaches everyone, each their own."""
    as_staff(machine, "uma", "nbgrader", "release_feedback", "a3")
    hub.start_servers("ada", "bob")
    for student in ("ada", "bob"):
        which = {"assignment_id": "a3", "course_id": "dgm"}
        status, answer = hub.ask(f"/user/{student}/assignments/fetch_feedback", which, hub.token_of(student))
        pages = list(machine.path(f"/home/{student}/a3/feedback").rglob("report.html"))
        expect(status == 200 and len(pages) == 1, f"{student} fetches a page of feedback", answer)
        text = pages[0].read_text()
        others = [one for one in STUDENTS if one != student and f"The answer of {one} " in text]
        expect(f"The answer of {student} " in text and not others, f"it is {student}'s own")


def try_every_path(machine: Machine) -> None:
    """As a student: every path of the courses, the kit, accounts, the hub, the exchange."""
    homes = [f"/home/{name}" for name in (*TEACHERS, *STUDENTS, "course-pml") if name != "eve"]
    paths = everything(machine, DGM, PML, KIT, *homes)
    expect(len(everything(machine, KIT)) > 300, f"{len(paths)} paths are tried")
    for account in ("eve", "finn"):
        mine = [path for path in paths if not path.startswith(f"/home/{account}")]
        found = opened(machine, account, mine)
        expect(not found, f"{account} can open none of them", found[:20])
    secret = [
        str(HUB / name) for name in ("jupyterhub_config.py", "jupyterhub.sqlite", "cookie_secret", "log")
    ]
    expect(not opened(machine, "eve", secret), "nor the hub's secrets")
    closed = [f"{EXCHANGE}/{course}/{name}" for course in ("dgm", "pml") for name in ("inbound", "feedback")]
    expect(not opened(machine, "eve", closed), "nor list what others handed in or got back")
    walked = machine.run("eve", "sh", "-c", f"find {EXCHANGE} /srv /home -type f 2>/dev/null").stdout
    open_to_all = ("/home/eve/", f"{EXCHANGE}/dgm/outbound/", f"{EXCHANGE}/pml/outbound/", str(FOR_STUDENTS))
    others = [line for line in walked.splitlines() if not line.startswith(open_to_all)]
    readable = opened(machine, "eve", others)
    expect(not readable, "nor find any file of another by looking everywhere", readable[:20])


def whole_cycle(tools: Path, stage: Path) -> None:
    """Everything, in order."""
    with Machine(stage, also=[tools]) as machine:
        make_accounts(machine)
        make_courses(machine)
        with Hub(machine, tools, {*TEACHERS, *STUDENTS}) as hub:
            hand_in(machine, hub)
            mark(machine)
            formgraders(hub)
            mark_by_hand(machine, hub)
            give_out(machine, hub)
            try_every_path(machine)
    left = [name for name in (*TEACHERS, *STUDENTS) if Path(f"/home/{name}").exists()]
    expect(not left and not DGM.exists() and not any(stage.iterdir()), "nothing of it is left", left)


def main() -> int:
    """Run it, once or several times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=1, help="how often")
    parser.add_argument("--tools", type=Path, help="where the hub is installed, and stays for the next time")
    options = parser.parse_args()
    if missing():
        print(f"no accounts can be made: {missing()}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))  # what was made goes away then, too
    with tempfile.TemporaryDirectory(prefix="grader-hub-") as folder:
        os.chmod(folder, 0o755)
        tools, stage = options.tools or Path(folder, "tools"), Path(folder, "stage")
        tools.mkdir(exist_ok=True)
        stage.mkdir()
        install(tools)
        for number in range(options.times):
            began = time.monotonic()
            try:
                whole_cycle(tools, stage)
            except Failed as error:
                print(f"FAILED: {error}", file=sys.stderr)
                return 1
            print(f"{number + 1} of {options.times} in {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
