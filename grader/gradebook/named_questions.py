"""By which lines students say which question they answer: `1.1. text`, `### Vraag 1.1`, `**Q1.1** text`.

A line in doubt, such as one that begins with `1.2 bits`, counts: that a blank answer waits for a person costs
a look, and a 0 that is wrong a mark. Numbers within a sentence and rows of numbers do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from grader.rubric import load_rubric

MAX_LINE = 300  # characters of a line that are looked at: what names a question stands at its start

# Before the number: signs, tags, the number of a list's item, and a few words.
_NUMBER = re.compile(
    r"(?P<marks>(?:[^\w<\\]|_|<(?:[^<>]*>)?|\\(?:\w+\*?\{)?|(?:\d{1,2}|[a-z])[.)]\s+)*)"
    r"(?P<words>(?:[^\W\d_]++[\s.:#*_(\[\u2019'-]*+){0,6}?)"
    r"(?P<first>\d{1,2}[.\-_]\d{1,2})[a-d]?(?![\w%]|[.,]\d|\s*[±\u00d7%])"
    r"(?P<rest>(?:\s*(?:[,;&/+\u2013\u2014-]|\w{1,3}\b)\s*(?P<last>\d{1,2}[.\-_]\d{1,2})(?![\w%]|\.\d))*.*)",
    re.DOTALL,
)
_QUESTION = re.compile(
    r"(?i)(?:questions?|answers?|exercises?|tasks?|parts?|problems?|vraag|vragen|opgaven?|antwoord|fragen?|"
    r"aufgaben?|antwort|réponse|exercice|pregunta|respuesta|ejercicio|domanda|risposta|esercizio|pergunta|"
    r"resposta|fråga|svar|spørgsmål|spørsmål|oppgave|pytanie|odpowiedź|вопрос|ответ|soru|cevap|ερώτηση|"
    r"απάντηση)\Z"
)
_LETTER = re.compile(r"(?i)(?:.*\W)?[qa]\Z", re.DOTALL)  # right before the number
_CALCULATED = re.compile(r"[≈÷≤≥±\u00d7]|(?<![=~+])[=~+](?![=~+])")
_HEADING = re.compile(r"#|\*\*|__|<[hb]|\\\w+\*?\{", re.IGNORECASE)


@dataclass(frozen=True)
class Named:
    """Which questions a line names.

    Attributes:
        first: `1.1`.
        last: of several, such as `1.1 and 1.3`; else the first.
        surely: whether it does by a word or as a heading, and cannot be text.
    """

    first: str
    last: str
    surely: bool


def named(line: str) -> Named | None:
    """What a line names at its start; None where nothing."""
    found = _NUMBER.match(unicodedata.normalize("NFKC", line[:MAX_LINE]).strip())
    if found is None:
        return None
    marks, rest = found["marks"], found["rest"]
    words = re.findall(r"[^\W\d_]+", found["words"])
    by_word = any(map(_QUESTION.match, words)) or _LETTER.match(found["words"]) is not None
    if not by_word:
        if "." not in found["first"] or (not words and _CALCULATED.search(marks)):
            return None
        in_numbers = re.search(r"\d", rest) is not None and re.search(r"[^\W\d_]", rest) is None
        alone = len(words) == 1 and re.match(r"[.:)]|\W*\Z", rest)
        if not _HEADING.search(marks) and (in_numbers if not words else not alone):
            return None
    first, last = (_dotted(found[name] or found["first"]) for name in ("first", "last"))
    return Named(first, last, by_word or "#" in marks)


def _dotted(number: str) -> str:
    part, question = re.split(r"\D", number)
    return f"{part}.{int(question)}"


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text that say something, also where a tag breaks them."""
    return filter(str.strip, re.split(r"\r?\n|\r|<br\s*/?>", text))


def names_a_question(text: str) -> bool:
    """Whether a text names, at the start of any line, a question that is answered in writing."""
    names = filter(None, map(named, lines_of(text)))
    return any(not _written().isdisjoint((name.first, name.last)) for name in names)


@cache
def _written() -> frozenset[str]:
    """The questions with answers that a person marks."""
    rubric = load_rubric()
    return frozenset(item.question for item in rubric.items if item not in rubric.automatic)
