# SPDX-License-Identifier: Apache-2.0
"""Definitions are checked field by field; a plan is a pure function of them; changes are named."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from aetool.bench.definitions import Resolved, resolve
from aetool.bench.plan import differences, plan
from aetool.core.errors import ConfigError

Define = Callable[..., Resolved]


def cells(resolved: Resolved) -> list[tuple[str, int, int]]:
    return [(step.suite[0], step.vms, step.repetition) for step in plan(resolved)]


def test_interleaved_goes_round_all_cells_before_it_repeats_one(define: Define) -> None:
    got = cells(define(suites="[hackbench, redis]", order="interleaved"))
    assert got == [(s, 0, r) for r in (1, 2, 3, 4) for s in "hr"]


def test_blocked_repeats_one_cell_before_the_next(define: Define) -> None:
    got = cells(define(suites="[hackbench, redis]", order="blocked"))
    assert got == [(s, 0, r) for s in "hr" for r in (1, 2, 3, 4)]


def test_random_is_a_shuffle_that_its_seed_determines(define: Define) -> None:
    first, again = plan(define(order="random", seed=7)), plan(define(order="random", seed=7))
    other = plan(define(order="random", seed=8))
    assert first == again
    assert first != other
    assert {step.key for step in first} == {step.key for step in other}
    assert [step.key for step in first] != [step.key for step in plan(define())]


def test_steps_of_one_configuration_stay_together(define: Define) -> None:
    steps = plan(define(configurations="[native, kvm, pkvm]", vms="[0, 1, 2]", order="random", seed=1))
    configurations = [step.configuration for step in steps]
    changes = sum(a != b for a, b in itertools.pairwise(configurations))
    assert changes == 2
    assert {(s.configuration, s.vms) for s in steps} == {
        ("native", 0), ("kvm", 1), ("kvm", 2), ("pkvm", 1), ("pkvm", 2),
    }  # fmt: skip
    assert len({step.key for step in steps}) == len(steps) == 3 * 4 * 5


def test_kept_guests_serve_all_their_steps_before_others_are_started(define: Define) -> None:
    fields = {"configurations": "[native, kvm]", "vms": "[0, 1, 2]", "guests": "kept"}
    steps = plan(define(suites="[hackbench, micro, redis]", **fields))
    sets = [(s.configuration, s.vms, s.suite == "micro") for s in steps]
    changes = [key for key, _ in itertools.groupby(sets)]
    assert changes == [("native", 0, False), ("kvm", 1, True), ("kvm", 1, False), ("kvm", 2, False)]
    assert cells(define(suites="[hackbench, redis]", **fields))[-8:] == [
        (s, 2, r) for r in (1, 2, 3, 4) for s in "hr"
    ]
    fresh = define(suites="[hackbench, micro, redis]", **(fields | {"guests": "repetition"}))
    assert {s.key for s in steps} == {s.key for s in plan(fresh)}
    with pytest.raises(ConfigError, match="no guest can be kept over a reboot"):
        define(reboot="repetition", **fields)


def test_a_suite_with_a_guest_of_its_own_runs_in_one_vm_only(define: Define) -> None:
    steps = plan(define(suites="[micro, hackbench]", configurations="[native, kvm]", vms="[0, 1, 2]"))
    assert {(s.configuration, s.vms) for s in steps if s.suite == "micro"} == {("kvm", 1)}
    assert len(steps) == 4 * (1 + 3)
    with pytest.raises(ConfigError, match="micro runs in one VM, and vms has no 1"):
        define(suites="[micro]")


def test_the_digest_follows_everything_that_determines_a_result(define: Define, checkout: Path) -> None:
    def digests(**fields: object) -> dict[str, str]:
        return {step.suite: step.digest for step in plan(define(**fields))}

    before = digests()
    assert digests(repetitions=5, order="blocked") == before
    assert all(digests(profile="paper")[name] != before[name] for name in before)
    path = checkout / "benchmarks" / "redis.yaml"
    path.write_text(path.read_text().replace("pipeline: 12", "pipeline: 13"))
    after = digests()
    assert {name for name in before if after[name] != before[name]} == {"redis"}


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"repetitions": 3}, "test.yaml:7: repetitions: .*greater than or equal to 4"),
        ({"suites": "[hackbench, hackbnech]"}, "no such suite: hackbnech"),
        ({"suites": "[redis, redis]"}, "names something twice"),
        ({"configurations": "[nativ]"}, "test.yaml:4: configurations"),
        ({"vms": "[1]"}, "go together"),
        ({"vms": "[0, 1]"}, "need vms above 0"),
        ({"configurations": "[kvm]", "vms": "[-1]"}, "cannot be negative"),
        ({"order": "random"}, "seed"),
        ({"seed": 3}, "seed"),
        ({"order": "sorted"}, "test.yaml:8: order"),
        ({"retry": "{attempts: 0, wait_seconds: 0}"}, "test.yaml:9: retry.attempts"),
        ({"repetition": 4}, "test.yaml:10: unknown key 'repetition'; did you mean 'repetitions'"),
        ({"retry": "{attempts: 2, wait_second: 0}"}, "did you mean 'wait_seconds'"),
        ({"profile": "fast"}, "hackbench.yaml: there is no profile 'fast' .there are: paper, quick, long"),
    ],
)
def test_a_wrong_campaign_is_refused_with_its_line(
    define: Define, fields: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        define(**fields)
    assert re.search(complaint, f"{caught.value.message}\n{caught.value.detail}")


def test_a_misspelt_key_of_a_profile_is_named_with_file_line_and_the_right_one(checkout: Path) -> None:
    path = checkout / "benchmarks" / "redis.yaml"
    lines = path.read_text().replace("    pipeline:", "    pipline:", 1).splitlines()
    path.write_text("\n".join(lines))
    line = next(n for n, text in enumerate(lines, 1) if "pipline" in text)
    with pytest.raises(ConfigError) as caught:
        resolve(checkout, "quick", lab="any")
    problems = f"{caught.value.detail}"
    assert f"redis.yaml:{line}: unknown key 'profiles.paper.pipline'; did you mean 'pipeline'?" in problems
    assert "'profiles.paper.pipeline' is required but missing" in problems


def test_an_unknown_campaign_is_answered_with_those_there_are(checkout: Path) -> None:
    with pytest.raises(ConfigError, match="no campaign 'quik'") as caught:
        resolve(checkout, "quik", lab="any")
    assert "paper, quick" in str(caught.value.hint)


def test_differences_are_named_by_their_path() -> None:
    before = {"a": {"x": 1, "y": [1, 2]}, "gone": 1, "code": "1", "s": {"code": "1"}}
    after = {"a": {"x": 2, "y": [1, 2]}, "new": None, "code": "2", "s": {"code": "2"}}
    assert list(differences(before, after)) == [
        "a.x: 1 in the run, 2 now",
        "code: the part of aetool that measures has been changed",
        "gone: 1 in the run, absent now",
        "new: absent in the run, null now",
        's.code: "1" in the run, "2" now',
    ]
    assert list(differences(before, before)) == []
