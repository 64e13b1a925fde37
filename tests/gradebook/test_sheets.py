"""Tables of Canvas and Moodle in the forms in which they come: filled in as they are, and nobody lost.

Canvas: separator, decimal sign and byte order mark follow options and language of whoever exports
(lib/csv_with_i18n.rb and lib/gradebook_exporter.rb of canvas-lms); `EX` is what lib/gradebook_importer.rb
takes for excused, whatever its case; as described, not copied. Moodle 4: mod/assign/gradingtable.php has all
heads and the word before a participant's number translated; the German and Dutch ones here are as remembered,
and nothing hangs on them. Excel saves CSV in the Windows encoding of its country, with the separator of its
country, and drops leading zeros.
"""

from __future__ import annotations

import csv
import io
import random
import unicodedata

import pytest

from gradebook.courses import copied, hand_in, notebook, pretend_to_grade, roster, run
from gradebook.test_exports import export, mark
from grader.errors import GraderUsageError
from grader.gradebook import steps
from grader.gradebook.course import ASSIGNMENT, inside
from grader.gradebook.exports.brightspace import write_brightspace
from grader.gradebook.exports.canvas import write_canvas
from grader.gradebook.exports.filling import Filled
from grader.gradebook.exports.moodle import write_moodle
from grader.gradebook.exports.own import write_own
from grader.gradebook.exports.remarks import remarks
from grader.gradebook.exports.tables import read_table

ADA = mark("ada", 40.5, first_name="Ada", last_name="Lovelace", platform_id="901")
GRACE = mark("grace", 12.25, first_name="Grace", last_name="Hopper", platform_id="902")
ALAN = mark("alan", 0.0, first_name="Alan", last_name="Turing", platform_id="903", handed_in=False)


def filling(write, folder, name):
    """Fill in a table by a writer; what came of it, and the bytes of the new file."""

    def fill(content: bytes, marks=(ADA, GRACE), roster=(ADA, GRACE, ALAN), column="Practical 3"):
        sheet, out = folder / name, folder / "out.csv"
        sheet.write_bytes(content)
        filled = write(out, list(marks), sheet, column, list(roster))
        return filled, out.read_bytes()

    return fill


@pytest.fixture
def canvas(tmp_path):
    """Fills in a table of Canvas's."""
    return filling(write_canvas, tmp_path, "canvas.csv")


@pytest.fixture
def moodle(tmp_path):
    """Fills in a worksheet of Moodle's."""
    return filling(write_moodle, tmp_path, "sheet.csv")


SEMICOLONS = (
    "Student;ID;SIS User ID;SIS Login ID;Section;Practical 3 (5551)\n"
    "    Points Possible;;;;;64,00\n"
    '"Lovelace, Ada";901;1042;alove;DL-A;\n'
)


def test_canvas_with_semicolons_and_decimal_commas(canvas):
    filled, out = canvas(SEMICOLONS.encode())
    assert out.decode() == SEMICOLONS.replace("DL-A;", "DL-A;40,5")
    assert filled == Filled(["ada"], missing=["grace"])


COMMAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Practical 3 (77),Current Score\r\n"
    "    Points Possible,,,,,64.0,(read only)\r\n"
    '"Lovelace, Ada",901,ada,ada,"S ""1""",,80.5\r\n'
    "\r\n"
    '"Höpper, Grace",902,grace,grace,S1,3,\r\n'
)
FORMS = {
    "as exported": COMMAS.encode(),
    "with a mark": b"\xef\xbb\xbf" + COMMAS.encode(),
    "no end": COMMAS.encode().removesuffix(b"\r\n"),
    "all quoted": COMMAS.replace("S1,3,", '"S1","3",""').encode(),
    "old Mac ends": COMMAS.replace("\r\n", "\r").encode(),
    "tabs": COMMAS.replace('"Lovelace, Ada"', "Lovelace, Ada")
    .replace('"Höpper, Grace"', "Höpper; Grace")
    .replace(',"S', "\t'S")
    .replace('""1"""', "1'")
    .replace("Lovelace, Ada", "Lovelace; Ada")
    .replace(",", "\t")
    .encode(),
    "Excel's sep line": b"sep=,\r\n" + COMMAS.encode(),
    "Excel's quoted sep line": b'\xef\xbb\xbf"sep=,"\r\n' + COMMAS.encode(),
    "cp1252": COMMAS.encode("cp1252"),
    "UTF-16 little": b"\xff\xfe" + COMMAS.encode("utf-16-le"),
    "UTF-16 big": b"\xfe\xff" + COMMAS.encode("utf-16-be"),
    "UTF-16 without a mark": COMMAS.encode("utf-16-le"),
    "UTF-32": b"\xff\xfe\0\0" + COMMAS.encode("utf-32-le"),
}


@pytest.mark.parametrize("title", ["Table 1\n", "Table 1;;;;;\n", "Grades\n\n", '"Practical 3"\n2027\n'])
def test_a_title_above_the_table_is_none_of_its_heads(canvas, title):
    """Numbers writes one above each table that it exports, and people do in Excel."""
    filled, out = canvas((title + SEMICOLONS).encode())
    assert out.decode() == title + SEMICOLONS.replace("DL-A;", "DL-A;40,5")
    assert filled.written == ["ada"]


def test_of_a_table_without_a_known_separator_the_first_line_is_named(canvas):
    with pytest.raises(GraderUsageError, match=r"its columns are: Student\|ID"):
        canvas(SEMICOLONS.replace('"', "").replace(";", "|").encode())


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_a_table_keeps_its_form(canvas, content):
    wide = next((name for mark, name in ((b"\xff\xfe\0\0", "utf-32-le"),) if content.startswith(mark)), None)
    narrow = "utf-16-be" if content.startswith(b"\xfe\xff") else "utf-16-le" if b"\0" in content else "cp1252"
    filled, out = canvas(content)
    assert filled.written == ["ada", "grace"]

    def points(text: str) -> bytes:
        return text.encode(wide or narrow)

    # Byte for byte: what is new is the points alone.
    for before, after in ((",80.5", "40.5,80.5"), ("\t80.5", "40.5\t80.5")):
        content = content.replace(points(before), points(after))
    for before, after in (("S1,3", "S1,12.25"), ("S1\t3", "S1\t12.25"), ('"S1","3"', '"S1","12.25"')):
        content = content.replace(points(before), points(after))
    assert out == content


@pytest.mark.parametrize("seed", range(60))
def test_whatever_a_table_holds_it_is_read_as_csv_does_and_comes_back(tmp_path, seed):
    """Cells of any signs, quoted where they must be and sometimes where not, in every form."""
    chance = random.Random(seed)
    separator, end = chance.choice(",;\t"), chance.choice(["\n", "\r\n", "\r"])
    signs = "ab 0.'\"é,;\n" + chance.choice(["", "ł", "名"])

    def raw(text: str) -> str:
        must = any(sign in text for sign in (separator, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if must or chance.random() < 0.2 else text

    columns = chance.randint(3, 8)
    texts = [
        ["".join(chance.choices(signs, k=chance.randint(0, 6))) or "x" for _ in range(columns)]
        for _ in range(chance.randint(2, 9))
    ]
    text = end.join(separator.join(map(raw, row)) for row in texts) + chance.choice(["", end])
    mark = chance.choice([b"", b"\xef\xbb\xbf"])
    path = tmp_path / "table.csv"
    path.write_bytes(mark + (f"sep={separator}{end}" + text).encode())
    table = read_table(path)
    assert [table.header, *table.rows] == list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    assert table.content() == path.read_bytes()
    row, column = chance.randrange(len(table.rows)), chance.randrange(columns)
    table.put(row, column, f'1{separator}5"')
    path.write_bytes(table.content())
    texts[row + 1][column] = f'1{separator}5"'
    assert [read_table(path).header, *read_table(path).rows] == texts


def test_a_spreadsheets_country_is_kept(canvas):
    text = COMMAS.replace('"Lovelace, Ada"', "Łovelace Ada").replace('"Höpper, Grace"', "Höpper")
    text = "sep=;\r\n" + text.replace(",", ";").replace("64.0", "64").replace("80.5", "80,5")
    filled, out = canvas(text.encode("cp1250"))
    assert out == text.replace(";80,5", "40,5;80,5").replace("S1;3", "S1;12,25").encode("cp1250")
    (note,) = remarks(filled, "canvas.csv")
    assert note == "canvas.csv is not in UTF-8, but in Windows-1252 as it seems, and so is what was written"
    polish = mark("jan", first_name="Jan", last_name="Łovelace")
    filled, out = canvas(text.encode("cp1250"), roster=(ADA, GRACE, polish))
    assert filled.encoding == "cp1250"


ENCODED_HEADS = [
    ("cp1251", "Оценка"),
    ("cp1250", "Notă"),
    ("cp1253", "Βαθμός"),
    ("mac_roman", "Évaluation"),
    ("cp850", "Évaluation"),
    ("cp1257", "Įvertinimas"),
    ("cp1255", "ציון"),
    ("cp1256", "الدرجة"),
    ("gbk", "成绩"),
    ("gb18030", "成绩"),
    ("cp949", "성적"),
    ("cp932", "評定"),
    ("cp950", "成績"),
    ("cp1252", "Évaluation"),
    ("utf-8", "Оценка"),
]


@pytest.mark.parametrize(("encoding", "head"), ENCODED_HEADS)
def test_the_columns_name_tells_the_encoding(moodle, canvas, encoding, head):
    text = f"ID;Name;E-mail;Status;{head};Max\nX 1;Ada Lovelace;ada@uni.example;x;;64,00\n"
    filled, out = moodle(text.encode(encoding), column=head)
    assert (filled.written, out) == (["ada"], text.replace(";;64", ";40,5;64").encode(encoding))
    text = f"Student,ID,SIS Login ID,{head} 3 (77)\n    Points Possible,,,64\nL,901,ada,\n"
    filled, out = canvas(text.encode(encoding), column=f"{head} 3")
    assert (filled.written, out) == (["ada"], text.replace("ada,", "ada,40.5").encode(encoding))


@pytest.mark.parametrize(("encoding", "name"), ENCODED_HEADS)
def test_a_name_of_the_roster_tells_the_encoding(moodle, encoding, name):
    text = f"ID;Name;Mail;Grade;Max\nX 1;Ada {name};;;64,00\n"
    people = [mark("ada", first_name="Ada", last_name=unicodedata.normalize("NFD", name))]
    filled, out = moodle(text.encode(encoding), marks=people, roster=people)
    assert (filled.written, out) == (["ada"], text.replace(";;64", ";40,5;64").encode(encoding))


def test_where_nothing_tells_the_encoding_the_message_says_what_to_do(moodle, canvas):
    text = "ID;Name;Mail;Оценка;Max\nX 1;Ada Lovelace;ada@uni.example;;64,00\n"
    said = "in Windows-1252, as it seems: where its heads look wrong, save it as UTF-8"
    with pytest.raises(GraderUsageError, match=said):
        moodle(text.encode("cp1251"))
    with pytest.raises(GraderUsageError, match=said):
        canvas(SEMICOLONS.replace("Practical", "Практика").encode("cp1251"))
    with pytest.raises(GraderUsageError, match=said):
        moodle("A;Grade\nЖюли;\n".encode("cp1251"))
    with pytest.raises(GraderUsageError) as error:
        moodle(text.encode())
    assert "UTF-8" not in str(error.value)


UNLIKE = {
    "accents apart": lambda head: unicodedata.normalize("NFD", head),
    "no-break space": lambda head: head.replace(" ", "\N{NO-BREAK SPACE}"),
    "two blanks": lambda head: head.replace(" ", "  "),
    "zero-width space": lambda head: f"\N{ZERO WIDTH SPACE}{head}",
}


@pytest.mark.parametrize("typed", UNLIKE.values(), ids=UNLIKE)
@pytest.mark.parametrize("written", UNLIKE.values(), ids=UNLIKE)
def test_heads_that_look_alike_are_alike(moodle, canvas, typed, written):
    head = "Calificación 3 de práctica"
    text = f"ID,Mail,{written(head)},Max\nT 1,ada@uni.example,,64.00\n"
    filled, out = moodle(text.encode(), column=typed(head))
    assert (filled.written, out.decode()) == (["ada"], text.replace("example,,", "example,40.5,"))
    text = f"Student,{written('SIS Login ID')},{written(head)} (77)\n    Points Possible,,64\nL,ada,\n"
    filled, out = canvas(text.encode(), column=typed(head))
    assert (filled.written, out.decode()) == (["ada"], text.replace("ada,", "ada,40.5"))


def test_of_heads_that_look_alike_the_one_to_the_letter_counts(moodle):
    text = "ID,Mail,Nota\N{NO-BREAK SPACE}1,Nota 1\nT 1,ada@uni.example,,\n"
    _, out = moodle(text.encode(), column="Nota 1")
    assert out.decode() == text.replace("example,,", "example,,40.5")


@pytest.mark.parametrize(
    ("cells", "sign"),
    [("64,00;", ","), ("64.00;", "."), ("64;7,5", ","), ("64;7.5", "."), ("64;", ","), ("1,000;7.5", ".")],
)
def test_the_decimal_sign_is_that_of_the_table(canvas, cells, sign):
    points, other = cells.split(";")
    text = (
        "Student;SIS Login ID;Practical 3 (1);Quiz (2)\n"
        f"    Points Possible;;{points if points != '1,000' else '64'};10\nL;ada;;{other}\n"
    )
    _, out = canvas(text.encode(), marks=[ADA])
    assert out.decode() == text.replace("ada;", f"ada;40{sign}5")


def test_a_decimal_comma_among_commas_is_quoted(moodle):
    text = 'Identifier,Username,Grade,Maximum Grade\nParticipant 1,ada,,"64,00"\n'
    _, out = moodle(text.encode(), marks=[ADA])
    assert out.decode() == text.replace("ada,,", 'ada,"40,5",')


def test_first_and_last_name_apart(canvas):
    text = (
        "LastName,FirstName,ID,SIS User ID,Practical 3 (1)\n    Points Possible,,,,64\n"
        "Lovelace,Ada,901,x1,\nNorth,Test,999,,\n,Madonna,955,,\n"
    )
    filled, out = canvas(text.encode())
    assert out.decode() == text.replace("x1,", "x1,40.5")
    assert filled.strangers == [("North, Test", ""), ("Madonna", "")]
    nobodys = [mark("ada", first_name="Ada", last_name="Lovelace"), GRACE]
    filled, out = canvas(text.encode(), marks=nobodys, roster=nobodys)
    assert out.decode() == text.replace("x1,", "x1,40.5")
    assert filled.by_name == [("Lovelace, Ada", "ada")]


EXCUSED = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Practical 3 (77),Current Score\n"
    "    Points Possible,,,,,64,(read only)\n"
    '"Lovelace, Ada",1,ada,ada,S1,EX,\n"Hopper, Grace",2,grace,grace,S1,,\n'
    '"Turing, Alan",3,alan,alan,S1,ex,\n'
    '"Student, Test",9,,,S1,EX,\n'
)


def test_who_is_excused_stays_so_and_is_named(canvas):
    # With Alan's 0 among the marks, too: what comes in may not decide.
    filled, out = canvas(EXCUSED.encode(), marks=(ADA, GRACE, ALAN))
    assert out.decode() == EXCUSED.replace("grace,grace,S1,,", "grace,grace,S1,12.25,")
    assert (filled.written, filled.missing) == (["grace"], [])
    (note,) = remarks(filled, "canvas.csv")
    assert note == (
        "excused in canvas.csv, left as they are: Lovelace, Ada (handed in, 40.5 points are not written), "
        "Student, Test (nobody on the roster), Turing, Alan (handed in nothing); "
        "to give points, clear EX there"
    )


@pytest.mark.parametrize(
    "cell",
    [
        "EX",
        "ex ",
        "Excused",
        "excused",
        "EXCUSED",
        "E X",
        "EX.",
        "(EX)",
        "e.x.",
        "EX\N{ZERO WIDTH SPACE}",
        "_EX_",
    ],
)
def test_who_is_excused_in_other_words_stays_so(canvas, cell):
    text = EXCUSED.replace("ada,ada,S1,EX", f"ada,ada,S1,{cell}")
    filled, out = canvas(text.encode())
    assert out.decode() == text.replace("grace,grace,S1,,", "grace,grace,S1,12.25,")
    assert filled.excused[0] == ("Lovelace, Ada", ADA)
    assert not filled.texts


TEXTS = ["N/A", "complete", "A-", "see mail", "Vrijgesteld", "nan", "inf", "85%", "12 of 64", "免除"]


@pytest.mark.parametrize("cell", TEXTS)
def test_a_text_in_place_of_points_stays_and_is_named(canvas, moodle, cell):
    text = EXCUSED.replace("ada,ada,S1,EX", f"ada,ada,S1,{cell}").replace("alan,alan,S1,ex", "alan,alan,S1,-")
    filled, out = canvas(text.encode())
    assert out.decode() == text.replace("grace,grace,S1,,", "grace,grace,S1,12.25,")
    assert (filled.written, filled.missing, filled.texts) == (["grace"], [], [("Lovelace, Ada", cell, ADA)])
    assert remarks(filled, "canvas.csv")[-1] == (
        f"in canvas.csv with a text in place of points, left as they are: Lovelace, Ada ({cell}; 40.5 points "
        "are not written); to give points, clear the cell there and export again"
    )
    text = f"ID,Mail,Grade,Maximum Grade\nT 1,ada@uni.example,{cell},64\nT 2,grace@uni.example,,64\n"
    filled, out = moodle(text.encode())
    assert out.decode() == text.replace("example,,", "example,12.25,")
    assert [cell for _, cell, _ in filled.texts] == [cell]


@pytest.mark.parametrize(
    "cell",
    [
        "7",
        "7.5",
        " 7 ",
        "-",
        "\N{EN DASH}",
        '"7,50"',
        "0",
        "-1",
        ".5",
        "7.",
        "1E+01",
        '"1,234.50"',
        "\N{ZERO WIDTH SPACE}",
    ],
)
def test_points_are_written_over_points(canvas, cell):
    text = EXCUSED.replace("ada,ada,S1,EX", f"ada,ada,S1,{cell}")
    filled, _ = canvas(text.encode())
    assert filled.written == ["ada", "grace"]


def test_ids_that_lost_their_zeros(canvas):
    text = "Student,ID,SIS User ID,Practical 3 (1)\nA,,1042,\nB,,77,\nC,,0077,\nD,,1.23457E+12,\nE,,5,\n"
    people = [mark(id) for id in ("001042", "0077", "1234567890123", "005", "0005")]
    filled, out = canvas(text.encode(), marks=people, roster=people)
    assert out.decode() == text.replace("A,,1042,", "A,,1042,40.5").replace("0077,", "0077,40.5")
    assert filled.shortened == [("A", "001042")]
    assert filled.several == [("E", ["0005", "005"])]
    assert filled.strangers == [("B", ""), ("D", "a spreadsheet has shortened its id")]
    assert filled.missing == ["1234567890123"]
    told = "\n".join(remarks(filled, "canvas.csv"))
    assert "known by an id that has lost its zeros, in a spreadsheet probably: A as 001042" in told
    assert "the row of E could be 0005, 005, so it is left as it is: enter the points there by hand" in told
    assert "D (a spreadsheet has shortened its id)" in told


def test_two_rows_of_one_student_are_named_and_left(canvas):
    text = "Student,ID,SIS Login ID,Practical 3 (1)\nA,901,ada,\nB,,ada,3\nC,902,grace,\n"
    filled, out = canvas(text.encode())
    assert out.decode() == text.replace("grace,", "grace,12.25")
    assert filled == Filled(["grace"], twice=[("ada", ["A", "B"])])
    (note,) = remarks(filled, "canvas.csv")
    assert note.startswith(
        "canvas.csv: 2 rows could be ada's (A, B), so they are left as they are: remove or"
    )


def test_a_login_may_be_an_address_and_upper_and_lower_case_two_students(canvas):
    text = "Student,SIS Login ID,Practical 3 (1)\nA,ADA@uni.example,\nB,Ann,\nC,ann,\n"
    people = [ADA, mark("Ann", 1), mark("ann", 2)]
    _, out = canvas(text.encode(), marks=people, roster=people)
    assert [row[2] for row in csv.reader(out.decode().splitlines())][1:] == ["40.5", "1", "2"]


def test_a_name_does_not_speak_against_a_number(canvas):
    text = 'Student,ID,SIS Login ID,Practical 3 (1)\n"Lovelace, Ada",955,other,\n'
    filled, out = canvas(text.encode())
    assert out.decode() == text
    assert filled.strangers == [("Lovelace, Ada", "the name is that of ada")]
    assert filled.missing == ["ada", "grace"]


GERMAN = (
    "ID,Vollständiger Name,E-Mail-Adresse,Status,Bewertung,Bestwertung,Bewertung kann geändert werden\n"
    'Teilnehmer/in901,Ada Lovelace,ada@uni.example,Zur Bewertung abgegeben,,"64,00",Ja\n'
)
DUTCH = (
    "ID,Volledige naam,E-mailadres,Status,Cijfer,Maximumcijfer,Cijfer kan gewijzigd worden\n"
    'Deelnemer 901,Ada Lovelace,ada@uni.example,Ingestuurd voor beoordeling,,"64,00",Ja\n'
)


@pytest.mark.parametrize(("text", "head"), [(GERMAN, "Bewertung"), (DUTCH, "Cijfer")])
def test_a_worksheet_in_another_language(moodle, text, head):
    filled, out = moodle(text.encode(), column=head)
    assert out.decode() == text.replace(',,"64', ',"40,5","64')
    assert filled == Filled(["ada"], missing=["grace"])


@pytest.mark.parametrize(
    "columns",
    [("A", "B", "G", "M"), ("Ñ", "名", "点", "満点"), ("1", "2", "3", "4"), ("x y", '"a,b"', "c", "d")],
)
@pytest.mark.parametrize(
    "who", ["ada", "ada@uni.example", "Ada Lovelace", '"Lovelace, Ada"', "ADA@UNI.example"]
)
def test_students_are_found_by_what_stands_there(moodle, columns, who):
    text = f"{','.join(columns)}\n5,{who},,64.00\n7,Somebody Else,,64.00\n"
    filled, out = moodle(text.encode(), marks=[ADA], column=columns[2])
    assert out.decode() == text.replace(f"{who},,", f"{who},40.5,")
    assert len(filled.strangers) == 1
    assert filled.missing == []


def test_a_worksheet_with_names_without_a_blank(moodle):
    text = "ID,全名,成绩,最高成绩\nT 1,王伟,,64\nT 2,欧阳明,,64\n"
    people = [
        mark("wei", first_name="伟", last_name="王"),
        mark("one", first_name="明", last_name="欧阳"),
        mark("two", first_name="阳明", last_name="欧"),
    ]
    filled, out = moodle(text.encode(), marks=people[:1], roster=people, column="成绩")
    assert out.decode() == text.replace("王伟,,", "王伟,40.5,")
    assert filled.by_name == [("王伟", "wei")]
    assert filled.several == [("欧阳明", ["one", "two"])]


def test_a_worksheet_that_hides_names_goes_by_the_participants_number(moodle):
    text = "ID,Status,Note,Beste\nTeilnehmer/in901,x,,64\nTeilnehmer/in999,x,,64\n"
    filled, out = moodle(text.encode(), marks=[ADA], column="Note")
    assert out.decode() == text.replace("901,x,", "901,x,40.5")
    # But Moodle counts the participants of each assignment anew: an address goes before.
    text = "ID,Mail,Note,Beste\nTeilnehmer/in902,ada@uni.example,,64\n"
    filled, out = moodle(text.encode(), column="Note")
    assert filled == Filled(["ada"], missing=["grace"])


def test_a_column_of_the_sites_own_tells_where_the_usual_ones_do_not(moodle):
    text = "Identifier,Email address,Student number,Grade\nT 1,ada@elsewhere.example,ada,\nT 2,,grace,\n"
    _, out = moodle(text.encode())
    assert out.decode() == text.replace("ada,\n", "ada,40.5\n").replace("grace,", "grace,12.25")


def test_numbers_that_are_ids_by_chance_name_nobody(moodle):
    people = [mark("5", 10), mark("7", 20), mark("64", 30)]
    text = (
        "ID,Mail,Alte Note,Note,Beste\n"
        "T 1,5@uni.example,7,,64\nT 2,7@uni.example,5,,64\nT 3,64@uni.example,,,64\n"
    )
    _, out = moodle(text.encode(), marks=people, roster=people, column="Note")
    assert [row[3] for row in csv.reader(out.decode().splitlines())][1:] == ["10", "20", "30"]


@pytest.mark.parametrize(
    ("heads", "cells"),
    [
        ("Nota,Nota puede cambiarse,Nota máxima", ',Sí,"{}"'),
        ("Nota,Intento,Nota máxima", ",1,{}"),  # another number that is the same for everyone
        ("Nota,Intento,Tope", ',1,"{}.00"'),
        ("Nota,Puede cambiarse,Fecha,Tope", ',Sí,-,"{},00"'),
        ("Nota,Puede cambiarse,Fecha,Tope", ",Sí,-,{}"),
        ("Tope,Puede cambiarse,Nota", '"{},00",Sí,'),
        ("Nota,Tope", ",{}"),
        ("Nota,Puede cambiarse,Maximum\N{NO-BREAK SPACE}Grade", ",Sí,{}"),
    ],
)
def test_the_maximum_is_found_wherever_it_stands(moodle, heads, cells):
    who = ("T 1,Ada Lovelace,ada@uni.example", "T 2,Grace Hopper,grace@uni.example")
    text = f"ID,Name,Mail,{heads},Estado\n{who[0]},{cells},x\n{who[1]},{cells},x\n,,,,,\n"
    with pytest.raises(GraderUsageError, match="Nota counts 100 points, the assignment 64"):
        moodle(text.format(100, 100).encode(), column="Nota")
    assert moodle(text.format(64, 64).encode(), column="Nota")[0].written == ["ada", "grace"]


@pytest.mark.parametrize(
    ("heads", "cells"),
    [
        ("Nota anterior,Nota,Tope", "7,,64"),
        ("Nota anterior,Nota", "7,"),
        ("Número,Nota,Nota máxima,Grupo", '1042,,"64,00",3'),
        ("Nota,Puede cambiarse,Grupo", ",Sí,3"),
        ("Nota,Nota anterior", ',"0,00"'),
    ],
)
def test_another_number_is_no_maximum(moodle, heads, cells):
    text = f"ID,Mail,{heads}\nT 1,ada@uni.example,{cells}\n"
    assert moodle(text.encode(), column="Nota")[0].written == ["ada"]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        (
            GERMAN,
            "Practical 3",
            "name the grade's column by --column; its columns are: Bestwertung, ",
        ),
        (GERMAN.replace("64,00", "100,00"), "Bewertung", "counts 100 points, the assignment 64"),
        (
            DUTCH.replace("Ada", "X").replace("ada", "x").replace("901", "1"),
            "Cijfer",
            "has none of the columns",
        ),
        ("A,B,Grade\nada,grace@uni.example,\n", "Grade", "could be ada, grace: its ids are of different"),
        (
            "PK\x03\x04",
            "Grade",
            "is an Excel or OpenDocument workbook, not a CSV file; save or export it as CSV",
        ),
        ("<html><table>", "Grade", "is a web page, not a CSV file"),
        (
            'A,Grade\n"ada" x,\n',
            "Grade",
            "is not a CSV file: line 2 has a quotation mark too few or too many",
        ),
    ],
)
def test_worksheets_that_cannot_be_filled_say_what_to_do(moodle, tmp_path, text, column, said):
    with pytest.raises(GraderUsageError, match=r"sheet\.csv") as error:
        moodle(text.encode(), column=column)
    assert said in str(error.value)
    assert not (tmp_path / "out.csv").exists()


POINTS_ROW = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Quiz (5),Practical 3 (77),Current Score,Labs Final Grade\n"
    ",,,,,,Manuell,,\n"
    "    Mogelijke punten,,,,,10,{points},(schreibgeschützt),(schreibgeschützt)\n"
    '"Lovelace, Ada",901,ada,ada,S1,7,,80.5,B\n'
    '"Ghost, Gus",955,gus,gus,S1,7,,,\n'
)


@pytest.mark.parametrize(
    "label", ["    Mogelijke punten", "Points possibles", "満点", "    Points Possible", ""]
)
@pytest.mark.parametrize("points", ["100", '"100,00"', "100.0"])
def test_the_row_of_possible_points_is_told_in_any_language(canvas, label, points):
    text = POINTS_ROW.replace("    Mogelijke punten", label)
    with pytest.raises(GraderUsageError, match=r"Practical 3 \(77\) counts 100 points, the assignment 64"):
        canvas(text.format(points=points).encode())
    filled, out = canvas(text.format(points=64).encode())
    assert out.decode() == text.format(points=64).replace("7,,80.5", "7,40.5,80.5")
    assert filled.strangers == [("Ghost, Gus", "")]


@pytest.mark.parametrize(
    "first",
    [
        '"Lovelace, Ada",,,,,,12,,',  # of the roster
        '"Ghost, Gus",,,,S1,,12,,',  # in a section
        '"Ghost, Gus",,,,,,,,',
    ],
)
def test_a_student_without_an_id_is_no_row_of_possible_points(canvas, first):
    text = POINTS_ROW.format(points=64).replace("    Mogelijke", f"{first}\n    Mogelijke")
    filled, out = canvas(text.replace('"Lovelace, Ada",901,ada,ada', "L,1,grace,grace").encode())
    assert filled.written == (["ada", "grace"] if "Ada" in first else ["grace"])
    assert len(filled.strangers) == (1 if "Ada" in first else 2)
    assert b",40.5,," in out or "Ada" not in first


def test_where_no_row_has_an_id_students_are_still_students(canvas):
    text = 'Student,ID,Practical 3 (77)\n    Points Possible,,64\n"Lovelace, Ada",,12\n"Ghost, Gus",,30\n'
    filled, _ = canvas(text.encode())
    assert (filled.written, filled.strangers) == (["ada"], [("Ghost, Gus", "")])
    with pytest.raises(GraderUsageError, match="counts 100 points"):
        canvas(text.replace("Points Possible,,64", "Mogelijke punten,,100").encode())


@pytest.mark.parametrize(
    "head", ["Current Score", "Final Grade", "Unposted Final Points", "Essays Unposted Current Score"]
)
@pytest.mark.parametrize("said", ["(read only)", "(schreibgeschützt)", "\uff08読み取り専用\uff09", ""])
def test_a_column_that_canvas_computes_is_refused(canvas, head, said):
    text = POINTS_ROW.format(points=64).replace("Current Score", head).replace("(schreibgeschützt)", said)
    with pytest.raises(GraderUsageError, match=f"{head} is read only, Canvas computes it"):
        canvas(text.encode(), column=head)


def test_a_column_said_to_be_read_only_is_refused_whatever_its_head(canvas):
    text = POINTS_ROW.format(points=64).replace("Current Score", "Stand")
    with pytest.raises(GraderUsageError, match="Stand is read only"):
        canvas(text.encode(), column="Stand")


def test_an_assignment_may_be_called_like_a_column_that_canvas_computes(canvas):
    text = POINTS_ROW.format(points=64).replace("Practical 3 (77)", "Practical Final Grade (77)")
    assert canvas(text.encode(), column="Practical Final Grade")[0].written == ["ada"]


def test_ids_that_are_read_back_have_no_apostrophe(tmp_path):
    out = tmp_path / "out.csv"
    odd = mark("@ada", first_name="=1+1", email="+ada@uni.example")
    worse = mark("eve", first_name="Eve", email='=HYPERLINK("x")')
    write_brightspace(out, [odd], "Practical 3")
    assert out.read_text().splitlines()[1] == "@ada,40.5,#"
    write_moodle(out, [odd, worse], None, "Practical 3")
    rows = list(csv.reader(out.open()))
    assert rows[1] == ["@ada", "'=1+1", "L", "+ada@uni.example", "40.5"]
    assert rows[2][3].startswith("'=")
    write_own(out, [odd, worse])
    rows = list(csv.reader(out.open()))
    assert rows[1][:4] == ["@ada", "L", "'=1+1", "+ada@uni.example"]
    assert rows[2][3].startswith("'=")


@pytest.fixture(scope="module")
def course(template, tmp_path_factory):
    """Ada and Grace have handed in and are marked, Alan has not; Carla is in no table."""
    course = copied(template, tmp_path_factory.mktemp("sheets") / "course")
    course.policy.write_text('due = "2027-12-31 23:59"\n')
    for student, first, last in (
        ("ada", "Ada", "Lovelace"),
        ("grace", "Grace", "Hopper"),
        ("alan", "Alan", "Turing"),
        ("carla", "Carla", "Chen"),
    ):
        roster(course, student, first_name=first, last_name=last, email=f"{student}@uni.example")
    patch = pytest.MonkeyPatch()
    pretend_to_grade(patch)
    for student in ("ada", "grace", "carla"):
        hand_in(course, student, notebook(course))
    assert run(course) == 0
    patch.undo()
    with inside(course) as config, steps.open_gradebook(config) as gradebook:
        for submission in gradebook.assignment_submissions(ASSIGNMENT):
            for grade in submission.notebooks[0].grades:
                if grade.needs_manual_grade:
                    grade.manual_score, grade.needs_manual_grade = 0.25, False
        gradebook.db.commit()
    return course


@pytest.mark.parametrize(
    ("kind", "content", "options", "left", "said"),
    [
        (
            "canvas",
            EXCUSED,
            [],
            "1 student in",
            [
                "excused in sheet.csv, left as they are: Lovelace, Ada (handed in, 15.5",
                "Turing, Alan (handed in no",
            ],
        ),
        (
            "canvas",
            EXCUSED.replace("EX", "").replace("ex", ""),
            [],
            "2 students in",
            [
                "not in sheet.csv, so not exported: carla; enrol them there and export",
                "in sheet.csv without a mark to export: Turing, Alan",
                "in sheet.csv, and nobody on the roster fits, so left as they are: Student, Test; if",
            ],
        ),
        (
            "canvas",
            EXCUSED.replace("EX", "N/A"),
            [],
            "1 student in",
            ["in sheet.csv with a text in place of points, left as they are: Lovelace, Ada (N/A; 15.5"],
        ),
        (
            "moodle",
            GERMAN,
            ["--column", "Bewertung"],
            "1 student in",
            ["not in sheet.csv, so not exported: carla, gr"],
        ),
    ],
)
def test_an_export_names_everyone_whom_it_leaves_out(
    course, tmp_path, capsys, kind, content, options, left, said
):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(content)
    status, out = export(course, tmp_path, kind, "--sheet", str(sheet), *options)
    assert status == 0
    told = capsys.readouterr().out
    assert left in told
    for line in said:
        assert f"note: {line}" in told or line in told
    assert read_table(out).header == read_table(sheet).header


def test_the_words_of_a_refusal_reach_the_command(course, tmp_path, capsys):
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(GERMAN)
    status, out = export(course, tmp_path, "moodle", "--sheet", str(sheet))
    assert status == 2
    assert "has no column Practical 3, and none called Grade" in capsys.readouterr().err
    assert not out.exists()
