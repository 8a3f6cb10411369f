# SPDX-License-Identifier: Apache-2.0
"""What can be said about a claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from aetool.report.published import Claim


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


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the least favourable verdict of several (`not run` if there are none)."""
    order = [Verdict.NOT_REPRODUCED, Verdict.UNDECIDED, Verdict.ORDER_ONLY, Verdict.REPRODUCED]
    return next((verdict for verdict in order if verdict in verdicts), Verdict.NOT_RUN)
