# SPDX-License-Identifier: Apache-2.0
"""Random edits: after each, the incremental build gives what a build from nothing gives."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from scratch_tree import FILES, MANIFEST, Scratch

from aetool.proofs.audit import audit
from aetool.proofs.build import build
from aetool.proofs.plan import Request

EDITS = ("comment", "proof", "statement", "definition", "new", "remove", "rename", "touch", "break", "axiom")


def edit(scratch: Scratch, chance: random.Random) -> str:
    """Make one random edit; returns what it was."""
    sources = {str(p.relative_to(scratch.root)): p for p in sorted(scratch.root.rglob("*.v"))}
    kind = chance.choice(EDITS)
    name, path = chance.choice(list(sources.items()))
    text = path.read_text()
    number = chance.randrange(1000)
    if kind == "comment":
        path.write_text(f"(* remark {number} *)\n{text}")
    elif kind == "proof":
        old, new = ("reflexivity", "unfold x; reflexivity") if "unfold" not in text else ("unfold x; ", "")
        path.write_text(text.replace(old, new))
    elif kind == "statement":
        path.write_text(f"{text}Lemma s{number} : {number} = {number}.\nProof. reflexivity. Qed.\n")
    elif kind == "definition":
        path.write_text(f"{text}Definition d{number} := {number}.\n")
    elif kind == "new":
        scratch.write({f"top/N{number}.v": f"From T.base Require Import A.\nDefinition n{number} := x.\n"})
    elif kind == "remove" and "/N" in name:
        path.unlink()
    elif kind == "rename" and "/N" in name:
        path.rename(path.with_name(f"N{number}.v"))
    elif kind == "touch":
        path.touch()
    elif kind == "break":
        whole = "Definition (" not in text
        path.write_text(text.replace("Definition", "Definition (") if whole else text.replace("n (", "n"))
    elif kind == "axiom":
        before, axiom, _ = text.partition("Axiom")
        path.write_text(before if axiom else f"{text}Axiom a{number} : {number} = 0.\n")
    return f"{kind} {name}"


@pytest.mark.parametrize("seed", range(3))
def test_the_incremental_tree_equals_a_clean_one(tmp_path: Path, seed: int) -> None:
    scratch = Scratch(tmp_path / "tree", tmp_path / "store")
    scratch.write({"tree.yaml": MANIFEST, **FILES})
    chance = random.Random(seed)
    history: list[str] = []
    for _ in range(12):
        for _ in range(chance.randrange(1, 4)):
            history.append(edit(scratch, chance))
        ours = scratch.build(keep_going=True)
        clean = Scratch(tmp_path / "clean", tmp_path / "no-store")
        shutil.rmtree(clean.root, ignore_errors=True)
        shutil.copytree(scratch.root, clean.root, ignore=shutil.ignore_patterns("*.vo*", "*.glob", ".aetool"))
        theirs = build(clean.root, Request(), clean.options(store=None, keep_going=True))
        verdicts = {entry.file: entry.status for entry in ours.files}
        assert verdicts == {entry.file: entry.status for entry in theirs.files}, history
        made, expected = scratch.products(), clean.products()
        for name in expected:
            assert made[name] == expected[name], (name, history)
        if ours.passed:
            assert set(made) == set(expected), history
            seen = [audit(tree.root, options=tree.options()).as_json() for tree in (scratch, clean)]
            assert _without_counts(seen[0]) == _without_counts(seen[1]), history


def _without_counts(document: dict[str, object]) -> object:
    """Findings and verdicts, without what says how much had to be asked this time."""
    checks = document["checks"]
    assert isinstance(checks, list)
    return [(check["name"], check["passed"], sorted(str(f) for f in check["findings"])) for check in checks]
