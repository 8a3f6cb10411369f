# SPDX-License-Identifier: Apache-2.0
"""One driver a lab: who reboots, installs or measures holds it, and whoever comes second is told who that is.

The note of the holder lies on the server's disk: drivers may sit on different machines, and the server may be
rebooted while it is held. A holder on this machine that is gone is recognised; one on another machine is not,
and has to be removed by hand (`aetool lab unlock`).
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aetool.core.errors import ConfigError, LabError
from aetool.core.ssh import Remote

FILE = "/var/lib/aetool/driver.json"
_SECONDS = 30.0
_TRIES = 5

# A link to a finished file: either the whole note is there, or nothing. Prints the note of the holder.
_TAKE = """
mkdir -p -- "$(dirname -- "$1")"
note=$(mktemp -- "$1.XXXXXX")
trap 'rm -f -- "$note"' EXIT
printf '%s\\n' "$2" >"$note"
ln -T -- "$note" "$1" 2>/dev/null && exit 0
cat -- "$1"
"""
# Only the note that was seen is removed: another driver may have taken the lab meanwhile.
_DROP = """
mine=$(mktemp -u -- "$1.XXXXXX")
mv -T -- "$1" "$mine" 2>/dev/null || exit 0
grep -qF -- "$2" "$mine" || ln -T -- "$mine" "$1" 2>/dev/null || true
rm -f -- "$mine"
"""


class LabBusy(LabError):
    """Another driver holds the lab."""


def holder(server: Remote) -> dict[str, Any] | None:
    """The note of the driver that holds a lab; None if nobody does. Raises LabError."""
    said = server.run(["bash", "-c", 'cat -- "$1" 2>/dev/null || true', "x", FILE], timeout=_SECONDS).stdout
    return _parse(said)


@contextmanager
def driving(server: Remote, lab: str, what: str) -> Iterator[None]:
    """Hold a lab while `what` is done to it; within one process it may be held again by what is called.

    Raises LabBusy naming the holder, LabError.
    """
    token = _take(server, lab, what)
    try:
        yield
    finally:
        if token is not None:
            # a server that is gone, or whose keys are, keeps the note; the next driver on this machine
            # sees that we are gone
            with suppress(LabError, ConfigError):
                _drop(server, token)


def unlock(server: Remote) -> dict[str, Any] | None:
    """Take a lab from whoever holds it; return the note that was removed. Raises LabError."""
    found = holder(server)
    if found is not None:
        _drop(server, str(found.get("token")))
    return found


def _take(server: Remote, lab: str, what: str) -> str | None:
    token = secrets.token_hex(8)
    note = {
        "token": token,
        "what": what,
        "user": getpass.getuser(),
        "machine": socket.gethostname(),
        "machine_id": _machine(),
        "pid": os.getpid(),
        "began": _began(os.getpid()),
        "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    }
    for _ in range(_TRIES):
        argv = ["bash", "-euo", "pipefail", "-c", _TAKE, "take", FILE, json.dumps(note)]
        found = _parse(server.run(argv, timeout=_SECONDS).stdout)
        if found is None:
            return token
        if found.get("machine_id") == note["machine_id"]:
            if found.get("pid") == note["pid"] and found.get("began") == note["began"]:
                return None
            if _began(int(found.get("pid", 0))) != found.get("began"):
                _drop(server, str(found.get("token")))
                continue
        raise LabBusy(
            f"the lab {lab} is in use: {found.get('what')} by {found.get('user')} on {found.get('machine')} "
            f"(process {found.get('pid')}) since {found.get('since')}",
            hint="wait for its end; if that driver is gone for good: aetool lab unlock",
        )
    raise LabBusy(f"the lab {lab} changes hands all the time; try again")


def _drop(server: Remote, token: str) -> None:
    server.run(["bash", "-euo", "pipefail", "-c", _DROP, "drop", FILE, token], timeout=_SECONDS)


def _parse(text: str) -> dict[str, Any] | None:
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return None


def _machine() -> str:
    """Where this process's number means something: this machine, since it booted, in this container."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + str(
        Path("/proc/self/ns/pid").readlink()
    )


def _began(pid: int) -> str | None:
    """When a process began, in the kernel's ticks; None if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None
