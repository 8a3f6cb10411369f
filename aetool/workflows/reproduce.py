# SPDX-License-Identifier: Apache-2.0
"""The main job: check the proofs, bring up the lab, run the campaign, render the report.

A stage that fails does not keep the others from running; what did not run stands in the report with its
reason. The run directory says how far an earlier attempt came, so the same command goes on where it ended
and does nothing twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aetool.core.errors import AetoolError, CampaignError, ConfigError, MissingToolError, ProofError
from aetool.core.process import write_file
from aetool.core.progress import progress

STAGES_FILE = "stages.json"
PROOFS_FILE = "proofs.json"


@dataclass(frozen=True)
class Stage:
    """What became of one stage; seconds of wall time, reason where it is not `done`."""

    name: str
    status: str
    seconds: float
    reason: str | None


@dataclass(frozen=True)
class Reproduction:
    """The whole job. error: of the first stage that failed; page: the report, None if it failed."""

    run_dir: Path
    page: Path | None
    stages: tuple[Stage, ...]
    error: AetoolError | None


def run_directory(root: Path, campaign: str, *, fresh: bool) -> Path:
    """The directory of the reproduction to go on with, or of a new one.

    They are called reproduce-CAMPAIGN-N; the one with the highest number is gone on with unless `fresh`.
    """
    pattern = re.compile(rf"reproduce-{re.escape(campaign)}-(\d+)")
    found = [pattern.fullmatch(path.name) for path in (root / "runs").glob(f"reproduce-{campaign}-*")]
    newest = max((int(match.group(1)) for match in found if match), default=0)
    number = newest + 1 if fresh or newest == 0 else newest
    return root / "runs" / f"reproduce-{campaign}-{number}"


def reproduce(
    root: Path, run_dir: Path, *, campaign: str, lab: str, fresh: bool, quiet: bool
) -> Reproduction:
    """Run all stages into `run_dir`.

    fresh: a run under a changed definition or on changed hosts is an error; otherwise it is left as it is and
    a new run directory is begun. Raises StorageError if not even the record of the stages can be written, and
    KeyboardInterrupt.
    """
    with progress("reproduce", 4, quiet=quiet) as shown:
        stages: list[Stage] = []
        errors: list[AetoolError] = []

        def stage(name: str, work: Callable[[], object]) -> bool:
            shown.say(f"== {name}")
            started = time.monotonic()
            try:
                work()
            except AetoolError as error:
                errors.append(error)
                stages.append(Stage(name, "failed", _seconds(started), _reason(error)))
                shown.say(f"== {name} failed: {error.message}")
            else:
                stages.append(Stage(name, "done", _seconds(started), None))
            return stages[-1].status == "done"

        proofs = root / "proofs"
        built = stage("proofs build", lambda: _build(proofs, quiet=quiet))
        if built:
            stage("proofs audit", lambda: _audit(proofs, quiet=quiet))
        else:
            stages.append(Stage("proofs audit", "skipped", 0.0, "the proofs were not built"))
        try:
            stage("campaign", lambda: _campaign(root, run_dir, campaign, lab, quiet=quiet))
        except _Changed as changed:
            if fresh:
                raise changed.error from changed
            shown.say(f"{changed.error.message}; the earlier run is kept, a new one begins")
            run_dir = run_directory(root, campaign, fresh=True)
            stage("campaign", lambda: _campaign(root, run_dir, campaign, lab, quiet=quiet))
        _record_proofs(proofs, run_dir)
        write_file(run_dir / STAGES_FILE, _json([asdict(item) for item in stages]))
        pages: list[Path] = []
        stage("report", lambda: pages.append(_report(root, run_dir)))
    return Reproduction(run_dir, pages[0] if pages else None, tuple(stages), errors[0] if errors else None)


class _Changed(Exception):
    """The campaign's definition or the hosts are not those that the run directory was begun with."""

    def __init__(self, error: CampaignError) -> None:
        super().__init__(error.message)
        self.error = error


def _build(proofs: Path, *, quiet: bool) -> None:
    from aetool.proofs.build import build

    with progress("proofs build", 0, quiet=quiet) as shown:
        error = build(proofs, progress=shown).error()
    if error:
        raise error


def _audit(proofs: Path, *, quiet: bool) -> None:
    from aetool.proofs.audit import audit

    with progress("proofs audit", 0, quiet=quiet) as shown:
        error = audit(proofs, progress=shown).error()
    if error:
        raise error


def _campaign(root: Path, run_dir: Path, name: str, lab: str, *, quiet: bool) -> None:
    from aetool.bench.campaign import check_unchanged, outcome
    from aetool.bench.definitions import resolve
    from aetool.core.journal import FILE, Journal
    from aetool.lab import open_lab
    from aetool.workflows.campaign import resume, start

    begun = (run_dir / FILE).exists()
    if begun:
        with Journal.open(run_dir, readonly=True) as journal:
            try:
                check_unchanged(journal, resolve(root, name, lab=lab))
            except CampaignError as error:
                raise _Changed(error) from error
            if not outcome(journal).unfinished:
                return
    with open_lab(lab) as hosts:
        found_up = all(host.up for host in hosts.status())
        hosts.up()
        try:
            if begun:
                run = resume(root, run_dir, retry_failed=True, quiet=quiet)
            else:
                run = start(root, name, lab=lab, run_dir=run_dir, quiet=quiet)
        finally:
            # a lab that somebody else brought up stays up
            if not found_up:
                hosts.down()
    run.outcome.require_success(run_dir)


def _record_proofs(proofs: Path, run_dir: Path) -> None:
    from aetool.proofs import summary

    try:
        write_file(run_dir / PROOFS_FILE, _json(summary(proofs)))
    except (ConfigError, ProofError, MissingToolError):
        # the stage that built the proofs has met the same and keeps the reason; an older record would lie
        (run_dir / PROOFS_FILE).unlink(missing_ok=True)


def _report(root: Path, run_dir: Path) -> Path:
    from aetool.report.write import render

    return render(run_dir, root / "reports").page


def _reason(error: AetoolError) -> str:
    return error.message if not error.detail else f"{error.message}\n{error.detail}"


def _seconds(started: float) -> float:
    return round(time.monotonic() - started, 1)


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, sort_keys=True) + "\n"
