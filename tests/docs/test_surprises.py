"""Each row of the table of surprises names something that shows it again."""

from __future__ import annotations

import ast
import re

from tests.docs.markdown import DOCS, ROOT

ROW = re.compile(r"^\| (?!\*\*|where |---)(.+) \|$", re.MULTILINE)
FINDINGS = ROOT / "findings"


def rows() -> list[list[str]]:
    """The cells of all rows but headings."""
    return [row.split(" | ") for row in ROW.findall((DOCS / "surprises.md").read_text())]


def test_every_row_is_seen_in_a_script_or_a_test() -> None:
    for where, *cells, seen in rows():
        assert len(cells) == 3, where
        file, _, function = seen.strip("`").partition("::")
        path = ROOT / file
        assert path.is_file(), f"{where}: {file} is missing"
        if function:
            names = {one.name for one in ast.walk(ast.parse(path.read_text())) if hasattr(one, "name")}
            assert function in names, f"{where}: {file} has no {function}"
        else:
            assert path.parent == FINDINGS, where


def test_every_finding_has_its_row() -> None:
    seen = {row[-1].strip("`") for row in rows()}
    missing = {f"findings/{path.name}" for path in FINDINGS.glob("*.sh")} - seen
    assert not missing, f"docs/surprises.md does not name {sorted(missing)}"
