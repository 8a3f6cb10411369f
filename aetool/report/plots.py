# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG text, the same bytes for the same numbers.

Text stays text (searchable, read aloud by screen readers); the lab is part of every title. Colours are a
small fixed palette, which the page maps to its own light and dark one.
"""

from __future__ import annotations

import io
import re
from functools import cache
from typing import Any

import numpy as np

from aetool.report.document import Figure, interval, number
from aetool.report.inputs import Run
from aetool.report.measure import Measurement

INK, MUTED, ACCENT, POINT = "#1c1b1a", "#8a8784", "#0b5c8a", "#5b8db8"
RASTER_ABOVE = 500
_WIDTH = 7.6


def suite_figure(run: Run, items: list[Measurement]) -> Figure:
    """Draw every value of a suite, one panel a metric, with means and intervals."""
    metrics = list(dict.fromkeys((item.metric, item.unit, item.better) for item in items))
    rows = [[item for item in items if item.metric == metric] for metric, _, _ in metrics]
    height = sum(0.75 + 0.42 * len(row) for row in rows) + 0.35
    figure = _canvas(height)
    axes = figure.subplots(len(rows), 1, squeeze=False, height_ratios=[1.8 + len(row) for row in rows])
    for panel, row, (metric, unit, better) in zip(axes[:, 0], rows, metrics, strict=True):
        for place, item in enumerate(row):
            _points(panel, item.raw["value"].to_numpy(), place)
            _interval(panel, item.estimate.centre, item.estimate.low, item.estimate.high, place)
        _rows(panel, [item.title for item in row])
        panel.set_xlabel(f"{metric} ({unit}), {better} is better")
    name, title = _title(run, items, "values")
    figure.suptitle(title, x=0.01, ha="left")
    words = "; ".join(
        f"{item.title} {item.metric}: mean {number(item.estimate.centre)} {item.unit}, 95 % interval"
        f" {interval(item.estimate.low, item.estimate.high)}, {len(item.raw)} values"
        for item in items
    )
    caption = f"{title}: every value (dots), mean and 95 % interval (line)."
    return Figure(name, caption, words, _svg(figure))


def slowdown_figure(run: Run, items: list[Measurement]) -> Figure | None:
    """Draw bars against native with intervals and raw points; None if nothing was measured against it."""
    compared = [item for item in items if item.slowdown]
    if not compared:
        return None
    natives = {item.metric: item.estimate.centre for item in items if item.configuration == "native"}
    figure = _canvas(0.9 + 0.42 * len(compared))
    panel = figure.subplots()
    for place, item in enumerate(compared):
        slower = item.slowdown
        assert slower is not None
        panel.barh(place, slower.value, height=0.62, color=ACCENT, alpha=0.22, linewidth=0)
        values = item.raw["value"].to_numpy()
        native = natives[item.metric]
        _points(panel, values / native if item.better == "lower" else native / values, place)
        _interval(panel, slower.value, slower.low, slower.high, place)
    panel.axvline(1, color=INK, linewidth=0.8)
    _rows(panel, [f"{item.title}: {item.metric}" for item in compared])
    panel.set_xlim(left=0)
    panel.set_xlabel("times slower than native (1 = equal, lower is better)")
    name, title = _title(run, items, "slowdown")
    figure.suptitle(title, x=0.01, ha="left")
    words = "; ".join(
        f"{item.title} {item.metric}: {number(s.value)}, 95 % interval {interval(s.low, s.high)}"
        for item in compared
        if (s := item.slowdown)
    )
    caption = f"{title}: against native, with 95 % intervals and every value (dots)."
    return Figure(name, caption, words, _svg(figure))


def inline(figure: Figure) -> str:
    """Return the SVG for use inside a page: own ids, no global style, colours from the page."""
    body = figure.svg[figure.svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{figure.name}-", body)
    for colour, variable in ((INK, "--ink"), (MUTED, "--muted"), (ACCENT, "--accent"), (POINT, "--point")):
        body = body.replace(colour, f"var({variable})")
    heading = f'<svg role="img" aria-labelledby="{figure.name}-label" '
    label = f'<title id="{figure.name}-label">{_escape(figure.caption)} {_escape(figure.description)}</title>'
    opening, rest = body.removeprefix("<svg ").split(">", 1)
    return f"{heading}{opening}>{label}{rest}"


def _title(run: Run, items: list[Measurement], what: str) -> tuple[str, str]:
    suite, profile = items[0].suite, items[0].profile
    return f"{suite}-{profile}-{what}", f"{suite}, profile {profile}, on {run.lab}"


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


def _canvas(height: float) -> Any:
    _matplotlib()
    from matplotlib.figure import Figure as Canvas

    return Canvas(figsize=(_WIDTH, height), layout="constrained")


def _points(panel: Any, values: Any, place: int) -> None:
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


def _interval(panel: Any, centre: float, low: float | None, high: float | None, place: int) -> None:
    if low is not None and high is not None:
        panel.plot([low, high], [place, place], color=ACCENT, linewidth=2.2, solid_capstyle="butt")
    panel.plot([centre], [place], marker="|", markersize=13, markeredgewidth=2.2, color=ACCENT)


def _rows(panel: Any, labels: list[str]) -> None:
    panel.set_yticks(range(len(labels)), labels)
    panel.set_ylim(len(labels) - 0.4, -0.6)
    panel.tick_params(axis="y", length=0)
    panel.xaxis.grid(True, linewidth=0.6)
    panel.set_axisbelow(True)


def _svg(figure: Any) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "aetool"})
    # matplotlib leaves blanks at the ends of lines
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
