# SPDX-License-Identifier: Apache-2.0
"""Configurations of the server: which hypervisor runs, chosen at boot and read back from the host.

native   no VM; any kernel
kvm      mainline KVM
pkvm     mainline KVM in protected mode: an EL2 hypervisor of its own, the mainline relative of SeKVM
sekvm    a kernel built from the SeKVM tree
"""

from __future__ import annotations

from dataclasses import dataclass

from aetool.core.errors import ConfigError, HostUnreachable, LabError
from aetool.core.progress import Progress
from aetool.core.ssh import Remote
from aetool.lab import boot
from aetool.lab.provider import Provider
from aetool.lab.reboot import BootFailed, Patience, Wanted, reboot, wait_for
from aetool.lab.uboot import with_option

NAMES = ("native", "kvm", "sekvm", "pkvm")
_MODE = "kvm-arm.mode"
_SECONDS = 120.0

_LOOK = r"""
printf 'kernel\t%s\n' "$(uname -r)"
printf 'command_line\t%s\n' "$(cat /proc/cmdline)"
[ -c /dev/kvm ] && printf 'device\tyes\n'
{ zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null || true; } \
  | sed -n 's/^CONFIG_VERIFIED_KVM=\(.*\)/verified\t\1/p'
dmesg | sed -n 's/.*\(kvm.*initialized successfully\).*/line\t\1/p
  s/.*\(HypSec EL2 runtime is installed\).*/sekvm\t\1/p'
"""


@dataclass(frozen=True)
class Hypervisor:
    """What a host says of its hypervisor: the configuration that is active besides `native`, if any."""

    active: str | None
    kernel: str
    command_line: str
    evidence: str


def hypervisor(remote: Remote) -> Hypervisor:
    """Read from the host which hypervisor runs; raises LabError."""
    found: dict[str, str] = {}
    for line in remote.shell(_LOOK, timeout=_SECONDS).stdout.splitlines():
        name, _, value = line.partition("\t")
        found[name] = value
    active = None
    if found.get("verified") == "y" and "sekvm" in found:
        active = "sekvm"
    elif "device" in found and "Protected" in found.get("line", ""):
        active = "pkvm"
    elif "device" in found and "mode initialized" in found.get("line", ""):
        active = "kvm"
    evidence = found.get("sekvm") or found.get("line") or "the kernel's log has no line of KVM's"
    return Hypervisor(active, found["kernel"], found["command_line"], evidence)


def activate(
    remote: Remote,
    provider: Provider,
    name: str,
    *,
    patience: Patience | None = None,
    progress: Progress,
) -> Hypervisor:
    """Have a configuration active, rebooting the host if it is not; return what the host says.

    If the host does not come back as it should, the good boot files are put back and booted.
    Raises ConfigError for a name that is none, LabError if the configuration cannot be had.
    """
    if name not in NAMES:
        raise ConfigError(f"{name!r} is not a configuration: {', '.join(NAMES)}")
    now = hypervisor(remote)
    if name in ("native", now.active):
        return now
    if name == "sekvm":
        raise LabError(
            f"{remote.name} does not run a SeKVM kernel: {now.kernel}, {now.evidence}",
            hint="what it takes, and what of it is missing: aetool lab preflight sekvm",
        )
    mode = "protected" if name == "pkvm" else None
    boot.set_arguments(remote, with_option(boot.arguments(remote), _MODE, mode))

    def wrong(back: Remote) -> str | None:
        seen = hypervisor(back)
        return None if seen.active == name else f"{name} is not active: {seen.evidence}"

    reboot_or_restore(remote, provider, wrong, patience, progress)
    return hypervisor(remote)


def reboot_or_restore(
    remote: Remote,
    provider: Provider,
    wrong: Wanted,
    patience: Patience | None,
    progress: Progress,
) -> None:
    """Reboot into changed boot files; if that fails, boot the good ones again and raise BootFailed."""
    try:
        reboot(remote, provider, wanted=wrong, patience=patience, progress=progress)
    except BootFailed as failure:
        progress.say(f"{remote.name}: {failure.message}; going back to the boot files that worked")
        _go_back(remote, provider, patience, progress)
        failure.hint = f"{remote.name} runs its former kernel again"
        raise


def _go_back(remote: Remote, provider: Provider, patience: Patience | None, progress: Progress) -> None:
    """Through the host if it answers, else from outside, as a hand at its console would."""
    try:
        boot.restore(remote)
        reboot(remote, provider, patience=patience, progress=progress)
    except (HostUnreachable, BootFailed):
        provider.restore_boot_files(remote.name)
        wait_for(remote, patience or Patience())
