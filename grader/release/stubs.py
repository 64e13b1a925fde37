"""Generates the students' stubs from the solutions.

In a solution, what students write stands between two comment lines:

    # BEGIN SOLUTION 1.7: KLD, the regularization term of equation 13
    return ...
    # END SOLUTION

In the stub, `raise NotImplementedError("Question 1.7: KLD, the regularization term of equation 13")`
takes the place of such a region. Everything else is copied, hints before the region included.

Usage: python -m grader.release.stubs [--check]
"""

import argparse
import re
import sys
from pathlib import Path

PARTS = ("part1", "part2")
REPOSITORY = Path(__file__).resolve().parents[2]

# Anything that looks like a marker must be one: a typing error must not publish a solution.
_LIKE_A_MARKER = re.compile(r"#\s*(begin|end)[\s_-]*solution", re.IGNORECASE)
_BEGIN = re.compile(r"^(?P<indent>\s*)# BEGIN SOLUTION (?P<title>\d+\.\d+: \S.*?)\s*$")
_END = re.compile(r"^\s*# END SOLUTION\s*$")


class MarkerError(ValueError):
    """The solution markers of a file are malformed; the message names file and line."""


def stub_source(source: str, name: str) -> str:
    """Replaces the solution regions of one file by `raise NotImplementedError`.

    Args:
        source: text of a solution file.
        name: its name, for error messages.

    Returns:
        Text of the stub.

    Raises:
        MarkerError: a marker is malformed, nested, without its counterpart, or names no question; or
            the stub would not be valid Python.
    """
    stub: list[str] = []
    begin: int | None = None  # line number of the open region
    for number, line in enumerate(source.splitlines(), start=1):
        if not _LIKE_A_MARKER.search(line):
            if begin is None:
                stub.append(line)
        elif opening := _BEGIN.match(line):
            if begin is not None:
                raise MarkerError(
                    f"{name}:{number}: BEGIN SOLUTION inside the region that line {begin} opens"
                )
            begin = number
            stub.append(opening["indent"] + _raise_statement(opening["title"]))
        elif _END.match(line):
            if begin is None:
                raise MarkerError(f"{name}:{number}: END SOLUTION without BEGIN SOLUTION")
            begin = None
        else:
            raise MarkerError(
                f"{name}:{number}: expected '# BEGIN SOLUTION 1.7: what to write' or '# END SOLUTION' "
                f"on a line of its own, found {line.strip()!r}"
            )
    if begin is not None:
        raise MarkerError(f"{name}:{begin}: BEGIN SOLUTION without END SOLUTION")

    text = "\n".join(stub) + "\n"
    try:
        compile(text, name, "exec")
    except SyntaxError as error:
        raise MarkerError(
            f"{name}: the stub is not valid Python, its line {error.lineno}: {error.msg}"
        ) from error
    return text


def _raise_statement(title: str) -> str:
    message = f"Question {title}".replace("\\", "\\\\").replace('"', '\\"')
    return f'raise NotImplementedError("{message}")'


def generate(solutions: Path) -> dict[Path, str]:
    """Generates every stub.

    Args:
        solutions: folder that holds `part1/` and `part2/`.

    Returns:
        Text of each stub by its path relative to the students' folder.

    Raises:
        MarkerError: see `stub_source`.
    """
    return {
        file.relative_to(solutions): stub_source(
            file.read_text(encoding="utf-8"), file.relative_to(solutions).as_posix()
        )
        for part in PARTS
        for file in sorted((solutions / part).glob("*.py"))
    }


def drifted(stubs: dict[Path, str], student: Path) -> list[Path]:
    """Lists the files in which a students' folder differs from the stubs: changed, missing or left over."""
    changed = [
        path
        for path, text in stubs.items()
        if not (student / path).is_file() or (student / path).read_text(encoding="utf-8") != text
    ]
    left_over = [
        file.relative_to(student)
        for part in PARTS
        for file in (student / part).glob("*.py")
        if file.relative_to(student) not in stubs
    ]
    return sorted(changed + left_over)


def write(stubs: dict[Path, str], student: Path) -> list[Path]:
    """Brings a students' folder up to date.

    Returns:
        The files that were written or removed.
    """
    paths = drifted(stubs, student)
    for path in paths:
        if path in stubs:
            (student / path).parent.mkdir(parents=True, exist_ok=True)
            (student / path).write_text(stubs[path], encoding="utf-8")
        else:
            (student / path).unlink()
    return paths


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grader.release.stubs", description="Generate student/ from solutions/."
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; list the stubs that are out of date and exit with 1",
    )
    check = parser.parse_args(arguments).check
    student = REPOSITORY / "student"
    try:
        stubs = generate(REPOSITORY / "solutions")
    except MarkerError as error:
        print(error, file=sys.stderr)
        return 1
    paths = drifted(stubs, student) if check else write(stubs, student)
    for path in paths:
        print(f"{'out of date' if check else 'updated'}: student/{path.as_posix()}")
    return int(check and bool(paths))


if __name__ == "__main__":
    sys.exit(main())
