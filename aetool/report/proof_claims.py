# SPDX-License-Identifier: Apache-2.0
"""Verdicts on claims about the proofs: something is all there and all checked, or it is not reproduced."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aetool.report.measure import count
from aetool.report.published import AuditClaim, LayersClaim, TheoremsClaim
from aetool.report.records import Proofs, Theorem
from aetool.report.verdicts import Finding, Verdict


def proof_finding(claim: LayersClaim | TheoremsClaim | AuditClaim, proofs: Proofs | None) -> Finding:
    """Judge a claim about the proofs by proofs.json, None if the run has none."""
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
