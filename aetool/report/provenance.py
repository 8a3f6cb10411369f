# SPDX-License-Identifier: Apache-2.0
"""Where each number comes from: host, kernel, command line, raw output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from aetool.core.journal import Step
from aetool.report.document import Cell, Column, Section, Table
from aetool.report.inputs import Run
from aetool.report.measure import Measurement, count


@dataclass(frozen=True)
class Origin:
    """How one sample came to be; what was not recorded is an empty text."""

    step: Step
    raw: str
    command: str
    kernel: str


def origin(run: Run, steps: dict[str, Step], step: str, raw: str) -> Origin:
    """Return the origin of a sample of `step` that was read from the file `raw`."""
    found = steps[step]
    facts = run.hosts.hosts.get(found.host or "", {}) if run.hosts else {}
    return Origin(found, raw, _command(run, raw), str(facts.get("kernel") or ""))


def provenance_section(run: Run, found: list[Measurement]) -> Section:
    """One row a number in the tables of benchmarks."""
    columns = (
        Column("Number", "code"),
        Column("Host"),
        Column("Kernel"),
        Column("Command (first repetition)", "code"),
        Column("Raw output (first repetition)", "code"),
        Column("Samples", "number"),
    )
    steps = {step.key: step for step in run.steps}
    rows = []
    for item in found:
        first = item.raw.iloc[0]
        source = origin(run, steps, str(first["step"]), str(first["raw"]))
        rows.append(
            (
                Cell(item.id),
                Cell(source.step.host or "not recorded"),
                Cell(source.kernel or "not recorded"),
                Cell(source.command or "not recorded"),
                Cell(source.raw),
                Cell(str(len(item.raw)), len(item.raw)),
            )
        )
    tool = run.tool
    made = "a version of aetool that was not recorded"
    if tool:
        dirty = " with uncommitted changes" if tool.dirty else ""
        made = f"aetool {tool.version}, commit {tool.commit}{dirty}"
    prose = (
        f"{count(len(rows), 'number')}, measured by {made}. Every sample with its raw file is in"
        " csv/samples.csv; the raw files lie in the run directory, the command line beside each.",
    )
    table = Table("provenance", f"Where the numbers come from: {run.lab}", columns, tuple(rows))
    return Section("provenance", "Where the numbers come from", prose, (table,))


def _command(run: Run, raw: str) -> str:
    """The command line, which lies beside the output that it printed."""
    inside = PurePosixPath(raw)
    if inside.is_absolute() or ".." in inside.parts:
        return ""
    try:
        return (run.directory / inside).with_suffix(".command").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
