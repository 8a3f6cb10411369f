# SPDX-License-Identifier: Apache-2.0
"""The theorem map `proofs/theorems.yaml`: what the tree claims, in words a reader can check.

Each entry names a theorem, the claim that it stands for, how to read it, the digest of its statement as it
was last reviewed, and its witnesses: theorems that show it is not true for a silly reason.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError

THEOREMS = "theorems.yaml"
QUALIFIED = r"^[A-Za-z_][\w']*(\.[A-Za-z_][\w']*)+$"


class Theorem(Model):
    """One top theorem; names are full (`SeKVM.layers.PTAlloc.Refine.PTAlloc_refines`)."""

    name: str = Field(pattern=QUALIFIED)
    claim: str = Field(min_length=1)
    prose: str = Field(min_length=20)
    statement: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    witnesses: tuple[str, ...] = Field(min_length=1)


class TheoremMap(Model):
    """The whole file."""

    theorems: tuple[Theorem, ...]


def load_theorems(root: Path) -> TheoremMap:
    """Read the map of a tree; an empty one if the tree has none. Raises ConfigError."""
    path = root / THEOREMS
    if not path.exists():
        return TheoremMap(theorems=())
    found = load_yaml(path, TheoremMap)
    names = [theorem.name for theorem in found.theorems]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: the theorem {name} stands there twice")
    return found
