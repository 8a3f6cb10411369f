# SPDX-License-Identifier: Apache-2.0
"""What a campaign will cost before it is started: time, and virtual machines against the hypervisor's budget.

SeKVM hands out VM identifiers 1 to 55 cleanly and never takes one back, so the number of VMs that may be
created between two boots is bounded; the others have no such limit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from aetool.bench.definitions import Resolved
from aetool.bench.plan import plan

VMID_BUDGET = {"sekvm": 55}


@dataclass(frozen=True)
class Forecast:
    """`seconds` counts measuring only, as the profiles estimate it, not boots of hosts and VMs.

    vm_creations: for each configuration; VMs serve one repetition, of suites that follow one another, or all
        repetitions if the campaign keeps them.
    reboots: for each configuration with a budget, how often the server must be rebooted in between.
    too_many: steps of more VMs than the budget of a whole boot.
    """

    steps: int
    seconds: float
    vm_creations: dict[str, int]
    reboots: dict[str, int]
    too_many: tuple[str, ...]

    def lines(self) -> list[str]:
        """The forecast for a terminal."""
        minutes = self.seconds / 60
        text = [f"{self.steps} steps, about {minutes:.0f} min of measuring" if minutes >= 2 else
                f"{self.steps} steps, about {self.seconds:.0f} s of measuring"]  # fmt: skip
        for configuration, count in self.vm_creations.items():
            budget = VMID_BUDGET.get(configuration)
            tail = f", {budget} to a boot: {self.reboots[configuration]} reboots in between" if budget else ""
            text.append(f"{configuration}: {count} VM creations{tail}")
        return text + [f"{key}: more VMs than one boot can create" for key in self.too_many]


def forecast(resolved: Resolved) -> Forecast:
    """Add up what the planned steps need, in the order of the plan."""
    seconds = 0.0
    creations: Counter[str] = Counter()
    reboots: dict[str, int] = {}
    spent: Counter[str] = Counter()
    too_many = []
    steps = plan(resolved)
    kept = resolved.campaign.guests == "kept"
    alive = None
    for step in steps:
        suite, parameters = resolved.suite(step.suite)
        seconds += parameters.estimate_seconds
        wanted = (step.configuration, step.vms, 0 if kept else step.repetition)
        if not step.vms or (alive == wanted and not suite.own_guest):
            continue
        alive = None if suite.own_guest else wanted
        creations[step.configuration] += step.vms
        budget = VMID_BUDGET.get(step.configuration)
        if budget is None:
            continue
        reboots.setdefault(step.configuration, 0)
        if step.vms > budget:
            too_many.append(step.key)
        elif spent[step.configuration] + step.vms > budget:
            reboots[step.configuration] += 1
            spent[step.configuration] = step.vms
        else:
            spent[step.configuration] += step.vms
    return Forecast(len(steps), seconds, dict(creations), reboots, tuple(too_many))
