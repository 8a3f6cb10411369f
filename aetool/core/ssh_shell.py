# SPDX-License-Identifier: Apache-2.0
"""An interactive shell on a host, over the same pinned connection as everything else."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import termios
import tty
from types import FrameType

from aetool.core.errors import AetoolError, HostUnreachable
from aetool.core.ssh import SshRemote

_CHUNK = 1 << 15


def interact(remote: SshRemote) -> int:
    """Give the user's terminal to a shell on the host; return its exit status.

    Raises AetoolError if standard input is not a terminal, HostUnreachable if the connection breaks.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise AetoolError(
            "an interactive shell needs a terminal",
            hint=f"to run one command: aetool lab ssh {remote.name} -- COMMAND",
        )
    channel = remote.channel()
    columns, rows = shutil.get_terminal_size()
    channel.get_pty(os.environ.get("TERM", "vt100"), columns, rows)
    channel.invoke_shell()

    def resized(number: int, frame: FrameType | None) -> None:
        columns, rows = shutil.get_terminal_size()
        channel.resize_pty(columns, rows)

    before = termios.tcgetattr(sys.stdin)
    handler = signal.signal(signal.SIGWINCH, resized)
    keys, screen = sys.stdin.fileno(), sys.stdout.fileno()
    try:
        tty.setraw(keys)
        while True:
            ready, _, _ = select.select([channel, keys], [], [])
            if channel in ready:
                data = channel.recv(_CHUNK)
                if not data:
                    break
                os.write(screen, data)
            if keys in ready:
                channel.sendall(os.read(keys, _CHUNK))
        status = channel.recv_exit_status()
    except (OSError, EOFError) as error:
        raise HostUnreachable(f"{remote.endpoint.where}: the connection broke") from error
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, handler)
        channel.close()
    if status == -1:
        raise HostUnreachable(f"{remote.endpoint.where}: the host closed the connection")
    return status
