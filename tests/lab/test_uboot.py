# SPDX-License-Identifier: Apache-2.0
"""Boot scripts and initial RAM disks: what is written is what real tools read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aetool.core.errors import LabError
from aetool.lab import cpio, uboot

M400 = """\
setenv bootargs 'console=ttyS0,115200n8r ro root=/dev/sda1 irqchip.gicv2_force_probe=1'
setenv verify no
load scsi 0 0x4002000000 /boot/uImage
bootm 0x4002000000
"""
needs_mkimage = pytest.mark.skipif(shutil.which("mkimage") is None, reason="u-boot-tools is not installed")
WORD = st.from_regex(r"[a-z][a-z0-9._-]{0,8}(=[A-Za-z0-9,/._-]{1,8})?", fullmatch=True)


@needs_mkimage
def test_a_script_survives_wrapping_by_mkimage(tmp_path: Path) -> None:
    text, wrapped = tmp_path / "boot.script", tmp_path / "boot.scr"
    text.write_text(uboot.ARM_BOOT_SCRIPT)
    subprocess.run(uboot.script_command(str(text), str(wrapped)), check=True, stdout=subprocess.DEVNULL)
    assert uboot.script_text(wrapped.read_bytes()) == uboot.ARM_BOOT_SCRIPT


@needs_mkimage
def test_a_wrapped_kernel_says_where_it_is_loaded(tmp_path: Path) -> None:
    image = tmp_path / "Image"
    image.write_bytes(b"\0" * 56 + b"ARM\x64" + b"\0" * 4)
    command = uboot.kernel_command(str(image), str(tmp_path / "uImage"), 0x80000)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    listed = subprocess.run(
        ["mkimage", "-l", tmp_path / "uImage"], capture_output=True, text=True, check=True
    )
    assert "AArch64 Linux Kernel Image (uncompressed)" in listed.stdout
    assert "Load Address: 00080000" in listed.stdout
    assert "Entry Point:  00080000" in listed.stdout


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n" * 20, b"\x27\x05\x19\x56"])
def test_what_mkimage_did_not_make_is_no_script(data: bytes) -> None:
    with pytest.raises(LabError, match="not a script"):
        uboot.script_text(data)


def test_the_command_line_of_an_m400_is_read_and_replaced() -> None:
    words = uboot.arguments(M400)
    assert words[-1] == "irqchip.gicv2_force_probe=1"
    changed = uboot.with_arguments(M400, uboot.with_option(words, "kvm-arm.mode", "protected"))
    assert uboot.arguments(changed) == [*words, "kvm-arm.mode=protected"]
    assert changed.splitlines()[1:] == M400.splitlines()[1:]


@pytest.mark.parametrize("script", ["", "setenv verify no\n", M400 + M400])
def test_a_script_with_no_command_line_or_two_is_refused(script: str) -> None:
    with pytest.raises(LabError, match="once is understood"):
        uboot.with_arguments(script, ["ro"])


@pytest.mark.parametrize("word", ["a b", "a;reset", "'a", "a\nb"])
def test_an_argument_that_the_script_would_misread_is_refused(word: str) -> None:
    with pytest.raises(LabError, match="cannot be a kernel argument"):
        uboot.with_arguments(M400, [word])


@given(st.lists(WORD, min_size=1, max_size=8), WORD)
def test_setting_and_removing_an_option_leaves_the_others_in_order(words: list[str], name: str) -> None:
    name = name.split("=")[0]
    others = [word for word in words if word.split("=")[0] != name]
    with_it = uboot.with_option(words, name, "x")
    assert with_it == [*others, f"{name}=x"]
    assert uboot.with_option(with_it, name, None) == others
    assert uboot.arguments(uboot.with_arguments(M400, with_it)) == with_it


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_an_archive_unpacks_with_cpio(tmp_path: Path) -> None:
    data = cpio.archive(
        [
            cpio.directory("a"),
            cpio.file("a/odd", b"12345", 0o755),
            cpio.file("empty", b""),
            cpio.file("b", b"1234"),
        ]
    )
    subprocess.run(["cpio", "-id", "--quiet"], input=data, cwd=tmp_path, check=True)
    assert (tmp_path / "a" / "odd").read_bytes() == b"12345"
    assert (tmp_path / "a" / "odd").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "empty").read_bytes() == b""
    assert (tmp_path / "b").read_bytes() == b"1234"
    assert len(data) % 4 == 0
