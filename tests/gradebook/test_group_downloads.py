"""Hand-ins of groups in the downloads of learning platforms."""

from __future__ import annotations

import json

import pytest

from gradebook.courses import answers, autograded, notebook, pretend_to_grade, roster, run, scores
from gradebook.test_downloads import zip_collect, zipped
from grader.gradebook.groups import Group, Groups
from grader.gradebook.owners import find_owners
from grader.gradebook.roster import Person, Roster
from grader.submission.downloads import parse_all

PEOPLE = (
    Person("zoe", "Zoë", "Çelik", platform="904"),
    Person("bob", "Bob", "O'Brien", platform="905"),
    Person("ada", "Ada", "Lovelace", platform="906"),
)
GROUPS = Groups((Group("Group 12", ("zoe", "bob")), Group("Gruppe Ä", ("ada",))))


def whose(*names: str):
    return find_owners(dict.fromkeys(names) | parse_all(names), Roster(PEOPLE), GROUPS)


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("group_12_904_55004_utils.py", "zoe"),  # Canvas: the number is that of a member
        ("group_12_777_55004_utils.py", "Group-12"),
        ("group12_777_55004_a3.zip", "Group-12"),
        ("13394-80551 - Group 12 - Mar 29, 2018 1205 PM - a3.zip", "Group-12"),
        ("13394-80551 - gruppe ä - 29. März 2018 1205 - a3.zip", "Gruppe-Ä"),
        ("Group 12-Zoë Çelik_55_assignsubmission_file_", "zoe"),
        ("Group 12_55_assignsubmission_file_", "Group-12"),
        ("Group 12", "Group-12"),
        ("Group-12", "Group-12"),
    ],
)
def test_groups_as_platforms_write_them(name, owner):
    (found,) = whose(name).values()
    assert (found.student, found.known, found.notes) == (owner, True, ())


def test_a_group_and_a_number_that_contradict_each_other_are_named():
    (found,) = whose("group_12_906_55004_utils.py").values()
    assert not found.known
    assert (
        "group_12 is the name of Group 12, and the number 906 that of ada, who is not in it" in found.notes[0]
    )


@pytest.mark.parametrize("between", ["-", " \u2013 "])
def test_another_group_in_moodle_is_named(between):
    (found,) = whose(f"Group 12{between}Ada Lovelace_55_assignsubmission_file_").values()
    assert (found.student, found.known) == ("ada", True)
    assert found.notes == ("is in Group 12 for Moodle, and not by groups.csv, which counts",)


@pytest.mark.parametrize("name", ["Group 12 (1234)", "Group A. 12", "Group 13"])
def test_a_group_with_something_more_is_another(name):
    (found,) = whose(f"13394-80551 - {name} - Mar 29, 2018 1205 PM - a3.zip").values()
    assert not found.known


def test_a_group_that_is_not_in_the_file_is_nobodys():
    (found,) = whose("13394-80551 - Group 13 - Mar 29, 2018 1205 PM - a3.zip").values()
    assert not found.known


@pytest.fixture
def archive(course):
    roster(course, "ada", lms_user_id="904", first_name="Ada", last_name="Lovelace")
    roster(course, "bob", lms_user_id="905", first_name="Bob", last_name="Ross")
    roster(course, "cleo", lms_user_id="906", first_name="Cleo", last_name="Carr")
    (course.root / "groups.csv").write_text("group,students\ngroup 12,ada,bob\nB,cleo\n")
    folder = course.root / "downloaded" / "a3" / "archive"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ["group_12_904_55004_a3.zip", "b_906_55005_a3.zip"],
        ["group_12_1_55004_a3.zip", "carrcleo_906_55005_a3.zip"],
        [
            "group 12-Ada Lovelace_51_assignsubmission_file_a3.zip",
            "group 12-Bob Ross_52_assignsubmission_file_a3.zip",
        ],
        ["13-80551 - group 12 - Mar 29, 2027 1205 PM - a3.zip"],
        ["group 12.zip"],
    ],
)
def test_every_member_of_a_platforms_group_gets_the_mark(course, archive, monkeypatch, names):
    pretend_to_grade(monkeypatch)
    report = json.dumps(notebook(course)).encode()
    for name in names:
        (archive / name).write_bytes(zipped({"a3/report.ipynb": report, "a3/GROUP": b"ada\nbob\n"}))
    zip_collect(course)
    for _ in range(2):
        assert run(course) == 0
        for student in ("ada", "bob"):
            assert answers(autograded(course, student))["q1-1"] == "My answer to q1-1."
            assert not scores(course, student)["q1-7-kld"].waits
        assert len([path for path in course.collected.iterdir() if path.name.split("+")[0] != "cleo"]) == 1
        zip_collect(course)
