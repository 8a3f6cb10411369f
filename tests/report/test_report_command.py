# SPDX-License-Identifier: Apache-2.0
"""`aetool report` as a user types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import recorded_runs as recorded

from aetool.cli.report import newest_run
from aetool.core.errors import ConfigError


def aetool(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from aetool.cli.main import run; run()", "report", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_writes_the_report_prints_the_claims_and_names_the_page(
    project: Path, tmp_path: Path
) -> None:
    run = recorded.make_run(tmp_path / "run")
    done = aetool(project, str(run))
    assert (done.returncode, done.stderr) == (0, "")
    assert "verdict             claim" in done.stdout
    assert done.stdout.endswith(f"report: {run / 'report/index.html'}\n")
    assert (run / "report/index.html").is_file()


def test_json_is_one_document_that_names_the_page(project: Path, tmp_path: Path) -> None:
    run = recorded.make_run(tmp_path / "run")
    done = aetool(project, str(run), "--json", "--out", str(tmp_path / "out"))
    assert done.returncode == 0
    assert json.loads(done.stdout)["page"] == str(tmp_path / "out/index.html")
    assert not (run / "report").exists()


def test_a_comparison_is_on_the_terminal_and_in_the_json(project: Path, tmp_path: Path) -> None:
    base = recorded.make_run(tmp_path / "base")
    run = recorded.make_run(
        tmp_path / "run", [recorded.Series("hackbench", "native", 0, {"time": [0.7, 0.71]})]
    )
    done = aetool(project, str(run), "--against", str(base))
    assert re.search(r"  slower +hackbench\.quick\.time\.native\.0: 1\.38\d times slower \(", done.stdout)
    found = json.loads(aetool(project, str(run), "--against", str(base), "--json").stdout)["against"]
    assert {"slower", "cannot be compared"} == {change["change"] for change in found}


def test_a_number_is_traced_on_the_terminal_without_rendering(project: Path, tmp_path: Path) -> None:
    run = recorded.make_run(tmp_path / "run")
    done = aetool(project, str(run), "--trace", "hackbench.quick.time.native.0")
    assert "results/hackbench-native-0-quick-1/run.stdout:1: time: 0.512" in done.stdout
    assert not (run / "report").exists()
    (found,) = json.loads(aetool(project, str(run), "--trace", "redis.quick.get.native.0", "--json").stdout)
    assert [sample["value"] for sample in found["samples"]] == list(recorded.REDIS.values["get"])


def test_a_directory_that_is_no_run_is_an_error_with_exit_code_2(project: Path, tmp_path: Path) -> None:
    done = aetool(project, str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert done.stderr.startswith("aetool: error: ")
    assert "Traceback" not in done.stderr


def test_the_help_has_an_example(project: Path) -> None:
    done = aetool(project, "--help")
    assert done.returncode == 0
    assert "Example: aetool report runs/quick" in done.stdout


def test_without_a_name_the_newest_run_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run below"):
        newest_run(tmp_path)
    for age, name in ((300, "old"), (100, "new"), (200, "middle")):
        recorded.write(tmp_path / name, "proofs.json", {})
        stamp = 1_790_000_000 - age
        os.utime(tmp_path / name / "proofs.json", (stamp, stamp))
    assert newest_run(tmp_path) == tmp_path / "new"
