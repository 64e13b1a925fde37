"""Read a submission that was uploaded file by file, without its folders, or in several archives."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from grader.submission.archive import opened_file
from grader.submission.folder import read_plain_file, read_shown
from grader.submission.kinds import is_archive_file
from grader.submission.layout import FLAT, strangers
from grader.submission.leaves import settle_utils
from grader.submission.look_alikes import Read, with_look_alikes
from grader.submission.model import GIVEN_NAMES, Contents, UnreadableSubmission
from grader.submission.names import is_clutter
from grader.submission.nested import Opened, read_nested
from grader.submission.places import PLACES, Place, Placement
from grader.submission.shown import FOLDER, NOTEBOOK, SUFFIXES, Beside, Budget, may_be_code
from grader.text import listed, printable


def read_loose(files: Mapping[str, Path], shown: Beside | None = None) -> Contents:
    """Read the named files among single ones, or in archives where there are none.

    Args:
        files: where they lie, by the names under which the student handed them in.
        shown: what to read beside the code.

    Raises:
        UnreadableSubmission: one is a link or special file, or over the cap.
        OSError: the system does not let us read it.
    """
    if not PLACES.keys() & files.keys():
        with ExitStack() as stack:
            archives = [
                ((name,), _opener(path, stack)) for name, path in files.items() if is_archive_file(path)
            ]
            nested = read_nested(archives, shown)
        if nested is not None:
            return nested
    contents: dict[str, bytes] = {}
    others = []
    for name, path in sorted(files.items()):
        if name in PLACES:
            contents[PLACES[name]] = read_plain_file(os.fspath(path), printable(path.name))
        elif name.endswith(".py") and name not in GIVEN_NAMES:
            others.append(name)
    placement = Placement((), {place: (name,) for name, place in PLACES.items() if place in contents}, {})
    warnings = [*settle_utils(contents, placement), *strangers(others)]
    if contents:
        warnings.insert(0, FLAT)
    else:
        warnings.insert(0, f"none of its files is one of the assignment's: {listed(files)}")
    pictures = tuple(suffix for suffix in SUFFIXES if suffix != ".pdf")  # which may be the report
    texts = [
        name
        for name in files
        if name not in GIVEN_NAMES and not is_clutter(name) and not name.lower().endswith(pictures)
        if not name.lower().endswith(NOTEBOOK) or may_be_code(name)
    ]
    review = f"none of the assignment's files is in it, but {listed(texts)}" if texts and not contents else ""
    found = Contents(contents, tuple(warnings), review=review)
    if contents:
        found = with_look_alikes(found, (), [(name,) for name in files], _reader(files))
    if shown is None or not shown.notebooks:  # evidence lies in folders
        return found
    budget = Budget()
    figures: dict[str, bytes] = {}
    for name in budget.few(
        name for name in files if name.lower().endswith((*SUFFIXES, NOTEBOOK)) and not is_clutter(name)
    ):
        place = name if name.lower().endswith(NOTEBOOK) else f"{FOLDER}/{name}"
        read_shown(os.fspath(files[name]), place, budget, figures)
    return replace(found, warnings=(*found.warnings, *budget.remarks), shown=figures)


def _reader(files: Mapping[str, Path]) -> Read:
    """Reads single files; what cannot be read is passed over."""

    def read(places: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
        for place in places:
            with suppress(UnreadableSubmission, OSError):
                yield place, read_plain_file(os.fspath(files[place[0]]), place[0])

    return read


def _opener(path: Path, stack: ExitStack) -> Opened:
    return lambda: stack.enter_context(opened_file(path))
