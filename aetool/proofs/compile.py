# SPDX-License-Identifier: Apache-2.0
"""One run of coqc: started, watched, ended, and its verdict read.

The compiled file is written to a scratch folder and moved into place by the caller, so no half-written
file ever stands where a dependent or a reader looks for it. The scratch folder is on the load path under
the name of the file's own folder, because coqc derives the library's name from where it writes.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from aetool.core.process import end_group, spawn
from aetool.proofs.coq import Toolchain
from aetool.proofs.coqproject import Project
from aetool.proofs.lexer import sentence_at

STUCK_SECONDS = 120.0
_TIMING = re.compile(r"^Chars \d+ - \d+ \[.*\] [\d.]+ secs \([\d.]+u,[\d.]+s\)$")
_PLACE = re.compile(r'^File "(?P<file>.*)", line (?P<line>\d+), characters (?P<first>\d+)-(?P<last>\d+):$')


class Status(StrEnum):
    """How the check of one file ended."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    STUCK = "stuck"
    CANCELLED = "cancelled"
    OUT_OF_MEMORY = "out of memory"


@dataclass(frozen=True)
class Failure:
    """Why a file does not check: place, the sentence that Coq refused, and what Coq said."""

    file: str
    line: int | None
    column: int | None
    sentence: str | None
    message: str


@dataclass(frozen=True)
class Outcome:
    """The end of one run: wall and processor seconds, peak memory in KiB, output without the timings."""

    status: Status
    seconds: float
    cpu: float
    memory: int
    output: str
    timings: str
    failure: Failure | None


class Job:
    """A running coqc."""

    def __init__(
        self,
        project: Project,
        toolchain: Toolchain,
        file: str,
        scratch: Path,
        *,
        timeout: float,
        ceiling: int | None = None,
    ) -> None:
        """Start it. timeout: seconds of wall time; ceiling: address space in bytes, None for no limit."""
        self.file, self.scratch = file, scratch
        self._project, self._timeout = project, timeout
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        self.product = scratch / f"{Path(file).stem}.vo"
        name = project.directory_name(str(Path(file).parent))
        relative = os.path.relpath(scratch, project.root)
        place = [] if name is None else ["-Q", relative, name]
        command = [*toolchain.compiler, "-q", "-time", *project.options, *place]
        out = f"{relative}/{self.product.name}"
        command += ["-dump-glob", out.removesuffix(".vo") + ".glob", "-o", out, file]
        self._started = time.monotonic()
        self._log = scratch / "output"
        self._child = spawn(command, cwd=project.root, output=self._log, die_with_caller=True)
        self.waitable = os.pidfd_open(self._child.pid)
        if ceiling is not None:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(self._child.pid, resource.RLIMIT_AS, (ceiling, ceiling))
        self._busy_at, self._ticks = self._started, -1

    def overdue(self) -> Status | None:
        """TIMED_OUT past its deadline, STUCK when it used no processor for long, else None."""
        now = time.monotonic()
        if now - self._started > self._timeout:
            return Status.TIMED_OUT
        ticks = _ticks(self._child.pid)
        if ticks != self._ticks:
            self._busy_at, self._ticks = now, ticks
        return Status.STUCK if now - self._busy_at > STUCK_SECONDS else None

    def finish(self, ended_as: Status | None = None) -> Outcome:
        """Wait for the end (or bring it about, with the status to report) and read the verdict."""
        if ended_as is not None:
            end_group(self._child)
        if self._child.returncode is None:
            _, code, usage = os.wait4(self._child.pid, 0)
            self._child.returncode = os.waitstatus_to_exitcode(code)
            memory, cpu = usage.ru_maxrss, usage.ru_utime + usage.ru_stime
        else:
            memory, cpu = 0, 0.0
        os.close(self.waitable)
        seconds = time.monotonic() - self._started
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        timings = "\n".join(line for line in lines if _TIMING.match(line))
        output = "\n".join(line for line in lines if not _TIMING.match(line)).strip()
        code = self._child.returncode
        status = ended_as or _verdict(code, output)
        failure = None
        if status not in (Status.PASSED, Status.CANCELLED):
            failure = find_failure(self._project.root, self.file, status, output, seconds)
            if status is not Status.FAILED:
                failure = _reached(self._project.root, failure, timings)
        return Outcome(status, seconds, cpu, memory, output, timings, failure)


def _verdict(code: int, output: str) -> Status:
    if code == 0:
        return Status.PASSED
    if code == -9 or re.search(r"\bout of memory\b", output, re.IGNORECASE):
        # nobody but the kernel's out-of-memory killer sends SIGKILL to a child that we still wait for
        return Status.OUT_OF_MEMORY
    return Status.FAILED


def find_failure(root: Path, file: str, status: Status, output: str, seconds: float) -> Failure:
    """Read Coq's message; where it gives a place, take the offending sentence from the source."""
    lines = output.splitlines()
    for number in range(len(lines) - 1, -1, -1):
        place = _PLACE.match(lines[number])
        if place and any(line.startswith("Error") for line in lines[number + 1 : number + 2]):
            message = "\n".join(lines[number + 1 :]).strip().removeprefix("Error:").strip()
            line, first = int(place["line"]), int(place["first"])
            sentence = None
            with contextlib.suppress(OSError):
                data = (root / file).read_bytes()
                start = sum(len(text) for text in data.splitlines(keepends=True)[: line - 1])
                found = sentence_at(data, start + first)
                if found:
                    sentence = data[found.start : found.end].decode("utf-8", errors="replace")
            return Failure(file, line, first, sentence, message)
    if status is Status.FAILED:
        return Failure(file, None, None, None, "\n".join(lines[-20:]) or "coqc failed and said nothing")
    return Failure(file, None, None, None, f"{status.value} after {seconds:.1f} s")


def _reached(root: Path, failure: Failure, timings: str) -> Failure:
    """For a run that was ended: add the sentence that it was at, the one behind the last that it timed."""
    last = re.findall(r"^Chars \d+ - (\d+) ", timings, re.MULTILINE)
    with contextlib.suppress(OSError):
        data = (root / failure.file).read_bytes()
        found = sentence_at(data, int(last[-1]) + 1 if last else 0)
        if found:
            text = data[found.start : found.end].decode("utf-8", errors="replace")
            return Failure(failure.file, found.line, 0, text, failure.message)
    return failure


def _ticks(pid: int) -> int:
    """Processor time that a process has used, in clock ticks."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    except (OSError, IndexError):
        return 0
