# SPDX-License-Identifier: Apache-2.0
"""Guests by number: the artifact's addresses for one and for eight, and no clash for any number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aetool.core.errors import ConfigError
from aetool.lab.guests import MOST, guests


def test_one_guest_and_eight_have_the_addresses_of_the_artifact() -> None:
    assert [g.address for g in guests(1)] == ["10.10.1.100"]
    assert [g.address for g in guests(8)] == [f"10.10.1.{last}" for last in range(101, 109)]
    assert [g.name for g in guests(8)] == [f"vm-{n}" for n in range(1, 9)]


@given(st.integers(2, MOST))
def test_no_two_guests_share_anything_and_none_takes_a_host_s_address(count: int) -> None:
    made = guests(count)
    assert len(made) == count
    for field in ("name", "address", "mac", "tap", "number"):
        assert len({getattr(guest, field) for guest in made}) == count
    for guest in made:
        assert re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", guest.mac)
        assert int(guest.mac[:2], 16) & 3 == 2  # locally administered, not multicast
        assert len(guest.tap) < 16
        assert guest.address not in ("10.10.1.1", "10.10.1.2", "10.10.1.254", "10.10.1.255")


@pytest.mark.parametrize("count", [0, -1, MOST + 1])
def test_more_guests_than_the_subnet_holds_are_refused(count: int) -> None:
    with pytest.raises(ConfigError, match="1 to 153"):
        guests(count)
