# SPDX-License-Identifier: Apache-2.0
"""The boot files of a host: kept safe, changed, and put back.

The good copies (`.bak`) are made once and never overwritten, so that a second installation cannot lose the
kernel that is known to boot.
"""

from __future__ import annotations

from collections.abc import Sequence

from aetool.core.errors import LabError
from aetool.core.ssh import Remote
from aetool.lab import uboot

FILES = ("uImage", "uInitrd", "boot.scr")
BOOT = "/boot"
_SECONDS = 120.0

_BACKUP = """
cd "$1"; shift
for file in "$@"; do
  [ -e "$file" ] || { echo "$file is missing" >&2; exit 1; }
  [ -e "$file.bak" ] && continue
  cp -p -- "$file" "$file.bak.part"
  cmp -s -- "$file" "$file.bak.part"
  mv -- "$file.bak.part" "$file.bak"
done
sync
"""

_RESTORE = """
cd "$1"; shift
for file in "$@"; do
  [ -e "$file.bak" ] || { echo "there is no copy $file.bak" >&2; exit 1; }
done
for file in "$@"; do
  cp -p -- "$file.bak" "$file.part"
  mv -- "$file.part" "$file"
done
sync
"""

_INSTALL = """
cd "$1"
image=$2
initrd=$3
shift 3
[ "$(od -An -tx1 -j56 -N4 -- "$image" | tr -d ' \\n')" = 41524d64 ] || {
  echo "$image is not an arm64 kernel image (Image)" >&2; exit 1
}
"$@" >/dev/null
if [ -n "$initrd" ]; then
  mkimage -A arm64 -O linux -T ramdisk -C none -n initrd -d "$initrd" uInitrd.part >/dev/null
  mv -- uInitrd.part uInitrd
fi
mv -- uImage.part uImage
sync
"""


def backup(remote: Remote) -> None:
    """Make the good copies that do not exist yet; raises RemoteCommandError."""
    _script(remote, _BACKUP, BOOT, *FILES)


def restore(remote: Remote) -> None:
    """Put the good copies back in place; raises RemoteCommandError if there are none."""
    _script(remote, _RESTORE, BOOT, *FILES)


def install_kernel(remote: Remote, image: str, *, initrd: str | None, load_address: int) -> None:
    """Make a kernel on the host the one that it boots next; the good copies are made first.

    image: path on the host of an uncompressed arm64 `Image`. initrd: path on the host, None keeps the present
    one. load_address: where U-Boot puts the kernel. Raises RemoteCommandError.
    """
    backup(remote)
    command = uboot.kernel_command(image, "uImage.part", load_address)
    _script(remote, _INSTALL, BOOT, image, initrd or "", *command)


def load_address(remote: Remote) -> int:
    """The load address of the kernel image that is installed: right for this kind of machine."""
    raw = remote.run(["od", "-An", "-tx1", "-j16", "-N4", f"{BOOT}/uImage"], timeout=_SECONDS).stdout
    text = "".join(raw.split())
    if len(text) != 8:
        raise LabError(f"{remote.name}: {BOOT}/uImage has no header of U-Boot's")
    return int(text, 16)


def arguments(remote: Remote) -> list[str]:
    """The kernel's command line at the next boot; raises LabError."""
    return uboot.arguments(uboot.script_text(remote.get(f"{BOOT}/boot.scr")))


def set_arguments(remote: Remote, words: Sequence[str]) -> None:
    """Change the kernel's command line at the next boot; the good copies are made first. Raises LabError."""
    script = uboot.with_arguments(uboot.script_text(remote.get(f"{BOOT}/boot.scr")), words)
    backup(remote)
    remote.put(script.encode(), f"{BOOT}/boot.script")
    wrap = uboot.script_command(f"{BOOT}/boot.script", f"{BOOT}/boot.scr.part")
    remote.run(wrap, timeout=_SECONDS)
    remote.shell(f"cd {BOOT}; mv -- boot.scr.part boot.scr; sync", timeout=_SECONDS)


def _script(remote: Remote, script: str, *arguments: str) -> None:
    remote.run(["bash", "-euo", "pipefail", "-c", script, "boot", *arguments], timeout=_SECONDS)
