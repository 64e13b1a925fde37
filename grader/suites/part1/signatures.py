"""The constructors of part 1, whose arguments have frozen names, an order and defaults."""

from __future__ import annotations

import torch

from grader.box.errors import StudentError
from grader.suites.expect import expect, fail
from grader.suites.part import Part

SIZES = ("num_input_channels", "num_filters", "z_dim")
ENCODER = {"num_input_channels": 1, "num_filters": 32, "z_dim": 20}
DECODER = {**ENCODER, "num_input_channels": 16}
VAE = ("num_filters", "z_dim", "lr")
UNEQUAL = (2, 8, 3)  # sizes that cannot be exchanged unnoticed; groups of filters want a power of two


def call_text(name: str, arguments: list[tuple[str, object]]) -> str:
    """How a constructor is written: `CNNEncoder(z_dim=20)`."""
    written = (argument if value is None else f"{argument}={value}" for argument, value in arguments)
    return f"{name}({', '.join(written)})"


def own_arguments(part1: Part, module: str, name: str) -> list[tuple[str, object]]:
    """The arguments of the student's constructor and their defaults, where there is something to be read."""
    found = part1.driver.signature(module, name)
    pairs = [tuple(pair) for pair in found] if isinstance(found, list | tuple) else []
    return [pair for pair in pairs if len(pair) == 2 and isinstance(pair[0], str)]


def expect_names(part1: Part, module: str, name: str, due: list[tuple[str, object]]) -> None:
    """Fail unless a constructor has arguments of the names that the contract gives, in this order."""
    own = own_arguments(part1, module, name)
    names = [argument for argument, _ in own]
    wanted = [argument for argument, _ in due]
    if not own or names[: len(wanted)] == wanted:
        return
    lacking = [argument for argument in wanted if argument not in names]
    fault = f"{lacking[0]} is no argument of it" if lacking else "they are in another order"
    fail(
        f"the arguments of {name} should be {call_text(name, due)}, but are {call_text(name, own)}: {fault}",
        f"leave the signature of {name}.__init__ as it is given; arguments of your own, with a default, come "
        "after the given ones",
    )


def expect_signature(part1: Part, name: str, due: dict[str, int]) -> None:
    """Fail unless a network's constructor has the arguments and the defaults of the contract.

    Defaults show by what is built: every argument is left out once, with the others given.
    """
    _ = part1.cnn_encoder_decoder
    expect_names(part1, "cnn_encoder_decoder", name, list(due.items()))
    usual = shapes(part1, name, due, due)
    hint = f"leave the signature of {name}.__init__ as it is given: {call_text(name, list(due.items()))}"
    own = dict(own_arguments(part1, "cnn_encoder_decoder", name))
    for argument, default in due.items():
        given = {other: value for other, value in due.items() if other != argument}
        try:
            built = shapes(part1, name, due, given)
        except StudentError as error:
            if error.kind != "raised":
                raise
            built = None
        came = own.get(argument)
        said = f"is {came}" if came not in (None, default) else "is another one" if built else "is missing"
        expect(built == usual, f"the default of {argument} in {name} should be {default}, but {said}", hint)
    sizes = dict(zip(SIZES, UNEQUAL, strict=True))
    placed, named = f"{name}({', '.join(map(str, UNEQUAL))})", call_text(name, list(sizes.items()))
    expect(
        shapes(part1, name, sizes, {}, UNEQUAL) == shapes(part1, name, sizes, sizes),
        f"{placed} is another network than {named}: the arguments are in another order",
        hint,
    )


def shapes(
    part1: Part, name: str, sizes: dict[str, int], named: dict[str, int], placed: tuple[int, ...] = ()
) -> object:
    """The shapes of the parameters of a network that is built with some arguments.

    Args:
        part1: the submission.
        name: of the class.
        sizes: what all of its arguments come to.
        named: the arguments that are given by name.
        placed: those that are given by place.
    """
    images = torch.zeros(1, sizes["num_input_channels"], 28, 28, dtype=torch.int64)
    example = images if name == "CNNEncoder" else torch.zeros(1, sizes["z_dim"])
    return part1.driver.shapes(name, example, *placed, **named)
