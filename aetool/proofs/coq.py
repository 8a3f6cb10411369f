# SPDX-License-Identifier: Apache-2.0
"""The installed Coq: its programs, its version, its libraries, and the digest that enters every key.

Where only `rocq` is installed, its subcommands are used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aetool.core.errors import MissingToolError


@dataclass(frozen=True)
class Toolchain:
    """Commands are argument lists to which the rest is added.

    version: such as `8.16.1`; library: the directory with `theories` and `user-contrib`.
    identity: digest of the version and of the compiler's own bytes.
    """

    compiler: tuple[str, ...]
    dependencies: tuple[str, ...]
    checker: tuple[str, ...]
    toplevel: tuple[str, ...]
    version: str
    library: str
    identity: str

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Toolchain:
        """Rebuild one from what `vars` gave, also after a journey through JSON."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
        }
        return cls(**values)

    def roots(self) -> list[tuple[str, str, str]]:
        """Load paths of the libraries outside the project, as (flag, directory, logical name)."""
        found = [("-R", f"{self.library}/theories", "Coq"), ("-Q", f"{self.library}/user-contrib", "")]
        extra = os.environ.get("COQPATH", "").split(":")
        data = os.environ.get("XDG_DATA_HOME", str(Path.home() / ".local/share"))
        extra += [
            f"{place}/coq" for place in (data, *os.environ.get("XDG_DATA_DIRS", "").split(":")) if place
        ]
        return [
            root
            for root in (*found, *(("-Q", place, "") for place in extra if place))
            if Path(root[1]).is_dir()
        ]


def compiler_path() -> str:
    """Path of the program that compiles (`coqc`, or `rocq`); raises MissingToolError."""
    for program in ("coqc", "rocq"):
        # shutil.which, without the import of shutil that a no-op need not spend
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            path = f"{folder}/{program}"
            if folder and os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
                return path
    raise MissingToolError("coqc is not installed", hint="install it: apt-get install coq")


def toolchain() -> Toolchain:
    """Ask the installed Coq who it is; raises MissingToolError, ProcessError."""
    import hashlib
    import shutil

    from aetool.core.process import run

    path = compiler_path()
    if Path(path).name == "rocq":
        commands: tuple[tuple[str, ...], ...] = tuple(
            (path, command) for command in ("c", "dep", "check", "top")
        )
    else:
        beside = f"{Path(path).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        names = ("coqc", "coqdep", "coqchk", "coqtop")
        commands = ((path,), *((shutil.which(name, path=beside) or name,) for name in names[1:]))
    version = run([*commands[0], "--print-version"], timeout=60).output.split()[0]
    library = run([*commands[0], "-where"], timeout=60).output.strip()
    digest = hashlib.sha256(version.encode())
    digest.update(Path(path).read_bytes())
    compiler, dependencies, checker, toplevel = commands
    return Toolchain(
        compiler, dependencies, checker, toplevel, version, os.path.realpath(library), digest.hexdigest()
    )
