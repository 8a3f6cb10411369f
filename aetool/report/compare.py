# SPDX-License-Identifier: Apache-2.0
"""Two runs side by side: which numbers changed by more than chance explains, which proofs changed state."""

from __future__ import annotations

from dataclasses import dataclass

from aetool.report.build import Results
from aetool.report.document import Cell, Column, Section, Table, Tone, interval, number
from aetool.report.measure import Measurement, count, slowdown
from aetool.report.stats import Ratio

_TONES: dict[str, Tone] = {"slower": "bad", "faster": "good", "cannot be compared": "quiet"}


@dataclass(frozen=True)
class Change:
    """One number in two runs; `slowdown` is how many times slower it has become, None if not comparable."""

    id: str
    here: Measurement | None
    other: Measurement | None
    slowdown: Ratio | None
    verdict: str


def changes(here: Results, other: Results) -> list[Change]:
    """Compare every number that either run has."""
    new = {item.id: item for item in here.found}
    old = {item.id: item for item in other.found}
    return [_change(name, new.get(name), old.get(name)) for name in dict.fromkeys([*new, *old])]


def _change(name: str, new: Measurement | None, old: Measurement | None) -> Change:
    quotient = None
    if new and old and (new.unit, new.better) == (old.unit, old.better):
        quotient = slowdown(new.repetitions, old.repetitions, new.better)
    if quotient is None:
        verdict = "cannot be compared"
    elif quotient.low is None or quotient.high is None:
        verdict = "too few repetitions"
    elif quotient.low > 1:
        verdict = "slower"
    elif quotient.high < 1:
        verdict = "faster"
    else:
        verdict = "no change shown"
    return Change(name, new, old, quotient, verdict)


def comparison_section(here: Results, other: Results) -> Section:
    """Compare a run with an earlier or other one; `other` is the base."""
    made = other.run.tool.started if other.run.tool and other.run.tool.started else "a time not recorded"
    prose = [
        f"Compared with the campaign “{other.run.name}” on {other.run.lab}, started {made}. A change counts"
        " where the 95 % interval of the quotient excludes 1; of twenty unchanged numbers about one will"
        " seem to have changed."
    ]
    differences = _differences(here, other)
    if differences:
        prose.append("The runs differ in more than their results: " + "; ".join(differences) + ".")
    tables = (_number_table(here, other), _proof_table(here, other))
    return Section("against", "Against another run", tuple(prose), tables)


def _differences(here: Results, other: Results) -> list[str]:
    found = []
    if here.run.lab != other.run.lab:
        found.append(f"the lab is {here.run.lab}, it was {other.run.lab}")
    for name, facts in (here.run.hosts.hosts if here.run.hosts else {}).items():
        before = other.run.hosts.hosts.get(name, {}) if other.run.hosts else {}
        for key in ("kernel", "cpu_model", "cpus", "memory_kib"):
            if key in facts and key in before and facts[key] != before[key]:
                found.append(f"{key} of {name} is {facts[key]}, it was {before[key]}")
    old = {step.key: step.digest for step in other.run.steps}
    changed = sum(1 for step in here.run.steps if old.get(step.key, step.digest) != step.digest)
    if changed:
        found.append(f"{count(changed, 'step')} had other parameters")
    return found


def _number_table(here: Results, other: Results) -> Table:
    columns = (
        Column("Number", "code"),
        Column("This run", "number"),
        Column("Other run", "number"),
        Column("Unit"),
        Column("n"),
        Column("Times slower", "number"),
        Column("95 % interval", "number"),
        Column("Change"),
    )
    rows = tuple(_number_row(change) for change in changes(here, other))
    caption = f"Numbers of both runs: {here.run.lab}, against {other.run.lab}"
    return Table("against-numbers", caption, columns, rows)


def _number_row(change: Change) -> tuple[Cell, ...]:
    means = [
        Cell(number(item.estimate.centre), item.estimate.centre)
        if item
        else Cell("not measured", tone="quiet")
        for item in (change.here, change.other)
    ]
    counts = ", ".join(str(item.estimate.n if item else 0) for item in (change.here, change.other))
    unit = next(item.unit for item in (change.here, change.other) if item)
    q = change.slowdown
    return (
        Cell(change.id),
        *means,
        Cell(unit),
        Cell(counts),
        Cell(number(q.value), q.value) if q else Cell("–"),
        Cell(interval(q.low, q.high), q.low) if q else Cell("–"),
        Cell(change.verdict, tone=_TONES.get(change.verdict, "")),
    )


def _proof_table(here: Results, other: Results) -> Table:
    columns = (
        Column("Part"),
        Column("This run"),
        Column("Other run"),
        Column("Seconds", "number"),
        Column("Seconds, other run", "number"),
    )
    new = {part.name: part for part in (here.run.proofs.parts if here.run.proofs else ())}
    old = {part.name: part for part in (other.run.proofs.parts if other.run.proofs else ())}
    rows = []
    for name in dict.fromkeys([*new, *old]):
        a, b = new.get(name), old.get(name)
        states = (a.status if a else "not there", b.status if b else "not there")
        tone: Tone = "" if states[0] == states[1] else "good" if states[0] == "passed" else "bad"
        seconds = [
            Cell(f"{p.seconds:.1f}", p.seconds) if p and p.seconds is not None else Cell("–") for p in (a, b)
        ]
        rows.append((Cell(name), Cell(states[0], tone=tone), Cell(states[1]), *seconds))
    return Table("against-proofs", "Proofs of both runs", columns, tuple(rows))
