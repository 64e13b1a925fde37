"""What a person should know about a table that was filled in, and what to do."""

from __future__ import annotations

from grader.gradebook.exports.filling import Filled
from grader.gradebook.exports.sheets import encoding_name
from grader.report.marks_csv import number
from grader.text import listed, printable

_SHOWN = 40


def remarks(filled: Filled, sheet: str) -> list[str]:
    """A line for each kind of student or row that was left out, or was found less surely.

    Args:
        filled: what became of the rows.
        sheet: the file's name.
    """
    shown = printable(sheet)
    lines = []
    if filled.encoding != "utf-8":
        name = encoding_name(filled.encoding)
        lines.append(f"{shown} is not in UTF-8, but in {name} as it seems, and so is what was written")
    if filled.missing:
        lines.append(
            f"not in {shown}, so not exported: {listed(filled.missing, _SHOWN)}; enrol them there and export "
            "it again, or enter their points there by hand"
        )
    if filled.markless:
        lines.append(f"in {shown} without a mark to export: {listed(filled.markless, _SHOWN)}")
    if filled.strangers:
        rows = [f"{label} ({hint})" if hint else label for label, hint in filled.strangers]
        lines.append(
            f"in {shown}, and nobody on the roster fits, so left as they are: {listed(rows, _SHOWN)}; if "
            "they take the course, give the roster the id or lms_user_id that the row has"
        )
    for label, students in filled.several:
        lines.append(
            f"{shown}: the row of {printable(label)} could be {listed(students)}, so it is left as it is: "
            "enter the points there by hand, or correct the roster"
        )
    for student, rows in filled.twice:
        lines.append(
            f"{shown}: {len(rows)} rows could be {student}'s ({listed(rows)}), so they are left as they are: "
            "remove or correct one, and export again"
        )
    if filled.excused:
        about = []
        for label, mark in filled.excused:
            if mark is None:
                about.append(f"{label} (nobody on the roster)")
            elif mark.handed_in:
                about.append(f"{label} (handed in, {number(mark.points)} points are not written)")
            else:
                about.append(f"{label} (handed in nothing)")
        lines.append(
            f"excused in {shown}, left as they are: {listed(about, _SHOWN)}; to give points, clear EX there"
        )
    if filled.texts:
        about = [
            f"{label} ({text}; {number(mark.points)} points are not written)"
            for label, text, mark in filled.texts
        ]
        lines.append(
            f"in {shown} with a text in place of points, left as they are: {listed(about, _SHOWN)}; to give "
            "points, clear the cell there and export again"
        )
    if filled.by_name:
        pairs = [f"{label} as {student}" for label, student in filled.by_name]
        lines.append(f"known by the name alone: {listed(pairs, _SHOWN)}; see whether that is right")
    if filled.shortened:
        pairs = [f"{label} as {student}" for label, student in filled.shortened]
        lines.append(
            f"known by an id that has lost its zeros, in a spreadsheet probably: {listed(pairs, _SHOWN)}; "
            "see whether that is right"
        )
    return lines
