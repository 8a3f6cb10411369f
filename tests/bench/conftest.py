# SPDX-License-Identifier: Apache-2.0
"""A checkout's benchmark definitions that a test may change, and a small campaign from it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aetool.bench.definitions import Resolved, resolve


@pytest.fixture
def checkout(tmp_path: Path, project: Path) -> Path:
    """A copy of the definitions of benchmarks and labs under a root of its own."""
    root = tmp_path / "checkout"
    for mark in ("proofs", "reports"):
        (root / mark).mkdir(parents=True)
    for folder in ("benchmarks", "cloudlab"):
        shutil.copytree(project / folder, root / folder)
    return root


@pytest.fixture
def define(checkout: Path) -> Callable[..., Resolved]:
    """Write benchmarks/campaigns/test.yaml with some fields replaced, and resolve it."""

    def write(**fields: object) -> Resolved:
        values: dict[str, object] = {
            "campaign": "test",
            "description": "made by a test",
            "suites": "[hackbench, redis, apache]",
            "configurations": "[native]",
            "profile": "quick",
            "vms": "[0]",
            "repetitions": 4,
            "order": "interleaved",
            "retry": "{attempts: 3, wait_seconds: 0}",
            **fields,
        }
        lines = [f"{name}: {value}" for name, value in values.items() if value is not None]
        path = checkout / "benchmarks" / "campaigns" / "test.yaml"
        path.write_text("\n".join(lines) + "\n")
        return resolve(checkout, "test", lab="simulated")

    return write


@pytest.fixture
def in_memory(tmp_path: Path) -> Iterator[Path]:
    """A directory where fsync costs nothing, for hundreds of runs whose drivers die but not the machine."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="aetool-test-") as place:
        yield Path(place)
