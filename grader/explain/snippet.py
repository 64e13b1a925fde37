"""About ten lines of plain Python that show the same difference with the student's file, without our code."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import torch

from grader.box.errors import StudentError
from grader.explain.call_lines import call_lines
from grader.explain.condition import Condition
from grader.explain.failure import Failure, Place, names_in
from grader.explain.notation import small
from grader.explain.plain import GIVE_BACK, NotPlain, Plain
from grader.explain.transcript import Exchange, Transcript, gradients_of, helper
from grader.explain.which_call import Found

PICTURE = 28  # pixels, at least
REPARAMETERIZE = "sample_reparameterize"


@dataclass(frozen=True)
class Snippet:
    """A script.

    Attributes:
        code: its text.
        data: the bytes of the file beside it; empty where all numbers stand in the text.
        shows: what it ends with: `came` (a value, beside the expected one if there is one), `condition` (that
            it does not hold) or `error` (the exception).
    """

    code: str
    data: bytes = b""
    shows: str = "came"


def make_snippet(
    failure: Failure, error: BaseException | None, found: Found, transcript: Transcript, part: str, name: str
) -> Snippet:
    """The script for a failed check.

    Args:
        failure: what the check found wrong.
        error: the exception that ended it.
        found: the call that it is about.
        transcript: of the check.
        part: `part1` or `part2`: the folder of the student's file.
        name: of the script's file, without its ending.

    Raises:
        NotPlain: plain Python cannot say it; the message says why.
    """
    plain = Plain(transcript)
    calls = [one for one in transcript.exchanges if one.operation in ("call", "backward")]
    if isinstance(error, StudentError):
        if found.exchange.operation == "load":
            return _finished(plain, part, name, [f"import {found.exchange.arguments[0]}"], "error")
        if found.exchange.operation == "get":
            plain.imports.setdefault("", [])
            owner = transcript.creation(found.exchange.session, found.exchange.arguments[0])
            if owner is not None and owner.operation == "load":
                return _finished(
                    plain,
                    part,
                    name,
                    [f"from {owner.arguments[0]} import {found.exchange.arguments[1]}"],
                    "error",
                )
            expression = f"{plain.object(found.exchange.session, found.exchange.arguments[0])}"
            return _finished(plain, part, name, [f"{expression}.{found.exchange.arguments[1]}"], "error")
        if helper(transcript, found.exchange) in GIVE_BACK:
            return _given_back(plain, part, name, error, found.exchange)
        lines = call_lines(plain, found.exchange, "came")
        return _finished(plain, part, name, lines, "error")
    place = failure.places[0] if failure.places else None
    if failure.expected is not None and found.accessor is not None:
        lines = [*call_lines(plain, found.exchange, "came"), *_taken("came", found.accessor)]
        expected = plain.tensor(failure.expected.detach(), "expected")
        lines += ['print("came:", came)', f'print("expected:", {expected})']
        if failure.shape is None:
            lines.append(f'print("largest difference:", (came.flatten() - {expected}.flatten()).abs().max())')
        return _finished(plain, part, name, lines, "came")
    if failure.shape is not None and found.accessor is not None:
        lines = [*call_lines(plain, found.exchange, "came"), *_taken("came", found.accessor)]
        lines.append(f'print("shape:", list(came.shape), "expected:", {list(failure.shape)})')
        return _finished(plain, part, name, lines, "came")
    if failure.asked is not None:
        for place in failure.places:
            try:
                return _conditional(Plain(transcript), failure, place, calls, part, name)
            except NotPlain:
                continue
    lines = [
        *call_lines(plain, found.exchange, "came"),
        *(_still() if gradients_of(found.exchange) else _printed("came", found.exchange.value)),
        *_noise(plain, found.exchange),
        *_compared(failure),
    ]
    if any(line == "seen = []" for line in plain.lines):
        lines.append('print("latents along the axes:", torch.cat(seen).unique())')
    return _finished(plain, part, name, lines, "call")


def _given_back(plain: Plain, part: str, name: str, error: StudentError, exchange: Exchange) -> Snippet:
    """What a helper found that makes a network ready: an error of its code, or weights of half precision."""
    network, example = plain.call(exchange), exchange.arguments[1][1:2]
    if error.file and example:
        return _finished(plain, part, name, [f"{network}({plain.tensor(example[0], 'example')})"], "error")
    lines = [
        f"came = {{one.dtype for one in {network}.parameters()}}",
        'print("came:", came)',
        'print("expected: torch.float32 or torch.float64")',
    ]
    return _finished(plain, part, name, lines, "came")


def _compared(failure: Failure) -> list[str]:
    """What the check compared with, as a comment: numbers only."""
    if failure.asked is None:
        return []
    names = set(names_in(failure.asked))
    place = next((one for one in failure.places if names & one.names.keys()), None)
    if place is None:
        return []
    numbers = {name: place.names[name] for name in sorted(names) if _is_number(place.names.get(name))}
    return [f"# the check had {name} = {float(value):.7g}" for name, value in numbers.items()]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, torch.Tensor) and value.numel() == 1)


def _still() -> list[str]:
    """The weights of a network that no gradient reaches."""
    return [
        "still = [name for name, gradient in came.items() if gradient is None or not gradient.any()]",
        'print("weights without a gradient:", still)',
    ]


def _noise(plain: Plain, exchange: Exchange) -> list[str]:
    """How the noise behind a sample is distributed, where that is what a check looks at."""
    if exchange.operation != "call" or helper(plain.transcript, exchange):
        return []
    if plain.object(exchange.session, exchange.arguments[0]) != REPARAMETERIZE:
        return []
    mean, std = (plain.tensor(one, "") for one in exchange.arguments[1][:2])
    return [
        f"eps = (came - {mean}) / {std}",
        'print("mean of eps:", float(eps.mean()), "(right code: about 0)")',
        'print("standard deviation of eps:", float(eps.std()), "(right code: about 1)")',
    ]


def _conditional(
    plain: Plain, failure: Failure, place: Place, calls: list[Exchange], part: str, name: str
) -> Snippet:
    assert failure.asked is not None
    script = Condition(plain, place, calls)
    if failure.expected is not None:
        text = script.expression(failure.asked)
        expected = plain.tensor(failure.expected.detach(), "expected")
        lines = [f"came = {text}", 'print("came:", came)', f'print("expected:", {expected})']
        lines.append(f'print("largest difference:", (came.flatten() - {expected}.flatten()).abs().max())')
    else:
        text = script.expression(failure.asked)
        lines = [f'print("{_said(failure)}", bool({text}))']
        lines = [*(line for name, value in script.values.items() for line in _printed(name, value)), *lines]
    if not script.of_code:
        raise NotPlain("the values that it compares were computed by the suite")
    return _finished(plain, part, name, lines, "came" if failure.expected is not None else "condition")


def _printed(name: str, value: Any) -> list[str]:
    """The lines that show a value: a grid of images as a picture, of several large tensors the shapes."""
    if is_picture(value):
        return [
            "from torchvision.utils import save_image",
            f'save_image({name}, "{name}.png")',
            f'print("{name}:", list({name}.shape), "see {name}.png")',
        ]
    several = isinstance(value, list | tuple) and all(isinstance(one, torch.Tensor) for one in value)
    if several and not all(map(small, value)):
        return [f'print("{name}:", len({name}), "values of shapes", [list(one.shape) for one in {name}])']
    return [f'print("{name}:", {name})']


def is_picture(value: Any) -> bool:
    """Whether it is a grid of images, grey or in colour."""
    return (
        isinstance(value, torch.Tensor)
        and value.is_floating_point()
        and value.ndim == 3
        and len(value) in (1, 3)
        and min(value.shape[1:]) >= PICTURE
    )


def _said(failure: Failure) -> str:
    return "this should be True:" if failure.holds else "this should be False:"


def _taken(name: str, accessor: str) -> list[str]:
    return [f"{name} = {name}{accessor}"] if accessor else []


def _finished(plain: Plain, part: str, name: str, lines: list[str], shows: str) -> Snippet:
    head = [f"# In the folder of the hand-in, which holds {part}/:  python {name}.py", "import sys", ""]
    if plain.data:
        head = [*head[:2], "from pathlib import Path", ""]
    if any("math." in line for line in (*plain.lines, *lines)):
        head.insert(-1, "import math")
    head += ["import torch", "", f'sys.path.insert(0, "{part}")']
    head += [f"from {module} import {', '.join(names)}" for module, names in plain.imports.items() if names]
    if plain.data:
        head.append('data = torch.load(Path(__file__).with_suffix(".pt"))')
    code = "\n".join([*head, "", *plain.values, *plain.lines, *lines]) + "\n"
    file = io.BytesIO()
    if plain.data:
        torch.save(plain.data, file)
    return Snippet(code, file.getvalue(), shows)
