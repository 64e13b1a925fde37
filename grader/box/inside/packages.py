"""A part's files by their full names, too: `from part1.utils import KLD`, as editors insert it.

The files are imported as a script in their folder does it, `utils`. Under the name of the folder the same
module is found, not a second one of the same file.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any


class FullNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `part1` and `part1.utils`.

    Args:
        folder: the part's.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.own: dict[int, Any] = {}  # the specs that modules had under their short names, by id

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of the folder as a package, or of a file in it."""
        package, _, module = name.partition(".")
        if package != self.folder or "." in module:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=not module)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """The module that is, or will be, there under its short name; nothing special for the package."""
        _, _, module = spec.name.partition(".")
        if not module:
            return None
        found = importlib.import_module(module)
        self.own[id(found)] = found.__spec__
        return found

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: it has been executed. The import system has given it another spec, which goes back."""
        if id(module) in self.own:
            module.__spec__ = self.own[id(module)]


def install(folder: str) -> None:
    """Let a part's files be found by their full names."""
    sys.meta_path.append(FullNames(folder))
