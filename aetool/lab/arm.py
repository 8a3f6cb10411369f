# SPDX-License-Identifier: Apache-2.0
"""The `arm` provider: an emulated Arm server with EL2, so a real /dev/kvm, and a client host beside it.

The client and the switch are those of the netns provider; in the server's place stands QEMU, whose network is
a tap on the switch's bridge. It boots from a disk of its own through U-Boot, as an m400 does.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
import time
from pathlib import Path

from aetool.core.errors import HostUnreachable, MissingToolError, StorageError
from aetool.core.process import ProcessError, require, run, storage_error, write_file
from aetool.core.progress import Progress, Silent
from aetool.lab import namespaces, qmp
from aetool.lab.definition import ArmDefinition
from aetool.lab.image import Recipe, cache_folder, disk_image, restore_files
from aetool.lab.netns import NetnsProvider

SERVER_MAC = "de:ad:be:ef:f0:01"
FIRMWARE = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
_DISK = "server.img"
_SEED = "server.seed"
_CONSOLE = "server.console"
_QMP = "server.qmp"


class ArmProvider(NetnsProvider):
    """Hosts of one arm lab; implements Provider."""

    # under load of other programs a boot takes several times the 11 s that it takes alone
    ready_seconds = 180.0

    def __init__(
        self,
        name: str,
        definition: ArmDefinition,
        state: Path,
        *,
        cache: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(name, definition.description, state)
        self._definition = definition
        self._cache = cache or cache_folder()
        self._progress = progress or Silent()

    def power_cycle(self, role: str) -> None:
        """Reset the server at once, as a cut of its power would; start its QEMU anew if that is gone.

        Raises LabError for the client.
        """
        if role != "server":
            super().power_cycle(role)
        try:
            qmp.local(self._state / _QMP, "system_reset")
        except HostUnreachable:
            self._start(role)

    def restore_boot_files(self, role: str) -> None:
        """Switch the server off, put the good boot files back on its disk, and switch it on.

        Raises LabError for the client, or if there are no good copies.
        """
        if role != "server":
            super().restore_boot_files(role)
        with contextlib.suppress(HostUnreachable):
            qmp.local(self._state / _QMP, "quit")
        deadline = time.monotonic() + 20
        while namespaces.processes(self._space("switch")) and time.monotonic() < deadline:
            time.sleep(0.1)
        restore_files(self._state / _DISK, self._state)
        self._start(role)

    def console(self, role: str) -> str:
        """The server's serial console since the lab came up, and what QEMU said."""
        if role != "server":
            return super().console(role)
        console = self._state / _CONSOLE
        return (console.read_text(errors="replace") if console.exists() else "") + super().console(role)

    def _check(self) -> None:
        super()._check()
        require("qemu-system-aarch64", "qemu-system-arm")
        if not FIRMWARE.exists():
            raise MissingToolError(f"{FIRMWARE} is missing", hint="install it: apt-get install u-boot-qemu")

    def _attach(self, role: str) -> None:
        if role != "server":
            super()._attach(role)
            return
        tap = [f"tuntap add dev {role} mode tap", f"link set {role} master br0 up"]
        namespaces.batch(tap, inside=self._space("switch"))
        image = disk_image(Recipe(self._definition.suite), self._cache, self._progress)
        copy = ["cp", "--sparse=always", "--reflink=auto", str(image), str(self._state / _DISK)]
        try:
            run(copy, timeout=300)
        except ProcessError as error:
            raise StorageError(f"{self._state / _DISK}: cannot be made", detail=error.detail) from error
        write_file(self._state / _SEED, self._seed())

    def _start(self, role: str) -> None:
        if role != "server":
            super()._start(role)
            return
        self._progress.say("starting the emulated Arm server")
        asked = self._definition
        # names relative to the state directory: QEMU gives commas and long socket names a meaning
        self._detach(role, [
            require("nsenter", "util-linux"), f"--net=/run/netns/{self._space('switch')}",
            require("qemu-system-aarch64", "qemu-system-arm"), "-name", f"{self._name}-server",
            "-machine", f"virt,virtualization=on,gic-version={asked.gic}",
            "-cpu", asked.cpu, "-smp", str(asked.cpus), "-m", str(asked.memory_mib),
            "-accel", "tcg,thread=multi,tb-size=512", "-bios", str(FIRMWARE),
            "-nodefaults", "-no-user-config", "-display", "none",
            "-chardev", f"file,id=console,path={_CONSOLE},append=on", "-serial", "chardev:console",
            "-qmp", f"unix:{_QMP},server=on,wait=off",
            "-drive", f"file={_DISK},if=none,id=disk,format=raw,cache=writeback",
            "-device", "virtio-blk-pci,drive=disk",
            "-drive", f"file={_SEED},if=none,id=seed,format=raw,readonly=on",
            "-device", "virtio-blk-pci,drive=seed",
            "-netdev", "tap,id=net,ifname=server,script=no,downscript=no",
            "-device", f"virtio-net-pci,netdev=net,mac={SERVER_MAC},romfile=",
            "-device", "virtio-rng-pci",
        ])  # fmt: skip

    def _alive(self, role: str) -> bool:
        if role != "server":
            return super()._alive(role)
        return bool(namespaces.processes(self._space("switch")))

    def _wait(self) -> None:
        started = time.monotonic()
        super()._wait()
        self._progress.say(f"the emulated Arm server answers after {time.monotonic() - started:.0f} s")

    def _seed(self) -> bytes:
        """A tar of what this server alone has; its init unpacks it from the second disk."""
        members = {
            "etc/hostname": (b"server\n", 0o644),
            "etc/ssh/aetool_host_key": (self._read("server.host_key"), 0o600),
            "etc/ssh/aetool_authorized_keys": (self._read("user_key.pub"), 0o644),
        }
        return seed(members)

    def _read(self, name: str) -> bytes:
        try:
            return (self._state / name).read_bytes()
        except OSError as error:
            raise storage_error(self._state / name, error) from error


def seed(members: dict[str, tuple[bytes, int]]) -> bytes:
    """A tar of files by name: contents and mode; owned by root, its length a multiple of a disk's sector."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (data, mode) in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
