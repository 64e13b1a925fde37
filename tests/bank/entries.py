"""All wrong and right submissions: one small edit of the solutions each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from grader.rubric import load_rubric
from tests.suites import calls, packed_answers, second_look
from tests.suites.part1 import hand_in_mistakes, right_trainings
from tests.suites.part1 import hand_ins as hand_ins1
from tests.suites.part1 import hidden_mistakes as hidden1
from tests.suites.part1 import variants as part1
from tests.suites.part1 import ways as ways1
from tests.suites.part2 import hand_ins as hand_ins2
from tests.suites.part2 import hidden_mistakes as hidden2
from tests.suites.part2 import loops, mains, other_trainings
from tests.suites.part2 import variants as part2
from tests.suites.part2 import ways as ways2
from tests.suites.variants import Variant, edited, solution


@dataclass(frozen=True)
class Entry:
    """One submission to one part of the assignment.

    Attributes:
        name: unique.
        item: the item that must lose points; empty for right code.
        also: items that may lose points as well, because nothing can be said of them.
        files: what is submitted.
        items: the items that are marked.
        family: what kind of mistake it is, see families.py; empty for right code.
    """

    name: str
    item: str
    also: tuple[str, ...]
    files: dict[str, bytes]
    items: frozenset[str]
    family: str = ""

    @property
    def digest(self) -> str:
        """Changes with anything that is submitted or expected."""
        state = hashlib.sha256(repr((self.name, self.item, self.also, sorted(self.items))).encode())
        for name, content in sorted(self.files.items()):
            state.update(name.encode() + b"\0" + content + b"\0")
        return state.hexdigest()


def automatic_items() -> list[str]:
    """The ids of the items that the suites mark."""
    return [item.id for item in load_rubric().automatic]


def combined(first: Variant, second: Variant) -> Entry | None:
    """One submission with two mistakes in the same part; None where their edits touch one another."""
    part = first.file.split("/")[0]
    if part != second.file.split("/")[0]:
        return None
    files = solution(part)
    both, other_way = files, files
    try:
        for one, other in ((first, second), (second, first)):
            both, other_way = edited(both, one), edited(other_way, other)
    except AssertionError:
        return None  # the text that one edits is gone with the other
    kept = all(new.encode() in both[variant.file] for variant in (first, second) for _, new in variant.edits)
    if both != other_way or not kept:
        return None
    entry = _entry(first, files)
    name = f"{entry.name} + {_entry(second, files).name}"
    return Entry(name, entry.item, tuple(entry.items), both, entry.items, first.family)


def _entry(variant: Variant, files: dict[str, bytes]) -> Entry:
    part = variant.file.split("/")[0]
    kind = variant.item or f"right {part}"
    items = frozenset(item for item in automatic_items() if item.startswith(part.removeprefix("part") + "."))
    name = f"{kind}: {variant.name}"
    return Entry(name, variant.item, variant.also, edited(files, variant), items, variant.family)


def mistakes() -> list[Variant]:
    """The edits of the solutions that make one mistake each."""
    of_second = (
        part2.WRONG,
        part2.OPTIMIZERS,
        loops.WRONG_LOOPS,
        mains.WRONG_MAINS,
        hand_ins2.WRONG,
        other_trainings.WRONG_OTHERS,
    )
    of_first = (part1.WRONG, hand_in_mistakes.WRONG)
    hidden = (*hidden1.WRONG_WAYS, *hidden2.WRONG_WAYS)
    return [
        *second_look.WRONG,
        *packed_answers.WRONG_PACKED,
        *hidden,
        *(one for variants in of_first + of_second for one in variants),
    ]


def wrong() -> list[Entry]:
    """One mistake each."""
    first, second = solution("part1"), solution("part2")
    loop = Variant("a loop that lets it", part2.LEAKING_LOOP, file=part2.TRAIN)
    return [
        *(_entry(one, first if one.file.startswith("part1/") else second) for one in mistakes()),
        *(_entry(variant, edited(second, loop)) for variant in part2.LEAKS),
    ]


def right() -> list[Entry]:
    """The same, written another way."""
    first, second = solution("part1"), solution("part2")
    networks = (part1.BATCH_NORM, part1.MLP, part1.DROPOUT, part1.UNSCALED, part1.ONE_HOT)
    named = {
        variant.name: variant
        for variant in (*part1.RIGHT, *hand_ins1.RIGHT, *right_trainings.RIGHT, *networks)
    }
    of_second = (
        part2.RIGHT,
        part2.RIGHT_TRAINING,
        loops.RIGHT_LOOPS,
        mains.RIGHT_MAINS,
        hand_ins2.RIGHT,
        other_trainings.RIGHT_OTHERS,
    )
    others = (*second_look.RIGHT, *ways1.RIGHT_WAYS, *ways2.RIGHT_WAYS, *calls.RIGHT_CALLS)
    again = (_entry(one, first if one.file.startswith("part1/") else second) for one in others)
    return [
        *again,
        *(_entry(variant, first) for variant in named.values()),
        *(_entry(variant, second) for variants in of_second for variant in variants),
    ]


def of_hand_ins() -> frozenset[str]:
    """The names of those in the style of real hand-ins."""
    first, second = solution("part1"), solution("part2")
    looked = second_look.WRONG + second_look.RIGHT
    variants = hand_in_mistakes.WRONG + hand_ins1.RIGHT
    variants += tuple(one for one in looked if one.file.startswith("part1/"))
    others = hand_ins2.WRONG + hand_ins2.RIGHT + loops.WRONG_LOOPS + loops.RIGHT_LOOPS
    others += mains.WRONG_MAINS + mains.RIGHT_MAINS
    others += tuple(one for one in looked if one.file.startswith("part2/"))
    found = [_entry(variant, first) for variant in variants] + [_entry(one, second) for one in others]
    return frozenset(entry.name for entry in found)


TRAININGS = frozenset({"1.7.training", "2.4.reconstruction", "2.5.training"})


def solved(items: frozenset[str], name: str) -> Entry:
    """The solutions themselves, marked on some items."""
    return Entry(name, "", (), solution("part1") | solution("part2"), items)
