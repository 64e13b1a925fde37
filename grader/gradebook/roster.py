r"""Who of the roster is meant by a name that a platform has written?

Platforms write names in their own way. Moodle 4 drops `& < > " | ' : \ /`, backquotes and control characters
from names of files (`clean_param` with PARAM_FILE in its lib/moodlelib.php), and puts a group and a hyphen
before the name (`download_submissions` in mod/assign/locallib.php); both as remembered, not copied. A Mac may
take accents apart when it unpacks. So names are compared ever more loosely, and one that fits only loosely
must fit one student alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

# What Moodle drops, and the forms in which apostrophes and quotation marks are typed.
_DROPPED = re.compile("[&<>\"`|':\\\\/\u2018\u2019\u201a\u201c\u201d\u201e\u02bc\u02bb\u00b4\x00-\x1f\x7f]")
# Chinese, Japanese and Korean, which are written without a blank between the names.
_WITHOUT_BLANKS = re.compile(
    "[\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
# `LATIN SMALL LETTER O WITH STROKE` is an o, and so is what has a hook, a tail, or lacks its dot.
_LATIN = re.compile(r"LATIN SMALL (?:LETTER|LIGATURE) (?:DOTLESS )?(?P<letter>[A-Z]{1,2})(?: WITH .+)?")
_OTHERWISE = {"ð": "d", "þ": "th", "ŋ": "ng", "ə": "a"}
# What else people write, who have no such letter.
_SPELLED_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "đ": "dj", "ə": "e"}


@dataclass(frozen=True)
class Person:
    """One student of the roster; `platform` is their number in the learning platform."""

    id: str
    first: str = ""
    last: str = ""
    email: str = ""
    platform: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The full name, as platforms put it together."""
        first, last = self.first.strip(), self.last.strip()
        if not first or not last:
            return (first or last,) if first or last else ()
        # Without a blank the last name always comes first: 高明 is not 明高.
        joined = (f"{last}{first}",) if _WITHOUT_BLANKS.fullmatch(last + first) else ()
        return (f"{first} {last}", f"{last} {first}", *joined)


def composed(name: str) -> str:
    """A name with its accents in one form, whatever its case and blanks, and a comma behind the last name."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().replace(",", " ").replace("_", " ").split())


def signless(name: str) -> str:
    """The same without the signs that Moodle drops."""
    return composed(_DROPPED.sub("", unicodedata.normalize("NFC", name)))


def spellings(name: str) -> set[str]:
    """Letters and digits alone, without accents, in all ways: `ø` is `o` to one, and `oe` to another.

    None goes before another: where Müller may be Muller or Mueller, and both are there, neither is meant.
    """
    texts = [signless(name)]
    for letter, other in _SPELLED_OUT.items():
        texts += [text.replace(letter, other) for text in texts if letter in text]
    return {" ".join(re.sub(r"[\W_]+", " ", "".join(map(_plain, text))).split()) for text in texts}


@cache
def _plain(letter: str) -> str:
    """A letter without its accent; of those that Unicode does not take apart, it has names that tell."""
    parts = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    if parts.isascii():
        return parts
    named = (_LATIN.fullmatch(unicodedata.name(part, "")) for part in parts)
    return "".join(
        _OTHERWISE.get(part, match["letter"].lower() if match else part)
        for part, match in zip(parts, named, strict=True)
    )


LEVELS: tuple[Callable[[str], set[str]], ...] = (
    lambda name: {composed(name)},
    lambda name: {signless(name)},
    spellings,
)
LOOSE = LEVELS.index(spellings)  # from here on a person may be asked to look


@dataclass(frozen=True)
class Fit:
    """Whom a name fits, and how loosely: 0 is to the letter."""

    people: tuple[Person, ...]
    level: int


@dataclass(frozen=True)
class Roster:
    """The students of a course."""

    people: Sequence[Person]

    def by_id(self, text: str) -> Person | None:
        """The student of this id, in any form of its accents; upper and lower case are two students."""
        wanted = unicodedata.normalize("NFC", text)
        return _only(one for one in self.people if unicodedata.normalize("NFC", one.id) == wanted)

    def by_platform(self, number: str) -> Person | None:
        """The student of this number in the platform."""
        return _only(one for one in self.people if number and one.platform.strip() == number)

    def by_name(self, name: str) -> Fit:
        """Those whom a full name fits, as strictly as it fits anybody."""
        for level, form in enumerate(LEVELS):
            found = {one.id: one for text in form(name) for one in self._named[level].get(text, ())}
            if found:
                return Fit(tuple(found.values()), level)
        return Fit((), len(LEVELS))

    def by_end_of_name(self, name: str) -> Fit:
        """Those whose full name stands behind a group's and a hyphen."""
        fits = [self.by_name(name[match.end() :]) for match in re.finditer("-", name)]
        level = min((fit.level for fit in fits), default=len(LEVELS))
        people = {person.id: person for fit in fits if fit.level == level for person in fit.people}
        return Fit(tuple(people.values()), level)

    def by_squashed_name(self, name: str) -> Fit:
        """Those of whom Canvas makes this name: `lovelaceada`."""
        wanted = _squashed(name)
        return Fit(tuple(one for one, theirs in self._as_canvas if wanted & theirs), LOOSE)

    @cached_property
    def _as_canvas(self) -> list[tuple[Person, set[str]]]:
        return [(person, _squashed(*person.names)) for person in self.people]

    @cached_property
    def _named(self) -> list[dict[str, list[Person]]]:
        tables: list[dict[str, list[Person]]] = []
        for form in LEVELS:
            table: dict[str, list[Person]] = {}
            for person in self.people:
                for text in {text for name in person.names for text in form(name)} - {""}:
                    table.setdefault(text, []).append(person)
            tables.append(table)
        return tables


def _squashed(*names: str) -> set[str]:
    """All spellings of these names without blanks."""
    return {text.replace(" ", "") for name in names for text in spellings(name)} - {""}


def _only(people: Iterable[Person]) -> Person | None:
    found = list(people)
    return found[0] if len(found) == 1 else None
