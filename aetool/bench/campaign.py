# SPDX-License-Identifier: Apache-2.0
"""Driving a campaign: from planned steps to samples in the journal, whatever happens on the way.

The journal is told before a step touches a host and after its raw files are on the disk, so a driver that
is killed at any moment can be followed by another: what was done stays done, what was under way is done
again from the beginning, with its raw files set aside.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aetool.bench.definitions import Resolved
from aetool.bench.plan import differences, plan
from aetool.bench.step import Log, execute
from aetool.bench.suites.base import Bed, Parameters, SanityError, Suite
from aetool.core.errors import (
    AetoolError,
    CampaignError,
    HostKeyError,
    HostUnreachable,
    LabError,
    LoginRefused,
)
from aetool.core.journal import Journal, Sample, State, Step
from aetool.core.process import write_file
from aetool.core.progress import Progress

if TYPE_CHECKING:
    from aetool.core.ssh import Remote

CAMPAIGN_FILE = "campaign.json"
_DEFINITION = "definition"
_ID = "id"
# Errors of a host that no other step would fare better with; any other concerns the step alone.
_WHOLE_RUN = (HostUnreachable, HostKeyError, LoginRefused)
# prints those of its arguments that are not there
_SEARCH = """
PATH=$PATH:/usr/sbin:/sbin
for needed; do
  case $needed in /*) test -e "$needed" ;; *) command -v "$needed" >/dev/null ;; esac || echo "$needed"
done
"""


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
    driver = _Driver(journal, resolved, bed, progress, sleep)
    for step in journal.steps():
        if step.state is State.PLANNED:
            driver.run(step)
    return outcome(journal)


def outcome(journal: Journal) -> Outcome:
    """Count the steps of a run by state."""
    steps = journal.steps()
    counts = Counter(step.state.value for step in steps)
    unfinished = tuple(step for step in steps if step.state is not State.DONE)
    return Outcome({state.value: counts[state.value] for state in State}, unfinished)


@dataclass
class _Driver:
    """Takes one planned step after another to its end.

    reasons: for each kind of step met so far, why it cannot be run here, or None.
    """

    journal: Journal
    resolved: Resolved
    bed: Bed
    progress: Progress
    sleep: Callable[[float], None]
    reasons: dict[tuple[str, str, int], str | None] = field(default_factory=dict)

    def run(self, step: Step) -> None:
        """Try a step until it is done, has failed or been abandoned, or the retries are used up."""
        retry = self.resolved.campaign.retry
        for tries in range(1, retry.attempts + 1):
            try:
                if tries > 1:
                    self.sleep(retry.wait_seconds)
                    self.bed.reconnect()
                self._attempt(step)
                return
            except KeyboardInterrupt:
                self._back(step.key, "interrupted by the user")
                raise
            except LabError as error:
                self._back(step.key, error.message)
                if not error.transient or tries == retry.attempts:
                    raise
                self.progress.say(f"{step.key}: {error.message}; trying again ({tries} of {retry.attempts})")

    def _attempt(self, step: Step) -> None:
        try:
            reason = self._impossible(step)
        except LabError as error:
            if isinstance(error, _WHOLE_RUN):
                raise
            self._begin(step)
            self._failed(step.key, error)
            return
        if reason is not None:
            self.journal.abandon(step.key, reason)
            self.progress.advance(f"{step.key}: not run: {reason}")
            return
        log = self._begin(step)
        try:
            suite, parameters = self.resolved.suite(step.suite)
            samples = execute(
                step,
                suite,
                parameters,
                self.bed,
                self.journal.run_dir,
                run_id=self.journal.meta[_ID],
                allowed_messages=self.resolved.allowed_messages,
                log=log,
            )
            self.journal.finish(step.key, samples)
        except (LabError, SanityError) as error:
            if isinstance(error, _WHOLE_RUN):
                raise
            log.write(f"failed: {error.message}" + (f"\n{error.detail}" if error.detail else ""))
            self._failed(step.key, error)
        else:
            self.progress.advance(f"{step.key}: {_brief(samples)}")

    def _begin(self, step: Step) -> Log:
        path = f"logs/{step.key}.attempt-{self.journal.step(step.key).attempt}.log"
        host = ", ".join(f"vm-{n}" for n in range(1, step.vms + 1)) or "server"
        self.journal.begin(step.key, host, path)
        return Log(self.journal.run_dir / path)

    def _failed(self, key: str, error: AetoolError) -> None:
        self.journal.fail(key, error.message)
        self.progress.advance(f"{key}: FAILED: {error.message}")

    def _impossible(self, step: Step) -> str | None:
        """Why this lab cannot run a step at all; None if it can.

        Found out when the first step of its kind is due: to ask earlier could cost a reboot.
        """
        kind = (step.suite, step.configuration, step.vms)
        if kind not in self.reasons:
            suite, parameters = self.resolved.suite(step.suite)
            refusal = self.bed.refuses(step.configuration, 0 if suite.own_guest else step.vms)
            self.reasons[kind] = refusal or self._missing(step, suite, parameters)
        return self.reasons[kind]

    def _missing(self, step: Step, suite: Suite[Any], parameters: Parameters) -> str | None:
        """Everything that the suite needs and its hosts lack, with how to supply it; None if all is there."""
        needs = suite.needs(parameters)

        def searched(place: str, remote: Remote) -> list[tuple[str, str, str]]:
            names = [needed for where, needed in needs if where == place]
            found = remote.run(["sh", "-c", _SEARCH, "sh", *names], timeout=60).stdout if names else ""
            return [(place, name, remote.name) for name in found.split()]

        lacking = [
            (place, needed, "the machine that aetool runs on")
            for place, needed in needs
            if place == "here" and shutil.which(needed) is None
        ]
        for remote in suite.machines(self.bed, step):
            lacking += searched("machine", remote)
        lacking += searched("load", self.bed.load())
        texts = [
            f"{needed} is not installed on {where} ({needs[place, needed]})"
            for place, needed, where in lacking
        ]
        return "; ".join(texts) or None

    def _back(self, key: str, reason: str) -> None:
        if self.journal.step(key).state is State.STARTED:
            self.journal.requeue(key, reason)


def _brief(samples: list[Sample]) -> str:
    """The first machine's numbers, for a line of progress."""
    first: list[Any] = [s for s in samples if s.vm == samples[0].vm]
    return ", ".join(f"{s.metric} {s.value:g} {s.unit}" for s in first)
