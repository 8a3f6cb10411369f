# SPDX-License-Identifier: Apache-2.0
"""What a lab is to the rest of aetool, wherever its hosts come from.

A provider makes hosts and says how SSH reaches them; `Lab` is the one face that campaigns and commands use.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from aetool.core.errors import LabError
from aetool.core.progress import Progress, Silent
from aetool.core.ssh import SshRemote
from aetool.core.ssh_connect import Endpoint
from aetool.lab.definition import (
    ArmDefinition,
    CloudlabDefinition,
    Definition,
    NetnsDefinition,
    check_name,
    definition_path,
    load_definition,
)
from aetool.lab.guests import Source


@dataclass(frozen=True)
class Status:
    """What is known of one host without logging in: `up` says that something answers on its SSH port."""

    host: str
    address: str
    up: bool
    detail: str


@dataclass(frozen=True)
class Place:
    """How to reach a host and its address on the experiment network."""

    endpoint: Endpoint
    address: str


class Provider(Protocol):
    """Where hosts come from."""

    emulated: bool
    description: str

    def up(self) -> None:
        """Make the hosts and return when SSH answers; nothing happens if they are up. Raises LabError."""
        ...

    def down(self) -> None:
        """Remove the hosts and all that was made for them, also after a crash; raises LabError."""
        ...

    def status(self) -> list[Status]:
        """Look at every host without changing anything."""
        ...

    def places(self) -> Mapping[str, Place]:
        """The hosts by role; raises LabError if they are not up."""
        ...

    def power_cycle(self, role: str) -> None:
        """Cut a host's power and give it back; raises LabError where that cannot be done."""
        ...

    def restore_boot_files(self, role: str) -> None:
        """Put the good boot files (`.bak`) of a host that does not boot back, and switch it on.

        Raises LabError where that cannot be done from outside.
        """
        ...

    def console(self, role: str) -> str:
        """What a host has said on its console; empty where that cannot be read."""
        ...


class Lab:
    """Hosts by role. As a context manager it closes connections at the end; it does not take hosts down."""

    def __init__(self, name: str, kind: str, provider: Provider, guests: Source | None = None) -> None:
        """`guests`: what guests are started from on the server, if not from the usual places."""
        self.guests = guests or Source()
        self.name = name
        self.provider_name = kind
        self._provider = provider
        self._remotes: dict[str, SshRemote] = {}

    @property
    def description(self) -> str:
        """One phrase for titles: what the hosts are."""
        return self._provider.description

    @property
    def emulated(self) -> bool:
        """True if numbers from these hosts say nothing about Arm hardware."""
        return self._provider.emulated

    @property
    def provider(self) -> Provider:
        """Where the hosts come from: for their power and their consoles."""
        return self._provider

    @property
    def hosts(self) -> Mapping[str, SshRemote]:
        """The hosts ("server", "client"); connections are made when first used. Raises LabError if not up."""
        if not self._remotes:
            self._remotes = {
                role: SshRemote(place.endpoint, address=place.address)
                for role, place in self._provider.places().items()
            }
        return self._remotes

    def up(self) -> None:
        """Bring the hosts up; nothing happens if they are. Raises LabError."""
        self._provider.up()

    def down(self) -> None:
        """Take the hosts down and remove every trace of them; raises LabError."""
        self.close()
        self._provider.down()

    def status(self) -> list[Status]:
        """Look at the hosts."""
        return self._provider.status()

    def facts(self) -> dict[str, Any]:
        """What the hosts are, in the form of a run's env/hosts.json; raises LabError."""
        from aetool.lab.facts import facts

        return facts(self.hosts, self)

    def driving(self, what: str) -> AbstractContextManager[None]:
        """Hold the lab while `what` is done to it; raises LabBusy naming another driver that does."""
        from aetool.lab.driver import driving

        return driving(self.hosts["server"], self.name, what)

    def close(self) -> None:
        """Drop the connections."""
        for remote in self._remotes.values():
            remote.close()
        self._remotes = {}

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def default_state() -> Path:
    """Directory that holds what running labs need (keys, logs), one subdirectory a lab."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "aetool" / "labs"


def open_lab(
    definition: Path | str,
    *,
    name: str | None = None,
    state: Path | None = None,
    progress: Progress | None = None,
) -> Lab:
    """Open a lab by the name of its definition in cloudlab/, or by file; nothing is started.

    name: tells labs of one definition apart (default: the file's stem).
    state: directory for keys and logs (default: below XDG_STATE_HOME).
    progress: hears what takes long. Raises ConfigError.
    """
    path = definition_path(definition)
    loaded = load_definition(path)
    lab_name = check_name(name or path.name.split(".")[0])
    provider = _provider(loaded, path, lab_name, state or default_state(), progress or Silent())
    guests = None if isinstance(loaded, NetnsDefinition) else loaded.guests
    return Lab(lab_name, loaded.provider, provider, guests)


def _provider(definition: Definition, path: Path, name: str, state: Path, progress: Progress) -> Provider:
    if isinstance(definition, NetnsDefinition):
        from aetool.lab.netns import NetnsProvider

        return NetnsProvider(name, definition.description, state)
    if isinstance(definition, ArmDefinition):
        from aetool.lab.arm import ArmProvider

        return ArmProvider(name, definition, state, progress=progress)
    if isinstance(definition, CloudlabDefinition):
        from aetool.lab.cloudlab import CloudlabProvider

        return CloudlabProvider(name, definition, path, state, progress=progress)
    from aetool.lab.static import StaticProvider

    return StaticProvider(definition, path)


def not_up(name: str) -> LabError:
    """The error for using a lab that is not up."""
    return LabError(f"the lab {name} is not up", hint="bring it up first: aetool lab up")


def by_hand(role: str) -> LabError:
    """The error for a host that does not boot and that aetool cannot reach from outside."""
    return LabError(
        f"{role} does not boot, and its boot files are out of reach",
        hint="stop U-Boot at the console and load uImage.bak and uInitrd.bak instead of uImage and uInitrd; "
        "then: aetool lab kernel restore",
    )
