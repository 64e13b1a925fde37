"""What need not be marked again, and that a run that was killed at any moment comes to the same end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from grader.box.interpreter import own_python
from grader.digits import digits_file
from grader.engine import Finished, Started, grade_into, interrupted_seed, prepare_output, reuse
from grader.engine.reuse import EarlierResults, environment_digest, fingerprint
from grader.errors import GraderUsageError
from grader.submission import Submission

from .fakes import PROVENANCE, DrawingMarker, FakeMarker, HereWorkers, cohort, fake, log_of

SUBMISSION = Submission("s1", {"part1/utils.py": b"a", "part2/models.py": b"b"})


def mark(folder: Path, submissions, provenance=PROVENANCE, factory=None, **options):
    """Mark in this process, which is quick; the results and what happened to the markers."""
    prepare_output(folder / "output")
    (folder / "log").write_text("")
    factory = factory or fake(folder)
    results = grade_into(
        folder / "output", submissions, factory, provenance, workers=HereWorkers(factory), **options
    )
    return results, [line.removeprefix("mark:") for line in log_of(folder) if line.startswith("mark:")]


def contents(output: Path) -> dict[str, object]:
    """All that a user looks at, apart from times."""
    found: dict[str, object] = {}
    for path in sorted(output.rglob("*")):
        name = str(path.relative_to(output))
        if path.is_file() and not name.startswith(".reuse"):
            found[name] = path.read_text()
            if path.name == "results.json":
                found[name] = [line for line in path.read_text().splitlines() if '"seconds"' not in line]
    return found


def test_another_python_for_the_code_makes_another_environment(monkeypatch):
    before = environment_digest("digits")
    monkeypatch.setattr(reuse, "box_python", lambda: replace(own_python(), version=(3, 99, 0)))
    assert environment_digest("digits") != before


def test_nothing_is_marked_twice(tmp_path):
    submissions = cohort(tmp_path, "s1", "s2", "broken")
    first, marked = mark(tmp_path, submissions)
    assert sorted(marked) == ["s1", "s2"]
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "output").glob("*/results.json")}
    events = []
    second, marked = mark(tmp_path, submissions, on_event=events.append)
    assert marked == []
    assert [result.to_json() for result in second] == [result.to_json() for result in first]
    assert [(type(event), event.reused) for event in events] == [(Finished, True)] * 3
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "output").glob("*/results.json")}


def test_fresh_marks_all_again(tmp_path):
    submissions = cohort(tmp_path, "s1", "s2")
    mark(tmp_path, submissions)
    assert mark(tmp_path, submissions, fresh=True)[1] == ["s1", "s2"]


def test_only_what_has_changed_is_marked_again(tmp_path):
    submissions = cohort(tmp_path, "s1", "s2", "s3")
    (submissions[2].path / "part1" / "utils.py").write_text("pass")
    mark(tmp_path, submissions)
    (submissions[0].path / "part1" / "utils.py").write_text("pass")
    (submissions[1].path / "part1" / "own.py").write_text("pass")  # read by nobody, but there is a warning
    (submissions[2].path / "report.txt").write_text("done")
    results, marked = mark(tmp_path, submissions)
    assert marked == ["s1", "s2"]
    assert "own.py" in results[1].warnings[0]


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"suite": "sha256:1"},
        {"sandbox": "bwrap"},
        {"waived": ("torch.distributions",)},
        {"environment": "sha256:2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_conditions_are_another_result(tmp_path, change):
    submissions = cohort(tmp_path, "s1")
    mark(tmp_path, submissions)
    assert mark(tmp_path, submissions, replace(PROVENANCE, **change))[1] == ["s1"]


@pytest.mark.parametrize(
    "other",
    [
        replace(SUBMISSION, name="s2"),
        replace(SUBMISSION, files={"part1/utils.py": b"ab", "part2/models.py": b""}),
        replace(SUBMISSION, files={"part1/utils.py": b"a"}),
        replace(SUBMISSION, warnings=("odd",)),
        Submission("s1", {}, error="damaged", fault="student"),
    ],
)
def test_other_bytes_have_another_fingerprint(other):
    assert fingerprint(other, PROVENANCE) != fingerprint(SUBMISSION, PROVENANCE)


def test_the_order_of_files_has_no_part_in_the_fingerprint():
    turned = replace(SUBMISSION, files=dict(reversed(SUBMISSION.files.items())))
    assert fingerprint(turned, PROVENANCE) == fingerprint(SUBMISSION, PROVENANCE)


def test_the_images_are_part_of_the_environment(monkeypatch):
    import torch

    images = torch.zeros(2, 1, 28, 28)
    monkeypatch.setattr("grader.data.load_images", lambda name: (images, torch.arange(2)))
    before = environment_digest("mnist")
    assert environment_digest("mnist") == before
    images[1, 0, 3, 4] = 1
    assert environment_digest("mnist") != before


def test_the_embedded_digits_are_part_of_it_by_their_file(monkeypatch, tmp_path):
    before = environment_digest("digits")
    file = tmp_path / "digits.csv.gz"
    file.write_bytes(digits_file().read_bytes())
    monkeypatch.setattr("grader.engine.reuse.digits_file", lambda: file)
    assert environment_digest("digits") == before
    file.write_bytes(b"other digits")
    assert environment_digest("digits") != before


def test_the_environment_is_named_without_torch():
    script = "import sys; from grader.engine import environment_digest; environment_digest('digits')"
    check = f"{script}; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"fingerprint": 3}', '{"results": null}'])
def test_a_note_that_cannot_be_read_costs_time_only(tmp_path, content):
    submissions = cohort(tmp_path, "s1")
    mark(tmp_path, submissions)
    (tmp_path / "output" / ".reuse" / "s1.json").write_text(content)
    assert mark(tmp_path, submissions)[1] == ["s1"]


def test_a_result_that_was_edited_is_not_taken_for_ours(tmp_path):
    submissions = cohort(tmp_path, "s1")
    mark(tmp_path, submissions)
    path = tmp_path / "output" / "s1" / "results.json"
    right = path.read_text()
    path.write_text(right.replace('"points": 22.5', '"points": 20.5'))
    assert mark(tmp_path, submissions)[1] == ["s1"]
    assert path.read_text() == right


def test_what_could_not_be_marked_is_tried_by_the_next_run(tmp_path):
    submissions = cohort(tmp_path, "raise", "s1")
    results, _ = mark(tmp_path, submissions)
    assert [result.marked for result in results] == [False, True]
    assert interrupted_seed(tmp_path / "output") == PROVENANCE.seed
    assert mark(tmp_path, submissions)[1] == ["raise", "raise"]


def test_a_run_that_came_to_its_end_leaves_no_seed_to_the_next(tmp_path):
    mark(tmp_path, cohort(tmp_path, "s1"))
    assert interrupted_seed(tmp_path / "output") is None


@pytest.mark.parametrize(
    ("content", "seed"),
    [
        ('{"seed": 5, "complete": false}', 5),
        ('{"seed": 5, "complete": true}', None),
        ('{"seed": -5, "complete": false}', None),
        ('{"seed": "5", "complete": false}', None),
        ('{"seed": true, "complete": false}', None),
        ('{"seed": 5}', None),
        ("", None),
    ],
)
def test_the_seed_of_an_interrupted_run(tmp_path, content, seed):
    (tmp_path / "run.json").write_text(content)
    assert interrupted_seed(tmp_path) == seed


def test_two_runs_do_not_write_into_the_same_folder(tmp_path):
    prepare_output(tmp_path / "output")
    with (
        EarlierResults(tmp_path / "output", PROVENANCE).locked(),
        pytest.raises(GraderUsageError, match="output: another run is writing there; wait for its end"),
    ):
        mark(tmp_path, cohort(tmp_path, "s1"))
    assert mark(tmp_path, cohort(tmp_path, "s2"))[1] == ["s2"]


def test_half_written_files_of_a_killed_run_are_removed(tmp_path):
    output = tmp_path / "output"
    left = [output / "s1" / ".results.json.a1b2.tmp", output / ".reuse" / ".s1.json.c3.tmp"]
    left.append(output / ".marks.csv.d4.tmp")
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{")
    mark(tmp_path, cohort(tmp_path, "s1"))
    assert not [path for path in left if path.exists()]


def test_what_took_longest_comes_first(tmp_path):
    submissions = cohort(tmp_path, "s1", "s2-slow", "s3")
    mark(tmp_path, submissions)
    notes = tmp_path / "output" / ".reuse"
    for name, seconds in (("s1", 2.0), ("s2-slow", 5.0), ("s3", 3.0)):
        note = json.loads((notes / f"{name}.json").read_text())
        (notes / f"{name}.json").write_text(json.dumps({**note, "seconds": seconds}))
    started = []

    def note_start(event):
        if isinstance(event, Started):
            started.append(event.name)

    submissions += cohort(tmp_path, "s0-new")
    results, _ = mark(tmp_path, submissions, replace(PROVENANCE, seed=8), on_event=note_start)
    assert started == ["s0-new", "s2-slow", "s3", "s1"]
    assert [result.submission for result in results] == ["s1", "s2-slow", "s3", "s0-new"]


def test_the_most_code_comes_first_where_no_time_is_known(tmp_path):
    submissions = cohort(tmp_path, "s1", "s2", "s3", "s4")
    for found, size in zip(submissions, (10, 3000, 200, 0), strict=True):
        if size:
            (found.path / "part1" / "utils.py").write_bytes(b"#" * size)
        (found.path / "part1" / "notes.txt").write_bytes(b"#" * 5000)  # nothing that is marked
    started = []

    def note_start(event):
        if isinstance(event, Started):
            started.append(event.name)

    results, _ = mark(tmp_path, submissions, on_event=note_start)
    assert started == ["s2", "s3", "s1", "s4"]
    assert [result.submission for result in results] == ["s1", "s2", "s3", "s4"]


def test_pictures_are_drawn_once_and_lie_beside_the_result(tmp_path):
    submissions = cohort(tmp_path, "s1", "clumsy", "broken")
    drawing = partial(DrawingMarker, tmp_path / "log")
    results, _ = mark(tmp_path, submissions, factory=drawing)
    assert [result.marked for result in results] == [True, True, True]
    output = tmp_path / "output"
    assert (output / "s1" / "manifold.png").read_bytes() == b"s1 22.5"
    assert sorted(path.name for path in output.glob("*/*.png")) == ["manifold.png"]
    assert [line for line in log_of(tmp_path) if line.startswith("draw")] == ["draw:s1", "draw:clumsy"]
    mark(tmp_path, submissions, factory=drawing)
    assert "draw:s1" not in log_of(tmp_path)
    assert (output / "s1" / "manifold.png").exists()


class Doom:
    """Kills this process when it has brought a file to the disk or moved it for the n-th time."""

    def __init__(self, moment: int) -> None:
        self.left = moment
        for name in ("fsync", "replace"):
            setattr(os, name, partial(self.around, getattr(os, name)))

    def around(self, function, *arguments):
        function(*arguments)
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1


def in_a_child(action) -> int:
    """Run in a fork of this process; the signal that ended it, or 0."""
    child = os.fork()
    if child == 0:
        try:
            action()
            os._exit(0)
        except BaseException:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def test_a_run_killed_at_any_write_comes_to_the_same_end(tmp_path):
    names = ("s1", "broken")
    undisturbed = tmp_path / "undisturbed"
    drawing = partial(DrawingMarker, undisturbed / "log")
    mark(undisturbed, cohort(undisturbed, *names), factory=drawing)
    expected = contents(undisturbed / "output")
    assert {"marks.csv", "run.json", "s1/results.json", "s1/manifold.png"} <= expected.keys()
    for moment in range(1000):
        folder = tmp_path / f"killed-{moment}"
        submissions = cohort(folder, *names)
        run = partial(mark, folder, submissions, factory=partial(DrawingMarker, folder / "log"))

        def doomed(run=run, moment=moment):
            Doom(moment)
            run()

        ended = in_a_child(doomed)
        in_a_child(run)
        assert contents(folder / "output") == expected, moment
        if ended == 0:
            break
        assert ended == signal.SIGKILL
    assert moment > 15, "each of several files is written to the disk, then moved"


RUN = """
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
sys.path[:0] = [{tests!r}]
from engine.fakes import PROVENANCE, FakeMarker, cohort
from grader.engine import grade_into, interrupted_seed, prepare_output
from grader.submission import Found
if __name__ == "__main__":
    folder = Path({folder!r})
    prepare_output(folder / "output")
    submissions = [Found(name, folder / "cohort" / name) for name in {names!r}]
    grade_into(folder / "output", submissions, partial(FakeMarker, folder / "log"), PROVENANCE, 2)
"""


@pytest.mark.slow
def test_runs_with_worker_processes_killed_again_and_again(tmp_path):
    names = [f"s{number}-slow" for number in range(6)]
    undisturbed = tmp_path / "undisturbed"
    mark(undisturbed, cohort(undisturbed, *names))
    folder = tmp_path / "killed"
    cohort(folder, *names)
    root = Path(__file__).parent.parent.parent
    script = folder / "run.py"
    script.write_text(RUN.format(tests=str(root / "tests"), folder=str(folder), names=names))
    for count in (1, 4, 7):  # the last run is let be
        process = subprocess.Popen(
            [sys.executable, script], env={**os.environ, "PYTHONPATH": str(root)}, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while process.poll() is None and len(list(folder.glob("output/*/results.json"))) < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if count <= len(names):
            process.kill()
        process.wait(60)
    assert process.returncode == 0
    assert contents(folder / "output") == contents(undisturbed / "output")
    marked = [line for line in log_of(folder) if line.startswith("mark:")]
    assert len(marked) <= len(names) + 2 * 2, "what was done was marked again"


def test_a_marker_that_fails_is_replaced_within_the_run(tmp_path):
    """A box that has broken down leaves items without a verdict; with a new one they get theirs."""
    (result,), marked = mark(tmp_path, cohort(tmp_path, "fault"))
    assert result.marked
    assert marked == ["fault", "fault"]
    assert log_of(tmp_path) == ["made", "mark:fault", "close", "made", "mark:fault", "close"]


def test_markers_without_pictures_need_no_method():
    assert not hasattr(FakeMarker, "pictures")
