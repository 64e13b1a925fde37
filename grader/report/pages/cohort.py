"""The cohort's page, for teaching assistants: all marks at once, what failed most, who needs a look."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from grader.marking.cause import LIMITS, Cause
from grader.marking.result import FAILED, GRADER_ERROR, STATUSES
from grader.report.by_eye import ByEye, by_eye
from grader.report.marks_csv import number
from grader.report.pages.findings import ItemFindings
from grader.report.pages.histogram import histogram
from grader.report.pages.load import Record
from grader.report.pages.render import policy, render
from grader.report.pages.student import FILE_NAME as STUDENT_FILE
from grader.report.pages.style import link, on_one_line
from grader.rubric import Item, load_rubric

FILE_NAME = "index.html"
SCRIPT = "cohort.js"
MOST_FAILED = 12
MOST_REASONS = 4
NEARLY_THE_SAME = 0.9

Findings = dict[str, list[ItemFindings]]  # by submission


@dataclass(frozen=True)
class Failure:
    """Checks of an item that failed, for their own sake and not as follow-on faults.

    Attributes:
        item: the item's id.
        checks: the names; those that fail of the same cause in as many submissions stand together.
        count: in how many submissions.
        cause: what the grader most often took for the cause, or else the message.
        of_them: how many of the submissions share that cause.
        example: a message of one of them.
    """

    item: str
    checks: tuple[str, ...]
    count: int
    cause: str
    of_them: int
    example: str


@dataclass
class Attention:
    """A submission that a person should look at."""

    record: Record
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ItemRow:
    """How the cohort did on an item."""

    item: Item
    address: str
    statuses: list[tuple[str, int]]
    mean: float | None
    pictures: int


def cohort_page(records: Sequence[Record], findings: Findings, item_files: dict[str, str]) -> bytes:
    """The page.

    Args:
        records: all submissions.
        findings: of each submission, by its name.
        item_files: the file names of the items' pages.
    """
    marked = [record for record in records if record.result.marked]
    points = [record.result.points for record in marked]
    most = max((record.result.max_points for record in records), default=0.0)
    columns = _columns()
    attention = needs_a_look(records)
    return render(
        "cohort.html.j2",
        policy=policy(SCRIPT),
        count=len(records),
        marked=len(marked),
        whole=_whole(records),
        mean=statistics.fmean(points) if points else None,
        median=statistics.median(points) if points else None,
        most=most,
        chart=histogram(points, most) if points else None,
        bins=_bins(points, most),
        attention=attention,
        most_reasons=MOST_REASONS,
        flagged={one.record.name for one in attention},
        decisions=[
            (on_one_line(record.name, 120), link(record.name, STUDENT_FILE), item)
            for record in records
            for item in record.result.items
            if item.decision is not None
        ],
        failures=most_failed(records, findings),
        items=_item_rows(records, item_files),
        by_eye=[
            (one.item, link(item_files[one.item.id]), sum(_has_figure(record, one) for record in records))
            for one in by_eye()
            if one.item.id in item_files
        ],
        questions=[(number, len(list(group))) for number, group in groupby(columns, lambda i: i.question)],
        columns=columns,
        firsts=[
            column.id
            for _, group in groupby(columns, lambda i: i.question)
            for column in (next(iter(group)),)
        ],
        rows=[_row(record, columns) for record in records],
        has_memory=any(record.result.memory_mb is not None for record in records),
        item_files=item_files,
        used=[
            status for status in STATUSES if any(i.status == status for r in records for i in r.result.items)
        ],
        runs=_runs(records),
        spent=sum(record.result.seconds for record in records),
        slowest=max((record.result.seconds for record in records), default=0.0),
        most_memory=max(
            (record.result.memory_mb for record in records if record.result.memory_mb is not None),
            default=None,
        ),
    )


def _columns() -> tuple[Item, ...]:
    return load_rubric().automatic


def _row(record: Record, columns: Sequence[Item]) -> dict[str, Any]:
    marked = {item.id: item for item in record.result.items}
    return {
        "record": record,
        "name": on_one_line(record.name, 120),
        "href": link(record.name, STUDENT_FILE),
        "items": [marked.get(column.id) for column in columns],
    }


def needs_a_look(records: Sequence[Record]) -> list[Attention]:
    """Who needs a look, and why, those with the most reasons first."""
    found = []
    for record in records:
        one = Attention(record)
        result = record.result
        faults = [item for item in result.items if item.status == GRADER_ERROR]
        if faults:
            messages = [
                check.message for item in faults for check in item.checks if check.status == GRADER_ERROR
            ]
            what = (
                "nothing was marked" if len(faults) == len(result.items) else ", ".join(i.id for i in faults)
            )
            one.reasons.append(f"not marked, the grader's fault ({what}): {messages[0] if messages else ''}")
        one.reasons += [f"rule broken: {line}" for line in result.violations]
        if result.sandbox == "none":
            one.reasons.append("ran without a sandbox: no gradebook takes these marks")
        checks = {check.name for item in result.items for check in item.checks}
        if result.items and checks == {"readable"} and not faults:
            one.reasons.append(f"could not be read: {result.items[0].checks[0].message}")
        one.reasons += _limits(record)
        one.reasons += _overtaken(record)
        one.reasons += [
            f"{score:.0%} the same as {other}" for other, score in record.alike if score >= NEARLY_THE_SAME
        ]
        # More figures than are kept is nothing to see to: those that the items ask for come first.
        too_many = result.for_students("figures")
        one.reasons += [f"warning: {line}" for line in result.warnings if line not in too_many]
        if one.reasons:
            one.reasons = [on_one_line(reason, 300) for reason in one.reasons]
            found.append(one)
    return found


def _overtaken(record: Record) -> list[str]:
    """Decisions that the submission, or what the checks say of it, has changed under."""
    reasons = []
    in_force = {item.id: item.decision for item in record.result.items if item.decision is not None}
    for item, decided in record.decisions.items():
        about = f"the decision of {decided.who} on {item}, {number(decided.points)} points,"
        if item not in in_force:
            reasons.append(f"{about} is about other code and does not count: decide again, or withdraw it")
        elif in_force[item].marked != decided.marked:
            reasons.append(
                f"{about} was made when the checks gave {number(decided.marked)}; they give "
                f"{number(in_force[item].marked)} now"
            )
    return reasons


def _limits(record: Record) -> list[str]:
    """Limits that the code hit, each told once with its items."""
    found: dict[Cause, tuple[str, dict[str, None]]] = {}  # the first message, and the items in order
    for item in record.result.items:
        for check in item.checks:
            if check.cause is not None and check.cause.kind in LIMITS:
                found.setdefault(check.cause, (check.message, {}))[1][item.id] = None
    return [f"{message} ({', '.join(items)})" for message, items in found.values()]


def most_failed(records: Sequence[Record], findings: Findings) -> list[Failure]:
    """The checks that failed most, each with its usual cause. Follow-on faults count for none."""
    causes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    examples: dict[tuple[str, str, str], str] = {}
    for record in records:
        for here in findings[record.name]:
            for finding in here.findings:
                if finding.status != FAILED:
                    continue
                cause = finding.family if finding.hint_is_general else finding.hint
                for message, checks in finding.observations.items():
                    for check in checks:
                        causes[here.result.id, check][cause] += 1
                        examples.setdefault((here.result.id, check, cause), message)
    together: dict[tuple[str, int, str], list[str]] = defaultdict(list)
    for (item, check), counter in causes.items():
        cause, _ = counter.most_common(1)[0]
        together[item, counter.total(), cause].append(check)
    failures = []
    for (item, count, cause), checks in together.items():
        of_them = causes[item, checks[0]][cause]
        example = examples[item, checks[0], cause]
        failures.append(
            Failure(item, tuple(checks), count, on_one_line(cause), of_them, on_one_line(example, 300))
        )
    order = [item.id for item in load_rubric().items]
    failures.sort(
        key=lambda failure: (-failure.count, order.index(failure.item) if failure.item in order else 0)
    )
    return failures[:MOST_FAILED]


@dataclass(frozen=True)
class Whole:
    """The marks with what people gave.

    Attributes:
        most: what the assignment is worth.
        mean: of those that are complete; None where none is.
        complete: how many are.
        rows: of each item that a person marks: the item, how many are marked, and their mean.
    """

    most: float
    mean: float | None
    complete: int
    rows: list[tuple[Item, int, float | None]]


def _whole(records: Sequence[Record]) -> Whole | None:
    marks = [record.whole for record in records if record.whole is not None]
    if not marks:
        return None
    complete = [mark.points for mark in marks if not mark.waiting]
    rows = []
    for item in load_rubric().items:
        if item.how != "auto":
            given = [mark.items.get(item.id) for mark in marks]
            points = [value for value in given if value is not None]
            rows.append((item, len(points), statistics.fmean(points) if points else None))
    mean = statistics.fmean(complete) if complete else None
    return Whole(max(mark.max_points for mark in marks), mean, len(complete), rows)


def _has_figure(record: Record, one: ByEye) -> bool:
    return any(figure.item == one.item.id for figure in record.figures)


def _item_rows(records: Sequence[Record], item_files: dict[str, str]) -> list[ItemRow]:
    rows = []
    for item in _columns():
        results = [i for record in records for i in record.result.items if i.id == item.id]
        statuses = Counter(result.status for result in results)
        shares = [result.points for result in results if result.status != GRADER_ERROR]
        rows.append(
            ItemRow(
                item,
                link(item_files[item.id]),
                [(status, statuses[status]) for status in STATUSES if statuses[status]],
                statistics.fmean(shares) if shares else None,
                sum(any(picture.item == item.id for picture in record.pictures) for record in records),
            )
        )
    return rows


def _bins(points: Sequence[float], most: float) -> list[tuple[str, int]]:
    """The distribution in words, for those who do not see the chart."""
    counts = Counter(min(int(value // 2.5), int(max(most - 1e-9, 0) // 2.5)) for value in points)
    return [
        (f"{start * 2.5:g} to {min((start + 1) * 2.5, most):g}", counts[start]) for start in sorted(counts)
    ]


def _runs(records: Sequence[Record]) -> list[tuple[str, int]]:
    """The runs that the results come from, and how many each made."""
    runs: Counter[str] = Counter()
    for record in records:
        result = record.result
        run = (
            f"seed {result.seed}, suite {result.suite.removeprefix('sha256:')[:10]}, sandbox {result.sandbox}"
        )
        if result.waived:
            run += f", waived: {', '.join(result.waived)}"
        runs[on_one_line(run, 200)] += 1
    return runs.most_common(5)
