# SPDX-License-Identifier: Apache-2.0
"""Many small files to a host at once: under emulation each command costs more than the bytes it carries."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aetool.core.ssh import Remote

_SECONDS = 600.0


def install(remote: Remote, directory: str, files: Mapping[str, bytes]) -> None:
    """Write files below a directory of the host, by their names relative to it; raises LabError.

    Names that end in `key.pem` are readable for their owner only, all others for everybody.
    """
    argv = ["tar", "--extract", "--no-same-owner", "--preserve-permissions"]
    remote.run([*argv, f"--directory={directory}", "--file=-"], timeout=_SECONDS, stdin=_archive(files))


def _archive(files: Mapping[str, bytes]) -> bytes:
    """A tar of the files, each after the directories that lead to it."""
    out = io.BytesIO()
    made: set[str] = set()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            parts = name.split("/")
            for depth in range(1, len(parts)):
                parent = "/".join(parts[:depth])
                if parent not in made:
                    made.add(parent)
                    folder = tarfile.TarInfo(parent)
                    folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                    archive.addfile(folder)
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600 if name.endswith("key.pem") else 0o644
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()
