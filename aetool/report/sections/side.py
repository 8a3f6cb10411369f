# SPDX-License-Identifier: Apache-2.0
"""Configurations side by side: native, KVM, pKVM and SeKVM in one row a metric and number of VMs."""

from __future__ import annotations

from aetool.report.document import Cell, Column, Table, interval, number, slug
from aetool.report.inputs import Run
from aetool.report.measure import NATIVE, Measurement, slowdown
from aetool.report.published import Published, PublishedFigure
from aetool.report.sections.published import standing

BASE = "kvm"
_ORDER = (NATIVE, BASE, "pkvm", "sekvm")


def side_by_side(run: Run, items: list[Measurement], published: Published) -> Table | None:
    """Return the table of a suite, or None if only one configuration was measured."""
    names = sorted(
        {item.configuration for item in items}, key=lambda n: (_ORDER.index(n) if n in _ORDER else 9, n)
    )
    if len(names) < 2:
        return None
    others = [name for name in names if name not in (NATIVE, BASE)] if BASE in names else []
    columns = [Column("Metric"), Column("VMs", "number"), Column("Unit")]
    columns += [Column(name, "number") for name in names]
    columns += [Column(f"{name} against {BASE}", "number") for name in others]
    columns += [Column(f"Published {name} against {BASE}", "wide") for name in others]
    index = {(item.metric, item.configuration, item.vms): item for item in items}
    keys = dict.fromkeys((item.metric, item.vms, item.unit) for item in items if item.vms)
    rows = []
    for metric, vms, unit in keys:
        cells = [Cell(metric), Cell(str(vms), vms), Cell(unit)]
        cells += [_mean(index.get((metric, name, 0 if name == NATIVE else vms))) for name in names]
        base = index.get((metric, BASE, vms))
        cells += [_against(index.get((metric, name, vms)), base) for name in others]
        cells += [_published(published, items[0].suite, metric, name, vms) for name in others]
        rows.append(tuple(cells))
    suite, profile = items[0].suite, items[0].profile
    caption = f"{suite}, profile {profile}, configurations side by side, on {run.lab}"
    notes = (f"Means; against {BASE}: how many times slower, with its 95 % interval.",)
    return Table(slug(f"{suite}-{profile}-side"), caption, tuple(columns), tuple(rows), notes)


def _mean(item: Measurement | None) -> Cell:
    return (
        Cell("not measured", tone="quiet")
        if item is None
        else Cell(number(item.estimate.centre), item.estimate.centre)
    )


def _against(item: Measurement | None, base: Measurement | None) -> Cell:
    quotient = slowdown(item.repetitions, base.repetitions, item.better) if item and base else None
    if quotient is None:
        return Cell("–")
    return Cell(f"{number(quotient.value)} ({interval(quotient.low, quotient.high)})", quotient.value)


def _published(published: Published, suite: str, metric: str, name: str, vms: int) -> Cell:
    """Quotients of published pairs: same source, machine and test."""

    def figures(configuration: str) -> dict[tuple[str, str, str], PublishedFigure]:
        return {
            (figure.source, figure.machine, figure.unit): figure
            for figure in published.figures
            if (figure.suite, figure.metric, figure.configuration, figure.vms)
            == (suite, metric, configuration, vms)
            and figure.quantity == "absolute"
        }

    top, bottom = figures(name), figures(BASE)
    pairs = [(top[key], bottom[key]) for key in top if key in bottom]
    if not pairs:
        return Cell("none known", tone="quiet")
    texts = [
        f"{number(a.value / b.value, 3)} on {a.machine} [{a.source}, {standing(a if not a.verified else b)}]"
        for a, b in pairs
    ]
    checked = all(a.verified and b.verified for a, b in pairs)
    return Cell("; ".join(texts), pairs[0][0].value / pairs[0][1].value, "" if checked else "warn")
