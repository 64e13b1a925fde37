"""Syntax of a newer Python is told from a mistake."""

from __future__ import annotations

import pytest

from grader.submission import newer_python
from grader.submission.newer_python import required_python

PY311 = (3, 11)


@pytest.mark.parametrize(
    ("source", "version"),
    [
        (b'x = f"a {"b"}"\n', (3, 12)),
        (b'x = f"{", ".join(names)} {chr(10)}"\n', (3, 12)),
        (b"type Pair = tuple[int, int]\n", (3, 12)),
        (b"def first[T](values: list[T]) -> T:\n    return values[0]\n", (3, 12)),
        (b"class Box[T = int]:\n    pass\n", (3, 13)),
        (b"try:\n    pass\nexcept ValueError, TypeError:\n    pass\n", (3, 14)),
    ],
)
def test_the_oldest_version_that_can_read_a_file(source: bytes, version: tuple[int, int]) -> None:
    assert required_python(source, PY311) == version


@pytest.mark.parametrize(
    "source",
    [
        b"def f(:\n    pass\n",
        b"if x\n    pass\n",
        b"print 'a'\n",
        b"x = (1,\n",
        b"def f():\nreturn 1\n",
        b'x = f"a {"b}"\n',
        b"\x00\xff",
        b"x = 1\n",
        b'x = f"a {"b"}"\nif x\n    pass\n',
    ],
)
def test_a_mistake_is_one_in_every_version_and_old_syntax_needs_none(source: bytes) -> None:
    assert required_python(source, PY311) is None


def test_without_ruff_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: object, **kwargs: object) -> None:
        raise FileNotFoundError("ruff")

    monkeypatch.setattr(newer_python.subprocess, "run", missing)
    assert required_python(b"type Pair = int\n", PY311) is None
