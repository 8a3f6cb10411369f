# SPDX-License-Identifier: Apache-2.0
"""The only place that starts local programs.

Every child runs in a process group of its own, with a deadline, and its whole group is ended when
the deadline passes or the caller is interrupted: nothing that aetool starts outlives it.
`run` is for programs whose whole output matters and for hot paths; `short` wraps the `sh` package for
the many one-line look-ups.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aetool.core.errors import AetoolError, MissingToolError, StorageError

TAIL_LINES = 20
GRACE_SECONDS = 2.0
PR_SET_PDEATHSIG = 1  # from linux/prctl.h


class ProcessError(AetoolError):
    """A local program failed or ran out of time."""


@dataclass(frozen=True)
class Completed:
    """A program that has ended.

    `status` is the exit status, or minus the signal's number; `seconds` is wall time; `timed_out` says that
    the deadline ended it.
    """

    argv: tuple[str, ...]
    status: int
    output: str
    seconds: float
    timed_out: bool = False

    @property
    def tail(self) -> str:
        """The last lines of the output, for an error message."""
        return "\n".join(self.output.splitlines()[-TAIL_LINES:])


def require(program: str, package: str | None = None) -> str:
    """Return the path of a program, or raise MissingToolError with the package that brings it."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None:
        hint = f"install it: apt-get install {package}" if package else None
        raise MissingToolError(f"{program} is not installed", hint=hint)
    return path


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    stdin: str | None = None,
    check: bool = True,
) -> Completed:
    """Run a program to its end and return its merged standard output and error.

    timeout: seconds until the whole process group is ended.
    log: file that receives the whole output as well.
    check: raise ProcessError on a non-zero status or a time-out.
    Raises MissingToolError if the program does not exist, StorageError if the log cannot be written.
    """
    args = [str(a) for a in argv]
    started = time.monotonic()
    try:
        child = subprocess.Popen(
            args,
            cwd=cwd,
            env=None if env is None else {**os.environ, **env},
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise MissingToolError(f"{args[0]} is not installed") from error
    timed_out = False
    try:
        raw, _ = child.communicate(stdin.encode() if stdin is not None else None, timeout=timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        end_group(child)
        raw, _ = child.communicate()
    except BaseException:
        end_group(child)
        child.communicate()
        raise
    output = raw.decode("utf-8", errors="replace")
    if log is not None:
        write_file(log, output)
    result = Completed(tuple(args), child.returncode, output, time.monotonic() - started, timed_out)
    if check and (timed_out or result.status != 0):
        what = f"ran longer than {timeout:g} s" if timed_out else f"exited with status {result.status}"
        hint = f"the whole output is in {log}" if log else None
        raise ProcessError(f"{args[0]} {what}", detail=result.tail, hint=hint)
    return result


def short(program: str, *args: str, timeout: float = 10.0) -> str:
    """Run a one-line look-up (such as `git rev-parse HEAD`) and return its output, stripped.

    Raises ProcessError on a non-zero status, MissingToolError if the program does not exist.
    """
    import sh

    try:
        command = sh.Command(require(program))
        return str(command(*args, _tty_out=False, _timeout=timeout, _new_session=True)).strip()
    except sh.TimeoutException as error:
        raise ProcessError(f"{program} ran longer than {timeout:g} s") from error
    except sh.ErrorReturnCode as error:
        text = (error.stderr or error.stdout or b"").decode(errors="replace")
        raise ProcessError(f"{program} exited with status {error.exit_code}", detail=text.strip()) from error


def spawn(
    argv: Sequence[str | Path], *, cwd: Path, output: Path, die_with_caller: bool = False
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own and return at once; its output goes to a file.

    For callers that watch several programs at a time: they wait for it, and end it with `end_group`.
    die_with_caller: the kernel ends it if the calling thread is gone, however that came about.
    Raises MissingToolError if the program does not exist, StorageError if the file cannot be made.
    """
    args = [str(a) for a in argv]
    try:
        sink = output.open("wb")
    except OSError as error:
        raise storage_error(output, error) from error
    with sink:
        try:
            return subprocess.Popen(
                args,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if die_with_caller else None,
            )
        except FileNotFoundError as error:
            raise MissingToolError(f"{args[0]} is not installed") from error


def _end_with_parent() -> None:
    """Between fork and exec: ask the kernel for SIGKILL when the parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_group(child: subprocess.Popen[bytes]) -> None:
    """End a child and everything in its process group: SIGTERM, then SIGKILL after a grace period."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        time.sleep(0.02)
    # The leader may be gone while grandchildren live on: the group is killed in any case.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def write_file(path: Path, text: str | bytes) -> None:
    """Write a file so that a reader sees the old or the new contents, never a part.

    Raises StorageError naming the file when the disk is full or not writable.
    """
    data = text.encode("utf-8") if isinstance(text, str) else text
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise storage_error(path, error) from error


def storage_error(path: Path, error: OSError) -> StorageError:
    """A StorageError that names the path and, for a full disk, what to do."""
    return StorageError(
        f"{path}: cannot be written: {error.strerror or error}",
        hint="free some space or choose another directory, then run the same command again",
    )
