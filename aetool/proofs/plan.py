# SPDX-License-Identifier: Apache-2.0
"""What determines a compiled file, and which files a request is about."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aetool.core.errors import ConfigError, ProofError
from aetool.proofs import vo
from aetool.proofs.coq import Toolchain
from aetool.proofs.coqproject import Project
from aetool.proofs.graph import closure
from aetool.proofs.record import Entry, Record

KEY_FORMAT = "aetool proof key 1"


@dataclass(frozen=True)
class Request:
    """What to build.

    names: parts, layers, files or modules; none means everything. upto: also all parts before them.
    only: nothing but their own files, whose dependencies must be up to date.
    """

    names: tuple[str, ...] = ()
    upto: bool = False
    only: bool = False


def fixed_inputs(
    project: Project, toolchain: Toolchain, record: Record, file: str, entry: Entry
) -> dict[str, str]:
    """Digests of everything that goes into a compiled file but the interfaces of its dependencies.

    Raises ProofError if a file that it needs cannot be read.
    """
    inputs = {
        "format": KEY_FORMAT,
        "coq": toolchain.identity,
        "name": project.module_name(file),
        "path": file,  # tactics remember where they were defined
        "options": json.dumps(project.arguments),
    }
    for kind, names in (("source", [file]), ("text", entry.loads)):
        for name in names:
            digest = record.digest(name)
            if digest is None:
                raise ProofError(f"{project.root / name}: cannot be read")
            inputs["source" if kind == "source" else f"text {name}"] = digest
    for name in entry.externals:
        inputs[f"interface {name}"] = external_interface(record, name)
    return inputs


def external_interface(record: Record, name: str) -> str:
    """Interface digest of a compiled file outside the project, read again only when the file changed."""
    from aetool.proofs.record import signature

    path = record.root / name
    state = signature(path)
    known = record.digests.get(name)
    if state and known and known[0] == state:
        return known[1]
    try:
        return record.remember(name, vo.read(path).interface)
    except OSError as error:
        raise ProofError(
            f"{name}: cannot be read: {error.strerror}", hint="build the project that it belongs to first"
        ) from error


def key_of(inputs: Mapping[str, str]) -> str:
    """The name under which the store keeps what these inputs give."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def why_changed(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """In words, the first reason for which inputs differ."""
    if not old:
        return "it was never built"
    for name in ("coq", "options", "format", "path", "name"):
        if old.get(name) != new.get(name):
            return {"coq": "another Coq", "options": "other options"}.get(
                name, "it was built by another aetool"
            )
    if old.get("source") != new.get("source"):
        return "its source changed"
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    names = ", ".join(name.partition(" ")[2] for name in changed[:3]) + (", ..." if len(changed) > 3 else "")
    if all(name in new and name in old for name in changed):
        return (
            f"the interface of {names} changed" if changed[0].startswith("interface") else f"{names} changed"
        )
    return f"it depends on other files than before ({names})"


def select(project: Project, graph: Mapping[str, Sequence[str]], request: Request) -> set[str]:
    """The files that a request is about, with what they depend on unless `only`; raises ConfigError."""
    if not request.names:
        return set(project.files)
    chosen: set[str] = set()
    for name in request.names:
        chosen |= set(_named(project, name))
    if request.upto and project.parts:
        order = list(project.parts)
        last = max(i for i, part in enumerate(order) if chosen & set(project.parts[part]))
        for part in order[: last + 1]:
            chosen |= set(project.parts[part])
    return chosen if request.only else closure(graph, chosen)


def _named(project: Project, name: str) -> tuple[str, ...]:
    if name in project.parts:
        return project.parts[name]
    relative = name
    path = Path(name).resolve()
    if path.is_relative_to(project.root.resolve()):
        relative = str(path.relative_to(project.root.resolve()))
    for candidate in (name, relative):
        inside = tuple(
            file for file in project.files if file == candidate or file.startswith(f"{candidate}/")
        )
        if inside:
            return inside
    for file in project.files:
        if project.module_name(file) == name:
            return (file,)
    import difflib

    close = difflib.get_close_matches(name, [*project.parts, *project.files], n=1)
    raise ConfigError(
        f"{name!r} is no part, layer, file or module of {project.root}",
        hint=f"did you mean {close[0]!r}?" if close else "`aetool proofs status` lists what there is",
    )
