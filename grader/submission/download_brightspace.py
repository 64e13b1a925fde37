"""Brightspace: `13394-80551 - Jane Doe - Mar 29, 2018 1205 PM - answer.zip`, or folders without the file.

D2L writes the time in the form and language of the organisation, without the signs that file names may not
hold. Whose a file is does not hang on it: the time is the first part behind the name that holds a year and
more digits. Where it cannot be read for certain (`03-04-2018`), none is told. Only the form above is of a
real download; the others follow what CLDR says about dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from grader.submission.download_entry import Entry

_HEAD = re.compile(r"(?P<id>\d+)-\d+ - (?P<rest>.+)", re.DOTALL | re.ASCII)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_CLOCK = re.compile(r"(?P<hour>\d{1,2}) ?[:._h]? ?(?P<minute>\d\d)(?:[:_]?\d\d)?(?P<half>\D*)")
_YEAR_FIRST = re.compile(
    r"(?<!\d)(?P<year>\d{4})(?: ?[-./年년] ?)(?P<month>\d{1,2})(?: ?[-./月월] ?)(?P<day>\d{1,2})(?!\d)"
)
_YEAR_LAST = re.compile(
    r"(?<!\d)(?P<first>\d{1,2})(?P<sign>[-./ ])(?P<second>\d{1,2})(?P=sign)(?P<year>\d{4})"
)
_DAY = re.compile(r"(?<!\d)(\d{1,2})(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")
_BEFORE_NOON, _AFTER_NOON = (
    frozenset({"am", "上午", "午前", "오전"}),
    frozenset({"pm", "下午", "午後", "오후"}),
)
_NO_HALF = frozenset({"", "h", "uhr", "uur", "kl"})  # a clock of 24 hours
# Languages in which Brightspace writes months, and their neighbours.
_LANGUAGES = (
    *(
        "ar",
        "ca",
        "cs",
        "cy",
        "da",
        "de",
        "en",
        "es",
        "fi",
        "fr",
        "hr",
        "hu",
        "id",
        "it",
        "ja",
        "ko",
        "nb",
        "nl",
    ),
    *("nn", "pl", "pt", "pt_BR", "ro", "sv", "tr", "uk", "vi", "zh"),
)


def brightspace_entries(names: Iterable[str]) -> dict[str, Entry]:
    """What the names of one download by Brightspace tell, without those of any other origin."""
    parts = {name: found for name in names if (found := _parts(name))}
    order = _order(date for _, _, date, _ in parts.values())
    return {
        name: Entry("Brightspace", digits, f"{who}_{digits}", file, _time(date, order))
        for name, (digits, who, date, file) in parts.items()
    }


def _parts(name: str) -> tuple[str, str, str, str] | None:
    """Id, name, time and file."""
    head = _HEAD.fullmatch(name)
    if head is None:
        return None
    pieces = head["rest"].split(" - ")
    for place, piece in enumerate(pieces):
        year = _YEAR.search(piece)
        if place and year and "\n" not in piece and len(re.sub(r"\D", "", piece)) >= 7:
            return head["id"], " - ".join(pieces[:place]), piece.strip(), " - ".join(pieces[place + 1 :])
    return None


def _order(dates: Iterable[str]) -> str:
    """What comes first in dates of numbers that end with the year, where one of the download tells."""
    told = set()
    for date in dates:
        match = _YEAR_LAST.search(date)
        if match is None:
            continue
        if match["sign"] == "." or int(match["first"]) > 12:
            told.add("day")  # with dots the day comes first everywhere
        elif int(match["second"]) > 12:
            told.add("month")
    return told.pop() if len(told) == 1 else ""


def _time(text: str, order: str) -> tuple[int, ...]:
    """Year, month, day, hour and minute; nothing where they are not known for certain."""
    found = _date(text, order)
    if found is None:
        return ()
    (year, month, day), rest = found
    clock = _CLOCK.fullmatch(rest)
    if clock is None or not 1 <= month <= 12:
        return ()
    hour, minute = int(clock["hour"]), int(clock["minute"])
    half = re.sub(r"[\W_]", "", (clock["half"] or "").casefold())
    if half in _BEFORE_NOON | _AFTER_NOON:
        hour = hour % 12 + 12 * (half in _AFTER_NOON)
    elif half not in _NO_HALF:
        return ()
    return (year, month, day, hour, minute) if hour < 24 and minute < 60 else ()


def _date(text: str, order: str) -> tuple[tuple[int, int, int], str] | None:
    """Year, month and day, and what stands behind them."""
    year = _YEAR.search(text)
    months = [
        (word, number)
        for word in _WORD.finditer(text)
        if (number := _months().get(word[0].casefold())) is not None
    ]
    if year is None or not months:
        return _date_of_numbers(text, order)
    word, number = months[0]
    before = text[: year.start()]
    day = _DAY.search(before) or _DAY.search(text, max(year.end(), word.end()))
    if day is None:
        return None
    return (int(year[0]), number, int(day[1])), _behind(text, max(year.end(), word.end(), day.end()))


def _date_of_numbers(text: str, order: str) -> tuple[tuple[int, int, int], str] | None:
    match = _YEAR_FIRST.search(text)
    if match is not None:
        return (int(match["year"]), int(match["month"]), int(match["day"])), _behind(text, match.end())
    match = _YEAR_LAST.search(text)
    if match is not None:
        if not order:
            return None
        month, day = ("first", "second") if order == "month" else ("second", "first")
        return (int(match["year"]), int(match[month]), int(match[day])), _behind(text, match.end())
    return None


def _behind(text: str, place: int) -> str:
    """The clock behind a date, without the sign that ends the date (`日`) and the word for `at`."""
    rest = text[place:].strip(" ,.")
    digit = re.search(r"\d", rest)
    if digit is None:
        return rest
    head, tail = rest[: digit.start()].strip(), rest[digit.start() :]
    half = re.sub(r"[\W_日일]", "", head).casefold()
    return f"{tail} {half}" if half in _BEFORE_NOON | _AFTER_NOON else tail


@cache
def _months() -> dict[str, int]:
    """Names of months, short and long, that mean the same in all languages that have them."""
    from babel.dates import get_month_names

    meanings: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    for word in _WORD.findall(name.casefold()):
                        if len(word) > 2:
                            meanings.setdefault(word, set()).add(number)
    return {name: next(iter(numbers)) for name, numbers in meanings.items() if len(numbers) == 1}
