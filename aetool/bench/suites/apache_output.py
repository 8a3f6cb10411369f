# SPDX-License-Identifier: Apache-2.0
"""Reads what ab prints: it exits with 0 and prints a fine rate even if nobody answers, so all is checked."""

from __future__ import annotations

import re

from aetool.bench.suites.base import Reading, SanityError


def read_rate(output: str, requests: int, page_bytes: int) -> list[Reading]:
    """The line `Requests per second`, if every request brought the whole page over TLS."""
    found = dict(re.findall(r"^([A-Z][^:\n]+):\s+(\S+)", output, re.MULTILINE))
    wanted = {
        "Complete requests": str(requests),
        "Failed requests": "0",
        "Document Length": str(page_bytes),
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
