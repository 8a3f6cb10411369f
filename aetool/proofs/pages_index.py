# SPDX-License-Identifier: Apache-2.0
"""The index of the pages: what is claimed, then every part and layer told in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aetool.proofs.pages_source import Block, Prose, c_prose
from aetool.proofs.theorems import load_theorems
from aetool.proofs.tree import Layer, Tree

if TYPE_CHECKING:
    from aetool.proofs.pages import Page

# the order in which a layer is read
READING = ("Spec", "Rel", "Code", "ProofCode", "Refine", "Safe", "Test")


def index_data(tree: Tree, modules: Mapping[str, Page], functions: Mapping[str, str]) -> dict[str, Any]:
    """Everything that the template of the index prints."""
    pages = {page.file: page for page in modules.values()}
    parts = [
        {
            "name": part.name,
            "title": part.title,
            "files": [_file(pages[file]) for file in tree.files[part.name]],
        }
        for part in tree.manifest.parts
        if part.name in tree.files
    ]
    layers = sorted(tree.manifest.layers, key=lambda layer: layer.number)
    groups: dict[str, list[dict[str, Any]]] = {}
    for layer in layers:
        if layer.name in tree.files:
            groups.setdefault(layer.group, []).append(_layer(tree, layer, pages, functions))
    return {
        "root": tree.manifest.root,
        "theorems": _theorems(tree, modules),
        "parts": parts,
        "groups": groups,
        "missing": [layer for layer in layers if layer.name not in tree.files],
        "files": len(pages),
        "sentences": sum(len(page.sentences) for page in pages.values()),
        "unchecked": [page.file for page in pages.values() if page.trace is None],
    }


def _theorems(tree: Tree, modules: Mapping[str, Page]) -> list[dict[str, Any]]:
    return [
        {
            "claim": theorem.claim,
            "prose": theorem.prose,
            "name": theorem.name,
            "url": _url(modules, theorem.name),
            "witnesses": [(name, _url(modules, name)) for name in theorem.witnesses],
        }
        for theorem in load_theorems(tree.root).theorems
    ]


def _url(modules: Mapping[str, Page], full: str) -> str:
    module, _, name = full.rpartition(".")
    known = module in modules and name in modules[module].anchors
    return f"{quote(module)}.html#{quote(name)}" if known else ""


def _layer(
    tree: Tree, layer: Layer, pages: Mapping[str, Page], functions: Mapping[str, str]
) -> dict[str, Any]:
    files = [pages[file] for file in tree.files[layer.name]]
    source = tree.root / layer.folder / f"{layer.name}.c"
    prose = c_prose(source.read_text(encoding="utf-8")) if source.is_file() else []
    files.sort(key=lambda page: (_reading(page.file), page.file))
    # a specification may lie below the layer, where several layers share it
    everywhere = [*files, *pages.values()]
    own = [
        {
            "name": function,
            "c": functions.get(function, ""),
            "spec": _in(everywhere, f"{function}_spec"),
            "proof": _in(files, f"{function}_code"),
        }
        for function in layer.functions
    ]
    checked = all(page.trace is not None for page in files)
    return {
        "number": layer.number,
        "name": layer.name,
        "prose": prose,
        "functions": own,
        "files": [_file(page) for page in files],
        "checked": checked,
        "refinement": _in(files, f"{layer.name}_refines"),
    }


def _reading(file: str) -> int:
    stem = PurePosixPath(file).stem
    return READING.index(stem) if stem in READING else len(READING)


def _in(files: Sequence[Page], name: str) -> str:
    """Where one of the files defines a name, or ""."""
    for page in files:
        if name in page.anchors:
            return f"{quote(page.module)}.html#{quote(name)}"
    return ""


def _file(page: Page) -> dict[str, Any]:
    opening: Sequence[Block] = next((part.blocks for part in page.parts if isinstance(part, Prose)), ())
    paragraphs = [block for block in opening if block.kind == "paragraph"]
    return {
        "name": PurePosixPath(page.file).name,
        "file": page.file,
        "url": f"{quote(page.module)}.html",
        "prose": paragraphs[:1],
        "checked": page.trace is not None,
    }
