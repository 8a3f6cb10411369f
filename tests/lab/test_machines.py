# SPDX-License-Identifier: Apache-2.0
"""Which machines a lab can give to a campaign, and why not others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from aetool.core.progress import Silent
from aetool.core.ssh_fake import FakeRemote
from aetool.lab import Lab
from aetool.lab.machines import Machines

NO_KVM = "kernel\t6.1.0\ncommand_line\tro\n"
KVM = NO_KVM + "device\tyes\nline\tkvm [1]: Hyp mode initialized successfully\n"
SEKVM = NO_KVM + "device\tyes\nverified\ty\nsekvm\tHypSec EL2 runtime is installed\n"


def machines(provider: str, says: str) -> Machines:
    server = FakeRemote("server", lambda command, stdin: (0, says, ""))
    lab = SimpleNamespace(name="mine", provider_name=provider, hosts={"server": server})
    return Machines(lab, Silent())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("provider", "says", "configuration", "vms", "reason"),
    [
        ("netns", KVM, "native", 0, None),
        ("netns", KVM, "kvm", 1, "has no virtual machines"),
        ("netns", KVM, "native", 1, "guests need a hypervisor"),
        ("arm", KVM, "kvm", 8, None),
        ("arm", KVM, "pkvm", 1, None),
        ("arm", KVM, "kvm", 0, None),
        ("arm", KVM, "kvm", 154, "153 guests at most"),
        ("arm", KVM, "sekvm", 1, "does not run a SeKVM kernel"),
        ("static", NO_KVM, "kvm", 1, "the server has no KVM"),
        ("cloudlab", SEKVM, "sekvm", 8, None),
        ("cloudlab", SEKVM, "kvm", 1, "the server runs a SeKVM kernel"),
    ],
)
def test_a_lab_says_why_it_cannot_give_machines(
    provider: str, says: str, configuration: str, vms: int, reason: str | None
) -> None:
    refusal = machines(provider, says).refuses(configuration, vms)
    if reason is None:
        assert refusal is None
    else:
        assert refusal is not None
        assert reason in refusal


@pytest.mark.e2e
def test_a_lab_without_guests_gives_its_server_and_its_client(lab: Lab) -> None:
    given = Machines(lab, Silent())
    assert [m.name for m in given.machines("native", 0)] == ["server"]
    assert given.load().name == "client"
    lab.hosts["server"].close()
    given.reconnect()
    assert given.machines("native", 0)[0].run(["uname", "-n"], timeout=10).stdout == "server\n"
    given.close()
