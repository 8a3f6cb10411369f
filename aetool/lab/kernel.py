# SPDX-License-Identifier: Apache-2.0
"""Another kernel on the server: installed, booted, proved to run; or the former one again."""

from __future__ import annotations

import io
import tarfile
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
_MODULES_SECONDS = 900.0


def install(
    remote: Remote,
    provider: Provider,
    image: Path,
    release: str,
    *,
    initrd: Path | None,
    modules: Path | None = None,
    load_address: int | None,
    built_there: bool = False,
    patience: Patience | None = None,
    progress: Progress,
) -> None:
    """Install a kernel image, reboot into it and check `uname -r`.

    release: what `uname -r` must say. initrd: None keeps the present one. modules: a directory that holds
    lib/modules/RELEASE, as `make modules_install` leaves it. load_address: None takes that of the present
    kernel. built_there: image, initrd and modules lie on the host. If the kernel does not come up, the former
    boot files are back and booted when BootFailed is raised. Raises ConfigError if the image is none,
    LabError.
    """
    get = (lambda path: remote.get(str(path))) if built_there else _read
    data = get(image)
    if data[_MAGIC_AT : _MAGIC_AT + 4] != _MAGIC:
        raise ConfigError(
            f"{image}: not an uncompressed arm64 kernel image",
            hint="the kernel's build leaves it as arch/arm64/boot/Image",
        )
    where = boot.load_address(remote) if load_address is None else load_address
    progress.say(f"{remote.name}: installing {image.name} ({len(data) >> 20} MiB), loaded to {where:#x}")
    remote.put(data, f"{_PLACE}/Image")
    if modules is not None:
        if built_there:
            _copy_modules(remote, modules, release)
        else:
            _install_modules(remote, modules, release, progress)
    if initrd is not None:
        remote.put(get(initrd), f"{_PLACE}/initrd")
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


def _install_modules(remote: Remote, folder: Path, release: str, progress: Progress) -> None:
    place = folder / "lib" / "modules" / release
    if not place.is_dir():
        raise ConfigError(
            f"{place}: no such directory", hint="make modules_install INSTALL_MOD_PATH=DIRECTORY"
        )
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        # `build` and `source` are links to the tree on the machine that built it
        archive.add(place, release, filter=lambda member: None if member.issym() else member)
    progress.say(f"{remote.name}: {len(out.getvalue()) >> 20} MiB of modules")
    remote.put(out.getvalue(), f"{_PLACE}/modules.tar.gz")
    unpack = f'tar -xz -f {_PLACE}/modules.tar.gz --no-same-owner -C /lib/modules; depmod "$1"'
    remote.run(["bash", "-euc", unpack, "modules", release], timeout=_MODULES_SECONDS)


def _copy_modules(remote: Remote, folder: Path, release: str) -> None:
    copy = """
[ -d "$1" ] || { echo "$1: no such directory" >&2; exit 1; }
rm -rf -- "/lib/modules/$2"
cp -a -- "$1" "/lib/modules/$2"
rm -f -- "/lib/modules/$2/build" "/lib/modules/$2/source"
depmod "$2"
"""
    place = str(folder / "lib" / "modules" / release)
    remote.run(["bash", "-euc", copy, "modules", place, release], timeout=_MODULES_SECONDS)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise storage_error(path, error) from error
