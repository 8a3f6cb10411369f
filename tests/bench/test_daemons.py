# SPDX-License-Identifier: Apache-2.0
"""Programs on a host end with their step, whoever started them; real processes on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts import LocalRemote

from aetool.bench import daemons
from aetool.bench.files import install
from aetool.core.errors import RemoteCommandError

LISTEN = """
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if os.fork() == 0:
    time.sleep(300)
time.sleep(300)
"""


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[LocalRemote]:
    host = LocalRemote()
    (tmp_path / "base" / "step").mkdir(parents=True)
    yield host
    daemons.sweep(host, str(tmp_path / "base"))


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def start(remote: LocalRemote, tmp_path: Path, port: int, command: list[str]) -> None:
    work = str(tmp_path / "base" / "step")
    daemons.start(remote, work, "daemon", command, address="127.0.0.1", port=port)


def alive(group: int) -> bool:
    """Whether a process of the group runs that is not a zombie."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(") ", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            return True
    return False


def test_a_daemon_listens_when_start_returns_and_is_gone_with_its_children_after_a_sweep(
    remote: LocalRemote, tmp_path: Path, port: int
) -> None:
    start(remote, tmp_path, port, ["python3", "-c", LISTEN, str(port)])
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    group = int((tmp_path / "base/step/daemon.pid").read_text().split()[0])
    assert alive(group)
    daemons.sweep(remote, str(tmp_path / "base"))
    assert not alive(group)
    assert not (tmp_path / "base").exists()
    daemons.sweep(remote, str(tmp_path / "base"))


def test_a_daemon_that_ignores_sigterm_is_killed(remote: LocalRemote, tmp_path: Path, port: int) -> None:
    stubborn = f"import signal; signal.signal(15, signal.SIG_IGN)\n{LISTEN}"
    start(remote, tmp_path, port, ["python3", "-c", stubborn, str(port)])
    group = int((tmp_path / "base/step/daemon.pid").read_text().split()[0])
    daemons.sweep(remote, str(tmp_path / "base"))
    deadline = time.monotonic() + 5
    while alive(group) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(group)


def test_a_daemon_that_dies_is_reported_with_its_last_words(
    remote: LocalRemote, tmp_path: Path, port: int
) -> None:
    with pytest.raises(RemoteCommandError, match=f"daemon does not listen on port {port}") as caught:
        start(remote, tmp_path, port, ["sh", "-c", "echo no such config; exit 1"])
    assert caught.value.detail == "no such config"


def test_a_port_that_is_taken_is_not_mistaken_for_our_daemon(remote: LocalRemote, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(RemoteCommandError, match=f"port {port} of 127.0.0.1 is in use already"):
            start(remote, tmp_path, port, ["python3", "-c", LISTEN, str(port)])


def test_a_process_that_got_an_old_number_is_left_alone(remote: LocalRemote, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "300"], start_new_session=True) as stranger:
        (tmp_path / "base/step/old.pid").write_text(f"{stranger.pid} 12345\n")
        daemons.sweep(remote, str(tmp_path / "base"))
        assert alive(os.getpgid(stranger.pid))
        stranger.kill()


def test_a_held_command_keeps_its_status_and_can_be_swept(remote: LocalRemote, tmp_path: Path) -> None:
    work = str(tmp_path / "base" / "step")
    result = remote.run(daemons.held(work, "run", ["sh", "-c", "echo out; exit 3"]), timeout=20, check=False)
    assert (result.status, result.stdout) == (3, "out\n")
    with subprocess.Popen(daemons.held(work, "run", ["sleep", "300"]), start_new_session=True) as child:
        deadline = time.monotonic() + 10
        pid_file = tmp_path / "base/step/run.pid"
        while pid_file.read_text() == "" or not alive(int(pid_file.read_text().split()[0])):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        daemons.sweep(remote, str(tmp_path / "base"))
        assert child.wait(10) != 0


def test_files_arrive_together_with_their_directories_and_secrets_stay_private(
    remote: LocalRemote, tmp_path: Path
) -> None:
    place = tmp_path / "base" / "step"
    install(remote, str(place), {"a/b/page": b"x" * 5000, "key.pem": b"secret", "a/other": b""})
    assert (place / "a/b/page").read_bytes() == b"x" * 5000
    assert (place / "a/other").read_bytes() == b""
    assert (place / "key.pem").read_bytes() == b"secret"
    assert [oct((place / name).stat().st_mode & 0o777) for name in ("a", "a/b/page", "key.pem")] == [
        "0o755", "0o644", "0o600",
    ]  # fmt: skip
