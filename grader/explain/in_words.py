"""What should have held, without the words of the suites: a reader has not seen them."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import Any

import torch

from grader.explain.condition import FOR_ALL
from grader.explain.failure import Failure, Place, assignment, names_in

MOST_EXPANDED = 3  # of names within names
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
# Comparisons of the suites within a tolerance, as a sentence.
_CLOSE = {"close": "{one} is close to {other}", "agrees": "{one} is close to one of {other}"}


@dataclass(frozen=True)
class Condition:
    """A condition and what it came to.

    Attributes:
        text: what should have held; empty where only the suites can say it.
        values: what it is about, by name or expression.
    """

    text: str = ""
    values: tuple[tuple[str, Any], ...] = ()


def condition_of(failure: Failure) -> Condition:
    """The condition that did not hold, in the words of Python and torch, and its values."""
    asked = failure.asked
    if asked is None or not failure.condition:
        return Condition()
    place = next((one for one in failure.places if set(names_in(asked)) & one.names.keys()), None)
    if place is None:
        return Condition()
    tree = _expanded(copy.deepcopy(asked), place, MOST_EXPANDED)
    if not failure.holds:
        tree = negated(tree)
    if _only_for_suites(tree, place):
        return Condition(values=tuple(_values([asked], place)))
    values = dict(_values([tree], place)) | dict(_results(tree, place))
    return Condition(_said(tree), tuple(values.items()))


def negated(tree: ast.expr) -> ast.expr:
    """The opposite, without a `not` where it can be said without."""
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return tree.operand
    if isinstance(tree, ast.BoolOp):
        other = ast.And() if isinstance(tree.op, ast.Or) else ast.Or()
        return ast.BoolOp(other, [negated(one) for one in tree.values])
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1:
        return ast.Compare(tree.left, [_OPPOSITE[type(tree.ops[0])]()], tree.comparators)
    return ast.UnaryOp(ast.Not(), tree)


def _expanded(tree: ast.expr, place: Place, depth: int) -> ast.expr:
    """A condition whose parts have names of their own, such as `straight or transposed`, in full."""
    if not depth:
        return tree

    class Expand(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            if not isinstance(place.names.get(node.id), bool):
                return node
            meant = assignment(place, node.id)
            if meant is None or node.id in names_in(meant):
                return node
            return _expanded(copy.deepcopy(meant), place, depth - 1)

    expanded: ast.expr = Expand().visit(tree)
    return expanded


def _only_for_suites(tree: ast.expr, place: Place) -> bool:
    """Whether it hangs on what only a reader of the suites knows: a helper, or an object of theirs."""
    for name in names_in(tree):
        if name in FOR_ALL or name in _CLOSE:
            continue
        if not _plain(place.names.get(name, place.globals.get(name))):
            return True
    return isinstance(tree, ast.Name | ast.UnaryOp) or not list(_shown_names(tree, place))


def _shown_names(tree: ast.expr, place: Place) -> list[str]:
    return [name for name in names_in(tree) if name in place.names]


def _plain(value: Any) -> bool:
    """Whether a value can be shown: numbers, and lists of such."""
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    if isinstance(value, dict):
        return all(map(_plain, value.values()))
    return isinstance(value, torch.Tensor | int | float)


def _values(trees: list[ast.expr], place: Place) -> list[tuple[str, Any]]:
    """The numbers that are compared; what is true or false has said all in the condition."""
    names = [name for tree in trees for name in names_in(tree)]
    return [
        (name, place.names[name])
        for name in dict.fromkeys(names)
        if name != "_" and _plain(place.names.get(name)) and not isinstance(place.names[name], bool)
    ]


def _results(tree: ast.expr, place: Place) -> list[tuple[str, Any]]:
    """What the sides of comparisons came to, where they are more than a name."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        for side in (node.left, *node.comparators):
            if isinstance(side, ast.Name | ast.Constant) or not _shown_names(side, place):
                continue
            text = ast.unparse(side)
            try:
                value = eval(compile(ast.Expression(side), "<condition>", "eval"), place.globals, place.names)
            except Exception:  # it may need what the check no longer holds
                continue
            if _plain(value) and not isinstance(value, bool):
                found.append((text, value))
    return found


class _Sentences(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.func, ast.Name) or node.func.id not in _CLOSE or len(node.args) < 2:
            return node
        one, other = node.args[:2]
        form = _CLOSE[node.func.id]
        if isinstance(other, ast.List | ast.Tuple) and len(other.elts) == 1:
            form, other = _CLOSE["close"], other.elts[0]
        limits = ", ".join(f"{given.arg}={ast.unparse(given.value)}" for given in node.keywords)
        text = form.format(one=ast.unparse(one), other=ast.unparse(other))
        return ast.Name(f"({text}{f', within {limits}' if limits else ''})")


def _said(tree: ast.expr) -> str:
    text = ast.unparse(_Sentences().visit(copy.deepcopy(tree)))
    whole = isinstance(tree, ast.Call) and text.startswith("(") and text.endswith(")")
    return text[1:-1] if whole else text
