"""Where in a tree of files does this assignment lie?

Most students keep several practicals side by side, call the parts as they like, and put folders around them.
The folder that fits is the one with the names of this assignment's files, two of which no other one has.
Where two places fit equally, nothing is guessed: the submission waits for a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from grader.submission.layout import FLAT
from grader.submission.model import NAMED_FILES, PARTS, UnreadableSubmission
from grader.submission.names import is_archive, stem
from grader.text import listed, printable

Place = tuple[str, ...]  # a path, as its components from the top of the submission

# The place of a file by its name alone: no two files that students write are called the same.
PLACES = {file.rpartition("/")[2]: file for file in NAMED_FILES}
assert len(PLACES) == len(NAMED_FILES)
NAMES = {
    part: frozenset(name for name, file in PLACES.items() if file.startswith(f"{part}/")) for part in PARTS
}
# Names that no other practical has.
TELLING = frozenset({"cnn_encoder_decoder.py", "train_pl.py"})

# Folders of installed packages, which have files of these names by the dozen.
STRANGE = frozenset({"site-packages", "dist-packages", "node_modules"})

_GIVEN_UTILS = re.compile(rb"^class TensorBoardLogger\b", re.MULTILINE)
# What the assignment asks for in each file, as alternatives of a pattern.
DEFINED = {
    "part1/utils.py": "sample_reparameterize|KLD|elbo_to_bpd|visualize_manifold",
    "part1/cnn_encoder_decoder.py": "CNNEncoder|CNNDecoder",
    "part1/train_pl.py": "VAE",
    "part2/models.py": "ConvEncoder|ConvDecoder|Discriminator|AdversarialAE",
    "part2/train.py": "train_aae",
}
assert DEFINED.keys() == set(NAMED_FILES)
_OWN_UTILS = re.compile(rf"^def (?:{DEFINED['part1/utils.py']})\b".encode(), re.MULTILINE)


@dataclass(frozen=True)
class Placement:
    """Where the files lie.

    Attributes:
        root: the folder that holds the parts, or the files themselves.
        files: the place of each named file that is there.
        parts: the folders that were read as a part.
        warnings: what is unusual about it, one line each.
        review: why a person has to look at it; empty where nobody has to.
        flat: whether files of the assignment lie in the root itself.
    """

    root: Place
    files: Mapping[str, Place]
    parts: Mapping[str, Place]
    warnings: tuple[str, ...] = ()
    review: str = ""
    flat: bool = False


@dataclass(frozen=True)
class _Candidate:
    """What a folder would yield, were it the one."""

    root: Place
    files: Mapping[str, Place]
    parts: Mapping[str, Place]
    clashes: tuple[str, ...] = ()

    @property
    def telling(self) -> int:
        """How many of its files are in no other practical."""
        return sum(file.rpartition("/")[2] in TELLING for file in self.files)

    def encloses(self, other: _Candidate) -> bool:
        """Whether the other one lies in this one's folder."""
        return other.root[: len(self.root)] == self.root and other.root != self.root


def spelled(name: str) -> str:
    """The part that a folder's name means, in whatever spelling (`Part 1`, `part_2`, `part1.zip`), if any."""
    plain = re.sub(r"[\s_.-]+", "", stem(name).casefold())
    return plain if plain in PARTS else ""


def locatable(files: Iterable[Place]) -> bool:
    """Whether any file among the paths of a tree is called like one of the assignment's."""
    return any(path[-1] in PLACES and not STRANGE.intersection(path) for path in files)


def names_among(files: Iterable[Place]) -> frozenset[str] | None:
    """The names of the assignment's files among paths; None where an archive among them may hold some."""
    last = {path[-1] for path in files if path}
    names = frozenset(PLACES.keys() & last)
    return None if not names and any(map(is_archive, last)) else names


def locate(files: Iterable[Place]) -> Placement | None:
    """Find the named files among the paths of a tree.

    Args:
        files: everything in it that is no folder, without clutter.

    Returns:
        Where they lie; None where there is none of them.

    Raises:
        UnreadableSubmission: two places fit equally well. A person has to look at it.
    """
    tree = _tree(files)
    if not tree.names:
        return None
    candidates = _candidates(tree)
    chosen = _choose(candidates)
    if chosen is None or len(chosen.files) < len(NAMED_FILES):
        scattered = _scattered(tree.names)
        if scattered is not None:
            return scattered
    if chosen is None:
        raise _ambiguous(candidates)
    return _completed(chosen, candidates, tree)


@dataclass(frozen=True)
class _Tree:
    """What matters of a tree.

    Attributes:
        names: the names of the assignment's files in each folder that has any.
        parts: the folders in each folder that are called like a part, whatever is in them.
    """

    names: Mapping[Place, Collection[str]]
    parts: Mapping[Place, Collection[Place]]


def _tree(files: Iterable[Place]) -> _Tree:
    names: dict[Place, set[str]] = {}
    parts: dict[Place, set[Place]] = {}
    for path in files:
        if STRANGE.intersection(path):
            continue
        for depth, name in enumerate(path[:-1]):
            if spelled(name):
                parts.setdefault(path[:depth], set()).add(path[: depth + 1])
        if path[-1] in PLACES:
            names.setdefault(path[:-1], set()).add(path[-1])
    return _Tree(names, parts)


def _candidates(tree: _Tree) -> list[_Candidate]:
    roots = {folder[:-1] if folder and spelled(folder[-1]) else folder for folder in tree.names}
    found = (_candidate(root, tree) for root in sorted(roots))
    return [candidate for candidate in found if candidate.files or candidate.clashes]


def _candidate(root: Place, tree: _Tree) -> _Candidate:
    files: dict[str, Place] = {}
    parts: dict[str, Place] = {}
    clashes: list[str] = []
    for part in PARTS:
        inside = [
            folder
            for folder in sorted(tree.parts.get(root, ()))
            if spelled(folder[-1]) == part and NAMES[part].intersection(tree.names.get(folder, ()))
        ]
        exact = [folder for folder in inside if folder[-1] == part]
        if len(exact or inside) > 1:
            clashes += [folder[-1] for folder in inside]
            continue
        where = (exact or inside or [root])[0]
        if where != root:
            parts[part] = where
        for name in sorted(NAMES[part].intersection(tree.names.get(where, ()))):
            files[PLACES[name]] = (*where, name)
    return _Candidate(root, files, parts, tuple(clashes))


def _choose(candidates: Collection[_Candidate]) -> _Candidate | None:
    """The one that fits, or None where several do."""
    most = max(candidate.telling for candidate in candidates)
    kept = [candidate for candidate in candidates if candidate.telling == most]
    if not most:  # what others call train.py and utils.py, too: the folders of parts tell
        kept = [candidate for candidate in kept if candidate.parts or candidate.clashes] or kept
    if len(kept) > 1:  # copies within the one that holds them all
        kept = [
            one
            for one in kept
            if all(
                one is other or (one.encloses(other) and len(one.files) >= len(other.files)) for other in kept
            )
        ]
    if len(kept) != 1 or kept[0].clashes:
        return None
    (chosen,) = kept
    around = any(other.parts and other.encloses(chosen) for other in candidates)
    return None if around else chosen


def _scattered(names: Mapping[Place, Collection[str]]) -> Placement | None:
    """All files, where each of the names is there once: then it does not matter in which folders they lie."""
    found: dict[str, Place] = {}
    for folder, inside in names.items():
        for name in inside:
            if PLACES[name] in found:
                return None
            found[PLACES[name]] = (*folder, name)
    if len(found) < len(NAMED_FILES):
        return None
    folders = sorted({place[:-1] for place in found.values()})
    pairs = zip(folders[0], folders[-1], strict=False)  # what these two share, all share: they are sorted
    root = tuple(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    where = listed(shown_place(folder) for folder in folders)
    return Placement(root, found, {}, (f"placed by the names of the files, which lie in {where}",))


def _completed(chosen: _Candidate, candidates: Collection[_Candidate], tree: _Tree) -> Placement:
    """The chosen folder, with a part that lies elsewhere if there is just one, and what to say about it."""
    files, parts = dict(chosen.files), dict(chosen.parts)
    warnings: list[str] = []
    review = ""
    for part in PARTS:
        if any(file.startswith(f"{part}/") for file in files):
            continue
        elsewhere = [folder for folder in sorted(tree.names) if _is_lone_part(folder, part, tree)]
        if len(elsewhere) == 1:
            (parts[part],) = elsewhere
            there = sorted(NAMES[part].intersection(tree.names[parts[part]]))
            files.update({PLACES[name]: (*parts[part], name) for name in there})
        elif elsewhere:
            review = (
                f"{part} may be any of {listed(shown_place(folder) for folder in elsewhere)}: none was read"
            )
    flat = any(place[:-1] == chosen.root for place in files.values())
    if flat:
        warnings.append(FLAT)
    for part, folder in sorted(parts.items()):
        usual = folder[:-1] == chosen.root and len(chosen.root) < 2
        if folder[-1] != part or not usual:
            warnings.append(f"{shown_place(folder)} was read as {part}")
    if flat and len(chosen.root) > 1:
        warnings.append(f"the files were found in {shown_place(chosen.root)}")
    taken = {place[:-1] for place in files.values()}
    others = [one.root for one in candidates if one is not chosen and not taken.issuperset(_folders(one))]
    if others:
        warnings.append(
            f"only one of several folders with such files was read, {shown_place(chosen.root)}; not "
            f"{listed(shown_place(root) for root in others)}"
        )
    if review:
        warnings.append(review)
    return Placement(chosen.root, files, parts, tuple(warnings), review, flat)


def _folders(candidate: _Candidate) -> set[Place]:
    return {place[:-1] for place in candidate.files.values()}


def _is_lone_part(folder: Place, part: str, tree: _Tree) -> bool:
    """Whether this is a part with files of the assignment, and no other part lies beside it."""
    if not folder or spelled(folder[-1]) != part or not NAMES[part].intersection(tree.names[folder]):
        return False
    return tree.parts[folder[:-1]] == {folder}


def _ambiguous(candidates: Collection[_Candidate]) -> UnreadableSubmission:
    clashing = [one for one in candidates if one.clashes]
    if len(candidates) == 1 and clashing:
        return UnreadableSubmission(
            f"several folders in it may be one part ({listed(clashing[0].clashes)}); hand in one of them",
            waits=True,
        )
    fit = [one for one in candidates if one.telling] or list(candidates)
    roots = listed(shown_place(one.root) for one in fit)
    return UnreadableSubmission(
        f"several folders in it hold part1/ or part2/ or their files ({roots}); hand in one of them",
        waits=True,
    )


def shown_place(place: Place) -> str:
    """A path as messages show it."""
    return printable("/".join(place)) or "the top"


def is_given_utils(content: bytes) -> bool:
    """Whether a `utils.py` that lies outside the parts is the one that comes with part 2, not part 1's.

    Looks for names that are defined, and runs nothing.
    """
    return bool(_GIVEN_UTILS.search(content)) and not _OWN_UTILS.search(content)


def given_utils(path: str) -> str:
    """The line about such a file."""
    return f"{printable(path)} was not read: it is the given part2/utils.py, not part 1's"
