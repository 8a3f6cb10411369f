# SPDX-License-Identifier: Apache-2.0
"""The claims of a run as plain text: what `aetool reproduce` ends with."""

from __future__ import annotations

import textwrap
from pathlib import Path

from aetool.core.project import project_root
from aetool.report.build import Results, compute, facts
from aetool.report.compare import changes
from aetool.report.document import interval, number
from aetool.report.inputs import load_run
from aetool.report.published import load_references

_WIDTH, _LEFT = 100, 20


def terminal_summary(run_dir: Path, references: Path | None = None) -> str:
    """Return the claims table of a run, judged by the claims in `references` (reports/ if None)."""
    known = load_references(references or project_root() / "reports")
    return summary_text(compute(load_run(run_dir), *known))


def summary_text(results: Results, other: Results | None = None) -> str:
    """Return the summary and the claims table, and what has changed against another run."""
    lines = [f"Campaign {results.run.name} on {results.run.lab}", ""]
    lines += [f"  {fact.label:<18} {fact.value:<10} {fact.detail}".rstrip() for fact in facts(results)]
    lines += ["", f"  {'verdict':<{_LEFT}}claim"]
    for finding in results.findings:
        claim = finding.claim
        name = claim.id if claim.verified else f"{claim.id} *"
        part = f" ({finding.part})" if finding.part else ""
        found = "; ".join(text for text in (finding.measured, finding.reason) if text != "–")
        lines += _wrapped(finding.verdict, f"{name}{part}: {found}")
    if not all(finding.claim.verified for finding in results.findings):
        lines += ["", "  * nobody has checked this claim against its source (reports/claims.yaml)"]
    if other is not None:
        lines += ["", f"  {'change':<{_LEFT}}number, against {other.run.name} on {other.run.lab}"]
        for change in changes(results, other):
            q = change.slowdown
            times = f": {number(q.value)} times slower ({interval(q.low, q.high)})" if q else ""
            lines += _wrapped(change.verdict, f"{change.id}{times}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _wrapped(left: str, text: str) -> list[str]:
    first, *rest = textwrap.wrap(text, _WIDTH - _LEFT)
    return [f"  {left:<{_LEFT}}{first}", *(f"  {'':<{_LEFT}}{line}" for line in rest)]
