# SPDX-License-Identifier: Apache-2.0
"""How everything is drawn: one style, and SVG text that is the same bytes for the same numbers.

Text stays text (searchable, read aloud by screen readers). Colours are a small fixed palette, which the
page maps to its own light and dark one.
"""

from __future__ import annotations

import io
import re
from functools import cache
from typing import Any

import numpy as np

from aetool.report.document import Figure

INK, MUTED, ACCENT, POINT, SECOND = "#1c1b1a", "#8a8784", "#0b5c8a", "#5b8db8", "#b4560f"
RASTER_ABOVE = 500
_WIDTH = 7.6
_VARIABLES = {INK: "--ink", MUTED: "--muted", ACCENT: "--accent", POINT: "--point", SECOND: "--second"}


def inline(figure: Figure) -> str:
    """Return the SVG for use inside a page: own ids, no global style, colours from the page."""
    body = figure.svg[figure.svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{figure.name}-", body)
    for colour, variable in _VARIABLES.items():
        body = body.replace(colour, f"var({variable})")
    heading = f'<svg role="img" aria-labelledby="{figure.name}-label" '
    label = f'<title id="{figure.name}-label">{_escape(figure.caption)} {_escape(figure.description)}</title>'
    opening, rest = body.removeprefix("<svg ").split(">", 1)
    return f"{heading}{opening}>{label}{rest}"


@cache
def _matplotlib() -> Any:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update(
        {
            "svg.hashsalt": "aetool",
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.size": 9,
            # a lab's or suite's name is data: a dollar sign in it is not the start of a formula
            "text.parse_math": False,
            "figure.titlesize": 9.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.spines.left": False,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": MUTED,
            "xtick.color": MUTED,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "grid.color": MUTED,
            "grid.alpha": 0.25,
            "savefig.transparent": True,
        }
    )
    return matplotlib


def canvas(height: float) -> Any:
    """Return an empty figure of the page's width and that many inches."""
    _matplotlib()
    from matplotlib.figure import Figure as Canvas

    return Canvas(figsize=(_WIDTH, height), layout="constrained")


def points(panel: Any, values: Any, place: int) -> None:
    """Draw single values as dots just above the line of a row."""
    # a fixed pattern keeps equal values apart without chance
    offsets = place - 0.2 + 0.1 * np.sin(2.4 * np.arange(len(values)))
    panel.plot(
        values,
        offsets,
        linestyle="none",
        marker="o",
        markersize=4,
        markeredgewidth=0,
        color=POINT,
        alpha=0.75,
        rasterized=len(values) > RASTER_ABOVE,
    )


def mark(panel: Any, centre: float, low: float | None, high: float | None, place: int) -> None:
    """Draw a mean and, if there is one, its interval on the line of a row."""
    if low is not None and high is not None:
        panel.plot([low, high], [place, place], color=ACCENT, linewidth=2.2, solid_capstyle="butt")
    panel.plot([centre], [place], marker="|", markersize=13, markeredgewidth=2.2, color=ACCENT)


def label_rows(panel: Any, labels: list[str]) -> None:
    """Label rows from the top."""
    panel.set_yticks(range(len(labels)), labels)
    panel.set_ylim(len(labels) - 0.4, -0.6)
    panel.tick_params(axis="y", length=0)
    panel.xaxis.grid(True, linewidth=0.6)
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    panel.set_axisbelow(True)


def svg(figure: Any) -> str:
    """Return the figure as SVG text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "aetool"})
    # matplotlib leaves blanks at the ends of lines
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
