# SPDX-License-Identifier: Apache-2.0
"""Published figures and claims: data files that anybody with the paper at hand can correct.

Each figure says where it comes from and how far that was checked. A figure that nobody has looked up in its
source (`remembered`, `secondary`) must carry `verified: false`, and every table that shows it says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError

Mark = Literal["read", "measured", "derived", "secondary", "remembered"]
UNCHECKED = ("secondary", "remembered")


class Checked(Model):
    """Where something was published, and how far that was looked up."""

    source: str
    mark: Mark
    verified: bool
    note: str = ""

    @model_validator(mode="after")
    def _hearsay_is_not_verified(self) -> Self:
        if self.verified and self.mark in UNCHECKED:
            raise ValueError(
                f"a figure that is only {self.mark} cannot be verified: look it up, then say read"
            )
        return self


class PublishedFigure(Checked):
    """One number; `quantity` is "absolute" (in `unit`) or "slowdown" (native = 1, lower is better)."""

    suite: str
    metric: str
    configuration: str
    machine: str
    vms: int
    quantity: Literal["absolute", "slowdown"] = "absolute"
    value: float
    unit: str = ""


class Machine(Model):
    """A machine that figures were published for; `cpu` is in the name of its processor as lscpu prints it."""

    description: str
    cpu: str | None = None


class Published(Model):
    """reports/published.yaml"""

    sources: dict[str, str]
    machines: dict[str, Machine]
    figures: tuple[PublishedFigure, ...]

    @model_validator(mode="after")
    def _names_are_defined(self) -> Self:
        for figure in self.figures:
            if figure.source not in self.sources:
                raise ValueError(
                    f"the source {figure.source!r} of {figure.suite} is not listed under sources"
                )
            if figure.machine not in self.machines:
                raise ValueError(f"the machine {figure.machine!r} is not listed under machines")
        return self


class Metric(Model):
    """A metric of a suite."""

    suite: str
    metric: str


class _Claim(Checked):
    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    text: str


class SlowdownClaim(_Claim):
    """`configuration` is at most `at_most` times slower than `baseline`, with `tolerance` (relative)."""

    kind: Literal["slowdown"]
    metrics: tuple[Metric, ...]
    configuration: str
    baseline: str
    vms: tuple[int, ...]
    at_most: Annotated[float, Field(gt=0)]
    tolerance: Annotated[float, Field(ge=0)]


class RatioClaim(_Claim):
    """`configuration` takes `expected` times the time of `baseline` on `machine`; `tolerance` is relative."""

    kind: Literal["ratio"]
    metric: Metric
    configuration: str
    baseline: str
    machine: str
    vms: int
    expected: Annotated[float, Field(gt=0)]
    tolerance: Annotated[float, Field(gt=0, lt=1)]


class OrderClaim(_Claim):
    """Each metric of a group costs less than each metric of the next group."""

    kind: Literal["order"]
    suite: str
    configurations: tuple[str, ...]
    vms: int
    groups: Annotated[tuple[tuple[str, ...], ...], Field(min_length=2)]


class LayersClaim(_Claim):
    """All layers are proved."""

    kind: Literal["layers"]
    layers: int


class TheoremsClaim(_Claim):
    """Each phrase of `stands_for` is in the claim of a theorem of theorems.yaml; all these are closed."""

    kind: Literal["theorems"]
    stands_for: Annotated[tuple[str, ...], Field(min_length=1)]


class AuditClaim(_Claim):
    """The audit of the proofs passes."""

    kind: Literal["audit"]


Claim = Annotated[
    SlowdownClaim | RatioClaim | OrderClaim | LayersClaim | TheoremsClaim | AuditClaim,
    Field(discriminator="kind"),
]


class Claims(Model):
    """reports/claims.yaml"""

    claims: tuple[Claim, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for claim in self.claims:
            if claim.id in seen:
                raise ValueError(f"the claim {claim.id!r} stands twice")
            seen.add(claim.id)
        return self


def load_references(folder: Path) -> tuple[Published, Claims]:
    """Read published.yaml and claims.yaml of a folder; raises ConfigError."""
    published = load_yaml(folder / "published.yaml", Published)
    claims = load_yaml(folder / "claims.yaml", Claims)
    for claim in claims.claims:
        if claim.source not in published.sources:
            raise ConfigError(
                f"{folder / 'claims.yaml'}: the source {claim.source!r} of the claim {claim.id!r}"
                " is not listed in published.yaml",
                hint=f"known sources: {', '.join(published.sources)}",
            )
        if isinstance(claim, RatioClaim) and claim.machine not in published.machines:
            raise ConfigError(
                f"{folder / 'claims.yaml'}: the machine {claim.machine!r} of the claim {claim.id!r}"
                " is not listed in published.yaml",
                hint=f"known machines: {', '.join(published.machines)}",
            )
    return published, claims
