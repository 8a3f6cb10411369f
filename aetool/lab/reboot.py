# SPDX-License-Identifier: Apache-2.0
"""The reboot contract: a host counts as rebooted only when a fresh connection proves it.

Proof is another boot id, a system that has settled, and whatever else the caller wants (a kernel, a mode of
KVM). A host that does not come back has its power cycled; one that comes back wrong is reported as such.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from aetool.core.errors import HostUnreachable, LabError, LoginRefused, RemoteCommandError
from aetool.core.process import TAIL_LINES
from aetool.core.progress import Progress
from aetool.core.ssh import Remote
from aetool.lab.provider import Provider

# Looks at a host that has come back; returns what is wrong with it, or None.
Wanted = Callable[[Remote], str | None]

_COMMAND_SECONDS = 30.0
_POLL_SECONDS = 1.0
# Detached, so that the answer arrives before the connection goes.
_START = "setsid sh -c 'sleep 0.5; exec reboot' </dev/null >/dev/null 2>&1 &"
# Where systemd runs, it says when the system has settled; elsewhere sshd is the last thing to start.
_SETTLED = """
cat /proc/sys/kernel/random/boot_id
if [ -d /run/systemd/system ]; then
  systemctl is-system-running || true
else
  echo running
fi
"""


@dataclass(frozen=True)
class Patience:
    """How long and how often.

    Seconds until a host must answer: `back` after a reboot, `restored` once it has its good boot files again.
    cycles: how often its power is cycled.
    """

    back: float = 300.0
    restored: float = 300.0
    cycles: int = 1


class BootFailed(LabError):
    """A host did not come back, or not as it should."""


def boot_id(remote: Remote) -> str:
    """The id that the kernel gives to this boot; raises LabError."""
    return remote.run(["cat", "/proc/sys/kernel/random/boot_id"], timeout=_COMMAND_SECONDS).stdout.strip()


def reboot(
    remote: Remote,
    provider: Provider,
    *,
    wanted: Wanted = lambda remote: None,
    patience: Patience | None = None,
    progress: Progress,
) -> float:
    """Reboot a host and return the seconds until it was back.

    Raises BootFailed with the end of the console if it does not come back, or not as `wanted`.
    """
    patience = patience or Patience()
    before = boot_id(remote)
    started = time.monotonic()
    progress.say(f"{remote.name}: rebooting")
    remote.shell(_START, timeout=_COMMAND_SECONDS)
    for cycle in range(patience.cycles + 1):
        if cycle:
            progress.say(f"{remote.name}: not back after {patience.back:g} s; cycling its power")
            provider.power_cycle(remote.name)
        if _back(remote, before, patience.back):
            break
    else:
        raise BootFailed(
            f"{remote.name} did not come back after a reboot and {patience.cycles} cycle(s) of its power",
            detail=_console_tail(provider, remote.name),
        )
    seconds = time.monotonic() - started
    if wrong := wanted(remote):
        raise BootFailed(
            f"{remote.name} has rebooted, but {wrong}", detail=_console_tail(provider, remote.name)
        )
    progress.say(f"{remote.name}: back after {seconds:.0f} s")
    return seconds


def wait_for(remote: Remote, patience: Patience) -> None:
    """Return when a host with its good boot files answers and has settled; raises BootFailed."""
    if not _back(remote, "", patience.restored):
        raise BootFailed(f"{remote.name} does not answer within {patience.restored:g} s")


def _back(remote: Remote, before: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # the old connection may look alive for a while: it proves nothing
        remote.close()
        try:
            lines = remote.shell(_SETTLED, timeout=_COMMAND_SECONDS).stdout.split()
        except (HostUnreachable, LoginRefused, RemoteCommandError):
            # a host that is going down, or half up, may still answer, and refuse every key
            lines = []
        if len(lines) == 2 and lines[0] != before and lines[1] in ("running", "degraded"):
            return True
        time.sleep(_POLL_SECONDS)
    return False


def _console_tail(provider: Provider, role: str) -> str | None:
    lines = provider.console(role).splitlines()
    return "\n".join(lines[-TAIL_LINES:]) or None
