"""The rooms of the grader, held by the code itself: arrows point down, commands are thin.

Imports inside functions and imports for type checkers count, too: an arrow is an arrow.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_COMMAND = 80

# From the ground up. A room may import from rooms on lower floors, not from its own or higher ones.
FLOORS = (
    ("errors", "text", "files", "limits"),
    ("digits", "rubric"),
    ("questions",),
    ("data", "submission", "release"),
    ("box", "similar"),
    ("machine",),
    ("suites",),
    ("evidence", "marking"),
    ("report",),
    ("engine",),
    ("grading", "revision"),
    ("terminal",),
    ("gradebook",),
    ("desk", "explain"),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# These run by themselves, in the box or at a student's, and import one another by their bare names.
APART = ("box/inside/", "suites/drivers/", "release/student_kit/")

Module = tuple[str, ...]


def modules() -> dict[Module, ast.Module]:
    """The syntax trees of all modules of the grader, by their names' parts."""
    trees = {}
    for path in sorted((ROOT / "grader").rglob("*.py")):
        inner = path.relative_to(ROOT / "grader")
        if not inner.as_posix().startswith(APART):
            name = inner.with_suffix("").parts
            trees[name[:-1] if name[-1] == "__init__" else name] = ast.parse(path.read_text())
    return trees


def imported(tree: ast.Module, known: dict[Module, ast.Module]) -> Iterator[tuple[int, Module]]:
    """Which of the grader's modules a module imports, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            base = tuple(node.module.split("."))
            wanted = [
                (*base, alias.name) if (*base, alias.name)[1:] in known else base for alias in node.names
            ]
        else:
            continue
        for name in wanted:
            if name[0] == "grader":
                yield node.lineno, name[1:]


@pytest.fixture(scope="module")
def trees() -> dict[Module, ast.Module]:
    return modules()


def test_every_room_has_a_floor(trees):
    assert {name[0] for name in trees if name} == FLOOR.keys()


def test_arrows_point_down(trees):
    upward = [
        f"grader/{'/'.join(name)}.py:{line}: {name[0]} imports {wanted[0]}"
        for name, tree in trees.items()
        for line, wanted in imported(tree, trees)
        if name and wanted and name[0] != wanted[0] and FLOOR[name[0]] <= FLOOR[wanted[0]]
    ]
    assert not upward


def test_no_modules_import_each_other_in_a_circle(trees):
    graph = {
        name: {wanted for _, wanted in imported(tree, trees) if wanted != name}
        for name, tree in trees.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(".".join(name) for name in error.args[1]))


def test_what_a_function_imports_says_why(trees):
    """An import belongs at the top, unless it costs too much there; each of `cli` says so once per file."""
    silent = []
    for name, tree in trees.items():
        path = ROOT.joinpath("grader", *name).with_suffix(".py")
        lines = path.read_text().splitlines() if name[:1] != ("cli",) and path.is_file() else []
        for function in ast.walk(tree):
            if lines and isinstance(function, ast.FunctionDef):
                late = [node.lineno for node in ast.walk(function) if is_ours(node)]
                if late and not any("#" in lines[line - 1] or "#" in lines[line - 2] for line in late):
                    silent.append(f"{'.'.join(name)}:{late[0]}")
    assert not silent


def is_ours(node: ast.AST) -> bool:
    """Whether this imports a module of the grader."""
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith("grader")


def test_no_function_of_the_command_line_is_long(trees):
    long = [
        f"{'.'.join(name)}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for name, tree in trees.items()
        if name[:1] == ("cli",)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= LONGEST_COMMAND
    ]
    assert not long
