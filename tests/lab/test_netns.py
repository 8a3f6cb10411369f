# SPDX-License-Identifier: Apache-2.0
"""The netns provider: what `up` makes, `down` removes, whatever happened in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aetool.core.errors import LabError
from aetool.core.progress import Silent
from aetool.lab import Lab, image, open_lab, vm
from aetool.lab.guests import Source

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root"),
]


def traces(state: Path) -> dict[str, list[str]]:
    """What of a lab is on this machine: namespaces, processes, mounts, interfaces."""
    folder = Path("/run/netns")
    names = [p.name for p in folder.iterdir()] if folder.exists() else []
    commands = []
    for entry in Path("/proc").iterdir():
        try:
            text = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdigit() else ""
        except OSError:
            continue
        if str(state) in text:
            commands.append(text)
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(state) in line]
    return {
        "namespaces": [n for n in names if n.startswith(("aetool-one-", "aetool-two-"))],
        "processes": commands,
        "mounts": mounts,
        "interfaces": sorted(p.name for p in Path("/sys/class/net").iterdir()),
    }


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "state"
    yield place
    for name in ("one", "two"):
        open_lab("netns", name=name, state=place).down()


def hostname(lab: Lab, role: str) -> str:
    return lab.hosts[role].run(["uname", "-n"], timeout=10).stdout.strip()


def test_a_lab_comes_up_and_leaves_no_trace_after_down(state: Path) -> None:
    before = traces(state)
    with open_lab("netns", name="one", state=state) as lab:
        lab.up()
        assert {role: hostname(lab, role) for role in lab.hosts} == {"server": "server", "client": "client"}
        assert traces(state)["processes"]
        # nothing of the lab shows in the machine's own network
        assert traces(state)["interfaces"] == before["interfaces"]
        lab.hosts["server"].shell("sleep 300 >/dev/null 2>&1 </dev/null &", timeout=10)
        lab.down()
    assert traces(state) == before
    assert [p.name for p in state.iterdir()] == [".one.lock"]


def test_up_of_a_lab_that_is_up_changes_nothing(state: Path) -> None:
    with open_lab("netns", name="one", state=state) as lab:
        lab.up()
        pids = lab.hosts["server"].run(["cat", "/run/sshd/sshd.pid"], timeout=10).stdout
        lab.hosts["server"].put(b"kept", "/etc/mark")
        lab.up()
        assert lab.hosts["server"].get("/etc/mark") == b"kept"
        assert lab.hosts["server"].run(["cat", "/run/sshd/sshd.pid"], timeout=10).stdout == pids


def test_the_hosts_reach_each_other_and_nobody_else(state: Path) -> None:
    with open_lab("netns", name="one", state=state) as lab:
        lab.up()
        client = lab.hosts["client"]
        assert client.shell("exec 3<>/dev/tcp/10.10.1.1/22; head -c 7 <&3", timeout=10).stdout == "SSH-2.0"
        routes = client.run(["ip", "-4", "-o", "route"], timeout=10).stdout.splitlines()
        assert [line.split()[0] for line in routes] == ["10.10.1.0/24"]


def test_what_a_host_writes_stays_in_the_host(state: Path) -> None:
    with open_lab("netns", name="one", state=state) as lab:
        lab.up()
        mark = f"/etc/aetool-test-{os.getpid()}"
        lab.hosts["server"].put(b"mine", mark)
        assert not Path(mark).exists()
        assert lab.hosts["client"].run(["test", "-e", mark], timeout=10, check=False).status == 1


def test_two_labs_stand_side_by_side_with_the_same_addresses(state: Path) -> None:
    with open_lab("netns", name="one", state=state) as one, open_lab("netns", name="two", state=state) as two:
        one.up()
        two.up()
        one.hosts["server"].put(b"one", "/tmp/which")
        two.hosts["server"].put(b"two", "/tmp/which")
        one.down()
        assert two.hosts["server"].get("/tmp/which") == b"two"


def test_two_ups_at_once_make_one_lab(state: Path) -> None:
    def bring_up(_: int) -> None:
        open_lab("netns", name="one", state=state).up()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(bring_up, range(3)))
    with open_lab("netns", name="one", state=state) as lab:
        assert hostname(lab, "server") == "server"


def test_a_lab_whose_driver_was_killed_while_it_came_up_is_cleaned_and_comes_up(state: Path) -> None:
    program = f"""
import time
from pathlib import Path
from aetool.lab.netns import NetnsProvider
class Stuck(NetnsProvider):
    def _wait(self):
        print("half way", flush=True)
        time.sleep(60)
Stuck("one", "", Path({str(state)!r})).up()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == b"half way\n"
        driver.send_signal(signal.SIGKILL)
    with open_lab("netns", name="one", state=state) as lab:
        lab.up()
        assert hostname(lab, "client") == "client"


def test_a_lab_with_a_dead_host_is_made_anew(state: Path) -> None:
    with open_lab("netns", name="one", state=state) as lab:
        lab.up()
        listed = subprocess.run(
            ["ip", "netns", "pids", next(n for n in traces(state)["namespaces"] if n.endswith("-server"))],
            capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        for pid in listed:
            os.kill(int(pid), signal.SIGKILL)
        while lab.status()[0].up:
            time.sleep(0.02)
        assert [s.up for s in lab.status()] == [False, True]
        lab.close()
        lab.up()
        assert hostname(lab, "server") == "server"


def test_a_lab_that_was_never_up_says_how_to_bring_it_up(state: Path) -> None:
    with (
        open_lab("netns", name="one", state=state) as lab,
        pytest.raises(LabError, match="is not up") as caught,
    ):
        _ = lab.hosts
    assert caught.value.hint == "bring it up first: aetool lab up"


def test_a_host_that_cannot_start_gives_its_log_and_leaves_nothing(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aetool.lab import netns

    before = traces(state)
    root = state.parent / "project"
    (root / "scripts" / "host").mkdir(parents=True)
    (root / "scripts" / "host" / "netns-init.sh").write_text("echo no such luck >&2; exit 3\n")
    monkeypatch.setattr(netns, "project_root", lambda: root)
    with pytest.raises(LabError, match="the host server of the lab one did not start") as caught:
        open_lab("netns", name="one", state=state).up()
    assert caught.value.detail == "no such luck\n"
    assert traces(state) == before


def test_without_root_up_says_to_use_sudo(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root") as caught:
        open_lab("netns", name="one", state=state).up()
    assert "sudo" in (caught.value.hint or "")


def test_guests_are_refused_where_there_is_nothing_to_start_them_from(state: Path) -> None:
    with open_lab("netns", name="one", state=state) as lab:
        lab.up()
        server, client = lab.hosts["server"], lab.hosts["client"]
        with pytest.raises(
            LabError, match=r"server lacks what guests are started from: .*/guest\.img"
        ) as caught:
            vm.start(server, client, 1, source=Source(qemu="no-such-qemu"), progress=Silent())
        assert "no-such-qemu" in caught.value.message
        assert "aetool lab vm image" in (caught.value.hint or "")
        with pytest.raises(LabError, match="these guests are for arm64"):
            image.send_guests(server, image.Recipe("bookworm"), state, Silent())
