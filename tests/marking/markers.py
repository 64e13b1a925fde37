"""Markers that end with the test module that uses them."""

from __future__ import annotations

from collections.abc import Iterator

from grader.marking.marker import Marker, MarkingOptions


def marked(options: MarkingOptions) -> Iterator[Marker]:
    """A marker for a fixture to yield from."""
    marker = Marker(options)
    yield marker
    marker.close()
