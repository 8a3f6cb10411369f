# SPDX-License-Identifier: Apache-2.0
"""Each suite reads recorded output of the real programs, and refuses output that cannot be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hosts import RECORDED

from aetool.bench.definitions import resolve
from aetool.bench.suites import SUITES, adapter_of
from aetool.bench.suites.apache_files import page
from aetool.bench.suites.base import Parameters, SanityError, Suite


def suite(project: Path, name: str, **changes: object) -> tuple[Suite[Any], Parameters]:
    adapter, parameters = resolve(project, "quick", lab="any").suite(name)
    return adapter, parameters.model_copy(update=changes)


def text(name: str) -> str:
    return (RECORDED / name).read_text()


def test_hackbench_reads_the_time(project: Path) -> None:
    adapter, parameters = suite(project, "hackbench")
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
    adapter, parameters = suite(project, "hackbench")
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
        resolved = resolve(project, "quick", lab="any", profile=profile)
        _, parameters = resolved.suite(name)
        assert parameters.estimate_seconds < parameters.deadline_seconds


def test_the_published_parameters_stand_in_the_paper_profiles(project: Path) -> None:
    resolved = resolve(project, "paper", lab="any")
    values = {suite.name: suite.parameters for suite in resolved.suites}
    assert (values["hackbench"]["groups"], values["hackbench"]["loops"]) == (20, 500)
    assert (values["redis"]["connections"], values["redis"]["pipeline"]) == (50, 12)
    assert values["redis"]["requests"] == 1_000_000
    apache = values["apache"]
    assert (apache["requests"], apache["concurrency"], apache["timeout_seconds"]) == (5000, 100, 120)
