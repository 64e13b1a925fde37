"""Brings `part1` and `part2` into the tests, and says kindly what is not written yet.

A test asks for a part by its name and finds the modules as attributes:

    def test_something(part1):
        part1.utils.KLD(mean, log_std)
"""

import importlib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch_errors import explained

FOLDER_OF_TESTS = Path(__file__).resolve().parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--code",
        type=lambda folder: Path(folder).resolve(),
        default=FOLDER_OF_TESTS.parent,
        help="folder that holds part1 and part2 (default: the one that holds the tests)",
    )


class Part:
    """The modules of one part, each imported when a test first asks for it.

    A mistake in one file thus leaves the tests of the others alone. Both parts have a `mnist` and a
    `utils`, so the modules of a part are in view only while a test of that part runs.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._own: dict[str, ModuleType] = {}
        self._shadowed: dict[str, ModuleType] = {}

    def __getattr__(self, name: str) -> ModuleType:
        file = self.folder / f"{name}.py"
        where = f"{self.folder.name}/{file.name}"
        if not file.is_file():
            pytest.fail(
                f"{where} is missing.\nHint: unpack it again from the archive of the exercise.", pytrace=False
            )
        if name.startswith("train"):  # it draws, perhaps into a window: here, as at the grader, there is none
            matplotlib = importlib.import_module("matplotlib")
            matplotlib.use = lambda *args, **kwargs: None
        try:
            return importlib.import_module(name)
        except SyntaxError as error:
            broken = Path(error.filename or file)
            pytest.fail(
                f"Python cannot read {broken.parent.name}/{broken.name}, line {error.lineno}: "
                f"{(error.text or '').strip()}\nHint: {error.msg}.",
                pytrace=False,
            )

    def enter(self) -> None:
        """Put this part's modules in view."""
        names = {file.stem for file in self.folder.glob("*.py")}
        self._shadowed = {name: sys.modules.pop(name) for name in names if name in sys.modules}
        sys.modules.update(self._own)
        sys.path.insert(0, str(self.folder))

    def leave(self) -> None:
        """Put them away, to be found again by the next test."""
        sys.path.remove(str(self.folder))
        names = {file.stem for file in self.folder.glob("*.py")}
        self._own = {name: sys.modules.pop(name) for name in names if name in sys.modules}
        sys.modules.update(self._shadowed)


@pytest.fixture(scope="session")
def _parts(request: pytest.FixtureRequest) -> dict[str, Part]:
    code = request.config.getoption("--code")
    return {name: Part(code / name) for name in ("part1", "part2")}


@pytest.fixture
def part1(_parts: dict[str, Part]) -> Iterator[Part]:
    """The modules `utils`, `cnn_encoder_decoder` and `train_pl` of part 1."""
    _parts["part1"].enter()
    yield _parts["part1"]
    _parts["part1"].leave()


@pytest.fixture
def part2(_parts: dict[str, Part]) -> Iterator[Part]:
    """The modules `models` and `train` of part 2."""
    _parts["part2"].enter()
    yield _parts["part2"]
    _parts["part2"].leave()


@pytest.fixture
def loggers(part2: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[object, object]]:
    """The two loggers that `main` hands to `train_aae`. What a loop saves goes into a folder of the test."""
    from torch.utils.tensorboard import SummaryWriter

    monkeypatch.chdir(tmp_path)
    with SummaryWriter(tmp_path / "logs") as writer:
        yield tuple(part2.utils.TensorBoardLogger(writer, name=name) for name in ("ae", "disc"))


@pytest.fixture(autouse=True)
def _same_random_numbers_in_every_run() -> Iterator[None]:
    """Every test starts from the same seed, whichever tests ran before it."""
    torch.set_num_threads(1)  # the networks here are small: more threads would only wait for each other
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture(autouse=True)
def _no_torch_distributions(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The assignment forbids `torch.distributions` in your code. The tests themselves may use it."""
    code = request.config.getoption("--code")
    build = torch.distributions.Distribution.__init__

    def build_unless_forbidden(self: object, *args: object, **kwargs: object) -> None:
        frame = sys._getframe()
        while frame := frame.f_back:  # who has called?
            file = Path(frame.f_code.co_filename)
            if file.parent in (code / "part1", code / "part2"):
                pytest.fail(
                    f"{file.parent.name}/{file.name}, line {frame.f_lineno}, uses torch.distributions, which "
                    "this assignment forbids.\nHint: torch.randn, torch.multinomial and formulas do.",
                    pytrace=False,
                )
        build(self, *args, **kwargs)

    monkeypatch.setattr(torch.distributions.Distribution, "__init__", build_unless_forbidden)


def explain(error: Exception) -> None:
    """Write beneath an error what it means, where that is known."""
    if meaning := explained(str(error)):
        error.add_note(f"What that means: {meaning}.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Turn the NotImplementedError of a stub into what to write next; explain what PyTorch complains of."""
    try:
        return (yield)
    except NotImplementedError as error:
        stub = traceback.extract_tb(error.__traceback__)[-1]
        message = str(error)
        file = Path(stub.filename)
        code = item.config.getoption("--code")
        # A library may raise NotImplementedError, too: that is no stub of ours.
        if file.parent not in (code / "part1", code / "part2") or not message.startswith("Question "):
            explain(error)
            raise
    except Exception as error:
        explain(error)
        raise
    question, _, what = message.removeprefix("Question ").partition(": ")
    item.user_properties.append(("not written", what))
    pytest.fail(
        f"Write next: {what} (question {question}).\n"
        f"Hint: it goes into {file.parent.name}/{file.name} at line {stub.lineno}, in the place of "
        "`raise NotImplementedError`. The docstring above says what comes in and what must come out.",
        pytrace=False,
    )
