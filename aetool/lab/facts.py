# SPDX-License-Identifier: Apache-2.0
"""What a host is: read from the host itself, in one command, before and after it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from aetool.core.errors import LabError
from aetool.core.ssh import Remote

PACKAGES = (
    "apache2", "apache2-bin", "apache2-utils", "linux-image-arm64", "openssh-server", "openssl",
    "qemu-system-arm", "redis-server", "redis-tools", "rt-tests",
)  # fmt: skip
_SECONDS = 120.0
_NUMBERS = ("cpus", "memory_kib")
_NAMES = ("hostname", "kernel", "architecture", "cpu_model", "cpus", "memory_kib", "os", "boot_id")

# One line a fact: NAME, a tab, the value; packages as package:NAME.
_SCRIPT = """
fact() { printf '%s\\t%s\\n' "$1" "$2"; }
fact hostname "$(uname -n)"
fact kernel "$(uname -r)"
fact architecture "$(uname -m)"
model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
[ -n "$model" ] || model=$(LC_ALL=C lscpu 2>/dev/null | sed -n 's/^ *Model name: *//p' | head -n 1) || true
fact cpu_model "${model:-unknown}"
fact cpus "$(getconf _NPROCESSORS_ONLN)"
fact memory_kib "$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
fact os "$(. /etc/os-release && echo "$PRETTY_NAME")"
fact boot_id "$(cat /proc/sys/kernel/random/boot_id)"
if command -v dpkg-query >/dev/null; then
  dpkg-query -W -f '${db:Status-Abbrev}package:${Package}\\t${Version}\\n' "$@" 2>/dev/null \\
    | sed -n 's/^ii //p' || true
fi
# a host whose packages were unpacked without dpkg keeps its own list
if [ -r /var/lib/aetool/packages ]; then
  for name in "$@"; do sed -n "s/^$name\t/package:&/p" /var/lib/aetool/packages; done
fi
"""


class Described(Protocol):
    """The part of a lab that goes into the record."""

    provider_name: str

    @property
    def emulated(self) -> bool:
        """True if its numbers say nothing about Arm hardware."""
        ...

    @property
    def description(self) -> str:
        """What the hosts are, in one phrase."""
        ...


def facts(hosts: Mapping[str, Remote], lab: Described) -> dict[str, Any]:
    """Gather the facts of all hosts, in the form of a run's env/hosts.json; raises LabError."""
    return {
        "lab": {"provider": lab.provider_name, "emulated": lab.emulated, "description": lab.description},
        "hosts": {role: host_facts(remote) for role, remote in sorted(hosts.items())},
    }


def host_facts(remote: Remote) -> dict[str, Any]:
    """Facts of one host: memory in KiB, versions of those of PACKAGES that are installed."""
    words = " ".join(PACKAGES)
    result = remote.shell(f"set -- {words}\n{_SCRIPT}", timeout=_SECONDS)
    return parse_facts(result.stdout, remote.name)


def parse_facts(text: str, host: str) -> dict[str, Any]:
    """Turn the script's output into facts; raises LabError if one is missing or not a number."""
    found: dict[str, Any] = {}
    packages: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition("\t")
        if name.startswith("package:"):
            packages[name.removeprefix("package:")] = value
        elif name in _NAMES:
            found[name] = value
    missing = [name for name in _NAMES if not found.get(name)]
    missing += [name for name in _NUMBERS if name in found and not found[name].isdecimal()]
    if missing:
        raise LabError(f"{host}: these facts cannot be read: {', '.join(missing)}", detail=text or None)
    for name in _NUMBERS:
        found[name] = int(found[name])
    return {**found, "packages": packages}
