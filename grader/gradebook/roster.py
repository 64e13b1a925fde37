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
from functools import cached_property

# What Moodle drops, and the forms in which apostrophes and quotation marks are typed.
_DROPPED = re.compile("[&<>\"`|':\\\\/\u2018\u2019\u201a\u201c\u201d\u201e\u02bc\u02bb\u00b4\x00-\x1f\x7f]")


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
        return (f"{first} {last}", f"{last} {first}")


def composed(name: str) -> str:
    """A name with its accents in one form, whatever its case and blanks, and a comma behind the last name."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().replace(",", " ").replace("_", " ").split())


def signless(name: str) -> str:
    """The same without the signs that Moodle drops."""
    return composed(_DROPPED.sub("", unicodedata.normalize("NFC", name)))


def bare(name: str) -> str:
    """Letters and digits alone, without accents."""
    parts = unicodedata.normalize("NFKD", signless(name))
    return " ".join(
        re.sub(r"[\W_]+", " ", "".join(char for char in parts if not unicodedata.combining(char))).split()
    )


LEVELS: tuple[Callable[[str], str], ...] = (composed, signless, bare)
LOOSE = LEVELS.index(bare)  # from here on a person may be asked to look


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
            wanted = form(name)
            found = self._named[level].get(wanted, ()) if wanted else ()
            if found:
                return Fit(tuple(found), level)
        return Fit((), len(LEVELS))

    def by_end_of_name(self, name: str) -> Fit:
        """Those whose full name stands behind a group's and a hyphen."""
        fits = [self.by_name(name[match.end() :]) for match in re.finditer("-", name)]
        level = min((fit.level for fit in fits), default=len(LEVELS))
        people = {person.id: person for fit in fits if fit.level == level for person in fit.people}
        return Fit(tuple(people.values()), level)

    def by_squashed_name(self, name: str) -> Fit:
        """Those of whom Canvas makes this name: `lovelaceada`."""
        wanted = bare(name).replace(" ", "")
        people = [
            one
            for one in self.people
            if wanted and any(bare(form).replace(" ", "") == wanted for form in one.names)
        ]
        return Fit(tuple(people), LOOSE)

    @cached_property
    def _named(self) -> list[dict[str, list[Person]]]:
        tables: list[dict[str, list[Person]]] = []
        for form in LEVELS:
            table: dict[str, list[Person]] = {}
            for person in self.people:
                for name in dict.fromkeys(map(form, person.names)):
                    if name:
                        table.setdefault(name, []).append(person)
            tables.append(table)
        return tables


def _only(people: Iterable[Person]) -> Person | None:
    found = list(people)
    return found[0] if len(found) == 1 else None
