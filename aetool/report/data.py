# SPDX-License-Identifier: Apache-2.0
"""The report as data for other programs: summary, claims, numbers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from aetool.report.build import Results, facts
from aetool.report.compare import changes
from aetool.report.document import plain
from aetool.report.measure import unfinished
from aetool.report.stats import Ratio


def _rounded(value: Any) -> Any:
    return float(plain(value)) if isinstance(value, float) else value


def _ratio(ratio: Ratio | None) -> dict[str, Any] | None:
    return {name: _rounded(value) for name, value in asdict(ratio).items()} if ratio else None


def _changes(here: Results, other: Results) -> list[dict[str, Any]]:
    return [
        {"id": change.id, "slowdown": _ratio(change.slowdown), "change": change.verdict}
        for change in changes(here, other)
    ]


def as_data(results: Results, other: Results | None = None) -> dict[str, Any]:
    """Return what the report says, JSON-ready; compared with another run if one is given."""
    run = results.run
    compared = {} if other is None else {"against": _changes(results, other)}
    return compared | {
        "campaign": run.name,
        "lab": run.hosts.lab.model_dump() if run.hosts else None,
        "summary": [asdict(fact) for fact in facts(results)],
        "claims": [
            {
                "id": finding.claim.id,
                "text": finding.claim.text,
                "part": finding.part,
                "verdict": finding.verdict,
                "measured": finding.measured,
                "reason": finding.reason,
                "verified": finding.claim.verified,
                "uses": list(finding.uses),
            }
            for finding in results.findings
        ],
        "measurements": [
            {
                "id": item.id,
                "suite": item.suite,
                "profile": item.profile,
                "metric": item.metric,
                "unit": item.unit,
                "better": item.better,
                "configuration": item.configuration,
                "vms": item.vms,
                "planned": item.planned,
                "repetitions": [_rounded(value) for value in item.repetitions],
                "estimate": {name: _rounded(value) for name, value in asdict(item.estimate).items()},
                "slowdown": _ratio(item.slowdown),
            }
            for item in results.found
        ],
        "not_run": [{"step": step.key, "state": step.state, "reason": why} for step, why in unfinished(run)]
        + [{"part": gap.what, "reason": gap.why} for gap in run.gaps],
    }
