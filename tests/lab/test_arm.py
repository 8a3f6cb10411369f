# SPDX-License-Identifier: Apache-2.0
"""The emulated Arm server: boots through U-Boot, KVM at EL2, guests. Takes minutes: only with --full."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aetool.core.errors import ConfigError, HostUnreachable, LabError
from aetool.core.process import require, run
from aetool.core.progress import Silent
from aetool.core.ssh import SshRemote
from aetool.lab import Lab, boot, image, micro, open_lab, qmp, vm
from aetool.lab.configuration import activate, hypervisor
from aetool.lab.guests import guests
from aetool.lab.job import Job, run_job
from aetool.lab.kernel import install
from aetool.lab.machines import Machines
from aetool.lab.prepare import Plan, look, prepare
from aetool.lab.qemu import probe
from aetool.lab.reboot import BootFailed, Patience, boot_id, reboot
from aetool.lab.steps import Supplies

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.full,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(
        shutil.which("qemu-system-aarch64") is None, reason="qemu-system-arm is not installed"
    ),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap is not installed"),
]
PATIENCE = Patience(back=240, cycles=1)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An arm lab of this module's own; the image comes from the user's cache if it is there."""
    with open_lab("arm", name="armtest", state=tmp_path_factory.mktemp("state")) as opened:
        try:
            opened.up()
            yield opened
        finally:
            opened.down()


@pytest.fixture
def server(lab: Lab) -> SshRemote:
    return lab.hosts["server"]


def test_the_server_is_an_arm_machine_with_kvm_at_el2(lab: Lab, server: SshRemote) -> None:
    facts = lab.facts()["hosts"]["server"]
    assert facts["architecture"] == "aarch64"
    assert facts["cpu_model"] == "Cortex-A57"
    assert facts["packages"]["redis-server"]
    found = hypervisor(server)
    assert (found.active, found.evidence) == ("kvm", "kvm [1]: Hyp mode initialized successfully")
    assert "Found U-Boot script /boot/boot.scr" in lab.provider.console("server")


def test_the_client_reaches_the_server_over_the_experiment_network(lab: Lab) -> None:
    answer = lab.hosts["client"].shell("exec 3<>/dev/tcp/10.10.1.1/22; head -c 7 <&3", timeout=30)
    assert answer.stdout == "SSH-2.0"


def test_a_reboot_is_orderly_and_keeps_what_is_on_the_disk(lab: Lab, server: SshRemote) -> None:
    before = boot_id(server)
    server.put(b"kept", "/root/mark")
    seconds = reboot(server, lab.provider, patience=PATIENCE, progress=Silent())
    assert seconds > 1
    assert boot_id(server) != before
    assert server.get("/root/mark") == b"kept"
    console = lab.provider.console("server")
    assert "init: ending for reboot" in console
    assert "recovering journal" not in server.run(["dmesg"], timeout=60).stdout


def test_a_cut_of_power_is_survived(lab: Lab, server: SshRemote) -> None:
    before = boot_id(server)
    lab.provider.power_cycle("server")
    deadline = time.monotonic() + PATIENCE.back
    while time.monotonic() < deadline:
        server.close()
        try:
            if boot_id(server) != before:
                break
        except HostUnreachable:
            time.sleep(1)
    assert boot_id(server) != before


def test_a_guest_runs_under_kvm_and_under_pkvm_with_a_reboot_between(lab: Lab, server: SshRemote) -> None:
    seen = []
    for name in ("pkvm", "kvm"):
        active = activate(server, lab.provider, name, patience=PATIENCE, progress=Silent())
        started = vm.start(server, lab.hosts["client"], 1, seconds=900, progress=Silent())
        (guest,) = started
        assert guest.address == "10.10.1.100"
        assert guest.run(["uname", "-n"], timeout=60).stdout == "vm-1\n"
        assert guest.run(["nproc"], timeout=60).stdout == "2\n"
        threads = vm.pin(server, started)["vm-1"]
        masks = [server.run(["taskset", "-pc", str(t)], timeout=60).stdout.split()[-1] for t in threads]
        assert masks == ["0", "1"]
        assert (
            server.run(["ip", "-4", "-o", "addr", "show", "br0"], timeout=60).stdout.split()[3]
            == "10.10.1.1/24"
        )
        vm.stop(server, started)
        assert not vm.alive(server, "vm-1")
        seen.append((name, active.active, boot_id(server)))
    assert [active for _, active, _ in seen] == ["pkvm", "kvm"]
    assert seen[0][2] != seen[1][2]


def test_single_operations_are_measured_under_kvm(lab: Lab, server: SshRemote, tmp_path: Path) -> None:
    samples = micro.measure(server, micro.build(tmp_path), iterations=50, repetitions=2)
    assert [s.operation for s in samples] == [name for name in micro.OPERATIONS for _ in range(2)]
    assert all(s.nanoseconds > 0 for s in samples)


def test_a_guest_whose_qemu_is_killed_is_noticed_and_its_remains_are_cleaned(
    lab: Lab, server: SshRemote
) -> None:
    (guest,) = vm.start(server, lab.hosts["client"], 1, seconds=900, progress=Silent())
    assert [found.name for found in vm.found(server, lab.hosts["client"])] == ["vm-1"]
    server.shell(f"kill -KILL $(cat {vm.FOLDER}/vm-1/pid)", timeout=60)
    time.sleep(1)
    assert not vm.alive(server, "vm-1")
    assert vm.found(server, lab.hosts["client"]) == []
    guest.close()
    vm.clean(server)
    assert server.shell(f"ls /sys/class/net; ls {vm.FOLDER} 2>&1 || true", timeout=60).stdout.split()[:3] == [
        "br0", "eth0", "lo",
    ]  # fmt: skip


def test_a_guest_that_panics_is_an_error_with_its_console(lab: Lab, server: SshRemote) -> None:
    server.put(b"no archive", "/root/bad-initrd")
    source = vm.Source(initrd="/root/bad-initrd")
    with pytest.raises(vm.LabError, match="vm-1 has ended") as caught:
        vm.start(server, lab.hosts["client"], 1, source=source, seconds=900, progress=Silent())
    assert "Kernel panic" in (caught.value.detail or "")
    assert not vm.alive(server, "vm-1")


def test_qmp_answers_and_refuses(lab: Lab, server: SshRemote) -> None:
    started = vm.start(server, lab.hosts["client"], 1, seconds=900, progress=Silent())
    socket = f"{vm.FOLDER}/vm-1/qmp"
    assert qmp.remote(server, socket, "query-status")["running"] is True
    with pytest.raises(vm.LabError, match="QEMU refuses no-such"):
        qmp.remote(server, socket, "no-such")
    qmp.remote(server, socket, "quit")
    time.sleep(1)
    with pytest.raises(HostUnreachable):
        qmp.remote(server, socket, "query-status")
    for guest in started:
        guest.close()
    vm.clean(server)


def test_another_kernel_is_installed_booted_and_taken_back(
    lab: Lab, server: SshRemote, tmp_path: Path
) -> None:
    former = server.run(["uname", "-r"], timeout=60).stdout.strip()
    root, small = tmp_path / "root", tmp_path / "small"
    # Debian's kernel for hardware, beside the one for clouds that the image has
    unpack = ["mmdebstrap", "--quiet", "--variant=extract", "--architectures=arm64", "--skip=check/qemu"]
    run([*unpack, "--include=linux-image-arm64,busybox-static", "bookworm", str(root)], timeout=1200)
    release = next((root / "lib" / "modules").iterdir()).name
    assert release != former
    run([require("depmod"), "-b", str(root), release], timeout=300)
    initrd = tmp_path / "initrd"
    initrd.write_bytes(image.initrd(root, release))
    source = root / "lib" / "modules" / release
    wanted = (*image.EARLY_MODULES, "virtio_net", "virtio_rng", "tun", "bridge", "vhost_net")
    for path in image.modules_in_order(source, wanted):
        target = small / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    install(
        server, lab.provider, root / "boot" / f"vmlinuz-{release}", release, initrd=initrd, modules=small,
        load_address=None, patience=PATIENCE, progress=Silent(),
    )  # fmt: skip
    assert server.run(["uname", "-r"], timeout=60).stdout.strip() == release
    assert hypervisor(server).active == "kvm"
    boot.restore(server)
    reboot(server, lab.provider, patience=PATIENCE, progress=Silent())
    assert server.run(["uname", "-r"], timeout=60).stdout.strip() == former


def test_a_file_that_is_no_kernel_is_refused_before_anything_changes(
    lab: Lab, server: SshRemote, tmp_path: Path
) -> None:
    bad = tmp_path / "Image"
    bad.write_bytes(b"MZ" + b"\0" * 4096)
    before = server.run(["sha256sum", "/boot/uImage"], timeout=60).stdout
    with pytest.raises(ConfigError, match="not an uncompressed arm64 kernel"):
        install(server, lab.provider, bad, "x", initrd=None, load_address=None, progress=Silent())
    assert server.run(["sha256sum", "/boot/uImage"], timeout=60).stdout == before


def test_a_kernel_of_the_wrong_name_is_taken_back(lab: Lab, server: SshRemote, tmp_path: Path) -> None:
    kernel = tmp_path / "Image"
    kernel.write_bytes(server.get("/var/lib/aetool/Image"))
    release = server.run(["uname", "-r"], timeout=60).stdout.strip()
    install(
        server,
        lab.provider,
        kernel,
        release,
        initrd=None,
        load_address=None,
        patience=PATIENCE,
        progress=Silent(),
    )
    with pytest.raises(BootFailed, match=f"runs {release}, not 4.18.0") as caught:
        install(
            server, lab.provider, kernel, "4.18.0+", initrd=None, load_address=None, patience=PATIENCE,
            progress=Silent(),
        )  # fmt: skip
    assert caught.value.hint == "server runs its former kernel again"
    assert server.run(["uname", "-r"], timeout=60).stdout.strip() == release


def test_a_kernel_that_hangs_at_boot_is_replaced_from_outside_by_the_one_that_worked(
    lab: Lab, server: SshRemote, tmp_path: Path
) -> None:
    good = server.get("/var/lib/aetool/Image")
    kernel = tmp_path / "Image"
    # a header that U-Boot accepts, and code that goes nowhere
    kernel.write_bytes(good[:64] + b"\x00\x00\x00\x14" * ((len(good) - 64) // 4))
    kernel.write_bytes(b"\x00\x00\x00\x14" * 2 + kernel.read_bytes()[8:])
    with pytest.raises(BootFailed, match=r"did not come back after a reboot and 1 cycle\(s\)") as caught:
        install(
            server, lab.provider, kernel, "any", initrd=None, load_address=None,
            patience=Patience(back=40, cycles=1), progress=Silent(),
        )  # fmt: skip
    assert "Starting kernel" in (caught.value.detail or "")
    assert hypervisor(server).active == "kvm"
    assert server.run(["cmp", "/boot/uImage", "/boot/uImage.bak"], timeout=60).status == 0


def test_a_kernel_that_panics_at_boot_is_replaced_from_outside_by_the_one_that_worked(
    lab: Lab, server: SshRemote, tmp_path: Path
) -> None:
    kernel, initrd = tmp_path / "Image", tmp_path / "initrd"
    kernel.write_bytes(server.get("/var/lib/aetool/Image"))
    initrd.write_bytes(b"no archive\n" * 1000)  # so that there is no first process and no disk
    with pytest.raises(BootFailed, match=r"did not come back after a reboot and 1 cycle\(s\)") as caught:
        install(
            server, lab.provider, kernel, "any", initrd=initrd, load_address=None,
            patience=Patience(back=60, cycles=1), progress=Silent(),
        )  # fmt: skip
    assert "Kernel panic" in (caught.value.detail or "")
    assert caught.value.hint == "server runs its former kernel again"
    assert hypervisor(server).active == "kvm"


def test_a_reboot_that_never_begins_ends_in_a_cut_of_power(lab: Lab, server: SshRemote) -> None:
    before = boot_id(server)
    server.put(b"#!/bin/sh\nexec sleep 1000\n", "/usr/local/sbin/reboot", mode=0o755)
    server.shell("mv /sbin/reboot /sbin/reboot.kept; ln -s /usr/local/sbin/reboot /sbin/reboot", timeout=60)
    try:
        reboot(server, lab.provider, patience=Patience(back=120, cycles=2), progress=Silent())
        assert boot_id(server) != before
    finally:
        server.shell("mv -f /sbin/reboot.kept /sbin/reboot; rm -f /usr/local/sbin/reboot; sync", timeout=60)


def test_restore_brings_the_first_boot_files_back(lab: Lab, server: SshRemote) -> None:
    boot.set_arguments(server, [*boot.arguments(server), "aetool.test=1"])
    assert boot.arguments(server)[-1] == "aetool.test=1"
    boot.restore(server)
    assert "aetool.test=1" not in boot.arguments(server)


def test_the_server_is_reset_while_a_command_runs(lab: Lab, server: SshRemote) -> None:
    server.run(["true"], timeout=60)
    timer = threading.Timer(2, lambda: lab.provider.power_cycle("server"))
    timer.start()
    started = time.monotonic()
    with pytest.raises(HostUnreachable, match="connection broke during `sleep 300`"):
        server.run(["sleep", "300"], timeout=300)
    timer.join()
    assert time.monotonic() - started < 120
    deadline = time.monotonic() + PATIENCE.back
    while time.monotonic() < deadline:
        try:
            assert server.run(["uname", "-n"], timeout=60).stdout == "server\n"
            return
        except HostUnreachable:
            time.sleep(1)
    pytest.fail("the server did not come back")


def test_a_job_that_a_reset_of_the_server_ends_is_said_to_have_ended(lab: Lab, server: SshRemote) -> None:
    work = Job("the work", ["bash", "-c", "touch begun; sleep 600"], "/srv/job", "/srv/job/log")

    def reset() -> None:
        other = SshRemote(server.endpoint)
        while other.run(["test", "-e", "/srv/job/begun"], timeout=60, check=False).status != 0:
            time.sleep(1)
        other.close()
        lab.provider.power_cycle("server")

    timer = threading.Thread(target=reset)
    timer.start()
    with pytest.raises(LabError, match="the work was killed, or the host has rebooted") as caught:
        run_job(server, work, timeout=600, outage=PATIENCE.back, progress=Silent())
    timer.join()
    assert "goes on where it ended" in (caught.value.hint or "")
    run_job(server, replace(work, argv=["true"]), timeout=60, progress=Silent())


def test_the_server_is_prepared_with_a_disk_and_images_of_its_own(lab: Lab, server: SshRemote) -> None:
    make = """
modprobe loop || true
truncate -s 96M /root/disk
mkdir -p /root/image/etc/netplan
echo 'addresses: [10.10.1.100/24]' >/root/image/etc/netplan/50-cloud-init.yaml
losetup --find --show /root/disk
"""
    device = server.shell(make, timeout=60).stdout.strip()
    steps = [
        {"packages": {"names": ["redis-server"]}},
        {"store": {"mount": "/mydata", "device": device, "least_gib": 0.05}},
    ]
    asked = Plan.model_validate({"description": "a test", "server": steps, "client": []})
    supplies = Supplies({}, Silent())
    assert [one.state for one in look(lab.hosts, asked)] == ["ok", "todo"]
    assert [one.state for one in prepare(lab.hosts, asked, supplies)] == ["ok", "done"]
    assert [one.state for one in prepare(lab.hosts, asked, supplies)] == ["ok", "ok"]
    server.shell("mkfs.ext4 -q -d /root/image /mydata/cloud-redis.img 8M", timeout=60)
    copies = {"copies": {"image": "/mydata/cloud-redis.img", "count": 2}}
    asked = Plan.model_validate({"description": "a test", "server": [copies], "client": []})
    assert [one.state for one in prepare(lab.hosts, asked, supplies)] == ["done"]
    text = server.shell(
        "debugfs -R 'cat /etc/netplan/50-cloud-init.yaml' /mydata/cloud-redis-2.img", timeout=60
    )
    assert text.stdout == "addresses: [10.10.1.102/24]\n"
    server.shell(f"umount /mydata; losetup -d {device}; rm -rf /root/disk /root/image", timeout=60)


def test_guests_that_the_server_has_are_not_sent_again(lab: Lab, server: SshRemote) -> None:
    names = [f"{image.GUEST_FOLDER}/{name}" for name in image.GUEST_FILES]
    before = server.run(["stat", "-c", "%i %Y", *names], timeout=60).stdout
    cache = image.cache_folder()
    image.send_guests(server, image.Recipe("bookworm"), cache, Silent())
    assert server.run(["stat", "-c", "%i %Y", *names], timeout=60).stdout == before
    server.shell(f"rm {names[1]}", timeout=60)
    image.send_guests(server, image.Recipe("bookworm"), cache, Silent())
    after = server.run(["stat", "-c", "%i %Y", *names], timeout=60).stdout
    assert after != before
    assert after.splitlines()[::2] == before.splitlines()[::2]


def test_the_qemu_of_the_server_is_one_with_kvm(lab: Lab, server: SshRemote) -> None:
    found = probe(server, server.shell("command -v qemu-system-aarch64", timeout=60).stdout.strip())
    assert found.version.startswith("7.2")
    assert {"kvm", "tcg"} <= set(found.accelerators)


def test_a_campaign_gets_its_machines_and_keeps_them_while_it_asks_for_the_same(lab: Lab) -> None:
    machines = Machines(lab, Silent())
    assert machines.refuses("sekvm", 1) is not None
    assert machines.refuses("kvm", 2) is None
    try:
        first = machines.machines("kvm", 2)
        assert [m.address for m in first] == [g.address for g in guests(2)]
        assert machines.machines("kvm", 2) is first
        assert machines.load().address == "10.10.1.2"
        probe = f"exec 3<>/dev/tcp/{first[1].address}/22; head -c 7 <&3"
        assert machines.load().shell(probe, timeout=60).stdout == "SSH-2.0"
        assert [m.name for m in machines.machines("native", 0)] == ["server"]
        assert vm.found(lab.hosts["server"], lab.hosts["client"]) == []
    finally:
        machines.close()
