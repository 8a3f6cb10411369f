# SPDX-License-Identifier: Apache-2.0
"""This machine as a host, so that what is built on hosts can be built here by the same code."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from aetool.core.errors import RemoteCommandError
from aetool.core.process import run, storage_error, write_file
from aetool.core.ssh import Result


class LocalRemote:
    """Implements Remote without SSH. Standard error arrives in `stdout`, among the rest of the output."""

    name = "this machine"
    address = "127.0.0.1"

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        """Run a program; raises RemoteCommandError on a time-out, and on a non-zero status if `check`."""
        text = stdin.decode() if stdin is not None else None
        done = run(argv, timeout=timeout, check=False, stdin=text, log=log)
        if done.timed_out or (check and done.status != 0):
            words = " ".join(shlex.join(argv).split())
            brief = words if len(words) <= 80 else f"{words[:77]}..."
            what = f"ran longer than {timeout:g} s" if done.timed_out else f"exited with status {done.status}"
            raise RemoteCommandError(
                f"{self.name}: `{brief}` {what}",
                status=None if done.timed_out else done.status,
                detail=done.tail or None,
            )
        return Result(shlex.join(argv), done.status, done.output, "", done.seconds)

    def shell(
        self,
        script: str,
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        """Run a script with `bash -euo pipefail`."""
        argv = ["bash", "-euo", "pipefail", "-c", script]
        return self.run(argv, timeout=timeout, check=check, stdin=stdin, log=log)

    def put(self, data: bytes, path: str, *, mode: int = 0o644) -> None:
        """Write a file atomically; raises StorageError."""
        write_file(Path(path), data)
        Path(path).chmod(mode)

    def get(self, path: str) -> bytes:
        """Return the contents of a file; raises StorageError if it cannot be read."""
        try:
            return Path(path).read_bytes()
        except OSError as error:
            raise storage_error(Path(path), error) from error

    def close(self) -> None:
        """Nothing to drop."""
