# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the published claims, by rules that a reader can check (docs/report.md states them).

A verdict rests on intervals, never on means alone. Where an interval allows both answers the verdict is
`undecided`: with few repetitions that is an honest outcome, and the report says how many would do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, product

from aetool.report.document import interval, number
from aetool.report.inputs import Run
from aetool.report.measure import Measurement, count, slowdown
from aetool.report.published import (
    AuditClaim,
    Claim,
    LayersClaim,
    Machine,
    Metric,
    OrderClaim,
    RatioClaim,
    SlowdownClaim,
    TheoremsClaim,
)
from aetool.report.records import Proofs, Theorem
from aetool.report.stats import Ratio, repetitions_needed


class Verdict(StrEnum):
    """What a run says about a claim."""

    REPRODUCED = "reproduced"
    ORDER_ONLY = "order only"
    UNDECIDED = "undecided"
    NOT_REPRODUCED = "not reproduced"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Finding:
    """The verdict on one claim, or on one part of it; `uses` are the ids of the numbers it rests on."""

    claim: Claim
    part: str
    verdict: Verdict
    measured: str
    reason: str
    n: str = "–"
    uses: tuple[str, ...] = ()


class Judge:
    """Judges claims by one run."""

    def __init__(self, run: Run, found: Sequence[Measurement], machines: Mapping[str, Machine]) -> None:
        self._proofs = run.proofs
        self._machines = machines
        facts = run.hosts.hosts.get("server", {}) if run.hosts else {}
        self._cpu = str(facts.get("cpu_model") or "unknown")
        # an emulated processor has a real one's name and nothing of its speed
        self._real = run.hosts is not None and not run.hosts.lab.emulated
        self._found: dict[tuple[str, str, str, int], Measurement] = {}
        for item in found:
            # a suite run under two profiles: the published parameters count
            key = (item.suite, item.metric, item.configuration, item.vms)
            if key not in self._found or item.profile == "paper":
                self._found[key] = item

    def judge(self, claim: Claim) -> list[Finding]:
        """Return the findings on one claim: one for each part that was run, one for all that were not."""
        if isinstance(claim, SlowdownClaim):
            return self._slowdown(claim)
        if isinstance(claim, RatioClaim):
            return [self._ratio(claim)]
        if isinstance(claim, OrderClaim):
            return [self._order(claim, configuration) for configuration in claim.configurations]
        return [_proof_finding(claim, self._proofs)]

    def _pair(
        self, metric: Metric, claim: SlowdownClaim | RatioClaim, vms: int
    ) -> tuple[Measurement, Measurement] | str:
        """The two measurements to compare, or the configurations that are missing."""
        missing, pair = [], []
        for configuration in (claim.configuration, claim.baseline):
            item = self._found.get(
                (metric.suite, metric.metric, configuration, 0 if configuration == "native" else vms)
            )
            if item is None:
                missing.append(configuration)
            else:
                pair.append(item)
        if missing:
            return " and ".join(missing)
        return pair[0], pair[1]

    def _slowdown(self, claim: SlowdownClaim) -> list[Finding]:
        findings, missing = [], []
        for metric, vms in product(claim.metrics, claim.vms):
            part = f"{metric.suite} {metric.metric}, {count(vms, 'VM')}"
            pair = self._pair(metric, claim, vms)
            if isinstance(pair, str):
                missing.append((part, metric.suite, pair))
                continue
            quotient = slowdown(pair[0].repetitions, pair[1].repetitions, pair[0].better)
            bound = claim.at_most * (1 + claim.tolerance)
            limit = f"bound {number(claim.at_most, 3)}, tolerance {claim.tolerance * 100:g}\u00a0%"
            verdict = _within(quotient, 0.0, bound)
            findings.append(_compared(claim, part, pair, quotient, verdict, limit))
        if missing:
            parts = ", ".join(part for part, _, _ in missing)
            name = parts if len(missing) <= 2 else f"{len(missing)} of {len(missing) + len(findings)} parts"
            lacking: dict[str, dict[str, None]] = {}
            for _, suite, configurations in missing:
                lacking.setdefault(configurations, {})[suite] = None
            why = "; ".join(
                f"not measured on {where}: {', '.join(names)}" for where, names in lacking.items()
            )
            findings.append(Finding(claim, name, Verdict.NOT_RUN, "–", why))
        return findings

    def _ratio(self, claim: RatioClaim) -> Finding:
        part = f"{claim.metric.metric}, {count(claim.vms, 'VM')}"
        pair = self._pair(claim.metric, claim, claim.vms)
        if isinstance(pair, str):
            why = f"not measured on {pair}: {claim.metric.suite}"
            return Finding(claim, part, Verdict.NOT_RUN, "–", why)
        machine = self._machines[claim.machine]
        if machine.cpu is None or machine.cpu not in self._cpu or not self._real:
            cpu = self._cpu if self._real else f"{self._cpu}, emulated"
            why = f"about the {claim.machine} ({machine.cpu}); this server's processor is {cpu}"
            return Finding(claim, part, Verdict.NOT_RUN, "–", why)
        quotient = slowdown(pair[0].repetitions, pair[1].repetitions, pair[0].better)
        low, high = claim.expected * (1 - claim.tolerance), claim.expected * (1 + claim.tolerance)
        verdict = _within(quotient, low, high)
        if verdict is Verdict.NOT_REPRODUCED and quotient is not None:
            side = (0.0, 1.0) if claim.expected < 1 else (1.0, float("inf"))
            if _within(quotient, *side) is Verdict.REPRODUCED:
                verdict = Verdict.ORDER_ONLY
        limit = f"expected {number(claim.expected, 3)}, tolerance {claim.tolerance * 100:g}\u00a0%"
        return _compared(claim, part, pair, quotient, verdict, limit)

    def _order(self, claim: OrderClaim, configuration: str) -> Finding:
        names = [name for group in claim.groups for name in group]
        items = {name: self._found.get((claim.suite, name, configuration, claim.vms)) for name in names}
        missing = [name for name, item in items.items() if item is None]
        if missing:
            reason = f"not measured on {configuration}: {claim.suite} {', '.join(missing)}"
            return Finding(claim, configuration, Verdict.NOT_RUN, "–", reason)
        present = {name: item for name, item in items.items() if item is not None}
        verdicts = []
        for lower, upper in pairwise(claim.groups):
            for a, b in product(lower, upper):
                quotient = slowdown(present[a].repetitions, present[b].repetitions, present[a].better)
                verdicts.append(_within(quotient, 0.0, 1.0))
        ranked = sorted(present.values(), key=lambda item: item.estimate.centre)
        measured = " < ".join(f"{item.metric} {number(item.estimate.centre)}" for item in ranked)
        reason = f"{verdicts.count(Verdict.REPRODUCED)} of {len(verdicts)} comparisons as published"
        n = ", ".join(sorted({str(item.estimate.n) for item in ranked}))
        uses = tuple(item.id for item in ranked)
        return Finding(claim, configuration, worst(verdicts), measured, reason, n, uses)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the least favourable verdict of several (`not run` if there are none)."""
    order = [Verdict.NOT_REPRODUCED, Verdict.UNDECIDED, Verdict.ORDER_ONLY, Verdict.REPRODUCED]
    return next((verdict for verdict in order if verdict in verdicts), Verdict.NOT_RUN)


def _within(quotient: Ratio | None, low: float, high: float) -> Verdict:
    """Whether the whole interval lies between the bounds, wholly outside of them, or neither."""
    if quotient is None or quotient.low is None or quotient.high is None:
        return Verdict.UNDECIDED
    if low <= quotient.low and quotient.high <= high:
        return Verdict.REPRODUCED
    if quotient.high < low or quotient.low > high:
        return Verdict.NOT_REPRODUCED
    return Verdict.UNDECIDED


def _compared(
    claim: Claim,
    part: str,
    pair: tuple[Measurement, Measurement],
    quotient: Ratio | None,
    verdict: Verdict,
    limit: str,
) -> Finding:
    measured = "–"
    if quotient is not None:
        measured = f"{number(quotient.value)} ({interval(quotient.low, quotient.high)})"
    if verdict is Verdict.UNDECIDED:
        needed = repetitions_needed(pair[0].repetitions, pair[1].repetitions)
        limit += "; the interval allows both answers"
        if needed and needed > min(pair[0].estimate.n, pair[1].estimate.n):
            limit += f"; about {needed} repetitions show a difference of 5 %"
    n = f"{pair[0].estimate.n}, {pair[1].estimate.n}"
    return Finding(claim, part, verdict, measured, limit, n, (pair[0].id, pair[1].id))


def _proof_finding(claim: LayersClaim | TheoremsClaim | AuditClaim, proofs: Proofs | None) -> Finding:
    if proofs is None:
        return Finding(claim, "", Verdict.NOT_RUN, "–", "the proofs were not checked in this run")
    if isinstance(claim, LayersClaim):
        passed = [part for part in proofs.layers if part.status == "passed"]
        verdict = Verdict.REPRODUCED if len(passed) >= claim.layers else Verdict.NOT_REPRODUCED
        failed = [part.name for part in proofs.layers if part.status != "passed"]
        absent = max(claim.layers - len(proofs.layers), 0)
        reasons = [f"not passed: {', '.join(failed)}"] * bool(failed)
        reasons += [f"{count(absent, 'layer')} not in the tree"] * bool(absent)
        why = "; ".join(reasons) or "all files of all layers checked by coqc"
        return Finding(claim, "", verdict, f"{len(passed)} of {claim.layers} layers checked", why)
    if isinstance(claim, TheoremsClaim):
        return _theorem_finding(claim, proofs.theorems)
    if proofs.audit is None:
        return Finding(claim, "", Verdict.NOT_RUN, "–", "the audit was not run")
    bad = ", ".join(check.name for check in proofs.audit.checks if not check.passed)
    verdict = Verdict.REPRODUCED if proofs.audit.passed else Verdict.NOT_REPRODUCED
    good = sum(check.passed for check in proofs.audit.checks)
    measured = f"{good} of {count(len(proofs.audit.checks), 'check')} passed"
    return Finding(claim, "", verdict, measured, f"failed: {bad}" if bad else "every check passed")


def _theorem_finding(claim: TheoremsClaim, theorems: Sequence[Theorem]) -> Finding:
    absent, relevant = [], []
    for phrase in claim.stands_for:
        # "Theorem 1" is not mentioned by "Theorem 12"
        mention = re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)", re.IGNORECASE)
        found = [theorem for theorem in theorems if mention.search(theorem.claim or "")]
        relevant += [theorem for theorem in found if theorem not in relevant]
        if not found:
            absent.append(phrase)
    reasons = [f"{t.name} is {t.status}" for t in relevant if t.status != "closed"]
    reasons += [f"no theorem of this tree stands for {', '.join(absent)}"] * bool(absent)
    closed = sum(theorem.status == "closed" for theorem in relevant)
    verdict = Verdict.NOT_REPRODUCED if reasons else Verdict.REPRODUCED
    measured = f"{closed} of {count(len(relevant), 'theorem')} closed" if relevant else "–"
    names = "closed under the global context: " + ", ".join(theorem.name for theorem in relevant)
    return Finding(claim, "", verdict, measured, "; ".join(reasons) or names)
