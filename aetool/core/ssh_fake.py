# SPDX-License-Identifier: Apache-2.0
"""A host that exists only in memory, for tests of code that is driven by what hosts answer."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from aetool.core.errors import RemoteCommandError
from aetool.core.process import write_file
from aetool.core.ssh import Result

# Gets the command as one quoted line and its standard input; returns status, stdout, stderr.
Answer = Callable[[str, bytes | None], tuple[int, str, str]]


class FakeRemote:
    """Implements Remote: answers with `answer`, keeps files in `files`, and notes `commands` in order."""

    def __init__(self, name: str, answer: Answer, *, address: str = "10.10.1.1") -> None:
        self.name = name
        self.address = address
        self.commands: list[str] = []
        self.files: dict[str, bytes] = {}
        self.modes: dict[str, int] = {}
        self._answer = answer

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        """Answer; raises RemoteCommandError on a non-zero status if `check`."""
        return self._reply(shlex.join(argv), check, stdin, log)

    def shell(
        self,
        script: str,
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        """Answer; the command is the script as it stands."""
        return self._reply(script, check, stdin, log)

    def put(self, data: bytes, path: str, *, mode: int = 0o644) -> None:
        """Keep a file."""
        self.files[path] = data
        self.modes[path] = mode

    def get(self, path: str) -> bytes:
        """Return a kept file; raises RemoteCommandError if there is none."""
        if path not in self.files:
            raise RemoteCommandError(f"{self.name}: `read {path}` failed", status=1)
        return self.files[path]

    def close(self) -> None:
        """Nothing to drop."""

    def _reply(self, command: str, check: bool, stdin: bytes | None, log: Path | None) -> Result:
        self.commands.append(command)
        status, stdout, stderr = self._answer(command, stdin)
        if log is not None:
            write_file(log, stdout + stderr)
        if check and status != 0:
            raise RemoteCommandError(
                f"{self.name}: `{command}` exited with status {status}", status=status, detail=stderr or None
            )
        return Result(command, status, stdout, stderr, 0.0)
