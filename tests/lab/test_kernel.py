# SPDX-License-Identifier: Apache-2.0
"""What goes to the server when a kernel is installed, and what is refused; test_arm.py does it for real."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from aetool.core.errors import ConfigError, RemoteCommandError
from aetool.core.progress import Silent
from aetool.core.ssh_fake import FakeRemote
from aetool.lab import kernel
from aetool.lab.reboot import Wanted


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "Image"
    path.write_bytes(b"\0" * 56 + b"ARM\x64" + b"\0" * 64)
    return path


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    """Takes the reboot's place, and keeps what the host is to be checked for."""
    kept: list[Wanted] = []
    monkeypatch.setattr(
        kernel, "reboot_or_restore", lambda remote, provider, wrong, patience, progress: kept.append(wrong)
    )
    return kept


def answer(command: str, stdin: bytes | None) -> tuple[int, str, str]:
    if command.startswith("od "):
        return 0, " 00 08 00 00\n", ""
    return 0, "4.18.0+\n" if command == "uname -r" else "", ""


def install(remote: FakeRemote, image: Path, **options: object) -> None:
    settings = {"initrd": None, "load_address": None, **options}
    kernel.install(remote, None, image, "4.18.0+", progress=Silent(), **settings)  # type: ignore[arg-type]


def test_a_kernel_keeps_the_load_address_of_the_former_one(image: Path, checks: list[Wanted]) -> None:
    remote = FakeRemote("server", answer)
    install(remote, image)
    assert remote.files["/var/lib/aetool/kernel/Image"] == image.read_bytes()
    wrap = next(command for command in remote.commands if "-T kernel" in command)
    assert "-a 0x80000 -e 0x80000" in wrap
    # the good copies are made before anything is replaced
    backup = next(n for n, command in enumerate(remote.commands) if ".bak" in command)
    assert backup < remote.commands.index(wrap)


def test_what_runs_afterwards_is_compared_with_the_release(image: Path, checks: list[Wanted]) -> None:
    install(FakeRemote("server", answer), image)
    (check,) = checks
    assert check(FakeRemote("server", answer)) is None
    other = FakeRemote("server", lambda command, stdin: (0, "5.4.0\n", ""))
    assert check(other) == "runs 5.4.0, not 4.18.0+"


def test_modules_go_along_without_the_links_to_the_tree_that_built_them(
    image: Path, checks: list[Wanted], tmp_path: Path
) -> None:
    folder = tmp_path / "modules" / "lib" / "modules" / "4.18.0+"
    (folder / "kernel").mkdir(parents=True)
    (folder / "kernel" / "tun.ko").write_bytes(b"module")
    (folder / "build").symlink_to("/home/somebody/linux")
    remote = FakeRemote("server", answer)
    install(remote, image, modules=tmp_path / "modules")
    data = remote.files["/var/lib/aetool/kernel/modules.tar.gz"]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert sorted(archive.getnames()) == ["4.18.0+", "4.18.0+/kernel", "4.18.0+/kernel/tun.ko"]
    assert any("depmod" in command for command in remote.commands)


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b" + b"\0" * 100, b"MZ" + b"\0" * 100])
def test_what_is_no_arm64_image_is_refused(tmp_path: Path, checks: list[Wanted], data: bytes) -> None:
    bad = tmp_path / "vmlinuz"
    bad.write_bytes(data)
    remote = FakeRemote("server", answer)
    with pytest.raises(ConfigError, match="not an uncompressed arm64 kernel image") as caught:
        install(remote, bad)
    assert "arch/arm64/boot/Image" in (caught.value.hint or "")
    assert remote.commands == []


def test_modules_of_another_release_are_refused(image: Path, checks: list[Wanted], tmp_path: Path) -> None:
    (tmp_path / "modules" / "lib" / "modules" / "5.4.0").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"lib/modules/4\.18\.0\+: no such directory"):
        install(FakeRemote("server", answer), image, modules=tmp_path / "modules")


def test_a_kernel_that_the_server_has_built_is_taken_from_there(checks: list[Wanted]) -> None:
    remote = FakeRemote("server", answer)
    built = Path("/mydata/build/arch/arm64/boot/Image")
    with pytest.raises(RemoteCommandError, match="/mydata/build/arch/arm64/boot/Image"):
        install(remote, built, built_there=True)
    remote.files[str(built)] = b"\0" * 56 + b"ARM\x64"
    install(remote, built, built_there=True, modules=Path("/mydata/build/staged"))
    assert remote.files["/var/lib/aetool/kernel/Image"] == remote.files[str(built)]
    assert "/var/lib/aetool/kernel/modules.tar.gz" not in remote.files
    (copied,) = [command for command in remote.commands if "depmod" in command]
    assert "/mydata/build/staged/lib/modules/4.18.0+ 4.18.0+" in copied
