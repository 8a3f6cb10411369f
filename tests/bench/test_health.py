# SPDX-License-Identifier: Apache-2.0
"""A machine that was throttled or had kernel errors while it was measured fails the step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from hosts import LocalRemote, simulated_bed

from aetool.bench.campaign import create, drive
from aetool.bench.definitions import Resolved, resolve
from aetool.bench.health import LOOK, Health, complaint, new_errors, parse
from aetool.core.errors import ConfigError
from aetool.core.progress import Silent

OLD = "<3>[    1.000000] old trouble"
NEW = "<3>[   99.000000] Out of memory: Killed process 4711 (redis-server)"


def test_the_script_tells_throttling_and_errors_apart() -> None:
    assert parse(f"throttled 12\n{OLD}\n{NEW}\n") == Health(12, (OLD, NEW))
    assert parse(f"{OLD}\n") == Health(None, (OLD,))
    assert parse("throttled 0\n") == Health(0, ())
    assert parse("unreadable\n") == Health(None, None)


def test_this_machine_can_be_looked_at() -> None:
    health = parse(LocalRemote().shell(LOOK, timeout=60).stdout)
    assert health.errors is None or all(line.startswith("<") for line in health.errors)
    assert complaint(health, health, []) is None


def test_only_what_came_in_between_counts() -> None:
    before, after = Health(3, (OLD,)), Health(3, (OLD, NEW))
    assert new_errors(before, after) == [NEW]
    assert complaint(before, before, []) is None
    assert complaint(before, after, []) == f"the kernel reported: {NEW}"
    assert complaint(before, after, ["Out of memory"]) is None
    assert complaint(Health(None, None), Health(None, None), []) is None
    assert complaint(before, Health(5, (OLD,)), []) == "the CPU was throttled 2 times"


def test_a_step_during_which_the_kernel_complained_fails_and_keeps_the_message(
    tmp_path: Path, define: Callable[..., Resolved]
) -> None:
    resolved, bed = define(suites="[hackbench]"), simulated_bed()
    original = bed.server.shell

    def shell(script: str, **options: object) -> object:
        result = original(script, **options)  # type: ignore[arg-type]
        if "dmesg" not in script:
            return result
        text = f"{OLD}\n{NEW}\n" if len(bed.server.measured) == 2 else f"{OLD}\n"
        return dataclasses.replace(result, stdout=text)

    bed.server.shell = shell  # type: ignore[method-assign,assignment]
    with create(tmp_path / "run", resolved) as journal:
        result = drive(journal, resolved, bed, Silent())
    assert [step.key for step in result.unfinished] == ["hackbench.native.vms-0.rep-2"]
    assert result.unfinished[0].reason == f"server: the kernel reported: {NEW} while it was measured"
    raw = tmp_path / "run/results/hackbench.native.vms-0.rep-2/host"
    assert (raw / "kernel.errors").read_text() == f"{NEW}\n"


def test_an_allow_list_that_is_no_regular_expression_is_refused(checkout: Path) -> None:
    path = checkout / "benchmarks" / "kernel-messages.yaml"
    path.write_text("allowed:\n  - pattern: '(unclosed'\n    why: a typo\n")
    with pytest.raises(ConfigError, match=r"kernel-messages.yaml:2: .*not a regular expression"):
        resolve(checkout, "quick", lab="any")
