# SPDX-License-Identifier: Apache-2.0
"""Connections that go wrong before a command runs: each gives one error of the right kind, in time."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aetool.core.errors import ConfigError, HostUnreachable
from aetool.core.ssh import SshRemote
from aetool.core.ssh_connect import Endpoint, Timeouts, fingerprint, parse_public_key

QUICK = Timeouts(connect=1, banner=1, auth=1, channel=1, silence=2)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture
def endpoint(key: Path) -> Endpoint:
    host_key = key.with_suffix(".pub").read_text()
    return Endpoint("server", "10.10.1.1", host_key, key, timeouts=QUICK)


@pytest.fixture
def peer() -> Iterator[Callable[[bytes, bool], Callable[[float], socket.socket]]]:
    """Makes a dial hook whose other end says something and then hangs up or falls silent."""
    ends: list[socket.socket] = []

    def make(says: bytes, hangs_up: bool) -> Callable[[float], socket.socket]:
        def dial(_: float) -> socket.socket:
            ours, theirs = socket.socketpair()
            theirs.sendall(says)
            if hangs_up:
                theirs.close()
            else:
                ends.append(theirs)
            return ours

        return dial

    yield make
    for end in ends:
        end.close()


@pytest.mark.parametrize(
    ("says", "hangs_up"),
    [
        (b"", False),
        (b"", True),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", True),
        (b"SSH-2.0-OpenSSH_9.2\r\n", True),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n" + os.urandom(4096), False),
    ],
    ids=["silent", "closed", "not ssh", "closed after the banner", "silent after the banner", "noise"],
)
def test_a_peer_that_is_no_ssh_server_is_unreachable_within_the_time_outs(
    endpoint: Endpoint,
    peer: Callable[[bytes, bool], Callable[[float], socket.socket]],
    says: bytes,
    hangs_up: bool,
) -> None:
    before = threading.active_count()
    started = time.monotonic()
    remote = SshRemote(replace(endpoint, dial=peer(says, hangs_up)))
    with pytest.raises(HostUnreachable, match=r"server \(root@10\.10\.1\.1:22\)"):
        remote.run(["true"], timeout=5)
    assert time.monotonic() - started < 8
    deadline = time.monotonic() + 5
    while threading.active_count() > before:
        assert time.monotonic() < deadline, "the connection's thread is still there"
        time.sleep(0.05)


def test_a_dial_that_fails_is_unreachable_with_its_reason(endpoint: Endpoint) -> None:
    def refuse(_: float) -> socket.socket:
        raise OSError(errno.ECONNREFUSED, "Connection refused")

    with pytest.raises(HostUnreachable, match="cannot be reached: Connection refused") as caught:
        SshRemote(replace(endpoint, dial=refuse)).run(["true"], timeout=5)
    assert caught.value.exit_code == 5
    assert isinstance(caught.value, ConnectionError)


def test_a_closed_port_is_unreachable(endpoint: Endpoint) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        port = taken.getsockname()[1]
        with pytest.raises(HostUnreachable, match=f"127.0.0.1:{port}.*refused"):
            SshRemote(replace(endpoint, host="127.0.0.1", port=port)).run(["true"], timeout=5)


def test_a_private_key_that_is_missing_damaged_or_locked_is_named(endpoint: Endpoint, tmp_path: Path) -> None:
    locked, damaged = tmp_path / "locked", tmp_path / "damaged"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", locked], check=True)
    damaged.write_text("no key\n")
    for path, reason in (
        (tmp_path / "none", "No such file"),
        (damaged, "not a private key"),
        (locked, "passphrase"),
    ):
        with pytest.raises(ConfigError, match=f"{path}.*{reason}"):
            SshRemote(replace(endpoint, key=path)).run(["true"], timeout=5)


@pytest.mark.parametrize(
    "text", ["", "ssh-ed25519", "ssh-ed25519 ????", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==", "ssh-rsa AAAA"]
)
def test_what_is_not_a_public_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="public key"):
        parse_public_key(text)


def test_fingerprints_are_those_of_openssh(key: Path) -> None:
    shown = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, text=True, check=True)
    kind, blob = parse_public_key(Path(f"{key}.pub").read_text())
    assert kind == "ssh-ed25519"
    assert fingerprint(blob) == shown.stdout.split()[1]


def test_making_a_remote_neither_connects_nor_loads_paramiko() -> None:
    program = "import sys, aetool.core.ssh; sys.exit('paramiko' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
