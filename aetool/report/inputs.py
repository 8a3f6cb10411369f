# SPDX-License-Identifier: Apache-2.0
"""Everything that a report is made of, read from one run directory.

Any part may be missing or damaged: a campaign may have been interrupted, or never started. A missing part
is None and has an entry in `gaps`, so that the report says what is not there instead of not being there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from aetool.core.errors import CampaignError, ConfigError
from aetool.core.journal import FILE, Journal, Sample, Step


class Record(BaseModel):
    """Base of what other parts of aetool wrote: keys that the report does not show are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class SourceFile(Record):
    """A Coq file: `seconds` is the compile time when it was last really compiled."""

    path: str
    status: str
    seconds: float | None = None
    lines: int | None = None


class Part(Record):
    """A layer, library or theory of the proof tree; `number` is the layer's, from the bottom."""

    name: str
    kind: str
    number: int | None = None
    title: str | None = None
    group: str | None = None
    functions: tuple[str, ...] = ()
    status: str
    files: tuple[SourceFile, ...] = ()
    seconds: float | None = None
    lines_spec: int | None = None
    lines_proof: int | None = None
    lines_c: int | None = None


class MissingLayer(Record):
    """A layer of the published 34 that the tree does not hold."""

    number: int
    name: str


class Theorem(Record):
    """A headline theorem; `assumptions` is empty when it is closed under the global context."""

    name: str
    claim: str | None = None
    prose: str | None = None
    statement: str | None = None
    status: str
    assumptions: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()


class AuditCheck(Record):
    """One check of the audit."""

    name: str
    passed: bool
    detail: str | None = None


class Audit(Record):
    """The audit as a whole."""

    passed: bool
    checks: tuple[AuditCheck, ...] = ()


class Proofs(Record):
    """proofs.json"""

    coq: str | None = None
    passed: bool
    parts: tuple[Part, ...] = ()
    layers_total: int = 34
    layers_missing: tuple[MissingLayer, ...] = ()
    theorems: tuple[Theorem, ...] = ()
    audit: Audit | None = None

    @property
    def layers(self) -> list[Part]:
        """The layers in the tree, from the bottom; one that lacks files is incomplete whatever passes."""
        lacking = {missing.name for missing in self.layers_missing}
        found = [
            part.model_copy(update={"status": "incomplete"})
            if part.name in lacking and part.status == "passed"
            else part
            for part in self.parts
            if part.kind == "layer"
        ]
        return sorted(found, key=lambda part: (part.number or 0, part.name))

    @property
    def absent(self) -> list[MissingLayer]:
        """The layers of which the tree holds nothing at all."""
        present = {part.name for part in self.parts}
        return [layer for layer in self.layers_missing if layer.name not in present]


class Lab(Record):
    """What kind of lab the hosts form."""

    provider: str
    emulated: bool = False
    description: str = ""


class Hosts(Record):
    """env/hosts.json; the facts of a host are shown as they are."""

    lab: Lab
    hosts: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Tool(Record):
    """env/aetool.json"""

    version: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    started: str | None = None


class Stage(Record):
    """One stage of `aetool reproduce`."""

    name: str
    status: str
    seconds: float | None = None
    reason: str | None = None


R = TypeVar("R")


@dataclass(frozen=True)
class Gap:
    """Something that is not in the run, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Run:
    """The contents of a run directory; `samples` has the fields of Sample and the step's profile."""

    directory: Path
    meta: dict[str, str]
    steps: tuple[Step, ...]
    samples: pd.DataFrame
    campaign: dict[str, Any] | None
    hosts: Hosts | None
    tool: Tool | None
    proofs: Proofs | None
    stages: tuple[Stage, ...]
    gaps: tuple[Gap, ...] = field(default=())

    @property
    def name(self) -> str:
        """What the run is called in titles (not its directory, which may be renamed)."""
        campaign = (self.campaign or {}).get("campaign")
        name = campaign.get("campaign") if isinstance(campaign, dict) else None
        return str(name or self.meta.get("campaign") or "no campaign")

    @property
    def lab(self) -> str:
        """The lab as the titles of tables and figures name it."""
        if self.hosts is None:
            return "a lab that left no description"
        lab = self.hosts.lab
        kind = f"{lab.provider}, emulated" if lab.emulated else lab.provider
        return f"{lab.description} (lab {kind})" if lab.description else f"the lab {kind}"


def load_run(directory: Path) -> Run:
    """Read a run directory; raises ConfigError if it is not a directory."""
    if not directory.is_dir():
        raise ConfigError(f"{directory}: no such directory", hint="give the directory of a run")
    gaps: list[Gap] = []
    meta: dict[str, str] = {}
    steps: list[Step] = []
    samples: list[Sample] = []
    if (directory / FILE).is_file():
        try:
            with Journal.open(directory, readonly=True) as journal:
                meta, steps, samples = journal.meta, journal.steps(), journal.samples()
        except CampaignError as error:
            # the damaged file's own path would differ between copies of one run
            gaps.append(Gap("benchmarks", error.message.replace(f"{directory}/", "")))
    else:
        gaps.append(Gap("benchmarks", f"no campaign was started ({FILE} is missing)"))

    def part(path: str, what: str, kind: Any) -> Any:
        return _read(directory, path, what, TypeAdapter(kind), gaps)

    return Run(
        directory,
        meta,
        tuple(steps),
        _frame(steps, samples),
        part("campaign.json", "the campaign's parameters", dict[str, Any]),
        part("env/hosts.json", "facts of the hosts", Hosts),
        part("env/aetool.json", "version of aetool", Tool),
        part("proofs.json", "proofs", Proofs),
        part("stages.json", "", tuple[Stage, ...]) or (),
        tuple(gaps),
    )


def _frame(steps: list[Step], samples: list[Sample]) -> pd.DataFrame:
    columns = list(Sample.__dataclass_fields__)
    frame = pd.DataFrame([vars(sample) for sample in samples], columns=columns)
    profiles = {step.key: step.profile for step in steps}
    frame["profile"] = frame["step"].map(profiles).astype(object)
    return frame.astype({"value": float})


def _read(directory: Path, path: str, what: str, kind: TypeAdapter[R], gaps: list[Gap]) -> R | None:
    """Read one JSON file; note in `gaps` that it is missing (unless `what` is empty) or unusable."""
    try:
        return kind.validate_python(json.loads((directory / path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        if what:
            gaps.append(Gap(what, f"{path} is missing"))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        gaps.append(Gap(what or path, f"{path} is not as expected: {place}: {first['msg']}"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        gaps.append(Gap(what or path, f"{path} cannot be read: {reason}"))
    return None
