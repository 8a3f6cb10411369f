# SPDX-License-Identifier: Apache-2.0
"""redis: redis-benchmark on the load machine against a redis-server on the machine under test."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from aetool.bench.suites.base import Parameters, Reading, SanityError, Suite, Target

if TYPE_CHECKING:
    from aetool.core.ssh import Result

PORT = 6379
TESTS = ("get", "set")


class RedisParameters(Parameters):
    """`requests` of each kind over `connections`, `pipeline` of them under way on each."""

    requests: int = Field(gt=0)
    connections: int = Field(gt=0)
    pipeline: int = Field(gt=0)
    warm_up_requests: int = Field(ge=0)


def start(target: Target) -> None:
    """Start an empty redis-server on the machine, in memory only, bound to the experiment network."""
    settings = {"bind": target.address, "port": str(PORT), "dir": target.work, "save": ""}
    settings |= {"appendonly": "no", "protected-mode": "no", "daemonize": "no"}
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    target.daemon("redis", ["redis-server", *options], port=PORT)


class Redis(Suite[RedisParameters]):
    """Requests a second, for GET and for SET."""

    name = "redis"
    programs: ClassVar = {
        ("machine", "redis-server"): "apt-get install redis-server",
        ("load", "redis-benchmark"): "apt-get install redis-tools",
    }
    parameters = RedisParameters

    def prepare(self, target: Target, parameters: RedisParameters) -> None:
        """A redis-server of our own."""
        start(target)

    def amounts(self, parameters: RedisParameters) -> tuple[int, int]:
        """Requests; those of the warm-up also create the keys that GET reads."""
        return parameters.warm_up_requests, parameters.requests

    def load(self, target: Target, parameters: RedisParameters, amount: int, label: str) -> Result:
        """One run of redis-benchmark."""
        p = parameters
        server = ["-h", target.address, "-p", str(PORT)]
        load = ["-t", ",".join(TESTS), "-n", str(amount), "-c", str(p.connections), "-P", str(p.pipeline)]
        command = ["redis-benchmark", *server, *load, "--csv"]
        return target.measure(target.load, command, timeout=p.deadline_seconds, label=label)

    def read(self, output: str, parameters: RedisParameters) -> list[Reading]:
        """The column `rps` of the CSV table: one row for each test, and none that failed."""
        rows = {row.get("test", ""): row for row in csv.DictReader(output.splitlines())}
        readings = []
        for test in TESTS:
            try:
                rate = float(rows[test.upper()]["rps"])
            except (KeyError, TypeError, ValueError) as error:
                raise SanityError(f"redis-benchmark printed no rate for {test.upper()}") from error
            if not rate > 0:
                raise SanityError(f"redis-benchmark printed {rate} requests a second for {test.upper()}")
            readings.append(Reading(test, rate, "requests/s", "higher"))
        return readings


SUITE = Redis()
