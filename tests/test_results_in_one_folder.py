"""One folder of results over several runs, with markers that pretend: nothing of before is lost."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from engine.fakes import HonestFake, pretended_marking

from grader.cli import main


@pytest.fixture(autouse=True)
def pretend(monkeypatch, tmp_path):
    with pretended_marking(monkeypatch, tmp_path, HonestFake):
        yield


@pytest.fixture
def grade(tmp_path, capsys) -> Callable[..., tuple[list[str], str]]:
    """Runs `grade` on submissions of the cohort; who was marked, and what it printed."""

    def run(*names: str, options: tuple[object, ...] = (), status: int = 0) -> tuple[list[str], str]:
        paths = [tmp_path / "cohort" / name for name in names]
        (tmp_path / "log").write_text("")
        capsys.readouterr()
        arguments = ["grade", *paths, "--output", tmp_path / "out", "--jobs", 1, "--no-pages", *options]
        assert main([str(argument) for argument in arguments]) == status
        log = (tmp_path / "log").read_text().split()
        marked = sorted({line.removeprefix("mark:") for line in log if line.startswith("mark:")})
        return marked, capsys.readouterr().out

    return run


def hand_in(folder: Path, *names: str, text: str = "pass") -> None:
    for name in names:
        (folder / "cohort" / name / "part1").mkdir(parents=True, exist_ok=True)
        (folder / "cohort" / name / "part1" / "utils.py").write_text(text)


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "out" / "marks.csv").open(newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def results(folder: Path) -> dict[str, str]:
    return {path.parent.name: path.read_text() for path in (folder / "out").glob("*/results.json")}


def seed_of(folder: Path) -> int:
    return json.loads((folder / "out" / "run.json").read_text())["seed"]


def test_one_student_is_marked_again_without_touching_the_others(tmp_path, grade):
    hand_in(tmp_path, "ada", "bob", "eve")
    grade("")
    before, table = results(tmp_path), rows(tmp_path)
    hand_in(tmp_path, "bob", text="better")
    marked, told = grade("bob")
    after = results(tmp_path)
    assert marked == ["bob"]
    assert all(after[name] == before[name] for name in ("ada", "eve"))
    assert list(rows(tmp_path)) == list(table) == ["ada", "bob", "eve"]
    assert f"marks: {tmp_path}/out/marks.csv (3 submissions, 1 of them in this run)" in told
    assert len({row["seed"] for row in rows(tmp_path).values()}) == 1
    assert "holds results of" not in told


def test_a_new_student_is_added(tmp_path, grade):
    hand_in(tmp_path, "bob", "eve")
    grade("")
    hand_in(tmp_path, "ada")
    assert grade("ada")[0] == ["ada"]
    assert list(rows(tmp_path)) == ["ada", "bob", "eve"]


def test_a_rerun_without_a_seed_in_a_finished_folder_changes_nothing_and_says_so(tmp_path, grade):
    hand_in(tmp_path, "ada", "bob")
    grade("")
    before, table, seed = results(tmp_path), rows(tmp_path), seed_of(tmp_path)
    marked, told = grade("")
    assert (marked, results(tmp_path), rows(tmp_path), seed_of(tmp_path)) == ([], before, table, seed)
    assert f"results in {tmp_path}/out that are still valid are kept" in told
    assert f"with the last run's seed, {seed} (--fresh marks everything again, with a new seed)" in told


def test_fresh_marks_all_anew_with_a_new_seed(tmp_path, grade):
    hand_in(tmp_path, "ada", "bob")
    grade("")
    seed = seed_of(tmp_path)
    marked, told = grade("", options=("--fresh",))
    assert marked == ["ada", "bob"]
    assert seed_of(tmp_path) != seed
    assert "are kept" not in told


def test_results_of_two_seeds_are_said_per_row_and_survive_the_next_run(tmp_path, grade):
    hand_in(tmp_path, "ada", "bob", "eve")
    grade("", options=("--seed", 7))
    _, told = grade("bob", options=("--seed", 9))
    line = "marks.csv holds results of 2 seeds, see its column seed: 7 (ada, eve), 9 (bob)"
    assert line in told
    assert {name: row["seed"] for name, row in rows(tmp_path).items()} == {"ada": "7", "bob": "9", "eve": "7"}
    before = results(tmp_path)
    marked, told = grade("")
    assert (marked, results(tmp_path)) == ([], before)
    assert line in told


def test_results_of_two_suites_are_said_per_row(tmp_path, grade, monkeypatch):
    hand_in(tmp_path, *(f"s{number}" for number in range(5)))
    monkeypatch.setattr("grader.grading.run.suite_digest", lambda: "sha256:old")
    grade("", options=("--seed", 7))
    monkeypatch.setattr("grader.grading.run.suite_digest", lambda: "sha256:new")
    _, told = grade("s3", options=("--seed", 7))
    assert (
        "2 versions of the suites, see its column suite: sha256:old (4 submissions), sha256:new (s3)" in told
    )
    assert [row["suite"] for row in rows(tmp_path).values()] == ["sha256:old"] * 3 + [
        "sha256:new",
        "sha256:old",
    ]


def test_what_a_run_has_left_to_be_marked_is_not_forgotten_by_a_run_for_another(tmp_path, grade):
    """A cohort that is marked anew and cut short goes on after one student was marked in between."""
    hand_in(tmp_path, "ada", "die", "eve")
    grade("ada", "eve", options=("--seed", 7))
    marked, _ = grade("", options=("--seed", 9), status=1)
    assert marked == ["ada", "die", "eve"]
    hand_in(tmp_path, "bob")
    grade("bob")
    assert json.loads((tmp_path / "out" / "run.json").read_text())["pending"] == ["die"]
    marked, told = grade("", status=1)
    assert marked == ["die"]
    assert "continuing the unfinished run, seed 9" in told
    assert {row["seed"] for row in rows(tmp_path).values()} == {"9"}


def test_a_result_that_cannot_be_read_keeps_its_row(tmp_path, grade):
    hand_in(tmp_path, "ada", "bob")
    grade("")
    (tmp_path / "out" / "ada" / "results.json").write_text("{")
    grade("bob")
    assert {name: row["status"] for name, row in rows(tmp_path).items()} == {
        "ada": "not marked",
        "bob": "marked",
    }


def test_what_waits_for_a_person_is_status_0_and_says_why(tmp_path, grade):
    hand_in(tmp_path, "ada", "bob")
    (tmp_path / "cohort" / "bob.zip").write_bytes(b"PK\3\4")
    (tmp_path / "cohort" / "gus.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    (tmp_path / "cohort" / "notes.pdf").write_bytes(b"%PDF-1.4")
    marked, told = grade("")
    assert marked == ["ada"]
    table = rows(tmp_path)
    assert {name: row["status"] for name, row in table.items()} == {
        "ada": "marked",
        "bob": "waits for a person",
        "gus": "waits for a person",
    }
    assert "two submissions are called bob: " in table["bob"]["review"]
    assert "bob.zip" in table["bob"]["review"]
    assert "waits for a person: bob, all items: two submissions are called bob" in told
    assert "left out, with the reason at the start: notes.pdf" in told
    written = json.loads(results(tmp_path)["bob"])
    assert {item["review"] for item in written["items"]} == {table["bob"]["review"]}
    assert {item["status"] for item in written["items"]} == {"not_submitted"}
