"""What an entry of the hostile bank is, and the pieces of code that several entries share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STUBS, SOLUTIONS = REPOSITORY / "student", REPOSITORY / "solutions"
UTILS, NETWORKS, VAE = "part1/utils.py", "part1/cnn_encoder_decoder.py", "part1/train_pl.py"
MODELS, TRAIN = "part2/models.py", "part2/train.py"
KLD = ("1.7.kld",)
# In the names of all files that entries try to leave outside; nothing else is called like that.
LEFT = "left-behind"
# A call that is meant never to end is given this long.
BRIEF = 0.3
# Of a function that has to look like KLD, and is right nowhere.
ZERO = "\ndef KLD(mean, log_std):\n    return mean.new_zeros(mean.shape[:-1])\n"
RIGHT = "0.5 * ((2 * log_std).exp() + mean**2 - 1 - 2 * log_std).sum(-1)"


@dataclass(frozen=True)
class Hostile:
    """One submission that tries to earn points without work, to do harm, or to leave something behind.

    Attributes:
        name: what it does.
        code: what is added to the stubs, by file.
        files: further files of the submission's folder, by path; they replace stubs of the same name.
        items: the items that are marked.
        may_pass: checks that it passes rightly, because a piece of it is right.
        must_fail: the only checks that it must not pass; empty for all.
        seconds: how long a call may take; None for the ordinary deadline.
        write: puts the submission into a folder in another way, and returns what is to be read.
        slow: left out of the default run.
    """

    name: str
    code: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    items: tuple[str, ...] = KLD
    may_pass: tuple[str, ...] = ()
    must_fail: tuple[str, ...] = ()
    seconds: float | None = None
    write: Callable[[Path], Path] | None = None
    slow: bool = True


def rewarded(attack: str) -> str:
    """Code that has KLD right if an attack works, and wrong otherwise: whoever lets it through pays for it.

    Args:
        attack: the body of a function that returns something true if it got what it wanted.
    """
    return (
        "\ndef attack():\n"
        + textwrap.indent(textwrap.dedent(attack).strip("\n"), "    ")
        + "\ntry:\n    WORKED = bool(attack())\nexcept BaseException:\n    WORKED = False\n"
        + f"def KLD(mean, log_std):\n    return {RIGHT} if WORKED else mean.new_zeros(mean.shape[:-1])\n"
    )


def in_kld(body: str) -> str:
    """Code whose KLD runs some lines and then returns zeros."""
    return (
        "\ndef KLD(mean, log_std):\n"
        + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        + "\n    return mean.new_zeros(mean.shape[:-1])\n"
    )


def stubs() -> dict[str, str]:
    """The untouched files, by path."""
    return {f"{file.parent.name}/{file.name}": file.read_text() for file in sorted(STUBS.glob("part?/*.py"))}


def write_folder(folder: Path, code: dict[str, str], files: dict[str, bytes]) -> Path:
    """Write a submission of the stubs with code added and further files; returns its folder."""
    contents = {name: f"{text}\n\n{code.get(name, '')}".encode() for name, text in stubs().items()} | files
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
