# SPDX-License-Identifier: Apache-2.0
"""A campaign on simulated hosts: failures, retries, refusals, a kill at every transition of the journal."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hosts import SimpleBed, SimulatedRemote, recorded, simulated_bed

from aetool.bench.campaign import Outcome, check_unchanged, create, drive, outcome
from aetool.bench.definitions import Resolved, resolve
from aetool.bench.plan import plan
from aetool.core.errors import CampaignError, HostKeyError, HostUnreachable, RemoteCommandError, StorageError
from aetool.core.journal import Journal, State
from aetool.core.progress import Silent

Define = Callable[..., Resolved]


def run(run_dir: Path, resolved: Resolved, bed: SimpleBed, *, retry_failed: bool = False) -> Outcome:
    """What `campaign run` does for a new directory and `campaign resume` for an old one."""
    existing = (run_dir / "journal.sqlite").exists()
    with Journal.open(run_dir) if existing else create(run_dir, resolved) as journal:
        check_unchanged(journal, resolved)
        return drive(journal, resolved, bed, Silent(), retry_failed=retry_failed, sleep=lambda seconds: None)


def states(run_dir: Path) -> dict[str, State]:
    with Journal.open(run_dir, readonly=True) as journal:
        return {step.key: step.state for step in journal.steps()}


def assert_whole(run_dir: Path, resolved: Resolved) -> None:
    """The run is exactly the plan: every step done once, with its samples and its raw files, nothing else."""
    with Journal.open(run_dir, readonly=True) as journal:
        steps, samples, history = journal.steps(), journal.samples(), journal.history()
    planned = plan(resolved)
    assert [s.key for s in steps] == [p.key for p in planned]
    assert [s.digest for s in steps] == [p.digest for p in planned]
    assert {s.state for s in steps} == {State.DONE}
    per_step = {"hackbench": 1, "redis": 2, "apache": 1, "ycsb": 1, "micro": 4}
    assert len(samples) == sum(per_step[s.suite] * max(s.vms, 1) for s in steps)
    assert len({(s.step, s.vm, s.metric) for s in samples}) == len(samples)
    done = [t.step for t in history if t.state is State.DONE]
    assert sorted(done) == sorted(p.key for p in planned)
    for sample in samples:
        assert (run_dir / sample.raw).read_text() != ""
    assert {p.name for p in (run_dir / "results").iterdir()} == {p.key for p in planned}


def test_a_run_does_every_step_in_order_and_keeps_raw_output_with_its_command(
    tmp_path: Path, define: Define
) -> None:
    resolved, bed = define(), simulated_bed()
    result = run(tmp_path / "run", resolved, bed)
    result.require_success(tmp_path / "run")
    assert result.counts["done"] == 12
    assert_whole(tmp_path / "run", resolved)
    assert json.loads((tmp_path / "run/campaign.json").read_text()) == resolved.data()
    raw = tmp_path / "run/results/apache.native.vms-0.rep-2/host"
    assert raw.joinpath("run.command").read_text() == (
        "ab -s 30 -n 500 -c 100 https://10.10.1.1:443/gcc/index.html\n"
    )
    assert raw.joinpath("run.stdout").read_text() == recorded(["ab", "-n", "500"])
    assert [c.split()[0] for c in bed.client.measured] == ["redis-benchmark", "ab"] * 4
    assert [c.split()[0] for c in bed.server.measured] == ["hackbench"] * 4


def test_many_vms_start_together_and_each_number_carries_its_vm(tmp_path: Path, define: Define) -> None:
    resolved = define(configurations="[kvm]", vms="[1, 4]")
    bed = simulated_bed(vms=4)
    # nobody gets through the measured hackbench before all four VMs have reached it
    waiting = threading.Barrier(4)

    def meet(command: str) -> None:
        if "vms-4" in command and "/run.pid hackbench" in command:
            waiting.wait(timeout=20)

    for vm in bed.vms:
        vm.before = meet
    run(tmp_path / "run", resolved, bed).require_success(tmp_path / "run")
    assert_whole(tmp_path / "run", resolved)
    with Journal.open(tmp_path / "run", readonly=True) as journal:
        samples = [s for s in journal.samples() if s.suite == "redis" and s.vms == 4 and s.repetition == 1]
    assert [(s.vm, s.metric) for s in samples] == [(vm, m) for vm in (1, 2, 3, 4) for m in ("get", "set")]
    assert samples[2].raw == "results/redis.kvm.vms-4.rep-1/vm-2/run.stdout"


def test_a_suite_with_a_guest_of_its_own_runs_on_the_server_and_counts_as_one_vm(
    tmp_path: Path, define: Define
) -> None:
    bed = simulated_bed()
    resolved = define(suites="[micro]", configurations="[kvm]", vms="[1]")
    run(tmp_path / "run", resolved, bed).require_success(tmp_path / "run")
    assert len(bed.server.measured) == 4
    assert " qemu-system-aarch64 -kernel " in bed.server.measured[0]
    with Journal.open(tmp_path / "run", readonly=True) as journal:
        first = journal.samples()[0]
    assert (first.configuration, first.vms, first.vm, first.metric) == ("kvm", 1, 1, "hypercall")


def test_a_step_that_fails_does_not_stop_the_others_and_the_run_ends_with_6(
    tmp_path: Path, define: Define
) -> None:
    resolved, bed, run_dir = define(), simulated_bed(), tmp_path / "run"
    good = bed.client.answer
    bed.client.answer = lambda c: good(c).replace("Failed requests:        0", "Failed requests:        7")
    result = run(run_dir, resolved, bed)
    assert (result.counts["done"], result.counts["failed"]) == (8, 4)
    with pytest.raises(CampaignError, match="4 of 12 steps are not done") as caught:
        result.require_success(run_dir)
    assert caught.value.exit_code == 6
    lines = str(caught.value.detail).splitlines()
    assert lines[0] == ("apache.native.vms-0.rep-1: failed: server: ab says Failed requests: 7, expected 0")
    log = run_dir / "logs/apache.native.vms-0.rep-1.attempt-1.log"
    assert "failed: server: ab says" in log.read_text()
    raw = run_dir / "results/apache.native.vms-0.rep-1/host/run.stdout"
    assert "Failed requests:        7" in raw.read_text()
    assert run(run_dir, resolved, bed).counts["failed"] == 4
    bed.client.answer = good
    run(run_dir, resolved, bed, retry_failed=True).require_success(run_dir)
    assert_whole(run_dir, resolved)
    assert (
        "Failed requests:        7"
        in (run_dir / "set-aside/apache.native.vms-0.rep-1.attempt-1/host/run.stdout").read_text()
    )


def break_at(bed: SimpleBed, needle: str, times: int, error: BaseException) -> None:
    """Let the client raise `error` the first `times` times that a command contains `needle`."""
    left = [times]

    def before(command: str) -> None:
        if needle in command and left[0] > 0:
            left[0] -= 1
            raise error

    bed.client.before = before


def test_a_lost_connection_is_retried_with_fresh_connections(tmp_path: Path, define: Define) -> None:
    resolved, bed = define(), simulated_bed()
    break_at(bed, "run.pid redis-benchmark", 2, HostUnreachable("client: connection lost"))
    run(tmp_path / "run", resolved, bed).require_success(tmp_path / "run")
    assert bed.reconnected == 2
    assert_whole(tmp_path / "run", resolved)
    with Journal.open(tmp_path / "run", readonly=True) as journal:
        assert journal.step("redis.native.vms-0.rep-1").attempt == 3
        assert journal.step("redis.native.vms-0.rep-2").attempt == 1
    aside = tmp_path / "run/set-aside"
    assert {p.name for p in aside.iterdir()} == {
        "redis.native.vms-0.rep-1.attempt-1",
        "redis.native.vms-0.rep-1.attempt-2",
    }
    assert (aside / "redis.native.vms-0.rep-1.attempt-1/host/warm-up.stdout").exists()


def test_a_host_that_stays_away_ends_the_run_with_5_and_it_can_be_resumed(
    tmp_path: Path, define: Define
) -> None:
    resolved, bed, run_dir = define(), simulated_bed(), tmp_path / "run"
    break_at(bed, "run.pid redis-benchmark", 99, HostUnreachable("client: no route to host"))
    with pytest.raises(HostUnreachable) as caught:
        run(run_dir, resolved, bed)
    assert caught.value.exit_code == 5
    assert bed.reconnected == resolved.campaign.retry.attempts - 1
    counts = list(states(run_dir).values())
    assert (counts.count(State.DONE), counts.count(State.PLANNED)) == (1, 11)
    run(run_dir, resolved, simulated_bed()).require_success(run_dir)
    assert_whole(run_dir, resolved)


def test_a_wrong_host_key_is_not_retried(tmp_path: Path, define: Define) -> None:
    resolved, bed = define(), simulated_bed()
    break_at(bed, "run.pid", 1, HostKeyError("client: not the pinned key"))
    with pytest.raises(HostKeyError):
        run(tmp_path / "run", resolved, bed)
    assert bed.reconnected == 0
    assert State.STARTED not in states(tmp_path / "run").values()


def test_a_command_that_fails_on_a_host_fails_its_step_only(tmp_path: Path, define: Define) -> None:
    resolved, bed = define(), simulated_bed()
    break_at(bed, "run.pid ab", 1, RemoteCommandError("client: ab ran longer than 120 s", status=None))
    result = run(tmp_path / "run", resolved, bed)
    assert (result.counts["done"], result.counts["failed"]) == (11, 1)
    assert result.unfinished[0].reason == "client: ab ran longer than 120 s"


def test_ctrl_c_leaves_the_journal_whole_and_the_hosts_swept(tmp_path: Path, define: Define) -> None:
    resolved, bed, run_dir = define(), simulated_bed(), tmp_path / "run"
    commands: list[str] = []
    bed.server.before = commands.append
    break_at(bed, "run.pid ab", 1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run(run_dir, resolved, bed)
    assert "kill -TERM" in commands[-1]
    assert State.STARTED not in states(run_dir).values()
    with Journal.open(run_dir, readonly=True) as journal:
        assert journal.step("apache.native.vms-0.rep-1").reason == "interrupted by the user"
    run(run_dir, resolved, simulated_bed()).require_success(run_dir)
    assert_whole(run_dir, resolved)


def test_what_a_lab_cannot_run_is_abandoned_with_the_reason_and_tried_again_later(
    tmp_path: Path, define: Define
) -> None:
    resolved = define(configurations="[native, kvm]", vms="[0, 2]", suites="[hackbench]")
    result = run(tmp_path / "run", resolved, simulated_bed(vms=1))
    assert (result.counts["done"], result.counts["abandoned"]) == (4, 4)
    assert result.unfinished[0].reason == "this lab has 1 VMs, 2 are asked for"
    run(tmp_path / "run", resolved, simulated_bed(vms=2)).require_success(tmp_path / "run")
    assert_whole(tmp_path / "run", resolved)


def lack(remote: SimulatedRemote, programs: set[str]) -> None:
    """Let a host answer that it does not have some programs."""
    original = remote.run

    def run_without(argv: list[str], **options: object) -> object:
        result = original(argv, **options)  # type: ignore[arg-type]
        missing = [name for name in argv if name in programs] if argv[:2] == ["sh", "-c"] else []
        return dataclasses.replace(result, stdout=" ".join(missing)) if missing else result

    remote.run = run_without  # type: ignore[method-assign,assignment]


def test_a_program_that_a_host_lacks_is_named_with_its_package(tmp_path: Path, define: Define) -> None:
    bed = simulated_bed()
    lack(bed.client, {"ab"})
    result = run(tmp_path / "run", define(), bed)
    assert (result.counts["done"], result.counts["abandoned"]) == (8, 4)
    assert result.unfinished[0].reason == "ab is not installed on client (apt-get install apache2-utils)"


def test_the_papers_campaign_without_mongod_and_ycsb_says_how_to_supply_them_and_runs_the_rest(
    tmp_path: Path, checkout: Path
) -> None:
    resolved = resolve(checkout, "paper", lab="simulated")
    bed = simulated_bed()
    for remote, lacking in ((bed.server, {"mongod"}), (bed.client, {"/opt/ycsb/bin/ycsb.sh", "java"})):
        lack(remote, lacking)
    result = run(tmp_path / "run", resolved, bed)
    assert (result.counts["done"], result.counts["abandoned"]) == (40, 10)
    assert {step.suite for step in result.unfinished} == {"mongo"}
    assert result.unfinished[0].reason == (
        "mongod is not installed on server (not in Debian: install MongoDB's own package, or put mongod on"
        " the PATH); /opt/ycsb/bin/ycsb.sh is not installed on client (not in Debian: unpack YCSB 0.17.0 to"
        " /opt/ycsb); java is not installed on client (apt-get install default-jre-headless)"
    )
    with pytest.raises(CampaignError, match="10 of 50 steps") as caught:
        result.require_success(tmp_path / "run")
    assert caught.value.exit_code == 6


def test_what_only_the_driver_needs_is_looked_for_where_it_runs(
    tmp_path: Path, define: Define, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run(
        tmp_path / "run", define(suites="[micro]", configurations="[kvm]", vms="[1]"), simulated_bed()
    )
    assert result.counts["abandoned"] == 4
    assert result.unfinished[0].reason == (
        "aarch64-linux-gnu-gcc is not installed on the machine that aetool runs on"
        " (apt-get install gcc-aarch64-linux-gnu)"
    )


def test_a_changed_campaign_is_refused_and_every_change_is_named(
    tmp_path: Path, define: Define, checkout: Path
) -> None:
    run_dir = tmp_path / "run"
    run(run_dir, define(), simulated_bed())
    with Journal.open(run_dir, readonly=True) as journal:
        before = journal.history()
    path = checkout / "benchmarks" / "redis.yaml"
    path.write_text(path.read_text().replace("connections: 50", "connections: 51"))
    with pytest.raises(CampaignError, match="2 definitions changed") as caught:
        run(run_dir, define(repetitions=5), simulated_bed())
    assert caught.value.detail == (
        "campaign.repetitions: 4 in the run, 5 now\n"
        "suites.redis.parameters.connections: 50 in the run, 51 now"
    )
    with Journal.open(run_dir, readonly=True) as journal:
        assert journal.history() == before


def test_two_drivers_of_one_run_are_refused(tmp_path: Path, define: Define) -> None:
    resolved = define()
    with create(tmp_path / "run", resolved), pytest.raises(CampaignError, match="another aetool"):
        run(tmp_path / "run", resolved, simulated_bed())


def test_a_full_disk_stops_the_run_which_goes_on_when_there_is_room(full_disk: Path, define: Define) -> None:
    resolved, bed, run_dir = define(), simulated_bed(), full_disk / "run"
    ballast = full_disk / "ballast"

    def fill(command: str) -> None:
        if "run.pid redis-benchmark" in command and len(bed.client.measured) == 2:
            with ballast.open("wb", buffering=0) as handle, pytest.raises(OSError, match="No space left"):
                while True:
                    handle.write(b"x" * 4096)

    bed.client.before = fill
    with pytest.raises(StorageError, match="No space left") as caught:
        run(run_dir, resolved, bed)
    assert caught.value.exit_code == 7
    ballast.unlink()
    assert list(states(run_dir).values()).count(State.DONE) >= 4
    run(run_dir, resolved, simulated_bed()).require_success(run_dir)
    assert_whole(run_dir, resolved)


@contextmanager
def killed_at(point: int) -> Iterator[list[int]]:
    """SIGKILL this process at the `point`-th moment at which the journal or a raw file is touched."""
    seen = [0]

    def touch() -> None:
        seen[0] += 1
        if seen[0] == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: type[object], name: str) -> Callable[[], None]:
        original = getattr(owner, name)

        def wrapped(*args: object, **options: object) -> object:
            touch()
            result = original(*args, **options)
            touch()
            return result

        setattr(owner, name, wrapped)
        return lambda: setattr(owner, name, original)

    places = [(Journal, "_commit"), (Journal, "_move"), (Path, "rename"), (Path, "replace")]
    undo = [around(owner, name) for owner, name in places]
    try:
        yield seen
    finally:
        for restore in undo:
            restore()


def _drive_until_killed(run_dir: Path, resolved: Resolved, point: int) -> None:
    with killed_at(point):
        run(run_dir, resolved, simulated_bed(vms=2))


def test_killed_at_any_transition_and_resumed_nothing_is_lost_repeated_or_mixed(
    in_memory: Path, define: Define
) -> None:
    # natively and in two VMs at once
    resolved = define(suites="[hackbench, redis]", configurations="[native, kvm]", vms="[0, 2]")
    planned = plan(resolved)
    with killed_at(-1) as seen:
        run(in_memory / "undisturbed", resolved, simulated_bed(vms=2))
    assert seen[0] > 300
    context = multiprocessing.get_context("fork")
    for point in range(1, seen[0] + 1):
        run_dir = in_memory / f"run-{point}"
        child = context.Process(target=_drive_until_killed, args=(run_dir, resolved, point))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        done_before = []
        if (run_dir / "journal.sqlite").exists():
            done_before = [key for key, state in states(run_dir).items() if state is State.DONE]
        bed = simulated_bed(vms=2)
        run(run_dir, resolved, bed).require_success(run_dir)
        assert_whole(run_dir, resolved)
        # what was done before the kill was not measured again
        measured = [command for host in (bed.server, bed.client, *bed.vms) for command in host.measured]
        left = [step for step in planned if step.key not in done_before]
        assert len(measured) == sum(max(step.vms, 1) for step in left)
        shutil.rmtree(run_dir)


def test_killed_again_while_resuming_nothing_is_lost(in_memory: Path, define: Define) -> None:
    resolved = define(suites="[hackbench]")
    context = multiprocessing.get_context("fork")
    run_dir = in_memory / "run"
    kills = 0
    # every driver gets one step further: 28 moments cover an interrupted step and its repetition
    while not run_dir.exists() or set(states(run_dir).values()) != {State.DONE}:
        child = context.Process(target=_drive_until_killed, args=(run_dir, resolved, 32))
        child.start()
        child.join(60)
        kills += child.exitcode == -signal.SIGKILL
        assert kills < 20
    assert kills >= 3
    run(run_dir, resolved, simulated_bed()).require_success(run_dir)
    assert_whole(run_dir, resolved)


def test_a_finished_run_is_left_alone_by_another_resume(tmp_path: Path, define: Define) -> None:
    resolved, run_dir = define(), tmp_path / "run"
    run(run_dir, resolved, simulated_bed())
    with Journal.open(run_dir, readonly=True) as journal:
        before = (journal.steps(), journal.samples(), journal.history())
    bed = simulated_bed()
    run(run_dir, resolved, bed)
    with Journal.open(run_dir, readonly=True) as journal:
        assert (journal.steps(), journal.samples(), journal.history()) == before
        assert outcome(journal).unfinished == ()
    assert bed.server.measured == bed.client.measured == []
