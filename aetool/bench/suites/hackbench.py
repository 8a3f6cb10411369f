# SPDX-License-Identifier: Apache-2.0
"""hackbench: groups of processes send each other messages over Unix-domain sockets; time it takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from aetool.bench.suites.base import Parameters, Reading, SanityError, Suite, Target

if TYPE_CHECKING:
    from aetool.core.ssh import Result


class HackbenchParameters(Parameters):
    """`groups` of 40 tasks, `loops` messages of `bytes` from each sender to each receiver of its group."""

    groups: int = Field(gt=0)
    loops: int = Field(gt=0)
    bytes: int = Field(gt=0)
    tasks: Literal["processes", "threads"]
    warm_up_loops: int = Field(ge=0)


class Hackbench(Suite[HackbenchParameters]):
    """Runs on the machine alone; no load from outside."""

    name = "hackbench"
    programs: ClassVar = {("machine", "hackbench"): "apt-get install rt-tests"}
    parameters = HackbenchParameters

    def amounts(self, parameters: HackbenchParameters) -> tuple[int, int]:
        """Loops."""
        return parameters.warm_up_loops, parameters.loops

    def load(self, target: Target, parameters: HackbenchParameters, amount: int, label: str) -> Result:
        """One run of hackbench."""
        p = parameters
        kind = "--process" if p.tasks == "processes" else "--threads"
        sizes = [f"--groups={p.groups}", f"--loops={amount}", f"--datasize={p.bytes}"]
        return target.measure(
            target.machine, ["hackbench", kind, *sizes], timeout=p.deadline_seconds, label=label
        )

    def read(self, output: str, parameters: HackbenchParameters) -> list[Reading]:
        """The line `Time: SECONDS`, if hackbench did what it was told."""
        did = re.search(r"with (\d+) groups .*\nEach sender will pass (\d+) messages of (\d+) bytes", output)
        asked = (parameters.groups, parameters.loops, parameters.bytes)
        if did is None or tuple(map(int, did.groups())) != asked:
            raise SanityError(
                f"hackbench did not run {asked[0]} groups, {asked[1]} loops of {asked[2]} bytes"
            )
        times = re.findall(r"^Time: (\d+\.\d+)$", output, re.MULTILINE)
        if len(times) != 1 or float(times[0]) <= 0:
            raise SanityError(f"hackbench printed {len(times)} times instead of one that is above zero")
        return [Reading("time", float(times[0]), "s", "lower")]


SUITE = Hackbench()
