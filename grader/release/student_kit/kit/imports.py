"""Files of your own that one of your five imports, as far as its text shows."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

PATHS = re.compile(r"\bsys\.path\b|\bfrom sys import\b.*\bpath\b|\baddsitedir\b")
PARTS = ("part1", "part2")
LOADERS = re.compile(r"(^|\.)(import_module|__import__)$")
# No place of modules: what trainings leave, what came with the exercise, and where packages are installed.
NOT_SEARCHED = {"__pycache__", "data", "evidence", "figures", "handout", "kit", "node_modules", "tests"}
INSTALLED = ("pyvenv.cfg", "conda-meta", "site-packages")
MOST_FOLDERS = 500  # a few hundredths of a second


def own_modules(
    folder: Path, name: str, tree: ast.Module, theirs: set[str], pinned: Callable[[str], bool], paths: bool
) -> Iterator[tuple[str, str]]:
    """Files of your own that one of your five imports.

    Args:
        folder: that of the exercise.
        name: of one of your five files.
        tree: what stands in it.
        theirs: the files that the grader has.
        pinned: whether a module belongs to a package that the grader has.
        paths: whether the code says where to look for modules.

    Yields:
        Each without its ending, with what is to be said of it.
    """
    part = (folder / name).parent
    known = {Path(one).stem for one in theirs if one.startswith(f"{part.name}/")}

    def sure(module: str) -> bool:
        first = module.partition(".")[0]
        return first in known or first in sys.stdlib_module_names or pinned(first)

    said = set()
    for module, line in imported(carried_out(tree, part.name, sure), part.name):
        if module.partition(".")[0] in known:
            continue
        where = place(folder, part, module)
        if where is None and paths and not sure(module):
            where = farther_place(folder, module)
        if where is not None and where not in said:
            said.add(where)
            yield where, f"{name}, line {line}, imports {where}, {not_there(name, f'{where}.py', theirs)}"


def not_there(name: str, file: str, theirs: Iterable[str]) -> str:
    """That the grader does not have a file of code which one of your five needs, and what to do."""
    if file in theirs:
        return (
            f"which the grader does not have when it marks {Path(name).parent.name}: it marks each part by "
            f"itself. Write what you need of it into {name}."
        )
    return "which the grader does not have: it reads your five files only. Move that code into one of them."


def place(folder: Path, part: Path, module: str) -> str | None:
    """The file or package of the folder that an import finds, without its ending."""
    names = module.split(".")
    if is_there(part, names):
        return f"{part.name}/{names[0]}"
    if found := is_there(folder, names):
        is_in_a_part = names[0] in PARTS and len(found) > 1
        return "/".join(found if is_in_a_part else found[:1])
    return None


def farther_place(folder: Path, module: str) -> str | None:
    """The same for code that says itself where to look, in whichever folder that may be."""
    for count, (where, folders, files) in enumerate(os.walk(folder)):
        is_environment = any(sign in folders or sign in files for sign in INSTALLED)
        folders[:] = sorted(one for one in folders if one[0] != "." and one not in NOT_SEARCHED)
        if is_environment or count > MOST_FOLDERS:
            folders.clear()
        elif found := is_there(Path(where), module.split(".")):
            return Path(where, found[0]).relative_to(folder).as_posix()
    return None


def is_there(folder: Path, names: list[str]) -> list[str]:
    """How much of a module's name, `a.b.c` in pieces, is a file or a package of a folder."""
    for count in range(len(names), 0, -1):
        base = folder.joinpath(*names[:count])
        if base.with_name(f"{base.name}.py").is_file() or any(base.glob("*.py")):
            return names[:count]
    return []


def imported(nodes: Iterable[ast.AST], part: str) -> Iterator[tuple[str, int]]:
    """The modules that a file imports, each once, and in which line."""
    seen = set()
    for node in nodes:
        for name in names_of(node, part):
            module = name.removeprefix(f"{part}.")
            if module and module not in seen and module != part:
                seen.add(module)
                yield module, getattr(node, "lineno", 1)


def names_of(node: ast.AST, part: str) -> list[str]:
    """The names of the modules that a statement imports, or a call that says them."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        within = f"{node.module}." if node.module not in (None, part) else ""
        return [f"{within}{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and LOADERS.search(ast.unparse(node.func)):
        said = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "name")]
        texts = [one.value for one in said if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        return [text.lstrip(".") for text in texts]
    return []


def carried_out(node: ast.AST, part: str, sure: Callable[[str], bool]) -> Iterator[ast.AST]:
    """A tree without what is for type checkers only, and without ways out of imports that cannot fail."""
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        children = node.orelse
    elif isinstance(node, ast.Try):
        attempt = [name for one in node.body for inner in ast.walk(one) for name in names_of(inner, part)]
        if attempt and all(sure(name.removeprefix(f"{part}.")) for name in attempt):
            children = [*node.body, *node.orelse, *node.finalbody]
    for child in children:
        yield child
        yield from carried_out(child, part, sure)


def without_attempts(node: ast.AST) -> Iterator[ast.AST]:
    """A tree without what stands in a `try`: code that expects an import to fail says what to do then."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Try):
            yield child
            yield from without_attempts(child)
