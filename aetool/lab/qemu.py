# SPDX-License-Identifier: Apache-2.0
"""QEMU built for the server: out of the tree, by a recipe, and probed before anybody relies on it.

QEMU is configured by a script of its own and built with make, whatever is underneath (make alone in the
versions of the artifact, meson and ninja in later ones).
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError, LabError
from aetool.core.progress import Progress
from aetool.core.ssh import Remote
from aetool.lab.build import Variables, cores, read, require_on
from aetool.lab.job import Job, run_job
from aetool.lab.source import Source

_SECONDS = 60.0
_CONFIGURE_SECONDS = 1800.0
_VERSION = re.compile(r"^QEMU emulator version (\S+)", re.MULTILINE)
# "Possible accelerators: kvm, xen, tcg" before version 5, one name a line since
_NAMES = re.compile(r"\b(kvm|tcg|xen|hvf|hax|nvmm|whpx|qtest)\b")


class QemuRecipe(Model):
    """How to build a QEMU.

    configure: arguments of its configure script. binary: where the build leaves the emulator, below the build
    directory; the first that exists counts. version: what it must say of itself (its beginning).
    accelerators: those that it must have been built with. tools: programs that the build needs, with the
    Debian packages of each. make: further variables of make.
    """

    source: Source
    configure: list[str]
    binary: Annotated[list[str], Field(min_length=1)]
    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")]
    accelerators: list[str] = Field(default_factory=list)
    tools: dict[str, str] = Field(default_factory=dict)
    make: Variables = Field(default_factory=dict)


@dataclass(frozen=True)
class Emulator:
    """A QEMU on a host: its path, its version, and the accelerators that it was built with."""

    path: str
    version: str
    accelerators: tuple[str, ...]


def build(
    remote: Remote,
    tree: str,
    recipe_file: Path,
    out: str,
    *,
    jobs: int | None = None,
    timeout: float = 6 * 3600.0,
    progress: Progress,
) -> Emulator:
    """Configure, build and probe a QEMU from the source tree `tree` into `out`, both paths on the host.

    jobs: default one a core. Logs: `out`/configure.log and `out`/build.log. An interrupted build goes on.
    Raises ConfigError, MissingToolError, StorageError; LabError with the end of the log.
    """
    recipe = load_yaml(recipe_file, QemuRecipe)
    script = f"{tree}/configure"
    if remote.run(["test", "-x", script], timeout=_SECONDS, check=False).status != 0:
        raise ConfigError(f"{remote.name}: {tree} is not QEMU's source tree: it has no configure script")
    require_on(remote, {"make": "make", **recipe.tools})
    stamp, wanted = f"{out}/aetool.configured", json.dumps([script, *recipe.configure])
    if read(remote, stamp) != wanted:
        log = f"{out}/configure.log"
        progress.say(f"{remote.name}: configuring QEMU: {' '.join(recipe.configure)}")
        job = Job("QEMU's configuration", [script, *recipe.configure], out, log)
        run_job(remote, job, timeout=_CONFIGURE_SECONDS, progress=progress)
        remote.put(wanted.encode(), stamp)
    log = f"{out}/build.log"
    progress.say(f"{remote.name}: building QEMU; log: {log}")
    variables = [f"{name}={value}" for name, value in recipe.make.items()]
    argv = ["make", f"-j{jobs or cores(remote)}", *variables]
    run_job(remote, Job("QEMU's build", argv, out, log), timeout=timeout, progress=progress)
    found = probe(remote, _binary(remote, recipe, out))
    check(found, recipe)
    return found


def probe(remote: Remote, path: str) -> Emulator:
    """Ask an emulator what it is; raises LabError if it does not say."""
    said = remote.run([path, "--version"], timeout=_SECONDS)
    match = _VERSION.search(said.stdout)
    if match is None:
        raise LabError(f"{remote.name}: {path} does not say its version", detail=said.stdout.strip() or None)
    # older versions end with a failure after they have answered
    listed = remote.run([path, "-accel", "help"], timeout=_SECONDS, check=False)
    names = _NAMES.findall(listed.stdout + listed.stderr)
    return Emulator(path, match[1], tuple(sorted(set(names))))


def check(found: Emulator, recipe: QemuRecipe) -> None:
    """Compare an emulator with its recipe; raises LabError saying in what it differs."""
    if not f"{found.version}.".startswith(f"{recipe.version}."):
        raise LabError(f"{found.path} is QEMU {found.version}, not {recipe.version}")
    if lacking := [name for name in recipe.accelerators if name not in found.accelerators]:
        raise LabError(
            f"{found.path} was built without {', '.join(lacking)}",
            detail=f"it has: {', '.join(found.accelerators) or 'none'}",
            hint="KVM of arm64 guests needs a QEMU that is built for an arm64 host: build on the server",
        )


def _binary(remote: Remote, recipe: QemuRecipe, out: str) -> str:
    paths = [f"{out}/{name}" for name in recipe.binary]
    words = " ".join(shlex.quote(path) for path in paths)
    script = f'for path in {words}; do [ ! -x "$path" ] || {{ echo "$path"; exit; }}; done'
    found = remote.shell(script, timeout=_SECONDS).stdout.strip()
    if not found:
        raise LabError(f"{remote.name}: the build has left none of {', '.join(paths)}")
    return found
