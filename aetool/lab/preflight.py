# SPDX-License-Identifier: Apache-2.0
"""Whether a configuration can be built and run on a lab, before hours go into it.

Nothing is changed. Where the artifact's trees or machines are out of reach, this is where it is said, one
line each, with what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError, LabError, MissingToolError
from aetool.core.project import project_root
from aetool.core.ssh import Remote
from aetool.lab import boot, source, vm
from aetool.lab.build import KernelRecipe, require_on
from aetool.lab.configuration import hypervisor
from aetool.lab.local import LocalRemote
from aetool.lab.qemu import QemuRecipe

_SECONDS = 60.0
_GIB = 1 << 20  # KiB


class Configured(Model):
    """What a configuration of the server is made of: recipes beside the file, and where the builds go."""

    description: str
    kernel: str
    qemu: str
    release: str
    store: str
    least_gib: int


@dataclass(frozen=True)
class Check:
    """One thing that is needed: whether it is there, what was found, and what to do if it is not."""

    name: str
    ok: bool
    found: str
    fix: str


def load(name: str) -> tuple[Configured, Path]:
    """Read cloudlab/configurations/NAME.yaml, or a file, and say where it lies; raises ConfigError."""
    folder = project_root() / "cloudlab" / "configurations"
    path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise ConfigError(
            f"there is no configuration {name!r}", hint=f"with recipes: {known}; or give a file"
        )
    return load_yaml(path, Configured), path


def preflight(name: str, hosts: Mapping[str, Remote] | None, supplied: Mapping[str, Path]) -> list[Check]:
    """Check what a configuration needs.

    hosts: of the lab; None checks only what can be seen from here. supplied: trees given by hand, by "kernel"
    and "qemu". Raises ConfigError.
    """
    asked, path = load(name)
    kernel = load_yaml(path.parent / asked.kernel, KernelRecipe)
    qemu = load_yaml(path.parent / asked.qemu, QemuRecipe)
    checks = []
    here = LocalRemote()
    for what, origin in (("kernel", kernel.source), ("qemu", qemu.source)):
        if what in supplied:
            given = supplied[what]
            fix = f"there is no {given}"
            checks.append(Check(f"source: {what}", given.exists(), f"supplied: {given}", fix))
        elif origin is not None:
            checks.append(_source(here, what, origin))
    tools = {f"{kernel.cross_compile}gcc": "gcc-aarch64-linux-gnu", "make": "make", "bc": "bc"}
    checks.append(_tools(here, tools))
    if hosts is not None:
        checks += _server(hosts["server"], asked, kernel)
    return checks


def _source(remote: Remote, what: str, origin: source.AnySource) -> Check:
    wrong = source.unreachable(remote, origin)
    return Check(
        f"source: {what}",
        wrong is None,
        "reachable" if wrong is None else f"not reachable from {remote.name}: {wrong}",
        f"supply a clone or a tarball: --{what} PATH here, then `aetool lab source ... --from PATH`",
    )


def _server(server: Remote, asked: Configured, kernel: KernelRecipe) -> list[Check]:
    machine = server.run(["uname", "-m"], timeout=_SECONDS).stdout.strip()
    checks = [
        Check(
            "architecture of the server", machine == "aarch64", machine, "use Arm machines: m400 on CloudLab"
        )
    ]
    now = hypervisor(server)
    checks.append(Check("EL2", now.active is not None, now.evidence, "a kernel that starts at EL2, with KVM"))
    try:
        where = boot.load_address(server)
        wanted = kernel.load_address
        checks.append(
            Check(
                "load address",
                wanted in (None, where),
                f"the server's kernel is loaded to {where:#x}",
                "the recipe is for another machine: correct its load_address",
            )
        )
    except LabError as error:
        fix = "the server must boot from uImage through U-Boot"
        checks.append(Check("boot files", False, error.message, fix))
    script = 'df --output=avail -k -- "$1" 2>/dev/null | tail -n 1'
    said = server.run(["bash", "-c", script, "df", asked.store], timeout=_SECONDS).stdout.strip()
    free = int(said) / _GIB if said.isdecimal() else 0.0
    checks.append(
        Check(
            f"space in {asked.store}", free >= asked.least_gib, f"{free:.0f} GiB free",
            f"{asked.least_gib} GiB are wanted: aetool lab prepare m400",
        )
    )  # fmt: skip
    used = vm.launches(server)
    checks.append(
        Check(
            "VM identifiers", used < vm.IDENTIFIERS, f"{used} of {vm.IDENTIFIERS} used since it booted",
            "aetool lab reboot server",
        )
    )  # fmt: skip
    return checks


def _tools(remote: Remote, tools: Mapping[str, str]) -> Check:
    try:
        require_on(remote, tools)
    except MissingToolError as error:
        return Check("cross compiler", False, error.message, error.hint or "")
    return Check("cross compiler", True, f"on {remote.name}", "")
