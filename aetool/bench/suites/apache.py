# SPDX-License-Identifier: Apache-2.0
"""apache: ab on the load machine fetches one page over TLS from an apache2 on the machine under test."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from aetool.bench.suites.apache_files import install
from aetool.bench.suites.apache_output import read_rate
from aetool.bench.suites.base import Parameters, Reading, Suite, Target

if TYPE_CHECKING:
    from aetool.core.ssh import Result

PORT = 443
PAGE = "/gcc/index.html"


class ApacheParameters(Parameters):
    """`requests` for a page of `page_bytes`, `concurrency` at a time; ab waits `timeout_seconds` for each."""

    requests: int = Field(gt=0)
    concurrency: int = Field(gt=0)
    timeout_seconds: int = Field(gt=0)
    page_bytes: int = Field(ge=1000)
    warm_up_requests: int = Field(ge=0)


class Apache(Suite[ApacheParameters]):
    """Requests a second over HTTPS, a new connection for each."""

    name = "apache"
    programs: ClassVar = {
        ("machine", "apache2"): "apt-get install apache2-bin",
        ("load", "openssl"): "apt-get install openssl",
        ("load", "ab"): "apt-get install apache2-utils",
    }
    parameters = ApacheParameters

    def prepare(self, target: Target, parameters: ApacheParameters) -> None:
        """A page, a self-signed certificate, and an apache2 of our own."""
        install(target, PORT, PAGE, parameters.page_bytes)
        target.daemon("apache", ["apache2", "-f", f"{target.work}/apache.conf", "-DFOREGROUND"], port=PORT)

    def amounts(self, parameters: ApacheParameters) -> tuple[int, int]:
        """Requests."""
        return parameters.warm_up_requests, parameters.requests

    def load(self, target: Target, parameters: ApacheParameters, amount: int, label: str) -> Result:
        """One run of ab."""
        p = parameters
        concurrency = min(p.concurrency, amount)  # ab refuses more connections than requests
        options = ["-s", str(p.timeout_seconds), "-n", str(amount), "-c", str(concurrency)]
        command = ["ab", *options, f"https://{target.address}:{PORT}{PAGE}"]
        return target.measure(target.load, command, timeout=p.deadline_seconds, label=label)

    def read(self, output: str, parameters: ApacheParameters) -> list[Reading]:
        """The rate, if every request brought the whole page."""
        return read_rate(output, parameters.requests, parameters.page_bytes)


SUITE = Apache()
