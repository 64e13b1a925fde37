"""What there is to say of one failed check, as data: terminal and page show the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from grader.box import wire
from grader.box.errors import BoxError, StudentError
from grader.explain.call_lines import call_lines
from grader.explain.failure import Failure, failure_of
from grader.explain.helpers import Helper, helper_called, steps_of
from grader.explain.in_words import condition_of
from grader.explain.manifold import manifold_pictures
from grader.explain.notation import kind, lines_of
from grader.explain.original import Original
from grader.explain.plain import NotPlain, Plain
from grader.explain.rerun import Rerun
from grader.explain.snippet import Snippet, make_snippet
from grader.explain.statistic import Chance, chance_of, deciding, draw_distribution, text_histogram
from grader.explain.transcript import Exchange, Transcript, gradients_of
from grader.explain.which_call import Found, find_call
from grader.marking.cause import without_numbers
from grader.marking.result import CheckResult
from grader.report.pictures import Picture, draw
from grader.suites.expect import CheckFailed
from grader.text import printable

MOST_ROWS = 8  # of where values differ
MOST_HELD = 10  # values that a check had at hand
NO_PURPOSE = "a helper of the grader's in the sandbox"
TITLES = {
    "curve": "the loss of the training beside the band of right solutions",
    "samples": "samples",
    "manifold": "what visualize_manifold draws",
    "reconstructions": "images above, their reconstructions below",
}


@dataclass(frozen=True)
class Named:
    """A value with its name, on a few lines."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A place where two values differ."""

    place: str
    came: float
    expected: float


@dataclass(frozen=True)
class Drawn:
    """A picture's file.

    Attributes:
        title: what it shows.
        content: of the file.
        suffix: `svg` or `png`.
    """

    title: str
    content: bytes
    suffix: str


@dataclass(frozen=True)
class Explanation:
    """Why a check failed.

    Attributes:
        submission: its name.
        item: of the rubric.
        seed: of the run.
        python: that runs the code.
        before: the check in the results.
        now: the same, run again.
        agreement: `same`; `alike`: it failed in the same way, with other numbers; `other`.
        call: the call that it is about, in Python, line by line.
        helper: what a helper of the grader's does, where the call goes through one; else empty.
        steps: what the check had the grader's helpers do, where it is about what one of them returned.
        inputs: the tensors that the call was given.
        came: what it returned.
        part: which part of that is looked at, such as `came[1]`; empty for all of it.
        surprise: the exception by which the check itself ended, when it could not use what it was given.
        expected: what it should have returned.
        tolerance: within which the two count as equal; empty where nothing is compared so.
        differences: the places where they differ most.
        differing: how many places there are where they do, and of how many; (0, 0) where not compared.
        condition: what should have held, as Python.
        compared: the values in the condition.
        statistics: figures beside their limits.
        distribution: a picture of what was drawn at random, as text.
        pictures: for the page.
        snippet: plain Python that shows the same; None where there is none.
        why_none: why not.
        others: further checks of the item that failed with the same message.
    """

    submission: str
    item: str
    seed: int
    python: str
    before: CheckResult
    now: CheckResult
    agreement: str
    call: tuple[str, ...] = ()
    helper: str = ""
    steps: tuple[str, ...] = ()
    inputs: tuple[Named, ...] = ()
    came: tuple[str, ...] = ()
    part: str = ""
    surprise: str = ""
    expected: tuple[str, ...] = ()
    tolerance: str = ""
    differences: tuple[Difference, ...] = ()
    differing: tuple[int, int] = (0, 0)
    condition: str = ""
    compared: tuple[Named, ...] = ()
    statistics: tuple[Chance, ...] = ()
    distribution: tuple[str, ...] = ()
    pictures: tuple[Drawn, ...] = field(default=())
    snippet: Snippet | None = None
    why_none: str = ""
    others: tuple[str, ...] = ()


def explained(original: Original, rerun: Rerun, name: str, others: tuple[str, ...] = ()) -> Explanation:
    """What a check that was run again tells.

    Args:
        original: the result.
        rerun: of one of its checks.
        name: of the snippet's file, without its ending.
        others: further checks with the same message.
    """
    before = next(one for one in original.item.checks if one.name == rerun.check.name)
    failure = failure_of(rerun.error) if rerun.error is not None else Failure()
    found = find_call(failure, rerun.error, rerun.transcript, original.item.id)
    values: dict[str, Any] = {}
    if found is not None:
        values |= _call(found, rerun.transcript)
        values["came"] = _came(found, failure, rerun.error, original.submission.files)
        if found.accessor and isinstance(failure.came, torch.Tensor | int | float):
            values["part"] = f"came{found.accessor}"
    if rerun.error is not None and not isinstance(rerun.error, StudentError | CheckFailed | BoxError):
        values["surprise"] = printable(f"{type(rerun.error).__name__}: {rerun.error}", 300)
    if not isinstance(rerun.error, StudentError):  # else it has compared nothing yet
        values |= _expected(failure)
        given, came = values.get("inputs", ()), values.get("came", ())
        values["compared"] = tuple(
            one for one in values.get("compared", ()) if one not in given and one.lines != came
        )
    values |= _statistics(rerun)
    values |= _snippet(original, rerun, failure, found, name)
    if values.get("helper") and not isinstance(rerun.error, StudentError):
        values["steps"] = tuple(steps_of(rerun.transcript))
    pictures = (*values.pop("pictures", ()), *_pictures(rerun))
    if found is not None:
        pictures += tuple(Drawn(*one, "png") for one in manifold_pictures(rerun.transcript, found.exchange))
    return Explanation(
        submission=original.result.submission,
        item=original.item.id,
        seed=original.result.seed,
        python=original.result.python,
        before=before,
        now=rerun.check,
        agreement=_agreement(before, rerun),
        pictures=pictures,
        others=others,
        **values,
    )


def _agreement(before: CheckResult, rerun: Rerun) -> str:
    if rerun.same:
        return "same"
    now = rerun.check
    alike = now.status == before.status and _form(now.message) == _form(before.message)
    return "alike" if alike else "failed too" if now.status == before.status else "other"


def _form(message: str) -> str:
    return without_numbers(message)


def _call(found: Found, transcript: Transcript) -> dict[str, Any]:
    exchange = found.exchange
    if exchange.operation == "load":
        return {"call": (f"import {exchange.arguments[0]}",)}
    own = helper_called(transcript, exchange)
    plain = Plain(transcript)
    try:
        if exchange.operation == "get":
            owner = transcript.creation(exchange.session, exchange.arguments[0])
            on = owner.arguments[0] if owner is not None and owner.operation == "load" else None
            on = on or plain.object(exchange.session, exchange.arguments[0])
            return {"call": (*plain.lines, f"{on}.{exchange.arguments[1]}")}
        lines = call_lines(plain, exchange, "came")
        shown = [line for line in (*plain.lines, *lines) if "set_rng_state" not in line]
        helps = ""
    except NotPlain:
        shown = [_as_helper(transcript, exchange, own.name if own is not None else "")]
        helps = f"{own.name}: {own.purpose or NO_PURPOSE}" if own is not None else ""
    inputs = [Named(name, tuple(lines_of(value))) for name, value in plain.given.items()]
    if helps or not inputs:
        inputs = _inputs(exchange.arguments, _argument_names(exchange, own))
    return {"call": tuple(shown), "helper": helps, "inputs": tuple(inputs)}


def _argument_names(exchange: Exchange, own: Helper | None) -> dict[int | str, str]:
    """What to call the tensors of a call: as its own parameters are called, else as the suite calls them."""
    parameters: dict[int | str, str] = dict(enumerate(own.parameters)) if own is not None else {}
    return parameters | exchange.names


def _inputs(arguments: tuple[Any, ...], names: dict[int | str, str]) -> list[Named]:
    if len(arguments) < 3 or not isinstance(arguments[1], tuple):
        return []
    found = []
    for place, value in enumerate(arguments[1]):
        if isinstance(value, torch.Tensor):
            found.append(
                Named(
                    names.get(place, f"input_{place}" if len(arguments[1]) > 1 else "x"),
                    tuple(lines_of(value)),
                )
            )
    found += [
        Named(key, tuple(lines_of(one))) for key, one in arguments[2].items() if isinstance(one, torch.Tensor)
    ]
    return found


def _as_helper(transcript: Transcript, exchange: Exchange, name: str) -> str:
    """A call of a helper, its arguments in a few words."""
    parts = [_briefly(one) for one in exchange.arguments[1]] if len(exchange.arguments) > 1 else []
    if not name:
        got = transcript.creation(exchange.session, exchange.arguments[0])
        name = str(got.arguments[1]) if got is not None and got.operation == "get" else exchange.operation
    return f"{name}({', '.join(parts)})"


def _briefly(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"<{kind(value)}>"
    if isinstance(value, wire.Reference):
        return f"<{printable(value.type, 40)}>"
    if isinstance(value, list | tuple | dict):
        return f"<{kind(value)}>"
    return repr(value)


def _came(
    found: Found, failure: Failure, error: BaseException | None, files: Mapping[str, bytes]
) -> tuple[str, ...]:
    if isinstance(error, StudentError):
        lines = [printable(str(error), 500)]
        for one in error.frames:
            lines.append(f"  {one.file}, line {one.line}, in {one.function}")
            written = files.get(one.file, b"").decode("utf-8", "replace").splitlines()
            number = int(one.line) if one.line.isascii() and one.line.isdigit() else 0
            if 0 < number <= len(written):
                lines.append(f"    {printable(written[number - 1].strip(), 200)}")
        return tuple(lines)
    if isinstance(failure.came, torch.Tensor | int | float):
        return tuple(lines_of(failure.came))
    gradients = gradients_of(found.exchange)
    if gradients:
        still = [name for name, one in gradients.items() if one is None or not bool(one.any())]
        return (f"gradients for {len(gradients)} weight tensors, none for {len(still)} of them:", *still)
    value = found.exchange.value
    return ("nothing: None",) if value is None else tuple(lines_of(value))


def _expected(failure: Failure) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if failure.expected is not None:
        values["expected"] = tuple(lines_of(failure.expected))
        values["tolerance"] = f"{100 * failure.rtol:g}% of the expected value plus {failure.atol:g}"
        if isinstance(failure.came, torch.Tensor) and failure.came.shape == failure.expected.shape:
            values |= _differences(failure.came, failure.expected, failure.rtol, failure.atol)
        elif failure.shape is not None:
            values["expected"] = (f"shape {list(failure.shape)}", *values["expected"])
    elif failure.shape is not None:
        values["expected"] = (f"a tensor of shape {list(failure.shape)}",)
    if failure.asked is None:
        values["condition"] = failure.condition
    else:
        condition = condition_of(failure)
        values["condition"] = condition.text
        values["compared"] = tuple(Named(name, tuple(lines_of(one))) for name, one in condition.values)
    if failure.expected is None and failure.shape is None and not values.get("compared") and failure.places:
        # No condition whose values can be read: what the check had at hand.
        held = [
            Named(name, tuple(lines_of(value)))
            for name, value in failure.places[0].names.items()
            if isinstance(value, torch.Tensor | int | float) and not isinstance(value, bool) and name != "_"
        ]
        values["compared"] = tuple(held[-MOST_HELD:])
    return values


def _differences(came: torch.Tensor, expected: torch.Tensor, rtol: float, atol: float) -> dict[str, Any]:
    one, other = came.detach().double(), expected.detach().double()
    gap = (one - other).abs()
    wrong = ~(gap <= atol + rtol * other.abs())
    order = gap.nan_to_num(nan=float("inf")).flatten().argsort(descending=True)
    places = [int(place) for place in order if bool(wrong.flatten()[place])][:MOST_ROWS]
    rows = [
        Difference(_index(place, one.shape), float(one.flatten()[place]), float(other.flatten()[place]))
        for place in places
    ]
    return {"differences": tuple(rows), "differing": (int(wrong.sum()), one.numel())}


def _index(place: int, shape: torch.Size) -> str:
    found = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        found.append(rest)
    return f"[{', '.join(map(str, reversed(found)))}]" if shape else "the value"


def _statistics(rerun: Rerun) -> dict[str, Any]:
    chosen = deciding(rerun.statistics)
    values: dict[str, Any] = {"statistics": tuple(map(chance_of, chosen))}
    samples = [one.sample for one in chosen if one.sample is not None]
    if samples:
        values["distribution"] = tuple(text_histogram(samples[-1]))
        values["pictures"] = (
            Drawn(
                "what was drawn, beside the standard normal distribution",
                draw_distribution(samples[-1]),
                "svg",
            ),
        )
    return values


def _pictures(rerun: Rerun) -> list[Drawn]:
    found = []
    for shown in {one.kind: one for one in rerun.shown}.values():
        content = draw(Picture(shown.item, shown.kind, shown.values.numpy()))
        if content is not None:
            found.append(Drawn(TITLES[shown.kind], content, "svg" if shown.kind == "curve" else "png"))
    return found


def _snippet(
    original: Original, rerun: Rerun, failure: Failure, found: Found | None, name: str
) -> dict[str, Any]:
    if rerun.error is None:
        return {"why_none": "this time the check passed"}
    if found is None:
        return {"why_none": "the check ended before it called anything"}
    part = f"part{original.item.id.partition('.')[0]}"
    try:
        return {"snippet": make_snippet(failure, rerun.error, found, rerun.transcript, part, name)}
    except NotPlain as reason:
        return {"why_none": str(reason)}
