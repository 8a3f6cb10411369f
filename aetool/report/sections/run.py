# SPDX-License-Identifier: Apache-2.0
"""The sections about the run itself: verdicts, hosts, what did not run, where numbers come from."""

from __future__ import annotations

from typing import Any

from aetool.report.claims import Finding, Verdict
from aetool.report.document import Cell, Column, Section, Table, Tone
from aetool.report.inputs import Run
from aetool.report.measure import unfinished
from aetool.report.sections.published import standing

VERDICT_TONES: dict[Verdict, Tone] = {
    Verdict.REPRODUCED: "good",
    Verdict.ORDER_ONLY: "warn",
    Verdict.UNDECIDED: "warn",
    Verdict.NOT_REPRODUCED: "bad",
    Verdict.NOT_RUN: "quiet",
}


def claims_section(run: Run, findings: list[Finding]) -> Section:
    """The published claims with their verdicts."""
    columns = (
        Column("Claim", "wide"),
        Column("Part"),
        Column("Verdict"),
        Column("n"),
        Column("Measured"),
        Column("Why", "wide"),
        Column("Source of the claim"),
    )
    rows = tuple(
        (
            Cell(finding.claim.text),
            Cell(finding.part or "–"),
            Cell(finding.verdict, tone=VERDICT_TONES[finding.verdict]),
            Cell(finding.n),
            Cell(finding.measured),
            Cell(finding.reason),
            Cell(
                f"{finding.claim.source}, {standing(finding.claim)}",
                tone="" if finding.claim.verified else "warn",
            ),
        )
        for finding in findings
    )
    prose = (
        "reproduced: the whole 95 % interval lies within the claim's tolerance. order only: it does not, but"
        " the published order holds. undecided: the interval allows both answers. not reproduced: the"
        " interval excludes the claim, or the thing claimed is not there. not run: nothing to judge by.",
    )
    caption = f"The published claims, judged by this run; benchmarks on {run.lab}"
    return Section("claims", "Claims", prose, (Table("claims", caption, columns, rows),))


def hosts_section(run: Run) -> Section:
    """Facts of every host, side by side."""
    if run.hosts is None:
        return Section("hosts", "Hosts", ("The run holds no facts of hosts.",))
    facts = {name: _flat(values) for name, values in run.hosts.hosts.items()}
    names = list(facts)
    keys = list(dict.fromkeys(key for values in facts.values() for key in values))
    rows = tuple((Cell(key), *(Cell(facts[name].get(key, "–")) for name in names)) for key in keys)
    lab = run.hosts.lab
    kind = "emulated" if lab.emulated else "not emulated"
    prose = (f"The lab is {lab.description or lab.provider} (provider {lab.provider}, {kind}).",)
    columns = (Column("Fact"), *(Column(name) for name in names))
    table = Table("hosts", f"The hosts: {run.lab}", columns, rows)
    return Section("hosts", "Hosts", prose, (table,))


def gaps_section(run: Run, findings: list[Finding]) -> Section:
    """Everything that was not run, or has no result, with the reason."""
    rows: list[tuple[Cell, ...]] = [
        (
            Cell("stage"),
            Cell(stage.name),
            Cell(stage.status, tone=_tone(stage.status)),
            Cell(stage.reason or "–"),
        )
        for stage in run.stages
        if stage.status != "done"
    ]
    rows += [
        (Cell("part of the run"), Cell(g.what), Cell("missing", tone="warn"), Cell(g.why)) for g in run.gaps
    ]
    for step, why in unfinished(run):
        attempts = f" (attempt {step.attempt})" if step.attempt > 1 else ""
        rows.append(
            (Cell("step"), Cell(step.key), Cell(step.state, tone=_tone(step.state)), Cell(why + attempts))
        )
    if run.proofs:
        for part in run.proofs.parts:
            if part.status != "passed":
                failed = [file.path for file in part.files if file.status == "failed"]
                why = f"failed: {', '.join(failed)}" if failed else "the build did not get to it"
                rows.append((Cell("proof"), Cell(part.name), Cell(part.status, tone="bad"), Cell(why)))
        rows += [
            (
                Cell("proof"),
                Cell(f"layer {layer.number}, {layer.name}"),
                Cell("not in the tree", tone="warn"),
                Cell("this tree does not prove it yet"),
            )
            for layer in run.proofs.layers_missing
        ]
    for finding in findings:
        if finding.verdict is Verdict.NOT_RUN:
            name = f"{finding.claim.id}: {finding.part}" if finding.part else finding.claim.id
            rows.append((Cell("claim"), Cell(name), Cell("not run", tone="quiet"), Cell(finding.reason)))
    columns = (Column("Kind"), Column("What"), Column("State"), Column("Reason"))
    prose = ("Nothing is left out of this list: what is not in it has a result above.",)
    table = Table("not-run", f"What did not run, {len(rows)} entries", columns, tuple(rows))
    return Section("not-run", "What did not run", prose, (table,))


def repeat_section(run: Run) -> Section:
    """How to do it again, and what made this run."""
    tool = run.tool
    rows = []
    if tool:
        dirty = {True: " with uncommitted changes", False: "", None: ""}[tool.dirty]
        rows += [
            (Cell("aetool"), Cell(tool.version or "–")),
            (Cell("commit"), Cell(f"{tool.commit or 'unknown'}{dirty}", tone="warn" if tool.dirty else "")),
            (Cell("started"), Cell(tool.started or "–")),
        ]
    rows += [(Cell(name), Cell(value)) for name, value in sorted(run.meta.items())]
    rows += [(Cell(f"campaign: {name}"), Cell(value)) for name, value in _flat(run.campaign or {}).items()]
    table = Table(
        "parameters", "What made this run", (Column("Name"), Column("Value")), tuple(rows), folded=True
    )
    prose = (
        "To repeat all of it: check out the commit below and run ./scripts/reproduce.sh. To repeat the"
        " benchmarks alone: aetool campaign run, with the campaign and lab named below. To render this report"
        " again, here or from a copy of the run directory: aetool report RUN.",
    )
    return Section("repeat", "How to repeat it", prose, (table,))


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested facts as name and text, in a stable order."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{name}.")
        elif isinstance(value, list):
            flat[name] = ", ".join(str(item) for item in value)
        else:
            flat[name] = "–" if value is None else str(value)
    return flat


def _tone(state: str) -> Tone:
    return "bad" if state == "failed" else "warn"
