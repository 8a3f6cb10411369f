# SPDX-License-Identifier: Apache-2.0
"""What a user writes down about a campaign, and the one resolved form that a run is held to.

`benchmarks/<suite>.yaml` says how a suite is run (its profiles), `benchmarks/campaigns/<name>.yaml` which
suites, how often and in which order. `resolve` reads them all; the result is plain data that goes into the
run directory, so that a later `resume` can tell whether anything has been changed in between.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from aetool.bench.health import allowed_messages
from aetool.bench.suites import SUITES, adapter_of
from aetool.bench.suites.base import Parameters, Suite
from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError

Configuration = Literal["native", "kvm", "pkvm", "sekvm"]


class Retry(Model):
    """How often a step is tried when its host cannot be reached, and how long to wait before each retry."""

    attempts: int = Field(ge=1, le=20)
    wait_seconds: float = Field(ge=0, le=3600)


class CampaignFile(Model):
    """A file of benchmarks/campaigns."""

    campaign: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str
    suites: list[str] = Field(min_length=1)
    configurations: list[Configuration] = Field(min_length=1)
    profile: str
    # 0 stands for the host itself, without a VM
    vms: list[int] = Field(min_length=1)
    # below four repetitions no interval is worth printing
    repetitions: int = Field(ge=4, le=1000)
    order: Literal["interleaved", "blocked", "random"]
    seed: int | None = None
    # `repetition`: the server is rebooted before each group of steps that share machines
    reboot: Literal["never", "repetition"] = "never"
    # `repetition`: each gets guests of its own; `kept`: one set of guests serves all steps of its number
    guests: Literal["repetition", "kept"] = "repetition"
    retry: Retry

    @model_validator(mode="after")
    def _consistent(self) -> CampaignFile:
        unknown = sorted(set(self.suites) - set(SUITES))
        if unknown:
            raise ValueError(f"no such suite: {', '.join(unknown)} (there are: {', '.join(SUITES)})")
        for name in ("suites", "configurations", "vms"):
            values: list[Any] = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"{name} names something twice")
        if (self.order == "random") != (self.seed is not None):
            raise ValueError("seed belongs to order: random, which needs one")
        if self.reboot == "repetition" and self.guests == "kept":
            raise ValueError("no guest can be kept over a reboot: guests: kept wants reboot: never")
        if any(n < 0 for n in self.vms):
            raise ValueError("vms cannot be negative")
        if ("native" in self.configurations) != (0 in self.vms):
            raise ValueError("configuration native and vms: 0 (no VM) go together")
        if any(c != "native" for c in self.configurations) != any(n > 0 for n in self.vms):
            raise ValueError("configurations with a hypervisor need vms above 0, and the other way round")
        return self


@dataclass(frozen=True)
class ResolvedSuite:
    """A suite with the parameters of the chosen profile."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Resolved:
    """Everything that determines what a run does, as plain data (see `data`).

    code: digest of the program code that prepares, measures and reads.
    allowed_messages: patterns of kernel errors that do not spoil a measurement.
    """

    campaign: CampaignFile
    lab: str
    code: str
    allowed_messages: tuple[str, ...]
    suites: tuple[ResolvedSuite, ...]

    def data(self) -> dict[str, Any]:
        """JSON-ready form; equal data mean equal runs."""
        return {
            "campaign": self.campaign.model_dump(mode="json"),
            "lab": self.lab,
            "code": self.code,
            "allowed_messages": list(self.allowed_messages),
            "suites": {suite.name: asdict(suite) for suite in self.suites},
        }

    def suite(self, name: str) -> tuple[Suite[Any], Parameters]:
        """The adapter of a suite and its parameters, typed."""
        found = next(suite for suite in self.suites if suite.name == name)
        adapter = adapter_of(name)
        return adapter, adapter.parameters.model_validate(found.parameters)


def campaign_path(root: Path, name: str) -> Path:
    """Where the campaign `name` is defined; raises ConfigError that lists those there are."""
    folder = root / "benchmarks" / "campaigns"
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise ConfigError(f"there is no campaign {name!r}", hint=f"there are: {known}; they lie in {folder}")
    return path


def resolve(root: Path, name: str, *, lab: str, profile: str | None = None) -> Resolved:
    """Read a campaign and the suites it names from the checkout at `root`.

    profile: use this profile instead of the campaign's own.
    Raises ConfigError naming file, line and field.
    """
    path = campaign_path(root, name)
    campaign = load_yaml(path, CampaignFile)
    if campaign.campaign != name:
        raise ConfigError(f"{path}: is called {campaign.campaign!r} inside; it must be {name!r} as the file")
    if profile is not None:
        campaign = campaign.model_copy(update={"profile": profile})
    alone = [suite for suite in campaign.suites if adapter_of(suite).own_guest]
    if alone and 1 not in campaign.vms:
        raise ConfigError(f"{path}: {', '.join(alone)} runs in one VM, and vms has no 1")
    suites = tuple(_resolve_suite(root, suite, campaign.profile) for suite in campaign.suites)
    return Resolved(campaign, lab, _code(), allowed_messages(root), suites)


def _resolve_suite(root: Path, name: str, profile: str) -> ResolvedSuite:
    adapter = adapter_of(name)
    path = root / "benchmarks" / f"{name}.yaml"
    definition = load_yaml(path, adapter.definition())
    if definition.suite != name:
        raise ConfigError(f"{path}: describes the suite {definition.suite!r}, not {name!r}")
    if profile not in definition.profiles:
        known = ", ".join(definition.profiles)
        raise ConfigError(f"{path}: there is no profile {profile!r} (there are: {known})")
    parameters = definition.profiles[profile].model_dump(mode="json")
    return ResolvedSuite(name, definition.description, parameters)


def _code() -> str:
    """A digest of everything in this package that can change a number."""
    here = Path(__file__).parent
    sources = [
        here / "daemons.py",
        here / "files.py",
        here / "health.py",
        here / "step.py",
        *sorted((here / "suites").glob("*.py")),
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
