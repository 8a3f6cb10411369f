# SPDX-License-Identifier: Apache-2.0
"""Reads the summary that YCSB (and our stand-in for it) prints: lines of the form `[PART], NAME, NUMBER`."""

from __future__ import annotations

import re

from aetool.bench.suites.base import Reading, SanityError

_LINE = re.compile(r"^\[([^\]]+)\], ([^,]+), (\S+)$", re.MULTILINE)


def read_summary(output: str, operations: int) -> list[Reading]:
    """The throughput, if exactly `operations` reads and updates were done and every one returned OK."""
    found: dict[tuple[str, str], float] = {}
    for part, name, text in _LINE.findall(output):
        try:
            found[part, name] = float(text)
        except ValueError as error:
            raise SanityError(f"YCSB printed {text!r} for [{part}], {name}") from error
    for part, name in found:
        failed = part.endswith("FAILED") or (name.startswith("Return=") and name != "Return=OK")
        if failed and part != "CLEANUP":
            raise SanityError(f"YCSB says [{part}], {name}, {found[part, name]:g}")
    good = sum(found.get((part, "Return=OK"), 0) for part in ("READ", "UPDATE"))
    if good != operations:
        raise SanityError(f"YCSB did {good:g} operations well, {operations} were asked for")
    rate = found.get(("OVERALL", "Throughput(ops/sec)"), 0.0)
    if not rate > 0:
        raise SanityError("YCSB printed no throughput above zero")
    return [Reading("operations", rate, "operations/s", "higher")]
