# SPDX-License-Identifier: Apache-2.0
"""A Coq project as the driver sees it: load path, options, files; read from any `_CoqProject`.

Ours is generated from the manifest (see `tree`), so the same reader serves both.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from aetool.core.errors import ConfigError

PROJECT_FILE = "_CoqProject"


@dataclass(frozen=True)
class LoadPath:
    """`-Q directory name` or `-R directory name`; `flag` is one of the two."""

    flag: str
    directory: str
    name: str


@dataclass(frozen=True)
class Project:
    """Files to compile, in paths relative to `root`, with what `coqc` has to be told about them.

    parts: names of groups of files that a user may ask for, in order; empty for a foreign project.
    """

    root: Path
    load_paths: tuple[LoadPath, ...]
    ml_paths: tuple[str, ...]
    arguments: tuple[str, ...]
    files: tuple[str, ...]
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def options(self) -> list[str]:
        """Arguments of coqc, coqtop and coqidetop."""
        return [*self.load_options, *self.arguments]

    @property
    def load_options(self) -> list[str]:
        """Those of them that say where libraries lie."""
        words = [word for path in self.ml_paths for word in ("-I", path)]
        for path in self.load_paths:
            words += [path.flag, path.directory, path.name]
        return words

    def directory_name(self, directory: str) -> str | None:
        """The logical name of a directory: the last load path above it wins, as in Coq; None outside all."""
        found = None
        for path in self.load_paths:
            base = os.path.normpath(path.directory)
            if base == "." and not directory.startswith(".."):
                below = directory
            elif directory == base or directory.startswith(base + "/"):
                below = directory[len(base) + 1 :]
            else:
                continue
            found = ".".join(part for part in (path.name, *below.split("/")) if part and part != ".")
        return found

    def module_name(self, file: str) -> str:
        """The full logical name of a file, such as `SeKVM.lib.Lang`."""
        pure = PurePosixPath(file)
        return ".".join(part for part in (self.directory_name(str(pure.parent)), pure.stem) if part)


def read_project(root: Path) -> Project:
    """Read `root/_CoqProject`; raises ConfigError naming file and line."""
    path = root / PROJECT_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: no such file",
            hint=f"a project needs a {PROJECT_FILE} that names its load paths and files",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    words: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        try:
            words += [(number, word) for word in shlex.split(line, comments=True)]
        except ValueError as error:
            raise ConfigError(f"{path}:{number}: {error}") from error
    return _interpret(root, path, words)


def _interpret(root: Path, path: Path, words: list[tuple[int, str]]) -> Project:
    load_paths: list[LoadPath] = []
    ml_paths: list[str] = []
    arguments: list[str] = []
    files: dict[str, int] = {}
    at = 0

    def take(count: int, number: int, flag: str) -> list[str]:
        nonlocal at
        if at + count > len(words):
            raise ConfigError(f"{path}:{number}: {flag} wants {count} argument{'s' if count > 1 else ''}")
        taken = [word for _, word in words[at : at + count]]
        at += count
        return taken

    while at < len(words):
        number, word = words[at]
        at += 1
        if word in ("-Q", "-R"):
            directory, name = take(2, number, word)
            if not (root / directory).is_dir():
                raise ConfigError(f"{path}:{number}: {word} {directory}: no such directory")
            load_paths.append(LoadPath(word, os.path.normpath(directory), "" if name == '""' else name))
        elif word == "-I":
            ml_paths += take(1, number, word)
        elif word == "-arg":
            arguments += shlex.split(take(1, number, word)[0])
        elif word in ("-docroot", "-generate-meta-for-package", "-o"):
            take(1, number, word)
        elif words[at : at + 1] == [(number, "=")]:
            take(2, number, word)  # a variable for make
        elif word.startswith("-"):
            arguments.append(word)
        elif word.endswith(".v"):
            file = os.path.normpath(word)
            if file in files:
                raise ConfigError(f"{path}:{number}: {file} was named already in line {files[file]}")
            if not (root / file).is_file():
                raise ConfigError(f"{path}:{number}: {file}: no such file")
            files[file] = number
        elif word.endswith((".ml", ".mli", ".mlg", ".mlpack", ".mllib")):
            raise ConfigError(f"{path}:{number}: {word}: plugins in OCaml are not built by this driver")
        else:
            raise ConfigError(f"{path}:{number}: {word!r} is neither an option nor a Coq file")
    if not files:
        raise ConfigError(f"{path}: names no Coq file")
    return Project(root, tuple(load_paths), tuple(ml_paths), tuple(arguments), tuple(files))
