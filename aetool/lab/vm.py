# SPDX-License-Identifier: Apache-2.0
"""Guests of the server: started, waited for, pinned, shut down, and cleaned up after an earlier run.

All that is known of a running guest lies on the server, below /run: it goes with a reboot, as the guests do.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aetool.core.errors import HostUnreachable, LabError, RemoteCommandError
from aetool.core.process import TAIL_LINES
from aetool.core.progress import Progress
from aetool.core.project import project_root
from aetool.core.ssh import Remote, SshRemote
from aetool.core.ssh_connect import Dial, Endpoint, Timeouts
from aetool.lab import qmp
from aetool.lab.configuration import hypervisor
from aetool.lab.guests import MOST, Guest, Source, guests
from aetool.lab.provider import Provider
from aetool.lab.reboot import reboot

FOLDER = "/run/aetool/vm"
# SeKVM gives out 56 VM identifiers a boot and takes none back; the last one is shared, so it does not count.
IDENTIFIERS = 55
_SECONDS = 60.0
_START_SECONDS = 120.0
_OFF_SECONDS = 60.0
# what QEMU says when no VM identifier is left
_EXHAUSTED = ("KVM_CREATE_VM", "Invalid argument")

_BRIDGE = """
[ -e /sys/class/net/br0 ] && exit 0
address=$1
interface=$(ip -o -4 addr show | awk -v want="$address/24" '$4 == want { print $2; exit }')
[ -n "$interface" ] || { echo "no interface has the address $address/24" >&2; exit 1; }
modprobe bridge 2>/dev/null || true
modprobe tun 2>/dev/null || true
mac=$(cat "/sys/class/net/$interface/address")
# One process does it all, and goes on when the session stalls: the address moves within a millisecond.
ip -batch - <<END
link add br0 type bridge forward_delay 0
link set br0 address $mac
link set $interface master br0
addr del $address/24 dev $interface
addr add $address/24 dev br0
link set br0 up
END
"""

_CLEAN = """
for dir in "$1"/*; do
  [ -e "$dir/pid" ] || continue
  pid=$(cat "$dir/pid")
  case $(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || true) in *-enable-kvm*) kill -KILL "$pid" ;; esac
  for _ in $(seq 100); do
    [ -e "/proc/$pid" ] || break
    sleep 0.05
  done
done
for tap in /sys/class/net/tap*; do
  [ -e "$tap" ] && ip link del "${tap##*/}"
done
rm -rf -- "$1"
"""

_COUNT = """\
mkdir -p /run/aetool
n=$(cat /run/aetool/launches 2>/dev/null || echo 0)
echo $((n + $1)) | tee /run/aetool/launches
"""


class IdentifiersExhausted(LabError):
    """The hypervisor has no VM identifier left; a reboot of the server gives new ones."""


@dataclass(frozen=True)
class Hardware:
    """What each guest gets; the published runs used these."""

    vcpus: int = 2
    memory_mib: int = 256


def start(
    server: SshRemote,
    load: SshRemote,
    count: int,
    *,
    hardware: Hardware | None = None,
    source: Source | None = None,
    seconds: float = 300.0,
    progress: Progress,
) -> list[SshRemote]:
    """Start `count` guests, wait until the SSH of each answers, and return them in order.

    load: the host through which the guests are reached, so that what answers has answered to it.
    seconds: until all must answer. Whatever fails, no guest is left. Raises IdentifiersExhausted, LabError.
    """
    hardware, source = hardware or Hardware(), source or Source()
    _require_files(server, source)
    clean(server)
    server.run(["bash", "-euo", "pipefail", "-c", _BRIDGE, "bridge", server.address], timeout=_SECONDS)
    wanted = guests(count)
    started = time.monotonic()
    try:
        for guest in wanted:
            _launch(server, guest, hardware, source)
            progress.say(f"{guest.name}: started")
        remotes = running(server, load, wanted)
        for guest, remote in zip(wanted, remotes, strict=True):
            _await(server, guest, remote, started + seconds)
            progress.say(f"{guest.name}: answers after {time.monotonic() - started:.0f} s")
    except BaseException:
        with contextlib.suppress(LabError):
            clean(server)
        raise
    return remotes


def _require_files(server: Remote, source: Source) -> None:
    """Say what is missing before anything is started; raises LabError."""
    look = 'command -v "$1" >/dev/null || echo "$1"; shift; for file; do [ -r "$file" ] || echo "$file"; done'
    argv = ["bash", "-c", look, "look", source.qemu, source.kernel, source.initrd, source.image]
    if missing := server.run(argv, timeout=_SECONDS).stdout.split():
        raise LabError(
            f"{server.name} lacks what guests are started from: {', '.join(missing)}",
            hint="aetool lab vm image sends kernel, RAM disk and root; the lab's definition may name others",
        )


def running(server: SshRemote, load: SshRemote, wanted: Sequence[Guest]) -> list[SshRemote]:
    """The guests as hosts, with the host keys that the server gave them; raises RemoteCommandError."""
    remotes = []
    for guest in wanted:
        endpoint = Endpoint(
            name=guest.name,
            host=guest.address,
            host_key=server.get(f"{FOLDER}/{guest.name}/host_key.pub").decode(),
            key=server.endpoint.key,
            dial=through(load, guest.address, 22),
            timeouts=Timeouts(connect=10, banner=30, auth=60, channel=30),
        )
        remotes.append(SshRemote(endpoint))
    return remotes


def through(gate: SshRemote, address: str, port: int) -> Dial:
    """A Dial that connects from another host, over its SSH connection."""

    def dial(timeout: float) -> socket.socket:
        # paramiko takes a channel wherever it takes a socket
        return cast(socket.socket, gate.forward(address, port, timeout))

    return dial


def stop(server: Remote, remotes: Sequence[Remote]) -> None:
    """Switch guests off in good order, then remove what is left of them; raises LabError."""
    for remote in remotes:
        with contextlib.suppress(LabError):
            remote.run(["poweroff"], timeout=_SECONDS, check=False)
        remote.close()
    deadline = time.monotonic() + _OFF_SECONDS
    for remote in remotes:
        while alive(server, remote.name) and time.monotonic() < deadline:
            time.sleep(0.5)
    clean(server)


def clean(server: Remote) -> None:
    """End every guest at once, whoever started it, and remove its files and taps; raises LabError."""
    server.run(["bash", "-euo", "pipefail", "-c", _CLEAN, "clean", FOLDER], timeout=_SECONDS)


def alive(server: Remote, name: str) -> bool:
    """Whether a guest's QEMU runs."""
    script = f'pid=$(cat {FOLDER}/{shlex.quote(name)}/pid 2>/dev/null) && [ -e "/proc/$pid" ]'
    return server.shell(script, timeout=_SECONDS, check=False).status == 0


def pin(server: Remote, remotes: Sequence[Remote]) -> dict[str, list[int]]:
    """Pin the vCPUs of each guest to the server's last cores; return thread ids by guest. Raises LabError."""
    cores = int(server.run(["getconf", "_NPROCESSORS_ONLN"], timeout=_SECONDS).stdout)
    pinned: dict[str, list[int]] = {}
    for remote in remotes:
        cpus = qmp.remote(server, f"{FOLDER}/{remote.name}/qmp", "query-cpus-fast")
        threads = [int(cpu["thread-id"]) for cpu in sorted(cpus, key=lambda cpu: cpu["cpu-index"])]
        if len(threads) > cores:
            raise LabError(
                f"{remote.name} has {len(threads)} vCPUs, the server {cores} cores: none can be pinned"
            )
        for index, thread in enumerate(threads):
            core = cores - len(threads) + index
            server.run(["taskset", "-pc", str(core), str(thread)], timeout=_SECONDS)
        pinned[remote.name] = threads
    return pinned


def launches(server: Remote, more: int = 0) -> int:
    """How many guests were started since the server booted, after counting `more` of them."""
    return int(server.run(["bash", "-c", _COUNT, "count", str(more)], timeout=_SECONDS).stdout)


def _launch(server: SshRemote, guest: Guest, hardware: Hardware, source: Source) -> None:
    launches(server, 1)
    script = (project_root() / "scripts" / "host" / "vm-start.sh").read_bytes()
    public = Path(f"{server.endpoint.key}.pub").read_text().strip()
    argv = [
        "bash", "-s", "--", f"{FOLDER}/{guest.name}", guest.name, guest.address, guest.mac, guest.tap,
        str(hardware.memory_mib), str(hardware.vcpus), source.qemu, source.gic, source.kernel, source.initrd,
        source.image, public,
    ]  # fmt: skip
    try:
        server.run(argv, stdin=script, timeout=_START_SECONDS)
    except RemoteCommandError as error:
        if all(text in (error.detail or "") for text in _EXHAUSTED):
            raise IdentifiersExhausted(
                f"{server.name} cannot create another VM: {launches(server)} were started since it booted",
                detail=error.detail,
                hint="SeKVM hands out 56 VM identifiers a boot: reboot the server",
            ) from error
        raise LabError(f"{guest.name} does not start", detail=error.detail) from error


def _await(server: Remote, guest: Guest, remote: SshRemote, deadline: float) -> None:
    while True:
        try:
            remote.run(["true"], timeout=_SECONDS)
            return
        except (HostUnreachable, RemoteCommandError) as error:
            if not alive(server, guest.name):
                raise LabError(f"{guest.name} has ended", detail=_last_words(server, guest)) from error
            if time.monotonic() > deadline:
                raise HostUnreachable(
                    f"{guest.name} ({guest.address}) does not answer in time",
                    detail=_last_words(server, guest),
                ) from error
        time.sleep(1)


def _last_words(server: Remote, guest: Guest) -> str | None:
    place = shlex.quote(f"{FOLDER}/{guest.name}")
    script = f"tail -n {TAIL_LINES} {place}/console; cat {place}/log"
    return server.shell(script, timeout=_SECONDS, check=False).stdout.strip() or None


def found(server: SshRemote, load: SshRemote) -> list[SshRemote]:
    """The guests that run, whoever started them; raises LabError."""
    script = f'shopt -s nullglob; for dir in {FOLDER}/*; do echo "${{dir##*/}} $(cat "$dir/address")"; done'
    listed = [line.split() for line in server.shell(script, timeout=_SECONDS).stdout.splitlines()]
    by_address = {guest.address: guest for guest in [*guests(1), *guests(MOST)]}
    wanted = [by_address[address] for name, address in listed if alive(server, name)]
    return running(server, load, sorted(wanted, key=lambda guest: guest.number))


def start_within_budget(
    server: SshRemote,
    load: SshRemote,
    provider: Provider,
    count: int,
    *,
    hardware: Hardware | None = None,
    source: Source | None = None,
    seconds: float,
    progress: Progress,
) -> list[SshRemote]:
    """Start guests like `start`; on SeKVM reboot the server before identifiers run out, or when they have.

    Raises ConfigError, LabError.
    """
    limited = hypervisor(server).active == "sekvm"
    if limited and launches(server) + count > IDENTIFIERS:
        progress.say(f"{server.name}: {count} more guests do not fit into the VM identifiers of this boot")
        clean(server)
        reboot(server, provider, progress=progress)
    try:
        return start(
            server, load, count, hardware=hardware, source=source, seconds=seconds, progress=progress
        )
    except IdentifiersExhausted as error:
        if not limited:
            raise
        progress.say(error.message)
        reboot(server, provider, progress=progress)
        return start(
            server, load, count, hardware=hardware, source=source, seconds=seconds, progress=progress
        )
