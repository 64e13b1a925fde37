"""How alike are two pieces of code? Overlap of fingerprints, by copydetect.

copydetect reads code as tokens: other names, comments and spaces make no difference, statements in another
order little. Runs of tokens that many submissions share are not counted: they are how the exercise is solved.
"""

from __future__ import annotations

import copy
import heapq
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product

from copydetect import CodeFingerprint, compare_files
from copydetect.utils import get_token_coverage

RUN = 25  # characters of filtered code, where a name is one: shorter runs are alike by chance
EVERY_RUN = 1  # compare all runs, not a sample by their hash: Python salts hashes, and scores would differ
COMMON_SHARE = 0.3  # a run that more of the submissions have is common
NEVER_COMMON = 6  # but not one that at most so many have: a small cohort, or friends
SHORTEST = 80  # characters of filtered code, about two functions; with fewer all are alike

Span = tuple[int, int]


@dataclass(frozen=True)
class Pair:
    """Two submissions and what they have in common.

    Attributes:
        first: a submission's name.
        second: another one's.
        score: how much of the one is in the other, 0 to 1: the larger of the two shares.
        shares: for each the share of its code that the other has too.
        spans: for each the places in its code that the other has too, from character to character.
        cohort: of the second, where that is another one.
    """

    first: str
    second: str
    score: float
    shares: tuple[float, float]
    spans: tuple[tuple[Span, ...], tuple[Span, ...]]
    cohort: str = ""


def alike_pairs(codes: Mapping[str, str], count: int) -> list[Pair]:
    """The most alike pairs, from the most alike on.

    Args:
        codes: what each student wrote, by the submission's name.
        count: how many pairs at most.
    """
    prints = _fingerprints(codes)
    prints = _without(prints, _common(prints))
    return _most_alike(prints, prints, combinations(sorted(prints), 2), count)


def alike_pairs_of(
    codes: Mapping[str, str], others: Mapping[str, Mapping[str, str]], count: int
) -> list[Pair]:
    """The most alike pairs of a submission and one of another cohort, from the most alike on.

    What many of either cohort share is not counted.

    Args:
        codes: what each student wrote, by the submission's name.
        others: the same of other cohorts, by the cohort's name.
        count: how many pairs at most.
    """
    prints = _fingerprints(codes)
    common = _common(prints)
    found = []
    for cohort, their_codes in others.items():
        theirs = _fingerprints(their_codes)
        shared = common | _common(theirs)
        mine, theirs = _without(prints, shared), _without(theirs, shared)
        pairs = _most_alike(mine, theirs, product(sorted(mine), sorted(theirs)), count)
        found += [replace(pair, cohort=cohort) for pair in pairs]
    return sorted(found, key=lambda pair: (-pair.score, pair.first, pair.cohort, pair.second))[:count]


def _most_alike(
    mine: Mapping[str, CodeFingerprint],
    theirs: Mapping[str, CodeFingerprint],
    candidates: Iterable[tuple[str, str]],
    count: int,
) -> list[Pair]:
    def overlap(names: tuple[str, str]) -> float:
        one, other = mine[names[0]].hashes, theirs[names[1]].hashes
        return len(one & other) / min(len(one), len(other))

    # The overlap of the sets is quick to find and close to the score; the score itself, for a few.
    closest = heapq.nlargest(4 * count, candidates, key=overlap)
    pairs = [_pair(one, other, mine[one], theirs[other]) for one, other in closest]
    found = [pair for pair in pairs if pair.score > 0]
    return sorted(found, key=lambda pair: (-pair.score, pair.first, pair.second))[:count]


def _fingerprints(codes: Mapping[str, str]) -> dict[str, CodeFingerprint]:
    return {
        name: CodeFingerprint("code.py", RUN, EVERY_RUN, language="python", fp=io.StringIO(code))
        for name, code in codes.items()
    }


def _common(prints: Mapping[str, CodeFingerprint]) -> set[int]:
    """The runs that many of a cohort have."""
    counts = Counter(run for found in prints.values() for run in found.hashes)
    most = max(COMMON_SHARE * len(prints), NEVER_COMMON)
    return {run for run, count in counts.items() if count > most}


def _without(prints: Mapping[str, CodeFingerprint], common: set[int]) -> dict[str, CodeFingerprint]:
    """Copies of the fingerprints without common runs, those that are long enough to tell anything."""
    kept = {}
    for name, found in prints.items():
        one = copy.copy(found)
        one.hashes = found.hashes - common
        one.hash_idx = {run: places for run, places in found.hash_idx.items() if run in one.hashes}
        one.token_coverage = get_token_coverage(one.hash_idx, one.k, len(one.filtered_code))
        if one.token_coverage >= SHORTEST:
            kept[name] = one
    return kept


def _pair(one: str, other: str, mine: CodeFingerprint, theirs: CodeFingerprint) -> Pair:
    _, shares, slices = compare_files(mine, theirs)
    exact = (min(1.0, float(shares[0])), min(1.0, float(shares[1])))
    spans = tuple(
        tuple((int(start), int(end)) for start, end in places.T) if places.size else () for places in slices
    )
    return Pair(one, other, max(exact), exact, (spans[0], spans[1]))
