"""Whose a download is, by the roster's names: as Moodle, Macs and groups write them."""

from __future__ import annotations

import unicodedata

import pytest

from gradebook.courses import pretend_to_grade, roster, run
from gradebook.test_downloads import zip_collect, zipped
from grader.gradebook.owners import find_owners
from grader.gradebook.roster import Person, Roster
from grader.submission.downloads import parse_all

PEOPLE = (
    Person("bob", "Bob", "O'Brien"),
    Person("jose", "José", "Núñez"),
    Person("zoe", "Zoë", "Çelik"),
    Person("anne", "Anne-Marie", "Smith"),
    Person("ada", "Ada", "Lovelace", platform="901"),
    Person("grace", "Grace", "Hopper"),
    Person("åsa"),
    Person("mary1", "Mary", "Jones"),
    Person("mary2", "Mary", "Jones", platform="555"),
    Person("lukasz", "Łukasz", "Weiß"),
)


def whose(*names: str, people=PEOPLE) -> dict:
    return find_owners(dict.fromkeys(names) | parse_all(names), Roster(people))


def moodle(name: str, number: int = 904) -> str:
    return f"{name}_{number}_assignsubmission_file_"


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Bob OBrien", "bob"),
        ("Bob O\u2019Brien", "bob"),
        ("bob o'brien", "bob"),
        ("José Núñez", "jose"),
        (unicodedata.normalize("NFD", "José Núñez"), "jose"),
        ("Núñez José", "jose"),
        ("Group A-Zoë Çelik", "zoe"),
        (unicodedata.normalize("NFD", "Groep 1 - dinsdag-Zoë Çelik"), "zoe"),
        ("Team O'Neil-Bob OBrien", "bob"),
        ("B-Anne-Marie Smith", "anne"),
        ("ŁUKASZ WEISS", "lukasz"),
        ("Mary Jones", None),  # two of that name
        ("Group A-Mary Jones", None),
        ("Zoe Celik Bey", None),
        ("Anna Zoë Çelik", None),  # no group before a hyphen
        ("Smith", None),
        ("Group A-", None),
    ],
)
def test_names_as_moodle_writes_them(name, student):
    (owner,) = whose(moodle(name)).values()
    assert owner.known == (student is not None)
    if student:
        assert (owner.student, owner.notes) == (student, ())


@pytest.mark.parametrize(("name", "student"), [("Jose Nunez", "jose"), ("Anne Marie Smith", "anne")])
def test_a_name_that_is_only_alike_is_taken_and_said(name, student):
    (owner,) = whose(moodle(name)).values()
    assert owner.student == student
    assert owner.notes == (f"{name} was taken for {student}, whose name is alike: see whether that is right",)


LETTERS = (
    Person("soren", "Søren", "Kierkegaard"),
    Person("walesa", "Łukasz", "Wałęsa"),
    Person("dorde", "Đorđe", "Petrović"),
    Person("ipek", "İpek", "Y\u0131lmaz"),
    Person("irmak", "Irmak", "Kilic"),
    Person("aegir", "Ægir", "Østerby"),
    Person("juergen", "Juergen", "Mueller"),
    Person("ole", "Ole", "Sørensen"),
    Person("gudrun", "Guðrún", "Þórsdóttir"),
    Person("ase", "Åse", "Lønning"),
)


@pytest.mark.parametrize(
    ("name", "student"),
    [
        (moodle("Soren Kierkegaard"), "soren"),
        (moodle("Soeren Kierkegaard"), "soren"),
        (moodle("Sören Kierkegaard"), "soren"),
        (moodle("Group A-Soren Kierkegaard"), "soren"),
        (moodle("Lukasz Walesa"), "walesa"),
        (moodle("Walesa, Lukasz"), "walesa"),
        (moodle("Dorde Petrovic"), "dorde"),
        (moodle("Djordje Petrovic"), "dorde"),
        (moodle("Ipek Yilmaz"), "ipek"),
        (moodle("IPEK YILMAZ"), "ipek"),
        (moodle("Irmak K\u0131l\u0131ç"), "irmak"),
        (moodle("İrmak K\u0131l\u0131ç"), "irmak"),
        (moodle("Aegir Oesterby"), "aegir"),
        (moodle("Aegir Osterby"), "aegir"),
        (moodle("Jürgen Müller"), "juergen"),
        (moodle(unicodedata.normalize("NFD", "Jürgen Müller")), "juergen"),
        (moodle("Gudrun Thorsdottir"), "gudrun"),
        (moodle("Ase Loenning"), "ase"),
        ("sorensenole_12_34_a.zip", "ole"),
        ("sorensen-ole_12_34_a.zip", "ole"),
        ("soerensenole_12_34_a.zip", "ole"),
        ("walesalukasz_12_34_a.zip", "walesa"),
        ("Soren Kierkegaard", "soren"),
        ("13394-80551 - Lukasz Walesa - Mar 29, 2018 1205 PM - a.zip", "walesa"),
        # Whoever writes `u` does not mean `ue`.
        (moodle("Jurgen Muller"), None),
        (moodle("Sren Kierkegaard"), None),
    ],
)
def test_letters_that_others_write_otherwise(name, student):
    (owner,) = whose(name, people=LETTERS).values()
    assert owner.known == (student is not None)
    if student:
        assert owner.student == student
        assert f"was taken for {student}, whose name is alike" in owner.notes[0]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        (moodle("Jan Müller"), "Jan Muller", "Jan Mueller"),
        (moodle("Soren Berg"), "Søren Berg", "Sören Berg"),
        ("mullerjan_12_34_a.zip", "Jan Müller", "Jan Muller"),
    ],
)
def test_two_whose_letters_fit_are_named(name, first, second):
    people = [Person("one", *first.split()), Person("two", *second.split())]
    (owner,) = whose(name, people=people).values()
    assert not owner.known
    assert "could be one, two: see whose it is" in owner.notes[0]


@pytest.mark.parametrize(
    ("name", "student"), [("Søren Berg", "one"), ("Soren Berg", "two"), ("SOEREN BERG", "three")]
)
def test_who_is_written_so_goes_before_who_may_be(name, student):
    people = [
        Person(id, name, "Berg")
        for id, name in zip(("one", "two", "three"), ("Søren", "Soren", "Soeren"), strict=True)
    ]
    (owner,) = whose(moodle(name), people=people).values()
    assert (owner.student, owner.notes) == (student, ())


WITHOUT_A_BLANK = (
    Person("wei", "伟", "王"),
    Person("gao", "明", "高"),
    Person("minsu", "민수", "김"),
    Person("yuki", "ゆき", "佐々木"),
    Person("taro", "タロー", "山田"),
    Person("ouyang", "明", "欧阳"),
    Person("ou", "阳明", "欧"),
    Person("anna", "Anna", "王"),
)


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("王伟", "wei"),
        ("王 伟", "wei"),
        ("伟 王", "wei"),
        ("김민수", "minsu"),
        (unicodedata.normalize("NFD", "김민수"), "minsu"),
        ("佐々木ゆき", "yuki"),
        ("佐々木\u3000ゆき", "yuki"),
        ("山田タロー", "taro"),
        ("Group A-王伟", "wei"),
        ("高明", "gao"),
        ("明高", None),  # another name
        ("欧阳明", None),  # two of that name
        ("欧阳 明", "ouyang"),
        ("王", None),
        ("王小伟", None),
        ("AnnaWang", None),
    ],
)
def test_names_that_are_written_without_a_blank(name, student):
    (owner,) = whose(moodle(name), people=WITHOUT_A_BLANK).values()
    assert owner.known == (student is not None)
    if student:
        assert (owner.student, owner.notes) == (student, ())


def test_two_whose_names_without_a_blank_are_one_are_named():
    (owner,) = whose(moodle("欧阳明"), people=WITHOUT_A_BLANK).values()
    assert "could be ou, ouyang: see whose it is" in owner.notes[0]


PARTICLES = (
    Person("jan", "Jan", "van der Berg"),
    Person("oscar", "Oscar", "de la Hoya"),
    Person("anna", "Anna", "In 't Veld"),
    Person("lise", "Lise", "Witt de"),  # some lists put it there
    Person("anh", "Anh", "Nguyen Van"),
    Person("marie", "Anne-Marie", "O'Neill"),
    Person("yinan", "Nan", "Yi"),
)


@pytest.mark.parametrize(
    ("name", "student"),
    [
        (moodle("Berg, Jan van der"), "jan"),
        (moodle("Berg Jan van der"), "jan"),
        (moodle("Jan Berg van der"), "jan"),
        (moodle("Berg van der, Jan"), "jan"),
        (moodle("Group A-Berg, Jan van der"), "jan"),
        (moodle("Jan Vanderberg"), "jan"),
        (moodle("Hoya, Oscar de la"), "oscar"),
        (moodle("Veld, Anna In t"), "anna"),
        (moodle("Lise de Witt"), "lise"),
        (moodle("de Witt, Lise"), "lise"),
        (moodle("Anne-Marie O Neill"), "marie"),
        (moodle("O Neill, Annemarie"), "marie"),
        ("bergjanvander_12_34_a.zip", "jan"),
        ("vanderbergjan_12_34_a.zip", "jan"),
        ("wittdelise_12_34_a.zip", "lise"),
        ("oneillannemarie_12_34_a.zip", "marie"),
        ("1-2 - Berg, Jan van der - Mar 29, 2018 1205 PM - a.zip", "jan"),
        (moodle("Jan Berg"), None),
        (moodle("Jan van den Berg"), None),
        (moodle("Jan der Berg van"), None),
        (moodle("Nguyen Anh Van"), None),  # no particle, but a name
        (moodle("Yin An"), None),  # nor is Yi Nan
    ],
)
def test_parts_of_a_name_that_stand_or_are_joined_otherwise(name, student):
    (owner,) = whose(name, people=PARTICLES).values()
    assert owner.known == (student is not None)
    if student:
        assert owner.student == student
        assert f"was taken for {student}, whose name is alike" in owner.notes[0]


@pytest.mark.parametrize("name", [moodle("Berg, Jan van der"), "bergjanvander_12_34_a.zip"])
def test_two_whose_particles_fit_are_named(name):
    people = [Person("one", "Jan", "van der Berg"), Person("two", "Jan", "Vander Berg")]
    people.append(Person("three", "Jan", "Berg van der"))
    (owner,) = whose(name, people=people).values()
    assert not owner.known
    assert "could be one, three: see whose it is" in owner.notes[0]


def test_a_name_in_its_own_order_goes_before_one_in_another():
    people = [Person("one", "Anh", "Van Nguyen"), Person("two", "Van Anh", "Nguyen")]
    owners = whose(moodle("Nguyen Van Anh", 1), moodle("Nguyen, Anh Van", 2), people=people)
    assert [(owner.student, owner.notes == ()) for owner in owners.values()] == [
        ("two", True),
        ("one", False),
    ]
    owners = whose(moodle("Anh Van Nguyen", 1), moodle("Nguyen, Anh Van", 2), people=people)
    assert owners[moodle("Anh Van Nguyen", 1)].student == "one"
    assert "could be one's" in owners[moodle("Nguyen, Anh Van", 2)].notes[0]


MORE = (
    Person("ada", "Ada", "Lovelace"),
    Person("john", "John R. R.", "Tolkien"),
    Person("jan", "Jan", "Jansen"),
    Person("4321", "Klaas", "Klaassen"),
    Person("s1042", "Piet", "Pietersen"),
    Person("neill", "Anne", "Neill"),
    Person("one", "Ann B.", "Young"),
    Person("two", "Ann C.", "Young"),
    Person("first", "Kees", "Smit"),
    Person("7654321", "Kees", "Smit"),
    Person("j", "Eve"),
)


@pytest.mark.parametrize(
    ("name", "student"),
    [
        (moodle("Ada M. Lovelace"), "ada"),
        (moodle("Lovelace, Ada M."), "ada"),
        (moodle("Ada M.K. Lovelace"), "ada"),
        (moodle("Ada É.-M. Lovelace"), "ada"),
        (moodle("Group A-Ada M. Lovelace"), "ada"),
        (moodle("John Tolkien"), "john"),
        (moodle("Tolkien, John"), "john"),
        ("tolkienjohn_12_34_a.zip", "john"),
        (moodle("Jan Jansen (1234567)"), "jan"),
        (moodle("Jan Jansen [s1234567]"), "jan"),
        (moodle("Jan Jansen 1234567"), "jan"),
        (moodle("1234567 Jan Jansen"), "jan"),
        (moodle("Jan P. Jansen (1234567)"), "jan"),
        ("1-2 - Jan Jansen (1234567) - Mar 29, 2018 1205 PM - a.zip", "jan"),
        # An initial is no part of another name, and says that it is another's.
        (moodle("John F. Tolkien"), None),
        (moodle("Anne O Neill"), None),
        (moodle("Ann Young"), None),
        (moodle("Ann D. Young"), None),
        (moodle("Eve J."), None),
        (moodle("Nobody Known (4321)"), None),
        (moodle("Jan Jansen (2)"), None),
    ],
)
def test_an_initial_or_a_number_more(name, student):
    (owner,) = whose(name, people=MORE).values()
    assert owner.known == (student is not None)
    if student:
        assert owner.student == student
        assert f"was taken for {student}, whose name is alike" in owner.notes[0]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        (moodle("Klaas Klaassen (4321)"), "4321"),
        (moodle("Kees Smit (7654321)"), "7654321"),
        (moodle("Piet Pietersen (S1042)"), "s1042"),
    ],
)
def test_a_number_in_a_name_may_be_the_students_id(name, student):
    (owner,) = whose(name, people=MORE).values()
    assert (owner.student, owner.notes) == (student, ())


@pytest.mark.parametrize(
    ("name", "could"),
    [
        ("Ann Young", "one, two"),
        ("Jan Jansen (4321)", "4321, jan"),
        ("Kees Smit (1234567)", "7654321, first"),
    ],
)
def test_two_whom_an_initial_or_a_number_fits_are_named(name, could):
    (owner,) = whose(moodle(name), people=MORE).values()
    assert not owner.known
    assert f"could be {could}: see whose it is" in owner.notes[0]


def test_a_name_without_more_goes_before_one_with_an_initial():
    owners = whose(moodle("Ada Lovelace", 1), moodle("Ada M. Lovelace", 2), people=MORE)
    assert owners[moodle("Ada Lovelace", 1)].student == "ada"
    assert "could be ada's, and so could" in owners[moodle("Ada M. Lovelace", 2)].notes[0]


@pytest.mark.parametrize("dash", "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
def test_any_dash_stands_behind_a_group(dash):
    names = [moodle(f"Group 1 {dash} Zoë Çelik"), moodle(f"Group 1{dash}Mary Jones", 5)]
    zoe, mary = whose(*names).values()
    assert (zoe.student, zoe.notes) == ("zoe", ())
    assert "could be mary1, mary2" in mary.notes[0]


def test_two_that_fit_are_named():
    (owner,) = whose(moodle("Mary Jones")).values()
    assert owner.student == "Mary-Jones_904"
    assert "Mary Jones could be mary1, mary2: see whose it is" in owner.notes[0]
    (owner,) = whose(moodle("Mary Jones", 555)).values()
    assert (owner.student, owner.known) == ("mary2", True)


def test_a_name_to_the_letter_goes_before_one_that_is_alike():
    owners = whose(moodle("José Núñez", 1), moodle("Jose Nunez", 2))
    assert owners[moodle("José Núñez", 1)].student == "jose"
    assert (
        "could be jose's, and so could José Núñez_1_assignsubmission_file_"
        in owners[moodle("Jose Nunez", 2)].notes[0]
    )


def test_two_that_say_they_are_one_student_are_both_named():
    owners = whose(moodle("Grace Hopper", 1), moodle("Grace Hopper", 2))
    assert {owner.student for owner in owners.values()} == {"Grace-Hopper_1", "Grace-Hopper_2"}
    assert all("could be grace's" in owner.notes[0] for owner in owners.values())


def test_a_number_of_moodles_that_is_somebody_elses_gives_nobodys_work_away():
    (owner,) = whose(moodle("Grace Hopper", 901)).values()
    assert (owner.student, owner.known) == ("Grace-Hopper_901", False)
    assert owner.notes[0].startswith("the number 901 is that of ada, the name Grace Hopper grace: see whose")
    (owner,) = whose(moodle("Nobody Known", 901)).values()
    assert not owner.known
    assert "nobody's on the roster" in owner.notes[0]


def test_where_moodle_hides_names_the_number_counts():
    owners = whose(moodle("Deelnemer", 901), moodle("Deelnemer", 902))
    assert [owner.student for owner in owners.values()] == ["ada", "Deelnemer_902"]


def test_one_name_without_a_blank_is_not_hidden():
    """Moodle's number alone may be somebody else's."""
    (owner,) = whose(moodle("王伟", 901), people=(*WITHOUT_A_BLANK, *PEOPLE)).values()
    assert not owner.known
    assert "the number 901 is that of ada, the name 王伟 wei: see whose it is" in owner.notes[0]


def test_canvas_goes_by_the_number_and_else_by_the_name():
    owners = whose("whoever_901_5_a.zip", "hoppergrace_902_6_a.zip", "lovelaceada_903_7_a.zip")
    assert [owner.student for owner in owners.values()] == ["grace", "lovelaceada_903", "ada"]
    assert "hoppergrace was taken for grace" in owners["hoppergrace_902_6_a.zip"].notes[0]


def test_hidden_names_say_what_to_do():
    (owner,) = whose("anon_Qq7r8_55001_a.zip").values()
    assert (owner.student, owner.known) == ("anon_Qq7r8", False)
    assert "show names there and download again" in owner.notes[0]


def test_ids_in_any_form_of_their_accents():
    assert whose(unicodedata.normalize("NFD", "åsa"))[unicodedata.normalize("NFD", "åsa")].student == "åsa"


BY_ID = (
    Person("ada", "Ada", "Lovelace"),
    Person("s1042", "Bob", "Ross", email="bob@uni.nl"),
    Person("Ann", "Ann", "Young"),
    Person("ann", "Ann", "Old"),
    Person("cleo", "Cleo", "Carr", email="office@uni.nl"),
    Person("dora", "Dora", "Dean", email="office@uni.nl"),
    Person("eve", "Fay", "Ford", email="Fay@Uni.NL"),
    Person("x", "Eve"),
)


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("ADA", "ada"),
        ("S1042", "s1042"),
        ("bob@uni.nl", "s1042"),
        ("BOB@UNI.NL", "s1042"),
        ("fay@uni.nl", "eve"),
        ("ann", "ann"),
        ("Ann", "Ann"),
        ("eve", "eve"),
        ("ANN", None),  # upper and lower case are two students here
        ("office@uni.nl", None),
        ("EVE", None),  # one's id, and another's name
        ("bob", None),
        ("@uni.nl", None),
        ("S10422", None),
    ],
)
def test_folders_that_are_called_by_an_id_or_an_address(name, student):
    (owner,) = whose(name, people=BY_ID).values()
    assert owner.known == (student is not None)
    if student:
        assert (owner.student, owner.notes) == (student, ())


@pytest.mark.parametrize(
    ("name", "could"), [("ANN", "Ann, ann"), ("office@uni.nl", "cleo, dora"), ("EVE", "eve, x")]
)
def test_two_whose_id_or_address_fits_are_named(name, could):
    (owner,) = whose(name, people=BY_ID).values()
    assert f"{name} could be {could}: see whose it is" in owner.notes[0]


def test_a_folder_without_a_name_is_not_that_of_whoever_has_no_address():
    (owner,) = whose(" ", people=BY_ID[:1]).values()
    assert (owner.known, owner.notes) == (False, ())


def test_an_id_to_the_letter_goes_before_one_in_another_case():
    owners = whose("ada", "ADA", "Ada Lovelace", people=BY_ID)
    assert owners["ada"].student == "ada"
    for name in ("ADA", "Ada Lovelace"):
        assert not owners[name].known
        assert "could be ada's, and so could" in owners[name].notes[0]


def test_what_a_platform_calls_a_student_is_no_id():
    """Students may change their name there."""
    names = [moodle("s1042"), moodle("ADA", 5), "ada_12_34_a.zip"]
    assert not any(owner.known for owner in whose(*names, people=BY_ID).values())


def test_made_up_ids_are_nobodys_and_one_each():
    owners = whose("ada!", "b c", "b  c", "b-c", moodle(unicodedata.normalize("NFD", "Renée X")))
    students = [owner.student for owner in owners.values()]
    assert len(set(students)) == len(students)
    assert not set(students) & {person.id for person in PEOPLE}
    assert "Renée-X_904" in students


def test_every_name_of_a_download_finds_its_student(course, monkeypatch, capsys):
    archive = course.root / "downloaded" / "a3" / "archive"
    archive.mkdir(parents=True)
    for person in PEOPLE[:3]:
        roster(course, person.id, first_name=person.first, last_name=person.last)
    for name in ("Bob OBrien", unicodedata.normalize("NFD", "José Núñez"), "Group A-Zoë Çelik", "Guest"):
        folder = archive / moodle(name, 900 + len(name))
        folder.mkdir()
        (folder / "a3.zip").write_bytes(zipped({"part1/utils.py": b"pass\n"}))
    zip_collect(course)
    assert {path.name for path in (course.root / "submitted").iterdir()} == {
        "bob",
        "jose",
        "zoe",
        "Guest_905",
    }
    pretend_to_grade(monkeypatch)
    assert run(course) == 1
    assert "Guest_905: is not on the roster" in capsys.readouterr().out


def test_the_time_that_a_platform_tells_needs_no_note(course, monkeypatch, capsys):
    archive = course.root / "downloaded" / "a3" / "archive"
    archive.mkdir(parents=True)
    roster(course, "zoe", first_name="Zoë", last_name="Çelik")
    roster(course, "bob", first_name="Bob", last_name="O'Brien")
    work = zipped({"part1/utils.py": b"pass\n", "timestamp.txt": b"2020-01-01 00:00:00 UTC"})
    (archive / "1-2 - Zoë Çelik - 29 mars 2027 1205 - a3.zip").write_bytes(work)
    (archive / f"{moodle('Bob OBrien')}a3.zip").write_bytes(work)
    course.policy.write_text('timezone = "Europe/Amsterdam"\ndue = "2027-12-09 23:59"\n')
    zip_collect(course)
    assert (course.submitted("zoe") / "timestamp.txt").read_text().startswith("2027-03-29 10:05:00")
    assert not (course.submitted("bob") / "timestamp.txt").exists()
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    said = capsys.readouterr().out
    assert "timestamp.txt" not in said
    assert "no time of handing in is known, counts as in time: bob" in said


def test_a_folder_and_an_archive_of_one_name_are_not_mixed(course, monkeypatch, capsys):
    archive = course.root / "downloaded" / "a3" / "archive"
    roster(course, "ada", "bob")
    for folder in ("ada", "bob"):
        (archive / folder / "part1").mkdir(parents=True)
        (archive / folder / "part1" / "utils.py").write_text("# in the folder\n")
    (archive / "ada.zip").write_bytes(zipped({"part1/train_pl.py": b"# in the archive\n"}))
    zip_collect(course)
    assert {path.name for path in (course.root / "submitted").iterdir()} == {"ada-folder", "ada.zip", "bob"}
    pretend_to_grade(monkeypatch)
    assert run(course) == 1
    said = capsys.readouterr().out
    assert "ada-folder: is not on the roster" in said
    assert "ada.zip: is not on the roster" in said


def test_what_a_platform_calls_late_is_said_where_there_is_a_deadline(course, monkeypatch, capsys):
    archive = course.root / "downloaded" / "a3" / "archive"
    archive.mkdir(parents=True)
    roster(course, "ada", lms_user_id="901")
    roster(course, "bob", lms_user_id="902")
    for name in ("lovelaceada_LATE_901_5_a.zip", "bob_902_6_a.zip"):
        (archive / name).write_bytes(zipped({"part1/utils.py": b"pass\n"}))
    zip_collect(course)
    pretend_to_grade(monkeypatch)
    assert run(course) == 0
    assert "came late" not in capsys.readouterr().out
    course.policy.write_text('due = "2027-12-09 23:59"\n')
    assert run(course) == 0
    said = capsys.readouterr().out
    assert "ada: the platform says that it came late, and not when: see there" in said
    assert "note: no time of handing in is known, counts as in time: bob" in said


def test_one_word_before_a_hyphen_may_be_half_of_a_name():
    roster = Roster([Person("mary", "Marie", "Smith")])
    name = "Anne-Marie Smith_7_assignsubmission_file_"
    (owner,) = find_owners(parse_all([name]), roster).values()
    assert owner.student == "mary"
    assert "whose name is alike: see whether that is right" in owner.notes[0]
