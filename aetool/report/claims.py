# SPDX-License-Identifier: Apache-2.0
"""Verdicts on the published claims, by rules that a reader can check (docs/report.md states them).

A verdict rests on intervals, never on means alone. Where an interval allows both answers the verdict is
`undecided`: with few repetitions that is an honest outcome, and the report says how many would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from aetool.report.document import interval, number
from aetool.report.inputs import Run
from aetool.report.measure import NATIVE, Measurement, count, slowdown
from aetool.report.proof_claims import proof_finding
from aetool.report.published import (
    Claim,
    Machine,
    Metric,
    OrderClaim,
    RatioClaim,
    SlowdownClaim,
)
from aetool.report.stats import Ratio, repetitions_needed
from aetool.report.verdicts import Finding, Verdict, worst


class _Key(NamedTuple):
    suite: str
    metric: str
    configuration: str
    vms: int


class Judge:
    """Judges claims by one run."""

    def __init__(self, run: Run, found: Sequence[Measurement], machines: Mapping[str, Machine]) -> None:
        self._proofs = run.proofs
        self._machines = machines
        facts = run.hosts.hosts.get("server", {}) if run.hosts else {}
        self._cpu = str(facts.get("cpu_model") or "unknown")
        # an emulated processor has a real one's name and nothing of its speed
        self._real = run.hosts is not None and not run.hosts.lab.emulated
        self._found = {(m.profile, _Key(m.suite, m.metric, m.configuration, m.vms)): m for m in found}
        # numbers of two profiles are never compared; the published parameters come first
        self._profiles = sorted(dict.fromkeys(m.profile for m in found), key=lambda name: name != "paper")

    def judge(self, claim: Claim) -> list[Finding]:
        """Return the findings on one claim: one for each part that was run, one for all that were not."""
        if isinstance(claim, SlowdownClaim):
            return self._slowdown(claim)
        if isinstance(claim, RatioClaim):
            return [self._ratio(claim)]
        if isinstance(claim, OrderClaim):
            return [self._order(claim, configuration) for configuration in claim.configurations]
        return [proof_finding(claim, self._proofs)]

    def _together(self, keys: Sequence[_Key]) -> list[Measurement]:
        """The measurements of all keys under one profile, or none."""
        for profile in self._profiles:
            items = [self._found[profile, key] for key in keys if (profile, key) in self._found]
            if len(items) == len(keys):
                return items
        return []

    def _missing(self, keys: Sequence[_Key]) -> list[_Key]:
        return [key for key in keys if not any((profile, key) in self._found for profile in self._profiles)]

    def _pair(
        self, metric: Metric, claim: SlowdownClaim | RatioClaim, vms: int
    ) -> tuple[Measurement, Measurement] | str:
        """The two measurements to compare, or the configurations that are missing."""
        keys = [
            _Key(metric.suite, metric.metric, name, 0 if name == NATIVE else vms)
            for name in (claim.configuration, claim.baseline)
        ]
        if items := self._together(keys):
            return items[0], items[1]
        missing = [key.configuration for key in self._missing(keys)]
        return " and ".join(missing) or f"{claim.configuration} and {claim.baseline} under one profile"

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
        keys = [_Key(claim.suite, name, configuration, claim.vms) for name in names]
        present = {item.metric: item for item in self._together(keys)}
        if not present:
            missing = ", ".join(key.metric for key in self._missing(keys)) or "all of it under one profile"
            reason = f"not measured on {configuration}: {claim.suite} {missing}"
            return Finding(claim, configuration, Verdict.NOT_RUN, "–", reason)
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
