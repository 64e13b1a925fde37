"""`python -m grader evidence`: from hand-ins to what people see."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from grader.cli import main
from grader.evidence.facts import Verdict, read_evidence
from grader.evidence.images import image_sets
from grader.report.results_json import write_result
from tests.report.handed_in import figures
from tests.report.images import replace_figures
from tests.report.results import result

COPIED = ("ann", "bob")


@pytest.fixture(scope="module")
def place(tmp_path_factory, vae, aaes, code) -> Path:
    """Five hand-ins with results: two of one training, a forged curve, no evidence, and a broken file."""
    place = tmp_path_factory.mktemp("course")
    generator = torch.Generator().manual_seed(5)
    own = {
        name: value * (1 + 0.1 * torch.randn(value.shape, generator=generator))
        for name, value in vae.weights["final"].items()
    }
    forged = replace(vae.with_rows(val_bpd={11: 0.52}), weights={"final": own})
    broken = replace(vae, weights={}).files() | {"evidence/vae_z_dim_20/final.safetensors": b"PK\x03\x04"}
    evidence = {
        "ann": {**vae.files(), **aaes[0.995].files()},
        "bob": vae.files(),
        "cid": {**forged.files(), **replace(aaes[1.0], options={"lambda_": 1.0, "seed": 7}).files()},
        "dan": {},
        "eve": broken,
    }
    (place / "results").mkdir()
    for name, files in evidence.items():
        for path, content in {**code, **files}.items():
            file = place / "hand-ins" / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        write_result(place / "results", result(name))
        replace_figures(place / "results" / name, figures(len(name)).files)
    return place


@pytest.fixture(scope="module")
def said(place, images) -> str:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        command = ["evidence", str(place / "hand-ins"), "--results", str(place / "results"), "--seed", "3"]
        assert main(command) == 0
    return out.getvalue()


def test_each_submission_has_a_line(said):
    lines = said.splitlines()
    # The figures hold no grid that can be read: that makes two of the four.
    assert re.match(r"ann  2 of 7 trainings: \d+ supported, 4 not checkable, 5 absent$", lines[0]), lines
    assert re.match(r"cid  2 of 7 trainings: \d+ supported, 1 contradicted, ", lines[2]), lines
    assert lines[3] == "dan  no evidence handed in"
    assert "ann, vae_z_dim_20: a copy of bob" in lines
    assert not any(line.startswith("cid, ") for line in lines[5:])
    assert "4 submissions with evidence" in said


def test_the_facts_lie_beside_the_results(place, said):
    ann, cid, dan, eve = (read_evidence(place / "results" / name) for name in ("ann", "cid", "dan", "eve"))
    assert ann is not None
    assert ann.runs[0].same_as == ("bob",)
    assert Verdict.SUPPORTED not in {claim.verdict for claim in ann.runs[0].claims}
    assert Verdict.CONTRADICTED in {claim.verdict for claim in cid.runs[0].claims}
    assert dan.absent
    assert eve.runs[0].problems[0].startswith("final.safetensors: ")


def test_the_table_has_a_row_for_each(place, said):
    rows = list(csv.DictReader((place / "results" / "evidence.csv").open(newline="")))
    assert [row["submission"] for row in rows] == ["ann", "bob", "cid", "dan", "eve"]
    assert rows[2]["vae_z_dim_20 verdict"] == "contradicted"
    assert rows[0]["vae_z_dim_20 same as"] == "bob"
    assert rows[3]["vae_z_dim_20 verdict"] == "absent"
    assert 0 < float(rows[0]["aae_z_dim_8_lambda_0.995 measured"]) < 1


def test_it_stands_below_the_figures_that_it_is_about(place, said):
    page = (place / "results" / "item-1.7.curves.html").read_text()
    cards = re.findall(r"<li data-s.*?</ul></li>", page, re.DOTALL)
    assert len(cards) == 5
    assert "contradicted</b> the end of the curve 0.52, measured" in cards[2]
    assert "no evidence handed in" in cards[3]


def test_those_with_a_verdict_can_be_shown_alone(place, said):
    page = (place / "results" / "item-1.7.curves.html").read_text()
    assert '<option value="contradicted">contradicted</option>' in page
    found = re.findall(r'<li data-s="." data-e="([a-z ,]*)"', page)
    assert [("contradicted" in one, "absent" in one) for one in found[2:4]] == [(True, False), (False, True)]


def test_what_the_models_draw_stands_beside_the_figures(place, said):
    page = (place / "results" / "item-1.8.grids.html").read_text()
    drawn = re.findall(r'<img class="ours" title="[^"]+: VAE, z_dim 20" src="./(\w+)/evidence-', page)
    assert drawn == ["ann", "bob", "cid"]
    with Image.open(place / "results" / "ann" / "evidence-vae_z_dim_20.png") as picture:
        assert (picture.size, picture.mode) == ((240, 240), "L")
        grey = np.asarray(picture)
    assert grey.std() > 40
    assert not (place / "results" / "eve" / "evidence-vae_z_dim_20.png").exists()


def test_students_read_what_was_measured_and_nothing_of_others(place, said):
    bob = (place / "results" / "bob" / "feedback.html").read_text()
    assert "Your full trainings" in bob
    assert "ann" not in bob
    cid = (place / "results" / "cid" / "feedback.md").read_text()
    assert re.search(r"[Tt]he end of the curve 0.52, measured [\d.]+ \([\d. to]+\): these do not fit", cid)
    dan = (place / "results" / "dan" / "feedback.html").read_text()
    assert "No evidence handed in: that costs no points." in dan


def test_marks_are_what_they_were(place, said):
    table = json.loads((place / "results" / "cid" / "results.json").read_text())
    assert table["points"] == table["max_points"]


def test_without_mnist_it_says_so(place, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MNIST_ROOT", str(tmp_path))
    image_sets.cache_clear()
    (tmp_path / "results").mkdir()
    try:
        command = ["evidence", str(place / "hand-ins" / "bob"), "--results", str(tmp_path / "results")]
        assert main(command) == 0
    finally:
        image_sets.cache_clear()
    captured = capsys.readouterr()
    assert "MNIST is not at hand, so nothing could be checked: set MNIST_ROOT" in captured.err
    assert "1 not checkable" in captured.out


def test_a_folder_that_is_not_there_is_told(place, capsys):
    assert main(["evidence", str(place / "hand-ins"), "--results", str(place / "nowhere")]) == 2
    assert "there is no such folder; give the --output folder of a run" in capsys.readouterr().err
