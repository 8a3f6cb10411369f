# SPDX-License-Identifier: Apache-2.0
"""One step of a campaign: a suite on one machine or on many at once, from a clean host to a clean host."""

from __future__ import annotations

import contextlib
import shlex
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aetool.bench import daemons, health
from aetool.bench.files import install
from aetool.bench.suites.base import Bed, Parameters, SanityError, Suite
from aetool.core.errors import AetoolError, LabError, RemoteCommandError
from aetool.core.journal import RESULTS, Sample, Step
from aetool.core.process import TAIL_LINES, storage_error, write_file

if TYPE_CHECKING:
    from aetool.core.ssh import Remote, Result

WORK = "/var/tmp/aetool"
T = TypeVar("T")


class Log:
    """What one attempt did, line by line, in a file below logs/."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Append one time-stamped entry; raises StorageError."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            self._path.parent.mkdir(exist_ok=True)
            with self._lock, self._path.open("a", encoding="utf-8") as handle:
                handle.write(f"{stamp} {text}\n")
        except OSError as error:
            raise storage_error(self._path, error) from error


@dataclass
class Instance:
    """A Target: one machine under test, its work directory and the place of its raw files."""

    bed: Bed
    vm: int
    machine: Remote
    load: Remote
    work: str
    raw: Path
    log: Log

    @property
    def address(self) -> str:
        """Where the load reaches the machine."""
        return self.machine.address

    def install(self, files: Mapping[str, bytes]) -> None:
        """Put files into the work directory of the machine; see `aetool.bench.files.install`."""
        install(self.machine, self.work, files)

    def bare_metal(self, qemu: str, iterations: int, repetitions: int) -> list[str]:
        """Put the measuring guest on the machine; returns the command that runs it."""
        return self.bed.bare_metal(self.machine, self.work, qemu, iterations, repetitions)

    def daemon(self, name: str, command: list[str], *, port: int) -> None:
        """Start a daemon on the machine; see `aetool.bench.daemons.start`."""
        self.log.write(f"{self.machine.name}: daemon: {shlex.join(command)}")
        daemons.start(self.machine, self.work, name, command, address=self.address, port=port)

    def measure(self, remote: Remote, command: list[str], *, timeout: float, label: str = "run") -> Result:
        """Run a command; keep LABEL.command, LABEL.stdout and LABEL.stderr whatever becomes of it."""
        write_file(self.raw / f"{label}.command", f"{shlex.join(command)}\n")
        self.log.write(f"{remote.name}: {label}: {shlex.join(command)}")
        try:
            result = remote.run(daemons.held(self.work, label, command), timeout=timeout, check=False)
        except RemoteCommandError as error:
            # it ran out of time or was killed; what it had printed by then is all there is to find out why
            self._keep(label, error.stdout, error.stderr)
            _, found, what = error.message.rpartition("` ")
            if found:
                # the wrapper around the command is no news to anybody
                error.message = f"{remote.name}: {command[0]} {what}"
            raise
        self._keep(label, result.stdout, result.stderr)
        self.log.write(f"{remote.name}: {label}: status {result.status} after {result.seconds:.3f} s")
        if result.status != 0:
            tail = "\n".join((result.stdout + result.stderr).splitlines()[-TAIL_LINES:])
            raise RemoteCommandError(
                f"{remote.name}: {command[0]} exited with status {result.status}",
                status=result.status,
                detail=tail or None,
            )
        return result

    def _keep(self, label: str, stdout: str, stderr: str) -> None:
        write_file(self.raw / f"{label}.stdout", stdout)
        write_file(self.raw / f"{label}.stderr", stderr)


def execute(
    step: Step,
    suite: Suite[Any],
    parameters: Parameters,
    bed: Bed,
    run_dir: Path,
    *,
    run_id: str,
    allowed_messages: Sequence[str],
    log: Log,
) -> list[Sample]:
    """Run one step and return its samples; raw files lie under results/<key>/ then.

    All instances are prepared and warmed up before the first one is measured, then start together.
    Raises SanityError if the output cannot be trusted, LabError for what hosts do, StorageError.
    """
    load = bed.load()
    base = f"{WORK}/{run_id}"
    raw = run_dir / RESULTS / step.key
    instances = []
    for number, machine in enumerate(suite.machines(bed, step), start=1):
        vm = number if step.vms else 0
        name = f"vm-{vm}" if vm else "host"
        work = f"{base}/{step.key}.{name}"
        instances.append(Instance(bed, vm, machine, load, work, raw / name, log))
    hosts = [load, *(instance.machine for instance in instances)]
    works = [instance.work for instance in instances]
    try:
        # one after the other, in case they are one and the same
        _begin(load, base, works)
        before = _each(hosts[1:], lambda host: _begin(host, base, works))
        stop = partial(_clean, hosts, base, log)
        _together(instances, lambda instance: suite.prepare(instance, parameters), stop)
        _together(instances, lambda instance: suite.warm_up(instance, parameters), stop)
        results = _together(instances, lambda instance: suite.run(instance, parameters), stop)
        after = _each(hosts[1:], lambda host: _end(host, base))
        hosts = [load]
        for instance, earlier, later in zip(instances, before, after, strict=True):
            _stayed_well(instance, earlier, later, allowed_messages)
    finally:
        _clean(hosts, base, log)
    samples = []
    for instance, result in zip(instances, results, strict=True):
        source = (instance.raw / "run.stdout").relative_to(run_dir)
        try:
            readings = suite.read(result.stdout, parameters)
        except SanityError as error:
            raise SanityError(f"{instance.machine.name}: {error.message}", detail=f"see {source}") from error
        for r in readings:
            samples.append(
                Sample(
                    step.key, step.suite, step.configuration, step.vms, instance.vm, step.repetition,
                    r.metric, r.value, r.unit, r.better, str(source),
                )
            )  # fmt: skip
    return samples


def _begin(host: Remote, base: str, works: Sequence[str]) -> health.Health:
    """Clean up after earlier attempts, make the work directories and see how the host is: one command."""
    script = f"mkdir -p -m 755 -- {shlex.join(works)}\n{health.LOOK}"
    return health.parse(daemons.sweep(host, base, after=script))


def _end(host: Remote, base: str) -> health.Health:
    """See how the host is after the measurement, and leave nothing behind on it: one command."""
    return health.parse(daemons.sweep(host, base, before=health.LOOK))


def _stayed_well(
    instance: Instance, before: health.Health, after: health.Health, allowed: Sequence[str]
) -> None:
    """Keep new kernel errors as kernel.errors; raise SanityError if the machine was not well."""
    if after.errors is None:
        instance.log.write(f"{instance.machine.name}: the kernel's messages cannot be read")
    found = health.new_errors(before, after)
    if found:
        write_file(instance.raw / "kernel.errors", "\n".join(found) + "\n")
    complaint = health.complaint(before, after, allowed)
    if complaint is not None:
        raise SanityError(f"{instance.machine.name}: {complaint} while it was measured")


def _together(
    instances: Sequence[Instance], work: Callable[[Instance], Any], stop: Callable[[], None]
) -> list[Any]:
    """Do `work` for all instances at once; at the first error, `stop` must make the others end early."""
    if len(instances) == 1:
        return [work(instances[0])]
    barrier = threading.Barrier(len(instances))

    def start(instance: Instance) -> Any:
        barrier.wait()
        return work(instance)

    with ThreadPoolExecutor(len(instances)) as pool:
        futures = [pool.submit(start, instance) for instance in instances]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stop()
            raise


def _each(hosts: Sequence[Remote], work: Callable[[Remote], T]) -> list[T]:
    """Do `work` on all hosts at once; raises the first error after all have ended."""
    if len(hosts) == 1:
        return [work(hosts[0])]
    with ThreadPoolExecutor(len(hosts)) as pool:
        return list(pool.map(work, hosts))


def _clean(hosts: Sequence[Remote], base: str, log: Log) -> None:
    """Leave nothing behind on the hosts; what cannot be reached now is swept before the next step."""

    def clean(host: Remote) -> None:
        try:
            daemons.sweep(host, base)
        except LabError as error:
            with contextlib.suppress(AetoolError):
                log.write(f"{host.name}: clean-up failed: {error.message}")

    _each(hosts, clean)
