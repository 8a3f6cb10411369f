# SPDX-License-Identifier: Apache-2.0
"""Two hosts that exist already, named in an inventory: aetool neither makes nor removes them."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from aetool.core.errors import HostUnreachable, LabError
from aetool.core.ssh_connect import Endpoint
from aetool.lab.definition import ROLES, StaticDefinition, StaticHost
from aetool.lab.provider import Place, Status, by_hand

_PROBE_SECONDS = 5.0


class StaticProvider:
    """The hosts of an inventory; implements Provider."""

    def __init__(self, definition: StaticDefinition, path: Path) -> None:
        self.description = definition.description
        self.emulated = definition.emulated
        self._hosts: dict[str, StaticHost] = {role: getattr(definition.hosts, role) for role in ROLES}
        self._folder = path.resolve().parent

    def up(self) -> None:
        """Check that both hosts answer; raises HostUnreachable naming those that do not."""
        silent = [s for s in self.status() if not s.up]
        if silent:
            raise HostUnreachable(
                "; ".join(f"{s.host} does not answer: {s.detail}" for s in silent),
                hint="these hosts are not made by aetool: start them, or correct the inventory",
            )

    def down(self) -> None:
        """Leave the hosts alone: they belong to somebody else."""

    def power_cycle(self, role: str) -> None:
        """Refuse: aetool has no hand on the power of these hosts."""
        raise LabError(
            f"{role}: the power of a static host is out of reach", hint="switch it off and on by hand"
        )

    def restore_boot_files(self, role: str) -> None:
        """Refuse, and say what to do at the console."""
        raise by_hand(role)

    def console(self, role: str) -> str:
        """Nothing: the console of these hosts is out of reach."""
        return ""

    def status(self) -> list[Status]:
        """Try to connect to each host's SSH port."""
        return [self._probe(role, host) for role, host in self._hosts.items()]

    def places(self) -> Mapping[str, Place]:
        """The hosts as the inventory names them."""
        return {
            role: Place(
                Endpoint(
                    name=role,
                    host=host.ssh or host.address,
                    port=host.port,
                    user=host.user,
                    key=self._folder / Path(host.key).expanduser(),
                    host_key=host.host_key,
                    sudo=host.sudo,
                ),
                host.address,
            )
            for role, host in self._hosts.items()
        }

    def _probe(self, role: str, host: StaticHost) -> Status:
        where = (host.ssh or host.address, host.port)
        try:
            socket.create_connection(where, timeout=_PROBE_SECONDS).close()
        except OSError as error:
            return Status(role, host.address, False, f"{where[0]}:{where[1]}: {error.strerror or error}")
        return Status(role, host.address, True, f"{where[0]}:{where[1]} answers")
