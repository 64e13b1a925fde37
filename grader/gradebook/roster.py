r"""Who of the roster is meant by a name that a platform has written?

Platforms write names in their own way. Moodle 4 drops `& < > " | ' : \ /`, backquotes and control characters
from names of files (`clean_param` with PARAM_FILE in its lib/moodlelib.php), and puts a group and a hyphen
before the name (`download_submissions` in mod/assign/locallib.php); both as remembered, not copied. A Mac may
take accents apart when it unpacks. So names are compared ever more loosely, and one that fits only loosely
must fit one student alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from grader.gradebook.written_names import (
    DASH,
    WITHOUT_BLANKS,
    composed,
    in_halves,
    joined,
    signless,
    spellings,
    without_initials,
    without_numbers,
    without_particles,
)


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
        unbroken = (f"{last}{first}",) if WITHOUT_BLANKS.fullmatch(last + first) else ()
        return (f"{first} {last}", f"{last} {first}", *unbroken)

    @property
    def halves(self) -> tuple[tuple[str, str], ...]:
        """The full name in two halves, in every order in which lists have it."""
        first, last = self.first.strip(), self.last.strip()
        if not first or not last:
            return ((first or last, ""),)
        particles, core = without_particles(last)
        if not particles:
            return ((first, last), (last, first))
        whole, turned = f"{particles} {core}", f"{core} {particles}"
        return (
            *((first, whole), (whole, first), (first, turned), (turned, first)),
            (core, f"{first} {particles}"),
        )


def _names_in(form: Callable[[str], set[str]]) -> Callable[[Person], set[str]]:
    return lambda person: {text for name in person.names for text in form(name)} - {""}


def _halves_of(person: Person) -> set[str]:
    return {
        f"{joined(one)} {joined(other)}"
        for first, second in person.halves
        for one in spellings(first)
        for other in spellings(second)
        if one
    }


def _with_initials_or_without(name: str) -> set[str]:
    """A name in halves: behind `-` without its initials, behind `+` as somebody's who has initials more.

    Nobody's are left out on both sides: Ann B. and Ann C. are two.
    """
    shorter = without_initials(name)
    less = in_halves(shorter) if " " in shorter else set[str]()
    return {f"-{text}" for text in less} | {f"+{text}" for text in in_halves(name)}


def _halves_with_initials_or_without(person: Person) -> set[str]:
    return {f"-{text}" for text in _halves_of(person)} | {f"+{text}" for text in _shorter_halves_of(person)}


def _shorter_halves_of(person: Person) -> set[str]:
    shorter = without_initials(person.first) if person.last.strip() else ""
    return _halves_of(replace(person, first=shorter)) if shorter else set()


def _squashing(halves: Callable[[Person], set[str]]) -> Callable[[Person], set[str]]:
    return lambda person: set(map(joined, halves(person)))


_BY_NAMES: tuple[Callable[[str], set[str]], ...] = (
    lambda name: {composed(name)},
    lambda name: {signless(name)},
    spellings,
)
# What a name may be, and what a person may be called, ever more loosely.
LEVELS: tuple[tuple[Callable[[str], set[str]], Callable[[Person], set[str]]], ...] = (
    *((form, _names_in(form)) for form in _BY_NAMES),
    (in_halves, _halves_of),
    (_with_initials_or_without, _halves_with_initials_or_without),
)
LOOSE = _BY_NAMES.index(spellings)  # from here on a person may be asked to look
MORE = len(LEVELS) - 1  # and here one of the two has an initial or a number more


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

    def by_id_or_name(self, text: str) -> Fit:
        """Those of this id or address, whatever its case, and those of this name."""
        fit = self.by_name(text)
        wanted = _folded(text)
        people = [one for one in self.people if wanted and wanted in (_folded(one.id), _folded(one.email))]
        # What is only alike says nothing beside an id; another's name does.
        named = fit.people if fit.level < LOOSE else ()
        return Fit(tuple(dict.fromkeys((*people, *named))), 0) if people else fit

    def by_platform(self, number: str) -> Person | None:
        """The student of this number in the platform."""
        return _only(one for one in self.people if number and one.platform.strip() == number)

    def by_name(self, name: str) -> Fit:
        """Those whom a full name fits, as strictly as it fits anybody."""
        for level, (form, _) in enumerate(LEVELS):
            found = {one.id: one for text in form(name) for one in self._named[level].get(text, ())}
            if found:
                return Fit(tuple(found.values()), level)
        shorter, numbers = without_numbers(name)
        return self._by_numbers(self.by_name(shorter), numbers) if numbers else Fit((), len(LEVELS))

    def _by_numbers(self, fit: Fit, numbers: Sequence[str]) -> Fit:
        """Those whom a name with these numbers fits: one may be an id, theirs or somebody else's."""
        said = {number.casefold() for number in numbers}
        theirs = [one for one in self.people if said & {one.id.casefold(), one.platform.strip()}]
        agreed = tuple(one for one in fit.people if one in theirs)
        if len(theirs) == 1 and agreed:
            return Fit(agreed, fit.level)
        people = dict.fromkeys((*fit.people, *theirs)) if fit.people else ()
        return Fit(tuple(people), max(fit.level, MORE))

    def by_end_of_name(self, name: str) -> Fit:
        """Those whose full name stands behind a group's and a dash: `Group 1-Ada Lovelace`.

        One word before it may be half of a name: Anne-Marie Smith is not Marie Smith, so a person looks.
        """
        fits = []
        for match in DASH.finditer(name):
            fit, before = self.by_name(name[match.end() :]), name[: match.start()].strip()
            half = before.isalpha() and len(before) > 2
            fits.append(replace(fit, level=max(fit.level, LOOSE)) if half else fit)
        level = min((fit.level for fit in fits), default=len(LEVELS))
        people = {person.id: person for fit in fits if fit.level == level for person in fit.people}
        return Fit(tuple(people.values()), level)

    def by_squashed_name(self, name: str) -> Fit:
        """Those of whom Canvas makes this name: `lovelaceada`."""
        for level, table in zip((LOOSE, MORE), self._squashed, strict=True):
            found = {one.id: one for text in spellings(name) for one in table.get(joined(text), ())}
            if found:
                return Fit(tuple(found.values()), level)
        return Fit((), len(LEVELS))

    @cached_property
    def _named(self) -> list[dict[str, list[Person]]]:
        return [self._table(called) for _, called in LEVELS]

    @cached_property
    def _squashed(self) -> list[dict[str, list[Person]]]:
        return [self._table(_squashing(halves)) for halves in (_halves_of, _shorter_halves_of)]

    def _table(self, called: Callable[[Person], set[str]]) -> dict[str, list[Person]]:
        table: dict[str, list[Person]] = {}
        for person in self.people:
            for text in called(person):
                table.setdefault(text, []).append(person)
        return table


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()


def _only(people: Iterable[Person]) -> Person | None:
    found = list(people)
    return found[0] if len(found) == 1 else None
