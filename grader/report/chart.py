"""What all charts of the pages share: settings, bare axes, and an SVG in the pages' fonts and colours."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from grader.report.theme import COLOURS, FONT, themed

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@contextmanager
def chart(width: float, height: float) -> Iterator[Axes]:
    """The axes of a new chart, with the pages' settings as long as it is drawn.

    Args:
        width: in inches.
        height: likewise.
    """
    # Matplotlib takes half a second to load, which only whoever draws should pay for.
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_settings()):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        yield axes


def as_svg(axes: Axes, standalone: bool) -> str:
    """A chart as text, from `<?xml` on; to be called while it is drawn.

    Args:
        axes: of `chart`.
        standalone: whether it is to be a file, which brings its colours along.
    """
    axes.grid(axis="y", color=COLOURS["line"][0], linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    file = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.savefig(file, format="svg", metadata=nothing)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", file.getvalue(), flags=re.DOTALL)
    return themed(_in_plain_fonts(text), standalone)


def _settings() -> Any:
    muted, line = COLOURS["muted"][0], COLOURS["line"][0]
    return {
        "svg.fonttype": "none",  # text stays text: small, sharp, and in the reader's font
        "svg.hashsalt": "grader",  # the same values give the same bytes
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9,
        "text.color": muted,
        "axes.labelcolor": muted,
        "xtick.color": muted,
        "ytick.color": muted,
        "axes.edgecolor": line,
    }


def _in_plain_fonts(svg: str) -> str:
    """The chart in the fonts of the pages, at the sizes it was laid out for."""
    fonts = FONT.replace('"', "'")
    return re.sub(r"(font-family: |px )'DejaVu Sans'(?:, sans-serif)?", lambda match: match[1] + fonts, svg)
