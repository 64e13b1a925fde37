"""In what ways is one name written?

Platforms, lists and people write it with accents or without, with signs or without, with its particles
before or behind. The functions here bring a name into a form, or into all forms, in which two ways of writing
are the same.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import takewhile

# What Moodle drops, and the forms in which apostrophes and quotation marks are typed.
_DROPPED = re.compile("[&<>\"`|':\\\\/\u2018\u2019\u201a\u201c\u201d\u201e\u02bc\u02bb\u00b4\x00-\x1f\x7f]")
DASH = re.compile("[-\u2010-\u2015\u2212]")
# Chinese, Japanese and Korean, which are written without a blank between the names.
WITHOUT_BLANKS = re.compile(
    "[\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]+"
)
# What stands before a family name, and in some lists behind the first name: `Berg, Jan van der`.
_PARTICLE = re.compile(
    "aan|abu|af|al|ap|av|ben|bint?|das?|degli|dei|del|dell[aeo]|de[nrs]?|di|dos?|du|el|het|ibn|in|l[ao]s?|le|op|"
    "[dt]|te[nr]?|uit|ul|van|vo[mn]|zu[mr]?"
)
# With its dot: `Anne O Neill` has none, but the rest of an apostrophe.
_INITIALS = re.compile(r"(?<=\S)\s+(?:[^\W\d_]\.-?)+(?=\s|$)")
_NUMBER = re.compile(r"[(\[]?\b(?P<number>[A-Za-z]{0,2}\d{4,})\b[)\]]?")
# `LATIN SMALL LETTER O WITH STROKE` is an o, and so is what has a hook, a tail, or lacks its dot.
_LATIN = re.compile(r"LATIN SMALL (?:LETTER|LIGATURE) (?:DOTLESS )?(?P<letter>[A-Z]{1,2})(?: WITH .+)?")
_OTHERWISE = {"ð": "d", "þ": "th", "ŋ": "ng", "ə": "a"}
# What else people write, who have no such letter.
_SPELLED_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "đ": "dj", "ə": "e"}


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


def without_particles(last: str) -> tuple[str, str]:
    """The particles of a last name, and the rest; behind it they are some only in lower case."""
    words = last.replace(",", " ").split()
    before = list(takewhile(_is_particle, words))
    if 0 < len(before) < len(words):
        return " ".join(before), " ".join(words[len(before) :])
    behind = list(takewhile(lambda word: _is_particle(word) and word.islower(), words[::-1]))
    if 0 < len(behind) < len(words):
        return " ".join(behind[::-1]), " ".join(words[: -len(behind)])
    return "", last


def _is_particle(word: str) -> bool:
    return _PARTICLE.fullmatch(signless(word)) is not None


def joined(name: str) -> str:
    """A name without its blanks."""
    return name.replace(" ", "")


def in_halves(name: str) -> set[str]:
    """A name in two halves, wherever it may fall into them, each without blanks: `O Neill` is `oneill`.

    Without any blank it could be another's: Yi Nan is not Yin An.
    """
    return {
        f"{joined(' '.join(words[:place]))} {joined(' '.join(words[place:]))}"
        for words in map(str.split, spellings(name))
        for place in range(1, len(words) + 1)
    }


def without_initials(name: str) -> str:
    """A name without the initials behind its first word; empty where it has none."""
    text = unicodedata.normalize("NFC", name)
    shorter = _INITIALS.sub("", text)
    return shorter if shorter != text else ""


def without_numbers(name: str) -> tuple[str, list[str]]:
    """A name without the long numbers that a platform shows beside it, and these."""
    return _NUMBER.sub(" ", name), [match["number"] for match in _NUMBER.finditer(name)]
