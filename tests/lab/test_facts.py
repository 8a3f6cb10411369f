# SPDX-License-Identifier: Apache-2.0
"""Facts of hosts: read from real hosts, and refused when a host does not give them."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from aetool.core.errors import LabError
from aetool.core.ssh_fake import FakeRemote
from aetool.lab import Lab
from aetool.lab.facts import host_facts, parse_facts

GOOD = """\
hostname\tnode0
kernel\t4.18.0+
architecture\taarch64
cpu_model\tunknown
cpus\t8
memory_kib\t65884000
os\tUbuntu 18.04.5 LTS
boot_id\tb6a5b2b0-0000-4000-8000-000000000000
package:apache2\t2.4.29-1ubuntu4
"""


@pytest.mark.e2e
def test_the_facts_of_a_namespace_are_those_of_this_machine(lab: Lab) -> None:
    found = lab.facts()
    assert found["lab"] == {
        "provider": "netns",
        "emulated": True,
        "description": "two Linux namespaces on one machine",
    }
    assert sorted(found["hosts"]) == ["client", "server"]
    server = found["hosts"]["server"]
    assert server["hostname"] == "server"
    assert server["kernel"] == platform.release()
    assert server["architecture"] == platform.machine()
    assert server["cpus"] == os.cpu_count()
    assert server["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024
    assert server["memory_kib"] == pages
    assert server["packages"]["openssh-server"]


def test_the_output_of_a_cloudlab_node_is_understood() -> None:
    remote = FakeRemote("server", lambda command, stdin: (0, GOOD, ""))
    found = host_facts(remote)
    assert (found["kernel"], found["cpus"], found["memory_kib"]) == ("4.18.0+", 8, 65884000)
    assert found["packages"] == {"apache2": "2.4.29-1ubuntu4"}
    assert "boot_id" in remote.commands[0]


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [("boot_id\tb6a5b2b0-0000-4000-8000-000000000000\n", "", "boot_id"), ("cpus\t8", "cpus\tmany", "cpus")],
)
def test_a_fact_that_is_missing_or_absurd_is_an_error_that_names_it(old: str, new: str, named: str) -> None:
    with pytest.raises(LabError, match=f"server: these facts cannot be read: {named}"):
        parse_facts(GOOD.replace(old, new), "server")
