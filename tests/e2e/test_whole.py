# SPDX-License-Identifier: Apache-2.0
"""The main job on this checkout: its proofs check and pass the audit, and `reproduce` ends in a report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

AETOOL = Path(sys.executable).with_name("aetool")


def aetool(project: Path, *args: str, state: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "XDG_STATE_HOME": str(state)} if state else None
    return subprocess.run([AETOOL, *args], cwd=project, env=env, capture_output=True, text=True, timeout=1700)


@pytest.mark.timeout(1800)
def test_the_proofs_of_this_checkout_check_and_pass_the_audit(project: Path) -> None:
    built = aetool(project, "proofs", "build")
    assert built.returncode == 0, built.stderr
    audited = aetool(project, "proofs", "audit", "--json")
    assert audited.returncode == 0, audited.stdout
    checks = {check["name"]: check["passed"] for check in json.loads(audited.stdout)["checks"]}
    assert all(checks.values()), checks
    assert {"assumptions", "coqchk", "theorem map", "layer theorems"} <= set(checks)


@pytest.mark.e2e
@pytest.mark.timeout(1800)
def test_reproduce_ends_with_a_report_and_does_nothing_twice(project: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the lab makes network namespaces, which takes root")
    run = tmp_path / "run"
    first = aetool(project, "reproduce", "--run", str(run), "--json", state=tmp_path / "state")
    assert first.returncode == 0, first.stderr
    done = json.loads(first.stdout)
    assert {stage["name"]: stage["status"] for stage in done["stages"]} == dict.fromkeys(
        ("proofs build", "proofs audit", "campaign", "report"), "done"
    )
    page = Path(done["report"]).read_text(encoding="utf-8")
    for words in ("redis", "apache", "hackbench", "PTAlloc", "two Linux namespaces on one machine"):
        assert words in page
    journal = (run / "journal.sqlite").stat()
    second = aetool(project, "reproduce", "--run", str(run), state=tmp_path / "state")
    assert second.returncode == 0, second.stderr
    assert str(run / "report" / "index.html") in second.stdout
    assert (run / "journal.sqlite").stat().st_mtime_ns == journal.st_mtime_ns


@pytest.mark.e2e
def test_reproduce_reports_what_failed_and_goes_on(project: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    inventory = tmp_path / "nowhere.yaml"
    inventory.write_text("provider: nowhere\n", encoding="utf-8")
    failed = aetool(project, "reproduce", "--run", str(run), "--lab", str(inventory), "--json")
    assert failed.returncode == 2, failed.stderr
    stages = {stage["name"]: stage for stage in json.loads(failed.stdout)["stages"]}
    assert stages["campaign"]["status"] == "failed"
    assert "nowhere.yaml" in stages["campaign"]["reason"]
    assert stages["report"]["status"] == "done"
    assert "nowhere.yaml" in (run / "report" / "index.html").read_text(encoding="utf-8")
