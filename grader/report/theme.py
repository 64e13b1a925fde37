"""Colours of pages and charts: one palette for light, one for dark, by name.

Charts are drawn in the light colours; `themed` turns those into CSS variables, so that a chart follows the
reader's light or dark mode like the page around it, and as a file of its own.
"""

from __future__ import annotations

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'

# name: (light, dark). Every text colour has a contrast of at least 4.5 to paper and to its tint.
COLOURS = {
    "paper": ("#fdfcfa", "#16181b"),
    "card": ("#ffffff", "#1d2024"),
    "ink": ("#1d2126", "#e6e7e9"),
    "muted": ("#5a616a", "#a3abb5"),
    "line": ("#e0dfdb", "#33383f"),
    "link": ("#1f5aa8", "#8ab8f5"),
    "band": ("#d5e6db", "#274034"),
    "passed": ("#1c7145", "#6fc797"),
    "passed-tint": ("#e9f4ed", "#1b2c23"),
    "partial": ("#855700", "#e2b04a"),
    "partial-tint": ("#fbeecb", "#3a2f15"),
    "failed": ("#ab2419", "#ff9d92"),
    "failed-tint": ("#fbdfda", "#4a221e"),
    "missing": ("#47568a", "#aebbea"),
    "missing-tint": ("#e4e7f3", "#262c40"),
    "fault": ("#86257f", "#ee9fe6"),
    "fault-tint": ("#f6e0f4", "#40203d"),
}


def variables(theme: int) -> str:
    """CSS declarations of all colours; theme 0 is light, 1 is dark."""
    return "".join(f"--{name}:{pair[theme]};" for name, pair in COLOURS.items())


def stylesheet() -> str:
    """The colours as CSS: light, and dark on screens that ask for it. Paper is always white."""
    return (
        f":root{{color-scheme:light dark;{variables(0)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{variables(1)}}}}}"
    )


def themed(svg: str, standalone: bool) -> str:
    """A chart whose colours are variables; a standalone one brings their values along."""
    used = {}
    for name, (light, dark) in COLOURS.items():
        if light in svg:
            svg = svg.replace(light, f"var(--{name},{light})")
            used[name] = (light, dark)
    if not standalone:
        return svg
    light_values = "".join(f"--{name}:{pair[0]};" for name, pair in used.items())
    dark_values = "".join(f"--{name}:{pair[1]};" for name, pair in used.items())
    dark_rule = f"@media screen and (prefers-color-scheme:dark){{svg{{{dark_values}}}}}"
    style = f"<style>svg{{{light_values}}}{dark_rule}</style>"
    head, end, rest = svg.partition("<defs>")
    return head + style + end + rest if end else svg
