# SPDX-License-Identifier: Apache-2.0
"""The sections about the run itself: verdicts, hosts, what did not run, where numbers come from."""

from __future__ import annotations

from typing import Any

from aetool.core.journal import State
from aetool.report.document import Cell, Column, Section, Table, Tone
from aetool.report.inputs import Run
from aetool.report.measure import count, unfinished
from aetool.report.records import Part
from aetool.report.sections.published import standing
from aetool.report.verdicts import Finding, Verdict

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
        others = [part for part in run.proofs.parts if part.kind != "layer"]
        rows += [
            (Cell("proof"), Cell(part.name), Cell(part.status, tone=_tone(part.status)), Cell(_why(part)))
            for part in (*others, *run.proofs.layers)
            if part.status != "passed"
        ]
        absent = run.proofs.absent
        if absent:
            names = ", ".join(f"{layer.number} {layer.name}" for layer in absent)
            why = f"this tree does not prove them: {names}"
            what = Cell(count(len(absent), "layer"), len(absent))
            rows.append((Cell("proof"), what, Cell("not in the tree", tone="warn"), Cell(why)))
    for finding in findings:
        if finding.verdict is Verdict.NOT_RUN:
            name = f"{finding.claim.id}: {finding.part}" if finding.part else finding.claim.id
            rows.append((Cell("claim"), Cell(name), Cell("not run", tone="quiet"), Cell(finding.reason)))
    columns = (Column("Kind"), Column("What"), Column("State"), Column("Reason", "wide"))
    prose = ("Nothing is left out of this list: what is not in it has a result above.",)
    table = Table("not-run", f"What did not run, {len(rows)} entries", columns, tuple(rows))
    retried = _retried(run)
    return Section("not-run", "What did not run", prose, (table, retried) if retried else (table,))


def _retried(run: Run) -> Table | None:
    """Attempts that came to nothing although their step has a result now."""
    done = {step.key for step in run.steps if step.state is State.DONE}
    rows = tuple(
        (
            Cell(change.step),
            Cell(str(change.attempt), change.attempt),
            Cell(change.state, tone=_tone(change.state)),
            Cell(change.reason or "–"),
        )
        for change in run.history
        if change.step in done and change.state not in (State.STARTED, State.DONE)
    )
    columns = (Column("Step"), Column("Attempt", "number"), Column("Became"), Column("Reason", "wide"))
    notes = ("Their raw output is kept in set-aside/; none of their numbers is in this report.",)
    return Table("retried", "Steps that needed more than one attempt", columns, rows, notes) if rows else None


def repeat_section(run: Run) -> Section:
    """How to do it again, and what made this run."""
    tool = run.tool
    campaign, lab = run.meta.get("campaign", "CAMPAIGN"), run.meta.get("lab", "LAB")
    rows = []
    if tool:
        dirty = {True: " with uncommitted changes", False: "", None: ""}[tool.dirty]
        rows += [
            (Cell("aetool"), Cell(tool.version or "–")),
            (Cell("commit"), Cell(f"{tool.commit or 'unknown'}{dirty}", tone="warn" if tool.dirty else "")),
            (Cell("started"), Cell(tool.started or "–")),
        ]
    rows += [
        (Cell(name), Cell(value))
        for name, value in sorted(run.meta.items())
        # the definition is the campaign as resolved, which is shown field by field
        if name != "definition" or not run.campaign
    ]
    rows += [(Cell(f"campaign: {name}"), Cell(value)) for name, value in _flat(run.campaign or {}).items()]
    table = Table(
        "parameters", "What made this run", (Column("Name"), Column("Value")), tuple(rows), folded=True
    )
    prose = (
        f"All of it: check out the commit below, then ./scripts/reproduce.sh, or aetool reproduce"
        f" --campaign {campaign} --lab {lab} --fresh. The benchmarks alone: aetool campaign run {campaign}"
        f" --lab {lab}. This report, here or from a copy of the run directory: aetool report RUN. From a"
        " number to the raw output it was read from: aetool report RUN --trace NUMBER.",
    )
    return Section("repeat", "How to repeat it", prose, (_stages(run), table) if run.stages else (table,))


def _stages(run: Run) -> Table:
    rows = tuple(
        (
            Cell(stage.name),
            Cell(stage.status, tone="good" if stage.status == "done" else _tone(stage.status)),
            Cell("–" if stage.seconds is None else f"{stage.seconds:.1f}", stage.seconds),
        )
        for stage in run.stages
    )
    columns = (Column("Stage"), Column("State"), Column("Seconds", "number"))
    return Table("stages", "What aetool reproduce did last", columns, rows)


def _why(part: Part) -> str:
    """Why a part of the tree has not passed."""
    failed = [file.path for file in part.files if file.status not in ("passed", "not built")]
    if failed:
        return f"failed: {', '.join(failed)}"
    if part.status == "incomplete":
        return f"what is there passes ({', '.join(file.path for file in part.files)}), but files are missing"
    return "the build did not get to it"


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
