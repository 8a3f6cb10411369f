# SPDX-License-Identifier: Apache-2.0
"""A forecast adds up time and VM creations, and says when SeKVM runs out of VM identifiers."""

from __future__ import annotations

from collections.abc import Callable

from aetool.bench.definitions import Resolved
from aetool.bench.forecast import forecast

Define = Callable[..., Resolved]


def test_time_is_what_the_profiles_estimate(define: Define) -> None:
    resolved = define(suites="[hackbench, redis]", repetitions=5)
    each = sum(suite.parameters["estimate_seconds"] for suite in resolved.suites)
    got = forecast(resolved)
    assert (got.steps, got.seconds) == (10, 5 * each)
    assert (got.vm_creations, got.reboots, got.too_many) == ({}, {}, ())


def test_only_sekvm_has_a_budget_of_vms(define: Define) -> None:
    got = forecast(
        define(suites="[hackbench]", configurations="[native, kvm, sekvm]", vms="[0, 1, 8]", order="blocked")
    )
    assert got.vm_creations == {"kvm": 4 * 9, "sekvm": 4 * 9}
    assert got.reboots == {"sekvm": 0}
    assert "sekvm: 36 VM creations, 55 to a boot: 0 reboots in between" in got.lines()
    assert "kvm: 36 VM creations" in got.lines()


def test_suites_that_follow_one_another_share_the_vms_of_a_repetition(define: Define) -> None:
    suites = "[hackbench, redis, apache]"
    assert forecast(define(suites=suites, configurations="[kvm]", vms="[2]")).vm_creations == {"kvm": 4 * 2}
    apart = define(suites=suites, configurations="[kvm]", vms="[2]", order="blocked")
    assert forecast(apart).vm_creations == {"kvm": 4 * 3 * 2}


def test_kept_guests_are_created_once_for_each_number_of_them(define: Define) -> None:
    fields = {"configurations": "[kvm]", "vms": "[1, 2]", "guests": "kept"}
    assert forecast(define(suites="[hackbench, redis]", **fields)).vm_creations == {"kvm": 1 + 2}
    # each repetition of micro has a guest of its own
    assert forecast(define(suites="[hackbench, micro]", **fields)).vm_creations == {"kvm": 4 + 1 + 2}


def test_a_boot_is_not_left_with_fewer_identifiers_than_the_next_step_needs(define: Define) -> None:
    # 55 identifiers are six times 8 and a rest of 7 that no step can use: 6 + 6 + 4 steps
    got = forecast(define(suites="[hackbench]", configurations="[sekvm]", vms="[8]", repetitions=16))
    assert got.reboots == {"sekvm": 2}


def test_a_step_that_no_boot_can_serve_is_named(define: Define) -> None:
    got = forecast(define(suites="[hackbench]", configurations="[sekvm]", vms="[55, 56]"))
    assert set(got.too_many) == {f"hackbench.sekvm.vms-56.rep-{n}" for n in range(1, 5)}
    assert got.reboots == {"sekvm": 3}
