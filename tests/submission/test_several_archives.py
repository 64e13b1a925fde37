"""Several archives that one student handed in together: parts are read together, of versions the latest
counts, what holds no code is named, and where that would lose code a person looks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.submission import FIGURES, Submission, find_submissions, read_found

from .hand_ins import tarred, zipped

# How one student's uploads are called: side by side, or in a folder of theirs.
PLATFORMS = {
    "Canvas": "doejane_12_{number}_{name}",
    "Brightspace": "13394-80551 - Jane Doe - Mar 29, 2018 1205 PM - {name}",
    "Moodle, flat": "Jane Doe_132_assignsubmission_file_{name}",
    "Moodle": "Jane Doe_132_assignsubmission_file_/{name}",
    "a folder": "ada/{name}",
}


@pytest.fixture(params=PLATFORMS)
def hand_in(request, tmp_path):
    """Hands in files, the earliest first; returns the submission and what the run says."""

    def put(uploads: dict[str, bytes]) -> tuple[Submission, str]:
        for number, (name, content) in enumerate(uploads.items(), 1):
            path = Path(tmp_path, "cohort", PLATFORMS[request.param].format(number=number + 70, name=name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (10**9 + number, 10**9 + number))
        cohort = find_submissions([tmp_path / "cohort"])
        (found,) = cohort.submissions
        return read_found(found, shown=FIGURES), "\n".join(cohort.warnings)

    return put


def part(files, name):
    return {file: text for file, text in files.items() if file.startswith(name)}


def test_an_archive_for_each_part(hand_in, files):
    one, said = hand_in({name: zipped(part(files, name[:5])) for name in ("part1.zip", "part2.zip")})
    assert one.files == files
    assert not one.review
    assert "counts" not in said


def test_parts_under_any_name_and_of_any_kind(hand_in, files):
    one, _ = hand_in(
        {"vae.tar.gz": tarred(part(files, "part1"), "gz"), "aae.zip": zipped(part(files, "part2"))}
    )
    assert one.files == files
    assert not one.review


@pytest.mark.parametrize("beside", ["figures.zip", "report.zip"])
@pytest.mark.parametrize("last", [True, False])
def test_an_archive_without_code_takes_nobodys_place(hand_in, files, beside, last):
    report = zipped({"report.ipynb": b"{}", "figures/a.png": b"x"})
    uploads = {"code.zip": zipped(files), beside: report}
    one, said = hand_in(uploads if last else dict(reversed(uploads.items())))
    assert one.files == files
    assert not one.review
    assert beside in said


def test_of_versions_the_latest_counts_and_the_student_is_told(hand_in, files):
    one, said = hand_in(
        {"a3.zip": zipped(files), "a3 final.zip": zipped(files | {"part1/utils.py": b"# final"})}
    )
    assert one.files["part1/utils.py"] == b"# final"
    (told,) = [line for line in one.warnings if "the latest counts" in line]
    assert told in said
    assert "a3.zip" in told


@pytest.mark.parametrize(
    "late", [{"part2/models.py": b"# better"}, {"utils.py": b"# better"}, {"x/part1/train_pl.py": b"#"}]
)
def test_a_later_archive_that_lacks_what_an_earlier_one_has_waits(hand_in, files, late):
    one, said = hand_in({"a3.zip": zipped(files), "fix.zip": zipped(late)})
    assert "fix.zip" in one.review
    assert "a3.zip" in one.review
    assert "a3.zip" in said


def test_a_damaged_archive_beside_a_good_one_waits(hand_in, files):
    one, said = hand_in({"a3.zip": zipped(files), "a3 new.zip": zipped(files)[:400]})
    assert "a3 new.zip" in one.review
    assert "a3.zip" in one.review + said


def test_single_files_and_an_archive_without_code(hand_in, files):
    flat = {name.rpartition("/")[2]: text for name, text in files.items()}
    one, said = hand_in(flat | {"report.zip": zipped({"report.ipynb": b"{}"})})
    assert one.files == files
    assert "report.zip" in said + " ".join(one.warnings)


def test_single_files_and_an_archive_that_lacks_them_wait(hand_in, files):
    late = {"models.py": files["part2/models.py"], "train.py": files["part2/train.py"]}
    one, _ = hand_in({"part one.zip": zipped(part(files, "part1"))} | late)
    assert "part one.zip" in one.review
