# SPDX-License-Identifier: Apache-2.0
"""Network namespaces: made, entered, emptied and removed.

Labs on this machine keep every interface, bridge and socket inside namespaces of their own, so that nothing
of them appears in the machine's network and several labs with the same addresses can stand side by side.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from aetool.core.errors import LabError
from aetool.core.process import require, run

_FOLDER = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_STEP_SECONDS = 20.0
_EMPTY_SECONDS = 10.0


def require_root(what: str) -> None:
    """Raise LabError with the command to type unless this is root."""
    if os.geteuid() != 0:
        raise LabError(f"{what} needs root", hint="run the same command with sudo: sudo .venv/bin/aetool ...")


def exists(name: str) -> bool:
    """Whether a namespace of that name is there."""
    return (_FOLDER / name).exists()


def matching(prefix: str) -> list[str]:
    """Names of all namespaces that begin so."""
    if not _FOLDER.is_dir():
        return []
    return sorted(p.name for p in _FOLDER.iterdir() if p.name.startswith(prefix))


def batch(lines: Sequence[str], inside: str | None = None) -> None:
    """Run `ip` commands in one process, in a namespace if one is named; raises ProcessError."""
    where = ["-netns", inside] if inside else []
    run(
        [require("ip", "iproute2"), *where, "-batch", "-"],
        stdin="\n".join(lines) + "\n",
        timeout=_STEP_SECONDS,
    )


def processes(name: str) -> list[int]:
    """Ids of the processes in a namespace."""
    output = run([require("ip", "iproute2"), "netns", "pids", name], timeout=_STEP_SECONDS).output
    return [int(word) for word in output.split()]


def remove(name: str) -> None:
    """Kill what runs in a namespace and remove it; nothing happens if there is none. Raises LabError."""
    if not exists(name):
        return
    deadline = time.monotonic() + _EMPTY_SECONDS
    while found := processes(name):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(f"the processes {found} in the namespace {name} do not end")
        time.sleep(0.02)
    run([require("ip", "iproute2"), "netns", "del", name], timeout=_STEP_SECONDS)


def dialler(namespace: str, host: str, port: int) -> Callable[[float], socket.socket]:
    """A Dial (core.ssh_connect) that connects from inside a namespace.

    A thread enters the namespace, makes the socket and ends; a socket stays in the namespace it was made in.
    """

    def dial(timeout: float) -> socket.socket:
        result: list[socket.socket | OSError] = []

        def enter() -> None:
            try:
                _enter(namespace)
                result.append(socket.create_connection((host, port), timeout=timeout))
            except OSError as error:
                result.append(error)

        thread = threading.Thread(target=enter, name=f"dial-{namespace}")
        thread.start()
        thread.join()
        outcome = result[0]
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    return dial


def _enter(namespace: str) -> None:
    """Move the calling thread, and only it, into a namespace; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.open(_FOLDER / namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(handle, _CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
    finally:
        os.close(handle)
