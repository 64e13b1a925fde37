"""Reading a folder of results back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from grader.errors import GraderUsageError
from grader.marking.result import FAILED
from grader.report.pages.load import load
from grader.report.pictures import Picture
from grader.report.results_json import write_result

from .images import write_pictures
from .results import result, waiting


def test_what_was_written_is_read_back(tmp_path):
    results = [
        result("s1", violations=("v",), warnings=("w",), waived=("x",)),
        result("s2", lambda item: (FAILED, 0.5, "message", "hint")),
        waiting("s3", {"1.7.kld"}, "written for Python 3.12"),
    ]
    for one in results:
        write_result(tmp_path, one)
    records, problems = load(tmp_path)
    assert [record.result for record in records] == results
    assert problems == []


def test_pictures_and_memory_are_found_where_they_are(tmp_path):
    path = write_result(tmp_path, result("s1"))
    write_pictures(path.parent, [Picture("1.8.sample", "samples", np.zeros((4, 28, 28)))])
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "memory_mb": 812.5, "something": "new"}))
    ((record,), _) = load(tmp_path)
    assert [(picture.item, picture.kind) for picture in record.pictures] == [("1.8.sample", "samples")]
    assert record.result.memory_mb == 812.5


def test_a_picture_that_is_a_link_is_left_alone(tmp_path):
    path = write_result(tmp_path, result("s1"))
    (tmp_path / "secret.png").write_bytes(b"secret")
    (path.parent / "1.8.sample.samples.png").symlink_to(tmp_path / "secret.png")
    (path.parent / "figures").symlink_to(tmp_path)
    ((record,), _) = load(tmp_path)
    assert (record.pictures, record.figures) == ((), ())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: "{", "it is not JSON"),
        (lambda content: "[" * 100_000, "it is not JSON"),
        (lambda content: "[]", "it is not a result"),
        (lambda content: json.dumps({**content, "items": None}), "it is not a result"),
        (
            lambda content: json.dumps({**content, "seconds": "nan"}),
            "seconds: Input should",
        ),
        (
            lambda content: json.dumps({**content, "warnings": "one"}),
            "warnings: Input should",
        ),
        (
            lambda content: json.dumps({k: v for k, v in content.items() if k != "seed"}),
            "seed: Field",
        ),
        (
            lambda content: json.dumps(content).replace('"passed"', '"perfect"'),
            "status: Input",
        ),
        (lambda content: "caf\udce9", "it is not JSON"),
    ],
)
def test_a_damaged_result_is_named_and_the_others_are_read(tmp_path, change, told):
    path = write_result(tmp_path, result("s1"))
    write_result(tmp_path, result("s2"))
    path.write_text(change(json.loads(path.read_text())), errors="surrogateescape")
    records, problems = load(tmp_path)
    assert [record.name for record in records] == ["s2"]
    (problem,) = problems
    assert problem.startswith(f"{path}: ")
    assert told in problem
    assert problem.endswith("; grade this submission again")


def test_the_folders_name_counts_and_hidden_folders_do_not(tmp_path):
    write_result(tmp_path, result("s1"))
    (tmp_path / "s1").rename(tmp_path / "s9")
    write_result(tmp_path, result("s2"))
    (tmp_path / "s2").rename(tmp_path / ".s2")
    records, _ = load(tmp_path)
    assert [(record.name, record.result.submission) for record in records] == [("s9", "s9")]


def test_pairs_that_are_nearly_the_same_are_known_both_ways(tmp_path):
    for name in ("s1", "s2", "s3"):
        write_result(tmp_path, result(name))
    (tmp_path / "similar.json").write_text('{"pairs": [{"a": "s1", "b": "s3", "score": 0.98}]}')
    records, problems = load(tmp_path)
    assert [record.alike for record in records] == [(("s3", 0.98),), (), (("s1", 0.98),)]
    assert problems == []
    (tmp_path / "similar.json").write_text('{"pairs": [1]}')
    records, (problem,) = load(tmp_path)
    assert len(records) == 3
    assert "similar.json: it does not list pairs" in problem


def test_a_folder_without_results_is_a_mistake(tmp_path):
    with pytest.raises(GraderUsageError, match="no results in it"):
        load(tmp_path)
    with pytest.raises(GraderUsageError, match="there is no such folder"):
        load(tmp_path / "nowhere")
