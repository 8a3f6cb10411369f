# SPDX-License-Identifier: Apache-2.0
"""ycsb: workload A against a redis-server, from our own generator, which stands in for YCSB.

YCSB is in no registry of a Debian machine. Its numbers and ours are not to be put side by side, so the suite
has a name of its own, and every file that it leaves says whose generator it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from aetool.bench.suites import redis
from aetool.bench.suites.base import Parameters, Reading, Suite, Target
from aetool.bench.suites.ycsb_output import read_summary

if TYPE_CHECKING:
    from aetool.core.ssh import Result

_GENERATOR = Path(__file__).with_name("ycsb_generator.py")


class YcsbParameters(Parameters):
    """`operations` over `records` of 1 kB; `connections` is YCSB's threads; `seed` fixes all draws."""

    records: int = Field(gt=0, le=10_000_000)
    operations: int = Field(gt=0)
    connections: int = Field(gt=0, le=1000)
    seed: int
    warm_up_operations: int = Field(ge=0)


class Ycsb(Suite[YcsbParameters]):
    """Operations a second."""

    name = "ycsb"
    programs: ClassVar = {
        ("machine", "redis-server"): "apt-get install redis-server",
        ("load", "python3"): "apt-get install python3",
    }
    parameters = YcsbParameters

    def prepare(self, target: Target, parameters: YcsbParameters) -> None:
        """A redis-server of our own with all records in it, and the generator on the load machine."""
        redis.start(target)
        target.load.put(_GENERATOR.read_bytes(), f"{target.work}/ycsb_generator.py", mode=0o755)
        self._call(target, parameters, "load", [], label="load")

    def amounts(self, parameters: YcsbParameters) -> tuple[int, int]:
        """Operations."""
        return parameters.warm_up_operations, parameters.operations

    def load(self, target: Target, parameters: YcsbParameters, amount: int, label: str) -> Result:
        """One run of the workload."""
        more = [str(amount), str(parameters.connections)]
        return self._call(target, parameters, "run", more, label=label)

    def _call(self, target: Target, p: YcsbParameters, action: str, more: list[str], *, label: str) -> Result:
        program = ["python3", f"{target.work}/ycsb_generator.py", action]
        command = [*program, target.address, str(redis.PORT), str(p.records), str(p.seed), *more]
        return target.measure(target.load, command, timeout=p.deadline_seconds, label=label)

    def read(self, output: str, parameters: YcsbParameters) -> list[Reading]:
        """The throughput."""
        return read_summary(output, parameters.operations)


SUITE = Ycsb()
