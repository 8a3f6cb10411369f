# SPDX-License-Identifier: Apache-2.0
"""From a resolved campaign to its steps, and from two resolved campaigns to what differs between them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

from aetool.bench.definitions import Resolved
from aetool.core.journal import PlannedStep


def plan(resolved: Resolved) -> list[PlannedStep]:
    """All steps in the order of execution; the same campaign always gives the same plan.

    blocked: all repetitions of one cell (suite, configuration, VMs) in a row.
    interleaved: one repetition of every cell, then the next, so that slow drift hits all cells alike.
    random: shuffled with the campaign's seed.
    Steps of one configuration stay together in all three, for changing it costs a reboot; suites with the
    same number of VMs follow one another, for they share the VMs of a repetition.
    """
    campaign = resolved.campaign
    steps: list[PlannedStep] = []
    for configuration in campaign.configurations:
        counts = [n for n in campaign.vms if (n == 0) == (configuration == "native")]
        # a suite with a guest of its own has nothing to do natively, or in many VMs
        cells = [
            (suite.name, n)
            for n in counts
            for suite in resolved.suites
            if n == 1 or not resolved.suite(suite.name)[0].own_guest
        ]
        repetitions = range(1, campaign.repetitions + 1)
        if campaign.order == "blocked":
            pairs = [(cell, repetition) for cell in cells for repetition in repetitions]
        else:
            pairs = [(cell, repetition) for repetition in repetitions for cell in cells]
        if campaign.order == "random":
            random.Random(f"{campaign.seed} {configuration}").shuffle(pairs)
        steps += [_step(resolved, suite, configuration, n, r) for (suite, n), r in pairs]
    return steps


def _step(resolved: Resolved, suite: str, configuration: str, vms: int, repetition: int) -> PlannedStep:
    profile = resolved.campaign.profile
    inputs = {
        "suite": resolved.data()["suites"][suite],
        "lab": resolved.lab,
        "code": resolved.code,
        "configuration": configuration,
        "profile": profile,
        "vms": vms,
    }
    key = f"{suite}.{configuration}.vms-{vms}.rep-{repetition}"
    return PlannedStep(key, suite, configuration, profile, vms, repetition, digest(inputs))


def digest(data: Any) -> str:
    """SHA-256 of JSON data, independent of the order of keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    """One line for each place where two JSON documents differ, named by its dotted path."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            path = f"{where}.{name}" if where else name
            if name not in after:
                yield f"{path}: {json.dumps(before[name])} in the run, absent now"
            elif name not in before:
                yield f"{path}: absent in the run, {json.dumps(after[name])} now"
            else:
                yield from differences(before[name], after[name], path)
    elif before != after:
        if where == "code":
            yield "code: the part of aetool that measures has been changed"
        else:
            yield f"{where}: {json.dumps(before)} in the run, {json.dumps(after)} now"
