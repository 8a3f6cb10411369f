# SPDX-License-Identifier: Apache-2.0
"""`aetool lab` for the server: reboots, configurations, kernels, guests, microbenchmarks."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aetool.cli.lab_build import kernel_build
from aetool.cli.lab_options import lab_options, opened_lab
from aetool.cli.main import emit
from aetool.core.progress import progress

_CONFIGURATIONS = ("native", "kvm", "sekvm", "pkvm")


@click.command()
@lab_options
@click.argument("host", default="server")
def reboot(definition: str, name: str | None, state: Path | None, host: str) -> None:
    """Reboot HOST and wait until a fresh connection proves that it has.

    Example: aetool lab reboot --lab arm server
    """
    from aetool.lab.reboot import reboot as reboot_host

    with (
        progress("lab", 0) as shown,
        opened_lab(definition, name, state, shown) as opened,
        opened.driving("a reboot"),
    ):
        reboot_host(opened.hosts[host], opened.provider, progress=shown)


@click.command()
@lab_options
@click.argument("configuration", type=click.Choice(_CONFIGURATIONS))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def configure(
    definition: str, name: str | None, state: Path | None, configuration: str, as_json: bool
) -> None:
    """Have the server run in a CONFIGURATION, rebooting it if need be; print what it says of itself.

    Example: aetool lab configure --lab arm pkvm
    """
    from aetool.lab.configuration import activate

    with (
        progress("lab", 0, quiet=as_json) as shown,
        opened_lab(definition, name, state, shown) as opened,
        opened.driving(f"the configuration {configuration}"),
    ):
        found = activate(opened.hosts["server"], opened.provider, configuration, progress=shown)
    if as_json:
        emit(asdict(found))
    else:
        click.echo(f"{found.kernel}: {found.evidence}")


@click.group()
def kernel() -> None:
    """Build a kernel, install it on the server, or go back to the one that worked.

    Example: aetool lab kernel restore --lab arm
    """


@kernel.command()
@lab_options
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--initrd", type=click.Path(path_type=Path))
@click.option("--modules", type=click.Path(path_type=Path), help="Directory with lib/modules/RELEASE.")
@click.option("--release", required=True, help="What `uname -r` must say afterwards.")
@click.option(
    "--load-address",
    type=lambda text: int(text, 0),
    help="Where U-Boot puts the kernel  [default: as the present one]",
)
@click.option("--built-there", is_flag=True, help="IMAGE, --initrd and --modules lie on the server.")
def install(
    definition: str,
    name: str | None,
    state: Path | None,
    image: Path,
    initrd: Path | None,
    modules: Path | None,
    release: str,
    load_address: int | None,
    built_there: bool,
) -> None:
    """Install IMAGE (an uncompressed arm64 `Image`), boot it, and check that it runs.

    If it does not come up as RELEASE, the former kernel is put back and booted.

    Example: aetool lab kernel install --lab arm arch/arm64/boot/Image --release 4.18.0+
    """
    from aetool.lab.kernel import install as install_kernel

    with (
        progress("lab", 0) as shown,
        opened_lab(definition, name, state, shown) as opened,
        opened.driving("the installation of a kernel"),
    ):
        install_kernel(
            opened.hosts["server"],
            opened.provider,
            image,
            release,
            initrd=initrd,
            modules=modules,
            load_address=load_address,
            built_there=built_there,
            progress=shown,
        )


@kernel.command()
@lab_options
def restore(definition: str, name: str | None, state: Path | None) -> None:
    """Put the boot files back that were there before the first change, and reboot into them.

    Example: aetool lab kernel restore --lab arm
    """
    from aetool.lab import boot
    from aetool.lab.reboot import reboot as reboot_host

    with (
        progress("lab", 0) as shown,
        opened_lab(definition, name, state, shown) as opened,
        opened.driving("the former kernel's return"),
    ):
        boot.restore(opened.hosts["server"])
        reboot_host(opened.hosts["server"], opened.provider, progress=shown)


@click.group()
def vm() -> None:
    """Start guests on the server, look at them, shut them down.

    Example: aetool lab vm up --lab arm 8
    """


@vm.command(name="up")
@lab_options
@click.argument("count", type=click.IntRange(min=1), default=1)
@click.option("--pin", is_flag=True, help="Pin the vCPUs to the server's last cores.")
@click.option("--qemu", help="The emulator to run them with, a path on the server.")
@click.option("--timeout", default=900.0, show_default=True, help="Seconds until all must answer.")
def vm_up(
    definition: str,
    name: str | None,
    state: Path | None,
    count: int,
    pin: bool,
    qemu: str | None,
    timeout: float,
) -> None:
    """Start COUNT guests and wait until the SSH of each answers through the client.

    Example: aetool lab vm up --lab arm 8
    """
    from aetool.lab import vm as machines

    with (
        progress("guests", 0) as shown,
        opened_lab(definition, name, state, shown) as opened,
        opened.driving("the start of guests"),
    ):
        server, client = opened.hosts["server"], opened.hosts["client"]
        started = machines.start_within_budget(
            server,
            client,
            opened.provider,
            count,
            source=opened.guests.model_copy(update={"qemu": qemu} if qemu else {}),
            seconds=timeout,
            progress=shown,
        )
        if pin:
            machines.pin(server, started)
        for guest in started:
            click.echo(f"{guest.name}\t{guest.address}")
            guest.close()


@vm.command(name="image")
@lab_options
def vm_image(definition: str, name: str | None, state: Path | None) -> None:
    """Send the server what guests are started from: kernel, RAM disk and a Debian root with all suites.

    For servers that are not emulated: those have it. What is there is not sent again.

    Example: aetool lab vm image --lab mylab.yaml
    """
    from aetool.lab import image

    with (
        progress("guests", 0) as shown,
        opened_lab(definition, name, state, shown) as opened,
        opened.driving("the sending of guests"),
    ):
        image.send_guests(opened.hosts["server"], image.Recipe("bookworm"), image.cache_folder(), shown)


@vm.command(name="down")
@lab_options
def vm_down(definition: str, name: str | None, state: Path | None) -> None:
    """Shut all guests down, in good order where they answer, and remove what is left of them.

    Example: aetool lab vm down --lab arm
    """
    from aetool.lab import vm as machines

    with opened_lab(definition, name, state) as opened, opened.driving("the end of guests"):
        server, client = opened.hosts["server"], opened.hosts["client"]
        machines.stop(server, machines.found(server, client))


@vm.command(name="status")
@lab_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def vm_status(definition: str, name: str | None, state: Path | None, as_json: bool) -> None:
    """List the guests that run on the server, and how many were started since it booted.

    Example: aetool lab vm status --lab arm --json
    """
    from aetool.lab import vm as machines

    with opened_lab(definition, name, state) as opened:
        server, client = opened.hosts["server"], opened.hosts["client"]
        listed = [(guest.name, guest.address) for guest in machines.found(server, client)]
        started = machines.launches(server)
    if as_json:
        emit({"guests": [{"name": n, "address": a} for n, a in listed], "started_since_boot": started})
    else:
        for guest, address in listed:
            click.echo(f"{guest}\t{address}")
        click.echo(f"{started} started since the server booted", err=True)


@click.command()
@lab_options
@click.option("--iterations", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--repetitions", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document with every repetition.")
def micro(
    definition: str, name: str | None, state: Path | None, iterations: int, repetitions: int, as_json: bool
) -> None:
    """Measure what single operations cost a guest of the server: hypercall, I/O, virtual IPI.

    Example: aetool lab micro --lab arm --iterations 200
    """
    import tempfile
    from statistics import mean

    from aetool.lab import micro as guest
    from aetool.lab.configuration import hypervisor

    with (
        opened_lab(definition, name, state) as opened,
        opened.driving("microbenchmarks"),
        tempfile.TemporaryDirectory() as place,
    ):
        server = opened.hosts["server"]
        found = hypervisor(server)
        samples = guest.measure(
            server,
            guest.build(Path(place)),
            iterations=iterations,
            repetitions=repetitions,
            qemu=opened.guests.qemu,
        )
        emulated = opened.emulated
    if as_json:
        emit(
            {
                "emulated": emulated,
                "hypervisor": asdict(found),
                "samples": [asdict(sample) for sample in samples],
            }
        )
        return
    note = "emulated: says nothing about hardware" if emulated else found.kernel
    click.echo(f"{found.active} ({note}), mean of {repetitions} x {iterations}")
    for operation in guest.OPERATIONS:
        of = [sample for sample in samples if sample.operation == operation]
        counted = [sample.guest_cycles for sample in of if sample.guest_cycles is not None]
        cycles = f"{mean(counted):>12.0f} cycles of the guest's own" if counted else ""
        click.echo(f"{operation:<12}{mean(sample.nanoseconds for sample in of):>14.0f} ns{cycles}")


kernel.add_command(kernel_build, "build")

COMMANDS = (reboot, configure, kernel, vm, micro)
