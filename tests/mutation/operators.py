"""Mutation operators for tensor code, in the form of mutmut's: a node in, mutated nodes out.

mutmut's own change numbers, operators, strings and arguments. Slips in deep learning are of other kinds as
well: a statement left out, a tensor taken for another, a sum for a mean, a missing or misplaced detach.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import libcst as cst

MODULES = frozenset({"torch", "nn", "F", "math", "cst"})
# What one takes for another: functions, methods and classes that accept the same arguments.
ALIKE: dict[str, tuple[str, ...]] = {
    "randn": ("rand", "zeros", "ones"),
    "randn_like": ("rand_like", "zeros_like", "ones_like"),
    "ones_like": ("zeros_like", "rand_like"),
    "zeros_like": ("ones_like", "rand_like"),
    "exp": ("exp2", "sigmoid", "abs", "square"),
    "mean": ("sum", "max", "std"),
    "sum": ("mean", "prod", "amax"),
    "softmax": ("log_softmax", "argmax", "sigmoid"),
    "log2": ("log", "log10", "exp"),
    "e": ("pi",),
    "prod": ("sum",),
    "arange": ("ones",),
    "linspace": ("logspace",),
    "ndtri": ("expit", "ndtr", "erfinv", "logit"),
    "cartesian_prod": ("dstack",),
    "cross_entropy": ("nll_loss", "multi_margin_loss"),
    "mse_loss": ("l1_loss", "smooth_l1_loss", "binary_cross_entropy_with_logits"),
    "binary_cross_entropy_with_logits": ("binary_cross_entropy", "mse_loss", "soft_margin_loss"),
    "permute": ("reshape", "view"),
    "detach": ("clone",),
    "cat": ("stack",),
    "GELU": ("Sigmoid", "Identity", "Softplus"),
    "LeakyReLU": ("Threshold", "Softshrink"),
    "Tanh": ("Sigmoid", "Identity", "Softsign", "Hardtanh"),
    "Adam": ("SGD", "Adagrad"),
    "SGD": ("Adam", "Rprop"),
    "encoder": ("decoder", "discriminator"),
    "decoder": ("encoder", "discriminator"),
    "discriminator": ("encoder", "decoder"),
    "log_std": ("mean",),
    "ae_lr": ("d_lr",),
    "d_lr": ("ae_lr",),
    "optimizer_ae": ("optimizer_disc",),
    "optimizer_disc": ("optimizer_ae",),
    "get_loss_autoencoder": ("get_loss_discriminator",),
    "get_loss_discriminator": ("get_loss_autoencoder",),
}
ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply, cst.Divide, cst.Power)
COMPARISONS = (cst.LessThan, cst.LessThanEqual, cst.GreaterThan, cst.GreaterThanEqual, cst.Equal)


def left_out(node: cst.SimpleStatementLine) -> Iterator[cst.CSTNode]:
    """A statement that is not there."""
    yield node.with_changes(body=[cst.Pass()])


def not_called(node: cst.Call) -> Iterator[cst.CSTNode]:
    """`x.f(...)` becomes `x`, and `f(x, ...)` becomes `x`."""
    if isinstance(node.func, cst.Attribute) and _root(node.func) not in MODULES:
        yield node.func.value
    if node.args and not node.args[0].star and node.args[0].keyword is None:
        yield node.args[0].value


def taken_for_another(node: cst.Attribute) -> Iterator[cst.CSTNode]:
    """A name after a dot that is easily taken for another one."""
    for other in ALIKE.get(node.attr.value, ()):
        yield node.with_changes(attr=cst.Name(other))


def other_number(node: cst.Integer | cst.Float) -> Iterator[cst.CSTNode]:
    """One less, half and double, and the other sign; mutmut itself adds one."""
    value = node.evaluated_value
    for other in (value - 1, value * 2, -value, value / 2):
        if other != value:
            text = repr(int(other) if other == int(other) and isinstance(value, int) else other)
            yield cst.parse_expression(f"({text})" if other < 0 else text)


def other_operator(node: cst.BinaryOperation) -> Iterator[cst.CSTNode]:
    """All arithmetic operators, and the operands the other way round."""
    if isinstance(node.operator, ARITHMETIC):
        for other in ARITHMETIC:
            if not isinstance(node.operator, other):
                # Parentheses keep the tree as it is, whatever binds tighter now.
                yield node.with_changes(
                    left=_closed(node.left),
                    operator=other(),
                    right=_closed(node.right),
                    lpar=[cst.LeftParen()],
                    rpar=[cst.RightParen()],
                )
        if isinstance(node.operator, cst.Subtract | cst.Divide | cst.Power):
            yield node.with_changes(left=_closed(node.right), right=_closed(node.left))
        yield _closed(node.left)
        yield _closed(node.right)


def other_comparison(node: cst.ComparisonTarget) -> Iterator[cst.CSTNode]:
    """All comparisons."""
    if isinstance(node.operator, COMPARISONS):
        for other in COMPARISONS:
            if not isinstance(node.operator, other):
                yield node.with_changes(operator=other())


def no_sign(node: cst.UnaryOperation) -> Iterator[cst.CSTNode]:
    """`-x` becomes `x`."""
    if isinstance(node.operator, cst.Minus):
        yield node.expression


def arguments_exchanged(node: cst.Call) -> Iterator[cst.CSTNode]:
    """Two positional arguments the other way round."""
    places = [i for i, arg in enumerate(node.args) if arg.keyword is None and not arg.star]
    for i, j in itertools.combinations(places, 2):
        args = list(node.args)
        args[i], args[j] = (
            args[i].with_changes(value=args[j].value),
            args[j].with_changes(value=args[i].value),
        )
        yield node.with_changes(args=args)


def elements_exchanged(node: cst.Tuple | cst.List) -> Iterator[cst.CSTNode]:
    """Two elements the other way round, or one of them left out."""
    for i, j in itertools.combinations(range(len(node.elements)), 2):
        elements = list(node.elements)
        elements[i], elements[j] = (
            elements[i].with_deep_changes(elements[i], value=elements[j].value),
            elements[j].with_deep_changes(elements[j], value=elements[i].value),
        )
        yield node.with_changes(elements=elements)
    if len(node.elements) > 1:
        for i in range(len(node.elements)):
            yield node.with_changes(elements=[*node.elements[:i], *node.elements[i + 1 :]])


def entry_left_out(node: cst.Dict) -> Iterator[cst.CSTNode]:
    """A dictionary without one of its entries, or with two values exchanged."""
    for i in range(len(node.elements)):
        yield node.with_changes(elements=[*node.elements[:i], *node.elements[i + 1 :]])
    for i, j in itertools.combinations(range(len(node.elements)), 2):
        elements = list(node.elements)
        elements[i], elements[j] = (
            elements[i].with_changes(value=elements[j].value),
            elements[j].with_changes(value=elements[i].value),
        )
        yield node.with_changes(elements=elements)


def whole(node: cst.Subscript) -> Iterator[cst.CSTNode]:
    """`x[...]` becomes `x`."""
    yield node.value


def detached(name: str) -> cst.Call:
    """`name.detach()`."""
    return cst.Call(cst.Attribute(cst.Name(name), cst.Name("detach")))


TENSOR_OPERATORS: list[tuple[type[cst.CSTNode], Callable[[Any], Iterable[cst.CSTNode]]]] = [
    (cst.SimpleStatementLine, left_out),
    (cst.Call, not_called),
    (cst.Attribute, taken_for_another),
    (cst.Integer, other_number),
    (cst.Float, other_number),
    (cst.BinaryOperation, other_operator),
    (cst.ComparisonTarget, other_comparison),
    (cst.UnaryOperation, no_sign),
    (cst.Call, arguments_exchanged),
    (cst.Tuple, elements_exchanged),
    (cst.List, elements_exchanged),
    (cst.Dict, entry_left_out),
    (cst.Subscript, whole),
]
# These would only break the shapes of layers, in hundreds of ways; mutmut's own operators do so as well.
OF_VALUES = (other_operator, other_number, arguments_exchanged, not_called)


def _root(node: cst.BaseExpression) -> str:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else ""


def _closed(node: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(node, cst.BinaryOperation | cst.UnaryOperation) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node
