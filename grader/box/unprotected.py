"""Sessions without a box, for an instructor's own code on a machine that has no bubblewrap.

The same template, wire and proxies, in ordinary child processes: nothing is contained. Results say so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection

from grader.box.interpreter import box_python
from grader.box.launcher import ENVIRONMENT, HERE, INSIDE, Box

BOOT = (
    "import sys; sys.path[:0] = sys.argv[1:3]; import template; "
    "template.main(sys.argv[3], allow_distributions={})"
)


class UnprotectedBox(Box):
    """A template process without bubblewrap; its sessions work in a temporary folder."""

    sandbox = "none"

    def __init__(
        self, allow_distributions: bool = False, wait: bool = True, start_on: Collection[int] = ()
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="grader-")
        super().__init__(allow_distributions, wait, start_on)

    def command(self) -> list[str]:
        """Python itself, told where its sessions may work."""
        boot = BOOT.format(self.allow_distributions)
        return [box_python().executable, "-I", "-B", "-c", boot, str(INSIDE), str(HERE), self._folder.name]

    def environment(self) -> dict[str, str]:
        """As in the box, with the temporary folder for all that is written."""
        folder = self._folder.name
        return {**ENVIRONMENT, "HOME": folder, "TMPDIR": folder, "MPLCONFIGDIR": folder}

    def close(self) -> None:
        """End the template, its sessions and the folder."""
        super().close()
        self._folder.cleanup()
