"""What runs here and not at the grader: it reads your five files, and has its own of all else."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from kit.environment import HERE, python_in
from kit.imports import PATHS, imported, own_modules, place, without_attempts
from kit.reached import Use, told

YOURS = (
    "part1/utils.py",
    "part1/cnn_encoder_decoder.py",
    "part1/train_pl.py",
    "part2/models.py",
    "part2/train.py",
)
GIVEN = HERE / "tests" / "given.json"  # SHA-256 of each file that came with the exercise, by its name
REQUIREMENTS = HERE / "requirements.txt"
PYTHON = (3, 11)  # the grader's
# What the assignment's code imports, by the name of the module where that is not the package's.
PACKAGES = {"PIL": "pillow", "pytorch_lightning": "pytorch-lightning", "mpl_toolkits": "matplotlib"}
READS = re.compile(r"(^|\.|_)(open|load|loadtxt|read|read_\w+|imread|fromfile|genfromtxt)$")
SECONDS = 20  # for ruff, which takes some hundredths


def given_files() -> dict[str, str]:
    """The files that came with the exercise, by their names."""
    given: dict[str, str] = json.loads(GIVEN.read_text(encoding="utf-8"))
    return given


def unlike_the_grader(folder: Path = HERE, uses: Iterable[Use] = ()) -> list[str]:
    """A line for everything of the kind, with what to do; `uses` are those that the tests have seen."""
    given = given_files()
    theirs = {*YOURS, *given}
    found = [*changed_files(folder, given)]
    sources = dict(readable(folder))
    said: set[str] = set()  # files and packages of your own
    paths = any(PATHS.search(source.decode(errors="replace")) for source, _ in sources.values())
    for name, (source, tree) in sources.items():
        found += newer_syntax(name, source)
        for own, what in own_modules(folder, name, tree, theirs, is_pinned, paths):
            said.add(own)
            found.append(what)
        found += other_packages(folder, name, tree)
        for file, what in files_read(folder, name, tree, given):
            said.add(file)
            found.append(what)
    new = [
        use for use in uses if not any(f"{use.file}/".startswith((f"{own}/", f"{own}.py/")) for own in said)
    ]
    return [*found, *told(new, theirs)]


def readable(folder: Path) -> Iterator[tuple[str, tuple[bytes, ast.Module]]]:
    """Your files, each with its bytes and what they say; of the others the tests say what is wrong."""
    for name in YOURS:
        try:
            source = (folder / name).read_bytes()
            yield name, (source, ast.parse(source))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue


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


def newer_syntax(name: str, source: bytes, here: tuple[int, int] = sys.version_info[:2]) -> Iterator[str]:
    """What this Python reads and the grader's does not."""
    if here > PYTHON and (found := first_newer(source)) is not None:
        line, what = found
        yield (
            f"{name}, line {line}, needs a newer Python than the grader has, {PYTHON[0]}.{PYTHON[1]}: "
            f"{what.rstrip('.')}. There the whole file cannot be read: write it in another way."
        )


def first_newer(source: bytes) -> tuple[int, str] | None:
    """Line and description of the first thing that is newer than the grader's Python.

    Asked of ruff, which knows the grammar of each release. Where it is not installed, of this Python's own
    parser, which knows the statements of each release but not its f-strings.
    """
    target = f"py{PYTHON[0]}{PYTHON[1]}"
    for ruff in (python_in().with_name("ruff"), python_in().with_name("ruff.exe"), shutil.which("ruff")):
        if ruff is None or not Path(ruff).is_file():
            continue
        options = ["--isolated", "--no-cache", "--select", "F401", "--output-format", "json"]
        command = [str(ruff), "check", *options, "--target-version", target, "-"]
        try:
            done = subprocess.run(command, input=source, capture_output=True, timeout=SECONDS, check=False)
            found = [one for one in json.loads(done.stdout) if one["code"] == "invalid-syntax"]
            first = min(((one["location"]["row"], one["message"]) for one in found), default=None)
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
            continue
        return first and (first[0], re.sub(r" on Python \d\.\d+| \(syntax was .*\)", "", first[1]))
    try:
        ast.parse(source, feature_version=PYTHON)
    except SyntaxError as error:
        return error.lineno or 1, error.msg
    return None


@cache
def pins() -> set[str]:
    """The packages that the grader has."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return {re.split(r"[=\[ ;]", line)[0].lower() for line in lines}


def is_pinned(module: str) -> bool:
    """Whether a module is the package of that name which the grader has."""
    return PACKAGES.get(module, module).lower().replace("_", "-") in pins()


def other_packages(folder: Path, name: str, tree: ast.Module) -> Iterator[str]:
    """Packages that are installed here and are no part of the exercise's environment."""
    owners: dict[str, list[str]] | None = None
    part = (folder / name).parent
    lines: dict[str, int] = {}
    for module, line in imported(without_attempts(tree), part.name):
        lines.setdefault(module.partition(".")[0], line)
    for module, line in lines.items():
        if module in sys.stdlib_module_names or is_pinned(module) or place(folder, part, module):
            continue
        if owners is None:  # half a second: only for a name that nothing else has told
            owners = dict(importlib.metadata.packages_distributions())
        distributions = {one.lower().replace("_", "-") for one in owners.get(module, ())}
        if distributions and not distributions & pins():
            yield (
                f"{name}, line {line}, imports {module}, which is installed here and not at the grader: it "
                "has what requirements.txt names. Do without it."
            )


def files_read(folder: Path, name: str, tree: ast.Module, given: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Files of your own that one of your five names and reads outside of its functions, with what to say."""
    part = (folder / name).parent
    nodes = list(at_import(tree))
    if not any(isinstance(node, ast.Call) and READS.search(ast.unparse(node.func)) for node in nodes):
        return
    for node in nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        text = node.value
        if not text or len(text) > 200 or "\n" in text or text in (".", ".."):
            continue
        for base in (part, folder):
            try:
                file = (base / text).resolve()
                read = file.relative_to(folder.resolve()).as_posix()
                own = file.is_file() and read not in (*YOURS, *given)
            except (OSError, ValueError):
                continue
            if own:
                yield (
                    read,
                    f"{name}, line {node.lineno}, reads {read} when it is imported. The grader does not have "
                    "that file, and cannot import yours: write what you need of it into the code, or compute "
                    "it.",
                )
                break


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What is executed when a file is imported: no bodies of functions, and not what a script does."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for now in (*child.decorator_list, *child.args.defaults, *filter(None, child.args.kw_defaults)):
                yield now
                yield from at_import(now)
            continue
        if isinstance(child, ast.Lambda):
            continue
        if isinstance(child, ast.If) and "__name__" in ast.dump(child.test):
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring
        yield child
        yield from at_import(child)
