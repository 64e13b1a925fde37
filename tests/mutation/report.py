"""Writes docs/mutation.md: how many mutants there are, what became of them, all survivors with a verdict."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from grader.files import write_atomically
from tests.bank.entries import TRAININGS
from tests.mutation.judgements import EQUIVALENT, MISSED, OPEN, OUTSIDE, Judgement, judge
from tests.mutation.killer import Outcome
from tests.mutation.mutants import Mutant

PAGE = Path("docs/mutation.md")
Marked = list[tuple[Mutant, Outcome]]

HEAD = """# Mutation testing

Written by `make mutation`; do not edit. Verdicts on survivors come from `tests/mutation/judged.toml`.

A mutant is the solution with one small change. The hidden suites mark each as if a student had handed it
in: a mutant that loses a point is *killed*, one that keeps all of them *survives*. A survivor is a
mistake that the grader would miss, or a change that is none. The changes are those of
[mutmut](https://github.com/boxed/mutmut) (numbers, operators, arguments, strings, assignments), and some
of the slips that tensor code invites (`tests/mutation/operators.py`: a statement left out, another
variable or another function of the same kind, a tensor detached, arguments or operands exchanged). Only
code between `# BEGIN SOLUTION` and `# END SOLUTION` is mutated; the rest is given to students and not
judged.
"""


def write(marked: Marked, judgements: list[Judgement], total: int, path: Path = PAGE) -> None:
    """Write the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page(marked, judgements, total).encode())


def page(marked: Marked, judgements: list[Judgement], total: int) -> str:
    """The whole page.

    Args:
        marked: all mutants and what became of them.
        judgements: what is said of survivors.
        total: how many mutants there are, those that have not been marked yet included.
    """
    survivors = [(mutant, judge(mutant, judgements)) for mutant, outcome in marked if outcome.survived]
    done = "" if len(marked) == total else f"So far {len(marked)} of {total} mutants have been marked.\n"
    parts = [HEAD, done, _table(marked, survivors), _elsewhere(marked)]
    parts += [_listed(survivors, verdict) for verdict in (OPEN, MISSED, OUTSIDE, EQUIVALENT)]
    return "\n".join(part for part in parts if part)


def summary(marked: Marked, judgements: list[Judgement]) -> dict[str, int]:
    """How many mutants came to what end."""
    counts = Counter(_end(mutant, outcome) for mutant, outcome in marked if not outcome.survived)
    counts.update(judge(mutant, judgements).verdict for mutant, outcome in marked if outcome.survived)
    return dict(counts)


OWN, OTHER, TRAINED = "killed by its item", "killed by another item", "killed by a training alone"


def _end(mutant: Mutant, outcome: Outcome) -> str:
    if mutant.item in outcome.killed_by:
        return OWN
    return TRAINED if TRAININGS.issuperset(outcome.killed_by) else OTHER


def _table(marked: Marked, survivors: list[tuple[Mutant, Judgement]]) -> str:
    columns = (OWN, OTHER, TRAINED, EQUIVALENT, OUTSIDE, MISSED, OPEN)
    files = dict.fromkeys(mutant.file for mutant, _ in marked)
    counts = {file: Counter[str]() for file in files}
    for mutant, outcome in marked:
        if not outcome.survived:
            counts[mutant.file][_end(mutant, outcome)] += 1
    for mutant, judgement in survivors:
        counts[mutant.file][judgement.verdict] += 1
    total = sum(counts.values(), Counter[str]())
    shown = [column for column in columns if total[column] or column == MISSED]
    rows = [
        f"| {name} | {sum(count.values())} | " + " | ".join(str(count[column]) for column in shown) + " |"
        for name, count in (*counts.items(), ("**all**", total))
    ]
    head = f"| file | mutants | {' | '.join(shown)} |"
    return "\n".join([head, "|" + "---|" * (len(shown) + 2), *rows, ""])


def _elsewhere(marked: Marked) -> str:
    found = [
        (mutant, outcome)
        for mutant, outcome in marked
        if not outcome.survived and mutant.item not in outcome.killed_by
    ]
    if not found:
        return ""
    rows = [
        f"| {mutant.file}:{mutant.line} | {diff(mutant)} | {mutant.item} | {', '.join(outcome.killed_by)} |"
        for mutant, outcome in found
    ]
    head = ["## Killed by another item", "", "| where | change | item of the code | item that lost points |"]
    return "\n".join([*head, "|---|---|---|---|", *rows, ""])


def _listed(survivors: list[tuple[Mutant, Judgement]], verdict: str) -> str:
    rows = [
        f"| {mutant.file}:{mutant.line} | {diff(mutant)} | {judgement.why} |"
        for mutant, judgement in survivors
        if judgement.verdict == verdict
    ]
    if not rows:
        return ""
    return "\n".join(
        [f"## Survivors: {verdict} ({len(rows)})", "", "| where | change | why |", "|---|---|---|", *rows, ""]
    )


def diff(mutant: Mutant) -> str:
    """A change as a cell of a table: what goes, an arrow, what comes."""
    return f"{_code(mutant.before)} → {_code(mutant.after) if mutant.after else 'nothing'}"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`" if text else "nothing"
