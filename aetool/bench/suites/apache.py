# SPDX-License-Identifier: Apache-2.0
"""apache: ab on the load machine fetches one page over TLS from an apache2 on the machine under test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from aetool.bench.suites.apache_files import install
from aetool.bench.suites.base import Parameters, Reading, SanityError, Suite, Target

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
        """The line `Requests per second`, if every request brought the whole page.

        ab exits with 0 and prints a fine rate even if nobody answers, so each count is looked at.
        """
        found = dict(re.findall(r"^([A-Z][^:\n]+):\s+(\S+)", output, re.MULTILINE))
        wanted = {
            "Complete requests": str(parameters.requests),
            "Failed requests": "0",
            "Document Length": str(parameters.page_bytes),
            "Non-2xx responses": None,
        }
        for name, value in wanted.items():
            if found.get(name) != value:
                raise SanityError(f"ab says {name}: {found.get(name)}, expected {value or 'no such line'}")
        if not found.get("SSL/TLS Protocol", "").startswith("TLS"):
            raise SanityError("ab did not speak TLS")
        try:
            rate = float(found["Requests per second"])
        except (KeyError, ValueError) as error:
            raise SanityError("ab printed no line `Requests per second` with a number") from error
        return [Reading("requests", rate, "requests/s", "higher")]


SUITE = Apache()
