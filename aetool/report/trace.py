# SPDX-License-Identifier: Apache-2.0
"""From a number in the report back to the raw output that it was read from.

Walking back is a check, not a look-up: the value must stand in the raw file, and the step must be the one
that the journal says it is.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aetool.core.errors import ConfigError
from aetool.report.build import Results
from aetool.report.document import interval, number
from aetool.report.inputs import Run
from aetool.report.measure import Measurement
from aetool.report.provenance import Origin, origin
from aetool.report.sections.published import standing

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class TracedSample:
    """One sample: where its value stands in the raw file (line from 1), None if it does not stand there."""

    repetition: int
    vm: int
    value: float
    origin: Origin
    line: int | None
    text: str


@dataclass(frozen=True)
class TracedNumber:
    """A number of the report with every sample that it was computed from."""

    measurement: Measurement
    samples: tuple[TracedSample, ...]


def trace(results: Results, name: str) -> list[TracedNumber]:
    """Walk back from a number's id, or from a claim's id through the numbers that it rests on.

    Raises ConfigError if the report has no such number, or if the claim rests on none.
    """
    found = {item.id: item for item in results.found}
    uses = [use for finding in results.findings if finding.claim.id == name for use in finding.uses]
    if name in found:
        uses = [name]
    if not uses:
        claims = [finding.claim.id for finding in results.findings]
        if name in claims:
            raise ConfigError(f"the claim {name!r} rests on no measured number in this run")
        known = [*found, *dict.fromkeys(claims)]
        close = difflib.get_close_matches(name, known, n=3) or known[:10]
        raise ConfigError(
            f"the report has no number {name!r}", hint=f"numbers are called like {', '.join(close)}"
        )
    return [_trace(results.run, found[use]) for use in dict.fromkeys(uses)]


def _trace(run: Run, item: Measurement) -> TracedNumber:
    steps = {step.key: step for step in run.steps}
    samples = []
    for row in item.raw.to_dict("records"):
        source = origin(run, steps, str(row["step"]), str(row["raw"]))
        line, text = _locate(run.directory, source.raw, float(row["value"]))
        samples.append(
            TracedSample(int(row["repetition"]), int(row["vm"]), float(row["value"]), source, line, text)
        )
    return TracedNumber(item, tuple(samples))


def _locate(directory: Path, raw: str, value: float) -> tuple[int | None, str]:
    """The first line of a raw file that holds a value, or what is wrong with the file."""
    try:
        lines = (directory / raw).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return None, f"{raw} cannot be read: {error.strerror}"
    for place, line in enumerate(lines, start=1):
        if any(float(word.replace(",", "")) == value for word in _NUMBER.findall(line)):
            return place, line.strip()
    return None, f"no line of {raw} holds this value"


def trace_data(results: Results, name: str) -> list[dict[str, Any]]:
    """Return the way back as data."""
    return [
        {
            "id": traced.measurement.id,
            "estimate": asdict(traced.measurement.estimate),
            "unit": traced.measurement.unit,
            "samples": [asdict(sample) for sample in traced.samples],
        }
        for traced in trace(results, name)
    ]


def trace_text(results: Results, name: str) -> str:
    """Return the way back as text for a terminal."""
    lines: list[str] = []
    for finding in results.findings:
        if finding.claim.id == name:
            lines.append(f"{finding.verdict}: {finding.claim.text} ({finding.part or name})")
            lines.append(f"  claim from {finding.claim.source}, {standing(finding.claim)}")
            lines.append(f"  {finding.measured}; {finding.reason}")
    for traced in trace(results, name):
        lines += _number_lines(traced)
    tool = results.run.tool
    if tool:
        dirty = " with uncommitted changes" if tool.dirty else ""
        lines.append(f"measured by aetool {tool.version}, commit {tool.commit}{dirty}")
    return "\n".join(lines) + "\n"


def _number_lines(traced: TracedNumber) -> list[str]:
    item, e = traced.measurement, traced.measurement.estimate
    lines = [
        "",
        f"{item.id}: {number(e.centre)} {item.unit}, 95 % interval {interval(e.low, e.high)} ({e.method}),"
        f" {e.n} of {item.planned} repetitions, {item.better} is better",
    ]
    for sample in traced.samples:
        step = sample.origin.step
        vm = f", VM {sample.vm}" if sample.vm else ""
        lines.append(f"  repetition {sample.repetition}{vm}: {sample.value!r} {item.unit}")
        place = f"{sample.origin.raw}:{sample.line}" if sample.line else "NOT FOUND"
        lines.append(f"    {place}: {sample.text}")
        lines.append(f"    command: {sample.origin.command or 'not recorded'}")
        kernel = f", kernel {sample.origin.kernel}" if sample.origin.kernel else ""
        lines.append(
            f"    on {step.host}{kernel}; attempt {step.attempt}; log {step.log}; digest {step.digest}"
        )
    return lines
