# SPDX-License-Identifier: Apache-2.0
"""Reboots, configurations, VM identifiers, driven by what hosts answer; real reboots are in test_arm.py."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from aetool.core.errors import (
    ConfigError,
    HostUnreachable,
    LabError,
    LoginRefused,
    RemoteCommandError,
)
from aetool.core.progress import Silent
from aetool.core.ssh_fake import FakeRemote
from aetool.lab import reboot as reboot_module
from aetool.lab import uboot, vm
from aetool.lab.configuration import activate, hypervisor
from aetool.lab.reboot import BootFailed, Patience, reboot

QUICK = Patience(back=0.3, cycles=2)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reboot_module, "_POLL_SECONDS", 0.02)


class Power:
    """A provider that notes what is asked of it."""

    emulated = True
    description = "a test"

    def __init__(self, on_cycle: Callable[[], None] = lambda: None) -> None:
        self.asked: list[str] = []
        self._on_cycle = on_cycle

    def power_cycle(self, role: str) -> None:
        self.asked.append("cycle")
        self._on_cycle()

    def restore_boot_files(self, role: str) -> None:
        self.asked.append("restore")
        self._on_cycle()

    def console(self, role: str) -> str:
        return "U-Boot\nKernel panic - not syncing: no init\n"

    def up(self) -> None: ...
    def down(self) -> None: ...
    def status(self) -> list[object]:
        return []

    def places(self) -> dict[str, object]:
        return {}


class Host:
    """A server that boots: state that the fake's answers come from."""

    def __init__(self) -> None:
        self.boots = 1
        self.up = True
        self.comes_back = True
        self.state = "running"
        self.lines = ["kvm [1]: Hyp mode initialized successfully"]
        self.remote = FakeRemote("server", self.answer)
        self.remote.files["/boot/boot.scr"] = (
            b"\x27\x05\x19\x56" + b"\0" * 68 + uboot.ARM_BOOT_SCRIPT.encode()
        )

    def boot(self) -> None:
        self.boots += 1
        self.up = True
        script = self.remote.files.get("/boot/boot.script", uboot.ARM_BOOT_SCRIPT.encode()).decode()
        protected = "kvm-arm.mode=protected" in script
        if self.comes_back:
            name = "Protected nVHE" if protected else "Hyp"
            self.lines = [f"kvm [1]: {name} mode initialized successfully"]

    def answer(self, command: str, stdin: bytes | None) -> tuple[int, str, str]:
        if not self.up:
            raise HostUnreachable("server is not there")
        if "exec reboot" in command:
            if self.comes_back:
                self.boot()
            else:
                self.up = False
            return 0, "", ""
        if "is-system-running" in command:
            return 0, f"boot-{self.boots}\n{self.state}\n", ""
        if command == "cat /proc/sys/kernel/random/boot_id":
            return 0, f"boot-{self.boots}\n", ""
        if "command_line" in command:
            lines = "".join(f"line\t{line}\n" for line in self.lines)
            return 0, f"kernel\t6.1.0\ncommand_line\tro\ndevice\tyes\n{lines}", ""
        return 0, "", ""


def test_a_reboot_is_done_when_the_boot_id_has_changed_and_the_system_has_settled() -> None:
    host, power = Host(), Power()
    reboot(host.remote, power, patience=QUICK, progress=Silent())
    assert (host.boots, power.asked) == (2, [])


def test_a_host_that_answers_with_its_old_boot_id_has_not_rebooted() -> None:
    host = Host()
    host.boot = lambda: None  # type: ignore[method-assign]
    with pytest.raises(BootFailed, match=r"did not come back after a reboot and 2 cycle\(s\)") as caught:
        reboot(host.remote, Power(), patience=QUICK, progress=Silent())
    assert "Kernel panic" in (caught.value.detail or "")


def test_a_host_that_never_settles_has_not_rebooted() -> None:
    host = Host()
    host.state = "starting"
    with pytest.raises(BootFailed):
        reboot(host.remote, Power(), patience=QUICK, progress=Silent())


def test_a_host_that_refuses_every_key_while_it_goes_down_or_comes_up_is_waited_for() -> None:
    host = Host()
    refusals = 3

    def answer(command: str, stdin: bytes | None) -> tuple[int, str, str]:
        nonlocal refusals
        if "is-system-running" in command and refusals:
            refusals -= 1
            raise LoginRefused("server does not accept the key")
        return host.answer(command, stdin)

    power = Power()
    reboot(FakeRemote("server", answer), power, patience=Patience(back=10), progress=Silent())
    assert (host.boots, power.asked, refusals) == (2, [], 0)


def test_a_host_that_does_not_come_back_has_its_power_cycled() -> None:
    host = Host()
    host.comes_back = False
    power = Power(on_cycle=lambda: (setattr(host, "comes_back", True), host.boot())[1])
    reboot(host.remote, power, patience=QUICK, progress=Silent())
    assert power.asked == ["cycle"]


def test_a_host_that_comes_back_wrong_is_reported_with_its_console() -> None:
    host = Host()
    with pytest.raises(BootFailed, match=r"server has rebooted, but runs 6\.1\.0, not") as caught:
        reboot(
            host.remote,
            Power(),
            wanted=lambda remote: "runs 6.1.0, not 4.18.0+",
            patience=QUICK,
            progress=Silent(),
        )
    assert "Kernel panic" in (caught.value.detail or "")


def test_a_configuration_that_is_active_costs_no_reboot() -> None:
    host = Host()
    for name in ("kvm", "native"):
        assert activate(host.remote, Power(), name, progress=Silent()).active == "kvm"
    assert host.boots == 1


def test_pkvm_is_chosen_on_the_command_line_rebooted_into_and_read_back() -> None:
    host = Host()
    found = activate(host.remote, Power(), "pkvm", patience=QUICK, progress=Silent())
    assert (found.active, host.boots) == ("pkvm", 2)
    assert "Protected" in found.evidence
    script = host.remote.files["/boot/boot.script"].decode()
    assert uboot.arguments(script)[-1] == "kvm-arm.mode=protected"


def test_a_configuration_that_does_not_come_up_is_given_up_for_the_one_that_worked() -> None:
    host = Host()
    boot = host.boot

    def stubborn() -> None:
        boot()
        host.lines = []

    host.boot = stubborn  # type: ignore[method-assign]
    power = Power()
    with pytest.raises(
        BootFailed, match="pkvm is not active: the kernel's log has no line of KVM's"
    ) as caught:
        activate(host.remote, power, "pkvm", patience=QUICK, progress=Silent())
    assert caught.value.hint == "server runs its former kernel again"
    assert any(".bak" in command for command in host.remote.commands)
    assert host.boots == 3


def test_a_host_that_is_dead_with_its_new_boot_files_is_mended_from_outside() -> None:
    host = Host()
    host.comes_back = False
    power = Power()

    def mend() -> None:
        if power.asked[-1] == "restore":
            host.comes_back = True
            host.boot()

    power._on_cycle = mend
    with pytest.raises(BootFailed, match="did not come back"):
        activate(host.remote, power, "pkvm", patience=QUICK, progress=Silent())
    assert power.asked == ["cycle", "cycle", "restore"]
    assert host.up


def test_sekvm_needs_a_kernel_that_says_it_is_one() -> None:
    host = Host()
    with pytest.raises(LabError, match="does not run a SeKVM kernel") as caught:
        activate(host.remote, Power(), "sekvm", progress=Silent())
    assert "lab preflight sekvm" in (caught.value.hint or "")
    with pytest.raises(ConfigError, match="native, kvm, sekvm, pkvm"):
        activate(host.remote, Power(), "xen", progress=Silent())
    answer = "kernel\t4.18.0+\ncommand_line\tro\ndevice\tyes\nverified\ty\n"
    answer += "sekvm\tHypSec EL2 runtime is installed\n"
    assert hypervisor(FakeRemote("server", lambda command, stdin: (0, answer, ""))).active == "sekvm"
    # the configuration alone proves nothing
    half = FakeRemote("server", lambda command, stdin: (0, answer.replace("sekvm\t", "other\t"), ""))
    assert hypervisor(half).active is None


def test_exhausted_identifiers_are_recognised_by_the_text_of_qemu(tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    text = (
        "qemu-system-aarch64: ioctl(KVM_CREATE_VM) failed: 22 Invalid argument\n"
        "qemu-system-aarch64: failed to initialize KVM: Invalid argument\n"
    )

    class Server(FakeRemote):
        endpoint = type("Endpoint", (), {"key": tmp_path / "key"})()

        def run(self, argv, **options):  # type: ignore[no-untyped-def]
            if argv[:3] == ["bash", "-s", "--"]:
                raise RemoteCommandError("server: failed", status=1, detail=text)
            return super().run(argv, **options)

    server = Server("server", lambda command, stdin: (0, "" if "command -v" in command else "56\n", ""))
    with pytest.raises(vm.IdentifiersExhausted, match="56 were started since it booted") as caught:
        vm.start(server, server, 1, progress=Silent())  # type: ignore[arg-type]
    assert "reboot the server" in (caught.value.hint or "")
