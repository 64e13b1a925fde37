"""Modules of the box in a test's own process: there they stand alone, and are no part of the package."""

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType


@contextlib.contextmanager
def module_of_the_box(file: Path) -> Iterator[ModuleType]:
    """The module in this file, imported anew under the file's name, and forgotten afterwards."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    assert spec.name not in sys.modules
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their module there
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[spec.name]
