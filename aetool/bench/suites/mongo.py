# SPDX-License-Identifier: Apache-2.0
"""mongo: YCSB workload A on the load machine against a mongod on the machine under test.

Neither is packaged by Debian, so both must be supplied; see `programs` for where they are looked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from aetool.bench.suites.base import Parameters, Reading, Suite, Target
from aetool.bench.suites.ycsb_output import read_summary

if TYPE_CHECKING:
    from aetool.core.ssh import Result

PORT = 27017
YCSB = "/opt/ycsb"
_SCRIPT = f"{YCSB}/bin/ycsb.sh"


class MongoParameters(Parameters):
    """`operations` over `records` of 1 kB from `threads` clients."""

    records: int = Field(gt=0)
    operations: int = Field(gt=0)
    threads: int = Field(gt=0)


class Mongo(Suite[MongoParameters]):
    """Operations a second."""

    name = "mongo"
    programs: ClassVar = {
        ("machine", "mongod"): "not in Debian: install MongoDB's own package, or put mongod on the PATH",
        ("load", _SCRIPT): f"not in Debian: unpack YCSB 0.17.0 to {YCSB}",
        ("load", "java"): "apt-get install default-jre-headless",
    }
    parameters = MongoParameters

    def prepare(self, target: Target, parameters: MongoParameters) -> None:
        """A mongod of our own, and YCSB's load phase."""
        target.machine.run(["mkdir", "-p", f"{target.work}/db"], timeout=30)
        place = ["--dbpath", f"{target.work}/db", "--bind_ip", target.address, "--port", str(PORT)]
        target.daemon("mongod", ["mongod", *place, "--nounixsocket"], port=PORT)
        self.load(target, parameters, parameters.operations, "load")

    def amounts(self, parameters: MongoParameters) -> tuple[int, int]:
        """Operations; YCSB's load phase is all the warm-up there is, as in the artifact."""
        return 0, parameters.operations

    def load(self, target: Target, parameters: MongoParameters, amount: int, label: str) -> Result:
        """One of YCSB's two phases: `load` fills the database, `run` is measured."""
        p = parameters
        values = {
            "mongodb.url": f"mongodb://{target.address}:{PORT}/ycsb",
            "recordcount": str(p.records),
            "operationcount": str(amount),
        }
        settings = [word for name, value in values.items() for word in ("-p", f"{name}={value}")]
        workload = ["-s", "-P", f"{YCSB}/workloads/workloada", "-threads", str(p.threads)]
        command = [_SCRIPT, label, "mongodb", *workload, *settings]
        return target.measure(target.load, command, timeout=p.deadline_seconds, label=label)

    def read(self, output: str, parameters: MongoParameters) -> list[Reading]:
        """The throughput."""
        return read_summary(output, parameters.operations)


SUITE = Mongo()
