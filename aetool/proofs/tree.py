# SPDX-License-Identifier: Apache-2.0
"""The manifest `proofs/tree.yaml`: which parts the tree has, and the 34 layers with their functions.

The manifest names folders; every Coq file in the tree must lie in one of them, so nothing is left out of
the build or of the audit by accident. `_CoqProject` is generated from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pydantic import Field

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError
from aetool.proofs.coqproject import PROJECT_FILE, LoadPath, Project
from aetool.proofs.record import coq_files

MANIFEST = "tree.yaml"
NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
FUNCTION = r"^[A-Za-z_][A-Za-z0-9_]*$"

Kind = Literal["library", "machine", "wdrf", "stack", "security", "theorems"]


class Part(Model):
    """A part of the tree that is not a layer: a folder, or files at the top (names, or patterns with *)."""

    name: str = Field(pattern=NAME)
    kind: Kind
    title: str
    folder: str | None = None
    files: tuple[str, ...] = ()


class Layer(Model):
    """One of the layers; its folder is `layers/<name>` and may not exist yet.

    missing: functions of a layer that exists which it does not have yet.
    """

    number: int = Field(ge=1)
    name: str = Field(pattern=NAME)
    group: str
    functions: tuple[str, ...] = Field(min_length=1)
    missing: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Where its files lie, relative to the tree."""
        return f"layers/{self.name}"


class Manifest(Model):
    """The whole of `tree.yaml`."""

    root: str = Field(pattern=NAME)
    parts: tuple[Part, ...]
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Tree:
    """The manifest together with the files that are really there.

    files: Coq files of each part and of each layer that exists, by name, relative to `root`.
    """

    root: Path
    manifest: Manifest
    files: dict[str, tuple[str, ...]]

    @property
    def project(self) -> Project:
        """The tree as the driver compiles it."""
        names = tuple(file for files in self.files.values() for file in files)
        load_paths = (LoadPath("-Q", ".", self.manifest.root),)
        return Project(self.root, load_paths, (), (), names, dict(self.files))

    def layer(self, name: str) -> Layer | None:
        """The layer of that name, if there is one."""
        return next((layer for layer in self.manifest.layers if layer.name == name), None)

    def project_text(self) -> str:
        """What `_CoqProject` has to say."""
        titles = {part.name: part.title for part in self.manifest.parts}
        titles |= {layer.name: f"layer {layer.number}" for layer in self.manifest.layers}
        lines = [
            "# Generated from tree.yaml by `aetool proofs build`; do not edit.",
            f"-Q . {self.manifest.root}",
        ]
        for name, files in self.files.items():
            lines += ["", f"# {name}: {titles[name]}", *files]
        return "\n".join(lines) + "\n"


def load_tree(root: Path) -> Tree:
    """Read `root/tree.yaml` and find the files; raises ConfigError.

    Errors: anything wrong in the manifest, a Coq file that belongs to no part, a part without files.
    """
    path = root / MANIFEST
    manifest = load_yaml(path, Manifest)
    _check(path, manifest)
    remaining = coq_files(root)
    files: dict[str, tuple[str, ...]] = {}
    for part in manifest.parts:
        mine = [file for file in remaining if part.folder and file.startswith(f"{part.folder}/")]
        for pattern in part.files:
            named = [file for file in remaining if fnmatchcase(file, pattern)]
            if not named and "*" not in pattern:
                raise ConfigError(f"{path}: part {part.name!r} names {pattern}, which does not exist")
            mine += named
        remaining = [file for file in remaining if file not in mine]
        if mine:
            files[part.name] = tuple(mine)
    for layer in sorted(manifest.layers, key=lambda layer: layer.number):
        mine = [file for file in remaining if file.startswith(f"{layer.folder}/")]
        remaining = [file for file in remaining if file not in mine]
        if mine:
            files[layer.name] = tuple(mine)
    if remaining:
        raise ConfigError(
            f"{root / remaining[0]} belongs to no part or layer of {path}",
            detail="\n".join(remaining[1:]) or None,
            hint="add its folder to the manifest, or move or remove the file",
        )
    if not files:
        raise ConfigError(f"{root} has no Coq files")
    return Tree(root, manifest, files)


def _check(path: Path, manifest: Manifest) -> None:
    names = [part.name for part in manifest.parts] + [layer.name for layer in manifest.layers]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: the name {name!r} stands for two parts or layers")
    for part in manifest.parts:
        if bool(part.folder) == bool(part.files):
            raise ConfigError(f"{path}: part {part.name!r} needs either a folder or files")
    numbers = sorted(layer.number for layer in manifest.layers)
    if numbers != list(range(1, len(numbers) + 1)):
        raise ConfigError(f"{path}: the layers are not numbered from 1 to {len(numbers)}, each once")
    owners: dict[str, str] = {}
    for layer in manifest.layers:
        for function in layer.missing:
            if function not in layer.functions:
                raise ConfigError(f"{path}: {layer.name} misses {function!r}, which is not a function of it")
        for function in layer.functions:
            if function in owners:
                raise ConfigError(
                    f"{path}: the function {function!r} stands in {owners[function]} and in {layer.name}"
                )
            owners[function] = layer.name


def is_tree(root: Path) -> bool:
    """Whether `root` has a manifest (else it is a plain Coq project)."""
    return (root / MANIFEST).is_file()


def project_file(root: Path) -> Path:
    """Where `_CoqProject` lies."""
    return root / PROJECT_FILE
