"""What `nbgrader release_feedback` needs beside each feedback page: a time, and a secret that names the page.

Both come from what the student handed in, which may lack them, and it ends with a traceback at the first such
student. Formgrader's *Generate Feedback* and `nbgrader generate_feedback` make the folder anew, as a run
does: that is why a preprocessor writes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from grader.gradebook import state
from grader.gradebook.course import Course
from grader.gradebook.hand_in_times import SECRET, TIMESTAMP


class CompleteFeedback(NbGraderPreprocessor):
    """Writes the two files where they are missing; the page stays as it is."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Complete one student's folder. nbgrader's working directory is the course."""
        student = resources["nbgrader"]["student"]
        course = Course(Path.cwd())
        folder = course.feedback(student)
        folder.mkdir(parents=True, exist_ok=True)
        key = (course.state / "seed").read_bytes() if (course.state / "seed").is_file() else b""
        for name, content in (
            (TIMESTAMP, "no time"),
            (SECRET, state.digest(b"feedback", key, student.encode())),
        ):
            if not (folder / name).is_file():
                (folder / name).write_text(content)
        return nb, resources
