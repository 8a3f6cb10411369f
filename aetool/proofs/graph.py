# SPDX-License-Identifier: Apache-2.0
"""Which file depends on which, asked of `coqdep`, and in which order they can be compiled."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aetool.core.errors import ConfigError, ProofError
from aetool.proofs.coq import Toolchain
from aetool.proofs.coqproject import Project


@dataclass(frozen=True)
class Requires:
    """What one file needs: files of the project, texts that it loads, compiled files outside the project."""

    files: tuple[str, ...]
    loads: tuple[str, ...]
    externals: tuple[str, ...]


_WORD = re.compile(r"((?:\\ |[^ ])+)")


def dependencies(project: Project, toolchain: Toolchain, timeout: float = 120) -> dict[str, Requires]:
    """Run coqdep over the whole project.

    Raises ProofError if a file requires a library that is not there, or one that lies inside the project's
    own folders without being one of its files (such as a compiled file whose source is gone).
    """
    from aetool.core.process import run

    outside = [word for root in toolchain.roots() for word in root]
    command = [*toolchain.dependencies, "-boot", *outside, *project.load_options, *project.files]
    done = run(command, timeout=timeout, cwd=project.root, check=False)
    if done.status != 0:
        raise ProofError(f"{project.root}: the dependencies cannot be found", detail=done.tail)
    rules: dict[str, list[str]] = {}
    for line in done.output.splitlines():
        target, colon, needed = line.partition(": ")
        if line.startswith("*** Warning:") and "has not been found" in line:
            raise ProofError(
                f"{project.root}: {line.removeprefix('*** Warning: ').removesuffix('!')}",
                hint="correct the Require, or add the library's folder to the load path",
            )
        words = [word.replace("\\ ", " ") for word in _WORD.findall(target)]
        if colon and words and words[0].endswith(".vo"):
            rules[os.path.normpath(words[0])] = [w.replace("\\ ", " ") for w in _WORD.findall(needed)]
    prelude = Path(toolchain.library) / "theories/Init/Prelude.vo"
    implicit = [str(prelude)] if prelude.is_file() and "-noinit" not in project.arguments else []
    return {file: _sort_out(project, file, rules.get(f"{file}o"), implicit) for file in project.files}


def _sort_out(project: Project, file: str, needed: list[str] | None, implicit: list[str]) -> Requires:
    if needed is None:
        raise ProofError(f"{project.root / file}: coqdep says nothing about this file")
    known = set(project.files)
    files: list[str] = []
    loads: list[str] = []
    externals = list(implicit)
    for word in needed:
        path = os.path.normpath(word)
        source = path[:-1]
        if path.endswith(".v"):
            if path != file:
                loads.append(path)
        elif not path.endswith(".vo"):
            externals.append(path)  # a plugin
        elif source in known:
            files.append(source)
        elif path.startswith("/") or path.startswith(".."):
            externals.append(path)
        else:
            state = (
                "is not one of the project's files" if (project.root / source).exists() else "has no source"
            )
            raise ProofError(
                f"{project.root / file}: requires {path}, which {state}",
                hint=f"remove the Require, or add {source} to the project",
            )
    return Requires(tuple(dict.fromkeys(files)), tuple(dict.fromkeys(loads)), tuple(dict.fromkeys(externals)))


def in_order(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """All files, each after what it depends on; raises ConfigError that shows a cycle if there is one."""
    done: dict[str, None] = {}
    for start in graph:
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            file, leaving = stack.pop()
            if leaving:
                path.pop()
                done[file] = None
            elif file not in done:
                if file in path:
                    cycle = [*path[path.index(file) :], file]
                    raise ConfigError(
                        f"these files require one another in a circle: {' -> '.join(cycle)}",
                        hint="move what they share into a file of its own",
                    )
                path.append(file)
                stack.append((file, True))
                stack += [(needed, False) for needed in graph[file]]
    return list(done)


def closure(graph: Mapping[str, Iterable[str]], start: Iterable[str]) -> set[str]:
    """The files of `start` and all that they depend on."""
    found: set[str] = set()
    todo = list(start)
    while todo:
        file = todo.pop()
        if file not in found:
            found.add(file)
            todo += graph[file]
    return found
