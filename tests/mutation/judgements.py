"""What a person says of the survivors: `judged.toml`, read and matched."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from tests.mutation.mutants import Mutant

JUDGED = Path(__file__).with_name("judged.toml")
EQUIVALENT, OUTSIDE, MISSED, OPEN = "equivalent", "outside the contract", "missed", "not judged yet"
VERDICTS = (EQUIVALENT, OUTSIDE, MISSED)


@dataclass(frozen=True)
class Judgement:
    """What is said of all survivors that match it.

    Attributes:
        verdict: one of VERDICTS.
        why: one sentence.
        block: how the title of the block begins.
        operator: the kind of change; empty for any.
        before: a piece of the code that is changed; empty for any.
        after: pieces of what stands there instead, one of which has to be found; empty for any.
    """

    verdict: str
    why: str
    block: str
    operator: str = ""
    before: str = ""
    after: tuple[str, ...] = ()

    def about(self, mutant: Mutant) -> bool:
        """Whether it is said of this mutant."""
        return (
            mutant.block.startswith(self.block)
            and self.operator in ("", mutant.operator)
            and self.before in mutant.before
            and (not self.after or any(piece in mutant.after for piece in self.after))
        )


def load(path: Path = JUDGED) -> list[Judgement]:
    """All judgements, in their order.

    Raises:
        ValueError: one names a verdict or a field that there is not; the message names the file.
    """
    known = {field.name for field in fields(Judgement)}
    found = []
    for entry in tomllib.loads(path.read_text())["judgement"]:
        if unknown := set(entry) - known:
            raise ValueError(f"{path}: a judgement has no field {', '.join(sorted(unknown))}")
        judgement = Judgement(**{**entry, "after": tuple(entry.get("after", ()))})
        if judgement.verdict not in VERDICTS:
            raise ValueError(f"{path}: {judgement.verdict!r} is none of {', '.join(VERDICTS)}")
        found.append(judgement)
    return found


def judge(mutant: Mutant, judgements: list[Judgement]) -> Judgement:
    """The first judgement that is about a survivor, or one that says that there is none."""
    for judgement in judgements:
        if judgement.about(mutant):
            return judgement
    return Judgement(OPEN, "", mutant.block)
