# SPDX-License-Identifier: Apache-2.0
"""Campaigns on labs: opens the hosts, keeps the record of what they are, drives the run.

The lab must be up, and nobody else may drive it meanwhile. A run's hosts are compared with the recorded ones
before it is resumed, so that numbers from two machines, kernels or server versions never share a table.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from aetool import __version__
from aetool.bench.campaign import Outcome, check_unchanged, create, drive
from aetool.bench.definitions import Resolved, resolve
from aetool.bench.plan import differences
from aetool.core.errors import AetoolError, CampaignError, Interrupted, LabError, StorageError
from aetool.core.journal import FILE, Journal, State
from aetool.core.process import short, write_file
from aetool.core.progress import progress
from aetool.lab import Lab, open_lab
from aetool.workflows.bed import LabBed

HOSTS_FILE = "env/hosts.json"
AETOOL_FILE = "env/aetool.json"
CONFIGURATIONS_FILE = "env/configurations.json"
# these change with every boot, or by a few pages, without making a host another one
_VOLATILE = ("boot_id", "memory_kib")

OpenLab = Callable[[str], Lab]


@dataclass(frozen=True)
class Run:
    """A run that has come to an end for now, and where it lies."""

    run_dir: Path
    outcome: Outcome


def start(
    root: Path,
    name: str,
    *,
    lab: str,
    profile: str | None = None,
    run_dir: Path | None = None,
    quiet: bool = False,
    opener: OpenLab = open_lab,
) -> Run:
    """Begin a campaign in a new run directory (default: below root/runs) and drive it to its end.

    Raises ConfigError, CampaignError if the directory holds a run, LabError, StorageError, Interrupted.
    """
    resolved = resolve(root, name, lab=lab, profile=profile)
    place = run_dir or root / "runs" / f"{name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    with opener(lab) as hosts, hosts.driving(f"campaign {name}"):
        facts = hosts.facts()  # a lab that is not up leaves no run directory behind
        with create(place, resolved) as journal:
            return _drive(root, journal, resolved, hosts, facts, retry_failed=False, quiet=quiet)


def resume(
    root: Path, run_dir: Path, *, retry_failed: bool = False, quiet: bool = False, opener: OpenLab = open_lab
) -> Run:
    """Go on with a run, wherever its last driver ended.

    retry_failed: run steps that have failed once more as well.
    Raises what `start` raises, and CampaignError if definitions or hosts have changed since.
    """
    with Journal.open(run_dir) as journal:
        recorded = json.loads(journal.meta["definition"])["campaign"]
        name, lab = journal.meta["campaign"], journal.meta["lab"]
        resolved = resolve(root, name, lab=lab, profile=recorded["profile"])
        check_unchanged(journal, resolved)
        with opener(lab) as hosts, ExitStack() as held:
            with _resumable(run_dir):
                held.enter_context(hosts.driving(f"campaign {name}"))
                facts = hosts.facts()
            return _drive(root, journal, resolved, hosts, facts, retry_failed=retry_failed, quiet=quiet)


def latest(root: Path) -> Path:
    """The run below root/runs that was worked on last; raises CampaignError if there is none."""
    journals = list((root / "runs").glob(f"*/{FILE}"))
    if not journals:
        raise CampaignError(f"{root / 'runs'}: holds no run", hint="begin one with `aetool campaign run`")
    return max(journals, key=lambda path: (path.stat().st_mtime, path)).parent


def _drive(
    root: Path,
    journal: Journal,
    resolved: Resolved,
    lab: Lab,
    facts: dict[str, Any],
    *,
    retry_failed: bool,
    quiet: bool,
) -> Run:
    steps = journal.steps()
    done = {State.DONE} if retry_failed else {State.DONE, State.FAILED}
    left = sum(step.state not in done for step in steps)
    with _resumable(journal.run_dir):
        _record(root, journal.run_dir, facts, resolved.campaign.configurations)
        with progress(f"campaign {resolved.campaign.campaign}", left, quiet=quiet) as shown:
            shown.say(f"{left} of {len(steps)} steps to do in {journal.run_dir}")
            activated = partial(_activated, journal.run_dir)
            reboot = resolved.campaign.reboot == "repetition"
            keep = resolved.campaign.guests == "kept"
            with LabBed(lab, shown, activated, reboot=reboot, keep=keep) as bed:
                result = drive(journal, resolved, bed, shown, retry_failed=retry_failed)
            return Run(journal.run_dir, result)


@contextmanager
def _resumable(run_dir: Path) -> Iterator[None]:
    """Let every error after which the run can go on say how."""
    command = f"go on with `aetool campaign resume --run {run_dir}`"
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted; every step that was done is kept", hint=command) from error
    except (LabError, StorageError) as error:
        error.hint = f"{error.hint}; then {command}" if error.hint else command
        raise


def _record(root: Path, run_dir: Path, facts: dict[str, Any], configurations: Sequence[str]) -> None:
    """Write what hosts and aetool are, or check that they are what the run began with."""
    own_kernel = any(name != "native" for name in configurations)
    now = json.loads(json.dumps(facts))
    path = run_dir / HOSTS_FILE
    if path.exists():
        changed = list(differences(_lasting(_read(path), own_kernel), _lasting(now, own_kernel)))
        if changed:
            raise _other_hosts(run_dir, changed)
    else:
        _write(path, now)
    own = {"version": __version__, **_checkout(root)}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    path = run_dir / AETOOL_FILE
    if path.exists():
        before = _read(path)
        before["resumed"] = [*before.get("resumed", []), {**own, "at": stamp}]
        _write(path, before)
    else:
        _write(path, {**own, "started": stamp})


def _activated(run_dir: Path, configuration: str, found: dict[str, Any]) -> None:
    """Write what the server said when a configuration became active, or check that it says the same again."""
    path = run_dir / CONFIGURATIONS_FILE
    known = _read(path) if path.exists() else {}
    if configuration in known:
        changed = list(differences(known[configuration], found, configuration))
        if changed:
            raise _other_hosts(run_dir, changed)
    else:
        _write(path, {**known, configuration: found})


def _other_hosts(run_dir: Path, changed: Sequence[str]) -> CampaignError:
    return CampaignError(
        f"{run_dir}: cannot go on, the hosts are not what they were when the run began",
        detail="\n".join(changed),
        hint="put them back as they were, or start a new run with `aetool campaign run`",
    )


def _lasting(facts: dict[str, Any], own_kernel: bool) -> dict[str, Any]:
    """What must not change; with `own_kernel` the server's kernel may (see _activated)."""
    hosts = {
        role: {
            name: value
            for name, value in host.items()
            if name not in _VOLATILE and not (own_kernel and role == "server" and name == "kernel")
        }
        for role, host in facts["hosts"].items()
    }
    return {**facts, "hosts": hosts}


def _checkout(root: Path) -> dict[str, Any]:
    """Commit of the checkout and whether it has been changed; None for both outside git."""
    try:
        commit = short("git", "-C", str(root), "rev-parse", "HEAD")
        dirty = bool(short("git", "-C", str(root), "status", "--porcelain"))
    except AetoolError:
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": dirty}


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CampaignError(f"{path}: cannot be read: {error}") from error
    assert isinstance(data, dict)
    return data


def _write(path: Path, data: dict[str, Any]) -> None:
    write_file(path, json.dumps(data, indent=2, sort_keys=True) + "\n")
