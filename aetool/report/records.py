# SPDX-License-Identifier: Apache-2.0
"""What other parts of aetool leave in a run directory as JSON, as far as the report shows it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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
