# SPDX-License-Identifier: Apache-2.0
"""Hosts made ready by a plan: every step is looked at first, done if need be, and looked at again.

Running a plan twice does nothing the second time. What was found is kept on the host.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import model_validator

from aetool.core.config import Model, load_yaml
from aetool.core.errors import AetoolError, ConfigError, LabError
from aetool.core.project import project_root
from aetool.core.ssh import Remote
from aetool.lab.steps import (
    Block,
    Copies,
    Download,
    Finding,
    Packages,
    Repository,
    Step,
    Store,
    Supplies,
    Unpacked,
)

RECORD = "/var/lib/aetool/prepared.json"
# what is to lie on the disk must not end up on the root file system
_VITAL = (Packages, Store)


class Entry(Model):
    """One step of a plan: exactly one of its keys is given."""

    packages: Packages | None = None
    store: Store | None = None
    repository: Repository | None = None
    download: Download | None = None
    unpacked: Unpacked | None = None
    copies: Copies | None = None
    block: Block | None = None

    @model_validator(mode="after")
    def _one(self) -> Entry:
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one step in each entry of the list")
        return self

    @property
    def step(self) -> Step:
        """The step that is given."""
        (name,) = self.model_fields_set
        step: Step = getattr(self, name)
        return step


class Plan(Model):
    """What the hosts are prepared with, in this order."""

    description: str
    server: list[Entry]
    client: list[Entry]


@dataclass(frozen=True)
class Outcome:
    """A step after it was looked at: `changed` says that it was done now, `error` why it could not be."""

    host: str
    title: str
    finding: Finding
    changed: bool = False
    error: str | None = None

    @property
    def state(self) -> str:
        """In one word: ok, done, todo, blocked or failed."""
        if self.error is not None:
            return "failed"
        if self.finding.done:
            return "done" if self.changed else "ok"
        return "blocked" if self.finding.blocked else "todo"


def load_plan(plan: str) -> Plan:
    """Read a plan by name (cloudlab/prepare/NAME.yaml) or by file; raises ConfigError."""
    if "/" in plan or plan.endswith((".yaml", ".yml")):
        return load_yaml(Path(plan), Plan)
    folder = project_root() / "cloudlab" / "prepare"
    path = folder / f"{plan}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise ConfigError(f"there is no plan {plan!r}", hint=f"plans in {folder}: {known}; or give a file")
    return load_yaml(path, Plan)


def look(hosts: Mapping[str, Remote], plan: Plan) -> list[Outcome]:
    """Say what a plan would do, changing nothing; raises LabError if a host does not answer."""
    return [
        Outcome(role, entry.step.title, entry.step.look(hosts[role]))
        for role, entries in _by_host(plan)
        for entry in entries
    ]


def prepare(hosts: Mapping[str, Remote], plan: Plan, supplies: Supplies) -> list[Outcome]:
    """Do what is left to do of a plan, and keep on every host a record of what was found.

    Without its packages or its disk a host is left as it is; any other step that fails does not keep the
    later ones from being tried. The other host goes on in any case.
    Raises LabError if a host cannot be reached.
    """
    outcomes = []
    for role, entries in _by_host(plan):
        mine: list[Outcome] = []
        for entry in entries:
            mine.append(_one(hosts[role], role, entry.step, supplies))
            if mine[-1].state in ("failed", "blocked") and isinstance(entry.step, _VITAL):
                break
        _record(hosts[role], plan, mine)
        outcomes += mine
    return outcomes


def _by_host(plan: Plan) -> Sequence[tuple[str, list[Entry]]]:
    return (("server", plan.server), ("client", plan.client))


def _one(remote: Remote, role: str, step: Step, supplies: Supplies) -> Outcome:
    finding = step.look(remote)
    if finding.done or finding.blocked:
        return Outcome(role, step.title, finding)
    supplies.progress.say(f"{role}: {step.title}")
    try:
        step.apply(remote, supplies)
        finding = step.look(remote)
        if not finding.done:
            raise LabError(f"{role}: {step.title}: was done, but afterwards {finding.seen}")
    except AetoolError as error:
        said = [error.message, error.detail, error.hint and f"hint: {error.hint}"]
        return Outcome(role, step.title, finding, error="\n".join(text for text in said if text))
    return Outcome(role, step.title, finding, changed=True)


def _record(remote: Remote, plan: Plan, outcomes: Sequence[Outcome]) -> None:
    record: dict[str, Any] = {
        "plan": plan.description,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "steps": [
            {
                "step": one.title,
                "state": one.state,
                "seen": one.finding.seen,
                "facts": dict(one.finding.facts),
            }
            for one in outcomes
        ],
    }
    remote.put(json.dumps(record, indent=2).encode(), RECORD)
