# SPDX-License-Identifier: Apache-2.0
"""`aetool lab` for what is built: source trees, kernels, QEMU, on this machine or on a host of the lab."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aetool.cli.lab_options import lab_options, opened_lab
from aetool.cli.main import emit
from aetool.core.progress import Progress, progress

if TYPE_CHECKING:
    from aetool.core.ssh import Remote

_HERE = "here"
_RECIPE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _on(command: Callable[..., Any]) -> Callable[..., Any]:
    place = click.option(
        "--on",
        "where",
        type=click.Choice((_HERE, "server", "client")),
        default=_HERE,
        show_default=True,
        help="Where the tree lies and is built: this machine, or a host of the lab.",
    )
    return lab_options(place(command))


@contextlib.contextmanager
def _place(
    definition: str, name: str | None, state: Path | None, where: str, what: str, shown: Progress
) -> Iterator[Remote]:
    """The host to build on; a lab is opened, and held, only if it is one of its hosts."""
    if where == _HERE:
        from aetool.lab.local import LocalRemote

        yield LocalRemote()
        return
    with opened_lab(definition, name, state, shown) as opened, opened.driving(what):
        yield opened.hosts[where]


def _path(where: str, path: str) -> str:
    """Absolute: a job works in a directory of its own."""
    return str(Path(path).resolve()) if where == _HERE else path


@click.command()
@_on
@click.argument("recipe", type=_RECIPE)
@click.argument("directory")
@click.option(
    "--from",
    "supplied",
    type=click.Path(exists=True, path_type=Path),
    help="A tree or a tarball on this machine, instead of what the recipe names.",
)
def source(
    definition: str,
    name: str | None,
    state: Path | None,
    where: str,
    recipe: Path,
    directory: str,
    supplied: Path | None,
) -> None:
    """Have the source tree that a kernel's or QEMU's RECIPE names in DIRECTORY.

    Nothing happens if it is there.

    Example: aetool lab source cloudlab/kernel/arm-small.yaml build/linux
    """
    from aetool.core.config import load_yaml, read_yaml
    from aetool.core.errors import ConfigError
    from aetool.lab.build import KernelRecipe
    from aetool.lab.qemu import QemuRecipe
    from aetool.lab.source import fetch

    data = read_yaml(recipe)
    origin = (
        load_yaml(recipe, KernelRecipe).source
        if isinstance(data, dict) and "base" in data
        else load_yaml(recipe, QemuRecipe).source
    )
    if origin is None:
        raise ConfigError(f"{recipe}: names no source", hint="add `source`, or build a tree that you have")
    with (
        progress("source", 0) as shown,
        _place(definition, name, state, where, "fetching a source tree", shown) as remote,
    ):
        fetch(remote, origin, _path(where, directory), supplied=supplied, progress=shown)


@click.command()
@_on
@click.argument("tree")
@click.argument("recipe", type=_RECIPE)
@click.option("--out", required=True, help="Build directory.")
@click.option("--jobs", type=click.IntRange(min=1), help="Compilers at a time  [default: one a core]")
def kernel_build(
    definition: str,
    name: str | None,
    state: Path | None,
    where: str,
    tree: str,
    recipe: Path,
    out: str,
    jobs: int | None,
) -> None:
    """Build a kernel from the source TREE by a RECIPE; an interrupted build goes on.

    Prints the image and the options that `install` wants with it.

    Example: aetool lab kernel build build/linux cloudlab/kernel/arm-small.yaml --out build/small
    """
    from aetool.lab.build import build

    with (
        progress("kernel", 0) as shown,
        _place(definition, name, state, where, "a kernel's build", shown) as remote,
    ):
        built = build(remote, _path(where, tree), recipe, _path(where, out), jobs=jobs, progress=shown)
    words = [built.image, "--release", built.release]
    words += ["--modules", built.modules] if built.modules else []
    words += ["--load-address", f"{built.load_address:#x}"] if built.load_address is not None else []
    click.echo(" ".join(words + ([] if where == _HERE else ["--built-there"])))


@click.group()
def qemu() -> None:
    """Build a QEMU, or ask one what it is.

    Example: aetool lab qemu probe --on server /usr/bin/qemu-system-aarch64
    """


@qemu.command()
@_on
@click.argument("tree")
@click.argument("recipe", type=_RECIPE)
@click.option("--out", required=True, help="Build directory.")
@click.option("--jobs", type=click.IntRange(min=1), help="Compilers at a time  [default: one a core]")
def build(
    definition: str,
    name: str | None,
    state: Path | None,
    where: str,
    tree: str,
    recipe: Path,
    out: str,
    jobs: int | None,
) -> None:
    """Build a QEMU from the source TREE by a RECIPE and probe it; an interrupted build goes on.

    Prints the path of the emulator, as `vm up --qemu` wants it.

    Example: aetool lab qemu build --on server /mydata/qemu cloudlab/qemu/kvm.yaml --out /mydata/qemu-build
    """
    from aetool.lab.qemu import build as build_qemu

    with (
        progress("qemu", 0) as shown,
        _place(definition, name, state, where, "QEMU's build", shown) as remote,
    ):
        found = build_qemu(remote, _path(where, tree), recipe, _path(where, out), jobs=jobs, progress=shown)
        shown.say(f"QEMU {found.version} with {', '.join(found.accelerators)}")
    click.echo(found.path)


@qemu.command()
@_on
@click.argument("path")
def probe(definition: str, name: str | None, state: Path | None, where: str, path: str) -> None:
    """Print version and accelerators of the emulator PATH as JSON.

    Example: aetool lab qemu probe /usr/bin/qemu-system-aarch64
    """
    from aetool.lab.qemu import probe as ask

    if where == _HERE:
        from aetool.lab.local import LocalRemote

        emit(asdict(ask(LocalRemote(), path)))
        return
    with opened_lab(definition, name, state) as opened:
        emit(asdict(ask(opened.hosts[where], path)))


COMMANDS = (source, qemu)
