# SPDX-License-Identifier: Apache-2.0
"""A notebook for the Coq kernel that walks a layer: prose, C, specification, proofs, to be stepped through.

Each Coq file of the layer is retold in a module `Walk_<file>` of its own, so that its names do not hide
those of the compiled files that the later ones import. Cells and lines are short: the kernel reads through a
terminal, which hangs on lines over 4 kB.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aetool.core.errors import ConfigError
from aetool.proofs.build import Options, prepare
from aetool.proofs.clight import find_source, signatures
from aetool.proofs.pages_source import Block, Code, Prose, c_prose, fragments
from aetool.proofs.plan import Request
from aetool.proofs.store import default_store
from aetool.proofs.tree import Layer, load_tree

if TYPE_CHECKING:
    from nbformat import NotebookNode

CELL_LINES = 16
LINE_LENGTH = 110
PROOF_ENDS = ("Qed", "Defined", "Abort")
IMPORTS = ("From", "Require", "Import", "Export")
TITLES = {
    "Spec": "Specification",
    "SpecTac": "Hints for the proofs",
    "ProofCode": "The code meets the specification",
    "Refine": "Refinement",
    "Safe": "The specification says something",
    "Test": "Examples by computation",
}


def compose(proofs: Path, name: str, folder: Path) -> NotebookNode:
    """The notebook of a layer, for a file in `folder`.

    Raises ConfigError if there is no such layer, or it has no files yet.
    """
    from nbformat import v4

    layer = load_tree(proofs).layer(name)
    if layer is None:
        raise ConfigError(f"{proofs / 'tree.yaml'} names no layer {name!r}")
    new_cell: dict[str, Any] = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    cells = [
        # with an id of its own, the same notebook gives the same bytes
        new_cell[kind](source, id=f"cell-{number}")
        for number, (kind, source) in enumerate(_cells(proofs, layer, folder), start=1)
    ]
    kernel = {"name": "coq", "display_name": "Coq", "language": "coq"}
    notebook: NotebookNode = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})  # type: ignore[no-untyped-call]
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook. Raises StorageError."""
    import nbformat

    from aetool.core.process import write_file

    nbformat.validate(notebook)
    write_file(path, nbformat.writes(notebook) + "\n")  # type: ignore[no-untyped-call]


def files_in_order(proofs: Path, layer: Layer) -> list[str]:
    """The Coq files of a layer, each behind those that it needs."""
    with prepare(proofs, Request((layer.name,)), Options(store=default_store())) as build:
        return [file for file in build.order if file.startswith(f"{layer.folder}/")]


def _cells(proofs: Path, layer: Layer, folder: Path) -> Iterator[tuple[str, str]]:
    functions = ", ".join(f"`{function}`" for function in layer.functions)
    yield "markdown", f"# Layer {layer.number}, {layer.name}\n\n{layer.group}. Functions: {functions}."
    source = find_source(proofs, layer.name) if (proofs / layer.folder / f"{layer.name}.c").exists() else None
    files = files_in_order(proofs, layer)
    load_path = os.path.relpath(proofs.resolve(), folder.resolve())
    if source is not None:
        text = source.read_text(encoding="utf-8")
        yield "markdown", markdown(c_prose(text))
        yield "markdown", f"## The C code\n\n```c\n{_without_opening(text)}\n```"
    yield "markdown", "## The proofs\n\nThey must have been built: `aetool proofs build " + layer.name + "`."
    yield "code", f'Add LoadPath "{load_path}" as SeKVM.'
    for file in files:
        stem = Path(file).stem
        if stem == "Code":
            module = f"SeKVM.layers.{layer.name}"
            yield "markdown", f"### The generated terms\n\n`{file}`"
            yield "code", f"From SeKVM.lib Require Import Lang.\nFrom {module} Require Import Code."
            yield "code", "Module Walk_Code.\nLocal Open Scope string_scope.\nLocal Open Scope Z_scope."
            for function in signatures(source) if source is not None else ():
                # not `Code.f_...`: the kernel takes any period for the end of a sentence and tries
                yield "code", f"Print f_{function}."
            yield "code", "End Walk_Code."
            continue
        yield "markdown", f"### {TITLES.get(stem, stem)}\n\n`{file}`"
        yield from _walk(stem, (proofs / file).read_bytes())


def _walk(stem: str, data: bytes) -> Iterator[tuple[str, str]]:
    """One file: its imports, then the rest in a module, in cells of a few sentences."""
    parts = [part for part in fragments(data) if not isinstance(part, str)]
    imports = [i for i, part in enumerate(parts) if isinstance(part, Code) and part.words[0] in IMPORTS]
    last_import = max(imports, default=-1)
    opened = False
    cell: list[str] = []
    proving = False

    def flush() -> Iterator[tuple[str, str]]:
        if cell:
            yield "code", "\n".join(cell)
            cell.clear()

    for index, part in enumerate(parts):
        if index > last_import and not opened and isinstance(part, Code):
            yield from flush()
            yield "code", f"Module Walk_{stem}."
            opened = True
        if isinstance(part, Prose):
            if not proving:
                yield from flush()
                yield "markdown", markdown(part.blocks, deeper=3)
        elif isinstance(part, Code):
            text = _short_lines(part.text)
            if cell and sum(entry.count("\n") + 1 for entry in cell) + text.count("\n") >= CELL_LINES:
                yield from flush()
            cell.append(text)
            proving = (proving or part.words[0] == "Proof") and part.words[0] not in PROOF_ENDS
            if not proving and index >= last_import and not _proof_follows(parts, index):
                yield from flush()
    yield from flush()
    if opened:
        yield "code", f"End Walk_{stem}."


def _proof_follows(parts: Sequence[object], index: int) -> bool:
    following = next((part for part in parts[index + 1 :] if isinstance(part, Code)), None)
    return following is not None and following.words[0] == "Proof"


def _short_lines(text: str) -> str:
    """The text with long lines broken at blanks; a line that holds a string or comment stays whole."""
    lines: list[str] = []
    for line in text.splitlines():
        while len(line) > LINE_LENGTH and '"' not in line and "(*" not in line:
            cut = line.rfind(" ", 0, LINE_LENGTH)
            if cut <= len(line) - len(line.lstrip()):
                break
            lines.append(line[:cut])
            line = "    " + line[cut + 1 :]
        lines.append(line)
    return "\n".join(lines)


def _without_opening(text: str) -> str:
    """The C text without its licence line and opening comment, which the notebook tells as prose."""
    return re.sub(r"\A(\s*/\*.*?\*/)+\s*", "", text, flags=re.DOTALL).strip()


def markdown(blocks: Sequence[Block], deeper: int = 0) -> str:
    """Prose as Markdown; headings `deeper` levels further down."""
    parts: list[str] = []
    for block in blocks:
        text = "".join(f"`{piece}`" if code else _escaped(piece) for code, piece in block.pieces)
        prefix = {"heading": "#" * (block.level + deeper) + " ", "item": "- "}.get(block.kind, "")
        parts.append(prefix + text)
    return "\n\n".join(parts)


def _escaped(text: str) -> str:
    return re.sub(r"([*_`<>#\\])", r"\\\1", text)
