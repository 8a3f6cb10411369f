# SPDX-License-Identifier: Apache-2.0
"""Whatever JSON lies in a run directory, there is a report, and it says which file is not as it should be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import recorded_runs as recorded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aetool.report.build import build, compute
from aetool.report.inputs import load_run
from aetool.report.published import load_references
from aetool.report.write import html, markdown

FILES = ("proofs.json", "campaign.json", "env/hosts.json", "env/aetool.json", "stages.json")
# the names that the report looks for, so that what is generated gets past the first look
NAMES = [
    "passed",
    "parts",
    "theorems",
    "audit",
    "lab",
    "hosts",
    "provider",
    "name",
    "status",
    "campaign",
    "x",
]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("any") / "run"
    (folder / "env").mkdir(parents=True)
    return folder


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(file=st.sampled_from(FILES), value=values)
def test_any_json_in_any_file_gives_a_report(place: Path, references: Path, file: str, value: Any) -> None:
    shutil.rmtree(place)
    recorded.write(place, file, value)
    run = load_run(place)
    document = build(compute(run, *load_references(references)))
    assert html(document).endswith("</html>\n")
    assert "What did not run" in markdown(document)
    if not isinstance(value, dict | list):
        assert any(f"{file} is not as expected" in gap.why for gap in run.gaps)


@pytest.mark.parametrize("text", ["", "{", "\ufeff", "[1, 2", "nan", json.dumps({"passed": True})[:-1]])
@pytest.mark.parametrize("file", FILES)
def test_a_truncated_file_is_named(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert any(gap.why.startswith(f"{file} cannot be read") for gap in load_run(tmp_path).gaps)
