"""Names that students chose."""

from __future__ import annotations

import os

import pytest

from grader.submission.names import MAX_NAME_BYTES, MAX_NAME_CHARACTERS, safe_name, stem
from grader.text import printable


@pytest.mark.parametrize("name", ["s1", "Jane Doe_1234567", "Zoë", "學生", "a+b@c", "v1.2"])
def test_a_good_name_stays(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "raw",
    [
        "..",
        ".",
        "",
        ".hidden",
        "a/b",
        "a\\b",
        "a\nb",
        "a\x1b[31mb",
        "a\u202eb",
        "C:x",
        "x" * 300,
        "é" * 150,
        "marks.csv",
        "index.html",
        "item-1.7.kld.html",
    ],
)
def test_a_bad_name_becomes_safe(raw):
    name = safe_name(raw)
    assert name != raw
    assert name.isprintable()
    assert not set(name) & set('/\\:*?"<>|')
    assert not name.startswith(".")
    assert len(name) <= MAX_NAME_CHARACTERS
    assert len(os.fsencode(name)) <= MAX_NAME_BYTES


def test_bad_names_that_look_alike_stay_apart():
    assert safe_name("a\x01") != safe_name("a\x02")
    assert safe_name("x" * 300) != safe_name("x" * 301)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("s1.zip", "s1"),
        ("s1.tar.gz", "s1"),
        ("S1.TGZ", "S1"),
        ("s1.v2.tar", "s1.v2"),
        (".zip", ".zip"),
        ("s1", "s1"),
    ],
)
def test_stem(name, expected):
    assert stem(name) == expected


def test_printable_escapes_what_a_terminal_acts_on():
    assert printable("a\x1b[2Jb\r\nc\u202ed") == "a\\x1b[2Jb\\r\\nc\\u202ed"
    assert printable(os.fsdecode(b"caf\xe9")) == "caf\\xe9"
    assert len(printable("x" * 1000)) == 200
