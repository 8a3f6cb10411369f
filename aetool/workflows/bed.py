# SPDX-License-Identifier: Apache-2.0
"""A lab's machines as a campaign wants them: guests for as long as it says, and a record of hypervisors."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aetool.core.errors import HostKeyError, HostUnreachable, LabError, LoginRefused
from aetool.core.progress import Progress
from aetool.core.ssh import Remote
from aetool.lab import Lab

_PING_SECONDS = 60.0

# Hears what the server said of its hypervisor when a configuration became active; may raise.
Activated = Callable[[str, dict[str, Any]], None]


class LabBed:
    """Implements `aetool.bench.suites.base.Bed`; as a context manager it ends its guests."""

    def __init__(
        self, lab: Lab, progress: Progress, activated: Activated, *, reboot: bool = False, keep: bool = False
    ) -> None:
        """Nothing is touched yet.

        reboot: the server is rebooted whenever machines for another repetition are asked for.
        keep: guests serve every repetition, until their number changes.
        """
        from aetool.lab.machines import Machines

        self._lab = lab
        self._progress = progress
        self._reboot = reboot
        self._keep = keep
        self._machines = Machines(lab, progress)
        self._activated = activated
        self._noted: str | None = None
        self._wanted: tuple[str, int, int] | None = None
        self._given: Sequence[Remote] = ()
        self._swept = lab.provider_name == "netns"

    def refuses(self, configuration: str, vms: int) -> str | None:
        """Why the server cannot be had in a configuration: what it says, or what activating it says."""
        if self._reboot and self._lab.provider_name == "netns":
            return f"the lab {self._lab.name} ({self._lab.provider_name}) cannot be rebooted"
        self._sweep()
        reason = self._machines.refuses(configuration, vms)
        if reason is not None or configuration == self._noted:
            return reason
        try:
            self._activate(configuration)
        except (HostUnreachable, HostKeyError, LoginRefused):
            raise
        except LabError as error:
            return error.message
        return None

    def machines(self, configuration: str, vms: int, repetition: int) -> Sequence[Remote]:
        """The server, or `vms` guests that no other repetition has used unless guests are kept."""
        wanted = (configuration, vms, 0 if self._keep else repetition)
        # a guest that has died meanwhile shows as soon as it is used, and is replaced by way of `reconnect`
        if self._wanted != wanted:
            self._sweep()
            self._machines.close()
            self._activate(configuration)
            if self._reboot:
                self._boot_anew(configuration)
            self._given = self._machines.machines(configuration, vms)
            self._wanted = wanted
        return self._given

    def load(self) -> Remote:
        """The client."""
        return self._machines.load()

    def bare_metal(
        self, machine: Remote, work: str, qemu: str, iterations: int, repetitions: int
    ) -> list[str]:
        """Build the measuring guest, put it on the machine, and return the command that runs it under KVM."""
        from aetool.lab import micro

        place = f"{work}/micro.bin"
        with tempfile.TemporaryDirectory() as folder:
            image = micro.build(Path(folder))
        machine.put(micro.with_parameters(image, iterations, repetitions), place)
        return micro.command(place, qemu=qemu, accelerator="kvm", gic="host")

    def reconnect(self) -> None:
        """Connect to both hosts anew; guests are not trusted any more and replaced when next needed."""
        self._wanted = self._noted = None
        with contextlib.suppress(LabError):
            self._machines.close()
        self._lab.close()
        for remote in self._lab.hosts.values():
            remote.run(["true"], timeout=_PING_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # a server that cannot be reached now is swept by whoever uses it next
        with contextlib.suppress(LabError):
            self._machines.close()

    def _activate(self, configuration: str) -> None:
        if configuration == self._noted:
            return
        from aetool.lab.configuration import hypervisor

        server = self._machines.machines(configuration, 0)[0]
        if configuration != "native":
            self._activated(configuration, asdict(hypervisor(server)))
        self._noted = configuration

    def _boot_anew(self, configuration: str) -> None:
        from aetool.lab.configuration import hypervisor
        from aetool.lab.reboot import reboot

        def wrong(back: Remote) -> str | None:
            seen = hypervisor(back)
            good = configuration in ("native", seen.active)
            return None if good else f"{configuration} is not active: {seen.evidence}"

        reboot(self._lab.hosts["server"], self._lab.provider, wanted=wrong, progress=self._progress)

    def _sweep(self) -> None:
        """End the guests of a driver that was killed; a server that never had any is left alone."""
        if self._swept:
            return
        from aetool.lab import vm

        server = self._lab.hosts["server"]
        if server.run(["test", "-d", vm.FOLDER], timeout=_PING_SECONDS, check=False).status == 0:
            vm.clean(server)
        self._swept = True
