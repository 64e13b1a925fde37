"""Text that students influence in a table for a spreadsheet: shown, and never run."""

from __future__ import annotations

import re

# Some countries' spreadsheets end a cell at a semicolon or a tab, and take wide signs for narrow ones.
_ENDS = ";,|\t\r\n"
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212-"
_FORMULA = re.compile(rf'(?:\A|(?<=[{_ENDS}]))(?=[\s"]*[{_SIGNS}])|\A(?=[\t\r])')


def harmless(text: str) -> str:
    """The text, with an apostrophe wherever a spreadsheet might take what follows for a formula."""
    return _FORMULA.sub("'", text)
