"""What a mistake costs: one price for it, whichever item it is in and however many checks notice it.

A failed check has a severity, and an item loses what its worst one costs:

    slip      15% of the item    right in ordinary use, and off in a detail
    serious   45%                what is asked for comes out wrong
    whole     100%               what is asked for is not there

One mistake often shows in several checks. So each further failed check adds 5% only, and a slip costs 25% at
most, a serious mistake 60%. A check that follows from another adds nothing where that has failed. Nothing is
left of an item no check of which passes. What is not filled in costs its share of the checks.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grader.marking import result
from grader.marking.result import CheckResult
from grader.suites.severity import SERIOUS, SEVERITIES, SLIP, WHOLE

PRICES_FILE = Path(__file__).with_name("prices.toml")
# The share of an item that one failed check costs, and the most that all failures of this severity cost.
LEAST = {SLIP: 0.15, SERIOUS: 0.45, WHOLE: 1.0}
MOST = {SLIP: 0.25, SERIOUS: 0.60, WHOLE: 1.0}
FURTHER = 0.05


@dataclass(frozen=True)
class Price:
    """How bad it is that a check fails.

    Attributes:
        fails: the severity where what comes back is not right.
        raises: the severity where the student's code raises an error.
        follows: checks of the item on which it depends: where one of them fails, it costs nothing more.
    """

    fails: str
    raises: str
    follows: tuple[str, ...] = ()


@cache
def load_prices(path: Path = PRICES_FILE) -> dict[tuple[str, str], Price]:
    """The prices, by item and name of the check.

    Raises:
        ValueError: a severity is none of the three.
    """
    prices = {}
    for item, checks in tomllib.loads(path.read_text(encoding="utf-8")).items():
        for check, row in checks.items():
            price = (
                Price(row["fails"], row["raises"], tuple(row.get("follows", ())))
                if isinstance(row, dict)
                else Price(row, row)
            )
            if not {price.fails, price.raises} <= set(SEVERITIES):
                raise ValueError(f"{path.name}: {item} {check}: each price is one of {', '.join(SEVERITIES)}")
            prices[item, check] = price
    return prices


def lost_share(checks: Iterable[CheckResult], item: str = "") -> float:
    """The share of an item, 0 to 1, that is lost with these outcomes of all its checks.

    Args:
        checks: of the item.
        item: its id, by which prices.toml says what follows from what.
    """
    checks = list(checks)
    open_ones = [check for check in checks if check.status != result.PASSED]
    if len(open_ones) == len(checks):
        return 1.0
    failed = [check for check in open_ones if check.status == result.FAILED]
    absent = (len(open_ones) - len(failed)) / len(checks)
    if not failed:
        return absent
    names = {check.name for check in failed}
    prices = load_prices()
    count = sum(
        (item, check.name) not in prices or names.isdisjoint(prices[item, check.name].follows)
        for check in failed
    )
    worst = max((check.severity for check in failed), key=SEVERITIES.index)
    return min(1.0, absent + min(MOST[worst], LEAST[worst] + FURTHER * (count - 1)))
