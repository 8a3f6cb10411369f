# SPDX-License-Identifier: Apache-2.0
"""kernbench: the time it takes to compile a Linux kernel on the machine under test.

The source is a tarball that lies on the machine; Debian's linux-source serves where the original tree is not
to be had. Unpacking, configuring and a first build to fill the page cache are not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from aetool.bench.suites.base import Parameters, Reading, Suite, Target
from aetool.bench.suites.kernbench_build import BUILD, UNPACK, read_time

if TYPE_CHECKING:
    from aetool.core.ssh import Result


class KernbenchParameters(Parameters):
    """`source` is a tarball on the machine; `jobs` run at once; `product` is the file that make builds."""

    source: str = Field(pattern=r"^/")
    config: str = Field(pattern=r"^[a-z0-9_]+$")
    product: str = Field(pattern=r"^[A-Za-z0-9_./-]+$")
    jobs: int = Field(gt=0)
    warm_up: bool


class Kernbench(Suite[KernbenchParameters]):
    """Seconds of wall time; runs on the machine alone."""

    name = "kernbench"
    programs: ClassVar = {
        ("machine", name): f"apt-get install {package}"
        for name, package in {
            "gcc": "gcc", "make": "make", "flex": "flex", "bison": "bison", "bc": "bc", "xz": "xz-utils",
        }.items()
    }  # fmt: skip
    parameters = KernbenchParameters

    def needs(self, parameters: KernbenchParameters) -> Mapping[tuple[str, str], str]:
        """The compiler and what else a kernel wants, and the source."""
        remedy = "apt-get install linux-source-6.1, or put another tree's tarball there"
        return {**self.programs, ("machine", parameters.source): remedy}

    def prepare(self, target: Target, parameters: KernbenchParameters) -> None:
        """Unpack and configure."""
        p = parameters
        command = ["bash", "-euc", UNPACK, "prepare", target.work, p.source, p.config]
        target.measure(target.machine, command, timeout=p.deadline_seconds, label="prepare")

    def amounts(self, parameters: KernbenchParameters) -> tuple[int, int]:
        """Builds."""
        return int(parameters.warm_up), 1

    def load(self, target: Target, parameters: KernbenchParameters, amount: int, label: str) -> Result:
        """One build from clean."""
        p = parameters
        command = ["bash", "-euc", BUILD, "build", target.work, str(p.jobs), p.product]
        return target.measure(target.machine, command, timeout=p.deadline_seconds, label=label)

    def read(self, output: str, parameters: KernbenchParameters) -> list[Reading]:
        """The wall time, if the kernel is there."""
        return read_time(output, parameters.product)


SUITE = Kernbench()
