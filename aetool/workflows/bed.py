# SPDX-License-Identifier: Apache-2.0
"""A lab as a campaign sees it: machines in a configuration, natively or as guests, ready to be measured.

Configurations are activated and guests started when a step needs them, and kept for as long as the following
steps need the same. A server that SeKVM has left without VM identifiers is rebooted before the next guests.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from aetool.bench.forecast import VMID_BUDGET
from aetool.core.errors import HostKeyError, HostUnreachable, LabError, LoginRefused
from aetool.core.progress import Progress
from aetool.core.ssh import Remote, SshRemote
from aetool.lab import Lab

if TYPE_CHECKING:
    from aetool.lab.configuration import Hypervisor

_PING_SECONDS = 30.0

# Hears what a configuration was found to be each time that it is activated; may raise.
Activated = Callable[[str, dict[str, Any]], None]


class LabBed:
    """Implements `aetool.bench.suites.base.Bed`; as a context manager it ends its guests."""

    def __init__(self, lab: Lab, progress: Progress, activated: Activated) -> None:
        self._lab = lab
        self._progress = progress
        self._activated = activated
        self._active: str | None = None
        self._guests: tuple[str, int, int] | None = None
        self._remotes: list[SshRemote] = []

    def refuses(self, configuration: str, vms: int) -> str | None:
        """Why the server cannot be had in a configuration: found out by activating it."""
        if configuration == "native":
            return None
        if self._lab.provider_name == "netns":
            return f"the lab {self._lab.name} ({self._lab.provider_name}) has no virtual machines"
        try:
            self._activate(configuration)
        except (HostUnreachable, HostKeyError, LoginRefused):
            raise
        except LabError as error:
            return error.message
        return None

    def machines(self, configuration: str, vms: int, repetition: int) -> Sequence[Remote]:
        """The server, or `vms` guests that no other repetition has used."""
        wanted = (configuration, vms, repetition)
        if self._guests == wanted:
            return self._remotes
        self._stop()
        self._activate(configuration)
        if vms == 0:
            return [self._server]
        self._remotes = self._start(configuration, vms)
        self._guests = wanted
        return self._remotes

    def load(self) -> Remote:
        """The client."""
        return self._lab.hosts["client"]

    def reconnect(self) -> None:
        """Connect to both hosts anew; guests are not trusted any more and replaced when next needed."""
        self._forget()
        self._active = None
        self._lab.close()
        for remote in self._lab.hosts.values():
            remote.run(["true"], timeout=_PING_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._guests is not None:
            # a server that cannot be reached now is cleaned before the next guests start on it
            with contextlib.suppress(LabError):
                self._clean()
        self._forget()

    @property
    def _server(self) -> SshRemote:
        return self._lab.hosts["server"]

    def _activate(self, configuration: str) -> None:
        if self._lab.provider_name == "netns" or self._active == configuration:
            return
        from aetool.lab.configuration import activate

        if self._active is None:
            self._clean()  # guests of a driver that was killed
        self._note(
            configuration, activate(self._server, self._lab.provider, configuration, progress=self._progress)
        )

    def _note(self, configuration: str, found: Hypervisor) -> None:
        self._active = configuration
        if configuration != "native":
            self._activated(configuration, asdict(found))

    def _start(self, configuration: str, vms: int) -> list[SshRemote]:
        from aetool.lab import vm

        client = self._lab.hosts["client"]
        budget = VMID_BUDGET.get(configuration)
        if budget is not None and vm.launches(self._server) + vms > budget:
            self._reboot(configuration)
        try:
            return vm.start(self._server, client, vms, progress=self._progress)
        except vm.IdentifiersExhausted as error:
            self._progress.say(error.message)
            self._reboot(configuration)
            return vm.start(self._server, client, vms, progress=self._progress)

    def _reboot(self, configuration: str) -> None:
        from aetool.lab.configuration import hypervisor
        from aetool.lab.reboot import reboot

        def wrong(back: Remote) -> str | None:
            seen = hypervisor(back)
            return None if seen.active == configuration else f"{configuration} is not active: {seen.evidence}"

        reboot(self._server, self._lab.provider, wanted=wrong, progress=self._progress)
        self._note(configuration, hypervisor(self._server))

    def _stop(self) -> None:
        if self._guests is None:
            return
        from aetool.lab import vm

        vm.stop(self._server, self._remotes)
        self._forget()

    def _clean(self) -> None:
        """End guests, whoever started them; a server that never had any is left alone."""
        from aetool.lab import vm

        if self._server.run(["test", "-d", vm.FOLDER], timeout=_PING_SECONDS, check=False).status == 0:
            vm.clean(self._server)

    def _forget(self) -> None:
        for remote in self._remotes:
            remote.close()
        self._remotes, self._guests = [], None
