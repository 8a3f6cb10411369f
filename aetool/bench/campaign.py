# SPDX-License-Identifier: Apache-2.0
"""Driving a campaign: from planned steps to samples in the journal, whatever happens on the way.

The journal is told before a step touches a host and after its raw files are on the disk, so a driver that
is killed at any moment can be followed by another: what was done stays done, what was under way is done
again from the beginning, with its raw files set aside.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aetool.bench.definitions import Resolved
from aetool.bench.plan import differences, plan
from aetool.bench.step import Bed, Log, execute
from aetool.core.errors import AetoolError, CampaignError, LabError, RemoteCommandError, StorageError
from aetool.core.journal import Journal, Sample, State, Step
from aetool.core.process import write_file
from aetool.core.progress import Progress

CAMPAIGN_FILE = "campaign.json"
_DEFINITION = "definition"
_ID = "id"


@dataclass(frozen=True)
class Outcome:
    """What a run has come to: number of steps in each state, and the steps that are not DONE."""

    counts: Mapping[str, int]
    unfinished: tuple[Step, ...]

    def require_success(self, run_dir: Path) -> None:
        """Raise CampaignError that lists the steps that failed or could not be run."""
        if not self.unfinished:
            return
        total = sum(self.counts.values())
        raise CampaignError(
            f"{run_dir}: {len(self.unfinished)} of {total} steps are not done",
            detail="\n".join(f"{s.key}: {s.state}: {s.reason}" for s in self.unfinished),
            hint="the logs are in logs/; `aetool campaign resume --retry-failed` tries these steps again",
        )


def create(run_dir: Path, resolved: Resolved) -> Journal:
    """Begin a run: a journal with every step planned, under the resolved campaign.

    Raises CampaignError if the directory holds a run already, StorageError.
    """
    definition = resolved.data()
    meta = {
        "campaign": resolved.campaign.campaign,
        "lab": resolved.lab,
        _DEFINITION: json.dumps(definition, sort_keys=True),
        _ID: uuid.uuid4().hex[:12],
    }
    return Journal.create(run_dir, meta, plan(resolved))


def check_unchanged(journal: Journal, resolved: Resolved) -> None:
    """Raise CampaignError that lists every difference if the run was begun under another definition."""
    before = json.loads(journal.meta[_DEFINITION])
    changed = list(differences(before, json.loads(json.dumps(resolved.data()))))
    if changed:
        raise CampaignError(
            f"{journal.run_dir}: cannot go on, {len(changed)} definitions changed since the run began",
            detail="\n".join(changed),
            hint="put them back as they were, or start a new run with `aetool campaign run`",
        )


def drive(
    journal: Journal,
    resolved: Resolved,
    bed: Bed,
    progress: Progress,
    *,
    retry_failed: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Run every step that is not done yet, in order, and return what has come of it.

    A step that fails does not stop the others. Raises LabError when a host stays unreachable or refuses us,
    StorageError when the disk is full, KeyboardInterrupt; the run can be resumed after each of them.
    """
    # for readers of the run directory; the journal's own copy is what counts
    definition = json.dumps(json.loads(journal.meta[_DEFINITION]), indent=2, sort_keys=True)
    write_file(journal.run_dir / CAMPAIGN_FILE, definition + "\n")
    for key in journal.reset_interrupted():
        progress.say(f"{key}: was interrupted, runs again")
    again = {State.ABANDONED, State.FAILED} if retry_failed else {State.ABANDONED}
    for step in journal.steps():
        if step.state in again:
            journal.requeue(step.key, f"tried again after: {step.reason}")
    _abandon_impossible(journal, resolved, bed, progress)
    for step in journal.steps():
        if step.state is State.PLANNED:
            _run_step(journal, resolved, bed, step, progress, sleep)
    return outcome(journal)


def outcome(journal: Journal) -> Outcome:
    """Count the steps of a run by state."""
    steps = journal.steps()
    counts = Counter(step.state.value for step in steps)
    unfinished = tuple(step for step in steps if step.state is not State.DONE)
    return Outcome({state.value: counts[state.value] for state in State}, unfinished)


def _abandon_impossible(journal: Journal, resolved: Resolved, bed: Bed, progress: Progress) -> None:
    """Abandon the steps that this lab cannot run, each with the reason, before time is spent on others."""
    reasons: dict[tuple[str, str, int], str | None] = {}
    for step in journal.steps():
        if step.state is not State.PLANNED:
            continue
        cell = (step.suite, step.configuration, step.vms)
        if cell not in reasons:
            reasons[cell] = bed.refuses(step.configuration, step.vms) or _missing(resolved, bed, step)
        reason = reasons[cell]
        if reason is not None:
            journal.abandon(step.key, reason)
            progress.advance(f"{step.key}: not run: {reason}")


def _missing(resolved: Resolved, bed: Bed, step: Step) -> str | None:
    suite, parameters = resolved.suite(step.suite)
    for (place, needed), remedy in suite.needs(parameters).items():
        remotes = [bed.load()] if place == "load" else bed.machines(step.configuration, step.vms)
        for remote in remotes:
            search = 'PATH="$PATH:/usr/sbin:/sbin"; case $1 in /*) test -e "$1" ;; *) command -v "$1" ;; esac'
            found = remote.run(["sh", "-c", search, "sh", needed], timeout=30, check=False)
            if found.status != 0:
                return f"{needed} is not installed on {remote.name} ({remedy})"
    return None


def _run_step(
    journal: Journal,
    resolved: Resolved,
    bed: Bed,
    step: Step,
    progress: Progress,
    sleep: Callable[[float], None],
) -> None:
    """Try one step until it is done, has failed for good, or the retries are used up."""
    retry = resolved.campaign.retry
    for tries in range(1, retry.attempts + 1):
        attempt = journal.step(step.key).attempt
        path = f"logs/{step.key}.attempt-{attempt}.log"
        log = Log(journal.run_dir / path)
        try:
            if tries > 1:
                sleep(retry.wait_seconds)
                bed.reconnect()
            journal.begin(step.key, _host(bed, step), path)
            suite, parameters = resolved.suite(step.suite)
            samples = execute(
                step,
                suite,
                parameters,
                bed,
                journal.run_dir,
                run_id=journal.meta[_ID],
                allowed_messages=resolved.allowed_messages,
                log=log,
            )
            journal.finish(step.key, samples)
        except StorageError:
            # the journal may be what cannot be written: the step stays STARTED, and resume sees to it
            raise
        except KeyboardInterrupt:
            _back(journal, step.key, "interrupted by the user")
            raise
        except RemoteCommandError as error:
            _failed(journal, step.key, error, log, progress)
        except LabError as error:
            _back(journal, step.key, error.message)
            if not error.transient or tries == retry.attempts:
                raise
            progress.say(f"{step.key}: {error.message}; trying again ({tries} of {retry.attempts})")
            continue
        except AetoolError as error:
            _failed(journal, step.key, error, log, progress)
        else:
            progress.advance(f"{step.key}: {_brief(samples)}")
        return


def _host(bed: Bed, step: Step) -> str:
    return ", ".join(machine.name for machine in bed.machines(step.configuration, step.vms))


def _back(journal: Journal, key: str, reason: str) -> None:
    if journal.step(key).state is State.STARTED:
        journal.requeue(key, reason)


def _failed(journal: Journal, key: str, error: AetoolError, log: Log, progress: Progress) -> None:
    log.write(f"failed: {error.message}" + (f"\n{error.detail}" if error.detail else ""))
    journal.fail(key, error.message)
    progress.advance(f"{key}: FAILED: {error.message}")


def _brief(samples: list[Sample]) -> str:
    """The first machine's numbers, for a line of progress."""
    first: list[Any] = [s for s in samples if s.vm == samples[0].vm]
    return ", ".join(f"{s.metric} {s.value:g} {s.unit}" for s in first)
