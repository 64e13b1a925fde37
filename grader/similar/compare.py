"""How alike are two pieces of code? Overlap of fingerprints, by copydetect.

copydetect reads code as tokens: other names, comments and spaces make no difference, statements in another
order little. Runs of tokens that many submissions share are not counted: they are how the exercise is solved.
"""

from __future__ import annotations

import heapq
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

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
    """

    first: str
    second: str
    score: float
    shares: tuple[float, float]
    spans: tuple[tuple[Span, ...], tuple[Span, ...]]


def alike_pairs(codes: Mapping[str, str], count: int) -> list[Pair]:
    """The most alike pairs, from the most alike on.

    Args:
        codes: what each student wrote, by the submission's name.
        count: how many pairs at most.
    """
    prints = {name: _fingerprint(code) for name, code in codes.items()}
    _leave_out_common(list(prints.values()))
    prints = {name: found for name, found in prints.items() if found.token_coverage >= SHORTEST}

    def overlap(names: tuple[str, str]) -> float:
        one, other = (prints[name].hashes for name in names)
        return len(one & other) / min(len(one), len(other))

    # The overlap of the sets is quick to find and close to the score; the score itself, for a few.
    candidates = heapq.nlargest(4 * count, combinations(sorted(prints), 2), key=overlap)
    pairs = [_pair(one, other, prints) for one, other in candidates]
    found = [pair for pair in pairs if pair.score > 0]
    return sorted(found, key=lambda pair: (-pair.score, pair.first, pair.second))[:count]


def _fingerprint(code: str) -> CodeFingerprint:
    return CodeFingerprint("code.py", RUN, EVERY_RUN, language="python", fp=io.StringIO(code))


def _leave_out_common(prints: list[CodeFingerprint]) -> None:
    """Remove the runs that many have from all fingerprints."""
    counts = Counter(run for found in prints for run in found.hashes)
    most = max(COMMON_SHARE * len(prints), NEVER_COMMON)
    for found in prints:
        found.hashes = {run for run in found.hashes if counts[run] <= most}
        found.hash_idx = {run: places for run, places in found.hash_idx.items() if run in found.hashes}
        found.token_coverage = get_token_coverage(found.hash_idx, found.k, len(found.filtered_code))


def _pair(one: str, other: str, prints: Mapping[str, CodeFingerprint]) -> Pair:
    _, shares, slices = compare_files(prints[one], prints[other])
    exact = (min(1.0, float(shares[0])), min(1.0, float(shares[1])))
    spans = tuple(
        tuple((int(start), int(end)) for start, end in places.T) if places.size else () for places in slices
    )
    return Pair(one, other, max(exact), exact, (spans[0], spans[1]))
