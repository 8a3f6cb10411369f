# SPDX-License-Identifier: Apache-2.0
"""The benchmark suites, each a small adapter in a module of its own."""

from __future__ import annotations

import importlib
from typing import Any

from aetool.bench.suites.base import Suite

SUITES = ("hackbench", "kernbench", "redis", "apache", "mongo", "ycsb", "micro")


def adapter_of(name: str) -> Suite[Any]:
    """The adapter of one of SUITES; its module is imported on use."""
    adapter = importlib.import_module(f"aetool.bench.suites.{name}").SUITE
    assert isinstance(adapter, Suite)
    return adapter
