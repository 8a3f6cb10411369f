# SPDX-License-Identifier: Apache-2.0
"""What goes to hosts: the scripts that run there, and large files.

Files go in pieces, go on where a broken connection left off, and are checked at the end.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from aetool.core.errors import HostUnreachable, LabError
from aetool.core.process import storage_error
from aetool.core.progress import Progress
from aetool.core.project import project_root
from aetool.core.ssh import Remote
from aetool.lab.local import LocalRemote

_SECONDS = 60.0
_PIECE = 32 << 20
_PIECE_SECONDS = 600.0
_SUM_SECONDS = 1800.0
_TRIES = 5

_SIZE = 'mkdir -p -- "$(dirname -- "$1")"; touch -- "$1"; stat -c %s -- "$1"'
# a piece that arrived in part is cut off again before the next try
_APPEND = """
truncate -s "$2" -- "$1"
cat >>"$1"
"""


def digest(path: Path) -> str:
    """The SHA-256 of a file on this machine; raises StorageError if it cannot be read."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise storage_error(path, error) from error


def on_host(remote: Remote, script: str, *arguments: str, timeout: float) -> str:
    """Run a script of scripts/host on a host, without leaving it there; return what it prints.

    Raises RemoteCommandError.
    """
    text = (project_root() / "scripts" / "host" / script).read_bytes()
    return remote.run(["bash", "-s", "--", *arguments], stdin=text, timeout=timeout).stdout


def upload(remote: Remote, path: Path, target: str, *, progress: Progress) -> None:
    """Copy a file of this machine to a host; nothing is sent if it is there already.

    Goes on with a part that an earlier try left. Raises HostUnreachable after several broken connections,
    LabError if what arrived is not what was sent.
    """
    if isinstance(remote, LocalRemote):
        _copy(path, Path(target))
        return
    want, size = digest(path), path.stat().st_size
    if _sum(remote, target) == want:
        return
    part = f"{target}.{want[:12]}.part"
    at = int(remote.run(["bash", "-euc", _SIZE, "size", part], timeout=_SECONDS).stdout)
    tries = 0
    with path.open("rb") as handle:
        while at < size:
            handle.seek(at)
            piece = handle.read(_PIECE)
            argv = ["bash", "-euo", "pipefail", "-c", _APPEND, "append", part, str(at)]
            try:
                remote.run(argv, timeout=_PIECE_SECONDS, stdin=piece)
            except HostUnreachable:
                tries += 1
                if tries >= _TRIES:
                    raise
                continue
            at += len(piece)
            if size > _PIECE:
                progress.say(f"{remote.name}: {at >> 20} of {size >> 20} MiB of {path.name} sent")
    if (found := _sum(remote, part)) != want:
        remote.run(["rm", "-f", "--", part], timeout=_SECONDS)
        raise LabError(f"{remote.name}: {target}: SHA-256 {found or 'none'} arrived, {want} was sent")
    remote.run(["mv", "-fT", "--", part, target], timeout=_SECONDS)


def _sum(remote: Remote, path: str) -> str:
    done = remote.run(["sha256sum", "--", path], timeout=_SUM_SECONDS, check=False)
    return done.stdout.split()[0].lstrip("\\") if done.status == 0 else ""


def _copy(path: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    except OSError as error:
        raise storage_error(target, error) from error
