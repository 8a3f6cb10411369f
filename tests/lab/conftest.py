# SPDX-License-Identifier: Apache-2.0
"""A real lab of namespaces for the tests of this folder; nothing of it may be left afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aetool.lab import Lab, open_lab
from aetool.lab.netns import NetnsProvider


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State directory of the module's lab."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def lab(place: Path) -> Iterator[Lab]:
    """A lab that is up, shared by the tests of a module."""
    if os.geteuid() != 0:
        pytest.skip("namespaces need root")
    with open_lab("netns", name="shared", state=place) as opened:
        try:
            opened.up()
            yield opened
        finally:
            opened.down()


@pytest.fixture(scope="module")
def switch(lab: Lab, place: Path) -> str:
    """The network namespace with the cables of the module's lab."""
    return NetnsProvider("shared", "", place).namespace("switch")
