# SPDX-License-Identifier: Apache-2.0
"""Moves the bytes of one remote command: the inner loop of core.ssh, apart because its waits are subtle."""

from __future__ import annotations

import contextlib
import re
import select
import threading
import time
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import paramiko

_CHUNK = 1 << 17
# A daemon that keeps our pipe open must not keep the command from ending: after the exit status, output is
# awaited only while it flows.
_DRAIN_SECONDS = 1.0


class Pump:
    """Moves bytes between a channel and memory until the command ends or its deadline passes."""

    def __init__(
        self,
        channel: paramiko.Channel,
        stdin: bytes | None,
        deadline: float,
        tee: tuple[BinaryIO, BinaryIO] | None,
    ) -> None:
        self._channel = channel
        self._tee = tee
        self._passed_on = [0, 0]
        self._stdin = stdin or b""
        self._deadline = deadline
        self.stdout = bytearray()
        self.stderr = bytearray()

    def leader(self) -> int | None:
        """Process id that the command announced, if it has got so far."""
        return self.split()[0]

    def split(self) -> tuple[int | None, bytes]:
        """The announced process id, and what else came on standard error."""
        match = re.match(rb"(\d+)\n", self.stderr)
        return (int(match[1]), bytes(self.stderr[match.end() :])) if match else (None, bytes(self.stderr))

    def run(self) -> bool:
        """Return True when the command has ended, False when its time is over."""
        channel = self._channel
        writer = None
        if self._stdin:
            writer = threading.Thread(target=self._write, daemon=True)
            writer.start()
        quiet_since = None
        while True:
            got = self._read()
            if got:
                self._pass_on()
                quiet_since = None
                continue
            now = time.monotonic()
            if channel.exit_status_ready():
                # everything has come (end of file), or what is left belongs to somebody else's daemon
                quiet_since = quiet_since or now
                if channel.closed or channel.eof_received or now - quiet_since > _DRAIN_SECONDS:
                    while self._read():
                        pass
                    self._pass_on()
                    return True
            if now > self._deadline:
                return False
            wait = min(self._deadline - now, 0.25)
            if channel.eof_received or channel.closed:
                channel.status_event.wait(wait)
            else:
                select.select([channel], [], [], wait)

    def _read(self) -> bool:
        got = False
        while self._channel.recv_ready():
            self.stdout += self._channel.recv(_CHUNK)
            got = True
        while self._channel.recv_stderr_ready():
            self.stderr += self._channel.recv_stderr(_CHUNK)
            got = True
        return got

    def _pass_on(self) -> None:
        if self._tee is None:
            return
        for i, data in enumerate((bytes(self.stdout), self.split()[1])):
            self._tee[i].write(data[self._passed_on[i] :])
            self._tee[i].flush()
            self._passed_on[i] = len(data)

    def _write(self) -> None:
        sent = 0
        # a program may end without reading all of its input: that is its business
        with contextlib.suppress(OSError, EOFError):
            self._channel.settimeout(None)
            while sent < len(self._stdin):
                sent += self._channel.send(self._stdin[sent : sent + _CHUNK])
            self._channel.shutdown_write()
