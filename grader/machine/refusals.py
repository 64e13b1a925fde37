"""Why no box can be had, and what to do about it."""

from __future__ import annotations

from grader.machine.trial import ADDRESS_SPACE, LEAST_ADDRESS_SPACE, MISSING, Refused


def explained(refused: Refused) -> str:
    """One line: what was refused, and the remedy."""
    if refused.step == MISSING:
        return refused.said
    if refused.step == ADDRESS_SPACE:
        return (
            f"the sandbox gets too little address space: ulimit -v allows {int(refused.said) // 1024} kB, "
            f"and marking needs {LEAST_ADDRESS_SPACE // 1024}; ulimit -v unlimited"
        )
    return f"the sandbox does not start: {refused.said}"
