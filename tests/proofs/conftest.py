# SPDX-License-Identifier: Apache-2.0
"""A small Coq tree for each test of the driver."""

from __future__ import annotations

from pathlib import Path

import pytest
from scratch_tree import FILES, MANIFEST, Scratch


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A tree of three files in a chain: base/A.v, base/B.v, top/C.v."""
    made = Scratch(tmp_path / "tree", tmp_path / "store")
    made.write({"tree.yaml": MANIFEST, **FILES})
    return made
