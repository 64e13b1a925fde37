"""The marking desk: pages on which a person marks what tests cannot, question by question.

It is an extension of Jupyter's server, so that login, token and JupyterHub are those of formgrader. Points
and comments are nbgrader's own, in its gradebook; what the desk knows besides (rubric items, who gave what
and when, who has which answer open) lies in tables of its own in the same database.
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "grader.desk"}]


def _load_jupyter_server_extension(server_app: Any) -> None:
    from grader.desk.extension import load  # with nbgrader: only where a server wants it

    load(server_app)
