# SPDX-License-Identifier: Apache-2.0
"""QMP against a real QEMU that has no machine in it."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aetool.core.errors import HostUnreachable, LabError
from aetool.core.ssh_fake import FakeRemote
from aetool.lab import qmp

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        shutil.which("qemu-system-aarch64") is None, reason="qemu-system-arm is not installed"
    ),
]


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    # longer than the 107 bytes that a socket's name may have
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    options = ["-machine", "none", "-nodefaults", "-display", "none", "-qmp", "unix:qmp,server=on,wait=off"]
    with subprocess.Popen(["qemu-system-aarch64", *options], cwd=folder) as qemu:
        deadline = time.monotonic() + 30
        while not (folder / "qmp").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield folder / "qmp"
        qemu.kill()


def test_commands_are_answered_refused_and_after_quit_nobody_is_there(socket: Path) -> None:
    assert qmp.local(socket, "query-status")["status"] in ("prelaunch", "running")
    assert qmp.local(socket, "qom-list", {"path": "/machine"})
    with pytest.raises(
        LabError, match="QEMU refuses no-such-command: The command no-such-command has not been"
    ):
        qmp.local(socket, "no-such-command")
    qmp.local(socket, "quit")
    time.sleep(0.5)
    with pytest.raises(HostUnreachable, match="QEMU is not there"):
        qmp.local(socket, "query-status")


def test_a_qemu_that_never_was_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HostUnreachable, match="QEMU is not there"):
        qmp.local(tmp_path / "qmp", "query-status")


def test_an_answer_that_was_cut_short_is_no_answer() -> None:
    greeting = '{"QMP": {"version": {}, "capabilities": []}}\n{"return": {}, "id": "hello"}\n'
    cut = FakeRemote("server", lambda command, stdin: (0, greeting + '{"return": {"st', ""))
    with pytest.raises(HostUnreachable, match="does not answer query-status"):
        qmp.remote(cut, "/run/x", "query-status")
    assert qmp.remote(cut, "/run/x", "quit") == {}
    gone = FakeRemote("server", lambda command, stdin: (1, "", "Connection refused"))
    with pytest.raises(HostUnreachable, match="is not there"):
        qmp.remote(gone, "/run/x", "quit")
