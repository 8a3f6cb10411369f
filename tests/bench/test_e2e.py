# SPDX-License-Identifier: Apache-2.0
"""Campaigns with the real command line, the real lab of namespaces, real redis, apache and hackbench."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hosts import simulated_bed

from aetool.bench.step import Instance, Log
from aetool.core.errors import RemoteCommandError
from aetool.core.journal import Journal, State
from aetool.lab import Lab, open_lab

pytestmark = pytest.mark.e2e

CAMPAIGN = """\
campaign: test
description: made by a test
suites: [hackbench, redis, apache]
configurations: [native]
profile: quick
vms: [0]
repetitions: 4
order: interleaved
retry: {attempts: 2, wait_seconds: 0.1}
"""
SMALL = {
    "redis": [("requests: 200000", "requests: 20000")],
    "apache": [("requests: 500\n", "requests: 200\n")],
}
STEPS = 12
SAMPLES = 16
# the same with one suite only, where more would only take longer
APACHE = CAMPAIGN.replace("campaign: test", "campaign: apache").replace("hackbench, redis, ", "")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A place for the lab's keys, so that tests do not meet a user's lab."""
    return tmp_path / "state"


@pytest.fixture
def lab(state: Path) -> Iterator[Lab]:
    """The netns lab, up."""
    if os.geteuid() != 0:
        pytest.skip("the lab of namespaces needs root")
    with open_lab("netns", state=state / "aetool" / "labs") as opened:
        opened.up()
        try:
            yield opened
        finally:
            opened.down()


@pytest.fixture
def small(checkout: Path) -> Path:
    """A checkout with a campaign that takes seconds."""
    (checkout / "benchmarks/campaigns/test.yaml").write_text(CAMPAIGN)
    (checkout / "benchmarks/campaigns/apache.yaml").write_text(APACHE)
    for suite, changes in SMALL.items():
        path = checkout / "benchmarks" / f"{suite}.yaml"
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
    return checkout


Cli = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def cli(small: Path, state: Path) -> Iterator[Cli]:
    """Start `aetool campaign ...` in the checkout, as a user would."""
    started: list[subprocess.Popen[str]] = []

    def call(*args: str) -> subprocess.Popen[str]:
        environment = os.environ | {"XDG_STATE_HOME": str(state)}
        program = Path(sys.executable).with_name("aetool")
        child = subprocess.Popen(
            [str(program), "campaign", *args],
            cwd=small,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(child)
        return child

    yield call
    for child in started:
        child.kill()
        child.communicate(timeout=20)


def ended(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = child.communicate(timeout=120)
    return child.returncode, out, err


def programs_on(lab: Lab) -> list[str]:
    """What of the suites runs on the hosts."""
    suites = {"redis-server", "apache2", "hackbench", "redis-benchmar", "ab", "mongod", "python3", "make"}
    found = []
    for host in lab.hosts.values():
        names = host.shell("cat /proc/[0-9]*/comm 2>/dev/null || true", timeout=20).stdout.split()
        found += [f"{host.name}: {name}" for name in names if name in suites]
    return found


def work_left_on(lab: Lab) -> str:
    return "".join(
        h.shell("ls -A /var/tmp/aetool 2>/dev/null || true", timeout=20).stdout for h in lab.hosts.values()
    )


def assert_whole(run_dir: Path, wanted: tuple[int, int] = (STEPS, SAMPLES)) -> None:
    with Journal.open(run_dir, readonly=True) as journal:
        steps, samples, history = journal.steps(), journal.samples(), journal.history()
    assert {step.state for step in steps} == {State.DONE}
    assert (len(steps), len(samples)) == wanted
    done = [t.step for t in history if t.state is State.DONE]
    assert sorted(done) == sorted(step.key for step in steps)
    for sample in samples:
        assert sample.value > 0
        raw = (run_dir / sample.raw).read_text()
        assert f"{sample.value:.2f}" in raw or f"{sample.value:.3f}" in raw
    assert {p.name for p in (run_dir / "results").iterdir()} == {step.key for step in steps}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.02)


def started_step(run_dir: Path, suite: str, label: str = "run") -> Callable[[], bool]:
    """Whether the measured part (or another) of some step of a suite is under way."""

    def look() -> bool:
        if not (run_dir / "journal.sqlite").exists():
            return False
        with Journal.open(run_dir, readonly=True) as journal:
            now = [s for s in journal.steps() if s.state is State.STARTED and s.suite == suite]
        return any((run_dir / "results" / s.key / "host" / f"{label}.command").exists() for s in now)

    return look


def test_a_campaign_runs_on_real_servers_and_leaves_the_hosts_as_they_were(
    lab: Lab, cli: Cli, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    code, out, err = ended(cli("run", "test", "--run", str(run_dir)))
    assert (code, err.splitlines()[-1].startswith(f"[{STEPS}/{STEPS}]")) == (0, True), err
    assert out == f"{run_dir}: {STEPS} steps done\n"
    assert_whole(run_dir)
    assert programs_on(lab) == []
    assert work_left_on(lab) == ""
    hosts = json.loads((run_dir / "env/hosts.json").read_text())
    assert hosts["lab"]["provider"] == "netns"
    assert hosts["hosts"]["server"]["packages"]["redis-server"]
    aetool = json.loads((run_dir / "env/aetool.json").read_text())
    assert {"version", "commit", "dirty", "started"} <= aetool.keys()
    code, out, _ = ended(cli("status", "--run", str(run_dir), "--json"))
    status = json.loads(out)
    assert (code, status["counts"]["done"], status["samples"]) == (0, STEPS, SAMPLES)


def test_a_driver_killed_five_times_is_followed_by_one_that_finishes(
    lab: Lab, cli: Cli, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    moments = (
        ("redis", "warm-up"),
        ("redis", "run"),
        ("apache", "warm-up"),
        ("apache", "run"),
        ("hackbench", "run"),
    )
    for suite, label in moments:
        child = (
            cli("resume", "--run", str(run_dir))
            if run_dir.exists()
            else cli("run", "test", "--run", str(run_dir))
        )
        wait_until(started_step(run_dir, suite, label), f"{label} of {suite}")
        child.send_signal(signal.SIGKILL)
        child.wait(20)
    with Journal.open(run_dir, readonly=True) as journal:
        before = {s.key: s.finished for s in journal.steps() if s.state is State.DONE}
        assert State.STARTED in {s.state for s in journal.steps()}
    code, _, err = ended(cli("resume", "--run", str(run_dir)))
    assert code == 0, err
    assert "was interrupted, runs again" in err
    assert_whole(run_dir)
    with Journal.open(run_dir, readonly=True) as journal:
        after = {s.key: s.finished for s in journal.steps()}
        interrupted = [s.key for s in journal.steps() if s.attempt > 1]
    assert {key: after[key] for key in before} == before
    assert len(list((run_dir / "set-aside").iterdir())) == len(moments)
    assert 1 <= len(interrupted) <= len(moments)
    assert programs_on(lab) == []
    assert work_left_on(lab) == ""


def test_a_second_driver_is_refused_and_ctrl_c_stops_daemons_and_says_how_to_go_on(
    lab: Lab, cli: Cli, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    child = cli("run", "apache", "--run", str(run_dir))
    wait_until(started_step(run_dir, "apache"), "a measured step of apache")
    code, _, err = ended(cli("resume", "--run", str(run_dir)))
    assert (code, "another aetool is driving this run" in err) == (6, True)
    code, _, err = ended(cli("run", "apache", "--run", str(tmp_path / "other")))
    assert (code, "the lab netns is in use: campaign apache by" in err) == (5, True), err
    assert not (tmp_path / "other").exists()
    child.send_signal(signal.SIGINT)
    code, _, err = ended(child)
    assert code == 130
    assert f"aetool campaign resume --run {run_dir}" in err
    assert programs_on(lab) == []
    with Journal.open(run_dir, readonly=True) as journal:
        assert State.STARTED not in {s.state for s in journal.steps()}
    assert ended(cli("resume", "--run", str(run_dir)))[0] == 0
    assert_whole(run_dir, (4, 4))


def test_a_host_that_goes_away_ends_the_run_with_5_and_resume_finishes_it(
    lab: Lab, cli: Cli, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    child = cli("run", "apache", "--run", str(run_dir))
    wait_until(started_step(run_dir, "apache"), "a measured step of apache")
    lab.down()
    code, _, err = ended(child)
    assert code == 5, err
    assert "trying again (1 of 2)" in err
    assert f"aetool campaign resume --run {run_dir}" in err
    with Journal.open(run_dir, readonly=True) as journal:
        assert State.STARTED not in {s.state for s in journal.steps()}
    lab.up()
    assert ended(cli("resume", "--run", str(run_dir)))[0] == 0
    assert_whole(run_dir, (4, 4))


def test_other_hosts_and_other_definitions_are_refused_by_name(
    lab: Lab, cli: Cli, small: Path, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    child = cli("run", "test", "--run", str(run_dir))
    wait_until(started_step(run_dir, "hackbench"), "a measured step")
    child.kill()
    child.wait(20)
    path = run_dir / "env/hosts.json"
    facts = path.read_text()
    path.write_text(facts.replace(json.loads(facts)["hosts"]["server"]["kernel"], "4.18.0"))
    code, _, err = ended(cli("resume", "--run", str(run_dir)))
    assert code == 6
    assert 'hosts.server.kernel: "4.18.0" in the run' in err
    path.write_text(facts)
    campaign = small / "benchmarks/campaigns/test.yaml"
    campaign.write_text(CAMPAIGN.replace("repetitions: 4", "repetitions: 5"))
    code, _, err = ended(cli("resume", "--run", str(run_dir)))
    assert code == 6
    assert "campaign.repetitions: 4 in the run, 5 now" in err
    campaign.write_text(CAMPAIGN.replace("repetitions:", "repetition:"))
    code, _, err = ended(cli("resume", "--run", str(run_dir)))
    assert code == 2
    assert "test.yaml:7: unknown key 'repetition'; did you mean 'repetitions'?" in err


def test_a_full_disk_ends_the_run_with_7_and_resume_finishes_it(lab: Lab, cli: Cli, full_disk: Path) -> None:
    run_dir = full_disk / "run"
    child = cli("run", "apache", "--run", str(run_dir))
    wait_until(started_step(run_dir, "apache"), "a measured step of apache")
    ballast = full_disk / "ballast"
    with ballast.open("wb", buffering=0) as handle, pytest.raises(OSError, match="No space left"):
        while True:
            handle.write(b"x" * 4096)
    code, _, err = ended(child)
    assert code == 7, err
    assert "No space left on device" in err
    ballast.unlink()
    assert programs_on(lab) == []
    assert ended(cli("resume", "--run", str(run_dir)))[0] == 0
    assert_whole(run_dir, (4, 4))


def test_a_lab_that_is_not_up_is_named_with_the_command_that_brings_it_up(cli: Cli, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the lab of namespaces needs root")
    code, _, err = ended(cli("run", "test", "--run", str(tmp_path / "run")))
    assert code == 5
    assert "aetool lab up" in err
    assert not (tmp_path / "run").exists()


def test_a_measured_command_that_runs_out_of_time_leaves_all_that_it_had_printed(
    lab: Lab, tmp_path: Path
) -> None:
    server = lab.hosts["server"]
    work = "/var/tmp/aetool/test"
    server.run(["mkdir", "-p", work], timeout=60)
    target = Instance(simulated_bed(), 0, server, server, work, tmp_path / "raw", Log(tmp_path / "log"))
    command = ["sh", "-c", "seq 5000; echo slow >&2; sleep 300"]
    with pytest.raises(RemoteCommandError) as caught:
        target.measure(server, command, timeout=8)
    assert caught.value.message == "server: sh ran longer than 8 s and was ended"
    assert (tmp_path / "raw/run.stdout").read_text() == "".join(f"{n}\n" for n in range(1, 5001))
    assert (tmp_path / "raw/run.stderr").read_text() == "slow\n"
    assert "sleep" not in server.shell("cat /proc/[0-9]*/comm 2>/dev/null || true", timeout=60).stdout.split()


# A "kernel" that takes a moment to compile, and stand-ins for what no Debian package brings.
KERNEL = """
mkdir -p /usr/src/tiny /usr/local/bin /opt/ycsb/bin
cd /usr/src/tiny
printf 'allnoconfig:\\n\\ttouch .config\\nclean:\\n\\trm -f kernel/sched/built-in.a\\n' >Makefile
printf 'kernel/sched/built-in.a: main.c\\n\\tmkdir -p kernel/sched; gcc -O2 -c -o $@ main.c\\n' >>Makefile
for n in $(seq 300); do printf 'int f%d(int x) { return x * %d; }\\n' "$n" "$n"; done >main.c
# gzip whatever its name: not every machine has xz
tar --create --gzip --file=/usr/src/linux-source-6.1.tar.xz --directory=/usr/src tiny
for tool in flex bison bc java xz; do printf '#!/bin/sh\\n' >"/usr/local/bin/$tool"; done
cat >/usr/local/bin/mongod <<'MONGOD'
#!/usr/bin/env python3
import socket, sys
host, port = sys.argv[sys.argv.index("--bind_ip") + 1], sys.argv[sys.argv.index("--port") + 1]
server = socket.create_server((host, int(port)))
while True:
    server.accept()[0].close()
MONGOD
cat >/opt/ycsb/bin/ycsb.sh <<'YCSB'
#!/bin/sh
# prints what YCSB would: 10,000 operations, all well
[ "$2" = mongodb ] || exit 1
echo "[OVERALL], Throughput(ops/sec), 7757.951900698216"
echo "[READ], Return=OK, 5013"
echo "[UPDATE], Return=OK, 4987"
YCSB
chmod 755 /usr/local/bin/* /opt/ycsb/bin/ycsb.sh
"""


def test_suites_whose_parts_are_missing_say_so_and_run_when_they_are_supplied(
    lab: Lab, cli: Cli, small: Path, tmp_path: Path
) -> None:
    text = CAMPAIGN.replace("campaign: test", "campaign: others")
    path = small / "benchmarks/campaigns/others.yaml"
    path.write_text(text.replace("[hackbench, redis, apache]", "[ycsb, kernbench, mongo]"))
    run_dir = tmp_path / "run"
    for host in lab.hosts.values():
        host.shell("rm -f /usr/src/linux-source-6.1.tar.xz", timeout=20)
    code, _, err = ended(cli("run", "others", "--run", str(run_dir)))
    assert code == 6
    assert "mongod is not installed on server (not in Debian" in err
    with Journal.open(run_dir, readonly=True) as journal:
        states = {(step.suite, step.state) for step in journal.steps()}
        reason = journal.step("kernbench.native.vms-0.rep-1").reason
    assert states == {
        ("ycsb", State.DONE), ("kernbench", State.ABANDONED), ("mongo", State.ABANDONED),
    }  # fmt: skip
    assert reason is not None
    assert "is not installed on server (" in reason
    for host in lab.hosts.values():
        host.shell(KERNEL, timeout=60)
    code, _, err = ended(cli("resume", "--run", str(run_dir)))
    assert code == 0, err
    assert_whole(run_dir, (12, 12))
    assert programs_on(lab) == []
    raw = run_dir / "results/ycsb.native.vms-0.rep-1/host"
    assert "not YCSB" in (raw / "run.stdout").read_text()
    assert "records inserted" in (raw / "load.stdout").read_text()
