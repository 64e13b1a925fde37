"""Which Python runs students' code: the grader's own, or the one that BOX_PYTHON names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from grader.box import interpreter
from grader.box.interpreter import Interpreter, box_python, own_python
from grader.box.launcher import Box, bubblewrap_arguments
from grader.errors import GraderUsageError

from .conftest import Probe


@pytest.fixture
def named(monkeypatch):
    """Name the box's Python."""

    def name(path: object) -> None:
        monkeypatch.setenv("BOX_PYTHON", str(path))

    return name


def test_it_is_the_graders_own_where_none_is_named(monkeypatch):
    monkeypatch.delenv("BOX_PYTHON", raising=False)
    assert box_python() == own_python()
    assert (own_python().executable, own_python().version) == (sys.executable, sys.version_info[:3])


def test_another_is_asked_what_it_is(named):
    named(sys.executable)
    asked = box_python()
    assert (asked.version, asked.prefixes, asked.releases) == (
        own_python().version,
        own_python().prefixes,
        own_python().releases,
    )
    assert set(own_python().hidden) <= set(asked.hidden)


@pytest.mark.parametrize("path", ["/nowhere/python3.13", "/bin/false", "/etc/passwd", "/"])
def test_what_is_no_python_is_told_by_the_variables_name(named, path):
    named(path)
    with pytest.raises(GraderUsageError, match=f"BOX_PYTHON={path}: this is not a Python that can be run"):
        box_python()


def test_an_environment_without_torch_is_told_with_what_to_install(named, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    named(tmp_path / "bare" / "bin" / "python")
    with pytest.raises(
        GraderUsageError, match=r"torch, .* is missing there; .*pip install -r requirements\.txt"
    ):
        box_python()


def pretended(version: tuple[int, int, int] = (3, 13, 0), **releases: str) -> Interpreter:
    own = dict(own_python().releases)
    return Interpreter("/python", ("/p",), version, tuple({**own, **releases}.items()))


def test_another_release_of_torch_is_refused():
    with pytest.raises(GraderUsageError, match=r"torch is 2\.0\.0 there, and "):
        interpreter._check(pretended(torch="2.0.0"), "/python")
    interpreter._check(pretended(numpy="99.0"), "/python")


def test_a_python_that_is_too_old_is_refused():
    with pytest.raises(GraderUsageError, match=r"this is Python 3\.9\.2; the box needs 3\.11 or newer"):
        interpreter._check(pretended((3, 9, 2)), "/python")


def test_the_box_shows_its_environment_and_hides_the_images_in_it(tmp_path):
    hidden = tmp_path / "env" / "sklearn"
    hidden.mkdir(parents=True)
    python = Interpreter("/x/python", (str(tmp_path / "env"),), (3, 13, 0), (), (str(hidden),))
    arguments = bubblewrap_arguments("bwrap", "pass", python)
    assert arguments[arguments.index("--") + 1 :] == ["/x/python", "-I", "-B", "-c", "pass"]
    shown = arguments.index(str(tmp_path / "env"), arguments.index("--ro-bind"))
    assert arguments[shown - 1] == "--ro-bind" or arguments[shown - 2] == "--ro-bind"
    assert shown < arguments.index(str(hidden))
    assert arguments[arguments.index(str(hidden)) - 1] == "--tmpfs"
    assert sys.prefix not in arguments


@pytest.mark.slow
def test_an_environment_of_its_own_marks_and_hides_what_it_must(named, tmp_path):
    copy = tmp_path / "env"
    try:
        shutil.copytree(Path(sys.prefix).resolve(), copy, symlinks=True, copy_function=os.link)
    except (OSError, shutil.Error) as error:
        pytest.skip(f"the environment cannot be linked to a second place: {str(error)[:80]}")
    named(copy / "bin" / "python")
    box = Box()
    try:
        probe = Probe(box)
        assert probe.run("import sys; result = sys.prefix") == str(copy)
        assert probe.run("import torch; result = torch.__file__").startswith(str(copy))
        images = (
            "import os, sklearn; result = os.listdir(os.path.dirname(sklearn.__file__) + '/datasets/data')"
        )
        assert probe.run(images) == []
        probe.session.close()
    finally:
        box.close()
    marked = subprocess.run(
        [copy / "bin" / "python", "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True
    )
    assert marked.stdout.strip() == str(copy)
