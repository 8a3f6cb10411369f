# SPDX-License-Identifier: Apache-2.0
"""The state of the tree in one document: for `aetool proofs status`, the report and the pages.

Nothing is compiled here. A file counts as passed only if its compiled file is the one that came of what is
there now.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aetool.core.progress import Progress, Silent
from aetool.proofs.assumptions import Answer
from aetool.proofs.audit import audit, remembered
from aetool.proofs.build import Build, Options
from aetool.proofs.lexer import Unfinished, sentences
from aetool.proofs.plan import Request
from aetool.proofs.structure import duties
from aetool.proofs.theorems import load_theorems
from aetool.proofs.tree import Layer, Tree, load_tree

COLUMNS = ("Code.v", "Spec.v", "ProofCode.v", "Refine.v", "Test.v")
_ENDS = frozenset(("Qed", "Defined", "Admitted", "Abort", "Save"))


@dataclass(frozen=True)
class Lines:
    """Lines of a Coq file that hold statements and definitions, and lines that hold proofs."""

    spec: int
    proof: int


def count_lines(data: bytes) -> Lines:
    """Count lines without blank ones and comments; a line with both counts as specification."""
    spec: set[int] = set()
    proof: set[int] = set()
    inside = False
    try:
        for sentence in sentences(data):
            head = sentence.words[0] if sentence.words else ""
            inside = inside or head == "Proof"
            first = sentence.line
            covered = range(first, first + data.count(b"\n", sentence.start, sentence.end) + 1)
            (proof if inside else spec).update(covered)
            if head in _ENDS:
                inside = False
    except Unfinished:
        pass
    return Lines(len(spec), len(proof - spec))


def inspect(root: Path) -> tuple[Build, Tree]:
    """The tree and what is known of it, without compiling or locking."""
    return Build(root.resolve(), Request(), Options(), []), load_tree(root.resolve())


def summary(root: Path, progress: Progress | None = None) -> dict[str, Any]:
    """The whole document (`proofs.json` of a run directory).

    The audit is asked if every file passes (it remembers what it saw), else its part is null.
    Raises ConfigError, ProofError, MissingToolError.
    """
    build, tree = inspect(root)
    states = build.states()
    passed = all(state == "passed" for state in states.values())
    result = audit(root, progress=progress or Silent()) if passed else None
    answers = result.answers if result else remembered(build)
    parts = [_part(build, tree, name, states) for name in tree.files]
    return {
        "coq": build.toolchain.version,
        "passed": passed,
        "parts": parts,
        "layers_total": len(tree.manifest.layers),
        "layers_missing": [
            {"number": layer.number, "name": layer.name}
            for layer in _by_number(tree)
            if not complete(tree, layer)
        ],
        "theorems": [
            _theorem(answers.get(theorem.name), theorem) for theorem in load_theorems(tree.root).theorems
        ],
        "audit": result.as_json() if result else None,
    }


def layer_rows(root: Path) -> list[dict[str, Any]]:
    """One row for each layer of the manifest, whether it exists or not."""
    build, tree = inspect(root)
    states = build.states()
    answers = remembered(build)
    owed: dict[str, list[str]] = {}
    for duty in (duty for duty in duties(tree) if not duty.deferred):
        owed.setdefault(duty.layer, []).append(duty.name)
    rows: list[dict[str, Any]] = []
    for layer in _by_number(tree):
        files = tree.files.get(layer.name, ())
        known = [answers.get(name) for name in owed.get(layer.name, [])]
        closed = bool(known) and all(answer is not None and answer.status == "closed" for answer in known)
        row: dict[str, Any] = {"number": layer.number, "name": layer.name, "group": layer.group}
        row["functions"] = list(layer.functions)
        for name in COLUMNS:
            row[name] = states.get(f"{layer.folder}/{name}")
        row["seconds"] = round(sum(build.record.entries[file].seconds for file in files), 3)
        counted = [count_lines((tree.root / file).read_bytes()) for file in files]
        row["lines_spec"] = sum(lines.spec for lines in counted)
        row["lines_proof"] = sum(lines.proof for lines in counted)
        row["lines_c"] = c_lines(tree, layer)
        row["audit"] = "closed" if closed else ("open" if all(known) and known else None)
        row["complete"] = complete(tree, layer)
        rows.append(row)
    return rows


def complete(tree: Tree, layer: Layer) -> bool:
    """Whether a layer has all of its functions and files (not: whether they pass)."""
    folder = tree.root / layer.folder
    return not layer.missing and all((folder / name).is_file() for name in (*COLUMNS, f"{layer.name}.c"))


def c_lines(tree: Tree, layer: Layer) -> int:
    """Lines of a layer's C that are not blank; comments count."""
    path = tree.root / layer.folder / f"{layer.name}.c"
    if not path.is_file():
        return 0
    return sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


def _by_number(tree: Tree) -> list[Layer]:
    return sorted(tree.manifest.layers, key=lambda layer: layer.number)


def _part(build: Build, tree: Tree, name: str, states: dict[str, str]) -> dict[str, Any]:
    layer = tree.layer(name)
    part = next((part for part in tree.manifest.parts if part.name == name), None)
    files, spec, proof = [], 0, 0
    for file in tree.files[name]:
        data = (tree.root / file).read_bytes()
        lines = count_lines(data)
        spec, proof = spec + lines.spec, proof + lines.proof
        files.append(
            {
                "path": file,
                "status": states[file],
                "seconds": build.record.entries[file].seconds,
                "lines": lines.spec + lines.proof,
            }
        )
    found = {str(entry["status"]) for entry in files}
    status = (
        "passed" if found == {"passed"} else ("failed" if found - {"passed", "not built"} else "not built")
    )
    return {
        "name": name,
        "kind": "layer" if layer else (part.kind if part else "library"),
        "number": layer.number if layer else None,
        "title": part.title if part else f"layer {layer.number if layer else ''}, {name}",
        "group": layer.group if layer else None,
        "functions": list(layer.functions) if layer else [],
        "status": status,
        "files": files,
        "seconds": round(sum(build.record.entries[file].seconds for file in tree.files[name]), 3),
        "lines_spec": spec,
        "lines_proof": proof,
        "lines_c": c_lines(tree, layer) if layer else 0,
    }


def _theorem(answer: Answer | None, theorem: Any) -> dict[str, Any]:
    return {
        "name": theorem.name,
        "claim": theorem.claim,
        "prose": theorem.prose,
        "statement": answer.statement if answer else None,
        "status": answer.status if answer else "missing",
        "assumptions": list(answer.assumptions) if answer else [],
        "witnesses": list(theorem.witnesses),
    }
