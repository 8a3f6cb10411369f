# SPDX-License-Identifier: Apache-2.0
"""Debian's QEMU, built from its source on a host of the lab by commands of aetool. Only with --full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aetool.lab import Lab

PACKAGES = (
    "libglib2.0-dev",
    "libpixman-1-dev",
    "libfdt-dev",
    "meson",
    "ninja-build",
    "dpkg-dev",
    "pkg-config",
)
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.full,
    pytest.mark.timeout(7200),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
    pytest.mark.skipif(
        subprocess.run(["dpkg-query", "-W", *PACKAGES], capture_output=True).returncode != 0,
        reason="the packages that QEMU is built with are not installed",
    ),
]


def test_a_qemu_is_built_on_a_host_and_probed_and_boots_what_it_is_given(
    lab: Lab, place: Path, project: Path
) -> None:
    where = ["--name", "shared", "--state", str(place), "--on", "server"]
    recipe = str(project / "cloudlab" / "qemu" / "debian-small.yaml")

    def aetool(*words: str) -> str:
        program = "from aetool.cli.main import run; run()"
        done = subprocess.run(
            [sys.executable, "-c", program, "lab", *words], capture_output=True, text=True, timeout=7000
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    aetool("source", *where, recipe, "/opt/qemu")
    path = aetool("qemu", "build", *where, "/opt/qemu", recipe, "--out", "/opt/qemu-build")
    assert path == "/opt/qemu-build/qemu-system-aarch64"
    found = json.loads(aetool("qemu", "probe", *where, path))
    assert found["version"].startswith("7.2")
    assert "tcg" in found["accelerators"]
    # it emulates: the monitor answers, and the machine is the one that was asked for
    script = (
        f'echo \'{{"execute": "qmp_capabilities"}} {{"execute": "query-status"}} {{"execute": "quit"}}\''
        f" | {path} -machine virt -cpu cortex-a57 -S -nodefaults -display none -qmp stdio"
    )
    said = lab.hosts["server"].shell(script, timeout=60).stdout
    assert '"status": "prelaunch"' in said
