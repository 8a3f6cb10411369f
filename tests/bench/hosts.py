# SPDX-License-Identifier: Apache-2.0
"""Hosts for the tests: this machine itself, and one that is simulated and can be told to misbehave."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from aetool.bench.suites.micro_output import COSTS
from aetool.core.errors import RemoteCommandError
from aetool.core.ssh import Result


class LocalRemote:
    """A host that is this machine: commands really run, without SSH in between."""

    def __init__(self, name: str = "local", address: str = "127.0.0.1") -> None:
        self.name, self.address = name, address

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        started = time.monotonic()
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = child.communicate(stdin, timeout=timeout)
        except BaseException as error:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise RemoteCommandError(f"{argv[0]} ran longer than {timeout:g} s", status=None) from error
            raise
        seconds = time.monotonic() - started
        result = Result(shlex.join(argv), child.returncode, out.decode(), err.decode(), seconds)
        if check and result.status != 0:
            raise RemoteCommandError(f"{argv[0]} failed", status=result.status, detail=result.stderr)
        return result

    def shell(
        self,
        script: str,
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        argv = ["bash", "-euo", "pipefail", "-c", script]
        return self.run(argv, timeout=timeout, check=check, stdin=stdin)

    def put(self, data: bytes, path: str, *, mode: int = 0o644) -> None:
        Path(path).write_bytes(data)
        Path(path).chmod(mode)

    def get(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def close(self) -> None:
        pass


RECORDED = Path(__file__).parent / "recorded"


@cache
def costs(printed: str, factor: str = "1.0", unit: str = "ns") -> str:
    """What a guest printed, with the lines that the suite micro adds on the machine."""
    argv = ["bash", "-euc", COSTS, "costs", factor, unit, "printf", "%s", printed]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=20).stdout


def recorded(command: Sequence[str]) -> str:
    """What a well-behaved host prints for a measured command of one of the suites."""
    if command[0] == "hackbench":
        options = dict(re.findall(r"--(\w+)=(\d+)", " ".join(command)))
        return (
            f"Running in process mode with {options['groups']} groups using 40 file descriptors each (== 80"
            f" tasks)\nEach sender will pass {options['loops']} messages of {options['datasize']} bytes\n"
            "Time: 0.065\n"
        )
    if command[0] == "redis-benchmark":
        return (RECORDED / "redis.csv").read_text()
    if command[0] == "python3":
        return (RECORDED / "ycsb-standin.txt").read_text()
    if command[0] == "bash" and "make" in command[2]:
        return (RECORDED / "kernbench.txt").read_text().replace("kernel/sched/built-in.a", command[-1])
    if command[0] == "bash":
        return costs((RECORDED / "micro-own.txt").read_text(), command[4], command[5])
    text = (RECORDED / "ab.txt").read_text()
    number = command[command.index("-n") + 1]
    return text.replace("Complete requests:      500", f"Complete requests:      {number}")


@dataclass
class SimulatedRemote:
    """A host without anything behind it.

    `measured` collects the commands that suites measured (not warm-ups); `before` is called with each
    command first and may raise.
    """

    name: str
    address: str
    measured: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda command: None
    answer: Callable[[Sequence[str]], str] = recorded

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        self.before(shlex.join(argv))
        output = ""
        if "hold" in argv:
            place = argv.index("hold")
            output = self.answer(argv[place + 2 :])
            if argv[place + 1].endswith("/run.pid"):
                self.measured.append(shlex.join(argv[place + 2 :]))
        return Result(shlex.join(argv), 0, output, "", 0.001)

    def shell(
        self,
        script: str,
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        self.before(script)
        return Result(script, 0, "", "", 0.001)

    def put(self, data: bytes, path: str, *, mode: int = 0o644) -> None:
        self.before(f"put {path}")

    def get(self, path: str) -> bytes:
        return b""

    def close(self) -> None:
        pass


@dataclass
class SimpleBed:
    """Two hosts and as many VMs as asked for."""

    server: SimulatedRemote | LocalRemote
    client: SimulatedRemote | LocalRemote
    vms: list[SimulatedRemote] = field(default_factory=list)
    reconnected: int = 0

    def refuses(self, configuration: str, vms: int) -> str | None:
        return None if vms <= len(self.vms) else f"this lab has {len(self.vms)} VMs, {vms} are asked for"

    def machines(
        self, configuration: str, vms: int, repetition: int
    ) -> Sequence[SimulatedRemote | LocalRemote]:
        return self.vms[:vms] if vms else [self.server]

    def load(self) -> SimulatedRemote | LocalRemote:
        return self.client

    def bare_metal(
        self, machine: object, work: str, qemu: str, iterations: int, repetitions: int
    ) -> list[str]:
        return [qemu, "-kernel", f"{work}/micro.bin", str(iterations), str(repetitions)]

    def reconnect(self) -> None:
        self.reconnected += 1


def simulated_bed(vms: int = 0) -> SimpleBed:
    return SimpleBed(
        SimulatedRemote("server", "10.10.1.1"),
        SimulatedRemote("client", "10.10.1.2"),
        [SimulatedRemote(f"vm-{n}", f"10.10.1.{100 + n}") for n in range(1, vms + 1)],
    )
