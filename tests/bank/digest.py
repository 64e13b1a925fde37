"""What a kept verdict depends on: the code that decides, whatever it says of it."""

from __future__ import annotations

import ast
import hashlib
from functools import cache

from grader.marking.marker import PACKAGE, VERDICT_SOURCES

PARTS = ("part1", "part2")
# How results are written down, and what people decide: no verdict depends on it.
LAYOUT = ("marking/decision.py", "marking/result.py", "marking/result_json.py")


@cache
def verdict_digest(parts: frozenset[str] = frozenset(PARTS)) -> str:
    """SHA-256 over all that decides a verdict on some parts, texts and comments left out.

    A better message or hint changes no verdict, and no part's suite one on the other part: hours of kept ones
    stay good.
    """
    others = tuple(part for part in PARTS if part not in parts)
    digest = hashlib.sha256()
    for name in VERDICT_SOURCES:
        source = PACKAGE / name
        files = [source] if source.is_file() else sorted((*source.rglob("*.py"), *source.rglob("*.toml")))
        for file in files:
            inside = file.relative_to(PACKAGE)
            if inside.as_posix() in LAYOUT:
                continue
            if inside.parts[0] == "suites" and any(
                other in inside.parts or inside.name.startswith(f"{other}_") for other in others
            ):
                continue
            content = file.read_text()
            if file.suffix == ".py":
                content = without_texts(content)
            digest.update(f"{file.relative_to(PACKAGE)}\0{content}\0".encode())
    return digest.hexdigest()


def without_texts(source: str) -> str:
    """A module's syntax tree in which every text is the same: a string with a space in it.

    Names and keys, which may decide something, have none.
    """
    return ast.dump(_Blank().visit(ast.parse(source)))


class _Blank(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str) and " " in node.value:
            return ast.Constant("a text")
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        if any(isinstance(part, ast.Constant) and " " in str(part.value) for part in node.values):
            return ast.Constant("a text")
        return self.generic_visit(node)
