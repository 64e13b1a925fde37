"""`results.json` as bytes: the one place where it is read, and the schema for tools outside.

The model is `result.py`; pydantic, which typer brings along, checks what is read against it. Keys that nobody
knows are passed over, so that a newer grader's results can be read; a value that is not what it should be is
refused, whoever reads it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from grader.marking.result import SubmissionResult


@cache
def _model() -> Any:
    from pydantic import TypeAdapter  # only where results are read

    return TypeAdapter(SubmissionResult)


def result_from_json(content: bytes) -> SubmissionResult:
    """A result as it was before it was written.

    Raises:
        ValueError: it is no JSON, or not a result; the message names the first value that is wrong.
    """
    from pydantic import ValidationError

    try:
        result: SubmissionResult = _model().validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise ValueError(f"it is not JSON ({first['msg']})") from error
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"it is not a result ({place + ': ' if place else ''}{first['msg']})") from error
    return result


def json_schema() -> dict[str, Any]:
    """The JSON schema of `results.json`, draft 2020-12."""
    schema: dict[str, Any] = _model().json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
