# SPDX-License-Identifier: Apache-2.0
"""A lab with a hypervisor as a campaign sees it; hosts, guests and reboots are simulated."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hosts import SimulatedRemote

from aetool.core.errors import CampaignError, HostUnreachable, LabError
from aetool.core.progress import Silent
from aetool.core.ssh import Remote
from aetool.lab import configuration, machines, vm
from aetool.lab import reboot as lab_reboot
from aetool.lab.configuration import Hypervisor
from aetool.workflows.bed import LabBed
from aetool.workflows.campaign import CONFIGURATIONS_FILE, _activated


@dataclass
class SimulatedLab:
    """A lab whose provider is nobody; `events` is what was done to its server."""

    provider_name: str = "arm"
    name: str = "test"
    provider: object = None
    guests: object = None
    events: list[str] = field(default_factory=list)
    active: str = "kvm"
    refused: dict[str, LabError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hosts = {
            "server": SimulatedRemote("server", "10.10.1.1"),
            "client": SimulatedRemote("client", "10.10.1.2"),
        }

    def close(self) -> None:
        self.events.append("close")


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> SimulatedLab:
    lab = SimulatedLab()

    def activate(remote: object, provider: object, name: str, **options: object) -> Hypervisor:
        if name in lab.refused:
            raise lab.refused[name]
        if name not in ("native", lab.active):
            lab.active = name
            lab.events.append(f"activate {name}")
        return Hypervisor(lab.active, "6.1.0", "console=ttyAMA0", "seen")

    def start(server: object, load: object, provider: object, count: int, **options: object) -> list[Remote]:
        lab.events.append(f"start {count}")
        return [SimulatedRemote(f"vm-{n}", f"10.10.1.{100 + n}") for n in range(1, count + 1)]

    def hypervisor(remote: object) -> Hypervisor:
        return Hypervisor(lab.active, "6.1.0", "console=ttyAMA0", "seen")

    monkeypatch.setattr(machines, "activate", activate)
    monkeypatch.setattr(machines, "hypervisor", hypervisor)
    monkeypatch.setattr(configuration, "hypervisor", hypervisor)
    monkeypatch.setattr(lab_reboot, "reboot", lambda *args, **options: lab.events.append("reboot"))
    monkeypatch.setattr(vm, "start_within_budget", start)
    monkeypatch.setattr(vm, "stop", lambda server, remotes: lab.events.append(f"stop {len(remotes)}"))
    monkeypatch.setattr(vm, "clean", lambda server: lab.events.append("clean"))
    monkeypatch.setattr(vm, "alive", lambda server, name: True)
    return lab


def bed_of(lab: SimulatedLab, seen: dict[str, Any] | None = None, **policy: bool) -> LabBed:
    def activated(name: str, found: dict[str, Any]) -> None:
        if seen is not None:
            seen[name] = found

    return LabBed(lab, Silent(), activated, **policy)  # type: ignore[arg-type]


def test_guests_serve_one_repetition_and_are_ended_with_the_bed(lab: SimulatedLab) -> None:
    seen: dict[str, Any] = {}
    with bed_of(lab, seen) as bed:
        first = bed.machines("kvm", 2, 1)
        assert [machine.name for machine in first] == ["vm-1", "vm-2"]
        assert bed.machines("kvm", 2, 1) is first
        bed.machines("kvm", 2, 2)
        bed.machines("pkvm", 1, 1)
    assert lab.events == [
        *("clean", "start 2", "stop 2", "start 2", "stop 2", "activate pkvm", "start 1", "stop 1"),
    ]
    assert seen.keys() == {"kvm", "pkvm"}
    assert seen["pkvm"]["evidence"] == "seen"


def test_kept_guests_serve_every_repetition_and_are_replaced_after_a_lost_connection(
    lab: SimulatedLab,
) -> None:
    with bed_of(lab, keep=True) as bed:
        first = bed.machines("kvm", 1, 1)
        assert bed.machines("kvm", 1, 2) is first
        bed.machines("kvm", 2, 1)
        bed.machines("kvm", 2, 2)
        bed.reconnect()
        bed.machines("kvm", 2, 3)
    assert lab.events == [
        *("clean", "start 1", "stop 1", "start 2", "stop 2", "close", "start 2", "stop 2"),
    ]


def test_no_vms_is_the_server_itself_also_under_a_hypervisor(lab: SimulatedLab) -> None:
    with bed_of(lab) as bed:
        assert bed.machines("native", 0, 1)[0].name == "server"
        assert bed.machines("pkvm", 0, 1)[0].name == "server"
    assert lab.events == ["clean", "activate pkvm"]


def test_a_lab_of_namespaces_has_no_guests_and_nothing_is_swept_there(lab: SimulatedLab) -> None:
    lab.provider_name = "netns"
    with bed_of(lab) as bed:
        assert bed.refuses("native", 0) is None
        assert bed.machines("native", 0, 1)[0].name == "server"
        assert "has no virtual machines" in str(bed.refuses("kvm", 1))
    assert lab.events == []


def test_a_configuration_that_cannot_be_had_is_a_reason_and_a_lost_host_is_an_error(
    lab: SimulatedLab,
) -> None:
    lab.refused = {"pkvm": LabError("pkvm is not active")}
    with bed_of(lab) as bed:
        assert "does not run a SeKVM kernel" in str(bed.refuses("sekvm", 1))
        assert bed.refuses("pkvm", 1) == "pkvm is not active"
        assert bed.refuses("kvm", 1) is None
        lab.refused = {"pkvm": HostUnreachable("server is away")}
        with pytest.raises(HostUnreachable):
            bed.refuses("pkvm", 1)


def test_with_a_reboot_for_each_repetition_nothing_of_the_last_boot_is_left(lab: SimulatedLab) -> None:
    with bed_of(lab, reboot=True) as bed:
        for repetition in (1, 1, 2):
            bed.machines("kvm", 1, repetition)
    assert lab.events == ["clean", "reboot", "start 1", "stop 1", "reboot", "start 1", "stop 1"]
    lab.provider_name = "netns"
    with bed_of(lab, reboot=True) as bed:
        assert "cannot be rebooted" in str(bed.refuses("native", 0))


def test_after_a_lost_connection_guests_are_replaced(lab: SimulatedLab) -> None:
    with bed_of(lab) as bed:
        bed.machines("kvm", 1, 1)
        bed.reconnect()
        bed.machines("kvm", 1, 1)
    assert lab.events == ["clean", "start 1", "stop 1", "close", "start 1", "stop 1"]


def test_a_configuration_that_has_become_another_since_the_run_began_is_refused(tmp_path: Path) -> None:
    _activated(tmp_path, "kvm", {"kernel": "6.1.0", "evidence": "nVHE"})
    _activated(tmp_path, "pkvm", {"kernel": "6.1.0", "evidence": "protected"})
    _activated(tmp_path, "kvm", {"kernel": "6.1.0", "evidence": "nVHE"})
    assert json.loads((tmp_path / CONFIGURATIONS_FILE).read_text()).keys() == {"kvm", "pkvm"}
    with pytest.raises(CampaignError) as caught:
        _activated(tmp_path, "kvm", {"kernel": "6.2.0", "evidence": "nVHE"})
    assert caught.value.detail == 'kvm.kernel: "6.1.0" in the run, "6.2.0" now'
