# SPDX-License-Identifier: Apache-2.0
"""Another kernel on the server: installed, booted, proved to run; or the former one again."""

from __future__ import annotations

from pathlib import Path

from aetool.core.errors import ConfigError
from aetool.core.process import storage_error
from aetool.core.progress import Progress
from aetool.core.ssh import Remote
from aetool.lab import boot
from aetool.lab.configuration import reboot_or_restore
from aetool.lab.provider import Provider
from aetool.lab.reboot import Patience

_MAGIC_AT = 56
_MAGIC = b"ARM\x64"
_PLACE = "/var/lib/aetool/kernel"
_SECONDS = 30.0


def install(
    remote: Remote,
    provider: Provider,
    image: Path,
    release: str,
    *,
    initrd: Path | None,
    load_address: int | None,
    patience: Patience | None = None,
    progress: Progress,
) -> None:
    """Install a kernel image, reboot into it and check `uname -r`.

    release: what `uname -r` must say. initrd: None keeps the present one. load_address: None takes that of
    the present kernel. If the kernel does not come up, the former boot files are back and booted when
    BootFailed is raised. Raises ConfigError if the image is none, LabError.
    """
    data = _read(image)
    if data[_MAGIC_AT : _MAGIC_AT + 4] != _MAGIC:
        raise ConfigError(
            f"{image}: not an uncompressed arm64 kernel image",
            hint="the kernel's build leaves it as arch/arm64/boot/Image",
        )
    where = boot.load_address(remote) if load_address is None else load_address
    progress.say(f"{remote.name}: installing {image.name} ({len(data) >> 20} MiB), loaded to {where:#x}")
    remote.put(data, f"{_PLACE}/Image")
    if initrd is not None:
        remote.put(_read(initrd), f"{_PLACE}/initrd")
    boot.install_kernel(
        remote,
        f"{_PLACE}/Image",
        initrd=f"{_PLACE}/initrd" if initrd is not None else None,
        load_address=where,
    )

    def wrong(back: Remote) -> str | None:
        found = back.run(["uname", "-r"], timeout=_SECONDS).stdout.strip()
        return None if found == release else f"runs {found}, not {release}"

    reboot_or_restore(remote, provider, wrong, patience, progress)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise storage_error(path, error) from error
