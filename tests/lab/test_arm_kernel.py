# SPDX-License-Identifier: Apache-2.0
"""A kernel from Debian's source on the emulated server, by commands of aetool alone. Only with --full."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOOLS = ("qemu-system-aarch64", "aarch64-linux-gnu-gcc", "mmdebstrap")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.full,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in TOOLS),
        reason="qemu-system-arm, gcc-aarch64-linux-gnu or mmdebstrap is not installed",
    ),
]  # fmt: skip


def aetool(*words: str, seconds: float = 3600) -> str:
    program = "from aetool.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def where(tmp_path: Path) -> Iterator[list[str]]:
    options = ["--lab", "arm", "--name", "armkernel", "--state", str(tmp_path / "state")]
    yield options
    aetool("lab", "down", *options)


def test_a_kernel_of_debian_s_source_is_built_installed_booted_and_taken_back(
    where: list[str], tmp_path: Path, project: Path
) -> None:
    recipe = str(project / "cloudlab" / "kernel" / "arm-small.yaml")
    tree, out = str(tmp_path / "linux"), str(tmp_path / "small")
    aetool("lab", "source", recipe, tree)
    built = aetool("lab", "kernel", "build", tree, recipe, "--out", out).split()
    release = built[built.index("--release") + 1]
    assert release.endswith("-aetool")

    def runs() -> str:
        return aetool("lab", "ssh", *where, "server", "--", "uname", "-r").strip()

    aetool("lab", "up", *where)
    former = runs()
    aetool("lab", "kernel", "install", *where, *built)
    assert runs() == release
    found = json.loads(aetool("lab", "configure", *where, "kvm", "--json"))
    assert (found["active"], found["kernel"]) == ("kvm", release)
    # its guests are Debian's: the new kernel is their host
    assert aetool("lab", "vm", "up", *where).split() == ["vm-1", "10.10.1.100"]
    aetool("lab", "vm", "down", *where)
    aetool("lab", "kernel", "restore", *where)
    assert runs() == former
