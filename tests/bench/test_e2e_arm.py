# SPDX-License-Identifier: Apache-2.0
"""A campaign in guests of the emulated Arm server, under two hypervisors, its driver killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aetool.core.journal import Journal, State
from aetool.core.progress import Silent
from aetool.lab import open_lab

pytestmark = [pytest.mark.e2e, pytest.mark.full, pytest.mark.timeout(3600)]

CAMPAIGN = """\
campaign: guests
description: made by a test
suites: [hackbench, redis, micro]
configurations: [kvm, pkvm]
profile: emulated
vms: [1]
repetitions: 4
order: interleaved
guests: kept
retry: {attempts: 3, wait_seconds: 5}
"""


def test_guests_under_kvm_and_pkvm_are_measured_and_a_killed_driver_leaves_none_behind(
    checkout: Path, project: Path, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("the emulated lab needs root")
    (checkout / "scripts").symlink_to(project / "scripts")
    (checkout / "benchmarks/campaigns/guests.yaml").write_text(CAMPAIGN)
    run_dir, state = tmp_path / "run", tmp_path / "state"
    program = [str(Path(sys.executable).with_name("aetool")), "campaign"]
    settings = {"cwd": checkout, "env": os.environ | {"XDG_STATE_HOME": str(state)}}
    with open_lab("arm", state=state / "aetool" / "labs", progress=Silent()) as lab:
        try:
            lab.up()
            driver = subprocess.Popen(
                [*program, "run", "guests", "--lab", "arm", "--run", str(run_dir)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **settings,  # type: ignore[call-overload]
            )
            deadline = time.monotonic() + 1200
            while State.DONE not in states(run_dir):
                assert driver.poll() is None
                assert time.monotonic() < deadline
                time.sleep(1)
            driver.send_signal(signal.SIGKILL)
            driver.wait(20)
            done = states(run_dir).count(State.DONE)
            subprocess.run([*program, "resume", "--run", str(run_dir)], check=True, timeout=2400, **settings)  # type: ignore[call-overload]
            assert states(run_dir) == [State.DONE] * 24
            server = lab.hosts["server"]
            guests = server.shell("pgrep -c qemu || true; ls /sys/class/net | grep tap || true", timeout=60)
            assert guests.stdout.split() == ["0"]
        finally:
            lab.down()
    assert done >= 1
    with Journal.open(run_dir, readonly=True) as journal:
        samples = journal.samples()
    assert {(s.configuration, s.vms, s.vm) for s in samples} == {("kvm", 1, 1), ("pkvm", 1, 1)}
    assert len(samples) == 2 * 4 * (1 + 2 + 4)
    assert {s.metric for s in samples if s.suite == "micro"} == {
        "hypercall", "io_kernel", "io_user", "virtual_ipi",
    }  # fmt: skip
    found = json.loads((run_dir / "env/configurations.json").read_text())
    assert found["pkvm"]["active"] == "pkvm"
    assert "kvm-arm.mode=protected" in found["pkvm"]["command_line"]


def states(run_dir: Path) -> list[State]:
    if not (run_dir / "journal.sqlite").exists():
        return []
    with Journal.open(run_dir, readonly=True) as journal:
        return [step.state for step in journal.steps()]
