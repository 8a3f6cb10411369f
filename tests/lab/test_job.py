# SPDX-License-Identifier: Apache-2.0
"""Long commands on a host: what survives a broken connection, what is ended, what is said."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aetool.core.errors import HostUnreachable, LabError, StorageError
from aetool.core.ssh import SshRemote
from aetool.core.ssh_connect import Timeouts
from aetool.lab import Lab, job
from aetool.lab.job import Job, run_job
from aetool.lab.local import LocalRemote


class Heard:
    """A Progress that keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)

    def advance(self, message: str, count: int = 1) -> None:
        self.lines.append(message)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_POLL_SECONDS", 0.1)


def shell(folder: Path | str, script: str) -> Job:
    return Job("the work", ["bash", "-c", script], str(folder), f"{folder}/log")


def running(mark: str) -> bool:
    return subprocess.run(["pgrep", "-f", "-x", mark], capture_output=True).returncode == 0


def test_a_job_works_in_its_folder_and_leaves_its_whole_output(tmp_path: Path) -> None:
    run_job(LocalRemote(), shell(tmp_path / "a b", "pwd; echo error >&2"), timeout=30, progress=Heard())
    assert (tmp_path / "a b" / "log").read_text() == f"{tmp_path}/a b\nerror\n"


def test_a_job_that_fails_gives_its_status_and_last_words(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"the work failed with status 3; the whole log is in .*log") as caught:
        run_job(LocalRemote(), shell(tmp_path, "seq 100; exit 3"), timeout=30, progress=Heard())
    assert (caught.value.detail or "").splitlines()[-1] == "100"


def test_a_job_past_its_time_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = "trap '' TERM; sleep 7101 & setsid sleep 7102 & wait"
    with pytest.raises(LabError, match="ran longer than 1 s and was ended"):
        run_job(LocalRemote(), shell(tmp_path, script), timeout=1, progress=Heard())
    assert not running("sleep 710[12]")


def test_a_second_driver_finds_the_job_of_one_that_was_killed(tmp_path: Path) -> None:
    work = shell(tmp_path, "echo once >>count; sleep 2; echo end")
    program = f"""
from aetool.core.progress import Silent
from aetool.lab.job import Job, run_job
from aetool.lab.local import LocalRemote
work = Job("the work", {list(work.argv)!r}, {work.folder!r}, {work.log!r})
run_job(LocalRemote(), work, timeout=60, progress=Silent())
"""
    with subprocess.Popen([sys.executable, "-c", program]) as driver:
        while not (tmp_path / "count").exists():
            time.sleep(0.05)
        driver.kill()
    heard = Heard()
    run_job(LocalRemote(), work, timeout=30, progress=heard)
    assert any("runs already" in line for line in heard.lines)
    assert (tmp_path / "count").read_text() == "once\n"
    assert (tmp_path / "log").read_text() == "end\n"


def test_another_job_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = shell(tmp_path, "echo begun; sleep 3")
    thread = threading.Thread(
        target=run_job, args=(LocalRemote(), first), kwargs={"timeout": 30, "progress": Heard()}
    )
    thread.start()
    while not (tmp_path / "log").exists() or not (tmp_path / "log").read_text():
        time.sleep(0.05)
    with pytest.raises(LabError, match="something else runs in") as caught:
        run_job(LocalRemote(), shell(tmp_path, "echo other"), timeout=30, progress=Heard())
    assert "sleep 3" in (caught.value.detail or "")
    thread.join()


def test_an_interrupted_job_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(job, "_await", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_job(LocalRemote(), shell(tmp_path, "sleep 7103"), timeout=30, progress=Heard())
    assert not running("sleep 7103")


def test_a_job_that_is_killed_from_outside_is_said_to_be(tmp_path: Path) -> None:
    work = shell(tmp_path, "kill -KILL $PPID; sleep 1")
    with pytest.raises(LabError, match="the work was killed, or the host has rebooted") as caught:
        run_job(LocalRemote(), work, timeout=30, progress=Heard())
    assert "goes on where it ended" in (caught.value.hint or "")


def test_a_full_disk_is_named_also_when_the_log_cannot_grow(full_disk: Path) -> None:
    script = "head -c 4000000 /dev/zero >file || exit 1"
    with pytest.raises(StorageError, match="small/work: the disk is full") as caught:
        run_job(LocalRemote(), shell(full_disk / "work", script), timeout=30, progress=Heard())
    assert "same command again" in (caught.value.hint or "")


# On real hosts.


@pytest.fixture
def server(lab: Lab) -> SshRemote:
    return lab.hosts["server"]


@pytest.fixture
def cut(switch: str) -> Iterator[None]:
    """Leaves the server's cable plugged in, whatever the test did."""
    yield
    subprocess.run(["ip", "-n", switch, "link", "set", "server", "up"], check=True)


def link(switch: str, state: str) -> None:
    subprocess.run(["ip", "-n", switch, "link", "set", "server", state], check=True)


@pytest.mark.e2e
def test_sshd_killed_in_the_middle_of_a_job_does_it_no_harm(server: SshRemote) -> None:
    heard = Heard()
    work = shell("/tmp/job-sshd", "for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done")

    def kill() -> None:
        other = SshRemote(server.endpoint)
        with pytest.raises(HostUnreachable):
            other.shell("kill -KILL $(pgrep -x sshd)", timeout=10, check=False)

    timer = threading.Timer(1, kill)
    timer.start()
    run_job(server, work, timeout=60, progress=heard)
    timer.join()
    assert server.get("/tmp/job-sshd/log") == b"1\n2\n3\n4\n5\n6\n"


@pytest.mark.e2e
@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.full)])
def test_a_link_cut_in_the_middle_of_a_job_does_it_no_harm(
    server: SshRemote, switch: str, cut: None, seconds: int
) -> None:
    remote = SshRemote(replace(server.endpoint, timeouts=Timeouts(connect=1, silence=2)))
    heard = Heard()
    work = shell(f"/tmp/job-{seconds}", f"echo begun; sleep {seconds + 3}; echo ended")
    timers = [threading.Timer(1, link, [switch, "down"]), threading.Timer(1 + seconds, link, [switch, "up"])]
    for timer in timers:
        timer.start()
    run_job(remote, work, timeout=seconds + 60, progress=heard)
    for timer in timers:
        timer.join()
    assert any("the work goes on there" in line for line in heard.lines)
    assert "server is back" in heard.lines
    assert remote.get(f"/tmp/job-{seconds}/log") == b"begun\nended\n"
    remote.close()


@pytest.mark.e2e
def test_a_host_that_stays_away_is_an_error_that_says_that_the_job_goes_on(
    server: SshRemote, switch: str, cut: None
) -> None:
    remote = SshRemote(replace(server.endpoint, timeouts=Timeouts(connect=1, silence=2)))
    work = shell("/tmp/job-away", "echo begun; sleep 8; echo ended")
    timer = threading.Timer(1, link, [switch, "down"])
    timer.start()
    with pytest.raises(HostUnreachable) as caught:
        run_job(remote, work, timeout=60, outage=3, progress=Heard())
    timer.join()
    assert "the same command finds it again" in (caught.value.hint or "")
    link(switch, "up")
    run_job(remote, work, timeout=60, progress=Heard())
    assert remote.get("/tmp/job-away/log") == b"begun\nended\n"
    remote.close()


@pytest.mark.e2e
def test_a_disk_that_fills_up_during_a_build_on_a_host_is_named(server: SshRemote) -> None:
    server.shell("mkdir -p /tmp/small; mount -t tmpfs -o size=1m none /tmp/small", timeout=10)
    work = shell("/tmp/small/build", "for i in $(seq 100); do head -c 100000 /dev/zero >$i.o || exit 2; done")
    with pytest.raises(StorageError, match="server: /tmp/small/build: the disk is full"):
        run_job(server, work, timeout=60, progress=Heard())
    # room is made, and the same command ends well
    server.shell("rm -f /tmp/small/build/*.o; mount -o remount,size=16m /tmp/small", timeout=10)
    run_job(server, work, timeout=60, progress=Heard())
