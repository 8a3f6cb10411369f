# SPDX-License-Identifier: Apache-2.0
"""Kernels built from any tree: a base configuration and fragments on top, out of the tree, cross-compiled.

An interrupted build goes on where it stopped. Options that a fragment asks for and the tree does not grant
are an error before the build begins: a kernel that silently lacks KVM costs an evening.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError, LabError, StorageError
from aetool.core.process import TAIL_LINES, end_group, require, run, spawn, storage_error, write_file
from aetool.core.progress import Progress

_CONFIG_SECONDS = 600.0
_SAID_EVERY = 60.0
_FULL = "No space left on device"
_SETTING = re.compile(r"^(?:(CONFIG_\w+)=(.*)|# (CONFIG_\w+) is not set)$")


class KernelRecipe(Model):
    """How to build a kernel.

    base: a configuration target of the tree, such as sekvm_defconfig. fragments: files beside the recipe that
    are applied on top, the last one wins. cross_compile: prefix of the compiler's programs, empty for the
    machine's own. make: further variables of make, such as HOSTCFLAGS for an old tree under a new compiler.
    """

    base: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+config$")]
    fragments: list[str] = Field(default_factory=list)
    cross_compile: str = "aarch64-linux-gnu-"
    make: dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """A kernel: the path of its `Image`, and what `uname -r` will say."""

    image: Path
    release: str


def build(
    tree: Path,
    recipe_file: Path,
    out: Path,
    *,
    jobs: int | None = None,
    timeout: float = 4 * 3600.0,
    progress: Progress,
) -> Built:
    """Configure and build `Image` from a kernel's source tree into `out`.

    jobs: default one a core. Logs: `out`/configure.log and `out`/build.log.
    Raises ConfigError, MissingToolError, StorageError; LabError with the compiler's message.
    """
    recipe = load_yaml(recipe_file, KernelRecipe)
    if not (tree / "Kconfig").is_file():
        raise ConfigError(f"{tree} is not the source tree of a kernel: it has no Kconfig")
    require("make", "make")
    require(f"{recipe.cross_compile}gcc", "gcc-aarch64-linux-gnu" if recipe.cross_compile else "gcc")
    for tool in ("flex", "bison", "bc"):
        require(tool, tool)
    out = out.resolve()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(out, error) from error
    variables = {"ARCH": "arm64", "CROSS_COMPILE": recipe.cross_compile, **recipe.make}
    make = ["make", "-C", str(tree.resolve()), f"O={out}", *(f"{k}={v}" for k, v in variables.items())]
    fragments = [recipe_file.parent / name for name in recipe.fragments]
    _configure(make, recipe.base, fragments, out, progress)
    release = run([*make, "-s", "kernelrelease"], timeout=_CONFIG_SECONDS).output.split()[-1]
    progress.say(f"building the kernel {release}; log: {out / 'build.log'}")
    _make([*make, f"-j{jobs or os.cpu_count() or 1}", "Image"], out, timeout, progress)
    return Built(out / "arch" / "arm64" / "boot" / "Image", release)


def _configure(
    make: Sequence[str], base: str, fragments: Sequence[Path], out: Path, progress: Progress
) -> None:
    wanted = "".join(_text(path) for path in fragments)
    config, asked = out / ".config", out / "asked.config"
    stamp = f"# {base}\n{wanted}"
    if config.exists() and asked.exists() and asked.read_text() == stamp:
        return  # so that an interrupted build goes on instead of beginning anew
    progress.say(f"configuring: {base}" + "".join(f" + {path.name}" for path in fragments))
    log = out / "configure.log"
    run([*make, base], timeout=_CONFIG_SECONDS, log=log)
    write_file(config, config.read_text() + wanted)
    run([*make, "olddefconfig"], timeout=_CONFIG_SECONDS, log=log)
    if refused := missing(settings(wanted), settings(config.read_text())):
        raise LabError(
            f"the kernel's configuration does not grant {len(refused)} of the options asked for",
            detail="\n".join(refused),
            hint="something that they depend on is missing, or this tree has other names for them",
        )
    write_file(asked, stamp)


def settings(text: str) -> dict[str, str]:
    """The options of a configuration by name; "n" for one that is said not to be set."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if match := _SETTING.match(line.strip()):
            found[match[1] or match[3]] = match[2] if match[1] else "n"
    return found


def missing(asked: Mapping[str, str], granted: Mapping[str, str]) -> list[str]:
    """One line for each option that was not granted as asked."""
    return [
        f"{name}: asked for {value}, got {granted.get(name, 'n')}"
        for name, value in asked.items()
        if granted.get(name, "n") != value
    ]


def _make(argv: Sequence[str], out: Path, timeout: float, progress: Progress) -> None:
    log = out / "build.log"
    started = said = time.monotonic()
    child = spawn(argv, cwd=out, output=log)
    try:
        while True:
            try:
                child.wait(timeout=1)
                break
            except subprocess.TimeoutExpired:
                now = time.monotonic()
                if now - started > timeout:
                    raise LabError(f"the kernel's build ran longer than {timeout:g} s; log: {log}") from None
                if now - said > _SAID_EVERY:
                    said = now
                    steps = log.read_bytes().count(b"\n")
                    progress.say(f"building: {steps} steps after {now - started:.0f} s")
    finally:
        end_group(child)
    if child.returncode != 0:
        text = log.read_text(errors="replace")
        tail = "\n".join(text.splitlines()[-TAIL_LINES:])
        if _FULL in text:
            raise StorageError(
                f"{out}: the disk is full", detail=tail, hint="free some space and run the same command again"
            )
        raise LabError(f"the kernel does not build; the whole log is in {log}", detail=tail)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the fragment cannot be read: {error}") from error
