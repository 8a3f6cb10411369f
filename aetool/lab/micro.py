# SPDX-License-Identifier: Apache-2.0
"""What single operations of a guest cost, measured by a bare-metal guest of our own on any hypervisor.

kvm-unit-tests measures the same, but has to be supplied; this guest is 5 kB, is built in a second, and runs
wherever QEMU does. Its source says what each operation is: scripts/host/micro/micro.c.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from aetool.core.errors import LabError
from aetool.core.process import require, run
from aetool.core.project import project_root
from aetool.core.ssh import Remote

OPERATIONS = ("hypercall", "io_kernel", "io_user", "virtual_ipi")
_PREFIX = "aarch64-linux-gnu-"
_MARK = b"MICR"
_PLACE = "/var/lib/aetool/micro.bin"
_ROW = re.compile(r"^micro (\w+) (\d+) (\d+) (\d+) (\d+)$")
_FLAGS = (
    "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static", "-fno-pie",
    "-no-pie", "-mgeneral-regs-only", "-mstrict-align", "-fno-stack-protector", "-Wl,--build-id=none",
    "-Wl,--no-warn-rwx-segments",
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """One repetition of one operation: mean cost in nanoseconds, and in cycles where they can be read.

    guest_cycles: by the counter that the guest sees. KVM stops it while the hypervisor runs, so it holds the
    guest's own share only, unless the kernel is patched as the papers' were.
    """

    operation: str
    repetition: int
    iterations: int
    nanoseconds: float
    guest_cycles: float | None


def build(out: Path) -> bytes:
    """Build the guest below `out` and return its image; raises MissingToolError, ProcessError."""
    source = project_root() / "scripts" / "host" / "micro"
    gcc = require(f"{_PREFIX}gcc", "gcc-aarch64-linux-gnu")
    objcopy = require(f"{_PREFIX}objcopy", "binutils-aarch64-linux-gnu")
    linked, image = out / "micro.elf", out / "micro.bin"
    files = ["-T", *(str(source / name) for name in ("micro.ld", "start.S", "micro.c")), "-o", str(linked)]
    run([gcc, *_FLAGS, *files], timeout=120)
    run([objcopy, "-O", "binary", str(linked), str(image)], timeout=60)
    return image.read_bytes()


def with_parameters(image: bytes, iterations: int, repetitions: int) -> bytes:
    """The image with its parameters filled in."""
    at = image.index(_MARK) + len(_MARK)
    return image[:at] + struct.pack("<II", iterations, repetitions) + image[at + 8 :]


def command(image: str, *, qemu: str, accelerator: str, gic: str) -> list[str]:
    """The QEMU command that runs the guest; its results come on standard output."""
    return [
        qemu, "-machine", f"virt,gic-version={gic}", "-accel", accelerator,
        "-cpu", "host" if accelerator == "kvm" else "cortex-a57", "-smp", "2", "-m", "64",
        "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-kernel", image,
    ]  # fmt: skip


def parse(text: str) -> list[Sample]:
    """The samples in what the guest printed, without the warm-up.

    Raises LabError unless the guest came to its end and measured every operation.
    """
    lines = text.replace("\r", "").splitlines()
    frequency = next((int(line.split()[2]) for line in lines if line.startswith("micro frequency ")), 0)
    if "micro done" not in lines or frequency == 0:
        raise LabError("the measuring guest did not come to its end", detail=text[-2000:] or None)
    samples = []
    for match in filter(None, map(_ROW.match, lines)):
        repetition, iterations, ticks, cycles = (int(match[i]) for i in range(2, 6))
        if repetition > 0:
            mean = ticks * 1e9 / frequency / iterations
            samples.append(
                Sample(match[1], repetition, iterations, mean, cycles / iterations if cycles else None)
            )
    if missing := [name for name in OPERATIONS if name not in {sample.operation for sample in samples}]:
        raise LabError(f"the measuring guest did not measure {', '.join(missing)}", detail=text[-2000:])
    return samples


def measure(
    server: Remote,
    image: bytes,
    *,
    iterations: int,
    repetitions: int,
    qemu: str = "qemu-system-aarch64",
    timeout: float = 1800.0,
) -> list[Sample]:
    """Run the guest under KVM on the server; raises LabError."""
    server.put(with_parameters(image, iterations, repetitions), _PLACE)
    argv = command(_PLACE, qemu=qemu, accelerator="kvm", gic="host")
    return parse(server.run(argv, timeout=timeout).stdout)
