"""`make calibrate`: docs/calibration.md from what `make bank`, `make flakes` and `make kinds` have kept.

How near does right code come to every limit, how near wrong code, and how often did the grader err?
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from grader.marking.collected import SUITES
from tests.bank import entries, kinds, run
from tests.bank.attack import ATTACKS
from tests.bank.digest import PARTS, verdict_digest
from tests.bank.verdict import AT_LEAST, Verdict

PAGE = Path("docs/calibration.md")
SOLUTIONS = "solutions "
ATTACK_NAMES = frozenset(attack.name for attack in ATTACKS)


def two_sided(limit: float) -> float:
    """P(|N(0, 1)| > limit)."""
    return math.erfc(limit / math.sqrt(2))


def kolmogorov(limit: float) -> float:
    """P(sqrt(N) D > limit) by the first term of Kolmogorov's series."""
    return 2 * math.exp(-2 * limit**2)


# The chance that right code comes to the limit, for one comparison of this kind. Where the largest of many
# values is compared, each of them counts: at most so many.
THEORY: dict[str, Callable[[float], float]] = {
    "normal: mean": two_sided,
    "normal: variance": two_sided,
    "normal: Kolmogorov-Smirnov": kolmogorov,
    "independence: sums": lambda limit: two_sided(limit) / 2,
    "independence: largest correlation": lambda limit: 1e5 * two_sided(limit),
    "independence: correlation": two_sided,
    "frequency": two_sided,
    "prior: mean": two_sided,
    "prior: variance": two_sided,
    "prior: fourth moment": lambda limit: 200 * two_sided(limit),  # skewed: see suites/part2/chance.py
    "prior: row means": lambda limit: 1500 * two_sided(limit),
    "prior: column means": lambda limit: 40 * two_sided(limit),
    "prior: variance of row means": two_sided,
    "prior: products of columns": lambda limit: 780 * two_sided(limit),
    "prior: neighbouring rows": two_sided,
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """A Markdown table."""
    head = list(head)
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]


def values_of(verdicts: Iterable[Verdict]) -> dict[str, list[tuple[float, str]]]:
    """For each measure the values, with the entry each came from."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for verdict in verdicts:
        for name, value, _ in verdict.measures:
            found[name].append((value, verdict.entry))
    return found


def limits_of(verdicts: Iterable[Verdict]) -> dict[str, float]:
    """The limit of each measure."""
    return {name: limit for verdict in verdicts for name, _, limit in verdict.measures}


def share_below(values: list[float], share: float) -> float:
    """The value that this share of the sorted values does not exceed."""
    return values[min(len(values) - 1, math.ceil(share * len(values)) - 1)]


def beyond(values: list[tuple[float, str]], limit: float, below: bool = False) -> list[tuple[float, str]]:
    """Those on the wrong side of a limit, the nearest first."""
    return sorted((one for one in values if (one[0] < limit if below else one[0] > limit)), reverse=below)


def nearest(values: list[tuple[float, str]]) -> str:
    """The first of them, for a cell of a table."""
    return f"{values[0][0]:.3g}: {values[0][1]}" if values else "none needs it"


def statistical(right: list[Verdict], wrong: list[Verdict]) -> list[str]:
    """The table of the statistical tests."""
    of_right, of_wrong, limits = values_of(right), values_of(wrong), limits_of(right + wrong)
    rows = []
    for name, theory in THEORY.items():
        values = sorted(value for value, _ in of_right.get(name, []))
        if values:
            limit = limits[name]
            caught = beyond(of_wrong.get(name, []), limit)
            rows.append(
                [
                    f"{name} ({where(name)})",
                    str(len(values)),
                    " / ".join(
                        f"{value:.2f}" for value in (share_below(values, 0.5), share_below(values, 0.99))
                    )
                    + f" / {values[-1]:.2f}",
                    f"{limit:.1f}",
                    f"{limit - values[-1]:.2f}",
                    f"{theory(limit):.0e}",
                    f"{sum(value > limit for value in values)}",
                    nearest(caught),
                ]
            )
    head = (
        *("test", "runs", "median / 99% / largest of right code", "limit", "margin"),
        *("false alarms by theory", "observed", "nearest wrong code beyond it"),
    )
    return table(head, rows)


def trainings(right: list[Verdict], wrong: list[Verdict]) -> list[str]:
    """The table of the trainings."""
    of_right, of_wrong, limits = values_of(right), values_of(wrong), limits_of(right + wrong)
    rows = []
    for name in sorted(set(of_right) - set(THEORY)):
        values = sorted(value for value, _ in of_right[name])
        below = name.endswith(AT_LEAST)
        limit = limits[name]
        caught = beyond(of_wrong.get(name, []), limit, below)
        rows.append(
            [
                f"{name} ({where(name)})",
                str(len(values)),
                f"{values[0]:.3f} to {values[-1]:.3f} (median {statistics.median(values):.3f})",
                f"{limit:g}",
                f"{values[0] - limit if below else limit - values[-1]:.3f}",
                nearest(caught),
                str(len(caught)),
            ]
        )
    head = (
        "measure",
        "runs",
        "right code",
        "limit",
        "margin",
        "nearest wrong code beyond it",
        "wrong beyond it",
    )
    return table(head, rows)


def where(measure: str) -> str:
    """The file of the suites that holds the limit of a measure; empty if none notes it."""
    for file in sorted(SUITES.rglob("*.py")):
        if f'"{measure}"' in file.read_text():
            return f"`{file.relative_to(SUITES)}`"
    return "no suite"


def page(verdicts: list[Verdict]) -> str:
    """The whole page."""
    solved = [verdict for verdict in verdicts if verdict.entry.startswith(SOLUTIONS)]
    attacks = [verdict for verdict in verdicts if verdict.entry in ATTACK_NAMES]
    groups = [
        {entry.name for entry in found} for found in (entries.right(), entries.wrong(), kinds.entries())
    ]
    right, wrong, unusual = ([one for one in verdicts if one.entry in group] for group in groups)
    names = {verdict.entry for verdict in wrong}
    collateral = {verdict.entry for verdict in wrong if verdict.collateral}
    quick = [verdict for verdict in solved if "without" in verdict.entry]
    trained = [verdict for verdict in solved if verdict not in quick]
    lines = [
        "# Calibration",
        "",
        "How near right and wrong code come to the limits of the hidden checks, and how often the grader",
        "erred. Written by `make calibrate` from the runs of `make bank`, `make flakes` and `make kinds`;",
        "do not edit.",
        "",
        f"Suites `{verdict_digest()[:12]}`, {platform.machine()}, {os.cpu_count()} CPUs, embedded digits.",
        "",
        "## How often the grader erred",
        "",
        *table(
            ("submissions", "runs", "seeds", "errors", "minutes of marking"),
            [
                [
                    label,
                    str(len(part)),
                    str(len({verdict.seed for verdict in part})),
                    errors,
                    f"{sum(verdict.seconds for verdict in part) / 60:.0f}",
                ]
                for label, part, errors in (
                    (
                        f"{len(names)} wrong ones",
                        wrong,
                        f"{sum(one.missed for one in wrong)} missed, "
                        f"{sum(bool(one.unfair) for one in wrong)} with an unexpected second deduction",
                    ),
                    (
                        f"{len({verdict.entry for verdict in right})} right ones",
                        right,
                        f"{sum(bool(one.unfair) for one in right)} unfair",
                    ),
                    (
                        f"{len({verdict.entry for verdict in attacks})} hostile ones",
                        attacks,
                        f"{sum(bool(one.breached) for one in attacks)} breached",
                    ),
                    (
                        f"{len({verdict.entry for verdict in unusual})} unusual right networks",
                        unusual,
                        flakes(unusual),
                    ),
                    ("solutions, checks without a training", quick, flakes(quick)),
                    ("solutions, checks with a training", trained, flakes(trained)),
                )
            ],
        ),
        f"Points in a second item are lost by {len(collateral)} of the {len(names)} wrong ones"
        + (f" ({len(collateral) / len(names):.1%}):" if names else "."),
        "",
        *(f"- {name}" for name in sorted(collateral)),
        "",
        "## Statistical tests",
        "",
        "In standard errors (Kolmogorov-Smirnov: sqrt(N) D), by the solutions and the right ones above. Of",
        "several comparisons in one run the largest counts, so that the median is not that of one test. The",
        "theory is for one comparison; the limits stand in the files that are named.",
        "",
        *statistical(solved + right + unusual, wrong),
        "## Trainings",
        "",
        "Of several attempts in one run the worse counts. A training is looked at several times and ends",
        "with the first look that is good enough: a value just within the limit is no near miss, since it",
        "would have gone on. Right code beyond a limit, where the margin is negative, was slow (tanh or",
        "sigmoid everywhere) or unlucky in one attempt and passed a later one: see the rows on attempts.",
        "Wrong code beyond a limit loses the points, unless the mistake is one piece's alone, which has an",
        "item of its own.",
        "",
        *trainings(solved + right + unusual, wrong),
    ]
    return "\n".join(lines).rstrip() + "\n"


def flakes(verdicts: list[Verdict]) -> str:
    """How many runs of right code lost points."""
    return f"{sum(not verdict.good for verdict in verdicts)} lost points"


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="what to write")
    options = parser.parse_args()
    # On either part, or on both: see run.key.
    digests = tuple(verdict_digest(frozenset(parts)) for parts in (PARTS, PARTS[:1], PARTS[1:]))
    kept = [(key, verdict) for key, verdict in run.kept().items() if key.startswith(digests)]
    # Of an entry that has changed since, the last verdict with each seed counts.
    verdicts = list({(verdict.entry, key.split()[-1]): verdict for key, verdict in kept}.values())
    if not verdicts:
        print(f"{run.KEPT} has no verdict of these suites: run make bank and make flakes first")
        return 2
    options.page.write_text(page(verdicts))
    print(f"{options.page}: {len(verdicts)} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
