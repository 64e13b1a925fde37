from __future__ import annotations

import gzip
import io
import json
import logging
import tarfile
import time
import zipfile

import pytest

from gradebook.courses import ROOT, answers, autograded, notebook, pretend_to_grade, roster, run
from grader.gradebook.course import inside
from grader.gradebook.downloads import DownloadExtractor
from grader.gradebook.handed_in import UNREADABLE


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def zip_collect(course):
    from nbgrader.apps.zipcollectapp import ZipCollectApp

    with inside(course):
        app = ZipCollectApp()
        app.initialize(["a3", "--force"])
        app.start()


@pytest.fixture
def archive(course):
    """Where downloads are put."""
    folder = course.root / "downloaded" / "a3" / "archive"
    folder.mkdir(parents=True)
    return folder


def collected_files(course, student: str) -> set[str]:
    folder = course.submitted(student)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_downloads_of_every_platform_become_submissions(course, archive, monkeypatch, capsys):
    roster(course, "ada", first_name="Ada", last_name="Lovelace")
    roster(course, "alan", first_name="Alan", last_name="Turing")
    roster(course, "grace", lms_user_id="12345")
    roster(course, "1042")
    utils = (ROOT / "student" / "part1" / "utils.py").read_bytes()
    report = json.dumps(notebook(course)).encode()
    whole = zipped(
        {"my work/part1/utils.py": utils, "my work/report.ipynb": report, "my work/part1/x.pyc": b"1"}
    )
    (archive / "hopper_LATE_12345_99_work-1.zip").write_bytes(whole)
    moodle = archive / "Ada Lovelace_1327627_assignsubmission_file_"
    moodle.mkdir()
    (moodle / "a3.zip").write_bytes(whole)
    (archive / "13394-80551 - Alan Turing - Mar 29, 2027 1205 PM - a3.zip").write_bytes(whole)
    (archive / "1042.zip").write_bytes(
        zipped(
            {"../../evil.py": b"1", "/abs.py": b"1", "part1/utils.py": utils, "timestamp.txt": b"2000-01-01"}
        )
    )
    (archive / "Nobody Known_77_assignsubmission_file_.zip").write_bytes(whole)
    (archive / "broken_555_66_x.zip").write_bytes(whole[:300])
    zip_collect(course)
    assert not list(course.root.parent.rglob("evil.py"))
    assert not (course.submitted("1042") / "timestamp.txt").exists()  # a student does not say when
    assert (course.submitted("alan") / "timestamp.txt").read_text().startswith("2027-03-29 10:05:00")
    pretend_to_grade(monkeypatch)
    assert run(course) == 1  # two whom the roster does not know
    said = capsys.readouterr().out
    assert "Nobody-Known_77: is not on the roster" in said
    for student in ("ada", "alan", "grace"):
        assert (course.submitted(student) / "part1" / "utils.py").read_bytes() == utils
        assert answers(autograded(course, student))["q1-1"] == "My answer to q1-1."


@pytest.mark.slow
def test_a_bomb_costs_only_its_sender(course, archive, monkeypatch, capfd):
    from grader.gradebook import downloads

    monkeypatch.setattr(downloads, "MAX_MEMBER_BYTES", 10_000)
    (archive / "ada.zip").write_bytes(zipped({"part1/utils.py": b"0" * 1_000_000}))
    (archive / "bob.zip").write_bytes(zipped({"part1/utils.py": b"pass\n"}))
    zip_collect(course)
    assert "ada.zip: cannot be unpacked: part1/utils.py is larger than 10,000 bytes" in capfd.readouterr().err
    assert (course.submitted("bob") / "part1" / "utils.py").read_bytes() == b"pass\n"
    assert course.submitted("ada").is_dir()
    assert not (course.submitted("ada") / "part1" / "utils.py").exists()
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert "ada: the download could not be unpacked" in capfd.readouterr().out


def test_files_uploaded_one_by_one_find_their_places(course, archive, monkeypatch, capsys):
    roster(course, "ada", lms_user_id="12345")
    for name, content in {
        "utils-1.py": b"# later\n",
        "utils.py": b"# earlier\n",
        "models.py": b"# models\n",
        "report.ipynb": json.dumps(notebook(course)).encode(),
        "samples.png": b"\x89PNG\r\n\x1a\n1",
    }.items():
        (archive / f"lovelaceada_LATE_12345_67_{name}").write_bytes(content)
    zip_collect(course)
    assert (course.submitted("ada") / "part1" / "utils.py").read_bytes() == b"# later\n"
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert {"part1/utils.py", "part2/models.py", "report.ipynb", "figures/samples.png"} <= collected_files(
        course, "ada"
    )
    assert answers(autograded(course, "ada"))["q1-1"] == "My answer to q1-1."
    assert "A look is needed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    [
        "moegus_907_text.html",
        "moegus_LATE_907_text.html",
        "Gus Moe_55_assignsubmission_onlinetext_onlinetext.html",
        "Gus Moe_55_assignsubmission_onlinetext_/onlinetext.html",
    ],
)
def test_what_was_typed_into_a_platform_is_the_students(course, archive, monkeypatch, capsys, name):
    roster(course, "gus", lms_user_id="907", first_name="Gus", last_name="Moe")
    (archive / name).parent.mkdir(exist_ok=True)
    (archive / name).write_text("<html><body><p>1.1 It is the gap of the bound.</p></body></html>")
    zip_collect(course)
    assert [path.name for path in (course.root / "submitted").iterdir()] == ["gus"]
    kept = name.rpartition("/")[2].rpartition("_")[2]
    assert "gap of the bound" in (course.submitted("gus") / kept).read_text()
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    said = capsys.readouterr().out
    assert "handed in nothing" not in said
    assert "gap of the bound" in "".join(cell.source for cell in autograded(course, "gus").cells)


def test_code_in_an_archive_and_the_report_beside_it(course, archive):
    roster(course, "ada", lms_user_id="12345")
    (archive / "lovelaceada_12345_67_code.zip").write_bytes(zipped({"part1/utils.py": b"# in the zip\n"}))
    (archive / "lovelaceada_12345_68_report.ipynb").write_bytes(b"{}")
    (archive / "lovelaceada_12345_69_utils.py").write_bytes(b"# beside it\n")
    zip_collect(course)
    assert (course.submitted("ada") / "part1" / "utils.py").read_bytes() == b"# in the zip\n"
    assert {"part1/utils.py", "report.ipynb"} <= collected_files(course, "ada")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("lovelaceada_12345_67_a3.zip", "lovelaceada_LATE_12345_99_a3-1.zip"),
        (
            "12345-8 - Ada L - Mar 29, 2027 905 AM - a3.zip",
            "12345-8 - Ada L - Mar 29, 2027 1205 PM - again.zip",
        ),
    ],
)
def test_of_several_hand_ins_the_latest_counts(course, archive, first, second):
    """nbgrader's own collector stops for everyone where it finds two files of the same name."""
    roster(course, "ada", lms_user_id="12345")
    for name, text in ((first, b"# first\n"), (second, b"# second\n")):
        (archive / name).write_bytes(zipped({"part1/utils.py": text, "report.ipynb": b"{}"}))
    (archive / "bob.zip").write_bytes(zipped({"part1/utils.py": b"pass\n"}))
    zip_collect(course)
    assert (course.submitted("ada") / "part1" / "utils.py").read_bytes() == b"# second\n"
    assert (course.submitted("bob") / "part1" / "utils.py").read_bytes() == b"pass\n"
    if "PM" in second:
        assert (course.submitted("ada") / "timestamp.txt").read_text().startswith("2027-03-29 10:05:00")


@pytest.mark.parametrize(
    ("jane", "victor"),
    [
        (
            "Jane Doe_777_assignsubmission_file_x_12345_assignsubmission_file_a.zip",
            "Victor Victim_12345_assignsubmission_file_a.zip",
        ),
        ("doejane_777_88_x_12345_assignsubmission_file_a.zip", "victim_12345_99_a.zip"),
        (
            "777-8 - Jane Doe - Mar 29, 2027 1205 PM - x_12345_assignsubmission_file_a.zip",
            "12345-8 - Victor Victim - Mar 29, 2027 1205 PM - a.zip",
        ),
    ],
)
def test_nobody_hands_in_for_another_by_the_name_of_a_file(course, archive, jane, victor):
    roster(course, "jane", lms_user_id="777")
    roster(course, "victor", lms_user_id="12345")
    for name, student in ((jane, b"jane"), (victor, b"victor")):
        (archive / name).write_bytes(zipped({"part1/utils.py": student, "report.ipynb": b"{}"}))
    zip_collect(course)
    for student in ("jane", "victor"):
        assert (course.submitted(student) / "part1" / "utils.py").read_text() == student
        if "PM" in jane:
            stamp = (course.submitted(student) / "timestamp.txt").read_text()
            assert stamp.startswith("2027-03-29 10:05:00")


def test_nobody_is_lost_of_whose_download_nothing_counts(course, archive, monkeypatch, capsys):
    (archive / "a_1_2_a3.rar").write_bytes(b"Rar!")
    (archive / "b_2_2_a3.zip").write_bytes(b"no zip")
    (archive / "c_3_2_report.docx").write_bytes(b"PK")
    (archive / "Dora D_4_assignsubmission_file_").mkdir()
    (archive / "emil").mkdir()
    (archive / "fay.zip").write_bytes(
        zipped({"x/report.ipynb": b"{}", "x/old/report.ipynb": b"{}", "y/report.ipynb": b"{}"})
    )
    (archive / "readme.txt").write_bytes(b"of no student")
    zip_collect(course)
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    said = capsys.readouterr().out
    for student in ("a_1", "b_2", "c_3", "Dora-D_4", "emil"):
        assert f"{student}: the download could not be unpacked: " in said
    assert (
        "unpacked: a_1_2_a3.rar: it is neither a zip nor a tar nor a tar.gz archive; hand in one of these\n"
        in said
    )
    assert "fay: several notebooks" in said or "fay: x/report.ipynb" in said
    assert "readme" not in said


def tarred(*members: tuple[str, bytes, bytes]) -> bytes:
    """A tar.gz of members, each a name, a type and its contents."""
    content = b""
    for name, kind, data in members:
        info = tarfile.TarInfo(name)
        info.size, info.type = len(data), kind
        content += info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)
    return gzip.compress(content + bytes(1024))


def packed_with(method: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        archive.writestr("part1/utils.py", b"pass\n" * 100)
    return content.getvalue()


UTILS = ("part1/utils.py", b"0", b"pass\n")
REFUSED = {
    "a header of digits": (tarred(("x", b"x", b"1" * 40_000), UTILS), "an extended header in it is broken"),
    "a long header": (tarred(("x", b"L", b"a/" * 1_000_000), UTILS), "a header in it is too long"),
    "deep names": (zipped({"a/" * 30_000 + "x": b"", "part1/utils.py": b""}), "a name that is too long"),
    "memory to unpack": (packed_with(zipfile.ZIP_LZMA), "part1/utils.py is compressed in an unusual way"),
    "cut off": (tarred(UTILS, ("figures/a.png", b"0", bytes(9_000)))[:-20], "damaged or cut off"),
    "unpacks to much": (tarred(("big.bin", b"0", bytes(3_000_000)), UTILS), "unpacks to more than 2,000,000"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_an_archive_that_marking_would_refuse_is_left_out(tmp_path, caplog, monkeypatch, content, reason):
    monkeypatch.setattr("grader.submission.tar.MAX_UNPACKED_BYTES", 2_000_000)
    archives, extracted = tmp_path / "archive", tmp_path / "extracted"
    archives.mkdir()
    (archives / "ada_1_2_a3.tar.gz").write_bytes(content)
    (archives / "bob_2_3_a3.tar.gz").write_bytes(
        tarred(UTILS, ("../evil.py", b"0", b""), ("d.py", b"2", b""))
    )
    start = time.process_time()
    DownloadExtractor(log=logging.getLogger("downloads")).extract(str(archives), str(extracted))
    assert time.process_time() - start < 2
    (record,) = caplog.records
    assert record.getMessage().startswith("ada_1_2_a3.tar.gz: cannot be unpacked: ")
    assert reason in record.getMessage()
    assert reason in (extracted / "ada_1_2_a3.tar.gz" / UNREADABLE).read_text()
    bobs = [path for path in (extracted / "bob_2_3_a3.tar.gz").rglob("*") if path.is_file()]
    assert [(path.name, path.read_bytes()) for path in bobs] == [("utils.py", b"pass\n")]


def test_all_files_together_have_a_cap(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("grader.gradebook.downloads.MAX_TOTAL_BYTES", 10_000)
    archives = tmp_path / "archive"
    archives.mkdir()
    (archives / "ada.zip").write_bytes(zipped({f"part1/{number}.py": bytes(2_000) for number in range(6)}))
    DownloadExtractor(log=logging.getLogger("downloads")).extract(str(archives), str(tmp_path / "out"))
    assert "ada.zip: cannot be unpacked: its files are larger than 10,000 bytes" in caplog.text


def test_a_notebook_is_a_notebook_whatever_hangs_on_it(tmp_path):
    archives = tmp_path / "archive"
    archives.mkdir()
    (archives / "ada_1_2_report.ipynb").write_bytes(b"{}" + zipped({"part1/utils.py": b""}))
    (archives / "bob_2_2_answer").write_bytes(zipped({"part1/utils.py": b"pass"}))
    DownloadExtractor(log=logging.getLogger("downloads")).extract(str(archives), str(tmp_path / "out"))
    out = tmp_path / "out"
    files = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert files == {"ada_1_2_report.ipynb/report.ipynb", "bob_2_2_answer/part1/utils.py"}


def test_a_single_file_has_a_cap_too(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("grader.gradebook.downloads.MAX_MEMBER_BYTES", 10_000)
    archives = tmp_path / "archive"
    archives.mkdir()
    (archives / "ada_1_2_report.ipynb").write_bytes(bytes(10_001))
    DownloadExtractor(log=logging.getLogger("downloads")).extract(str(archives), str(tmp_path / "out"))
    (record,) = caplog.records
    assert record.getMessage() == "ada_1_2_report.ipynb: cannot be unpacked: is larger than 10,000 bytes"


def test_a_folder_in_the_place_of_the_note_stops_nobody(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("grader.gradebook.downloads.MAX_MEMBER_BYTES", 10_000)
    archives = tmp_path / "archive"
    archives.mkdir()
    (archives / "ada.zip").write_bytes(zipped({f"{UNREADABLE}/a.py": b"", "part1/utils.py": bytes(20_000)}))
    (archives / "bob.zip").write_bytes(zipped({"part1/utils.py": b"pass"}))
    DownloadExtractor(log=logging.getLogger("downloads")).extract(str(archives), str(tmp_path / "out"))
    assert "part1/utils.py is larger than" in (tmp_path / "out" / "ada" / UNREADABLE).read_text()
    assert (tmp_path / "out" / "bob" / "part1" / "utils.py").read_bytes() == b"pass"
