"""Tables and options of a training, as anybody may have written them."""

from __future__ import annotations

import pytest

from grader.evidence.records import MOST_ROWS, read_records

TABLE = b"epoch,val_bpd,train_bpd,seconds\n0,4.01,,\n1,0.84,1.14,21.5\n2,0.7,0.75,22\n"


def test_a_table_is_read_by_epoch():
    records, problems = read_records({"metrics.csv": TABLE, "summary.csv": b"test_bpd\n0.71\n"})
    assert not problems
    assert records.rows[0] == {"epoch": 0.0, "val_bpd": 4.01}
    assert (records.last, records.rows[2]["val_bpd"], records.summary) == (2, 0.7, {"test_bpd": 0.71})


def test_options_are_numbers_and_no_others_are_kept():
    content = b'{"options": {"z_dim": 20, "lambda_": "much", "epochs": 80, "seed": true, "other": 1}}'
    records, problems = read_records({"options.json": content})
    assert not problems
    assert records.options == {"z_dim": 20, "epochs": 80}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.csv", b"\xff\xfe\x00"),
        ("metrics.csv", b"epoch\n" + b"1\n" * (MOST_ROWS + 1)),
        ("metrics.csv", b"epoch,val_bpd\n1e400,2\n" + b"x" * 600_000),
        ("options.json", b"[" * 100_000),
        ("options.json", b"{}"),
        ("options.json", b'{"options": 3}'),
        ("options.json", b"not json"),
    ],
)
def test_what_cannot_be_read_is_named_and_nothing_comes_of_it(name, content):
    records, problems = read_records({name: content})
    assert problems == [f"{name} cannot be read"]
    assert (dict(records.rows), dict(records.options)) == ({}, {})


def test_cells_that_are_no_numbers_are_left_out():
    records, problems = read_records(
        {"metrics.csv": b"epoch,val_bpd,a\n1,nan,=cmd()\n2,inf,0.5\nthree,1,2\n"}
    )
    assert not problems
    assert {epoch: dict(row) for epoch, row in records.rows.items()} == {
        1: {"epoch": 1.0},
        2: {"epoch": 2.0, "a": 0.5},
    }


def test_times_are_the_same_for_a_copy_only():
    mine, copy = (read_records({"metrics.csv": TABLE})[0].times() for _ in range(2))
    other = read_records({"metrics.csv": TABLE.replace(b"21.5", b"21.6")})[0].times()
    assert mine == copy != other
    assert read_records({"metrics.csv": b"epoch,val_bpd\n1,2\n2,1\n"})[0].times() == ""


def test_a_width_that_no_network_has_is_not_taken():
    for filters, width in ((64, 64), (0, 32), (10**9, 32), (2.5, 32)):
        content = f'{{"options": {{"num_filters": {filters}}}}}'.encode()
        assert read_records({"options.json": content})[0].option("num_filters", 32, 256) == width
