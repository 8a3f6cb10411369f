# SPDX-License-Identifier: Apache-2.0
"""The machines of a lab as a campaign asks for them: a configuration, and the server or a number of guests.

Reboots and guests cost minutes, so what stands is kept until something else is asked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from aetool.core.errors import HostUnreachable, LabError
from aetool.core.progress import Progress
from aetool.core.ssh import Remote, SshRemote
from aetool.lab import vm
from aetool.lab.configuration import activate, hypervisor
from aetool.lab.guests import MOST
from aetool.lab.provider import Lab

_GUEST_SECONDS = 1800.0
_PING_SECONDS = 60.0


class Machines:
    """Hosts and guests of a lab that is up; `close` shuts the guests down."""

    def __init__(self, lab: Lab, progress: Progress) -> None:
        self._lab = lab
        self._progress = progress
        self._guests: list[SshRemote] = []
        self._key: tuple[str, int] | None = None

    def refuses(self, configuration: str, vms: int) -> str | None:
        """Why the lab cannot give machines in a configuration; None if it can. Looks, but changes nothing."""
        if vms > MOST:
            return f"the lab's network holds {MOST} guests at most"
        if configuration == "native":
            return "guests need a hypervisor" if vms else None
        if self._lab.provider_name == "netns":
            return f"the lab {self._lab.name} ({self._lab.provider_name}) has no virtual machines"
        active = hypervisor(self._server()).active
        if active is None:
            return "the server has no KVM: no /dev/kvm, or its kernel did not start at EL2"
        if configuration == "sekvm" and active != "sekvm":
            return "the server does not run a SeKVM kernel (aetool lab kernel install)"
        if active == "sekvm" and configuration != "sekvm":
            return "the server runs a SeKVM kernel (aetool lab kernel restore)"
        return None

    def machines(self, configuration: str, vms: int) -> Sequence[Remote]:
        """The server in a configuration, or that many guests of it, up and reachable from the load.

        Raises LabError, ConfigError.
        """
        if self._key != (configuration, vms) or not self._all_alive():
            self._release()
            activate(self._server(), self._lab.provider, configuration, progress=self._progress)
            if vms:
                self._guests = vm.start_within_budget(
                    self._server(),
                    self._lab.hosts["client"],
                    self._lab.provider,
                    vms,
                    source=self._lab.guests,
                    seconds=_GUEST_SECONDS,
                    progress=self._progress,
                )
            self._key = (configuration, vms)
        return self._guests if vms else [self._server()]

    def load(self) -> Remote:
        """The machine that sends the load."""
        return self._lab.hosts["client"]

    def reconnect(self) -> None:
        """Drop every connection and make new ones; raises HostUnreachable, and starts guests anew if dead."""
        for remote in self._guests:
            remote.close()
        for remote in [*self._lab.hosts.values(), *self._guests]:
            remote.close()
            try:
                remote.run(["true"], timeout=_PING_SECONDS)
            except HostUnreachable:
                if remote in self._guests and not vm.alive(self._server(), remote.name):
                    self._key = None  # the next `machines` starts them anew
                    continue
                raise

    def close(self) -> None:
        """Shut the guests down; a server that does not answer has none left."""
        with contextlib.suppress(HostUnreachable):
            self._release()

    def _release(self) -> None:
        guests, self._guests, self._key = self._guests, [], None
        if guests:
            vm.stop(self._server(), guests)

    def _all_alive(self) -> bool:
        try:
            return all(vm.alive(self._server(), guest.name) for guest in self._guests)
        except LabError:
            return False

    def _server(self) -> SshRemote:
        return self._lab.hosts["server"]
