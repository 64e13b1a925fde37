"""Names that students chose: what kind of file they tell of, and how to use them for a folder."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import PurePath

ARCHIVE_SUFFIXES = (
    *(".zip", ".tar", ".tar.gz", ".tgz", ".zipx"),
    *(".tar.bz2", ".tbz2", ".tbz", ".tb2", ".tar.xz", ".txz"),
)
# Names of other archives, most of which cannot be read here: they get a result that says so.
FOREIGN_SUFFIXES = (
    *(".7z", ".rar", ".tar.zst", ".tzst", ".zst", ".gz", ".bz2", ".xz"),
    *(".tar.z", ".taz", ".z", ".tar.lzma", ".lzma", ".tar.lz", ".tlz", ".lz", ".tar.lz4", ".lz4"),
    *(".tar.br", ".cab", ".arj", ".lzh", ".lha", ".ace", ".sit", ".sitx", ".dmg", ".iso", ".cpio", ".wim"),
)
# What browsers, mailers and kinds of documents that are zips inside put behind the name of an archive.
_ODD_SUFFIXES = (
    *(".txt", ".bin", ".dat", ".file", ".download", ".crdownload", ".part", ".partial", ".tmp"),
    *(".jar", ".docx", ".odt", ".apk", ".whl", ".cbz"),
)

MAX_NAME_CHARACTERS = 100
MAX_NAME_BYTES = 200  # file systems allow 255 bytes in a name, and a temporary file's name is longer
# They stand beside the result folders, as do the pages of items, `item-<id>.html`.
RESERVED_NAMES = frozenset({"marks.csv", "run.json", "similar.json", "index.html"})
ITEM_PAGE = re.compile(r"item-.*\.html", re.IGNORECASE)

_UNSAFE = re.compile(r'[/\\:*?"<>|]')


def stem(name: str) -> str:
    """The name without the suffix of an archive; `.tar.gz` counts as one."""
    lower = name.lower()
    for suffix in sorted((*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES), key=len, reverse=True):
        if lower.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def odd_stem(name: str) -> str:
    """The name of an archive by its content, whatever its suffix: without what is no part of a student's id.

    `dora.zip.txt` and `dora.docx` are `dora`; `jane.doe` stays, since nothing says that `.doe` is a suffix.
    """
    shorter = stem(name)
    lower = shorter.lower()
    for suffix in _ODD_SUFFIXES:
        if lower.endswith(suffix) and len(shorter) > len(suffix):
            return odd_stem(shorter[: -len(suffix)])
    return shorter if shorter == name else odd_stem(shorter)


def safe_name(raw: str) -> str:
    """A name for the submission's folder of results.

    A good name stays as it is. Any other is made safe: no separators, no control characters, not hidden,
    at most 100 characters; then a few digits of the raw name's SHA-256 keep it apart from its neighbours.
    """
    name = "".join(char if char.isprintable() else "_" for char in _UNSAFE.sub("_", raw)).strip()
    name = re.sub(r"^\.+", "_", name).rstrip(". ")
    reserved = name.lower() in RESERVED_NAMES or ITEM_PAGE.fullmatch(name)
    if name == raw and name and _fits(name) and not reserved:
        return name
    digest = hashlib.sha256(os.fsencode(raw)).hexdigest()[:8]
    name = name or "submission"
    while not _fits(f"{name}-{digest}"):
        name = name[:-1]
    return f"{name}-{digest}"


def _fits(name: str) -> bool:
    return len(name) <= MAX_NAME_CHARACTERS and len(name.encode("utf-8")) <= MAX_NAME_BYTES


def submission_name(path: PurePath, is_archive: bool) -> str:
    """The name of the submission at a path: an archive's without its suffix."""
    return safe_name(odd_stem(path.name) if is_archive else path.name)


def is_archive(name: str) -> bool:
    """Whether this is the name of an archive, also of a kind that is not accepted."""
    return name.lower().endswith((*ARCHIVE_SUFFIXES, *FOREIGN_SUFFIXES))


def may_be_archive(name: str) -> bool:
    """Whether it is worth a look if this is an archive: by its suffix, by one within, or for want of any."""
    lower = name.lower()
    within = any(f"{suffix}." in lower for suffix in ARCHIVE_SUFFIXES)
    return is_archive(name) or within or "." not in name


def is_clutter(name: str) -> bool:
    """Whether a system or a tool left this behind, or it is hidden: nothing that is read."""
    return name.startswith((".", "__MACOSX", "__pycache__")) or name.casefold() in (
        "thumbs.db",
        "desktop.ini",
    )


# What systems and tools leave behind in any folder: not worth a word.
_SILENT = frozenset(
    {
        *(".ds_store", ".localized", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
        *(".git", ".gitignore", ".gitattributes", ".gitkeep", ".gitmodules", ".svn", ".hg"),
        *(".ipynb_checkpoints", ".idea", ".vscode", ".venv", ".cache", ".python-version", ".directory"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".reuse", ".trash", ".fseventsd", ".spotlight-v100"),
        *("$recycle.bin", "system volume information"),
    }
)
_SILENT_STARTS = ("__macosx", "__pycache__", "._", ".nfs", ".~lock", "~$", ".trash-", ".goutputstream")


def is_silent(name: str) -> bool:
    """Whether everybody knows that nobody handed this in. Other hidden names are left out, with a word."""
    lower = name.casefold()
    return lower in _SILENT or lower.startswith(_SILENT_STARTS)
