# SPDX-License-Identifier: Apache-2.0
"""QMP, QEMU's control protocol: one command per connection, on this machine or on a host of the lab.

One connection a command keeps no state that could go stale, and works through a pipe as well as on a socket.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aetool.core.errors import HostUnreachable, LabError, RemoteCommandError
from aetool.core.ssh import Remote

_SECONDS = 10.0
_HANDSHAKE = b'{"execute": "qmp_capabilities", "id": "hello"}\n'


def request(command: str, arguments: Mapping[str, Any] | None = None) -> bytes:
    """What to send on a fresh connection to run one command."""
    body: dict[str, Any] = {"execute": command, "id": "command"}
    if arguments:
        body["arguments"] = dict(arguments)
    return _HANDSHAKE + json.dumps(body).encode() + b"\n"


def result(command: str, answer: bytes, where: str) -> Any:
    """The command's result from everything that came back; raises LabError.

    `quit` may close the connection before it has answered: that counts as done.
    """
    greeted = False
    for line in answer.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue  # the last line of a connection that was cut
        greeted = greeted or "QMP" in message
        if "error" in message:
            raise LabError(
                f"{where}: QEMU refuses {command}: {message['error'].get('desc', message['error'])}"
            )
        if message.get("id") == "command":
            return message.get("return")
    if greeted and command == "quit":
        return {}
    raise HostUnreachable(f"{where}: QEMU does not answer {command}")


def local(path: Path, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """Run a command of the QEMU behind a socket of this machine; raises LabError, HostUnreachable."""
    answer = b""
    deadline = time.monotonic() + _SECONDS
    try:
        # a socket's name may have 107 bytes: name it by its directory's descriptor
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
                wire.settimeout(_SECONDS)
                wire.connect(f"/proc/self/fd/{folder}/{path.name}")
                wire.sendall(request(command, arguments))
                with contextlib.suppress(ConnectionError, TimeoutError):
                    while b'"id": "command"' not in answer and time.monotonic() < deadline:
                        data = wire.recv(65536)
                        if not data:
                            break
                        answer += data
        finally:
            os.close(folder)
    except OSError as error:
        raise HostUnreachable(f"{path}: QEMU is not there: {error.strerror or error}") from error
    return result(command, answer, str(path))


def remote(host: Remote, path: str, command: str, arguments: Mapping[str, Any] | None = None) -> Any:
    """Run a command of a QEMU on a host; raises LabError, HostUnreachable if that QEMU is gone."""
    try:
        done = host.run(
            ["socat", "-t", "5", "-", f"UNIX-CONNECT:{path}"],
            stdin=request(command, arguments),
            timeout=_SECONDS + 20,
        )
    except RemoteCommandError as error:
        raise HostUnreachable(f"{host.name}: QEMU behind {path} is not there", detail=error.detail) from error
    return result(command, done.stdout.encode(), f"{host.name}:{path}")
