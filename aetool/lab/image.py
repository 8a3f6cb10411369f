# SPDX-License-Identifier: Apache-2.0
"""The disk of the emulated Arm server, and the image of its guests, made from Debian's arm64 packages.

Packages are unpacked, not configured: nothing of the foreign architecture runs, so that a minute is enough.
What maintainer scripts would have done (users, module and library indices) is done here. The result is kept
in a cache under a digest of everything that determines it.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import tempfile
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aetool.core.errors import LabError
from aetool.core.process import ProcessError, require, run, storage_error, write_file
from aetool.core.progress import Progress
from aetool.core.project import project_root
from aetool.core.ssh import Remote
from aetool.lab import boot, cpio, uboot
from aetool.lab.guests import STORE
from aetool.lab.transfer import upload

PACKAGES = (
    "apache2", "apache2-utils", "base-files", "base-passwd", "bash", "busybox-static", "ca-certificates",
    "coreutils", "dash", "debianutils", "diffutils", "e2fsprogs", "findutils", "gawk", "grep", "gzip",
    "hostname", "iproute2", "kmod", "libc-bin", "linux-image-cloud-arm64", "login", "mount", "netbase",
    "openssh-client", "openssh-server", "openssl", "passwd", "perl-base", "procps", "qemu-system-arm",
    "redis-server", "redis-tools", "rt-tests", "sed", "socat", "tar", "u-boot-tools", "util-linux",
)  # fmt: skip
_SCRIPTS = ("arm-init.sh", "arm-initramfs.sh")
# what the initial RAM disk needs until the root file system is there; ext4 finds its checksum only when asked
EARLY_MODULES = ("virtio_pci", "virtio_mmio", "virtio_blk", "crc32c_generic", "ext4", "overlay")
_UNUSED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/iso-codes",
)
_NOT_IN_GUEST = (
    "boot",
    "usr/share/qemu",
    "usr/lib/ipxe",
    "usr/bin/qemu-system-aarch64",
    "usr/bin/qemu-system-arm",
)
_USERS = "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\nredis:x:102:102::/var/lib/redis:/usr/sbin/nologin\n"
_FORMAT = 2
_ARCHIVES = "archives.txt"
_DISK_MIB = 4096
_FIRST_MIB = 1
_BUILD_SECONDS = 1200.0
_STEP_SECONDS = 300.0
GUEST_FOLDER = STORE
GUEST_FILES = ("Image", "initrd.gz", "guest.img")

SSHD_CONFIG = """\
HostKey /etc/ssh/aetool_host_key
AuthorizedKeysFile /etc/ssh/aetool_authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
MaxSessions 64
MaxStartups 64
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True)
class Recipe:
    """What determines an image: the Debian suite and everything of ours that goes in."""

    suite: str

    def digest(self) -> str:
        """A name for the image; another recipe, or other scripts of ours, gives another one."""
        folder = project_root() / "scripts" / "host"
        parts = [
            str(_FORMAT),
            self.suite,
            *PACKAGES,
            *EARLY_MODULES,
            SSHD_CONFIG,
            uboot.ARM_BOOT_SCRIPT,
            _USERS,
            str(_DISK_MIB),
        ]
        parts += [(folder / name).read_text(encoding="utf-8") for name in _SCRIPTS]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def send_guests(remote: Remote, recipe: Recipe, cache: Path, progress: Progress) -> None:
    """Give any arm64 server the guests of the emulated one: Debian with all that the suites need.

    Raises MissingToolError, StorageError, LabError.
    """
    machine = remote.run(["uname", "-m"], timeout=_STEP_SECONDS).stdout.strip()
    if machine != "aarch64":
        raise LabError(f"{remote.name} is a {machine} machine: these guests are for arm64")
    disk = disk_image(recipe, cache, progress)
    with tempfile.TemporaryDirectory(prefix="aetool-") as place:
        for path in guest_files(disk, Path(place)):
            progress.say(f"{remote.name}: {path.name}, {path.stat().st_size >> 20} MiB")
            upload(remote, path, f"{GUEST_FOLDER}/{path.name}", progress=progress)


def cache_folder() -> Path:
    """Where images are kept between labs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "aetool" / "arm"


def disk_image(recipe: Recipe, cache: Path, progress: Progress) -> Path:
    """Return the server's disk, building it if the cache has none.

    Raises MissingToolError, StorageError; LabError if packages cannot be had.
    """
    from filelock import FileLock

    place = cache / recipe.digest()
    disk = place / "disk.img"
    if disk.exists():
        return disk
    tools = {
        "mmdebstrap": "mmdebstrap", "mkfs.ext4": "e2fsprogs", "sfdisk": "fdisk", "depmod": "kmod",
        "ldconfig": "libc-bin", "mkimage": "u-boot-tools",
    }  # fmt: skip
    for program, package in tools.items():
        require(program, package)
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(cache, error) from error
    with FileLock(cache / ".lock"):
        if disk.exists():
            return disk
        work = cache / f".{recipe.digest()}.part"
        shutil.rmtree(work, ignore_errors=True)
        try:
            _build(recipe, work, progress)
            work.replace(place)
        except OSError as error:
            raise storage_error(work, error) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return disk


def _build(recipe: Recipe, work: Path, progress: Progress) -> None:
    root = work / "root"
    root.mkdir(parents=True)
    progress.say(f"unpacking {len(PACKAGES)} Debian packages and what they need, for arm64 (about a minute)")
    _unpack(recipe, root, work / "packages.log")
    release = _configure(root)
    progress.say("making the disk image of the emulated server")
    ramdisk = work / "initrd.gz"
    write_file(ramdisk, initrd(root, release))
    _guest(root, work, ramdisk, release)
    _boot_files(root, work, ramdisk, release)
    disk = work / "disk.img"
    size = (_DISK_MIB - _FIRST_MIB) * 1024
    offset = f"offset={_FIRST_MIB << 20},lazy_itable_init=1"
    _file_system(root, disk, size, "-E", offset)
    # a disk without a partition table is not searched by U-Boot
    table = f"label: dos\nstart={_FIRST_MIB * 2048}, type=83, bootable\n"
    run([require("sfdisk"), "-q", str(disk)], stdin=table, timeout=_STEP_SECONDS)
    shutil.rmtree(root)


def _unpack(recipe: Recipe, root: Path, log: Path) -> None:
    argv = [
        "mmdebstrap", "--quiet", "--variant=extract", "--architectures=arm64", "--skip=check/qemu",
        f"--include={','.join(PACKAGES)}",
        f'--extract-hook=ls "$1"/var/cache/apt/archives >"$1"/{_ARCHIVES}', recipe.suite, str(root),
    ]  # fmt: skip
    try:
        run(argv, timeout=_BUILD_SECONDS, log=log)
    except ProcessError as error:
        raise LabError(
            "Debian's arm64 packages cannot be unpacked: " + error.message,
            detail=error.detail,
            hint="is there a way to a Debian mirror, and disk space? then run the same command again",
        ) from error


def _configure(root: Path) -> str:
    """Do what maintainer scripts would have done; return the kernel's release."""
    for name in _UNUSED:
        shutil.rmtree(root / name, ignore_errors=True)
    releases = sorted(p.name for p in (root / "lib" / "modules").iterdir())
    if len(releases) != 1:
        raise LabError(f"the packages bring {len(releases)} kernels: {', '.join(releases)}")
    run([require("depmod"), "-b", str(root), releases[0]], timeout=_STEP_SECONDS)
    run([require("ldconfig"), "-r", str(root)], timeout=_STEP_SECONDS)
    for name in ("passwd", "group"):
        shutil.copy(root / "usr/share/base-passwd" / f"{name}.master", root / "etc" / name)
    users = root / "etc/passwd"
    users.write_text(users.read_text().replace("root:*:", "root:x:") + _USERS)
    names = [line.split(":")[0] for line in users.read_text().splitlines()]
    # "*" allows no password, but unlike "!" keys
    (root / "etc/shadow").write_text("".join(f"{name}:*:19000:0:99999:7:::\n" for name in names))
    (root / "etc/shadow").chmod(0o640)
    _note_versions(root)
    (root / "etc/ssh/aetool_sshd_config").write_text(SSHD_CONFIG)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n10.10.1.1 server\n10.10.1.2 client\n")
    if not (root / "usr/bin/awk").exists():
        (root / "usr/bin/awk").symlink_to("gawk")
    scripts = project_root() / "scripts" / "host"
    _program(root / "sbin/init", (scripts / "arm-init.sh").read_text(encoding="utf-8"))
    for name, signal in (("reboot", "TERM"), ("poweroff", "USR2")):
        _program(root / "sbin" / name, f"#!/bin/sh\nexec kill -{signal} 1\n")
    return releases[0]


def _note_versions(root: Path) -> None:
    """Leave names and versions of the packages where facts look: dpkg knows nothing of what was unpacked."""
    lines = []
    for name in (root / _ARCHIVES).read_text().split():
        package, _, rest = name.partition("_")
        version = urllib.parse.unquote(rest.rpartition("_")[0])
        if name.endswith(".deb"):
            lines.append(f"{package}\t{version}\n")
    (root / _ARCHIVES).unlink()
    folder = root / GUEST_FOLDER.lstrip("/")
    folder.mkdir(parents=True)
    (folder / "packages").write_text("".join(lines))


def _program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def initrd(root: Path, release: str) -> bytes:
    """An initial RAM disk for a kernel whose modules, and a static busybox, are below `root`."""
    scripts = project_root() / "scripts" / "host"
    entries = [cpio.directory(name) for name in ("bin", "dev", "modules")]
    entries += [
        cpio.file("init", (scripts / "arm-initramfs.sh").read_bytes(), 0o755),
        cpio.file("bin/busybox", (root / "bin/busybox").read_bytes(), 0o755),
        cpio.Entry("dev/console", 0o20600, device=(5, 1)),
    ]
    for number, path in enumerate(modules_in_order(root / "lib/modules" / release, EARLY_MODULES)):
        entries.append(cpio.file(f"modules/{number:02}-{path.name}", path.read_bytes()))
    return gzip.compress(cpio.archive(entries), 6, mtime=0)


def modules_in_order(folder: Path, names: Sequence[str]) -> list[Path]:
    """The files of modules, each after what it depends on; those built into the kernel are left out."""
    needs: dict[str, list[str]] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        name, _, rest = line.partition(":")
        needs[name] = rest.split()
    ordered: list[str] = []
    for wanted in names:
        for name in (n for n in needs if Path(n).name == f"{wanted}.ko"):
            # modules.dep lists what a module needs directly or not, the innermost last
            ordered += [n for n in (*reversed(needs[name]), name) if n not in ordered]
    return [folder / name for name in ordered]


def _guest(root: Path, work: Path, ramdisk: Path, release: str) -> None:
    """Put kernel, initial RAM disk and read-only root of the guests into the server's root."""
    tree = work / "guest"
    run(["cp", "-al", str(root), str(tree)], timeout=_STEP_SECONDS)
    for name in _NOT_IN_GUEST:
        path = tree / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    folder = root / GUEST_FOLDER.lstrip("/")
    used = int(run(["du", "-s", "-k", str(tree)], timeout=_STEP_SECONDS).output.split()[0])
    _file_system(tree, folder / "guest.img", used * 5 // 4 + 16 * 1024)
    shutil.copy(ramdisk, folder / "initrd.gz")
    shutil.copy(root / "boot" / f"vmlinuz-{release}", folder / "Image")
    shutil.rmtree(tree)


def _boot_files(root: Path, work: Path, ramdisk: Path, release: str) -> None:
    folder = root / "boot"
    script = folder / "boot.script"
    script.write_text(uboot.ARM_BOOT_SCRIPT)
    commands = (
        uboot.kernel_command(
            str(folder / f"vmlinuz-{release}"), str(folder / "uImage"), uboot.ARM_LOAD_ADDRESS
        ),
        uboot.ramdisk_command(str(ramdisk), str(folder / "uInitrd")),
        uboot.script_command(str(script), str(folder / "boot.scr")),
    )
    for argv in commands:
        run(argv, timeout=_STEP_SECONDS)


def _file_system(tree: Path, image: Path, kib: int, *options: str) -> None:
    argv = [
        "mkfs.ext4",
        "-q",
        "-F",
        "-L",
        "root",
        "-m",
        "0",
        *options,
        "-d",
        str(tree),
        str(image),
        f"{kib}k",
    ]
    run([require(argv[0]), *argv[1:]], timeout=_STEP_SECONDS)


def guest_files(disk: Path, folder: Path) -> list[Path]:
    """Take the guests' kernel, RAM disk and root from a server's disk, for servers that have another one.

    Raises LabError.
    """
    partition = f"{disk}?offset={_FIRST_MIB << 20}"
    taken = []
    for name in GUEST_FILES:
        path = folder / name
        _debugfs(partition, f'dump {GUEST_FOLDER}/{name} "{path}"', write=False)
        if not path.exists() or not path.stat().st_size:
            raise LabError(f"{disk} has no {GUEST_FOLDER}/{name}")
        taken.append(path)
    return taken


def restore_files(disk: Path, scratch: Path) -> None:
    """Put the good boot files of a server that is switched off back, on its disk; raises LabError."""
    partition = f"{disk}?offset={_FIRST_MIB << 20}"
    # status 1: errors were corrected, which a cut of power makes normal
    if run([require("e2fsck", "e2fsprogs"), "-p", partition], timeout=_STEP_SECONDS, check=False).status > 1:
        run([require("e2fsck"), "-f", "-y", partition], timeout=_STEP_SECONDS, check=False)
    for name in boot.FILES:
        copy = scratch / f"{name}.bak"
        copy.unlink(missing_ok=True)
        _debugfs(partition, f'dump {boot.BOOT}/{name}.bak "{copy}"', write=False)
        if not copy.exists() or not copy.stat().st_size:
            raise LabError(f"the server's disk has no good copy {boot.BOOT}/{name}.bak")
        _debugfs(partition, f"rm {boot.BOOT}/{name}", write=True)
        _debugfs(partition, f'write "{copy}" {boot.BOOT}/{name}', write=True)
        copy.unlink()


def _debugfs(partition: str, command: str, *, write: bool) -> None:
    argv = [require("debugfs", "e2fsprogs"), *(["-w"] if write else []), "-R", command, partition]
    run(argv, timeout=_STEP_SECONDS)
