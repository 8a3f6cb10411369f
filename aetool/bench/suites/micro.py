# SPDX-License-Identifier: Apache-2.0
"""micro: what single operations of a guest cost, from kvm-unit-tests' micro-bench run on the server.

The suite starts a guest of its own (bare metal, without an operating system), so it runs on the server
although it counts as one VM. kvm-unit-tests is not packaged by Debian and must be supplied, built for arm64.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from aetool.bench.suites.base import Parameters, Reading, SanityError, Suite, Target

if TYPE_CHECKING:
    from aetool.core.ssh import Result

# the papers' names for the operations, and the tool's (the second is that of later versions)
OPERATIONS = {
    "hypercall": ("hvc", "hyp_call"),
    "io_kernel": ("mmio_read_vgic",),
    "io_user": ("mmio_read_user",),
    "virtual_ipi": ("ipi",),
}
_ROW = re.compile(r"^(\w+)\s+\d+\.\d+\s+(\d+)\.\d+\s*$", re.MULTILINE)


class MicroParameters(Parameters):
    """`directory` holds kvm-unit-tests on the server, `qemu` is the program that runs it.

    ghz: the server's fixed clock, to turn nanoseconds into the cycles that the papers print; without it the
    numbers stay nanoseconds. The tool reads the timer, not the cycle counter, unless the kernel is patched.
    """

    directory: str = Field(pattern=r"^/")
    qemu: str
    ghz: float | None = Field(gt=0)


class Micro(Suite[MicroParameters]):
    """Mean cost of each operation."""

    name = "micro"
    own_guest = True
    programs: ClassVar = {("machine", "/dev/kvm"): "boot the server so that KVM has EL2"}
    parameters = MicroParameters

    def needs(self, parameters: MicroParameters) -> Mapping[tuple[str, str], str]:
        """KVM, QEMU and the built test."""
        test = f"{parameters.directory}/arm/micro-bench.flat"
        remedy = "not in Debian: build kvm-unit-tests for arm64 there"
        qemu = "apt-get install qemu-system-arm, or set `qemu`"
        return {**self.programs, ("machine", parameters.qemu): qemu, ("machine", test): remedy}

    def amounts(self, parameters: MicroParameters) -> tuple[int, int]:
        """Runs; the tool repeats each operation by itself."""
        return 0, 1

    def load(self, target: Target, parameters: MicroParameters, amount: int, label: str) -> Result:
        """One run of all operations."""
        script = 'cd "$1"; QEMU=$2 ACCEL=kvm ./arm/run arm/micro-bench.flat -smp 2'
        command = ["bash", "-euc", script, "micro", parameters.directory, parameters.qemu]
        return target.measure(target.machine, command, timeout=parameters.deadline_seconds, label=label)

    def read(self, output: str, parameters: MicroParameters) -> list[Reading]:
        """The column of averages."""
        if "Output in microseconds" not in output:
            raise SanityError("micro-bench did not say its timer's frequency: did the guest start?")
        found = {name: int(average) for name, average in _ROW.findall(output)}
        readings = []
        for metric, names in OPERATIONS.items():
            cost = next((found[name] for name in names if name in found), 0)
            if not cost > 0:
                raise SanityError(f"micro-bench printed no cost of {names[0]} above zero")
            scale, unit = (parameters.ghz, "cycles") if parameters.ghz else (1.0, "ns")
            readings.append(Reading(metric, cost * scale, unit, "lower"))
        return readings


SUITE = Micro()
