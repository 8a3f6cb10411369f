# SPDX-License-Identifier: Apache-2.0
"""What this machine has and lacks for each part of the work, before anything is started."""

from __future__ import annotations

import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from aetool.core.errors import AetoolError
from aetool.core.process import require, run

MIN_FREE_GIB = 2
COQ_TESTED = ("8.16.1",)


@dataclass(frozen=True)
class Check:
    """One thing looked at: `ok` False means that `needed_for` will not work; `fix` says what to do."""

    name: str
    ok: bool
    found: str
    needed_for: str
    fix: str = ""


@dataclass(frozen=True)
class _Tool:
    program: str
    package: str
    needed_for: str


TOOLS = (
    _Tool("coqc", "coq", "proofs"),
    _Tool("coqdep", "coq", "proofs"),
    _Tool("coqchk", "coq", "proofs audit"),
    _Tool("cpp", "cpp", "proofs (C to Coq)"),
    _Tool("git", "git", "provenance"),
    _Tool("ip", "iproute2", "lab netns"),
    _Tool("unshare", "util-linux", "lab netns"),
    _Tool("nsenter", "util-linux", "lab netns"),
    _Tool("sshd", "openssh-server", "lab netns"),
    _Tool("hackbench", "rt-tests", "campaign hackbench"),
    _Tool("redis-server", "redis-server", "campaign redis"),
    _Tool("redis-benchmark", "redis-tools", "campaign redis"),
    _Tool("apache2", "apache2-bin", "campaign apache"),
    _Tool("ab", "apache2-utils", "campaign apache"),
    _Tool("openssl", "openssl", "campaign apache"),
)


def examine(place: Path) -> list[Check]:
    """Look at this machine; `place` is the directory whose disk will hold the runs."""
    checks = [
        Check("python", True, platform.python_version(), "everything"),
        Check("machine", True, f"{platform.machine()}, {os.cpu_count()} cores", "everything"),
    ]
    checks += [_tool(tool) for tool in TOOLS]
    checks += [_coq_version(), _stdpp(), _namespaces(), _disk(place)]
    return checks


def _tool(tool: _Tool) -> Check:
    try:
        return Check(tool.program, True, require(tool.program), tool.needed_for)
    except AetoolError:
        fix = f"apt-get install {tool.package}"
        return Check(tool.program, False, "not installed", tool.needed_for, fix)


def _coq_version() -> Check:
    try:
        text = run(["coqc", "--version"], timeout=20).output
    except AetoolError as error:
        return Check("Coq version", False, error.message, "proofs", "apt-get install coq")
    match = re.search(r"version (\S+)", text)
    version = match.group(1) if match else "unknown"
    tested = version in COQ_TESTED
    note = "" if tested else f" (the proofs are tested with {', '.join(COQ_TESTED)} only)"
    # Another version is worth a warning in the text, not a refusal: the build itself will tell.
    return Check("Coq version", True, version + note, "proofs")


def _stdpp() -> Check:
    try:
        where = run(["coqc", "-where"], timeout=20).output.strip()
    except AetoolError as error:
        return Check("stdpp", False, error.message, "proofs", "apt-get install coq libcoq-stdpp")
    found = Path(where, "user-contrib", "stdpp", "base.vo").is_file()
    text = "installed" if found else "not installed"
    return Check("stdpp", found, text, "proofs", "" if found else "apt-get install libcoq-stdpp")


def _namespaces() -> Check:
    """Whether this process may make network namespaces (tried in a child, nothing is left behind)."""
    try:
        run(["unshare", "--net", "--mount", "true"], timeout=10)
    except AetoolError as error:
        fix = "run as root or through sudo" if os.geteuid() != 0 else "allow unshare(2) to this container"
        reason = (error.detail or error.message).strip().splitlines()[-1]
        return Check("network namespaces", False, reason, "lab netns", fix)
    return Check("network namespaces", True, "allowed", "lab netns")


def _disk(place: Path) -> Check:
    existing = next(p for p in (place, *place.resolve().parents) if p.exists())
    free = shutil.disk_usage(existing).free / 2**30
    ok = free >= MIN_FREE_GIB
    fix = "" if ok else f"free some space: {MIN_FREE_GIB} GiB are needed for proofs and runs"
    return Check("disk", ok, f"{free:.1f} GiB free at {existing}", "runs", fix)
