"""One line for the user, whatever names it quotes."""

from __future__ import annotations

import sys


def complain(kind: str, message: str) -> None:
    """One line on the standard error.

    Args:
        kind: `error`, `warning` and so on; the line begins with it.
        message: line breaks in it become spaces.
    """
    line = f"{kind}: {' '.join(message.split())}"
    encoding = sys.stderr.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr, flush=True)


def say(line: str) -> None:
    """One line on the standard output, with its indentation."""
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)
