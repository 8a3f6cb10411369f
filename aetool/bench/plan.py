# SPDX-License-Identifier: Apache-2.0
"""From a resolved campaign to its steps, and from two resolved campaigns to what differs between them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

from aetool.bench.definitions import CampaignFile, Resolved
from aetool.core.journal import PlannedStep

# a suite and a number of VMs
Cell = tuple[str, int]


def plan(resolved: Resolved) -> list[PlannedStep]:
    """All steps in the order of execution; the same campaign always gives the same plan.

    blocked: all repetitions of one cell (suite, configuration, VMs) in a row.
    interleaved: one repetition of every cell, then the next, so that slow drift hits all cells alike.
    random: shuffled with the campaign's seed.
    Steps of one configuration stay together in all three, for changing it costs a reboot; so do those of one
    set of guests if guests are kept. Suites with the same number of VMs follow one another, for they share
    the VMs of a repetition.
    """
    campaign = resolved.campaign
    steps: list[PlannedStep] = []
    for configuration in campaign.configurations:
        counts = [n for n in campaign.vms if (n == 0) == (configuration == "native")]
        for group in _groups(resolved, counts):
            ordered = _ordered(campaign, group, f"{campaign.seed} {configuration}")
            steps += [_step(resolved, suite, configuration, n, r) for (suite, n), r in ordered]
    return steps


def _groups(resolved: Resolved, counts: list[int]) -> list[list[Cell]]:
    """The cells of a configuration; those that share kept guests are a group, in which order is free."""
    alone = [suite.name for suite in resolved.suites if resolved.suite(suite.name)[0].own_guest]
    others = [suite.name for suite in resolved.suites if suite.name not in alone]
    if resolved.campaign.guests == "kept":
        groups = [[(name, 1) for name in alone if 1 in counts]]
        return [*groups, *([(name, n) for name in others] for n in counts)]
    # a suite with a guest of its own has nothing to do natively, or in many VMs
    names = [suite.name for suite in resolved.suites]
    return [[(name, n) for n in counts for name in names if n == 1 or name not in alone]]


def _ordered(campaign: CampaignFile, cells: list[Cell], seed: str) -> list[tuple[Cell, int]]:
    """Every repetition of every cell, in the order that the campaign asks for."""
    repetitions = range(1, campaign.repetitions + 1)
    if campaign.order == "blocked":
        return [(cell, repetition) for cell in cells for repetition in repetitions]
    pairs = [(cell, repetition) for repetition in repetitions for cell in cells]
    if campaign.order == "random":
        random.Random(seed).shuffle(pairs)
    return pairs


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
