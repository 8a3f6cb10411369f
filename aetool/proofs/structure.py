# SPDX-License-Identifier: Apache-2.0
"""What the tree owes its manifest: generated code in sync, a theorem for each function and each layer.

The theorems are found by name and then by what they say: a code theorem speaks of the function's code and
of its specification, a refinement theorem says `refines` and speaks of the layer's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aetool.core.errors import ConfigError
from aetool.proofs.assumptions import Answer
from aetool.proofs.theorems import Theorem
from aetool.proofs.tree import Layer, Tree
from aetool.proofs.vernacular import Finding

OWED = ("Code.v", "Spec.v", "ProofCode.v", "Refine.v", "Test.v")


@dataclass(frozen=True)
class Duty:
    """A theorem that a layer owes: its full name and the words that its statement must hold.

    deferred: the manifest says that the function is still missing.
    """

    layer: str
    name: str
    words: tuple[str, ...]
    deferred: bool = False


def has_code(tree: Tree, layer: Layer) -> bool:
    """Whether a layer has come so far that it owes its theorems: there is C or Coq code of it."""
    folder = tree.root / layer.folder
    return (folder / f"{layer.name}.c").is_file() or (folder / "Code.v").is_file()


def duties(tree: Tree) -> list[Duty]:
    """The theorems that the layers with code owe."""
    found: list[Duty] = []
    for layer in tree.manifest.layers:
        if has_code(tree, layer):
            base = f"{tree.manifest.root}.layers.{layer.name}"
            for function in layer.functions:
                name = f"{base}.ProofCode.{function}_code"
                words = (f"f_{function}", f"{function}_spec")
                found.append(Duty(layer.name, name, words, function in layer.missing))
            found.append(Duty(layer.name, f"{base}.Refine.{layer.name}_refines", ("refines", "code")))
    return found


def check_files(tree: Tree) -> Iterator[Finding]:
    """A layer with code must have all of its files, and code that is what its C gives."""
    from aetool.proofs.clight import render

    for layer in tree.manifest.layers:
        if not has_code(tree, layer):
            continue
        folder = tree.root / layer.folder
        for name in (f"{layer.name}.c", *OWED):
            if not (folder / name).is_file():
                path = f"{layer.folder}/{name}"
                yield Finding(f"{path}:missing", path, "the layer has code but lacks this file")
        source, code = folder / f"{layer.name}.c", folder / "Code.v"
        if source.is_file() and code.is_file():
            try:
                same = code.read_text(encoding="utf-8") == render(source)
            except ConfigError as error:
                yield Finding(f"{layer.folder}/{source.name}:refused", error.message, "has no translation")
                continue
            if not same:
                path = f"{layer.folder}/Code.v"
                message = f"is not what {source.name} gives now; run: aetool proofs clight {layer.name}"
                yield Finding(f"{path}:stale", path, message)
    yield from check_hypercalls(tree)


def check_hypercalls(tree: Tree) -> Iterator[Finding]:
    """What is generated from the table of hypercalls, if the tree has one, is what the table gives."""
    from aetool.proofs import hypercalls

    if not (tree.root / hypercalls.TABLE).is_file():
        return
    try:
        stale = hypercalls.stale(tree.root)
    except ConfigError as error:
        yield Finding(f"{hypercalls.TABLE}:refused", error.message, "nothing can be generated from it")
        return
    for path in stale:
        message = f"is not what {hypercalls.TABLE} gives now; run: aetool proofs hypercalls"
        yield Finding(f"{path.name}:stale", str(path), message)


def check_duties(owed: list[Duty], answers: Mapping[str, Answer]) -> Iterator[Finding]:
    """Each owed theorem exists and speaks of what it should."""
    for duty in owed:
        answer = answers[duty.name]
        if answer.statement is None:
            message = "this theorem is owed by its layer and missing"
            if duty.deferred:
                message += "; the manifest says that the function is not there yet"
            yield Finding(f"{duty.name}:missing", duty.name, message, duty.deferred)
            continue
        if duty.deferred:
            yield Finding(f"{duty.name}:there", duty.name, "is there, but the manifest calls it missing")
        said = {part for word in answer.statement.replace("@", " ").split() for part in _parts(word)}
        absent = [word for word in duty.words if word not in said]
        if absent:
            message = f"does not speak of {' and '.join(absent)}; it says: {answer.statement}"
            yield Finding(f"{duty.name}:statement", duty.name, message)


def _parts(word: str) -> list[str]:
    return word.strip("()[]{},;").split(".")


def check_map(theorems: tuple[Theorem, ...], answers: Mapping[str, Answer]) -> Iterator[Finding]:
    """Each theorem of the map exists with the statement that was reviewed; so do its witnesses."""
    for theorem in theorems:
        answer = answers[theorem.name]
        if answer.statement is None:
            yield Finding(
                f"{theorem.name}:missing", theorem.name, "stands in the theorem map but not in the tree"
            )
        elif answer.digest != theorem.statement:
            message = (
                f"its statement is not the one that was reviewed; it is now\n{answer.statement}\n"
                f"review it, then write its digest into the map: {answer.digest}"
            )
            yield Finding(f"{theorem.name}:statement", theorem.name, message)
        for witness in theorem.witnesses:
            if answers[witness].statement is None:
                message = f"its witness {witness} is not in the tree"
                yield Finding(f"{theorem.name}:witness", theorem.name, message)
