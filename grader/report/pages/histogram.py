"""The distribution of points as a chart."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from markupsafe import Markup

from grader.report.curve import chart_settings, plain_text_font
from grader.report.theme import COLOURS, themed

STEP = 1.25  # points in a bar


def histogram(points: Sequence[float], most: float) -> Markup:
    """An SVG to stand in a page: submissions by points, with the median."""
    import matplotlib
    import numpy as np
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    ink, line, bar = COLOURS["ink"][0], COLOURS["line"][0], COLOURS["link"][0]
    edges = np.arange(0.0, max(most, STEP) + STEP, STEP)
    edges = edges[edges <= max(most, STEP) + 1e-9]
    with matplotlib.rc_context(chart_settings()):
        figure = Figure(figsize=(6, 2.5), layout="constrained")
        FigureCanvasSVG(figure)
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
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
        axes.grid(axis="y", color=line, linewidth=0.6)
        axes.set_axisbelow(True)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(length=0)
        file = io.StringIO()
        figure.savefig(
            file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    text = re.sub(r"^.*?(?=<svg)", "", file.getvalue(), flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    # Numbers alone went in: nothing in it is anybody's text.
    return Markup(themed(plain_text_font(text), standalone=False))
