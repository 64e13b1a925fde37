"""One warm box for all variants of a module."""

from collections.abc import Iterator

import pytest

from grader.marking.marker import Marker, MarkingOptions
from grader.marking.result import ItemResult
from grader.submission import Submission
from tests.suites import variants
from tests.suites.variants import Mark


@pytest.fixture(scope="module")
def solution(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """The files of the part that the tests' folder is named after."""
    return variants.solution(request.path.parent.name)


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
