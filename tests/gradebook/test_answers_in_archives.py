"""Answers in an archive within a hand-in that nbgrader's exchange brought."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import pytest

from gradebook.courses import (
    ROOT,
    answers,
    autograded,
    hand_in,
    notebook,
    pretend_to_grade,
    roster,
    run,
    scores,
)
from gradebook.test_downloads import zip_collect
from gradebook.test_what_is_unpacked import tarred, zipped
from grader.gradebook.packed import unpack_within
from grader.gradebook.reports import read_reports
from grader.release.bundle import contents, pack

PNG = b"\x89PNG\r\n\x1a\n1"
RAR, SEVEN_ZIP = b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c"


def code() -> dict[str, bytes]:
    files = [file for part in ("part1", "part2") for file in (ROOT / "student" / part).glob("*.py")]
    return {file.relative_to(ROOT / "student").as_posix(): file.read_bytes() for file in files}


@pytest.fixture
def graded(course, monkeypatch):
    """Grade a hand-in, by default with a blank report; returns how many answers wait."""

    def grade(files, report=None, with_code=True):
        roster(course, "ada")
        report = notebook(course, lambda name: None) if report is None else report
        hand_in(course, "ada", report or None, extra=files, code=with_code)
        pretend_to_grade(monkeypatch)
        assert run(course) == 0
        return sum(grade.waits for grade in scores(course, "ada").values())

    return grade


@pytest.fixture
def answered(course):
    return json.dumps(notebook(course)).encode()


def test_the_report_is_read_where_the_code_was(graded, course, answered, capsys):
    handin = zipped(code() | {"report.ipynb": answered, "figures/1.9_manifold.png": PNG})
    assert graded({"handin.zip": handin}, report={}, with_code=False) == 17
    out = capsys.readouterr().out
    assert "no notebook was handed in" not in out
    assert "read from handin.zip" in out
    assert answers(autograded(course, "ada"))["q1-1"] == "My answer to q1-1."
    assert (course.autograded("ada") / "figures" / "1.9_manifold.png").read_bytes() == PNG
    assert (course.autograded("ada") / "part1" / "utils.py").is_file()


@pytest.mark.parametrize(
    "name", ["handin.zip", "report.zip", "a3/report.tar.gz", "written.tar", "report", "a.bin"]
)
@pytest.mark.parametrize("with_code", [True, False])
def test_a_report_in_an_archive_counts_before_a_blank_one(graded, course, answered, capsys, name, with_code):
    files = {"a3/report.ipynb": answered} | ({} if with_code else code())
    mode = "w:gz" if name.endswith("gz") else "w"
    content = tarred(files, mode) if ".tar" in name else zipped(files)
    assert graded({name: content}, with_code=with_code) == 17
    out = capsys.readouterr().out
    assert f"{name}/a3/report.ipynb counts, not report.ipynb" in out
    assert "another form" not in out
    assert answers(autograded(course, "ada"))["q1-1"] == "My answer to q1-1."


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("report.zip", zipped({"report.pdf": b"%PDF-1.4"}), "report.zip/report.pdf"),
        ("report.zip", zipped({"a/b/c/d/report.pdf": b"%PDF-1.4"}), "report.zip/a/b/c/d/report.pdf"),
        ("overleaf.zip", zipped({"main.tex": b"1.1 Draw z.", "a.bib": b""}), "overleaf.zip/main.tex"),
        (
            "all.zip",
            zipped({"report.tar.gz": tarred({"report.md": b"1.1 z"})}),
            "all.zip/report.tar.gz/report.md",
        ),
        ("all.zip", zipped({"report.rar": RAR}), "all.zip/report.rar"),
        ("data.zip", zipped({"report.pdf": b"%PDF-1.4"}), "data.zip/report.pdf"),
        ("report.rar", RAR, "report.rar"),
        ("a3/report.7z", SEVEN_ZIP, "a3/report.7z"),
        ("handin.rar", RAR, "handin.rar"),
        ("report.zip", zipped({"report.ipynb": b"{}" * 99})[:-40], "report.zip"),
        ("report.zip", b"not a zip", "report.zip"),
        ("report.pdf.gz", gzip.compress(b"%PDF-1.4"), "report.pdf.gz"),
        (".report.zip", zipped({"report.pdf": b"%PDF-1.4"}), ".report.zip/report.pdf"),
        ("answers.zip", zipped({"1.xyz": b"1"}), "answers.zip"),
        ("antwoorden.zip", zipped({}), "antwoorden.zip"),
    ],
)
def test_blank_answers_beside_an_archive_that_may_hold_them_wait(graded, course, capsys, name, content, said):
    assert graded({name: content}) == 17
    assert said in capsys.readouterr().out
    shown = "\n".join(cell.source for cell in autograded(course, "ada").cells)
    assert said in shown.replace("\\", "")


def test_an_encrypted_report_waits(graded):
    content = io.BytesIO(zipped({"report.pdf": b"%PDF"}))
    changed = content.getvalue().replace(b"PK\x03\x04\x14\x00\x00", b"PK\x03\x04\x14\x00\x01")
    assert (
        graded(
            {
                "mine.zip": changed.replace(
                    b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"
                )
            }
        )
        == 17
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "data.zip",
            zipped({f"MNIST/raw/{part}-images-idx3-ubyte.gz": b"\x1f\x8b1" for part in ("train", "t10k")}),
        ),
        ("MNIST/train-images-idx3-ubyte.gz", gzip.compress(bytes(9))),
        ("train-labels-idx1-ubyte.gz", gzip.compress(bytes(9))),
        (
            "lightning_logs.zip",
            zipped({"version_0/metrics.csv": b"1", "version_0/checkpoints/a.ckpt": b"PK"}),
        ),
        ("lightning_logs.tar.zst", b"\x28\xb5\x2f\xfd"),
        ("mnist-data.7z", SEVEN_ZIP),
        ("evidence.zip", zipped({"1.7/metrics.csv": b"1", "1.7/weights.pt": b"PK"})),
        ("metrics.csv.gz", gzip.compress(b"1.1")),
        ("code.zip", zipped(code())),
        ("figures.zip", zipped({"figures/1.9_manifold.png": PNG, "epoch_1.png": PNG})),
        ("evidence/1.7/weights.pt", zipped({"archive/data.pkl": b""})),
        ("weights.ckpt", zipped({"archive/data.pkl": b""})),
        ("empty.zip", zipped({})),
        ("deep-generative-models.zip", pack(contents())),
    ],
)
def test_an_archive_that_holds_plainly_no_report_lets_no_answer_wait(graded, capsys, name, content):
    assert graded({name: content}) == 0


def test_what_handin_packs_lets_no_answer_of_the_same_blank_report_wait(graded, course):
    blank = json.dumps(notebook(course, lambda name: None)).encode()
    assert graded({"handin.zip": zipped(code() | {"report.ipynb": blank})}) == 0


def test_an_earlier_report_in_an_archive_is_no_matter_where_all_is_answered(graded, course, answered, capsys):
    report = notebook(course, lambda name: f"Final {name}.")
    assert graded({"handin.zip": zipped(code() | {"report.ipynb": answered})}, report) == 17
    assert "several notebooks" not in capsys.readouterr().out
    assert not any("My answer" in cell.source for cell in autograded(course, "ada").cells)


def test_too_many_archives_wait(tmp_path):
    (tmp_path / "raw").mkdir()
    for number in range(25):
        (tmp_path / "raw" / f"{number:02}.zip").write_bytes(zipped({"a.xyz": b"1"}))
    deep = zipped({"report.pdf": b"%PDF"})
    for _ in range(5):
        deep = zipped({"a.zip": deep})
    (tmp_path / "raw" / "00.zip").write_bytes(deep)
    found = unpack_within(tmp_path / "raw", tmp_path / "work")
    assert set(found.closed) == {f"{number}.zip" for number in range(20, 25)} | {"00.zip/a.zip"}


def test_an_archive_may_not_write_elsewhere_or_hold_links(tmp_path):
    (tmp_path / "raw").mkdir()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("../../report.pdf", b"%PDF")
        archive.writestr("report.md", b"1.1 z")
        link = zipfile.ZipInfo("answers.md")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/hostname")
    (tmp_path / "raw" / "a.zip").write_bytes(content.getvalue())
    (tmp_path / "raw" / "b.zip").symlink_to("a.zip")
    reports = read_reports(tmp_path / "raw", unpack_within(tmp_path / "raw", tmp_path / "work"))
    assert reports.unread == ["a.zip/report.md"]
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"raw/a.zip", "raw/b.zip", "work/unpacked/a.zip/report.md"}


@pytest.mark.parametrize(
    ("name", "waiting"), [("report.rar", 17), ("old.zip", 17), (".answers.md", 17), ("mnist.rar", 0)]
)
def test_what_a_platform_gives_out_waits_too(course, monkeypatch, answered, name, waiting):
    blank = json.dumps(notebook(course, lambda cell: None)).encode()
    content = {"old.zip": zipped(code() | {"report.ipynb": answered}), ".answers.md": b"1.1 Draw z."}.get(
        name, RAR
    )
    (course.root / "downloaded" / "a3" / "archive").mkdir(parents=True)
    download = zipped(code() | {"report.ipynb": blank, name: content})
    (course.root / "downloaded" / "a3" / "archive" / "ada.zip").write_bytes(download)
    roster(course, "ada")
    zip_collect(course)
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert sum(grade.waits for grade in scores(course, "ada").values()) == waiting
