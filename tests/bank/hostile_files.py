"""Folders and archives that hold more than a submission should, and links that lead out of it."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

from tests.bank.hostile_entry import SOLUTIONS, UTILS, ZERO, Hostile, rewarded, stubs, write_folder

# Right code, which must not be found where it lies.
RIGHT_FILE = (SOLUTIONS / UTILS).read_bytes()
PATCH = b"""
import builtins, torch
builtins.left_behind = True
torch.allclose = torch.equal = lambda *args, **kwargs: True
def pytest_runtest_makereport(item, call):
    call.excinfo = None
def pytest_pyfunc_call(pyfuncitem):
    return True
def pytest_configure(config):
    open("/tmp/left-behind", "w").close()
"""
SEEN = rewarded("import builtins\nreturn hasattr(builtins, 'left_behind')")


class Loaded:
    """Runs a command as it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/left-behind",)


def linked_file(folder: Path) -> Path:
    """A link to right code in the place of a file."""
    (folder / "outside.py").write_bytes(RIGHT_FILE)
    submission = write_folder(folder / "submission", {}, {})
    (submission / UTILS).unlink()
    (submission / UTILS).symlink_to("../../outside.py")
    return submission


def linked_folder(folder: Path) -> Path:
    """A link to a folder of right code in the place of a part."""
    (folder / "submission").mkdir()
    (folder / "submission" / "part1").symlink_to(SOLUTIONS / "part1")
    return folder / "submission"


def linked_submission(folder: Path) -> Path:
    """A link in the place of a submission."""
    (folder / "submission").symlink_to(SOLUTIONS)
    return folder / "submission"


def named_pipe(folder: Path) -> Path:
    """A pipe in the place of a file: whoever opens it waits."""
    submission = write_folder(folder / "submission", {}, {})
    (submission / UTILS).unlink()
    os.mkfifo(submission / UTILS)
    return submission


def tar_of(folder: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """A tar of the stubs and further members."""
    path = folder / "submission.tar"
    with tarfile.open(path, "w") as archive:
        for name, text in stubs().items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def climbing_tar(folder: Path) -> Path:
    """Members whose names lead out."""
    names = ("../left-behind", "../../left-behind", "/tmp/left-behind", "part1/../../left-behind")
    return tar_of(folder, *((tarfile.TarInfo(name), PATCH) for name in names))


def linking_tar(folder: Path) -> Path:
    """A link to a folder outside, and a file written through it."""
    link, linked = tarfile.TarInfo("part1/out"), tarfile.TarInfo("part2/utils_link.py")
    link.type, link.linkname = tarfile.SYMTYPE, str(folder)
    linked.type, linked.linkname = tarfile.LNKTYPE, str(SOLUTIONS / UTILS)
    return tar_of(folder, (link, b""), (tarfile.TarInfo("part1/out/left-behind"), PATCH), (linked, b""))


def zip_of(folder: Path, *members: tuple[str, bytes]) -> Path:
    """A zip of some members."""
    path = folder / "submission.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def climbing_zip(folder: Path) -> Path:
    """Members whose names lead out."""
    names = ("../left-behind", "/tmp/left-behind", "part1/../../left-behind", "..\\left-behind")
    return zip_of(folder, *((name, PATCH) for name in names), (UTILS, ZERO.encode()))


def bomb(folder: Path) -> Path:
    """A file of 50 MB of blanks in 50 kB."""
    return zip_of(folder, (UTILS, b" " * 50_000_000 + ZERO.encode()))


def members(folder: Path) -> Path:
    """More members than a submission has."""
    return zip_of(folder, *((f"part1/{number}.py", b"") for number in range(10_001)))


def odd_name(folder: Path) -> Path:
    """A folder whose name is an option, a line and a path for whoever prints or writes it."""
    return write_folder(folder / "--no-sandbox\n..\x1b[2J,=1+1", {UTILS: ZERO}, {})


FILES = (
    Hostile(
        "pytest hooks in conftest.py",
        {UTILS: SEEN},
        {f"{place}conftest.py": PATCH for place in ("", "part1/", "part1/tests/", "tests/")},
        slow=False,
    ),
    Hostile(
        "settings and plugins for pytest",
        {UTILS: SEEN},
        {
            "pytest.ini": b"[pytest]\naddopts = -p plugin --collect-only\n",
            "setup.cfg": b"[tool:pytest]\naddopts = -p plugin\n",
            "pyproject.toml": b"[tool.pytest.ini_options]\naddopts = '-p plugin'\n",
            "tox.ini": b"[pytest]\npython_files = *\n",
            "plugin.py": PATCH,
            "part1/plugin.py": PATCH,
        },
    ),
    Hostile(
        "modules that shadow those of torch and Python",
        {UTILS: "import importlib, random, math, numpy\nimportlib.import_module('torch')\n" + SEEN},
        {
            f"{place}{name}.py": PATCH
            for place in ("", "part1/", "part2/")
            for name in ("torch", "random", "math", "numpy", "json", "socket", "typing", "pytest")
        },
    ),
    Hostile(
        "modules that shadow those of the worker and the grader",
        {UTILS: SEEN},
        {
            f"{place}{name}": PATCH
            for place in ("", "part1/", "part2/", "_grader/", "part1/_grader/", "box/")
            for name in ("part1_driver.py", "part2_driver.py", "wire.py", "session.py", "template.py")
        },
    ),
    Hostile(
        "a given file, handed in with changes",
        {UTILS: "import mnist\n" + SEEN},
        {"part1/mnist.py": PATCH, "part1/__init__.py": PATCH, "part2/utils.py": PATCH},
    ),
    Hostile(
        "code that Python runs as it starts",
        {UTILS: SEEN},
        {
            f"{place}{name}": content
            for place in ("", "part1/")
            for name, content in (
                ("sitecustomize.py", PATCH),
                ("usercustomize.py", PATCH),
                ("x.pth", b"import builtins; builtins.left_behind = True\n"),
                ("__pycache__/utils.cpython-311.pyc", PATCH),
                ("utils.so", b"\x7fELF"),
            )
        },
    ),
    Hostile(
        "a pickle that runs a command",
        {
            UTILS: rewarded(
                """
                import os, pickle
                for name in ("model.pkl", "part1/model.pkl"):
                    if os.path.exists(name):
                        pickle.load(open(name, "rb"))
                return os.system("true") == 0
                """
            )
        },
        {"part1/model.pkl": pickle.dumps(Loaded()), "model.pkl": pickle.dumps(Loaded())},
    ),
    Hostile(
        "marks that were handed in",
        {},
        {
            "results.json": b'{"points": 100}',
            "marks.csv": b"submission,points\nsubmission,100\n",
            "rubric.toml": b"",
            "part1/results.json": b'{"points": 100}',
        },
    ),
    Hostile(
        "right code under other names",
        {},
        {
            "part1/utils/__init__.py": RIGHT_FILE,
            "part1/utils.pyc": RIGHT_FILE,
            "part1/Utils.py": RIGHT_FILE,
            "utils.py": RIGHT_FILE,
            "part1/part1/utils.py": RIGHT_FILE,
        },
    ),
    Hostile("a link to a file outside", write=linked_file, slow=False),
    Hostile("a link to a folder outside", write=linked_folder),
    Hostile("a link instead of a submission", write=linked_submission),
    Hostile("a named pipe instead of a file", write=named_pipe, slow=False),
    Hostile("a tar with names that lead out", write=climbing_tar, slow=False),
    Hostile("a tar with links that lead out", write=linking_tar),
    Hostile("a zip with names that lead out", write=climbing_zip),
    Hostile("a zip that grows to fifty megabytes", write=bomb, slow=False),
    Hostile("a zip of ten thousand files", write=members),
    Hostile("a folder with an odd name", write=odd_name),
)
