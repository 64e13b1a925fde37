"""What runs here and not at the grader, which reads your five files and uses its own copies of all others."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
YOURS = (
    "part1/utils.py",
    "part1/cnn_encoder_decoder.py",
    "part1/train_pl.py",
    "part2/models.py",
    "part2/train.py",
)
GIVEN = HERE / "tests" / "given.json"  # SHA-256 of each file that came with the exercise, by its name


def unlike_the_grader(folder: Path = HERE) -> list[str]:
    """A line for everything of the kind, with what to do."""
    given: dict[str, str] = json.loads(GIVEN.read_text(encoding="utf-8"))
    return [*changed_files(folder, given), *own_modules(folder, given)]


def digest(content: bytes) -> str:
    """SHA-256 of a text file, whatever its line ends."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()


def changed_files(folder: Path, given: dict[str, str]) -> Iterator[str]:
    """Given files that are not as they came."""
    for name, came in given.items():
        file = folder / name
        if file.is_file() and digest(file.read_bytes()) != came:
            yield (
                f"{name} differs from the file that came with the exercise. The grader uses its own copy: "
                "what your code needs belongs in one of your five files."
            )


def own_modules(folder: Path, given: dict[str, str]) -> Iterator[str]:
    """Files of your own that your five files import."""
    for name in YOURS:
        file = folder / name
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # the tests say what is wrong with it
        part = file.parent
        known = {Path(one).stem for one in (*YOURS, *given) if one.startswith(f"{part.name}/")}
        for module, line in imported(tree, part.name):
            own = next((one for one in (part, folder) if is_there(one, module)), None)
            if module not in known and own is not None:
                where = f"{part.name}/{module}" if own == part else module
                yield (
                    f"{name}, line {line}, imports {where}, which the grader does not have: it reads your "
                    "five files only. Move that code into one of them."
                )


def imported(tree: ast.Module, part: str) -> Iterator[tuple[str, int]]:
    """The modules that a file imports, each once, and in which line."""
    seen = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module not in (None, part):
            names = [str(node.module)]
        for name in names:
            module = name.removeprefix(f"{part}.").partition(".")[0]
            if module not in seen and module != part:
                seen.add(module)
                yield module, node.lineno


def is_there(folder: Path, module: str) -> bool:
    """Whether a folder holds a module of that name."""
    return (folder / f"{module}.py").is_file() or any((folder / module).glob("*.py"))
