"""`results.json` is read in one place, and says what it is to tools outside."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from grader.marking.result import (
    Change,
    CheckResult,
    Decision,
    ItemResult,
    PictureDifference,
    SubmissionResult,
)
from grader.marking.result_json import json_schema, result_from_json

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "results.schema.json"
RESULT = SubmissionResult(
    submission="ada",
    seed=7,
    suite="sha256:0",
    sandbox="bwrap",
    seconds=4.25,
    items=(
        ItemResult("1.7.kld", 1.27, 1.5, "partial", (CheckResult("a", "failed", 0.15, "m", "h", "slip"),)),
        ItemResult("1.7.bpd", 1.0, 1.0, "passed", (CheckResult("b", "passed"),), "look"),
        ItemResult(
            "1.7.forward",
            2.0,
            2.0,
            "passed",
            decision=Decision(2.0, "r", "Anna", "2027-01-01T12:00:00Z", "sha256:1", 1.0, "partial"),
        ),
    ),
    violations=("v",),
    warnings=("w",),
    waived=("r",),
    hand_in="the second attempt",
    memory_mb=512.5,
    python="3.11.2",
    code="sha256:1",
    history=(Change("2027-01-01T12:00:00Z", "1.7.kld", 0.5, 1.27, "marked", "sha256:0"),),
    differences=(PictureDifference("1.9.manifold", "manifold", 0.25),),
)


def table() -> dict:
    return json.loads(json.dumps(RESULT.to_json()))


def read(content: object) -> SubmissionResult:
    return result_from_json(json.dumps(content).encode())


def test_what_is_written_is_read_as_it_was() -> None:
    assert read(table()) == RESULT


def test_keys_that_nobody_knows_are_passed_over() -> None:
    content = table()
    content["items"][0]["checks"][0]["new"] = content["items"][0]["new"] = content["new"] = {"a": 1}
    assert read(content) == RESULT


def test_a_result_of_an_earlier_version_without_the_added_keys_is_read() -> None:
    content = table()
    for key in ("schema", "hand_in", "memory_mb", "python", "code", "history"):
        del content[key]
    del content["items"][0]["checks"][0]["severity"]
    assert read(content).points == RESULT.points


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda content: content["items"][0].update(points=9), "9 of 1.5 points"),
        (lambda content: content["items"][0].update(points=float("nan")), "items.0.points"),
        (lambda content: content["items"][0].update(max_points=float("inf")), "items.0.max_points"),
        (lambda content: content["items"][0]["checks"][0].update(status="good"), "items.0.checks.0.status"),
        (lambda content: content["items"][0]["checks"][0].update(weight="1"), "items.0.checks.0.weight"),
        (lambda content: content.update(seed=1.5), "seed"),
        (lambda content: content.update(seed=True), "seed"),
        (lambda content: content.update(schema=2), "schema"),
        (lambda content: content.update(items=None), "items"),
        (lambda content: content.pop("suite"), "suite: Field required"),
    ],
)
def test_a_value_that_is_wrong_is_refused_with_its_place(change, place: str) -> None:
    content = table()
    change(content)
    with pytest.raises(ValueError, match="it is not a result") as error:
        read(content)
    assert place in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="it is not JSON"):
        result_from_json(content)


def test_the_schema_in_the_docs_is_that_of_the_model_and_fits_results() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json_schema()
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(table(), json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**table(), "seed": "7"}, json_schema())
