# SPDX-License-Identifier: Apache-2.0
"""Whether a machine stayed well while it was measured: no thermal throttling, no new kernel errors.

A number from a machine that was throttled, ran out of memory or lost a disk meanwhile is not the benchmark's.
The kernel says so; nobody reads it unless a step fails. Errors that are known to be harmless are listed in
benchmarks/kernel-messages.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import field_validator

from aetool.core.config import Model, load_yaml

# One `throttled N` line if the CPU counts such events, then the kernel's messages of level error and above,
# or `unreadable`. `dmesg -r` puts the level in front and is understood by util-linux and busybox alike.
# A shell that reads lines from a pipe does so byte by byte, so the text is split in memory.
LOOK = """
throttled=
for file in /sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count; do
  [ ! -e "$file" ] || { read -r count <"$file" && throttled=$((throttled + count)); }
done
[ -z "$throttled" ] || echo "throttled $throttled"
serious() {
  local - line IFS=$'\\n'
  set -f
  for line in $1; do
    case $line in '<'[0-3]'>'*) printf '%s\\n' "$line" ;; esac
  done
}
if lines=$(dmesg -r 2>/dev/null); then serious "$lines"; else echo unreadable; fi
"""


class Allowed(Model):
    """A kernel message that does not matter: a regular expression, and why."""

    pattern: str
    why: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return text


class KernelMessages(Model):
    """The file benchmarks/kernel-messages.yaml."""

    allowed: list[Allowed]


@dataclass(frozen=True)
class Health:
    """`throttled`: number of events since boot, None if not counted; `errors`: None if not readable."""

    throttled: int | None
    errors: tuple[str, ...] | None


def allowed_messages(root: Path) -> tuple[str, ...]:
    """The patterns of benchmarks/kernel-messages.yaml; raises ConfigError."""
    path = root / "benchmarks" / "kernel-messages.yaml"
    return tuple(item.pattern for item in load_yaml(path, KernelMessages).allowed)


def parse(text: str) -> Health:
    """Health from the script's output."""
    lines = [line for line in text.splitlines() if line]
    throttled = None
    if lines and (match := re.fullmatch(r"throttled (\d+)", lines[0])):
        throttled = int(match[1])
        lines = lines[1:]
    return Health(throttled, None if lines == ["unreadable"] else tuple(lines))


def new_errors(before: Health, after: Health) -> list[str]:
    """Kernel errors that came in between (the kernel's buffer is a ring: old lines may have gone)."""
    known = set(before.errors or ())
    return [line for line in after.errors or () if line not in known]


def complaint(before: Health, after: Health, allowed: Sequence[str]) -> str | None:
    """Why the time in between cannot be trusted, or None."""
    events = (after.throttled or 0) - (before.throttled or 0)
    if events > 0:
        return f"the CPU was throttled {events} times"
    bad = [line for line in new_errors(before, after) if not any(re.search(p, line) for p in allowed)]
    if bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        return f"the kernel reported: {bad[0]}{more}"
    return None
