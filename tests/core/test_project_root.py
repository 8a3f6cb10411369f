# SPDX-License-Identifier: Apache-2.0
"""The project's data is found from any directory of a checkout."""

from __future__ import annotations

from pathlib import Path

from aetool.core.project import project_root


def test_the_root_is_found_from_a_folder_inside(project: Path) -> None:
    assert project_root(project / "proofs" / "layers") == project


def test_outside_a_checkout_the_one_installed_from_is_used(project: Path, tmp_path: Path) -> None:
    assert project_root(tmp_path) == project


def test_another_checkout_wins_over_the_one_installed_from(tmp_path: Path) -> None:
    for name in ("proofs", "benchmarks", "reports", "cloudlab"):
        (tmp_path / name).mkdir()
    assert project_root(tmp_path / "proofs") == tmp_path
