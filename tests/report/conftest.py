# SPDX-License-Identifier: Apache-2.0
"""Recorded runs and the project's own reference data."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def references(project: Path) -> Path:
    """The folder with published.yaml and claims.yaml."""
    return project / "reports"
