# SPDX-License-Identifier: Apache-2.0
"""micro: what single operations of a guest cost, measured by a bare-metal guest on the server.

The suite starts a guest of its own, without an operating system, so it runs on the server although it counts
as one VM. The guest is kvm-unit-tests' micro-bench where that is given, as in the papers (Debian does not
package it), otherwise the project's own, which measures the same operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from aetool.bench.suites.base import Parameters, Reading, Suite, Target
from aetool.bench.suites.micro_output import COSTS, read_costs

if TYPE_CHECKING:
    from aetool.core.ssh import Result

_UNIT_TESTS = 'cd "$1"; QEMU=$2 ACCEL=kvm ./arm/run arm/micro-bench.flat -smp 2'


class MicroParameters(Parameters):
    """`directory`: kvm-unit-tests on the server, built for arm64; null for the project's own guest.

    iterations, repetitions: of each operation in the own guest; kvm-unit-tests does not ask for any.
    ghz: the server's fixed clock, to turn nanoseconds into the cycles that the papers print; without it the
    numbers stay nanoseconds. Both guests read the timer, not the cycle counter.
    """

    directory: str | None = Field(pattern=r"^/")
    qemu: str
    iterations: int = Field(gt=0)
    repetitions: int = Field(gt=0)
    ghz: float | None = Field(gt=0)


class Micro(Suite[MicroParameters]):
    """Mean cost of each operation."""

    name = "micro"
    own_guest = True
    programs: ClassVar = {("machine", "/dev/kvm"): "boot the server so that KVM has EL2"}
    parameters = MicroParameters

    def needs(self, parameters: MicroParameters) -> Mapping[tuple[str, str], str]:
        """KVM, QEMU, and the built test or what builds the own guest."""
        found = {
            **self.programs,
            ("machine", parameters.qemu): "apt-get install qemu-system-arm, or set `qemu`",
        }
        if parameters.directory is None:
            return {**found, ("here", "aarch64-linux-gnu-gcc"): "apt-get install gcc-aarch64-linux-gnu"}
        test = f"{parameters.directory}/arm/micro-bench.flat"
        return {**found, ("machine", test): "build kvm-unit-tests for arm64 there, or use --profile quick"}

    def amounts(self, parameters: MicroParameters) -> tuple[int, int]:
        """Runs; the guests repeat each operation and warm up by themselves."""
        return 0, 1

    def load(self, target: Target, parameters: MicroParameters, amount: int, label: str) -> Result:
        """One run of all operations."""
        p = parameters
        if p.directory is None:
            guest = target.bare_metal(p.qemu, p.iterations, p.repetitions)
        else:
            guest = ["bash", "-euc", _UNIT_TESTS, "micro", p.directory, p.qemu]
        factor, unit = (p.ghz, "cycles") if p.ghz else (1.0, "ns")
        command = ["bash", "-euc", COSTS, "costs", str(factor), unit, *guest]
        return target.measure(target.machine, command, timeout=p.deadline_seconds, label=label)

    def read(self, output: str, parameters: MicroParameters) -> list[Reading]:
        """The mean of each operation."""
        return read_costs(output, "micro done" if parameters.directory is None else "Output in microseconds")


SUITE = Micro()
