# SPDX-License-Identifier: Apache-2.0
"""Kernels built from any tree: a base configuration and fragments on top, out of the tree.

On this machine with a cross compiler, or on the server with its own. An interrupted build goes on where it
stopped. Options that a fragment asks for and the tree does not grant are an error before the build begins: a
kernel that silently lacks KVM costs an evening.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError, LabError, MissingToolError
from aetool.core.progress import Progress
from aetool.core.ssh import Remote
from aetool.lab.job import Job, run_job
from aetool.lab.source import Source

_SECONDS = 60.0
_CONFIG_SECONDS = 900.0
_SETTING = re.compile(r"^(?:(CONFIG_\w+)=(.*)|# (CONFIG_\w+) is not set)$")
_PACKAGES = {"bison": "bison", "flex": "flex", "bc": "bc", "make": "make", "gcc": "gcc"}

Variables = dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], str]


class KernelRecipe(Model):
    """How to build a kernel.

    base: a configuration target of the tree, such as sekvm_defconfig. fragments: files beside the recipe that
    are applied on top, the last one wins. cross_compile: prefix of the compiler's programs; an arm64 host
    uses its own. make: further variables of make, such as HOSTCFLAGS for an old tree under a new compiler.
    modules: also build modules, and stage them as `make modules_install` does.
    load_address: where U-Boot of the machine that the recipe is for puts the kernel; None: where it puts the
    present one. patches: files beside the recipe that are applied to the tree.
    """

    base: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+config$")]
    source: Source | None = None
    fragments: list[str] = Field(default_factory=list)
    patches: list[str] = Field(default_factory=list)
    cross_compile: str = "aarch64-linux-gnu-"
    make: Variables = Field(default_factory=dict)
    modules: bool = False
    load_address: int | None = None


@dataclass(frozen=True)
class Built:
    """A kernel on the host that built it: its `Image`, what `uname -r` will say, and where modules are."""

    image: str
    release: str
    modules: str | None
    load_address: int | None


def build(
    remote: Remote,
    tree: str,
    recipe_file: Path,
    out: str,
    *,
    jobs: int | None = None,
    timeout: float = 6 * 3600.0,
    progress: Progress,
) -> Built:
    """Configure and build a kernel from the source tree `tree` into `out`, both paths on the host `remote`.

    jobs: default one a core. Logs: `out`/configure.log and `out`/build.log.
    Raises ConfigError, MissingToolError, StorageError; LabError with the compiler's message.
    """
    recipe = load_yaml(recipe_file, KernelRecipe)
    wanted = "".join(_text(recipe_file.parent / name) for name in recipe.fragments)
    if remote.run(["test", "-f", f"{tree}/Kconfig"], timeout=_SECONDS, check=False).status != 0:
        raise ConfigError(f"{remote.name}: {tree} is not the source tree of a kernel: it has no Kconfig")
    native = remote.run(["uname", "-m"], timeout=_SECONDS).stdout.strip() == "aarch64"
    prefix = "" if native else recipe.cross_compile
    compiler = {f"{prefix}gcc": "gcc-aarch64-linux-gnu"} if prefix else {}
    require_on(remote, {**_PACKAGES, **compiler})
    for name in recipe.patches:
        _patch(remote, tree, recipe_file.parent / name)
    variables = {"ARCH": "arm64", "CROSS_COMPILE": prefix, **recipe.make}
    make = ["make", "-C", tree, f"O={out}", *(f"{k}={v}" for k, v in variables.items())]
    _configure(remote, make, recipe, wanted, out, progress)
    targets = ["Image", *(["modules"] if recipe.modules else [])]
    log = f"{out}/build.log"
    progress.say(f"{remote.name}: building the kernel; log: {log}")
    argv = [*make, f"-j{jobs or cores(remote)}", *targets]
    run_job(remote, Job("the kernel's build", argv, out, log), timeout=timeout, progress=progress)
    # known only now: what the configuration adds to the version is read from what the build has made of it
    said = remote.run([*make, "-s", "kernelrelease"], timeout=_CONFIG_SECONDS)
    release = said.stdout.split()[-1]
    modules = f"{out}/staged" if recipe.modules else None
    if modules:
        argv = [*make, f"INSTALL_MOD_PATH={modules}", "INSTALL_MOD_STRIP=1", "modules_install"]
        job = Job("the installation of the kernel's modules", argv, out, f"{out}/modules.log")
        run_job(remote, job, timeout=timeout, progress=progress)
    return Built(f"{out}/arch/arm64/boot/Image", release, modules, recipe.load_address)


def require_on(remote: Remote, packages: Mapping[str, str]) -> None:
    """Check that a host has programs; raises MissingToolError with the packages of those that it lacks."""
    script = 'PATH=$PATH:/usr/sbin:/sbin; for name; do command -v "$name" >/dev/null || echo "$name"; done'
    missing = remote.run(["bash", "-c", script, "require", *packages], timeout=_SECONDS).stdout.split()
    if missing:
        raise MissingToolError(
            f"{remote.name}: {', '.join(missing)} not installed",
            hint=f"install on {remote.name}: apt-get install {' '.join(packages[name] for name in missing)}",
        )


def cores(remote: Remote) -> int:
    """How many cores a host has."""
    return int(remote.run(["getconf", "_NPROCESSORS_ONLN"], timeout=_SECONDS).stdout)


def read(remote: Remote, path: str) -> str | None:
    """The text of a file on a host; None if there is none."""
    script = f"[ ! -e {shlex.quote(path)} ] || cat -- {shlex.quote(path)}"
    return remote.shell(script, timeout=_SECONDS).stdout or None


def _configure(
    remote: Remote, make: Sequence[str], recipe: KernelRecipe, wanted: str, out: str, progress: Progress
) -> None:
    config, asked, log = f"{out}/.config", f"{out}/asked.config", f"{out}/configure.log"
    stamp = f"# {recipe.base}\n{wanted}"
    if read(remote, asked) == stamp and read(remote, config) is not None:
        return  # so that an interrupted build goes on instead of beginning anew
    progress.say(f"configuring: {recipe.base}" + "".join(f" + {name}" for name in recipe.fragments))
    job = Job("the kernel's configuration", [*make, recipe.base], out, log)
    run_job(remote, job, timeout=_CONFIG_SECONDS, progress=progress)
    remote.put(((read(remote, config) or "") + wanted).encode(), config)
    job = Job("the kernel's configuration", [*make, "olddefconfig"], out, log)
    run_job(remote, job, timeout=_CONFIG_SECONDS, progress=progress)
    if refused := missing(settings(wanted), settings(read(remote, config) or "")):
        raise LabError(
            f"the kernel's configuration does not grant {len(refused)} of the options asked for",
            detail="\n".join(refused),
            hint="something that they depend on is missing, or this tree has other names for them",
        )
    remote.put(stamp.encode(), asked)


def _patch(remote: Remote, tree: str, path: Path) -> None:
    """Apply a patch to the tree unless it is applied already."""
    # --force: asks nothing, and takes no patch for the opposite of what was asked
    patch, text = ["patch", "-d", tree, "-p1", "--force"], _text(path).encode()
    undone = remote.run([*patch, "--dry-run", "-R"], timeout=_SECONDS, check=False, stdin=text)
    if undone.status == 0:
        return
    for options in (["--dry-run"], []):
        done = remote.run([*patch, *options], timeout=_SECONDS, check=False, stdin=text)
        if done.status != 0:
            raise LabError(
                f"{path.name} does not apply to {tree}", detail=(done.stdout + done.stderr).strip()
            )


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


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
