# SPDX-License-Identifier: Apache-2.0
"""Each suite reads recorded output of the real programs, and refuses output that cannot be trusted."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hosts import RECORDED, costs

from aetool.bench.definitions import resolve
from aetool.bench.suites import SUITES, adapter_of, ycsb_generator
from aetool.bench.suites.apache_files import page
from aetool.bench.suites.base import Parameters, SanityError, Suite
from aetool.bench.suites.micro_output import OPERATIONS


def suite(
    project: Path, name: str, profile: str = "quick", **changes: object
) -> tuple[Suite[Any], Parameters]:
    campaign = "micro" if name == "micro" else "long"
    adapter, parameters = resolve(project, campaign, lab="any", profile=profile).suite(name)
    return adapter, parameters.model_copy(update=changes)


def text(name: str) -> str:
    return (RECORDED / name).read_text()


def test_hackbench_reads_the_time(project: Path) -> None:
    adapter, parameters = suite(project, "hackbench", loops=100)
    (reading,) = adapter.read(text("hackbench.txt"), parameters)
    assert (reading.metric, reading.value, reading.unit, reading.better) == ("time", 0.223, "s", "lower")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Time: 0.223", "Time: 0.000"),
        ("Time: 0.223", "Time: nan"),
        ("Time: 0.223\n", ""),
        ("Time: 0.223\n", "Time: 0.223\nTime: 0.300\n"),
        ("4 groups", "3 groups"),
        ("pass 100 messages", "pass 99 messages"),
    ],
)
def test_hackbench_refuses_a_run_that_did_something_else(project: Path, old: str, new: str) -> None:
    adapter, parameters = suite(project, "hackbench", loops=100)
    assert old in text("hackbench.txt")
    with pytest.raises(SanityError):
        adapter.read(text("hackbench.txt").replace(old, new), parameters)


def test_redis_reads_one_rate_a_test(project: Path) -> None:
    adapter, parameters = suite(project, "redis")
    readings = {r.metric: (r.value, r.unit, r.better) for r in adapter.read(text("redis.csv"), parameters)}
    assert readings == {
        "get": (1111333.38, "requests/s", "higher"),
        "set": (833500.0, "requests/s", "higher"),
    }


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Could not connect to Redis at 10.10.1.1:6379: Connection refused\n",
        '"test","rps"\n"SET","833500.00"\n',
        '"test","rps"\n"SET","833500.00"\n"GET","nan"\n',
        '"test","rps"\n"SET","833500.00"\n"GET","0.00"\n',
        '"test","rps"\n"SET","833500.00"\n"GET"\n',
    ],
)
def test_redis_refuses_a_table_without_both_rates(project: Path, output: str) -> None:
    adapter, parameters = suite(project, "redis")
    with pytest.raises(SanityError, match="GET"):
        adapter.read(output, parameters)


def test_apache_reads_the_rate(project: Path) -> None:
    adapter, parameters = suite(project, "apache")
    (reading,) = adapter.read(text("ab.txt"), parameters)
    assert (reading.metric, reading.value, reading.unit) == ("requests", 837.12, "requests/s")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("Failed requests:        0", "Failed requests:        3", "Failed requests: 3"),
        ("Complete requests:      500", "Complete requests:      499", "Complete requests: 499"),
        ("Failed requests:        0", "Failed requests:        0\nNon-2xx responses:      500", "Non-2xx"),
        ("Document Length:        41984", "Document Length:        275", "Document Length: 275"),
        ("SSL/TLS Protocol:       TLSv1.3", "Something else:         TLSv1.3", "TLS"),
        ("Requests per second:    837.12", "Requests:    837.12", "Requests per second"),
    ],
)
def test_apache_refuses_failed_and_foreign_answers(project: Path, old: str, new: str, complaint: str) -> None:
    adapter, parameters = suite(project, "apache")
    assert old in text("ab.txt")
    with pytest.raises(SanityError, match=complaint):
        adapter.read(text("ab.txt").replace(old, new), parameters)


def test_apache_refuses_the_fine_rate_that_ab_prints_when_nobody_answers(project: Path) -> None:
    adapter, parameters = suite(project, "apache", requests=10)
    assert "Requests per second:    7788.16" in text("ab-nobody.txt")
    with pytest.raises(SanityError, match="Failed requests: 5"):
        adapter.read(text("ab-nobody.txt"), parameters)


@pytest.mark.parametrize("size", [1000, 1001, 1077, 41984])
def test_the_page_has_exactly_the_size_asked_for(size: int) -> None:
    assert len(page(size)) == size
    assert page(size).endswith(b"</html>\n")


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_has_a_paper_a_quick_and_a_long_profile(project: Path, name: str) -> None:
    adapter = adapter_of(name)
    assert adapter.name == name
    for profile in ("paper", "quick", "long"):
        _, parameters = suite(project, name, profile)
        assert parameters.estimate_seconds < parameters.deadline_seconds


def test_the_published_parameters_stand_in_the_paper_profiles(project: Path) -> None:
    resolved = resolve(project, "paper", lab="any")
    values = {suite.name: suite.parameters for suite in resolved.suites}
    assert (values["hackbench"]["groups"], values["hackbench"]["loops"]) == (20, 500)
    assert (values["redis"]["connections"], values["redis"]["pipeline"]) == (50, 12)
    assert values["redis"]["requests"] == 1_000_000
    apache = values["apache"]
    assert (apache["requests"], apache["concurrency"], apache["timeout_seconds"]) == (5000, 100, 120)


def test_ycsb_and_its_stand_in_are_read_alike(project: Path) -> None:
    mongo, parameters = suite(project, "mongo", operations=10_000)
    (reading,) = mongo.read(text("ycsb.txt"), parameters)
    assert (reading.metric, reading.value, reading.unit) == (
        "operations", pytest.approx(7757.952, abs=1e-3), "operations/s",
    )  # fmt: skip
    stand_in, parameters = suite(project, "ycsb")
    (reading,) = stand_in.read(text("ycsb-standin.txt"), parameters)
    assert (reading.metric, reading.better) == ("operations", "higher")
    assert "not YCSB" in text("ycsb-standin.txt")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[READ], Return=OK, 5013", "[READ], Return=OK, 5012", "did 9999 operations well"),
        ("[READ], Return=OK, 5013", "[READ], Return=OK, 5013\n[READ], Return=NOT_FOUND, 1", "NOT_FOUND"),
        ("[READ], Return=OK, 5013", "[READ], Return=OK, 5013\n[READ-FAILED], Operations, 3", "READ-FAILED"),
        ("[UPDATE], Return=OK, 4987", "[UPDATE], Return=OK, 4986\n[UPDATE], Return=ERROR, 1", "ERROR"),
        ("Throughput(ops/sec), 7757.951900698216", "Throughput(ops/sec), 0.0", "no throughput"),
        ("Throughput(ops/sec), 7757.951900698216", "Throughput(ops/sec), NaN", "no throughput"),
        ("Throughput(ops/sec), 7757.951900698216", "Throughput(ops/sec), fast", "'fast'"),
    ],
)
def test_ycsb_refuses_operations_that_went_wrong(project: Path, old: str, new: str, complaint: str) -> None:
    adapter, parameters = suite(project, "mongo", operations=10_000)
    assert old in text("ycsb.txt")
    with pytest.raises(SanityError, match=complaint):
        adapter.read(text("ycsb.txt").replace(old, new), parameters)


def test_ycsb_reads_counts_that_java_prints_as_floats(project: Path) -> None:
    adapter, parameters = suite(project, "mongo", operations=10_000_000)
    output = "[OVERALL], Throughput(ops/sec), 5.5E4\n[READ], Return=OK, 4.5E6\n[UPDATE], Return=OK, 5500000\n"
    assert adapter.read(output, parameters)[0].value == 55_000


def test_kernbench_reads_wall_time_and_wants_the_product(project: Path) -> None:
    adapter, parameters = suite(project, "kernbench")
    (reading,) = adapter.read(text("kernbench.txt"), parameters)
    assert (reading.metric, reading.value, reading.unit, reading.better) == ("time", 21.688, "s", "lower")
    for old, new in (
        ("Built kernel/sched/built-in.a 358\n", ""),
        ("built-in.a 358", "built-in.a 0"),
        ("Elapsed 21.688", "Elapsed 0.000"),
        ("User 5.237 System 0.965", "User 0.000 System 0.000"),
    ):
        with pytest.raises(SanityError):
            adapter.read(text("kernbench.txt").replace(old, new), parameters)


def test_the_generator_draws_zipfian_records_half_of_them_to_read() -> None:
    drawn = ycsb_generator.requests(1000, 20_000, random.Random(1))
    reads = sum(is_read for is_read, _ in drawn)
    assert 0.48 < reads / 20_000 < 0.52
    keys = Counter(re.findall(rb"user(\d{16})", command)[0] for _, command in drawn)
    # the weight of rank r is r**-0.99: the first takes 13 % of 1000 records' draws, the second half of that
    weights = [rank**-0.99 for rank in range(1, 1001)]
    for rank in (1, 2, 3):
        number = ycsb_generator.scramble(rank - 1, 1000)
        expected = 20_000 * weights[rank - 1] / sum(weights)
        assert keys[b"%016d" % number] == pytest.approx(expected, rel=0.1)
    assert drawn == ycsb_generator.requests(1000, 20_000, random.Random(1))


def test_micro_reads_the_averages_of_kvm_unit_tests_in_cycles_of_the_papers_machine(project: Path) -> None:
    adapter, parameters = suite(project, "micro", "paper")
    output = costs(text("micro.txt"), "2.4", "cycles")
    readings = {r.metric: (r.value, r.unit) for r in adapter.read(output, parameters)}
    assert readings == {
        "hypercall": (2400, "cycles"),
        "io_kernel": (4800, "cycles"),
        "io_user": (9600, "cycles"),
        "virtual_ipi": (12000, "cycles"),
    }
    later = costs(text("micro.txt").replace("hvc     ", "hyp_call"), "2.4", "cycles")
    assert adapter.read(later, parameters)[0].value == 2400


def test_micro_reads_its_own_guest_without_the_warm_up_and_every_number_stands_in_the_output(
    project: Path,
) -> None:
    adapter, parameters = suite(project, "micro")
    output = costs(text("micro-own.txt"))
    readings = {r.metric: (r.value, r.unit) for r in adapter.read(output, parameters)}
    ticks = {
        name: [int(t) for t in re.findall(rf"^micro {name} [1-9]\d* 100 (\d+) ", output, re.MULTILINE)]
        for name in OPERATIONS
    }
    for name, counted in ticks.items():
        assert len(counted) == 3
        # 62.5 MHz: a tick is 16 ns
        assert readings[name] == (pytest.approx(16 * sum(counted) / 3 / 100, abs=1e-3), "ns")
        assert f"cost {name} {readings[name][0]:.3f} ns" in output.splitlines()


@pytest.mark.parametrize(
    ("profile", "name", "old"),
    [
        ("paper", "micro.txt", "Timer Frequency 50000000 Hz (Output in microseconds)"),
        ("paper", "micro.txt", "hvc"),
        ("paper", "micro.txt", "ipi   "),
        ("quick", "micro-own.txt", "micro done"),
        ("quick", "micro-own.txt", "micro frequency"),
        ("quick", "micro-own.txt", "virtual_ipi"),
    ],
)
def test_micro_refuses_output_with_something_missing(
    project: Path, profile: str, name: str, old: str
) -> None:
    adapter, parameters = suite(project, "micro", profile)
    assert old in text(name)
    with pytest.raises(SanityError):
        adapter.read(costs(text(name).replace(old, "x")), parameters)


@pytest.mark.parametrize("name", SUITES)
def test_an_adapter_is_small(project: Path, name: str) -> None:
    assert len((project / f"aetool/bench/suites/{name}.py").read_text().splitlines()) < 80
