# SPDX-License-Identifier: Apache-2.0
"""What U-Boot loads: legacy images made with mkimage, and the boot script.

The m400 and the emulated server boot in the same way: firmware finds `/boot/boot.scr` on the first partition,
and that script sets the kernel's command line and loads `/boot/uImage` and `/boot/uInitrd`. So installing a
kernel, or choosing the mode of KVM, is the same act on both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aetool.core.errors import LabError

# mkimage puts a header of 64 bytes before the data; a script begins with its length and a zero, 4 bytes each
_HEADER = 64
_SCRIPT_AT = _HEADER + 8
_MAGIC = b"\x27\x05\x19\x56"
_ARGUMENTS = re.compile(r"^(\s*setenv\s+bootargs\s+)(.*)$", re.MULTILINE)

# Memory of the emulated server begins at 1 GiB. The kernel must lie on a boundary of 2 MiB; it and what is
# loaded before it is moved into place must not overlap.
ARM_LOAD_ADDRESS = 0x4200_0000
ARM_BOOT_SCRIPT = """\
setenv bootargs console=ttyAMA0 root=/dev/vda1 ro quiet
load ${devtype} ${devnum}:${distro_bootpart} 0x50000000 /boot/uImage
load ${devtype} ${devnum}:${distro_bootpart} 0x58000000 /boot/uInitrd
bootm 0x50000000 0x58000000 ${fdtcontroladdr}
"""


def kernel_command(image: str, output: str, load_address: int) -> list[str]:
    """The mkimage command that wraps an arm64 `Image`; it is loaded to and entered at `load_address`."""
    where = f"{load_address:#x}"
    return [
        "mkimage", "-A", "arm64", "-O", "linux", "-T", "kernel", "-C", "none", "-a", where, "-e", where,
        "-n", "linux", "-d", image, output,
    ]  # fmt: skip


def ramdisk_command(image: str, output: str) -> list[str]:
    """The mkimage command that wraps an initial RAM disk, compressed or not."""
    return [
        "mkimage",
        "-A",
        "arm64",
        "-O",
        "linux",
        "-T",
        "ramdisk",
        "-C",
        "none",
        "-n",
        "initrd",
        "-d",
        image,
        output,
    ]


def script_command(text_file: str, output: str) -> list[str]:
    """The mkimage command that wraps a boot script."""
    return [
        "mkimage",
        "-A",
        "arm64",
        "-O",
        "linux",
        "-T",
        "script",
        "-C",
        "none",
        "-n",
        "boot",
        "-d",
        text_file,
        output,
    ]


def script_text(wrapped: bytes) -> str:
    """The text of a boot script as mkimage wrapped it; raises LabError if it is none."""
    if wrapped[:4] != _MAGIC or len(wrapped) <= _SCRIPT_AT:
        raise LabError("boot.scr is not a script for U-Boot")
    return wrapped[_SCRIPT_AT:].decode("utf-8", errors="replace").rstrip("\0")


def arguments(script: str) -> list[str]:
    """The kernel's command line in a boot script; raises LabError if the script sets none, or several."""
    found = _ARGUMENTS.findall(script)
    if len(found) != 1:
        raise LabError(f"the boot script sets bootargs {len(found)} times; once is understood", detail=script)
    words: list[str] = found[0][1].strip().strip("'\"").split()
    return words


def with_arguments(script: str, words: Sequence[str]) -> str:
    """The same script with another command line; raises LabError like `arguments`."""
    arguments(script)
    for word in words:
        if re.search(r"[\s;'\"\\]", word):
            raise LabError(f"{word!r} cannot be a kernel argument in a boot script")
    return _ARGUMENTS.sub(lambda match: match[1] + " ".join(words), script)


def with_option(words: Sequence[str], name: str, value: str | None) -> list[str]:
    """The command line with NAME=VALUE in place of any NAME=...; without it if `value` is None."""
    kept = [word for word in words if word.split("=", 1)[0] != name]
    return kept if value is None else [*kept, f"{name}={value}"]
