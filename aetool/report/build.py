# SPDX-License-Identifier: Apache-2.0
"""From the contents of a run directory to the document: every section in the order of reading."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from aetool.report.claims import Judge
from aetool.report.document import Document, Fact, Tone
from aetool.report.inputs import Run
from aetool.report.measure import Measurement, count, measurements, unfinished
from aetool.report.provenance import provenance_section
from aetool.report.published import Claims, Published
from aetool.report.sections.bench import bench_section
from aetool.report.sections.proofs import proof_section, theorem_section
from aetool.report.sections.run import (
    VERDICT_TONES,
    claims_section,
    gaps_section,
    hosts_section,
    repeat_section,
)
from aetool.report.verdicts import Finding, Verdict, worst


@dataclass(frozen=True)
class Results:
    """A run with everything that was computed from it."""

    run: Run
    published: Published
    found: list[Measurement]
    findings: list[Finding]


def compute(run: Run, published: Published, claims: Claims) -> Results:
    """Summarise the samples of a run and judge the claims by them."""
    found = measurements(run)
    judge = Judge(run, found, published.machines)
    findings = [finding for claim in claims.claims for finding in judge.judge(claim)]
    return Results(run, published, found, findings)


def build(results: Results) -> Document:
    """Arrange the report of a run."""
    run, published = results.run, results.published
    started = run.tool.started if run.tool and run.tool.started else "at a time that was not recorded"
    sections = (
        claims_section(run, results.findings),
        proof_section(run, published),
        theorem_section(run),
        bench_section(run, results.found, published),
        hosts_section(run),
        provenance_section(run, results.found),
        gaps_section(run, results.findings),
        repeat_section(run),
    )
    footer = tuple(f"{name}: {text}" for name, text in published.sources.items())
    subtitle = f"Campaign “{run.name}” on {run.lab}; started {started}."
    return Document(
        "SeKVM: what was checked and what was measured", subtitle, facts(results), sections, footer
    )


def facts(results: Results) -> tuple[Fact, ...]:
    """Return the lines of the summary: proofs, theorems, audit, benchmarks, claims."""
    return (*_proof_facts(results.run), _bench_fact(results.run), _claims_fact(results.findings))


def _proof_facts(run: Run) -> list[Fact]:
    proofs = run.proofs
    if proofs is None:
        why = next((gap.why for gap in run.gaps if gap.what == "proofs"), "")
        stages = [s.reason for s in run.stages if s.name.startswith("proofs") and s.reason]
        return [Fact("Proofs", "not run", "; ".join(stages) or why, "quiet")]
    passed = sum(part.status == "passed" for part in proofs.layers)
    failed = [part.name for part in proofs.parts if part.status == "failed"]
    detail = f"failed: {', '.join(failed)}" if failed else f"{len(proofs.absent)} not in the tree"
    tone: Tone = "bad" if failed else "good" if passed == proofs.layers_total else "warn"
    found = [Fact("Layers checked", f"{passed} of {proofs.layers_total}", detail, tone)]
    closed = sum(theorem.status == "closed" for theorem in proofs.theorems)
    total = len(proofs.theorems)
    tone = "quiet" if not total else "good" if closed == total else "bad"
    found.append(Fact("Theorems closed", f"{closed} of {total}", "rest on no axiom", tone))
    if proofs.audit is None:
        found.append(Fact("Audit", "not run", "", "quiet"))
    else:
        good = sum(check.passed for check in proofs.audit.checks)
        detail = f"{good} of {count(len(proofs.audit.checks), 'check')}"
        verdict: tuple[str, Tone] = ("passed", "good") if proofs.audit.passed else ("failed", "bad")
        found.append(Fact("Audit", verdict[0], detail, verdict[1]))
    return found


def _bench_fact(run: Run) -> Fact:
    if not run.steps:
        why = next((gap.why for gap in run.gaps if gap.what == "benchmarks"), "the campaign has no steps")
        return Fact("Benchmark steps", "not run", why, "quiet")
    missing = len(unfinished(run))
    done = len(run.steps) - missing
    return Fact(
        "Benchmark steps", f"{done} of {len(run.steps)}", f"on {run.lab}", "warn" if missing else "good"
    )


def _claims_fact(findings: list[Finding]) -> Fact:
    parts: dict[str, list[Verdict]] = {}
    for finding in findings:
        parts.setdefault(finding.claim.id, []).append(finding.verdict)
    whole = {name: worst(verdicts) for name, verdicts in parts.items()}
    partly = [
        name
        for name, verdict in whole.items()
        if verdict is Verdict.REPRODUCED and Verdict.NOT_RUN in parts[name]
    ]
    counts = Counter(verdict for name, verdict in whole.items() if name not in partly)
    others = [f"{len(partly)} reproduced in part"] * bool(partly)
    others += [f"{counts[v]} {v}" for v in Verdict if counts[v] and v is not Verdict.REPRODUCED]
    value = f"{counts[Verdict.REPRODUCED]} of {len(whole)}"
    judged = [verdict for verdict in whole.values() if verdict is not Verdict.NOT_RUN]
    return Fact("Claims reproduced", value, ", ".join(others), VERDICT_TONES[worst(judged)])
