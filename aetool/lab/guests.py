# SPDX-License-Identifier: Apache-2.0
"""Guests by number: names, addresses, hardware addresses and taps, computed for any number of them.

One guest is 10.10.1.100; several are 10.10.1.101 and on, as in the artifact. Unlike there, hardware addresses
stay well-formed beyond nine guests.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from aetool.core.config import Model
from aetool.core.errors import ConfigError

SINGLE = 100
FIRST = 101
# 254 is the lab's own; 255 broadcast
LAST = 253
MOST = LAST - FIRST + 1
# where the server keeps what guests are started from
STORE = "/var/lib/aetool"
_NETWORK = ipaddress.ip_network("10.10.1.0/24")


@dataclass(frozen=True)
class Guest:
    """What tells one guest from the others. `number` counts from 1; 0 is the one that is alone."""

    number: int
    name: str
    address: str
    mac: str
    tap: str


class Source(Model):
    """What guests are started from, as paths on the server: QEMU, kernel, RAM disk, and a read-only root.

    gic: version of the interrupt controller, "host" for the server's own. SeKVM wants a QEMU and a guest
    kernel of its own; the kernel needs virtio, ext4 and overlayfs.
    """

    qemu: str = "qemu-system-aarch64"
    gic: str = "host"
    kernel: str = f"{STORE}/Image"
    initrd: str = f"{STORE}/initrd.gz"
    image: str = f"{STORE}/guest.img"


def guests(count: int) -> list[Guest]:
    """The guests of a run with `count` of them; raises ConfigError beyond what the subnet holds."""
    if not 1 <= count <= MOST:
        raise ConfigError(f"{count} guests: there can be 1 to {MOST} of them in {_NETWORK}")
    if count == 1:
        return [_guest(0, SINGLE)]
    return [_guest(number, FIRST + number - 1) for number in range(1, count + 1)]


def _guest(number: int, last: int) -> Guest:
    return Guest(
        number, f"vm-{number or 1}", str(_NETWORK[last]), f"de:ad:be:ef:f6:{last:02x}", f"tap{number}"
    )
