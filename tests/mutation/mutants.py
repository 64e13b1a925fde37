"""Makes the mutants: every small change of the code that students write, one at a time.

Code outside of `# BEGIN SOLUTION` and `# END SOLUTION` is given to students. It is the kit's own affair, the
hidden suites do not judge it, and it is not mutated.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

from tests.mutation.operators import OF_VALUES, TENSOR_OPERATORS, detached

FILES = (
    "part1/utils.py",
    "part1/train_pl.py",
    "part2/train.py",
    "part2/models.py",
    "part1/cnn_encoder_decoder.py",
)
# Which item answers for a block, by how its BEGIN line goes on behind the question's number.
ITEMS = {
    "sample_reparameterize": "1.7.reparameterize",
    "KLD": "1.7.kld",
    "elbo_to_bpd": "1.7.bpd",
    "visualize_manifold": "1.9.manifold",
    "CNNEncoder": "1.7.encoder",
    "CNNDecoder": "1.7.decoder",
    "VAE.forward": "1.7.forward",
    "VAE.sample": "1.8.sample",
    "ConvEncoder": "2.4.autoencoder",
    "ConvDecoder": "2.4.autoencoder",
    "AdversarialAE.forward": "2.4.autoencoder",
    "Discriminator": "2.5.discriminator",
    "get_loss_autoencoder": "2.5.autoencoder_loss",
    "get_loss_discriminator": "2.5.discriminator_loss",
    "AdversarialAE.sample": "2.5.sample",
    "train_aae": "2.5.training",
    "main": "2.5.training",
}
_BEGIN = re.compile(r"\s*# BEGIN SOLUTION [\d.]+: (?P<title>.*)")
_END = re.compile(r"\s*# END SOLUTION")


@dataclass(frozen=True)
class Block:
    """Lines that students write, between the two comments.

    Attributes:
        title: what the BEGIN line says.
        first: number of the first line, counted from 1.
        last: number of the last line.
    """

    title: str
    first: int
    last: int

    @property
    def item(self) -> str:
        """The item that answers for this code."""
        return ITEMS[self.title.split(",")[0]]

    @property
    def layers(self) -> bool:
        """Whether it builds a network: its arithmetic is that of shapes."""
        return self.title.endswith(", the layers")


@dataclass(frozen=True)
class Mutant:
    """One change of one file of the solutions.

    Attributes:
        file: such as `part1/utils.py`.
        line: number of the line where the change begins.
        block: the title of the block that it is in.
        item: the item that answers for it.
        operator: what kind of change it is.
        text: the whole file with the change.
        before: the lines that it replaces, stripped and joined, without comments.
        after: what stands there instead; empty where nothing does.
    """

    file: str
    line: int
    block: str
    item: str
    operator: str
    text: str
    before: str
    after: str

    @cached_property
    def digest(self) -> str:
        """Names the mutant and all that it is made of."""
        return hashlib.sha256(f"{self.file}\0{self.text}".encode()).hexdigest()[:16]


def blocks(text: str) -> list[Block]:
    """The blocks of a file that students write.

    Raises:
        ValueError: a block does not end.
    """
    found: list[Block] = []
    title, first = "", 0
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        begin = _BEGIN.match(line)
        if first and (begin or number > text.count("\n")):
            raise ValueError(f"the block of line {first - 1} does not end: {title}")
        if begin:
            title, first = begin["title"], number + 1
        elif _END.match(line):
            found.append(Block(title, first, number - 1))
            first = 0
    return found


def mutants(file: str, text: str) -> list[Mutant]:
    """All mutants of one file, each once, in the order of its lines.

    Args:
        file: its name, `part1/utils.py`.
        text: its content.
    """
    visitor = _Visitor(text)
    MetadataWrapper(cst.parse_module(text)).visit(visitor)
    lines = text.splitlines(keepends=True)
    seen: set[tuple[int, str]] = set()
    found = []
    for statement, changes in visitor.found:
        before = _lines(statement.node)
        seen.add((statement.first, _meaning(before)))
        for operator, old, new in changes:
            after = _lines(cst.ensure_type(statement.node.deep_replace(old, new), cst.SimpleStatementLine))
            meaning = _meaning(after)
            # No Python, the solution itself, or another operator's mutant
            if not meaning or (statement.first, meaning) in seen:
                continue
            seen.add((statement.first, meaning))
            own = textwrap.indent(after, statement.indent).splitlines(keepends=True)
            whole = "".join([*lines[: statement.first - 1], *own, *lines[statement.last :]])
            block = statement.block
            removed, added = _change(before, after)
            found.append(
                Mutant(file, statement.first, block.title, block.item, operator, whole, removed, added)
            )
    return found


@dataclass(frozen=True)
class _Statement:
    """A statement of a block, and the lines that it takes."""

    block: Block
    node: cst.SimpleStatementLine
    first: int
    last: int
    indent: str


def _lines(statement: cst.SimpleStatementLine) -> str:
    """The text of a statement, as if it stood at the left edge."""
    return cst.Module([]).code_for_node(statement.with_changes(leading_lines=[]))


def _meaning(text: str) -> str:
    """The same for statements that differ in layout alone; empty for what is no Python."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return ""


def _change(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, before and after, each without its comment and joined by a space."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    removed, added = (
        " ".join(re.sub(r"  # .*", "", line[2:]).strip() for line in lines if line.startswith(sign))
        for sign in "-+"
    )
    return removed, added


_Change = tuple[str, cst.CSTNode, cst.CSTNode]


class _Visitor(cst.CSTVisitor):
    """Collects the statements of blocks, each with what operators make of its parts."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.own = blocks(text)
        self._lines = text.splitlines()
        self.found: list[tuple[_Statement, list[_Change]]] = []
        self._statement: _Statement | None = None
        self._names: list[list[str]] = []  # what the functions around can see
        self._not_read: set[int] = set()  # names that are no tensors' names: keywords, targets, behind dots

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            self._names.append(_local_names(node))
        if isinstance(node, cst.SimpleStatementLine):
            self._statement = self._placed(node)
            if self._statement is not None:
                self.found.append((self._statement, []))
        if self._statement is None:
            return True
        self._note(node)
        block, changes = self._statement.block, self.found[-1][1]
        for kind, operator in (*mutation_operators, *TENSOR_OPERATORS):
            if isinstance(node, kind) and not (block.layers and operator in OF_VALUES):
                changes.extend((operator.__name__, node, new) for new in operator(node))
        if isinstance(node, cst.Name) and id(node) not in self._not_read and not block.layers:
            changes.extend((operator, node, new) for operator, new in self._others(node, block))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef):
            self._names.pop()
        elif isinstance(original_node, cst.SimpleStatementLine):
            self._statement = None

    def _note(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.Attribute):
            self._not_read.add(id(node.attr))
        elif isinstance(node, cst.Arg) and node.keyword is not None:
            self._not_read.add(id(node.keyword))
        elif isinstance(node, cst.AssignTarget):
            targets = node.target.elements if isinstance(node.target, cst.Tuple) else [node]
            for target in targets:
                value = target.target if isinstance(target, cst.AssignTarget) else target.value
                self._not_read.add(id(value))
            self._not_read.add(id(node.target))

    def _others(self, node: cst.Name, block: Block) -> Iterator[tuple[str, cst.CSTNode]]:
        """The variable without its graph, and the other variables that the block has to do with."""
        names = self._names[-1] if self._names else []
        if node.value in names:
            words = set(re.findall(r"\w+", "\n".join(self._lines[block.first - 1 : block.last])))
            yield "detached", detached(node.value)
            for other in names:
                if other != node.value and other in words:
                    yield "other_name", cst.Name(other)

    def _placed(self, node: cst.SimpleStatementLine) -> _Statement | None:
        position = self.get_metadata(PositionProvider, node)
        first, last = position.start.line, position.end.line
        for block in self.own:
            if block.first <= first and last <= block.last:
                return _Statement(block, node, first, last, " " * position.start.column)
        return None


def _local_names(function: cst.FunctionDef) -> list[str]:
    """The names of a function's arguments and variables, but `self`, in the order of their appearance."""
    tree = ast.parse(cst.Module([function]).code)
    found = [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg) and node.arg != "self"]
    stored = [
        node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    found += [node.id for node in sorted(stored, key=lambda node: (node.lineno, node.col_offset))]
    return [name for name in dict.fromkeys(found) if name != "_"]
