# SPDX-License-Identifier: Apache-2.0
"""The disk of the emulated server: what names it, what its RAM disk holds, its repair from outside."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from aetool.core.errors import LabError, MissingToolError
from aetool.core.progress import Silent
from aetool.lab import image
from aetool.lab.arm import seed
from aetool.lab.image import Recipe

needs_e2fsprogs = pytest.mark.skipif(shutil.which("debugfs") is None, reason="e2fsprogs is not installed")


def test_another_script_of_ours_makes_another_image(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Recipe("bookworm").digest()
    assert Recipe("bookworm").digest() == before
    assert Recipe("trixie").digest() != before
    shutil.copytree(project / "scripts" / "host", tmp_path / "scripts" / "host")
    monkeypatch.setattr(image, "project_root", lambda: tmp_path)
    assert Recipe("bookworm").digest() == before
    script = tmp_path / "scripts" / "host" / "arm-init.sh"
    script.write_text(script.read_text() + "# changed\n")
    assert Recipe("bookworm").digest() != before


def test_modules_come_after_what_they_depend_on(tmp_path: Path) -> None:
    (tmp_path / "modules.dep").write_text(
        "v/virtio_ring.ko:\nv/virtio.ko: v/virtio_ring.ko\nb/virtio_blk.ko: v/virtio.ko v/virtio_ring.ko\n"
        "v/virtio_pci.ko: v/modern.ko v/virtio.ko v/virtio_ring.ko\nv/modern.ko:\nf/overlay.ko:\n"
        "x/unused.ko:\n"
    )
    order = [path.name for path in image.modules_in_order(tmp_path, image.EARLY_MODULES)]
    assert order == [
        "virtio_ring.ko", "virtio.ko", "modern.ko", "virtio_pci.ko", "virtio_blk.ko", "overlay.ko",
    ]  # fmt: skip


def test_versions_come_from_the_names_of_the_archives(tmp_path: Path) -> None:
    (tmp_path / "archives.txt").write_text("lock\npartial\nredis-server_5%3a7.0.15-1~deb12u10_arm64.deb\n")
    image._note_versions(tmp_path)
    text = (tmp_path / "var" / "lib" / "aetool" / "packages").read_text()
    assert text == "redis-server\t5:7.0.15-1~deb12u10\n"


def test_a_missing_tool_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(image, "require", _require_nothing)
    with pytest.raises(MissingToolError, match="mmdebstrap is not installed"):
        image.disk_image(Recipe("bookworm"), tmp_path / "cache", Silent())
    assert not (tmp_path / "cache").exists()


def _require_nothing(program: str, package: str | None = None) -> str:
    raise MissingToolError(f"{program} is not installed", hint=f"apt-get install {package}")


def test_a_seed_unpacks_to_the_files_with_their_modes(tmp_path: Path) -> None:
    data = seed({"etc/hostname": (b"server\n", 0o644), "etc/ssh/key": (b"secret", 0o600)})
    assert len(data) % 512 == 0
    subprocess.run(["tar", "-x", "-C", tmp_path], input=data, check=True)
    assert (tmp_path / "etc/hostname").read_bytes() == b"server\n"
    assert (tmp_path / "etc/ssh/key").stat().st_mode & 0o777 == 0o600


def disk(folder: Path, boot: dict[str, bytes]) -> Path:
    tree = folder / "tree"
    (tree / "boot").mkdir(parents=True)
    for name, data in boot.items():
        (tree / "boot" / name).write_bytes(data)
    path = folder / "disk.img"
    with path.open("wb") as handle:
        handle.truncate(24 << 20)
    image._file_system(tree, path, 16 << 10, "-E", "offset=1048576")
    return path


def contents(path: Path, name: str) -> bytes:
    argv = ["debugfs", "-R", f"cat /boot/{name}", f"{path}?offset=1048576"]
    return subprocess.run(argv, capture_output=True, check=True).stdout


@needs_e2fsprogs
def test_good_boot_files_are_put_back_on_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    good = {f"{name}.bak": f"good {name}".encode() * 1000 for name in ("uImage", "uInitrd", "boot.scr")}
    path = disk(tmp_path, {**good, "uImage": b"bad", "uInitrd": b"bad", "boot.scr": b"bad"})
    image.restore_files(path, tmp_path)
    for name in ("uImage", "uInitrd", "boot.scr"):
        assert contents(path, name) == good[f"{name}.bak"]
        assert contents(path, f"{name}.bak") == good[f"{name}.bak"]
    check = subprocess.run(["e2fsck", "-f", "-n", f"{path}?offset=1048576"], capture_output=True, check=False)
    assert check.returncode == 0, check.stdout


@needs_e2fsprogs
def test_what_guests_are_started_from_is_taken_from_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    data = {name: f"the {name} ".encode() * 999 for name in image.GUEST_FILES}
    (tmp_path / "tree/var/lib/aetool").mkdir(parents=True)
    for name in data:
        (tmp_path / "tree/var/lib/aetool" / name).write_bytes(data[name])
    (tmp_path / "out").mkdir()
    path = disk(tmp_path, {})
    taken = image.guest_files(path, tmp_path / "out")
    assert {p.name: p.read_bytes() for p in taken} == data
    (tmp_path / "bare").mkdir()
    with pytest.raises(LabError, match=r"has no /var/lib/aetool/Image"):
        image.guest_files(disk(tmp_path / "bare", {}), tmp_path / "bare")


@needs_e2fsprogs
def test_a_disk_without_good_copies_is_left_as_it_is(tmp_path: Path) -> None:
    path = disk(tmp_path, {"uImage": b"the only one"})
    with pytest.raises(LabError, match=r"has no good copy /boot/uImage\.bak"):
        image.restore_files(path, tmp_path)
    assert contents(path, "uImage") == b"the only one"
