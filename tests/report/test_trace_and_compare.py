# SPDX-License-Identifier: Apache-2.0
"""From a number back to the raw output, and from one run to another."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import recorded_runs as recorded

from aetool.core.errors import ConfigError
from aetool.report.build import Results, compute
from aetool.report.inputs import load_run
from aetool.report.published import load_references
from aetool.report.trace import trace, trace_data, trace_text
from aetool.report.write import render

REDIS_GET = "redis.quick.get.native.0"


def results(run: Path, references: Path) -> Results:
    return compute(load_run(run), *load_references(references))


def test_a_number_is_traced_to_the_line_of_the_raw_file_its_command_and_its_host(
    tmp_path: Path, references: Path
) -> None:
    text = trace_text(results(recorded.make_run(tmp_path / "run"), references), REDIS_GET)
    assert text.count("  repetition ") == 4
    assert "results/redis-native-0-quick-2/run.stdout:1: get: 798500.0" in text
    assert "command: redis --repetition 2" in text
    assert "on server, kernel 6.1.0; attempt 1; log logs/redis-native-0-quick-2.log" in text
    assert "measured by aetool 0.1.0, commit 0123abc" in text


def test_the_second_metric_of_a_step_is_found_on_its_own_line(tmp_path: Path, references: Path) -> None:
    (traced,) = trace(results(recorded.make_run(tmp_path / "run"), references), "redis.quick.set.native.0")
    assert [sample.line for sample in traced.samples] == [2, 2, 2, 2]


def test_a_raw_file_that_was_changed_afterwards_is_found_out(tmp_path: Path, references: Path) -> None:
    run = recorded.make_run(tmp_path / "run")
    (run / "results/redis-native-0-quick-1/run.stdout").write_text("get: 999999.0\n")
    (run / "results/redis-native-0-quick-3/run.stdout").unlink()
    (traced,) = trace(results(run, references), REDIS_GET)
    assert [sample.line for sample in traced.samples] == [None, 1, None, 1]
    assert "holds this value" in traced.samples[0].text
    assert "No such file" in traced.samples[2].text
    assert "NOT FOUND" in trace_text(results(run, references), REDIS_GET)


def test_a_claim_is_traced_through_every_number_it_rests_on(tmp_path: Path, references: Path) -> None:
    found = results(recorded.make_run(tmp_path / "run"), references)
    names = [item["id"] for item in trace_data(found, "single-vm")]
    assert names == ["hackbench.quick.time.sekvm.1", "hackbench.quick.time.kvm.1"]
    assert "claim from sosp21, NOT VERIFIED: remembered" in trace_text(found, "single-vm")


def test_an_unknown_number_is_an_error_that_names_close_ones(tmp_path: Path, references: Path) -> None:
    found = results(recorded.make_run(tmp_path / "run"), references)
    with pytest.raises(ConfigError) as caught:
        trace(found, "redis.quick.got.native.0")
    assert caught.value.hint and REDIS_GET in caught.value.hint
    with pytest.raises(ConfigError, match="rests on no measured number"):
        trace(found, "audit")


def test_a_raw_path_cannot_lead_out_of_the_run_directory(tmp_path: Path, references: Path) -> None:
    run = recorded.make_run(tmp_path / "run")
    (tmp_path / "secret.command").write_text("secret")
    found = results(run, references)
    for item in found.found:
        item.raw["raw"] = "../secret.stdout"
    (traced,) = trace(found, REDIS_GET)
    assert {sample.origin.command for sample in traced.samples} == {""}
    assert {sample.line for sample in traced.samples} == {None}


def compared(
    tmp_path: Path, references: Path, factor: float, **other: Any
) -> tuple[str, list[dict[str, str]]]:
    times = [v * factor for v in recorded.HACKBENCH.values["time"]]
    layers = [recorded.layer(5, "PTAlloc"), recorded.layer(6, "PTWalk")]
    base = recorded.make_run(tmp_path / "base", proofs=recorded.proofs(*layers), **other)
    layers[1] = recorded.layer(6, "PTWalk", "failed")
    new = [recorded.Series("hackbench", "native", 0, {"time": times}), recorded.KVM]
    run = recorded.make_run(tmp_path / "run", new, proofs=recorded.proofs(*layers))
    render(run, references, against=base)
    numbers = (run / "report/csv/against-numbers.csv").read_text()
    return (run / "report/report.md").read_text(), list(csv.DictReader(io.StringIO(numbers)))


@pytest.mark.parametrize(("factor", "change"), [(1.2, "slower"), (0.8, "faster"), (1.001, "no change shown")])
def test_a_change_is_one_that_the_interval_of_the_quotient_shows(
    tmp_path: Path, references: Path, factor: float, change: str
) -> None:
    _, rows = compared(tmp_path, references, factor)
    by_name = {row["Number"]: row for row in rows}
    assert by_name["hackbench.quick.time.native.0"]["Change"] == change
    assert by_name["hackbench.quick.time.kvm.1"]["Change"] == "no change shown"
    assert by_name[REDIS_GET]["This run"] == "not measured"
    assert by_name[REDIS_GET]["Change"] == "cannot be compared"


def test_a_proof_that_no_longer_passes_and_another_lab_are_pointed_out(
    tmp_path: Path, references: Path
) -> None:
    page, _ = compared(
        tmp_path, references, 1, lab={"provider": "m400", "emulated": False, "description": ""}
    )
    assert "| PTWalk | failed | passed |" in page
    assert "the lab is two Linux namespaces on one machine (lab netns, emulated), it was the lab m400" in page


def test_a_report_without_a_comparison_has_no_section_for_it(tmp_path: Path, references: Path) -> None:
    run = recorded.make_run(tmp_path / "run")
    page = render(run, references).page.read_text()
    assert 'id="against"' not in page
    assert json.loads((run / "report/report.json").read_text())["campaign"] == "recorded"
