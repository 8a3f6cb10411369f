# SPDX-License-Identifier: Apache-2.0
"""From raw samples to one summary per suite, metric, configuration and number of VMs.

What is repeated is the run, not the VM: VMs that run side by side share a host and are not independent. So
the values of one repetition are averaged over its VMs first, and intervals are over repetitions.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from aetool.core.journal import State, Step
from aetool.report.inputs import Run
from aetool.report.stats import Estimate, Ratio, estimate, ratio, repetitions_needed

NATIVE = "native"
_GROUP = ["suite", "profile", "metric", "unit", "better", "configuration", "vms"]
_Key = tuple[str, str, str, str, str, str, int]


@dataclass(frozen=True)
class Measurement:
    """All values of one metric in one configuration with one number of VMs.

    `repetitions` holds one value a repetition (mean over its VMs), `raw` every sample; `slowdown` is
    against the host itself (1 = equal, above 1 = slower, for times and rates alike).
    """

    suite: str
    profile: str
    metric: str
    unit: str
    better: str
    configuration: str
    vms: int
    repetitions: tuple[float, ...]
    raw: pd.DataFrame
    estimate: Estimate
    slowdown: Ratio | None
    planned: int
    needed: int | None

    @property
    def id(self) -> str:
        """The name under which `aetool report --trace` finds the number."""
        return f"{self.suite}.{self.profile}.{self.metric}.{self.configuration}.{self.vms}"

    @property
    def title(self) -> str:
        """Configuration and number of VMs as a reader says them."""
        return self.configuration if self.vms == 0 else f"{self.configuration}, {count(self.vms, 'VM')}"


def count(n: int, noun: str) -> str:
    """Write a number of things."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def measurements(run: Run) -> list[Measurement]:
    """Summarise the samples of a run in the order of its plan."""
    if run.samples.empty:
        return []
    planned = Counter((s.suite, s.profile, s.configuration, s.vms) for s in run.steps)
    frame = run.samples
    groups: dict[_Key, pd.DataFrame] = dict(iter(frame.groupby(_GROUP, sort=False)))  # type: ignore[arg-type]
    means = {
        key: tuple(float(v) for v in group.groupby("repetition", sort=True)["value"].mean())
        for key, group in groups.items()
    }
    found = []
    for key, group in groups.items():
        suite, profile, metric, unit, better, configuration, vms = key
        native = means.get((suite, profile, metric, unit, better, NATIVE, 0))
        own = means[key]
        found.append(
            Measurement(
                *key,
                repetitions=own,
                raw=group,
                estimate=estimate(own),
                slowdown=slowdown(own, native, better) if native and key[5:] != (NATIVE, 0) else None,
                planned=planned[suite, profile, configuration, vms],
                needed=repetitions_needed(own),
            )
        )
    return found


def slowdown(values: tuple[float, ...], baseline: tuple[float, ...], better: str) -> Ratio | None:
    """Return how many times slower `values` are than `baseline`, whatever the direction of the metric."""
    return ratio(values, baseline) if better == "lower" else ratio(baseline, values)


def suites(found: list[Measurement]) -> dict[tuple[str, str], list[Measurement]]:
    """Group summaries by suite and profile, in the order in which they were measured."""
    grouped: dict[tuple[str, str], list[Measurement]] = {}
    for item in found:
        grouped.setdefault((item.suite, item.profile), []).append(item)
    return grouped


def unfinished(run: Run) -> list[tuple[Step, str]]:
    """Return every step without a result, with the reason."""
    reasons = {
        State.PLANNED: "not started: the campaign was stopped before its turn",
        State.STARTED: "started but not finished: the campaign was interrupted, or is still running",
        State.FAILED: "failed",
        State.ABANDONED: "given up",
    }
    return [
        (step, f"{reasons[step.state]}{f': {step.reason}' if step.reason else ''}")
        for step in run.steps
        if step.state is not State.DONE
    ]
