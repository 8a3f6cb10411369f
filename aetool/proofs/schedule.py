# SPDX-License-Identifier: Apache-2.0
"""The scheduler of a build: several coqc at a time, longest chain first, within a memory budget.

One thread: it waits on the children's process descriptors and on the clock.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import select
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aetool.core.errors import ProofError
from aetool.core.progress import Progress
from aetool.proofs import history, vo
from aetool.proofs.compile import Failure, Job, Outcome, Status
from aetool.proofs.graph import closure
from aetool.proofs.plan import key_of, why_changed
from aetool.proofs.record import STATE_DIR, replace_file
from aetool.proofs.store import Store, Stored

if TYPE_CHECKING:
    from aetool.proofs.build import Build, FileResult

UNKNOWN_MEMORY = 400 << 10  # KiB, for a file that was never compiled; Coq with stdpp takes about that
POLL_MS = 500
PRUNE_AFTER = 50  # compilations in one build that make it worth looking at the store's size


class Scheduler:
    """Runs one build; see `Build.run`."""

    def __init__(self, build: Build, progress: Progress) -> None:
        self._build, self._progress = build, progress
        self._record, self._root = build.record, build.root
        self._options = build.options
        self._store = Store(build.options.store)
        self._results: dict[str, FileResult] = {}
        self._running: dict[int, tuple[Job, dict[str, str], str]] = {}
        self._budget = _budget(build.options.memory)
        self._jobs = build.options.jobs or os.cpu_count() or 1
        self._stopping = False
        self._timed: list[tuple[str, Outcome]] = []
        self._compiled = self._skipped = 0
        self._scratch = build.root / STATE_DIR / "scratch"
        self._users: dict[str, list[str]] = {file: [] for file in build.order}
        for file, needed in build.graph.items():
            for other in needed:
                self._users[other].append(file)

    def run(self) -> dict[str, FileResult]:
        """Bring every selected file up to date, or find out why it cannot be."""
        build = self._build
        shutil.rmtree(self._scratch, ignore_errors=True)
        reach = set(build.selected) if not build.request.only else self._check_only()
        waiting = {file: sum(1 for other in build.graph[file] if other in reach) for file in reach}
        weight = self._weights(reach)
        ready = [(-weight[file], file) for file in reach if not waiting[file]]
        heapq.heapify(ready)
        poller = select.poll()
        try:
            while ready or self._running:
                done: list[str] = []
                while ready and not self._stopping and len(self._running) < self._jobs:
                    file = ready[0][1]
                    state = self._consider(file, poller)
                    if state == "wait":
                        break
                    heapq.heappop(ready)
                    if state == "done":
                        done.append(file)
                        break  # what it releases may be more urgent
                if not done:
                    if not self._running:
                        break
                    done = self._wait(poller)
                for file in done:
                    if self._results[file].status is Status.PASSED:
                        for user in self._users[file]:
                            if user in reach:
                                waiting[user] -= 1
                                if not waiting[user]:
                                    heapq.heappush(ready, (-weight[user], user))
        finally:
            self._end_all()
        self._keep_times()
        self._report_unreached(reach)
        if self._skipped:
            self._progress.advance("the rest is up to date", self._skipped)
        if self._compiled >= PRUNE_AFTER:
            self._store.prune()
        if self._store.problem:
            build.notes.append(self._store.problem)
            self._progress.say(self._store.problem)
        return self._results

    def _check_only(self) -> set[str]:
        """With `only`: everything outside the selection must be up to date already."""
        build = self._build
        outside = closure(build.graph, build.selected) - build.selected
        for file in (file for file in build.order if file in outside):
            if not build.current(file, build.inputs(file)):
                raise ProofError(
                    f"{self._root / file} is not up to date, and --only builds no dependencies",
                    hint="leave out --only",
                )
        return set(build.selected)

    def _weights(self, reach: set[str]) -> dict[str, float]:
        """Seconds from the start of a file to the end of the longest chain that waits for it."""
        weight: dict[str, float] = {}
        for file in reversed(self._build.order):
            if file in reach:
                own = self._record.entries[file].seconds
                if not own:
                    with contextlib.suppress(OSError):
                        own = 0.3 + (self._root / file).stat().st_size / 4000
                weight[file] = own + max(
                    (weight[user] for user in self._users[file] if user in weight), default=0.0
                )
        return weight

    def _consider(self, file: str, poller: select.poll) -> str:
        """Settle a file at once ("done"), start its compilation ("started"), or "wait" for memory."""
        from aetool.proofs.build import remove_products

        entry = self._record.entries[file]
        inputs = self._build.inputs(file)
        if self._build.current(file, inputs):
            again = [other for other in entry.requires if self._was_compiled(other)]
            why = (
                f"{again[0]} was compiled again, but its interface is the same"
                if again
                else "nothing changed"
            )
            entry.status = Status.PASSED
            self._finish(file, Status.PASSED, "up to date", why)
            return "done"
        if entry.inputs == inputs:
            missing = not (self._root / f"{file}o").exists()
            why = f"its compiled file {'is missing' if missing else 'is not the one that was built'}"
        else:
            why = why_changed(entry.inputs, inputs)
        found = None if self._options.clean else self._store.get(key_of(inputs))
        if found:
            stored, data = found
            remove_products(self._root, file)  # what else coqc made belongs to another version
            replace_file(self._root / f"{file}o", data)
            self._accept(file, inputs, stored)
            self._finish(file, Status.PASSED, "restored", f"{why}; the store has the result")
            return "done"
        memory = entry.memory or UNKNOWN_MEMORY
        others = (self._record.entries[job.file].memory for job, _, _ in self._running.values())
        used = sum(peak or UNKNOWN_MEMORY for peak in others)
        if self._running and used + memory > self._budget:
            return "wait"
        self._compiled += 1
        scratch = self._scratch / str(self._compiled)
        job = Job(
            self._build.project,
            self._build.toolchain,
            file,
            scratch,
            timeout=self._options.timeout,
            ceiling=self._options.memory and self._options.memory << 20,
        )
        self._running[job.waitable] = (job, inputs, why)
        poller.register(job.waitable, select.POLLIN)
        return "started"

    def _was_compiled(self, file: str) -> bool:
        return file in self._results and self._results[file].action != "up to date"

    def _wait(self, poller: select.poll) -> list[str]:
        """Wait until something ends or is overdue; return the files that are settled."""
        ended = [number for number, _ in poller.poll(POLL_MS)]
        settled: list[str] = []
        for number, (job, inputs, why) in list(self._running.items()):
            overdue = job.overdue() if number not in ended else None
            if number not in ended and overdue is None:
                continue
            poller.unregister(number)
            del self._running[number]
            outcome = job.finish(overdue)
            self._conclude(job, inputs, why, outcome)
            settled.append(job.file)
        return settled

    def _conclude(self, job: Job, inputs: dict[str, str], why: str, outcome: Outcome) -> None:
        """Take over what a compilation gave, unless the file was edited while it was being compiled."""
        file, entry = job.file, self._record.entries[job.file]
        changed = [
            name
            for name in (file, *entry.loads)
            if self._record.digest(name) != inputs.get("source" if name == file else f"text {name}")
        ]
        if changed and outcome.status in (Status.PASSED, Status.FAILED):
            failure = Failure(file, None, None, None, f"{changed[0]} was edited while it was being compiled")
            outcome = replace(outcome, status=Status.CANCELLED, failure=failure)
        elif outcome.status is Status.PASSED:
            surprise = self._surprise(job)
            if surprise:
                failure = Failure(file, None, None, None, surprise)
                outcome = replace(outcome, status=Status.FAILED, failure=failure)
        entry.status = outcome.status
        if outcome.status is Status.PASSED:
            self._install(job, inputs, outcome)
            self._timed.append((file, outcome))
        else:
            self._stopping = self._stopping or not self._options.keep_going
        self._finish(file, outcome.status, "compiled", why, outcome)
        shutil.rmtree(job.scratch, ignore_errors=True)

    def _surprise(self, job: Job) -> str | None:
        """What coqc loaded that was not planned: a library that coqdep missed, or one changed meanwhile."""
        loaded = vo.libraries(job.product.read_bytes())
        if loaded is None:
            return None
        foreseen = closure(self._build.graph, [job.file])
        for file in self._build.project.files:
            digest = loaded.get(self._build.project.module_name(file))
            if file == job.file or digest is None:
                continue
            if file not in foreseen:
                return f"coqc loaded {file}o, which coqdep does not count among the dependencies"
            known = self._record.entries[file].interface
            if known.startswith("library:") and digest != known:
                return f"{file}o was replaced by another one while this file was being compiled"
        return None

    def _install(self, job: Job, inputs: dict[str, str], outcome: Outcome) -> None:
        data = job.product.read_bytes()
        compiled = vo.inspect(data)
        if not compiled.known:
            note = (
                f"{job.file}: the compiled file is of a kind that this aetool does not know "
                f"({compiled.problem}); its dependents go by the whole file"
            )
            self._build.notes.append(note)
            self._progress.say(note)
        stored = Stored(compiled.sha256, compiled.interface, round(outcome.seconds, 3), outcome.memory)
        target = self._root / f"{job.file}o"
        for suffix in (".glob", ".vos", ".vok"):
            made = job.product.with_suffix(suffix)
            if made.exists():
                made.replace(target.with_suffix(suffix))
        job.product.replace(target)
        self._accept(job.file, inputs, stored)
        self._store.put(key_of(inputs), stored, data)

    def _accept(self, file: str, inputs: dict[str, str], stored: Stored) -> None:
        entry = self._record.entries[file]
        entry.inputs, entry.status = inputs, Status.PASSED
        entry.compiled, entry.interface = stored.compiled, stored.interface
        entry.seconds, entry.memory = stored.seconds, stored.memory
        self._record.remember(f"{file}o", stored.compiled)

    def _finish(
        self, file: str, status: Status, action: str, why: str, outcome: Outcome | None = None
    ) -> None:
        from aetool.proofs.build import FileResult

        seconds, memory = (outcome.seconds, outcome.memory) if outcome else (0.0, 0)
        failure = outcome.failure if outcome else None
        self._results[file] = FileResult(file, status, action, why, seconds, memory, failure)
        if action == "compiled":
            self._record.save()
            self._advance(f"{file}: {status.value} ({seconds:.1f} s)")
            if outcome and outcome.status is Status.PASSED and outcome.output:
                self._progress.say(f"{file}: coqc says:\n{outcome.output}")
        elif action == "restored":
            self._advance(f"{file}: restored from the store")
        else:
            self._skipped += 1

    def _advance(self, message: str) -> None:
        """Report a file, and with it those that were passed over in silence."""
        self._progress.advance(message, self._skipped + 1)
        self._skipped = 0

    def _end_all(self) -> None:
        """End what still runs: after a failure, or because the user interrupted the build."""
        for job, _, why in list(self._running.values()):
            outcome = job.finish(Status.CANCELLED)
            self._finish(job.file, Status.CANCELLED, "compiled", why, outcome)
        self._running.clear()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _keep_times(self) -> None:
        """Add to the history, and say which of these files have become slower."""
        history.note(self._root, self._build.toolchain.version, self._timed)
        files = [file for file, _ in self._timed]
        for trend in history.trends(self._root, lemmas=False, files=files) if files else []:
            if trend.slower:
                note = f"{trend.file}: {trend.seconds:.1f} s of processor time, before {trend.before:.1f} s"
                self._build.notes.append(note)
                self._progress.say(f"slower: {note}")

    def _report_unreached(self, reach: set[str]) -> None:
        from aetool.proofs.build import FileResult

        for file in reach - set(self._results):
            self._results[file] = FileResult(file, None, "not reached", "an earlier file does not check")


def _budget(memory: int | None) -> int:
    """KiB that the compilations together may take: what was asked for, or four fifths of what is free."""
    if memory is not None:
        return memory << 10
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 4 // 5
    return 2 << 20
