# SPDX-License-Identifier: Apache-2.0
"""The figures of the report; the lab is part of every title, and a description says what is drawn."""

from __future__ import annotations

from typing import Any

from aetool.report.document import Figure, interval, number, slug
from aetool.report.drawing import ACCENT, INK, MUTED, SECOND, canvas, label_rows, mark, points, svg
from aetool.report.inputs import Run
from aetool.report.measure import Measurement, count

# marker and dashes tell configurations apart where colours do not
_LOOKS = ((ACCENT, "o", "-"), (SECOND, "s", "--"), (MUTED, "^", ":"), (INK, "D", "-."))


def suite_figure(run: Run, items: list[Measurement]) -> Figure:
    """Draw every value of a suite, one panel a metric, with means and intervals."""
    metrics = list(dict.fromkeys((item.metric, item.unit, item.better) for item in items))
    rows = [[item for item in items if item.metric == metric] for metric, _, _ in metrics]
    height = sum(0.75 + 0.42 * len(row) for row in rows) + 0.35
    figure = canvas(height)
    axes = figure.subplots(len(rows), 1, squeeze=False, height_ratios=[1.8 + len(row) for row in rows])
    for panel, row, (metric, unit, better) in zip(axes[:, 0], rows, metrics, strict=True):
        for place, item in enumerate(row):
            points(panel, item.raw["value"].to_numpy(), place)
            mark(panel, item.estimate.centre, item.estimate.low, item.estimate.high, place)
        label_rows(panel, [item.title for item in row])
        panel.set_xlabel(f"{metric} ({unit}), {better} is better")
    name, title = _title(run, items, "values")
    figure.suptitle(title, x=0.01, ha="left")
    words = "; ".join(
        f"{item.title} {item.metric}: mean {number(item.estimate.centre)} {item.unit}, 95 % interval"
        f" {interval(item.estimate.low, item.estimate.high)}, {len(item.raw)} values"
        for item in items
    )
    caption = f"{title}: every value (dots), mean and 95 % interval (line)."
    return Figure(name, caption, words, svg(figure))


def slowdown_figure(run: Run, items: list[Measurement]) -> Figure | None:
    """Draw bars against native with intervals and raw points; None if nothing was measured against it."""
    compared = [item for item in items if item.slowdown]
    if not compared:
        return None
    natives = {item.metric: item.estimate.centre for item in items if item.configuration == "native"}
    figure = canvas(0.9 + 0.42 * len(compared))
    panel = figure.subplots()
    for place, item in enumerate(compared):
        slower = item.slowdown
        assert slower is not None
        panel.barh(place, slower.value, height=0.62, color=ACCENT, alpha=0.22, linewidth=0)
        values = item.raw["value"].to_numpy()
        native = natives[item.metric]
        points(panel, values / native if item.better == "lower" else native / values, place)
        mark(panel, slower.value, slower.low, slower.high, place)
    panel.axvline(1, color=INK, linewidth=0.8)
    label_rows(panel, [f"{item.title}: {item.metric}" for item in compared])
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
    return Figure(name, caption, words, svg(figure))


def curve_figure(run: Run, items: list[Measurement]) -> Figure | None:
    """Draw the cost over the number of VMs; None unless a configuration was run with several numbers."""
    curves: dict[str, dict[str, list[Measurement]]] = {}
    for item in sorted(items, key=lambda item: item.vms):
        if item.vms and item.slowdown:
            curves.setdefault(item.metric, {}).setdefault(item.configuration, []).append(item)
    several = {
        metric: lines for metric, lines in curves.items() if any(len(line) > 1 for line in lines.values())
    }
    if not several:
        return None
    figure = canvas(0.4 + 2.5 * len(several))
    axes = figure.subplots(len(several), 1, squeeze=False)
    for panel, (metric, lines) in zip(axes[:, 0], several.items(), strict=True):
        for (colour, marker, dashes), (configuration, line) in zip(_LOOKS, lines.items(), strict=False):
            _curve(panel, line, configuration, colour, marker, dashes)
        numbers = sorted({item.vms for line in lines.values() for item in line})
        panel.set_xscale("log", base=2)
        panel.set_xticks(numbers, [str(n) for n in numbers], minor=False)
        panel.minorticks_off()
        panel.set_xlabel("concurrent VMs")
        panel.set_ylabel(f"{metric}: times slower than native")
        panel.yaxis.grid(True, linewidth=0.6)
        panel.set_ylim(bottom=0)
        panel.legend(frameon=False)
    name, title = _title(run, items, "vms")
    figure.suptitle(title, x=0.01, ha="left")
    words = "; ".join(
        f"{metric} {configuration}: "
        + ", ".join(
            f"{count(item.vms, 'VM')} {number(item.slowdown.value)}" for item in line if item.slowdown
        )
        for metric, lines in several.items()
        for configuration, line in lines.items()
    )
    caption = f"{title}: one instance in each VM, against one native instance, with 95 % intervals."
    return Figure(name, caption, words, svg(figure))


def _curve(panel: Any, line: list[Measurement], label: str, colour: str, marker: str, dashes: str) -> None:
    known = [(item.vms, item.slowdown) for item in line if item.slowdown]
    numbers, values = [n for n, _ in known], [s.value for _, s in known]
    panel.plot(numbers, values, color=colour, marker=marker, linestyle=dashes, markersize=5, label=label)
    for n, s in known:
        if s.low is not None and s.high is not None:
            panel.plot([n, n], [s.low, s.high], color=colour, linewidth=2.2, solid_capstyle="butt")


def _title(run: Run, items: list[Measurement], what: str) -> tuple[str, str]:
    suite, profile = items[0].suite, items[0].profile
    return slug(f"{suite}-{profile}-{what}"), f"{suite}, profile {profile}, on {run.lab}"
