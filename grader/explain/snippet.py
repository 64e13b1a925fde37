"""About ten lines of plain Python that show the same difference with the student's file, without our code."""

from __future__ import annotations

import ast
import io
from dataclasses import dataclass
from typing import Any

import torch

from grader.box.errors import StudentError
from grader.explain.failure import Failure, Place, assignment, names_in
from grader.explain.plain import NotPlain, Plain, helper
from grader.explain.transcript import Exchange, Transcript

# Names that a condition may use beside values: what Python and torch have for everybody.
_FOR_ALL = {
    "torch",
    "math",
    "bool",
    "float",
    "int",
    "len",
    "abs",
    "all",
    "any",
    "max",
    "min",
    "isinstance",
    "range",
}
_FOR_ALL |= {"list", "tuple", "zip", "enumerate", "sum", "str", "dict", "sorted", "round"}


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


@dataclass
class Found:
    """Which exchange a check stumbled over.

    Attributes:
        exchange: the call, or the backward pass.
        accessor: where in its value the value that was looked at stands, such as `[0]`; None: nowhere.
    """

    exchange: Exchange
    accessor: str | None = None


# What an item is about: where a check calls other functions, too, these are looked for first.
SUBJECTS = {
    "1.7.reparameterize": ("sample_reparameterize",),
    "1.7.kld": ("KLD",),
    "1.7.bpd": ("elbo_to_bpd",),
    "1.7.forward": ("VAE", "forward"),
    "1.8.sample": ("sample",),
    "1.9.manifold": ("visualize_manifold",),
    "2.5.autoencoder_loss": ("get_loss_autoencoder",),
    "2.5.discriminator_loss": ("get_loss_discriminator",),
}


def find_call(
    failure: Failure, error: BaseException | None, transcript: Transcript, item: str = ""
) -> Found | None:
    """The call that a failed check is about; None where nothing was called.

    Args:
        failure: what the check found wrong.
        error: the exception that ended it.
        transcript: what it asked.
        item: of the rubric.
    """
    calls = [one for one in transcript.exchanges if one.operation in ("call", "backward")]
    if isinstance(error, StudentError):
        failed = [one for one in transcript.exchanges if one.error is error] or [
            one for one in transcript.exchanges if one.error is not None
        ]
        return Found(failed[-1]) if failed else None
    if isinstance(failure.came, torch.Tensor | float | int) and not isinstance(failure.came, bool):
        found = match(failure.came, calls)
        if found is not None:
            return found
    elif failure.came is not None:
        for exchange in reversed(calls):
            if exchange.value is failure.came:
                return Found(exchange, "")
    if failure.asked is not None:
        for place in failure.places:
            for name in names_in(failure.asked):
                found = match(place.names.get(name), calls)
                if found is not None:
                    return found
    own = [
        one
        for one in calls
        if not one.diagnosis and not helper(transcript, one) and not _is_method(transcript, one)
    ]
    outer = [one for one in calls if not one.diagnosis and helper(transcript, one)]
    about = [one for one in own if _function(transcript, one) in SUBJECTS.get(item, ())]
    for candidates in (about, own, outer, calls):
        if candidates:
            return Found(candidates[-1])
    return None


def _function(transcript: Transcript, exchange: Exchange) -> str:
    """What is called: a function's name, or the class of an object."""
    if exchange.operation != "call":
        return ""
    got = transcript.creation(exchange.session, exchange.arguments[0])
    if got is not None and got.operation == "get":
        return str(got.arguments[1])
    return str(exchange.arguments[0].type)


def _is_method(transcript: Transcript, exchange: Exchange) -> bool:
    """Whether a call only prepares: a network's mode, weights or their state."""
    if exchange.operation != "call":
        return False
    got = transcript.creation(exchange.session, exchange.arguments[0])
    return (
        got is not None
        and got.operation == "get"
        and got.arguments[1] in ("eval", "train", "state_dict", "load_state_dict", "to")
    )


def match(value: Any, calls: list[Exchange]) -> Found | None:
    """The latest call that returned a value: itself, or the same numbers in another shape or type."""
    if isinstance(value, bool) or not isinstance(value, torch.Tensor | float | int):
        return None
    for exchange in reversed(calls):
        if (
            isinstance(value, torch.Tensor)
            and (path := _path(exchange.value, lambda one: one is value)) is not None
        ):
            return Found(exchange, path)
    if isinstance(value, int) or (isinstance(value, torch.Tensor) and not value.is_floating_point()):
        return None
    numbers = torch.as_tensor(value).detach().double().flatten()
    for exchange in reversed(calls):
        path = _path(exchange.value, lambda one: _same_numbers(one, numbers))
        if path is not None:
            return Found(exchange, path)
    return None


def _same_numbers(value: Any, numbers: torch.Tensor) -> bool:
    if isinstance(value, bool) or not isinstance(value, torch.Tensor | float):
        return False
    own = torch.as_tensor(value).detach()
    return own.numel() == numbers.numel() > 0 and torch.allclose(
        own.double().flatten(), numbers, rtol=0, atol=0, equal_nan=True
    )


def _path(value: Any, right: Any) -> str | None:
    if right(value):
        return ""
    parts = (
        enumerate(value)
        if isinstance(value, list | tuple)
        else value.items()
        if isinstance(value, dict)
        else ()
    )
    for key, one in parts:
        inner = _path(one, right)
        if inner is not None:
            return f"[{key!r}]{inner}"
    return None


class _Script:
    """The lines that make the values of a condition, each name resolved once."""

    def __init__(self, plain: Plain, place: Place, calls: list[Exchange]) -> None:
        self.plain, self.place, self.calls = plain, place, calls
        self.made: dict[int, str] = {}  # what calls returned, by the call
        self.bound: dict[str, str] = {}
        self.open: set[str] = set()  # names that are being looked into: one may be made of its former value
        self.of_code = False  # whether anything in it comes from the student's code

    def returned(self, found: Found, wish: str) -> str:
        """A value that a call returned, as an expression."""
        key = id(found.exchange)
        if key not in self.made:
            whole = found.accessor in ("", None)
            name = self.plain.name(wish if whole else "result")
            lines = call_lines(self.plain, found.exchange, name)
            self.plain.lines += lines
            self.made[key] = name
        self.of_code = True
        return self.made[key] + (found.accessor or "")

    def expression(self, tree: ast.expr) -> str:
        """An expression of the suite with the script's own names.

        Raises:
            NotPlain: it uses a helper of the suite.
        """
        copied = _Places(self).visit(ast.parse(ast.unparse(tree), mode="eval"))
        renamed = {name: self.name(name) for name in names_in(copied)}
        return ast.unparse(_Renamed(renamed).visit(copied))

    def name(self, name: str) -> str:
        if name in _FOR_ALL or name in WORDS:
            return name
        if name in self.bound:
            return self.bound[name]
        if name not in self.place.names:
            value = self.place.globals.get(name)
            if isinstance(value, int | float | str):
                return repr(value)
            raise NotPlain(f"it compares by means of the grader's own {name}")
        value = self.place.names[name]
        found = match(value, self.calls)
        if found is not None and not found.exchange.diagnosis:
            self.bound[name] = self.returned(found, name)
            return self.bound[name]
        tree = assignment(self.place, name)
        if tree is not None and name not in self.open:
            before = self.of_code
            self.of_code = False
            self.open.add(name)
            try:
                text = self.expression(tree)
                if self.of_code:
                    self.bound[name] = self.plain.name(name)
                    self.plain.lines.append(f"{self.bound[name]} = {text}")
                    return self.bound[name]
            except NotPlain:
                pass
            finally:
                self.open.discard(name)
                self.of_code = self.of_code or before
        if _holds_objects(value):
            raise NotPlain("it compares objects that stay in the box")
        self.bound[name] = self.plain.value(value, 0, name)
        return self.bound[name]


# Words of the suites for a comparison, in those of torch.
WORDS = {
    "close": "torch.allclose(({one}).double(), ({other}).double(){more})",
    "agrees": "any(torch.allclose(({one}).double(), due.double(){more}) for due in {other})",
}


class _Places(ast.NodeTransformer):
    """Puts the calls in the place of parts of what they returned, such as `found[0]`."""

    def __init__(self, script: _Script) -> None:
        self.script = script

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
            try:
                value = self.script.place.names[node.value.id][node.slice.value]
            except (LookupError, TypeError):
                return node
            found = match(value, self.script.calls)
            if found is not None and not found.exchange.diagnosis:
                text = self.script.returned(found, "came")
                made = text.partition("[")[0]
                self.script.bound[made] = made
                return ast.parse(text, mode="eval").body
        return node


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in WORDS:
            return node
        one, other = (ast.unparse(given) for given in node.args[:2])
        more = "".join(f", {given.arg}={ast.unparse(given.value)}" for given in node.keywords)
        text = WORDS[node.func.id].format(one=one, other=other, more=more or ", rtol=1e-3")
        return ast.parse(text, mode="eval").body

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = self.names.get(node.id, node.id)
        return ast.parse(text, mode="eval").body


def _holds_objects(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_objects(one) for one in value)
    if isinstance(value, dict):
        return any(_holds_objects(one) for one in value.values())
    return not isinstance(value, torch.Tensor | int | float | str | bool | None)


def call_lines(plain: Plain, exchange: Exchange, name: str) -> list[str]:
    """The lines that make a call again; `name` is what it returns."""
    if exchange.operation == "backward":
        return _backward_lines(plain, exchange, name)
    expression = plain.call(exchange)
    if not helper(plain.transcript, exchange):
        plain.settle(exchange)
    lines = _surroundings(plain, exchange)
    if exchange.random is not None:
        state = plain.name("generator")
        plain.data[state] = exchange.random
        lines.append(f'torch.set_rng_state(data["{state}"])')
    return [*lines, f"{name} = {expression}"]


def _surroundings(plain: Plain, exchange: Exchange) -> list[str]:
    """What else is not the student's in a session: helpers that a stand-in has taken the place of."""
    lines = []
    for other in plain.transcript.exchanges:
        if other is exchange:
            break
        if other.session != exchange.session:
            continue
        name = helper(plain.transcript, other)
        if name == "make_crude":
            raise NotPlain("a piece that does not work has a stand-in of the grader's in its place")
        if name == "stop_sampling":
            lines = [
                "import train_pl, utils",
                "utils.sample_reparameterize = train_pl.sample_reparameterize = lambda mean, std: mean + std",
            ]
    return lines


def _backward_lines(plain: Plain, exchange: Exchange, name: str) -> list[str]:
    graph, chosen, cotangents, of = exchange.arguments
    forward = next(
        (
            one
            for one in plain.transcript.exchanges
            if one.session == exchange.session
            and one.operation == "call"
            and one.reply is not None
            and one.reply.get("graph") == graph
        ),
        None,
    )
    if forward is None:
        raise NotPlain("it is about the gradient of a call that is not known any more")
    value = plain.name("value")
    lines = call_lines(plain, forward, value)
    leaves = [plain.tensor(one, "x") for one in _leaves(forward.arguments[1:3])]
    if of:
        network = plain.object(exchange.session, of[0])
        leaves = [f"*{network}.parameters()"]
        names = f"(name for name, one in {network}.named_parameters() if one.requires_grad)"
    parts = [value] if isinstance(forward.value, torch.Tensor) else [f"{value}[{place}]" for place in chosen]
    given = ", ".join(plain.tensor(one, "cotangent") for one in cotangents)
    call = f"torch.autograd.grad([{', '.join(parts)}], [{', '.join(leaves)}], [{given}], allow_unused=True)"
    return [*lines, f"{name} = dict(zip({names}, {call}, strict=True))" if of else f"{name} = {call}"]


def _leaves(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in _leaves(one)]
    return []


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
        'print("came:", came)',
        *_noise(plain, found.exchange),
        *_compared(failure),
    ]
    if any(line == "seen = []" for line in plain.lines):
        lines.append('print("latents along the axes:", torch.cat(seen).unique())')
    return _finished(plain, part, name, lines, "call")


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


def _noise(plain: Plain, exchange: Exchange) -> list[str]:
    """How the noise behind a sample is distributed, where that is what a check looks at."""
    if exchange.operation != "call" or helper(plain.transcript, exchange):
        return []
    if plain.object(exchange.session, exchange.arguments[0]) != REPARAMETERIZE:
        return []
    mean, std = (plain.tensor(one, "") for one in exchange.arguments[1][:2])
    return [
        f"eps = (came - {mean}) / {std}",
        'print("eps has mean", float(eps.mean()), "and standard deviation", float(eps.std()))',
    ]


def _conditional(
    plain: Plain, failure: Failure, place: Place, calls: list[Exchange], part: str, name: str
) -> Snippet:
    assert failure.asked is not None
    script = _Script(plain, place, calls)
    if failure.expected is not None:
        text = script.expression(failure.asked)
        expected = plain.tensor(failure.expected.detach(), "expected")
        lines = [f"came = {text}", 'print("came:", came)', f'print("expected:", {expected})']
        lines.append(f'print("largest difference:", (came.flatten() - {expected}.flatten()).abs().max())')
    else:
        text = script.expression(failure.asked)
        lines = [f'print("{_said(failure)}", bool({text}))']
        lines = [*(f'print("{one}:", {one})' for one in script.made.values()), *lines]
    if not script.of_code:
        raise NotPlain("the values that it compares were computed by the suite")
    return _finished(plain, part, name, lines, "came" if failure.expected is not None else "condition")


def _said(failure: Failure) -> str:
    return "this should be False:" if failure.condition.startswith("not (") else "this should be True:"


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
