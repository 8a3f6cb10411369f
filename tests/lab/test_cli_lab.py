# SPDX-License-Identifier: Apache-2.0
"""`aetool lab` as a user types it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
]


@pytest.fixture
def where(tmp_path: Path) -> Iterator[list[str]]:
    options = ["--name", "cli", "--state", str(tmp_path / "state")]
    yield options
    aetool("lab", "down", *options)


def aetool(*words: str) -> subprocess.CompletedProcess[str]:
    program = "from aetool.cli.main import run; run()"
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_up_status_ssh_facts_down(where: list[str]) -> None:
    down = aetool("lab", "status", *where)
    assert (down.returncode, down.stdout.split()[2]) == (5, "down")
    assert aetool("lab", "up", *where).returncode == 0
    status = aetool("lab", "status", "--json", *where)
    assert status.returncode == 0
    found = json.loads(status.stdout)
    assert [(h["host"], h["address"], h["up"]) for h in found["hosts"]] == [
        ("server", "10.10.1.1", True),
        ("client", "10.10.1.2", True),
    ]
    facts = json.loads(aetool("lab", "facts", *where).stdout)
    assert facts["hosts"]["client"]["hostname"] == "client"
    assert aetool("lab", "down", *where).returncode == 0
    assert aetool("lab", "status", *where).returncode == 5


def test_ssh_passes_arguments_output_and_status_through(where: list[str]) -> None:
    aetool("lab", "up", *where)
    done = aetool(
        "lab", "ssh", *where, "server", "--", "bash", "-c", 'echo "$1"; echo e >&2; exit 7', "x", "a  b"
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "a  b\n", "e\n")
    late = aetool("lab", "ssh", *where, "--timeout", "1", "server", "--", "sleep", "30")
    assert late.returncode == 5
    assert "ran longer than 1 s" in late.stderr


def test_mistakes_have_one_message_and_the_documented_exit_code(where: list[str]) -> None:
    for words, code, said in (
        (["lab", "ssh", *where, "server", "--", "true"], 5, "the lab cli is not up"),
        (["lab", "up", "--lab", "nowhere"], 2, "there is no lab 'nowhere'"),
        (["lab", "up", "--lab", "/no/such.yaml"], 2, "/no/such.yaml: no such file"),
    ):
        done = aetool(*words)
        assert done.returncode == code
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    aetool("lab", "up", *where)
    stranger = aetool("lab", "ssh", *where, "stranger", "--", "true")
    assert stranger.returncode == 2
    assert "hosts: server, client" in stranger.stderr
    shell = aetool("lab", "ssh", *where, "server")
    assert shell.returncode == 1
    assert "needs a terminal" in shell.stderr


def test_ssh_without_a_command_is_a_shell_on_the_host(where: list[str]) -> None:
    aetool("lab", "up", *where)
    ours, theirs = pty.openpty()
    program = "from aetool.cli.main import run; run()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "lab", "ssh", *where, "client"],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    ) as child:  # fmt: skip
        os.close(theirs)
        seen = _until(ours, b"client:~# ")
        os.write(ours, b"echo $((6 * 7)) $(uname -n) $(tty); exit 5\n")
        seen += _until(ours, b"logout")
        assert child.wait(timeout=20) == 5
    os.close(ours)
    assert b"42 client /dev/pts/0" in seen


def _until(handle: int, mark: bytes) -> bytes:
    seen = b""
    deadline = time.monotonic() + 20
    while mark not in seen and time.monotonic() < deadline:
        seen += os.read(handle, 4096)
    assert mark in seen
    return seen
