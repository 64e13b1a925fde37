"""Eight markers at once, and a server that is killed under way: is every answer marked once, and none lost?

    python -m tests.benchmarks.desk_crowd COURSE [--answers 2000] [--markers 8] [--kills 5] [--db-url URL]

COURSE is a made-up course (`make demo-course`), which is not changed: a copy is, beside it. The markers do
what a page's script does, with sessions of their own. With URL, an empty database, the copy's gradebook is
there. In the end the gradebook is compared with
what was acknowledged, and with the history.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # where pytest has it, too

import requests  # noqa: E402
from sqlalchemy import create_engine, select  # noqa: E402

from grader.desk.grades import standings  # noqa: E402
from grader.desk.rubric_items import questions  # noqa: E402
from grader.desk.tables import HISTORY  # noqa: E402
from grader.release.notebook import grade_id  # noqa: E402
from tests.benchmarks.desk_course import copy_of  # noqa: E402
from tests.desk.serving import Person, Server  # noqa: E402

PATIENCE = 120.0  # seconds that a marker waits for a server to come back


class Crowd:
    """Markers who work until enough answers are marked."""

    def __init__(self, server: Server, wanted: int) -> None:
        self.server = server
        self.wanted = wanted
        self.acknowledged: list[tuple[str, str, float, str]] = []  # answer, cell, points, marker
        self.seconds: list[float] = []
        self.refused = 0
        self.lock = threading.Lock()
        self.items: dict[str, list[dict[str, Any]]] = {}

    @property
    def done(self) -> bool:
        return len(self.acknowledged) >= self.wanted

    def mark(self, name: str, cells: list[str]) -> None:
        """One marker's work: question after question."""
        draw = random.Random(name)
        person = self.patiently(lambda: Person(self.server.address, name))
        for cell in cells:
            reply = self.patiently(lambda cell=cell: person.call("next", cell=cell))
            while reply.get("task") and not reply["task"]["second"] and not self.done:
                task, items = reply["task"], reply["items"]
                given = sorted(draw.sample([item["id"] for item in items], k=min(2, len(items))))
                start = time.perf_counter()
                reply = self.saved(person, task, given)
                self.seconds.append(time.perf_counter() - start)
            self.patiently(lambda: person.call("release"))

    def saved(self, person: Person, task: dict[str, Any], given: list[int]) -> dict[str, Any]:
        """Save, and get the next. Where no answer came, it is as a person does: look, and go on."""
        name = person.session.cookies.get("desk-marker", "")
        try:
            reply = person.save(task, given, next=True, passed=[task["answer"]])
        except (requests.RequestException, AssertionError) as error:
            with self.lock:
                self.refused += 1
            if isinstance(error, AssertionError) and "409" not in str(error):
                raise
            return self.patiently(lambda: person.call("next", cell=task["cell"]))
        with self.lock:
            self.acknowledged.append((task["answer"], task["cell"], reply["points"], name))
        return reply

    def patiently(self, act: Any) -> Any:
        """Try again while the server is away."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return act()
            except (requests.RequestException, TypeError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.3)


def work(crowd: Crowd, markers: int, kills: int, cells: list[str]) -> None:
    """Let them mark, and kill the server under way; a marker who cannot go on ends it for all."""
    with ThreadPoolExecutor(markers) as pool:
        running = [pool.submit(crowd.mark, f"marker {number}", cells) for number in range(markers)]
        next_kill = 1
        while True:
            ended = wait(running, timeout=0.1, return_when=FIRST_EXCEPTION).done
            if failed := [one for one in ended if one.exception()]:
                crowd.wanted = 0  # the others stop
                failed[0].result()
            if len(ended) == markers:
                return
            if next_kill <= kills and len(crowd.acknowledged) >= next_kill * crowd.wanted / (kills + 1):
                print(f"{len(crowd.acknowledged)} marked: the server is killed", file=sys.stderr)
                crowd.server.kill()
                crowd.server.start()
                next_kill += 1


def compared(url: str, crowd: Crowd) -> dict[str, Any]:
    """What stands in the gradebook, beside what was acknowledged and what the history says."""
    engine = create_engine(url)
    with engine.connect() as connection:
        stands = {
            (one.answer, cell): one
            for cell in (grade_id(item.id) for item in questions())
            for one in standings(connection, cell).values()
        }
        last: dict[tuple[str, str], Any] = {}
        marked: Counter[tuple[str, str]] = Counter()
        for row in connection.execute(select(HISTORY).order_by(HISTORY.c.id)):
            last[row.student, row.cell] = json.loads(row.after)
            marked[row.student, row.cell] += 1
    engine.dispose()
    by_student = {(one.student, cell): one for (_, cell), one in stands.items()}
    return {
        "acknowledged": len(crowd.acknowledged),
        "acknowledged_twice": len(crowd.acknowledged) - len({one[:2] for one in crowd.acknowledged}),
        "lost": sum(stands[a, c].manual != points for a, c, points, _ in crowd.acknowledged),
        "marked_twice": sum(count > 1 for count in marked.values()),
        "in_the_history": len(marked),
        "unlike_the_history": sum(
            (by_student[key].manual, by_student[key].comment) != (state["points"], state["comment"])
            for key, state in last.items()
        ),
        "written_without_history": sum(
            one.manual is not None and (one.student, one.cell) not in last for one in stands.values()
        ),
        "not_acknowledged": crowd.refused,
    }


def main() -> None:
    """Let them mark, and compare."""
    parser = argparse.ArgumentParser(description="Several markers at once, with a server that dies.")
    parser.add_argument("course", type=Path)
    parser.add_argument("--answers", type=int, default=2_000)
    parser.add_argument("--markers", type=int, default=8)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--db-url", help="an empty database for the copy, such as one of PostgreSQL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.course.parent) as folder:
        course, url = copy_of(options.course, Path(folder), options.db_url)
        server = Server(course, Path(folder, "home"))
        crowd = Crowd(server, options.answers)
        cells = [grade_id(item.id) for item in questions()]
        start = time.perf_counter()
        try:
            work(crowd, options.markers, options.kills, cells)
        finally:
            seconds = time.perf_counter() - start
            server.close()
        ordered = sorted(crowd.seconds)
        found = compared(url, crowd) | {
            "seconds": round(seconds, 1),
            "save_and_next_median_ms": round(1000 * statistics.median(ordered)),
            "save_and_next_p99_ms": round(1000 * ordered[int(0.99 * len(ordered))]),
            "kills": options.kills,
        }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
