"""One warm box for all variants of a module."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import ItemResult
from grader.submission import Submission

SOLUTIONS = Path(__file__).resolve().parents[3] / "solutions"
Mark = Callable[[dict[str, bytes], frozenset[str]], dict[str, ItemResult]]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: trains networks; left out of the default run")


@pytest.fixture(scope="session")
def solution() -> dict[str, bytes]:
    """The files of part 2."""
    return {f"part2/{file.name}": file.read_bytes() for file in sorted((SOLUTIONS / "part2").glob("*.py"))}


@pytest.fixture(scope="module")
def mark() -> Iterator[Mark]:
    """Marks files on some items; the result of each by its id."""
    marker = Marker(MarkingOptions(seed=1))

    def run(files: dict[str, bytes], items: frozenset[str]) -> dict[str, ItemResult]:
        result = marker.mark(Submission("variant", files), items)
        assert not result.warnings
        return {item.id: item for item in result.items}

    yield run
    marker.close()
