"""The whole command: find the result, run its checks again, show and write what they tell."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from grader.box.errors import BoxError
from grader.errors import GraderFault, GraderUsageError
from grader.explain.as_text import as_lines
from grader.explain.explanation import Explanation, explained
from grader.explain.original import Asked, Original, find_original
from grader.explain.rerun import Reruns
from grader.files import write_atomically
from grader.gradebook.secrecy import inputs_secret
from grader.grading.environment import check_environment
from grader.report.same_message import merge_same_messages
from grader.text import printable


def run(asked: Asked, snippet: Path | None = None, page: Path | None = None) -> str:
    """Explain checks in the terminal.

    Args:
        asked: which.
        snippet: where to write the plain Python of the first check that has some.
        page: where to write it all as a page.

    Returns:
        What a person should know, where a check does not end as it did: one line; else nothing.

    Raises:
        GraderUsageError: it cannot be explained as asked; the message says why and what to do.
        GraderFault: the box does not work here.
    """
    secret = inputs_secret(asked.folder.parent, datetime.now(UTC))
    if secret:
        raise GraderUsageError(
            f"{printable(str(asked.folder))}: what was asked stays secret: {secret}; once nobody can hand in "
            'again it is shown, or with inputs = "always" in late.toml'
        )
    original = find_original(asked)
    check_environment(original.options)
    found = explanations(original, snippet.stem if snippet is not None else "snippet")
    for place, one in enumerate(found):
        if place:
            _print(["", "-" * 60, ""])
        _print(list(as_lines(one, with_snippet=snippet is None)))
    if snippet is not None:
        _write_snippet(found, snippet)
    if page is not None:
        _write_page(found, page)
    return _differing(original, found)


def explanations(original: Original, name: str) -> list[Explanation]:
    """One for each message of the checks that are asked for; of checks with the same one, the first is run.

    Raises:
        GraderFault: the box does not start.
    """
    reruns = Reruns(original)
    try:
        return [
            explained(original, reruns.run(first.name), name, tuple(check.name for check in others))
            for first, *others in merge_same_messages(original.checks).values()
        ]
    except BoxError as error:
        raise GraderFault(f"the box does not start: {error}") from error
    finally:
        reruns.close()


def _print(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _differing(original: Original, found: list[Explanation]) -> str:
    others = [one.before.name for one in found if one.agreement == "other"]
    if not others:
        return ""
    doubt = "" if original.sure else "; the run has not noted which files it marked: is this the hand-in?"
    return f"{', '.join(others)}: ends otherwise than in results.json{doubt}"


def _write_snippet(found: list[Explanation], path: Path) -> None:
    chosen = next((one for one in found if one.snippet is not None), None)
    if chosen is None or chosen.snippet is None:
        raise GraderUsageError(f"--snippet {printable(str(path))}: {found[0].why_none}; nothing was written")
    files = [(path, chosen.snippet.code.encode())]
    if chosen.snippet.data:
        files.append((path.with_suffix(".pt"), chosen.snippet.data))
    for file, content in files:
        _write(file, content, "--snippet")
    _print([f"snippet of {chosen.before.name}: {' and '.join(printable(str(file)) for file, _ in files)}"])


def _write_page(found: list[Explanation], path: Path) -> None:
    from grader.explain.page import page_of  # jinja2 takes a while, and only pages need it

    _write(path, page_of(found), "--page")
    _print([f"page: {printable(str(path))}"])


def _write(path: Path, content: bytes, option: str) -> None:
    try:
        write_atomically(path, content)
    except OSError as error:
        raise GraderUsageError(
            f"{option} {printable(str(path))}: cannot write there: {error.strerror or error}; "
            "give another file"
        ) from error
