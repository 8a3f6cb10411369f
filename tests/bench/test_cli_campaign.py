# SPDX-License-Identifier: Apache-2.0
"""The commands that need no lab: plan and status, and what they say when there is nothing to show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hosts import simulated_bed

from aetool.bench.campaign import create, drive
from aetool.bench.definitions import Resolved
from aetool.cli.campaign import campaign
from aetool.core.errors import AetoolError, CampaignError, ConfigError
from aetool.core.progress import Silent


def call(*args: str) -> Result:
    result = CliRunner().invoke(campaign, args)
    if isinstance(result.exception, AetoolError):
        raise result.exception
    return result


@pytest.fixture(autouse=True)
def inside(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(checkout)
    return checkout


def test_plan_lists_steps_time_and_vms_and_makes_nothing(inside: Path) -> None:
    before = sorted(inside.rglob("*"))
    lines = call("plan", "arm", "--lab", "arm").output.splitlines()
    assert lines[0] == "hackbench.native.vms-0.rep-1"
    assert lines[-1] == "kvm: 3 VM creations"
    data = json.loads(call("plan", "arm", "--lab", "arm", "--json").output)
    assert len(data["steps"]) == data["forecast"]["steps"] == 36
    assert data["forecast"]["vm_creations"] == {"kvm": 3}
    assert sorted(inside.rglob("*")) == before


def test_a_profile_can_be_chosen_on_the_command_line() -> None:
    steps = json.loads(call("plan", "quick", "--profile", "long", "--json").output)["steps"]
    assert {step["profile"] for step in steps} == {"long"}
    with pytest.raises(ConfigError, match="there is no profile 'fast'"):
        call("plan", "quick", "--profile", "fast")


def test_status_shows_what_is_left_and_why(inside: Path, define: Callable[..., Resolved]) -> None:
    with pytest.raises(CampaignError, match="holds no run"):
        call("status")
    resolved, bed = define(suites="[apache]"), simulated_bed()
    good = bed.client.answer
    bed.client.answer = lambda c: good(c).replace("Failed requests:        0", "Failed requests:        7")
    with create(inside / "runs" / "one", resolved) as journal:
        drive(journal, resolved, bed, Silent())
    lines = call("status").output.splitlines()
    assert lines[0].endswith("runs/one: 4 failed; 0 samples")
    assert lines[1] == (
        "  apache.native.vms-0.rep-1: failed, attempt 1: server: ab says Failed requests: 7, expected 0"
    )
    data = json.loads(call("status", "--json").output)
    assert (data["counts"]["failed"], data["samples"], len(data["steps"])) == (4, 0, 4)


@pytest.mark.parametrize("command", ["plan", "run", "resume", "status"])
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    assert "Example: aetool" in call(command, "--help").output
