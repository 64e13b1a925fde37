"""Generates cohorts: what students, browsers, platforms and tools put into a folder."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from grader.submission import NAMED_FILES
from grader.submission.places import PLACES, spelled

Tree = Mapping[str, bytes]


@dataclass(frozen=True)
class Thing:
    """One entry of a cohort.

    Attributes:
        name: as the file system has it.
        tree: the files of a folder, by path; None for a file.
        content: of a file.
        link: where a link leads; then it is neither.
        own: the named files that the student put into it, wherever: their contents are all different.
        plain: whether there is no doubt about which of them count: all.
    """

    name: str
    tree: Tree | None = None
    content: bytes = field(default=b"", repr=False)
    link: str = ""
    own: Mapping[bytes, str] = field(default_factory=dict)
    plain: bool = False

    def write(self, cohort: Path) -> None:
        """Put it into a folder."""
        path = cohort / self.name
        if self.link:
            path.symlink_to(self.link)
        elif self.tree is None:
            path.write_bytes(self.content)
        else:
            path.mkdir()
            for name, content in self.tree.items():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                (path / name).write_bytes(content)


def zipped(tree: Tree) -> bytes:
    """A zip of files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in tree.items():
            archive.writestr(name, text)
    return content.getvalue()


def tarred(tree: Tree, compression: str) -> bytes:
    """A tar of files; the compression is that of `tarfile`, such as `gz`, or empty."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=f"w:{compression}") as archive:
        for name, text in tree.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return content.getvalue()


_STUDENTS = [
    "ada",
    "bob",
    "Zoë",
    "jane.doe",
    "x y",
    "figures",
    "checkpoints",
    "lightning_logs",
    "學生",
    "o'neil",
]
_ODD = [
    os.fsdecode(b"caf\xe9"),
    "a\nb",
    "a\x1b[31m",
    "-rf",
    "=1+1",
    "marks.csv",
    "index.html",
    "run.json",
    "x" * 120,
]
_SUFFIXES = ["", ".zip", ".ZIP", ".tar", ".tgz", ".tbz", ".tar.xz", ".zipx", ".zip.txt", ".docx", ".jar"]
_SUFFIXES += [".zip.crdownload", ".pdf", ".rar", ".py"]
_STRAYS = [".pdf", ".docx", ".txt", ".md", ".xlsx", ".7z", ".zst", ".py", ".ipynb", ""]
_HEADS = [
    b"",
    b"x",
    b"%PDF-1.4",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07\x00",
    b"PK",
    b"\x1f\x8b",
    b"BZh9xx",
    b"PK\x03\x04",
]
_SILENT = [".DS_Store", "Thumbs.db", "__MACOSX", "desktop.ini", ".git", "._ada"]
_PARTS = [
    ("part1", "part2"),
    ("Part 1", "Part 2"),
    ("part_1", "part2"),
    ("", ""),
    ("vae", "aae"),
    ("PART-1", ""),
]
_ABOVE = ["", "a3/", "Lab Assignment 3/", "a/b/c/"]
_BESIDE: list[Tree] = [
    {},
    {"lab1/train.py": b"lab1", "lab1/utils.py": b"lab1 utils"},
    {"lab2/part1/train.py": b"lab2", "lab2/part2/models.py": b"lab2 models"},
    {"index.html": b"", "run.json": b"{}", "marks.csv": b"epoch,loss\n"},
    {"report.ipynb": b"{}", "figures/a.png": b"x"},
    {"notes.txt": b"x", ".DS_Store": b""},
    {"part1/mnist.py": b"", "README.md": b""},
    {"old.zip": zipped({"part1/utils.py": b"old"})},
]

names = st.one_of(
    st.sampled_from(_STUDENTS),
    st.sampled_from(_STUDENTS + _ODD),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8),
).filter(lambda name: name not in (".", "..") and not spelled(name) and name not in PLACES)


@st.composite
def hand_ins(draw: st.DrawFn) -> tuple[dict[str, bytes], dict[bytes, str], bool]:
    """What one student hands in: files by path, the named ones among them by content, and if all count."""
    chosen = draw(st.sets(st.sampled_from(NAMED_FILES)))
    mark = draw(st.integers(0, 10**9))
    parts = dict(zip(("part1", "part2"), draw(st.sampled_from(_PARTS)), strict=True))
    above = draw(st.sampled_from(_ABOVE))
    tree: dict[str, bytes] = {}
    own: dict[bytes, str] = {}
    copies = [above] if draw(st.integers(0, 4)) else [above, "copy/"]
    for number, place in enumerate(copies):
        for name in sorted(chosen):
            part, _, file = name.partition("/")
            content = f"# {name} {mark} {number}\n".encode()
            tree[f"{place}{parts[part]}/{file}".replace("//", "/").lstrip("/")] = content
            own[content] = name
    beside = draw(st.sampled_from(_BESIDE))
    tree = {**beside, **tree}
    if "old.zip" in beside:
        own[b"old"] = "part1/utils.py"
    own |= {
        content: PLACES[name.rpartition("/")[2]]
        for name, content in beside.items()
        if name.rpartition("/")[2] in PLACES
    }
    if draw(st.integers(0, 3)) == 0:
        inner = draw(st.sampled_from(["handin.zip", "a3/handin.zip", "a3/handin"]))
        tree = {inner: zipped(tree), "cover.txt": b"x"} if draw(st.booleans()) else {inner: zipped(tree)}
    plain = len(copies) == 1 and all(map(spelled, filter(None, parts.values()))) and len(own) == len(chosen)
    return tree, own, plain and len(set(map(bool, parts.values()))) == 1


@st.composite
def things(draw: st.DrawFn) -> Thing:
    """One entry of a cohort."""
    name = draw(names)
    kind = draw(
        st.sampled_from(
            ["folder", "folder", "archive", "archive", "upload", "stray", "silent", "link", "results"]
        )
    )
    if kind == "silent":
        return Thing(draw(st.sampled_from(_SILENT)), content=b"x")
    if kind == "link":
        return Thing(name, link=draw(st.sampled_from(["/nowhere", "/etc/passwd", "/etc"])))
    if kind == "stray":
        head = draw(st.sampled_from(_HEADS))
        return Thing(name + draw(st.sampled_from(_STRAYS)), content=head + draw(st.binary(max_size=20)))
    if kind == "results":
        run = b'{"seed": 7, "suite": "s", "environment": "e", "complete": true}'
        return Thing(name, {"run.json": run, "ada/results.json": b'{"submission": "ada"}'})
    tree, own, plain = draw(hand_ins())
    if kind == "folder":
        return Thing(name, tree, own=own, plain=plain)
    pack = draw(
        st.sampled_from([zipped, *(lambda tree, c=c: tarred(tree, c) for c in ("", "gz", "bz2", "xz"))])
    )
    content = pack(tree)
    if draw(st.integers(0, 9)) == 0:
        content, plain = content[: len(content) // 2], False
    suffix = draw(st.sampled_from(_SUFFIXES))
    if kind == "upload":
        who, number = draw(st.sampled_from(["doejane_12", "roejo_34", "twin_12"])), draw(st.integers(1, 9))
        return Thing(f"{who}_{number}_answer{suffix}", content=content, own=own, plain=plain)
    return Thing(name + suffix, content=content, own=own, plain=plain)


def _key(thing: Thing) -> str:
    return thing.name


cohorts = st.lists(things(), min_size=1, max_size=7, unique_by=_key)
