"""The house of docs and design, held by the code itself: floors, and thin commands."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST_COMMAND = 80


def test_no_function_of_the_command_line_is_long():
    long = [
        f"{path.name}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in sorted((ROOT / "grader" / "cli").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= LONGEST_COMMAND
    ]
    assert not long
