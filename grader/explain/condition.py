"""A check's condition in plain Python: its values are made by the student's code, or stand as numbers."""

from __future__ import annotations

import ast
from typing import Any

import torch

from grader.explain.call_lines import call_lines
from grader.explain.failure import Place, assignment, names_in
from grader.explain.plain import NotPlain, Plain
from grader.explain.transcript import Exchange
from grader.explain.which_call import Found, match

# Names that a condition may use beside values: what Python and torch have for everybody.
FOR_ALL = {
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
FOR_ALL |= {"list", "tuple", "zip", "enumerate", "sum", "str", "dict", "sorted", "round"}


PARTED = ("result", "answer", "returned")  # what a call returned, where a part of it is compared


class Condition:
    """The lines that make the values of a condition, each name resolved once."""

    def __init__(self, plain: Plain, place: Place, calls: list[Exchange]) -> None:
        self.plain, self.place, self.calls = plain, place, calls
        self.made: dict[int, str] = {}  # what calls returned, by the call
        self.bound: dict[str, str] = {}
        self.open: set[str] = set()  # names that are being looked into
        self.values: dict[str, Any] = {}  # the same by its name
        self.of_code = False  # whether anything in it comes from the student's code

    def returned(self, found: Found, wish: str) -> str:
        """A value that a call returned, as an expression."""
        key = id(found.exchange)
        if key not in self.made:
            if found.accessor not in ("", None):  # named like none of the check's own values
                wish = next(name for name in PARTED if name not in self.place.names)
            name = self.plain.name(wish)
            lines = call_lines(self.plain, found.exchange, name)
            self.plain.lines += lines
            self.made[key] = name
            self.values[name] = found.exchange.value
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
        if name in FOR_ALL or name in WORDS:
            return name
        if name in self.open:  # its former value, which the check has no longer
            raise NotPlain(f"it is made of an earlier {name}")
        if name in self.bound:
            return self.bound[name]
        if name not in self.place.names:
            value = self.place.globals.get(name)
            if isinstance(value, int | float | str):
                return repr(value)
            raise NotPlain(f"it compares by means of the grader's own {name}")
        value = self.place.names[name]
        found = match(value, self.calls) or _whole(value, self.calls)
        if found is not None and not found.exchange.diagnosis:
            self.bound[name] = self.returned(found, name) + _as_compared(found.value, value)
            return self.bound[name]
        tree = assignment(self.place, name)
        if tree is not None:
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


def _as_compared(returned: Any, value: Any) -> str:
    """What the check did to a tensor before it compared it: another type, another shape."""
    if not isinstance(returned, torch.Tensor) or not isinstance(value, torch.Tensor):
        return ""
    text = f".to({value.dtype})" if value.dtype != returned.dtype else ""
    return text + (f".reshape({list(value.shape)})" if value.shape != returned.shape else "")


# Words of the suites for a comparison, in those of torch.
WORDS = {
    "close": "torch.allclose(({one}).double(), ({other}).double(){more})",
    "agrees": "any(torch.allclose(({one}).double(), due.double(){more}) for due in {other})",
}


class _Places(ast.NodeTransformer):
    """Puts the calls in the place of parts of what they returned, such as `found[0]`."""

    def __init__(self, script: Condition) -> None:
        self.script = script

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
            try:
                value = self.script.place.names[node.value.id][node.slice.value]
            except (LookupError, TypeError):
                return node
            return self._made(value) or node
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name):
            owner = self.script.place.names.get(node.value.id)
            value = owner.__dict__.get(node.attr) if hasattr(owner, "__dict__") else None
            if isinstance(value, torch.Tensor):
                return self._made(value) or self._named(self.script.plain.value(value, 0, node.attr))
        return node

    def _made(self, value: Any) -> ast.expr | None:
        """A value as a part of what a call returned; None where no call did."""
        found = match(value, self.script.calls)
        if found is None or found.exchange.diagnosis:
            return None
        text = self.script.returned(found, "came")
        self._named(text.partition("[")[0])
        return ast.parse(text + _as_compared(found.value, value), mode="eval").body

    def _named(self, name: str) -> ast.expr:
        """A name of the script's own: it stays as it is."""
        self.script.bound[name] = name
        return ast.Name(name)


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in WORDS:
            return node
        one, other = (ast.unparse(given) for given in node.args[:2])
        more = "".join(f", {given.arg}={ast.unparse(given.value)}" for given in node.keywords)
        form, due = WORDS[node.func.id], node.args[1]
        if node.func.id == "agrees" and isinstance(due, ast.List) and len(due.elts) == 1:
            form, other = WORDS["close"], ast.unparse(due.elts[0])
        text = form.format(one=one, other=other, more=more or ", rtol=1e-3")
        return ast.parse(text, mode="eval").body

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = self.names.get(node.id, node.id)
        return ast.parse(text, mode="eval").body


def _whole(value: Any, calls: list[Exchange]) -> Found | None:
    """The call that returned just this tuple or list."""
    if not isinstance(value, list | tuple) or not value:
        return None
    for call in reversed(calls):
        came = call.value
        if isinstance(came, list | tuple) and [*map(id, came)] == [*map(id, value)]:
            return Found(call, "")
    return None


def _holds_objects(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_objects(one) for one in value)
    if isinstance(value, dict):
        return any(_holds_objects(one) for one in value.values())
    return not isinstance(value, torch.Tensor | int | float | str | bool | None)
