"""Read what is wanted of an open archive, or of several that make one submission."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.submission.layout import (
    NO_PARTS,
    misspelt_parts,
    strangers,
    unread_modules,
)
from grader.submission.look_alikes import CODE, Read, with_look_alikes
from grader.submission.model import (
    GIVEN_NAMES,
    MAX_FILE_BYTES,
    PARTS,
    Contents,
    UnreadableSubmission,
)
from grader.submission.names import is_clutter
from grader.submission.opening import components
from grader.submission.places import PLACES, Place, Placement, given_utils, is_given_utils
from grader.submission.shown import EVIDENCE, FIGURES, SUFFIXES, Beside, Budget, is_shown, may_be_code
from grader.submission.unpacking import FILE, FOLDER, Member, Source, read_some, read_wanted
from grader.text import listed, printable

OF_NBGRADER = frozenset({"timestamp.txt", "submission_secret.txt"})  # which it puts beside what is handed in


@dataclass(frozen=True)
class Leaf:
    """A member of an archive, and where it lies in the submission."""

    place: Place
    source: Source
    member: Member


def leaves_of(source: Source, above: Place = ()) -> list[Leaf]:
    """All members of an archive.

    Args:
        source: the archive.
        above: where the archive itself lies, which is then a folder like any other.

    Raises:
        UnreadableSubmission: a name leads out of it.
    """
    return [Leaf((*above, *components(member.name)), source, member) for member in source.members()]


def is_visible(place: Place) -> bool:
    """Whether somebody handed this in, and not a system or a tool."""
    return not any(map(is_clutter, place))


def files_of(leaves: Iterable[Leaf]) -> list[Place]:
    """The places where the assignment's files may lie."""
    return [leaf.place for leaf in leaves if leaf.member.kind != FOLDER and is_visible(leaf.place)]


def read_placed(leaves: Sequence[Leaf], placement: Placement, shown: Beside | None) -> Contents:
    """Read the files that have been located.

    Args:
        leaves: all there are.
        placement: where the files lie.
        shown: what to read beside the code.

    Raises:
        UnreadableSubmission: one of the files is a link, say, or over the cap.
    """
    root, depth = placement.root, len(placement.root)
    parts = {(*root, part): part for part in PARTS}
    parts |= {folder: part for part, folder in placement.parts.items()}
    names = {place: name for name, place in placement.files.items()}
    wanted: dict[str, Leaf] = {}
    figures: dict[str, Leaf] = {}
    modules: list[str] = []
    repeated: list[str] = []
    beside: set[str] = set()
    for leaf in leaves:
        inside = leaf.place[depth:] if leaf.place[:depth] == root else ()
        if leaf.place in parts or leaf.place == root:
            _require(leaf.member, FOLDER, "/".join(leaf.place))
        elif leaf.place in names:
            name = names[leaf.place]
            if name in wanted:
                repeated.append(name)
            wanted[name] = leaf
        elif leaf.place[:-1] in parts and leaf.member.kind != FOLDER:
            modules.append(f"{parts[leaf.place[:-1]]}/{leaf.place[-1]}")
        elif leaf.member.kind == FILE and shown is not None and is_shown(inside, shown):
            figures["/".join(inside)] = leaf
        elif placement.flat and len(inside) == 1 and leaf.member.kind == FILE and is_visible(leaf.place):
            if inside[0].lower().endswith(SUFFIXES) and shown is not None and shown.notebooks:
                figures.setdefault(f"{FIGURES.folder}/{inside[0]}", leaf)
            elif inside[0].endswith(".py") and inside[0] not in GIVEN_NAMES | PLACES.keys():
                beside.add(inside[0])
    for name, leaf in wanted.items():
        _require(leaf.member, FILE, name)
    contents: dict[str, bytes] = {}
    for source, members in _by_source(wanted):
        contents |= read_wanted(source, members, MAX_FILE_BYTES)
    in_a_part = {
        leaf.place[depth] for leaf in leaves if len(leaf.place) > depth and leaf.place[:depth] == root
    }
    read_as = {folder[-1] for folder in placement.parts.values()}
    warnings = [*placement.warnings, *misspelt_parts(in_a_part - read_as | set(PARTS) & in_a_part)]
    warnings += [
        f"{name} is in the archive more than once; the last one counts" for name in dict.fromkeys(repeated)
    ]
    warnings += settle_utils(contents, placement)
    warnings += [*unread_modules(modules), *strangers(sorted(beside))]
    warnings += list(dict.fromkeys(remark for leaf in leaves for remark in leaf.source.remarks))
    budget = Budget(shown or FIGURES)
    read: dict[str, bytes] = {}
    if shown is not None:
        for source, members in _by_source({name: figures[name] for name in budget.few(figures)}):
            read |= read_some(source, members, budget)
    found = Contents(contents, (*warnings, *budget.remarks), read, placement.review)
    return with_look_alikes(found, root, files_of(leaves), _reader(leaves)) if placement.files else found


def _reader(leaves: Sequence[Leaf]) -> Read:
    """Reads files among the members of archives; what cannot be read is passed over."""

    def read(places: Sequence[Place]) -> Iterator[tuple[Place, bytes]]:
        budget = Budget(CODE)
        names = {"/".join(place): place for place in places}
        files = {"/".join(leaf.place): leaf for leaf in leaves if leaf.member.kind == FILE}
        for source, members in _by_source({name: files[name] for name in names if name in files}):
            for name, content in read_some(source, members, budget).items():
                yield names[name], content

    return read


def settle_utils(contents: dict[str, bytes], placement: Placement) -> list[str]:
    """Leave out a `utils.py` outside the parts that is part 2's, which comes with the assignment."""
    name = "part1/utils.py"
    place = placement.files.get(name, ())
    if place[:-1] in placement.parts.values() or not is_given_utils(contents.get(name, b"")):
        return []
    del contents[name]
    return [given_utils("/".join(place))]


def without_files(places: Iterable[Place]) -> Placement:
    """What is read where none of the assignment's files is: the folders of the parts, if there are any."""
    places = list(places)
    folders = {place[:depth] for place in places for depth in range(1, min(len(place), 2) + 1)}
    holding = {folder[:-1] for folder in folders if folder[-1] in PARTS and is_visible(folder)}
    root: Place = () if () in holding or len(holding) != 1 else holding.pop()
    return Placement(root, {}, {part: (*root, part) for part in PARTS if (*root, part) in folders})


def nothing_found(contents: Contents, placement: Placement, files: Sequence[Place]) -> Contents:
    """Say that none of the assignment's files is there, and what is.

    Args:
        contents: what was read.
        placement: see `without_files`.
        files: all that is there.
    """
    warnings = list(contents.warnings)
    if not placement.parts:
        warnings.append(NO_PARTS)
    depth = len(placement.root)
    others = [
        file
        for file in files
        if is_visible(file)
        and file[-1] not in GIVEN_NAMES | OF_NBGRADER
        and file[0] not in (FIGURES.folder, EVIDENCE.folder)
        and (not is_shown(file[depth:]) or may_be_code(file[-1]))
    ]
    if not others:
        return Contents(contents.files, tuple(warnings), contents.shown)
    holds = listed("/".join(file) for file in others)
    review = f"none of the assignment's files is in it, but {holds}"
    return Contents(contents.files, (*warnings, review), contents.shown, review)


def _by_source(wanted: Mapping[str, Leaf]) -> list[tuple[Source, dict[str, Member]]]:
    sources: dict[int, tuple[Source, dict[str, Member]]] = {}
    for name, leaf in wanted.items():
        sources.setdefault(id(leaf.source), (leaf.source, {}))[1][name] = leaf.member
    return list(sources.values())


def _require(member: Member, kind: str, shown: str) -> None:
    if member.kind != kind:
        raise UnreadableSubmission(
            f"{printable(shown)} in the archive is a {member.kind}; hand in the {kind} itself",
            waits=kind == FOLDER,  # what is called like a part may be an archive of it
        )
