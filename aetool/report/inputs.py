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
from pydantic import TypeAdapter, ValidationError

from aetool.core.errors import CampaignError, ConfigError
from aetool.core.journal import FILE, Journal, Sample, Step, Transition
from aetool.report.records import Hosts, Proofs, Stage, Tool

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
    history: tuple[Transition, ...]
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
    history: list[Transition] = []
    samples: list[Sample] = []
    if (directory / FILE).is_file():
        try:
            with Journal.open(directory, readonly=True) as journal:
                meta, steps, samples = journal.meta, journal.steps(), journal.samples()
                history = journal.history()
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
        tuple(history),
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
