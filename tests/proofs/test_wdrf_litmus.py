# SPDX-License-Identifier: Apache-2.0
"""The litmus table notices when the model of the relaxed machine is weakened."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

FILES = (
    "isolated/Base",
    "isolated/SC",
    "isolated/Promising",
    "litmus/ExploreSC",
    "litmus/Steps",
    "litmus/Messages",
    "litmus/ExploreArm",
    "litmus/Shapes",
    "litmus/Litmus",
)
FENCE_READS = "DmbSy => max (vro st) (vwo st) | DmbLd => vro st | DmbSt => 0 | Isb => vcap st"
FENCE_WRITES = "DmbSy => max (vro st) (vwo st) | DmbLd => vro st | DmbSt => vwo st | Isb => 0"
WEAKENED = {
    "dmb sy leaves reads alone": (FENCE_READS, FENCE_READS.replace("max (vro st) (vwo st)", "0")),
    "dmb sy leaves writes alone": (FENCE_WRITES, FENCE_WRITES.replace("max (vro st) (vwo st)", "0")),
    "dmb ld does nothing to writes": (FENCE_WRITES, FENCE_WRITES.replace("DmbLd => vro st", "DmbLd => 0")),
    "dmb st does nothing": (FENCE_WRITES, FENCE_WRITES.replace("DmbSt => vwo st", "DmbSt => 0")),
    "isb does nothing": (FENCE_READS, FENCE_READS.replace("Isb => vcap st", "Isb => 0")),
    "stlr is a plain store": ("(if_ordered k (max (vro st) (vwo st)))", "0"),
}


def check(tree: Path) -> str | None:
    """Compile the model and the litmus tests; the first file that fails, or None."""
    for name in FILES:
        command = ["coqc", "-q", "-Q", ".", "SeKVM", f"wdrf/{name}.v"]
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=250)
        if done.returncode != 0:
            return f"{name}: {done.stderr}"
    return None


@pytest.fixture
def scratch(project: Path, tmp_path: Path) -> Path:
    for folder in ("isolated", "litmus"):
        shutil.copytree(
            project / "proofs" / "wdrf" / folder,
            tmp_path / "wdrf" / folder,
            ignore=lambda _, names: [name for name in names if not name.endswith(".v")],
        )
    return tmp_path


def test_every_published_verdict_is_proved_of_the_model(scratch: Path) -> None:
    assert check(scratch) is None


@pytest.mark.parametrize("what", WEAKENED)
def test_a_weaker_model_fails_the_litmus_tests(scratch: Path, what: str) -> None:
    before, after = WEAKENED[what]
    model = scratch / "wdrf" / "isolated" / "Promising.v"
    text = model.read_text(encoding="utf-8")
    assert text.count(before) == 1
    model.write_text(text.replace(before, after), encoding="utf-8")
    failure = check(scratch)
    assert failure is not None
    assert failure.startswith("litmus/Litmus")
