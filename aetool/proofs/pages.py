# SPDX-License-Identifier: Apache-2.0
"""The tree as linked pages: each file with what Coq shows at each sentence, each C file, and an index.

The pages need no script, no network and no server. A sentence's goals open by a click, by the keyboard, or
by pointing at it; a browser without style sheets shows them all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

from aetool.core.process import write_file
from aetool.core.progress import Progress
from aetool.proofs.build import Build
from aetool.proofs.pages_index import index_data
from aetool.proofs.pages_markup import Token, anchors, c_tokens, coq_tokens, defined_names
from aetool.proofs.pages_source import Code, Filler, Fragment, Prose, fragments
from aetool.proofs.pages_trace import Shown, Trace, trace_of
from aetool.proofs.tree import Tree

MANIFEST = "pages.json"


@dataclass(frozen=True)
class Page:
    """A Coq file that has been read: its pieces, its trace (None if it does not check), its anchors."""

    file: str
    module: str
    parts: list[Fragment]
    trace: Trace | None
    anchors: Mapping[str, int]

    @property
    def sentences(self) -> list[Code]:
        """Its sentences in order."""
        return [part for part in self.parts if isinstance(part, Code)]


@dataclass(frozen=True)
class Written:
    """What was done: all pages, those whose bytes changed, and the files that have no goals."""

    pages: int
    changed: int
    unchecked: tuple[str, ...]


def read_pages(build: Build, jobs: int, progress: Progress) -> list[Page]:
    """Every file of a prepared tree with its trace. Raises ProofError, lexer.Unfinished."""
    states = build.states()
    project = build.project
    stop = Event()

    def read(file: str) -> Page:
        parts = fragments((project.root / file).read_bytes())
        checked = states[file] == "passed"
        trace = trace_of(project, file, build.inputs(file), stop) if checked else None
        progress.advance(file)
        sentences = [part for part in parts if isinstance(part, Code)]
        return Page(file, project.module_name(file), parts, trace, anchors(sentences))

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(read, file) for file in build.order]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def write_pages(tree: Tree, pages: list[Page], out: Path) -> Written:
    """Render everything into a folder, and remove pages of files that are gone. Raises StorageError."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("aetool.proofs"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    modules = {page.module: page for page in pages}
    texts: dict[str, str] = {"style.css": environment.get_template("pages.css").render()}
    file_template = environment.get_template("file.html.j2")
    for page in pages:
        link = partial(_link, modules, page)
        texts[url_of(page.module)] = file_template.render(page=page, entries=_entries(page, link))
    sources = _c_sources(tree)
    c_template = environment.get_template("source.html.j2")
    functions = {
        name: f"{source_url(file)}#{name}" for file, source in sources.items() for name in source.functions
    }
    for file, source in sources.items():
        lines = _c_lines(source, functions)
        texts[source_url(file)] = c_template.render(file=file, lines=lines)
    data = index_data(tree, modules, functions)
    texts["index.html"] = environment.get_template("index.html.j2").render(**data)
    changed = _write(texts, out)
    unchecked = tuple(page.file for page in pages if page.trace is None)
    return Written(len(texts) - 1, changed, unchecked)


def url_of(module: str, name: str = "") -> str:
    """The page of a module, at the place where `name` is defined."""
    return f"{quote(module)}.html" + (f"#{quote(name)}" if name else "")


def source_url(file: str) -> str:
    """The page of a C file or header."""
    return quote(file.replace("/", ".")) + ".html"


def _link(modules: Mapping[str, Page], page: Page, sentence: Code, word: str) -> str:
    """Where an identifier of a sentence is defined, or ""."""
    if "Require" in sentence.words:
        # From <prefix> Require Import <names>
        full = f"{sentence.words[1]}.{word}" if sentence.words[0] == "From" else word
        return url_of(full) if full in modules else ""
    full = page.trace.names.get(word, "") if page.trace else ""
    module = full
    while module:
        module, _, _ = module.rpartition(".")
        if module in modules:
            name = full.rpartition(".")[2]
            known = name in modules[module].anchors
            return url_of(module, name) if known else ""
    return ""


def _entries(page: Page, link: Any) -> list[dict[str, Any]]:
    """The pieces of a page in the form that the template prints."""
    shown = iter(page.trace.shown) if page.trace else None
    entries: list[dict[str, Any]] = []
    number = 0
    seen: set[str] = set()
    for part in page.parts:
        if isinstance(part, Prose):
            entries.append({"kind": "prose", "blocks": part.blocks})
        elif isinstance(part, Filler):
            entries.append({"kind": "filler", "tokens": coq_tokens(part.text, lambda word: "")})
        else:
            names = [name for name in defined_names(part) if name not in seen]
            seen.update(names)
            entries.append(
                {
                    "kind": "sentence",
                    "number": number,
                    "names": names,
                    "tokens": coq_tokens(part.text, partial(link, part)),
                    "shown": next(shown) if shown is not None else Shown(),
                }
            )
            number += 1
    return _joined(entries)


def _joined(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of code between two pieces of prose, each as one block, without blanks around them."""
    runs: list[dict[str, Any]] = []
    for entry in entries:
        if entry["kind"] == "prose":
            runs.append(entry)
        elif runs and runs[-1]["kind"] == "code":
            runs[-1]["entries"].append(entry)
        else:
            runs.append({"kind": "code", "entries": [entry]})
    for run in runs:
        if run["kind"] == "code":
            _trim(run["entries"])
    return [run for run in runs if run["kind"] == "prose" or run["entries"]]


def _trim(entries: list[dict[str, Any]]) -> None:
    """Drop empty lines at the start of a run and blanks at its end."""
    while entries and entries[0]["kind"] == "filler":
        text = "".join(token.text for token in entries[0]["tokens"])
        if text.strip():
            entries[0]["tokens"][0] = replace(first := entries[0]["tokens"][0], text=first.text.lstrip("\n"))
            break
        del entries[0]
    while entries and entries[-1]["kind"] == "filler":
        text = "".join(token.text for token in entries[-1]["tokens"])
        if text.strip():
            entries[-1]["tokens"][-1] = replace(last := entries[-1]["tokens"][-1], text=last.text.rstrip())
            break
        del entries[-1]


@dataclass(frozen=True)
class _Source:
    text: str
    functions: tuple[str, ...]


def _c_sources(tree: Tree) -> dict[str, _Source]:
    """The C files and headers of the layers, with the functions that each defines."""
    sources: dict[str, _Source] = {}
    for path in sorted([*tree.root.glob("layers/*.h"), *tree.root.glob("layers/*/*.c")]):
        text = path.read_text(encoding="utf-8")
        layer = tree.layer(path.parent.name)
        defined = tuple(name for name in (layer.functions if layer else ()) if f"{name}(" in text)
        sources[str(path.relative_to(tree.root))] = _Source(text, defined)
    return sources


def _c_lines(source: _Source, functions: Mapping[str, str]) -> list[dict[str, Any]]:
    """The lines of a C file with the function, if any, whose definition starts there."""
    lines: list[dict[str, Any]] = [{"anchor": "", "tokens": []}]
    waiting = list(source.functions)
    for token in c_tokens(source.text.rstrip("\n"), lambda name: functions.get(name, "")):
        for row, text in enumerate(token.text.split("\n")):
            if row:
                lines.append({"anchor": "", "tokens": []})
            if text:
                lines[-1]["tokens"].append(Token(text, token.kind, token.link))
            top = "".join(t.text for t in lines[-1]["tokens"])
            if token.text in waiting and top[:1].isalpha():
                lines[-1]["anchor"] = token.text
                waiting.remove(token.text)
    return lines


def _write(texts: Mapping[str, str], out: Path) -> int:
    """Write what differs; remove what an earlier run wrote and this one does not."""
    manifest = out / MANIFEST
    try:
        before = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = []
    changed = 0
    for name, text in texts.items():
        path = out / name
        if not path.is_file() or path.read_bytes() != text.encode():
            write_file(path, text)
            changed += 1
    for name in before:
        if name not in texts and "/" not in name:
            (out / name).unlink(missing_ok=True)
    if sorted(before) != sorted(texts):
        write_file(manifest, json.dumps(sorted(texts), indent=1) + "\n")
    return changed
