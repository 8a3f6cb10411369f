# SPDX-License-Identifier: Apache-2.0
"""core.ssh against a real sshd: what arrives, what is refused, and what happens when something breaks."""

from __future__ import annotations

import io
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest
from paramiko.common import MSG_CHANNEL_EOF

from aetool.core.errors import HostKeyError, HostUnreachable, LoginRefused, RemoteCommandError
from aetool.core.ssh import SshRemote
from aetool.core.ssh_connect import Timeouts
from aetool.lab import Lab
from aetool.lab.namespaces import dialler

pytestmark = pytest.mark.e2e

ODD = [
    "",
    " ",
    "a b",
    "'",
    '"',
    "$HOME",
    "`id`",
    "\\",
    "*",
    "~",
    "-n",
    "new\nline",
    "tab\t",
    "ü€",
    "!x",
    "a;b&c|d",
]

MORE_THAN_SESSIONS = 72  # the labs' sshd takes 64 on one connection


@pytest.fixture
def server(lab: Lab) -> SshRemote:
    return lab.hosts["server"]


def running(server: SshRemote, pattern: str) -> list[str]:
    return server.run(["pgrep", "-f", "-x", pattern], timeout=10, check=False).stdout.split()


def test_every_argument_arrives_as_it_is(server: SshRemote) -> None:
    result = server.run(["printf", "%s\\0", *ODD], timeout=10)
    assert result.stdout.split("\0")[:-1] == ODD


def test_a_script_stops_at_its_first_failure_and_keeps_both_outputs(server: SshRemote) -> None:
    result = server.shell("echo out; echo err >&2; false | true; echo not reached", timeout=10, check=False)
    assert (result.status, result.stdout, result.stderr) == (1, "out\n", "err\n")


def test_a_failing_command_is_an_error_with_its_status_and_last_words(
    server: SshRemote, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with pytest.raises(RemoteCommandError, match=r"server: `bash .* exited with status 3") as caught:
        server.shell("echo before; echo the reason >&2; exit 3", timeout=10, log=log)
    assert caught.value.status == 3
    assert "the reason" in (caught.value.detail or "")
    assert str(log) in (caught.value.hint or "")
    assert "before\nthe reason\n[status 3]" in log.read_text()


def test_death_by_signal_is_reported_as_a_shell_does(server: SshRemote) -> None:
    assert server.run(["bash", "-c", "kill -SEGV $$"], timeout=10, check=False).status == 128 + 11


def test_a_program_that_does_not_exist_is_status_127(server: SshRemote) -> None:
    result = server.run(["no-such-program"], timeout=10, check=False)
    assert result.status == 127
    assert "no-such-program" in result.stderr


def test_standard_input_reaches_the_program_and_may_be_left_unread(server: SshRemote) -> None:
    assert server.run(["wc", "-c"], timeout=10, stdin=b"x" * 300_000).stdout.strip() == "300000"
    assert server.run(["true"], timeout=10, stdin=b"x" * 30_000_000).status == 0
    assert server.run(["cat"], timeout=10).stdout == ""


def test_long_output_is_kept_whole(server: SshRemote) -> None:
    result = server.shell("seq 400000; seq 400000 >&2", timeout=60)
    want = "".join(f"{n}\n" for n in range(1, 400001))
    assert result.stdout == want
    assert result.stderr == want


def test_files_of_any_bytes_and_ten_megabytes_survive_the_round_trip(server: SshRemote) -> None:
    for data in (b"", bytes(range(256)), os.urandom(10_000_000)):
        server.put(data, "/root/some where/it's.bin", mode=0o600)
        assert server.get("/root/some where/it's.bin") == data
    listed = server.shell("cd '/root/some where' && stat -c '%a %n' *", timeout=10)
    assert listed.stdout == "600 it's.bin\n"


def test_a_file_that_cannot_be_written_or_read_is_named(server: SshRemote) -> None:
    with pytest.raises(RemoteCommandError, match="/proc/nope") as caught:
        server.put(b"x", "/proc/nope/file")
    assert caught.value.detail
    with pytest.raises(RemoteCommandError, match="/no/such/file"):
        server.get("/no/such/file")


def test_a_full_disk_leaves_the_old_file_as_it_was(server: SshRemote) -> None:
    server.shell("mkdir -p /tmp/small; mount -t tmpfs -o size=64k none /tmp/small", timeout=10)
    server.put(b"old", "/tmp/small/file")
    with pytest.raises(RemoteCommandError, match="/tmp/small/file") as caught:
        server.put(b"n" * 200_000, "/tmp/small/file")
    assert "No space left" in (caught.value.detail or "")
    assert server.get("/tmp/small/file") == b"old"
    assert server.run(["ls", "/tmp/small"], timeout=10).stdout == "file\n"


def test_a_command_past_its_time_is_ended_on_the_host_with_all_it_started(server: SshRemote) -> None:
    started = time.monotonic()
    script = "sleep 7001 & setsid sleep 7002 & trap '' TERM; echo partial; sleep 7003"
    with pytest.raises(RemoteCommandError, match="ran longer than 1 s and was ended") as caught:
        server.shell(script, timeout=1)
    assert caught.value.status is None
    assert "partial" in (caught.value.detail or "")
    assert time.monotonic() - started < 5
    assert running(server, "sleep 700[123]") == []


def test_a_daemon_that_keeps_the_pipe_does_not_keep_the_command(server: SshRemote) -> None:
    started = time.monotonic()
    result = server.shell("sleep 7004 & echo $!", timeout=30)
    assert time.monotonic() - started < 5
    assert running(server, "sleep 7004") == [result.stdout.strip()]
    server.run(["kill", result.stdout.strip()], timeout=10)


def test_a_command_costs_milliseconds_not_a_nagle_delay(server: SshRemote) -> None:
    server.run(["true"], timeout=10)
    seconds = min(server.run(["true"], timeout=10).seconds for _ in range(20))
    assert seconds < 0.035


def test_threads_share_one_connection(server: SshRemote) -> None:
    def echo(n: int) -> str:
        return server.run(["sh", "-c", 'echo "$1 $SSH_CONNECTION"', "sh", str(n)], timeout=30).stdout

    with ThreadPoolExecutor(8) as pool:
        lines = list(pool.map(echo, range(24)))
    assert [int(line.split()[0]) for line in lines] == list(range(24))
    assert len({line.split(maxsplit=1)[1] for line in lines}) == 1


def test_more_commands_than_the_host_takes_at_a_time_wait_for_room(server: SshRemote) -> None:
    with ThreadPoolExecutor(MORE_THAN_SESSIONS) as pool:
        ended = list(
            pool.map(
                lambda n: server.shell(f"sleep 1; echo {n}", timeout=30).stdout, range(MORE_THAN_SESSIONS)
            )
        )
    assert [int(line) for line in ended] == list(range(MORE_THAN_SESSIONS))


def test_no_room_for_another_session_is_one_clear_error(lab: Lab) -> None:
    endpoint = lab.hosts["server"].endpoint
    remote = SshRemote(replace(endpoint, timeouts=replace(endpoint.timeouts, channel=3.0)))
    with ThreadPoolExecutor(MORE_THAN_SESSIONS) as pool:
        ends = [
            pool.submit(remote.shell, "sleep 12; echo done", timeout=60) for _ in range(MORE_THAN_SESSIONS)
        ]
        errors = [end.exception() for end in ends]
    assert 0 < errors.count(None) < MORE_THAN_SESSIONS
    assert {type(e) for e in errors if e} == {HostUnreachable}
    assert all("no room for another session" in str(e) for e in errors if e)
    assert all(end.result().stdout == "done\n" for end, error in zip(ends, errors, strict=True) if not error)


def test_input_that_the_command_does_not_read_does_no_harm_to_the_connection(server: SshRemote) -> None:
    before = server.run(["printenv", "SSH_CONNECTION"], timeout=10).stdout
    for _ in range(10):
        assert server.run(["sh", "-c", "exit 3"], timeout=30, check=False, stdin=b"x" * 3_000_000).status == 3
    assert server.run(["printenv", "SSH_CONNECTION"], timeout=10).stdout == before


def test_a_command_without_input_is_sent_no_end_of_file(server: SshRemote) -> None:
    """sshd drops the whole connection if one comes after it has closed the channel."""
    sent: list[bytes] = []
    transport = server.channel().get_transport()
    plain = transport._send_user_message

    def watch(message: paramiko.Message) -> None:
        sent.append(message.asbytes()[:1])
        plain(message)

    transport._send_user_message = watch
    try:
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(server.shell, "cat; sleep 1; echo done", timeout=10)
            time.sleep(0.6)
            assert [kind for kind in sent if kind == bytes([MSG_CHANNEL_EOF])] == []
            assert running.result().stdout == "done\n"
    finally:
        transport._send_user_message = plain
    assert sent


def test_output_is_passed_on_as_it_comes(server: SshRemote) -> None:
    out, err = io.BytesIO(), io.BytesIO()
    seen: list[bytes] = []

    def watch() -> None:
        while not out.getvalue():
            time.sleep(0.01)
        seen.append(out.getvalue())

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = server.stream(
        ["sh", "-c", "echo 1; sleep 0.5; echo 2; echo e >&2; exit 9"], timeout=20, out=out, err=err
    )
    watcher.join()
    assert (status, out.getvalue(), err.getvalue(), seen) == (9, b"1\n2\n", b"e\n", [b"1\n"])


def test_a_host_with_another_key_is_refused_and_both_fingerprints_are_shown(lab: Lab, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    endpoint = replace(lab.hosts["server"].endpoint, host_key=(tmp_path / "other.pub").read_text())
    with pytest.raises(HostKeyError) as caught:
        SshRemote(endpoint).run(["true"], timeout=10)
    for text in (endpoint.host_key, lab.hosts["server"].endpoint.host_key):
        (tmp_path / "key").write_text(text)
        shown = subprocess.run(
            ["ssh-keygen", "-lf", tmp_path / "key"], capture_output=True, text=True, check=True
        )
        assert shown.stdout.split()[1] in caught.value.message


def test_a_host_that_has_only_a_key_of_another_type_is_refused(lab: Lab, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", tmp_path / "other"], check=True)
    endpoint = replace(lab.hosts["server"].endpoint, host_key=(tmp_path / "other.pub").read_text())
    with pytest.raises(HostKeyError, match="ssh-ed25519"):
        SshRemote(endpoint).run(["true"], timeout=10)


def test_a_host_whose_key_changes_while_the_lab_runs_is_refused_until_it_has_its_own_again(
    server: SshRemote,
) -> None:
    inside = SshRemote(server.endpoint)  # a connection that stands: through it the host is mended
    restart = "kill -TERM $(cat /run/sshd/sshd.pid); sleep 1"
    change = "cd /run/aetool; cp host_key kept; rm host_key; ssh-keygen -q -t ed25519 -N '' -f host_key;"
    inside.shell(change + restart, timeout=20)
    server.close()
    with pytest.raises(HostKeyError, match="is not the pinned host") as caught:
        server.run(["true"], timeout=10)
    assert not caught.value.transient
    inside.shell("cd /run/aetool; mv kept host_key; rm host_key.pub;" + restart, timeout=20)
    assert server.run(["uname", "-n"], timeout=10).stdout == "server\n"
    inside.close()


def test_a_key_that_is_not_authorised_is_refused_and_named(lab: Lab, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "mine"], check=True)
    endpoint = replace(lab.hosts["server"].endpoint, key=tmp_path / "mine")
    with pytest.raises(LoginRefused, match="mine") as caught:
        SshRemote(endpoint).run(["true"], timeout=10)
    assert "mine.pub" in (caught.value.hint or "")


def test_an_address_where_nobody_is_gives_unreachable_within_the_time_out(lab: Lab, switch: str) -> None:
    endpoint = replace(
        lab.hosts["server"].endpoint,
        host="10.10.1.77",
        dial=dialler(switch, "10.10.1.77", 22),
        timeouts=Timeouts(connect=1),
    )
    started = time.monotonic()
    with pytest.raises(HostUnreachable, match=r"10\.10\.1\.77:22\) cannot be reached") as caught:
        SshRemote(endpoint).run(["true"], timeout=10)
    assert time.monotonic() - started < 5
    assert caught.value.transient


def test_sshd_killed_in_mid_command_is_unreachable_and_the_next_command_reconnects(server: SshRemote) -> None:
    server.run(["true"], timeout=10)

    def kill() -> None:
        time.sleep(0.3)
        other = SshRemote(server.endpoint)
        other.shell("kill -KILL $(pgrep -x sshd)", timeout=10, check=False)

    def swallow() -> None:
        with pytest.raises(HostUnreachable):
            kill()

    killer = threading.Thread(target=swallow)
    killer.start()
    started = time.monotonic()
    with pytest.raises(HostUnreachable, match="the connection broke during `sleep 20`"):
        server.run(["sleep", "20"], timeout=30)
    killer.join()
    assert time.monotonic() - started < 5
    deadline = time.monotonic() + 5
    while True:  # the host's service manager starts sshd again
        try:
            assert server.run(["uname", "-n"], timeout=10).stdout == "server\n"
            break
        except HostUnreachable:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_connection_that_was_dropped_while_idle_is_replaced_unseen(server: SshRemote) -> None:
    first = server.shell("echo $SSH_CONNECTION; echo $PPID", timeout=10).stdout.split()
    other = SshRemote(server.endpoint)
    other.shell("pkill -KILL -o -f 'sshd: root@notty'", timeout=10, check=False)
    time.sleep(0.2)
    second = server.shell("echo $SSH_CONNECTION", timeout=10).stdout.split()
    other.close()
    assert first[1] != second[1]


@pytest.fixture
def cut(switch: str) -> Iterator[None]:
    """Leaves the server's cable plugged in, whatever the test did."""
    yield
    subprocess.run(["ip", "-n", switch, "link", "set", "server", "up"], check=True)


def test_a_cut_link_is_noticed_in_mid_command_and_the_mended_one_is_used(
    server: SshRemote, switch: str, cut: None
) -> None:
    remote = SshRemote(replace(server.endpoint, timeouts=Timeouts(connect=1, silence=2)))
    remote.run(["true"], timeout=10)

    def unplug() -> None:
        subprocess.run(["ip", "-n", switch, "link", "set", "server", "down"], check=True)

    timer = threading.Timer(0.3, unplug)
    timer.start()
    started = time.monotonic()
    with pytest.raises(HostUnreachable, match="connection broke during `sleep 60`"):
        remote.run(["sleep", "60"], timeout=60)
    timer.join()
    assert time.monotonic() - started < 15
    with pytest.raises(HostUnreachable, match="cannot be reached"):
        remote.run(["true"], timeout=10)
    subprocess.run(["ip", "-n", switch, "link", "set", "server", "up"], check=True)
    assert remote.run(["uname", "-n"], timeout=10).stdout == "server\n"
    remote.close()


def test_a_link_cut_for_less_than_the_silence_allowed_does_no_harm(
    server: SshRemote, switch: str, cut: None
) -> None:
    def cycle() -> None:
        subprocess.run(["ip", "-n", switch, "link", "set", "server", "down"], check=True)
        time.sleep(1)
        subprocess.run(["ip", "-n", switch, "link", "set", "server", "up"], check=True)

    timer = threading.Timer(0.2, cycle)
    timer.start()
    result = server.shell("for i in 1 2 3 4 5; do echo $i; sleep 0.4; done", timeout=30)
    timer.join()
    assert result.stdout == "1\n2\n3\n4\n5\n"


def test_on_a_host_where_one_is_not_root_everything_goes_through_sudo(server: SshRemote) -> None:
    # a stand-in: what matters is that arguments and standard input pass through it unharmed
    stand_in = b'#!/bin/bash\n[ "$1 $2" = "-n --" ] || exit 99\nshift 2\nAS=root exec "$@"\n'
    server.put(stand_in, "/usr/local/bin/sudo", mode=0o755)
    remote = SshRemote(replace(server.endpoint, sudo=True))
    assert remote.run(["printf", "%s\\0", *ODD], timeout=10).stdout.split("\0")[:-1] == ODD
    assert remote.shell("cat; echo $AS", timeout=10, stdin=b"in\n").stdout == "in\nroot\n"
    with pytest.raises(RemoteCommandError, match="ran longer"):
        remote.shell("sleep 7005; true", timeout=1)
    assert running(server, "sleep 7005") == []
    remote.close()
