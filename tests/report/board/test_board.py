"""The command and its page: two sheets of A4 for 300 students, and CSV."""

from __future__ import annotations

import csv
import os
import re
import shutil

import pytest

from grader.cli import main
from grader.report.results_json import write_result
from grader.rubric import load_rubric
from tests.report.results import result

from .cohorts import write_year

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The board of five years, the last one with 300 students."""
    folder = tmp_path_factory.mktemp("board")
    years = [write_year(folder / str(2023 + n), 300 if n == 4 else 40, n + 1) for n in range(5)]
    assert main(["board", *map(str, years), "--output", str(folder / "board")]) == 0
    return folder / "board"


def rows(path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_item_of_every_year_has_a_row(written):
    found = rows(written / "items.csv")
    assert [(row["year"], row["item"]) for row in found] == [
        (str(year), item.id) for year in range(2023, 2028) for item in load_rubric().items
    ]
    assert all(0 <= float(row["difficulty"]) <= 1 for row in found)
    assert {row["students"] for row in found if row["year"] == "2027"} == {"299", "300"}


def test_the_causes_of_an_item_add_up_to_what_it_lost(written):
    figures = {(row["year"], row["item"]): row for row in rows(written / "items.csv")}
    lost: dict[tuple[str, str], float] = {}
    for row in rows(written / "causes.csv"):
        key = row["year"], row["item"]
        lost[key] = lost.get(key, 0.0) + float(row["points_lost"])
    for key, points in lost.items():
        one = figures[key]
        due = int(one["students"]) * (float(one["points"]) - float(one["mean"]))
        assert points == pytest.approx(due, abs=0.05), key


def test_who_was_marked_again_is_listed(written):
    found = rows(written / "marked-again.csv")
    assert 20 < len(found) < 90
    assert {row["why"] for row in found} == {"decided"}
    page = (written / "board.html").read_text()
    latest = max(found, key=lambda row: row["when"])
    assert latest["submission"] in page
    assert f"{len(found) - 16} earlier changes are in marked-again.csv" in page


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed; `make browser` installs it")
def test_the_page_prints_on_two_sheets(written):
    playwright = pytest.importorskip("playwright.sync_api")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto((written / "board.html").as_uri())
        printed = page.pdf(prefer_css_page_size=True)
        browser.close()
    assert complaints == []
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
    boxes = re.findall(rb"/MediaBox\s*\[([^\]]*)\]", printed)
    sizes = {tuple(round(float(side)) for side in box.split()[2:]) for box in boxes}
    assert sizes == {(595, 842)}  # A4, in points


def test_two_students_give_a_page_that_says_not_defined(tmp_path, capsys):
    (tmp_path / "2027").mkdir()
    for name in ("s1", "s2"):
        write_result(tmp_path / "2027", result(name))
    assert main(["board", str(tmp_path / "2027"), "--output", str(tmp_path / "board")]) == 0
    page = (tmp_path / "board" / "board.html").read_text()
    assert "not defined" in page
    assert "it takes 10 complete marks, and there are 2" in page
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).lower().split()
    assert "2027: 2 students, 2 with complete marks, mean 22.5 of 22.5" in capsys.readouterr().out


def test_labels_name_the_years(tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / name / "out").mkdir(parents=True)
        write_result(tmp_path / name / "out", result("s1"))
    given = [str(tmp_path / name / "out") for name in ("a", "b")]
    assert main(["board", *given]) == 2
    assert "two years are called out: name each" in capsys.readouterr().err
    assert main(["board", f"2026={given[0]}", f"2027={given[1]}"]) == 0
    assert "2027: 1 student, 1 with complete marks" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nowhere"], ["2027=nowhere"], ["OUT", "--output", "FILE"]])
def test_mistakes_are_status_2(tmp_path, capsys, arguments):
    (tmp_path / "OUT").mkdir()
    write_result(tmp_path / "OUT", result("s1"))
    (tmp_path / "FILE").write_text("")
    given = [str(tmp_path / one) if one.isupper() else one for one in arguments]
    assert main(["board", *given]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_result_that_cannot_be_read_is_status_1_and_named(tmp_path, capsys):
    for name in ("s1", "s2"):
        write_result(tmp_path, result(name))
    (tmp_path / "s2" / "results.json").write_text("{")
    assert main(["board", f"2027={tmp_path}"]) == 1
    assert "s2/results.json: it is not JSON" in capsys.readouterr().err
