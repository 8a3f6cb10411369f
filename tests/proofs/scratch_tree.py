# SPDX-License-Identifier: Apache-2.0
"""Small Coq trees to try the driver on; they use nothing of the standard library, so coqc takes 0.1 s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aetool.proofs.build import BuildResult, Options, build
from aetool.proofs.plan import Request

MANIFEST = """\
root: T
parts:
  - {name: base, kind: library, title: the base, folder: base}
  - {name: top, kind: theorems, title: the top, folder: top}
layers:
  - {number: 1, name: One, group: Some, functions: [f]}
"""
FILES = {
    "base/A.v": "Definition x : nat := 1.\nLemma a : x = 1.\nProof. reflexivity. Qed.\n",
    "base/B.v": "From T.base Require Import A.\nLemma b : x = 1.\nProof. exact a. Qed.\n",
    "top/C.v": "From T.base Require Import B.\nTheorem c : A.x = 1.\nProof. exact b. Qed.\n",
}


@dataclass
class Scratch:
    """A tree in a folder of its own, with a store of its own."""

    root: Path
    store: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the tree."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def options(self, **changes: object) -> Options:
        """Two compilations at a time, the store of this tree."""
        return Options(**({"jobs": 2, "store": self.store, "timeout": 60.0} | changes))  # type: ignore[arg-type]

    def build(self, *names: str, upto: bool = False, only: bool = False, **changes: object) -> BuildResult:
        """Build all, or what is named."""
        return build(self.root, Request(names, upto, only), self.options(**changes))

    def compiled(self, result: BuildResult) -> list[str]:
        """Files on which coqc really ran, sorted."""
        return sorted(entry.file for entry in result.files if entry.action == "compiled")

    def products(self) -> dict[str, bytes]:
        """All compiled files."""
        return {str(path.relative_to(self.root)): path.read_bytes() for path in self.root.rglob("*.vo")}
