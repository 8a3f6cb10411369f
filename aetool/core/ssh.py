# SPDX-License-Identifier: Apache-2.0
"""The only place that runs commands on hosts.

One persistent connection a host, shared by threads. A command is quoted here and nowhere else, its whole
output is kept, and when its time is over it is ended on the host as well. A connection that breaks in the
middle of a command raises HostUnreachable and the command is never repeated behind the caller's back; the
next command connects again.
"""

from __future__ import annotations

import contextlib
import errno
import shlex
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from aetool.core.errors import HostUnreachable, RemoteCommandError
from aetool.core.process import TAIL_LINES, write_file
from aetool.core.ssh_connect import Endpoint, connect
from aetool.core.ssh_pump import Pump

if TYPE_CHECKING:
    import paramiko

COPY_SECONDS = 600.0
_KILL_SECONDS = 15.0
_ROOM_SECONDS = 0.05  # between two askings for a session on a host that has none to give

# The first line of standard error is the process id of this shell, which leads a process group of its own.
# Not `exec`: the shell turns a death by signal into a status that can be reported.
# An end of file that reaches sshd after it has closed the channel makes it drop the whole connection, and so
# every other command on it. So a command without input is sent none, and one with input does not end before
# all of it has come.
_ANNOUNCE_NO_INPUT = 'exec </dev/null; echo "$$" >&2; "$@"; exit $?'
_ANNOUNCE_INPUT = 'echo "$$" >&2; "$@"; status=$?; cat >/dev/null; exit "$status"'

# Ends a process and all its descendants: also those in sessions of their own, which a signal to the group
# would miss. They are stopped first so that none can fork while the list is made.
_KILL = """
tree=$1
next=$1
while [ -n "$next" ]; do
  kill -STOP $next 2>/dev/null || true
  found=
  for pid in $next; do found="$found $(cat /proc/"$pid"/task/*/children 2>/dev/null || true)"; done
  next=$(echo $found)
  tree="$tree $next"
done
kill -KILL $tree 2>/dev/null || true
kill -KILL -- "-$1" 2>/dev/null || true
"""

_PUT = """
mkdir -p -- "$(dirname -- "$1")"
part=$(mktemp -- "$1.XXXXXX")
trap 'rm -f -- "$part"' EXIT
cat >"$part"
[ "$(stat -c %s -- "$part")" = "$3" ] || { echo "only part of the file arrived" >&2; exit 1; }
chmod -- "$2" "$part"
mv -fT -- "$part" "$1"
"""


@dataclass(frozen=True)
class Result:
    """A command that has ended on a host; `seconds` is wall time seen from here."""

    command: str
    status: int
    stdout: str
    stderr: str
    seconds: float


class Remote(Protocol):
    """A host that takes commands. `address` is the one on the experiment network."""

    name: str
    address: str

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        """Run a program; each argument arrives as it is. See SshRemote.run."""
        ...

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
        ...

    def put(self, data: bytes, path: str, *, mode: int = 0o644) -> None:
        """Write a file: a reader on the host sees the old or the new contents, never a part."""
        ...

    def get(self, path: str) -> bytes:
        """Return the contents of a file."""
        ...

    def close(self) -> None:
        """Drop the connection; the next command makes a new one."""
        ...


@dataclass(frozen=True)
class _Raw:
    status: int
    stdout: bytes
    stderr: bytes
    seconds: float


class SshRemote:
    """A host reached through SSH; implements Remote. Connects when it is first used."""

    def __init__(self, endpoint: Endpoint, *, address: str | None = None) -> None:
        """`address`: on the experiment network, if it is not the one that SSH goes to."""
        self.name = endpoint.name
        self.address = address or endpoint.host
        self.endpoint = endpoint
        self._lock = threading.Lock()
        self._transport: paramiko.Transport | None = None

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        """Run a program and wait for its end.

        timeout: seconds, after which it is killed on the host with everything it started.
        check: raise RemoteCommandError on a non-zero status (128 + n after signal n).
        log: local file that receives standard output and error.
        Raises HostUnreachable, HostKeyError, LoginRefused; RemoteCommandError also on a time-out.
        """
        raw = self._execute(argv, timeout, stdin)
        result = Result(
            shlex.join(argv),
            raw.status,
            raw.stdout.decode("utf-8", errors="replace"),
            raw.stderr.decode("utf-8", errors="replace"),
            raw.seconds,
        )
        if log is not None:
            write_file(log, f"$ {result.command}\n{result.stdout}{result.stderr}[status {result.status}]\n")
        if check and result.status != 0:
            hint = f"the whole output is in {log}" if log else None
            raise _failed(self.name, argv, f"exited with status {result.status}", raw, hint)
        return result

    def shell(
        self,
        script: str,
        *,
        timeout: float,
        check: bool = True,
        stdin: bytes | None = None,
        log: Path | None = None,
    ) -> Result:
        """Run a script with `bash -euo pipefail`; otherwise like `run`."""
        argv = ["bash", "-euo", "pipefail", "-c", script]
        return self.run(argv, timeout=timeout, check=check, stdin=stdin, log=log)

    def put(self, data: bytes, path: str, *, mode: int = 0o644) -> None:
        """Write a file atomically, making its directory if need be; raises RemoteCommandError."""
        argv = ["bash", "-euo", "pipefail", "-c", _PUT, "put", path, f"{mode:o}", str(len(data))]
        raw = self._execute(argv, COPY_SECONDS, data)
        if raw.status != 0:
            raise _failed(self.name, ["write", path], "failed", raw)

    def get(self, path: str) -> bytes:
        """Return the contents of a file; raises RemoteCommandError if it cannot be read."""
        raw = self._execute(["cat", "--", path], COPY_SECONDS, None)
        if raw.status != 0:
            raise _failed(self.name, ["read", path], "failed", raw)
        return raw.stdout

    def stream(self, argv: Sequence[str], *, timeout: float, out: BinaryIO, err: BinaryIO) -> int:
        """Run a program, pass its output on as it comes, and return its status; raises as `run` does."""
        return self._execute(argv, timeout, None, (out, err)).status

    def channel(self) -> paramiko.Channel:
        """A fresh channel, for uses that are not the running of one program; raises HostUnreachable."""
        return self._channel()[1]

    def forward(self, address: str, port: int, timeout: float) -> paramiko.Channel:
        """A stream to a port that this host can reach; raises OSError if that port does not answer."""
        import paramiko

        transport = self._connection()
        try:
            return transport.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=timeout)
        except (paramiko.SSHException, EOFError) as error:
            raise OSError(errno.EHOSTUNREACH, f"{self.name} does not reach it: {error}") from error

    def close(self) -> None:
        """Drop the connection; the next command makes a new one."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _connection(self) -> paramiko.Transport:
        with self._lock:
            if self._transport is None or not self._transport.is_active():
                if self._transport is not None:
                    self._transport.close()
                self._transport = connect(self.endpoint)
            return self._transport

    def _drop(self, transport: paramiko.Transport) -> None:
        with self._lock:
            if self._transport is transport:
                self._transport = None
        transport.close()

    def _channel(self) -> tuple[paramiko.Transport, paramiko.Channel]:
        """Open a channel; a connection that went stale while nobody used it is replaced once.

        A host that has no room for one more session (sshd's MaxSessions) is asked again until the time for
        a channel is over: the connection is good, and other commands run on it.
        """
        import paramiko

        limit = self.endpoint.timeouts.channel
        deadline = time.monotonic() + limit
        stale = False
        while True:
            transport = self._connection()
            asked = time.monotonic()
            try:
                return transport, transport.open_session(timeout=limit)
            except (paramiko.SSHException, EOFError, OSError) as error:
                # of several refusals at a time the library tells only one thread that it was one
                if transport.is_active() and time.monotonic() - asked < limit:
                    if time.monotonic() > deadline:
                        raise HostUnreachable(
                            f"{self.endpoint.where}: no room for another session in {limit:g} s: {error}",
                            hint="run fewer commands at a time there, or raise MaxSessions of its sshd",
                        ) from error
                    time.sleep(_ROOM_SECONDS)
                    continue
                self._drop(transport)
                if stale:
                    raise HostUnreachable(f"{self.endpoint.where}: no channel: {error}") from error
                stale = True

    def _execute(
        self,
        argv: Sequence[str],
        timeout: float,
        stdin: bytes | None,
        tee: tuple[BinaryIO, BinaryIO] | None = None,
    ) -> _Raw:
        import paramiko

        started = time.monotonic()
        prefix = "sudo -n -- " if self.endpoint.sudo else ""
        announce = _ANNOUNCE_INPUT if stdin else _ANNOUNCE_NO_INPUT
        command = f"exec {prefix}bash -c {shlex.quote(announce)} aetool {shlex.join(argv)}"
        transport, channel = self._channel()
        try:
            pump = Pump(channel, stdin, started + timeout, tee)
            try:
                channel.settimeout(self.endpoint.timeouts.channel)
                channel.exec_command(command.encode("utf-8", errors="surrogateescape"))
                ended = pump.run()
            except (paramiko.SSHException, EOFError, OSError) as error:
                self._drop(transport)
                raise self._broke(argv, str(error)) from error
            except BaseException:
                # interrupted: the command must not outlive us on the host
                with contextlib.suppress(Exception):
                    self._kill(pump.leader())
                raise
            pid, stderr = pump.split()
            raw = _Raw(channel.exit_status, bytes(pump.stdout), stderr, time.monotonic() - started)
            if not ended:
                self._kill(pid)
                raise _failed(self.name, argv, f"ran longer than {timeout:g} s and was ended", raw)
            if raw.status == -1:
                if not transport.is_active() or pid is None:
                    self._drop(transport)
                    raise self._broke(argv, "the host closed it")
                raise _failed(self.name, argv, "was killed on the host", raw)
            return raw
        finally:
            channel.close()

    def _broke(self, argv: Sequence[str], reason: str) -> HostUnreachable:
        why = reason or "no reason given"
        return HostUnreachable(
            f"{self.endpoint.where}: the connection broke during `{_brief(argv)}`: {why}",
            hint="whether the command ended is unknown; it is not repeated by itself",
        )

    def _kill(self, pid: int | None) -> None:
        """End a command of ours on the host; a host that cannot be reached has nothing left to end."""
        if pid is None:
            return
        with contextlib.suppress(HostUnreachable, RemoteCommandError):
            argv = ["bash", "-c", _KILL, "kill", str(pid)]
            self._execute(argv, _KILL_SECONDS, None)


def _brief(argv: Sequence[str]) -> str:
    text = " ".join(shlex.join(argv).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _failed(
    name: str, argv: Sequence[str], what: str, raw: _Raw, hint: str | None = None
) -> RemoteCommandError:
    stdout, stderr = (data.decode("utf-8", errors="replace") for data in (raw.stdout, raw.stderr))
    tail = "\n".join(f"{stdout}\n{stderr}".strip().splitlines()[-TAIL_LINES:])
    return RemoteCommandError(
        f"{name}: `{_brief(argv)}` {what}",
        status=raw.status if raw.status >= 0 else None,
        detail=tail or None,
        hint=hint,
        stdout=stdout,
        stderr=stderr,
    )
