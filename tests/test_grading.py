"""The whole way: the sample cohort through `python -m grader grade`, and the solutions over many seeds.

`tests/golden_cohort.json` holds what every check of the cohort must come to; after a change that is meant to
move it, write it anew with `make golden`, and read the difference.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.rubric import load_rubric
from grader.submission import read_submission
from tests.box.host import family, remaining

REPOSITORY = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).with_name("golden_cohort.json")
MAKE_COHORT = REPOSITORY / "tests" / "submissions" / "make_cohort.py"
SEED = 20
FULL = 22.5


def mnist_root() -> Path | None:
    """A folder with MNIST/raw, where there is one at hand."""
    given = os.environ.get("MNIST_ROOT")
    root = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    return root if (root / "MNIST" / "raw").is_dir() else None


def grade(cohort: Path, output: Path) -> str:
    """Grade a cohort as a user would; what it printed. No process of the run may survive it."""
    command = [sys.executable, "-m", "grader", "grade", str(cohort), "--output", str(output)]
    command += ["--seed", str(SEED), "--jobs", "2"]
    seen: set[tuple[int, str]] = set()
    with tempfile.TemporaryFile("w+") as log:
        run = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=subprocess.STDOUT)
        while run.poll() is None:
            seen |= family(run.pid)
            time.sleep(0.2)
        log.seek(0)
        printed = log.read()
    assert run.returncode == 0, printed
    assert len(seen) > 6, "two workers, two boxes, their templates and sessions should have been seen"
    assert not remaining(seen), "the run has left processes behind"
    return printed


def read_results(output: Path) -> dict[str, dict[str, Any]]:
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(output.glob("*/results.json"))}


def essence(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a golden file keeps: points and statuses, not messages and times."""
    return {
        name: {
            "points": result["points"],
            "items": {
                item["id"]: [item["status"], item["points"], {c["name"]: c["status"] for c in item["checks"]}]
                for item in result["items"]
            },
        }
        for name, result in results.items()
    }


def assemble(folder: Path) -> Path:
    subprocess.run([sys.executable, str(MAKE_COHORT), str(folder)], check=True, cwd=REPOSITORY)
    return folder


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("cohort") / "cohort")


@pytest.fixture(scope="module")
def graded(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of one run over the cohort."""
    output = tmp_path_factory.mktemp("graded") / "output"
    listing = sorted(path.name for path in cohort.iterdir())
    printed = grade(cohort, output)
    assert "8 of 8 submissions marked" in printed
    assert sorted(path.name for path in cohort.iterdir()) == listing, "the run has written into the cohort"
    return output


@pytest.fixture(scope="module")
def markers() -> Iterator[dict[str, Marker]]:
    """One marker per data set, with its box; a seed is set for each marking."""
    markers: dict[str, Marker] = {}
    yield markers
    for marker in markers.values():
        marker.close()


def marker_for(markers: dict[str, Marker], data: str, seed: int) -> Marker:
    options = MarkingOptions(seed=seed, data=data)
    marker = markers.setdefault(data, Marker(options))
    marker.options = options
    return marker


def test_cohort_comes_to_the_golden_results(graded: Path) -> None:
    assert essence(read_results(graded)) == json.loads(GOLDEN.read_text())


def test_every_result_has_every_automatic_item(graded: Path) -> None:
    automatic = [item.id for item in load_rubric().automatic]
    results = read_results(graded)
    assert len(results) == 8
    for result in results.values():
        assert [item["id"] for item in result["items"]] == automatic
        assert result["max_points"] == FULL
        assert result["points"] == pytest.approx(sum(item["points"] for item in result["items"]))
        assert result["sandbox"] == "bwrap"
        assert result["seed"] == SEED


def test_solutions_earn_everything_and_stubs_nothing(graded: Path) -> None:
    results = read_results(graded)
    assert results["solved"]["points"] == FULL
    assert results["untouched"]["points"] == 0
    for item in results["untouched"]["items"]:
        assert item["status"] == "not_implemented"
        assert {check["status"] for check in item["checks"]} == {"not_implemented"}, item["id"]


def test_wrong_kld_loses_its_item_only(graded: Path) -> None:
    items = read_results(graded)["wrong_kld"]["items"]
    lost = [item["id"] for item in items if item["points"] < item["max_points"]]
    assert lost == ["1.7.kld"]
    messages = [check["message"] for check in items[1]["checks"] if check["status"] == "failed"]
    assert any("wrong dimension" in message for message in messages)


def test_hostile_gains_nothing(graded: Path) -> None:
    hostile = read_results(graded)["hostile"]
    assert hostile["points"] == 0
    assert all(item["status"] == "failed" for item in hostile["items"])


def test_every_failed_check_says_why(graded: Path) -> None:
    for name, result in read_results(graded).items():
        for item in result["items"]:
            for check in item["checks"]:
                if check["status"] != "passed":
                    assert check["message"], f"{name}: {item['id']}: {check['name']}"


def test_marks_csv_agrees_with_the_results(graded: Path) -> None:
    with (graded / "marks.csv").open(newline="") as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    results = read_results(graded)
    assert rows.keys() == results.keys()
    for name, result in results.items():
        assert float(rows[name]["points"]) == result["points"]
        for item in result["items"]:
            assert float(rows[name][item["id"]]) == item["points"]


def test_neighbours_do_not_matter(cohort: Path, graded: Path, markers: dict[str, Marker]) -> None:
    # The hostile submission first, in the same process and box (not its endless loops), then one whose marks
    # must come out as they did in the run above.
    marker = marker_for(markers, "digits", SEED)
    trouble = frozenset({"1.7.reparameterize", "1.7.kld", "1.7.encoder", "1.7.decoder", "1.7.forward"})
    assert marker.mark(read_submission(cohort / "hostile"), items=trouble).points == 0
    after = marker.mark(read_submission(cohort / "wrong_kld")).to_json()
    among = read_results(graded)["wrong_kld"]
    for result in (after, among):
        result.pop("seconds")
        for of_the_engine in ("memory_mb", "differences"):
            result.pop(of_the_engine, None)
    assert json.loads(json.dumps(after)) == among


def assert_full_marks(markers: dict[str, Marker], data: str, seed: int) -> None:
    marker = marker_for(markers, data, seed)
    result = marker.mark(read_submission(REPOSITORY / "solutions"))
    lost = [(i.id, c.name, c.message) for i in result.items for c in i.checks if c.status != "passed"]
    assert not lost
    assert result.points == FULL


@pytest.mark.parametrize("seed", range(100, 103))
def test_solutions_earn_full_marks_on_digits(markers: dict[str, Marker], seed: int) -> None:
    assert_full_marks(markers, "digits", seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 220))
def test_solutions_earn_full_marks_with_20_seeds(markers: dict[str, Marker], seed: int) -> None:
    assert_full_marks(markers, "digits", seed)


@pytest.mark.parametrize(
    "seed", [300, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(301, 320))]
)
def test_solutions_earn_full_marks_on_mnist(
    markers: dict[str, Marker], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = mnist_root()
    if root is None:
        pytest.skip("MNIST is not at hand: set MNIST_ROOT to a folder with MNIST/raw in it")
    monkeypatch.setenv("MNIST_ROOT", str(root))
    assert_full_marks(markers, "mnist", seed)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        print(grade(assemble(Path(folder, "cohort")), Path(folder, "output")))
        golden = essence(read_results(Path(folder, "output")))
        GOLDEN.write_text(json.dumps(golden, indent=1, sort_keys=True) + "\n")
