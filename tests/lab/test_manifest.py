# SPDX-License-Identifier: Apache-2.0
"""CloudLab manifests: the machines they name, and what is said of manifests that cannot be used."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aetool.core.errors import ConfigError
from aetool.lab.manifest import parse_manifest, server_and_client

TEXT = (Path(__file__).parent / "data" / "manifest.xml").read_text()


def test_two_machines_with_log_in_hardware_and_address() -> None:
    found = server_and_client(parse_manifest(TEXT, "m.xml"), "m.xml")
    server = found["server"]
    assert (server.hostname, server.port, server.users) == ("ms0721.utah.cloudlab.us", 22, ("alice", "bob"))
    assert (server.hardware, server.address) == ("m400", "10.10.1.1")
    assert found["client"].address == "10.10.1.2"


def test_machines_with_other_names_are_told_apart_by_address() -> None:
    text = TEXT.replace('client_id="server"', 'client_id="node1"').replace(
        'client_id="client"', 'client_id="node0"'
    )
    found = server_and_client(parse_manifest(text, "m.xml"), "m.xml")
    assert (found["server"].client_id, found["client"].client_id) == ("node1", "node0")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('type="manifest"', 'type="request"', "of type 'request', not a manifest"),
        ("rspec/3", "rspec/2", "not a GENI v3 RSpec"),
        ("</rspec>", "", "m.xml:[0-9]+: not XML"),
        ("<services>", "<other>", "not XML"),
        ('hostname="ms0744.utah.cloudlab.us"', 'hostname=""', "node client has no log-in"),
        (
            'address="10.10.1.1"',
            'address="10.10.9.1"',
            r"no address in 10\.10\.1\.0/24: found 10\.10\.9\.1",
        ),
        ('address="10.10.1.1"', 'address="ten"', "has the address 'ten'"),
        ('address="10.10.1.1"', 'address="10.10.1.2"', "two machines with an address each"),
        ('port="22"', 'port="0"', "log-ins at different places"),
        ("<?xml", "<!DOCTYPE x [<!ENTITY e 'e'>]><?xml", "document type"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused_with_the_reason(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError, match=said):
        server_and_client(parse_manifest(TEXT.replace(old, new, 1), "m.xml"), "m.xml")


@given(st.integers(0, len(TEXT) - 1), st.integers(1, 60))
def test_a_damaged_manifest_is_refused_or_read_but_never_crashes(start: int, length: int) -> None:
    with contextlib.suppress(ConfigError):
        server_and_client(parse_manifest(TEXT[:start] + TEXT[start + length :], "m.xml"), "m.xml")
