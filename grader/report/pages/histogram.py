"""The distribution of points as a chart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from grader.report.chart import as_svg, chart
from grader.report.theme import COLOURS

STEP = 1.25  # points in a bar


def histogram(points: Sequence[float], most: float) -> Markup:
    """An SVG to stand in a page: submissions by points, with the median."""
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    ink, bar = COLOURS["ink"][0], COLOURS["link"][0]
    edges = np.arange(0.0, max(most, STEP) + STEP, STEP)
    edges = edges[edges <= max(most, STEP) + 1e-9]
    with chart(6, 2.5) as axes:
        counts, _, _ = axes.hist(np.clip(points, 0, edges[-1]), bins=list(edges), color=bar, rwidth=0.86)
        top = float(np.max(counts))
        median = float(np.median(points))
        axes.axvline(median, color=ink, linewidth=1, ymax=0.93)
        axes.annotate(
            f"median {median:g}",
            (median, top * 1.12),
            (4 if median < most / 2 else -4, 0),
            textcoords="offset points",
            color=ink,
            ha="left" if median < most / 2 else "right",
            va="center",
        )
        axes.set_xlim(0, edges[-1])
        axes.set_ylim(0, top * 1.2)
        axes.set_xticks(np.arange(0, edges[-1] + 1e-9, 5 if most >= 10 else 1))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlabel("points")
        axes.set_ylabel("submissions")
        text = as_svg(axes, standalone=False)
    text = re.sub(r"^.*?(?=<svg)", "", text, flags=re.DOTALL)
    text = text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    return Markup(text)  # numbers alone went in: nothing in it is anybody's text
