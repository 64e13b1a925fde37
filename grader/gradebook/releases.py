"""The notebooks that were released before: students may have begun with any of them.

After `course update` a question reads otherwise. A line of the older notebook is still none that a student
has typed. Each release is kept in `state/released/`, by its digest.
"""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from grader.gradebook import state
from grader.gradebook.course import Course


def remember_release(course: Course) -> None:
    """Keep today's released notebook, if there is one.

    Raises:
        OSError: it cannot be read or written.
    """
    if not course.released_notebook.is_file():
        return
    content = course.released_notebook.read_bytes()
    kept = course.state / "released" / f"{state.digest(content)}.ipynb"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(content)


def all_releases(course: Course) -> list[NotebookNode]:
    """Every released notebook that is kept, today's among them; a damaged one is left out."""
    notebooks = []
    for path in sorted((course.state / "released").glob("*.ipynb")):
        try:
            notebooks.append(nbformat.read(path, as_version=4))
        except (OSError, ValueError, nbformat.reader.NotJSONError):
            continue
    return notebooks
