# SPDX-License-Identifier: Apache-2.0
"""What was measured: one table a suite, with every raw value behind it, and plots of the same numbers."""

from __future__ import annotations

from aetool.report.document import Cell, Column, Figure, Section, Table, interval, number, slug
from aetool.report.inputs import Run
from aetool.report.measure import Measurement, suites
from aetool.report.plots import curve_figure, slowdown_figure, suite_figure
from aetool.report.published import Published
from aetool.report.sections.published import beside
from aetool.report.sections.side import side_by_side

RAW_SHOWN = 500
_COLUMNS = (
    Column("Configuration"),
    Column("Metric"),
    Column("n", "number"),
    Column("Mean", "number"),
    Column("95 % interval", "number"),
    Column("Unit"),
    Column("Better"),
    Column("Spread", "number"),
    Column("Against native", "number"),
    Column("Published", "wide"),
    Column("For 5 %", "number"),
)
_NOTES = (
    "n: repetitions with a result, of those planned. Mean: geometric below 20 repetitions (the arithmetic one"
    " is in the CSV file), with its 95 % interval by Student's t on logarithms; arithmetic from 20 on.",
    "Against native: how many times slower than the host itself, 1 = equal, for times and rates alike, with"
    " its 95 % interval (Welch or Fieller). Spread: standard deviation over mean. For 5 %: repetitions of"
    " each configuration that would show a difference of 5 % in four cases of five.",
)


def bench_section(run: Run, found: list[Measurement], published: Published) -> Section:
    """All suites of the run, each table and plot under the name of the lab."""
    if not found:
        why = "No benchmark has a result in this run; see “What did not run”."
        return Section("benchmarks", "Benchmarks", (why,))
    done = len(set(run.samples["step"]))
    prose = (
        f"{done} of {len(run.steps)} steps of the campaign “{run.name}” have a result. They were"
        f" measured on {run.lab}. Published figures come from other machines: absolute values are set side by"
        " side for scale; only figures against native may be compared.",
    )
    blocks: list[Figure | Table] = []
    for (suite, profile), items in suites(found).items():
        drawn = (suite_figure(run, items), slowdown_figure(run, items), curve_figure(run, items))
        blocks += [figure for figure in drawn if figure]
        side = side_by_side(run, items, published)
        blocks += [side] if side else []
        blocks += [_summary(run, suite, profile, items, published), _raw(run, suite, profile, items)]
    return Section("benchmarks", "Benchmarks", prose + _NOTES, tuple(blocks))


def _summary(run: Run, suite: str, profile: str, items: list[Measurement], published: Published) -> Table:
    rows = []
    for item in items:
        e, slower = item.estimate, item.slowdown
        figures = [
            figure
            for figure in published.figures
            if (figure.suite, figure.metric, figure.configuration, figure.vms)
            == (suite, item.metric, item.configuration, item.vms)
        ]
        rows.append(
            (
                Cell(item.title),
                Cell(item.metric),
                Cell(f"{e.n} of {item.planned}", e.n, "" if e.n == item.planned else "warn"),
                Cell(number(e.centre), e.centre),
                Cell(interval(e.low, e.high), e.low),
                Cell(item.unit),
                Cell(item.better),
                Cell("–" if e.spread is None else f"{e.spread:.1%}", e.spread),
                _against_native(item)
                if slower is None
                else Cell(f"{number(slower.value)} ({interval(slower.low, slower.high)})", slower.value),
                beside(figures),
                Cell(str(item.needed) if item.needed else "–", item.needed),
            )
        )
    caption = f"{suite}, profile {profile}, on {run.lab}"
    return Table(slug(f"{suite}-{profile}"), caption, _COLUMNS, tuple(rows))


def _against_native(item: Measurement) -> Cell:
    return Cell("1 (is native)", 1.0) if item.configuration == "native" else Cell("native not measured")


def _raw(run: Run, suite: str, profile: str, items: list[Measurement]) -> Table:
    columns = (
        Column("Configuration"),
        Column("Metric"),
        Column("Repetition", "number"),
        Column("VM", "number"),
        Column("Value", "number"),
        Column("Unit"),
        Column("Raw file", "code"),
    )
    rows: list[tuple[Cell, ...]] = []
    total = 0
    for item in items:
        total += len(item.raw)
        for sample in item.raw.head(max(RAW_SHOWN - len(rows), 0)).itertuples():
            rows.append(
                (
                    Cell(item.title),
                    Cell(item.metric),
                    Cell(str(sample.repetition), float(str(sample.repetition))),
                    Cell("host" if sample.vm == 0 else str(sample.vm), float(str(sample.vm))),
                    Cell(number(float(str(sample.value)), 6), float(str(sample.value))),
                    Cell(item.unit),
                    Cell(str(sample.raw)),
                )
            )
    notes = (
        []
        if total == len(rows)
        else [f"The first {len(rows)} of {total:,} values; all are in csv/samples.csv."]
    )
    caption = f"{suite}, profile {profile}, on {run.lab}: every value, and the file it was read from"
    return Table(slug(f"{suite}-{profile}-values"), caption, columns, tuple(rows), tuple(notes), folded=True)
