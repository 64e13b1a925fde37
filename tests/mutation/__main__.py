"""`python -m tests.mutation`: do the hidden suites notice every small change of the solutions?"""

from __future__ import annotations

import argparse
import sys

from tests.mutation.judgements import MISSED, OPEN, load
from tests.mutation.killer import past, run
from tests.mutation.mutants import FILES, Mutant, mutants
from tests.mutation.report import PAGE, summary, write
from tests.suites.variants import SOLUTIONS

# Most of what these do ends in an exception: the others have more to tell, and go first.
COARSE = frozenset({"other_name", "operator_arg_removal", "operator_assignment"})


def everything() -> list[Mutant]:
    """All mutants of the solutions: those of functions first, of layers last."""
    found = [mutant for file in FILES for mutant in mutants(file, (SOLUTIONS / file).read_text())]
    return sorted(found, key=lambda m: (m.block.endswith("the layers"), m.operator in COARSE))


def main() -> int:
    """Mark the mutants, and list the survivors.

    Returns:
        1 where a survivor is a mistake that is missed, or one that nobody has judged yet.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose file, block or item holds this text")
    parser.add_argument(
        "--believe",
        choices=("none", "killed", "all"),
        default="none",
        help="outcomes with other versions of the suites that are taken for good: after a change of the "
        "suites, `killed` marks the survivors alone again (default: %(default)s)",
    )
    parser.add_argument(
        "--kept", action="store_true", help="mark nothing; write the page of what earlier runs have marked"
    )
    options = parser.parse_args()
    todo = [
        mutant for mutant in everything() if options.only in f"{mutant.file} {mutant.block} {mutant.item}"
    ]
    marked = []
    source = run(todo, believe=options.believe) if not options.kept else past(todo, options.believe)
    for number, (mutant, outcome) in enumerate(source, start=1):
        marked.append((mutant, outcome))
        if options.kept:
            continue
        if outcome.survived or outcome.faults:
            end = ", ".join(outcome.killed_by) or "SURVIVED"
            print(f"{number}/{len(todo)} {mutant.file}:{mutant.line} {mutant.item} {end}")
            print(f"    {mutant.before}\n    {mutant.after}", *outcome.faults, sep="\n    ", flush=True)
        elif number % 50 == 0:
            print(f"{number}/{len(todo)}", flush=True)
    judgements = load()
    counts = summary(marked, judgements)
    print(f"{len(marked)} of {len(todo)} mutants:", ", ".join(f"{n} {end}" for end, n in counts.items()))
    if not options.only:
        write(marked, judgements, len(todo))
        print(f"written: {PAGE}")
    return 1 if counts.get(MISSED) or counts.get(OPEN) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print(
            "interrupted; the results so far are kept, and the next run continues from there", file=sys.stderr
        )
        sys.exit(130)
