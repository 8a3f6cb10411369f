# SPDX-License-Identifier: Apache-2.0
"""What the driver remembers about a tree between two builds, and the quick test that nothing changed.

One JSON file, replaced atomically. It is never a proof of anything: every digest in it is tied to the
state of the file that it was taken from (size, times, inode), and a file whose state differs, or that was
written so shortly before that another write could go unnoticed, is read again. If the record is lost,
truncated or from another version, it counts as empty.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

FORMAT = 4
STATE_DIR = ".aetool"
# Two writes within one tick of the kernel's clock (4 to 10 ms) can leave the same times.
SETTLED_NS = 50_000_000


@dataclass
class Entry:
    """One Coq file.

    inputs: what the compiled file was made from: digests of `source`, of each dependency's interface
    (`interface NAME`), of files that it loads (`text NAME`), of the options and of Coq.
    requires: files of the project that it depends on; externals: compiled files outside of it.
    seconds: wall time when it was last really compiled; memory: peak, KiB.
    """

    requires: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    externals: list[str] = field(default_factory=list)
    source: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    compiled: str = ""
    interface: str = ""
    status: str = ""
    seconds: float = 0.0
    memory: int = 0


@dataclass
class Record:
    """All of it.

    digests: by path (relative to the tree or absolute), the state of the file and a digest of its contents
    (for a compiled file outside the tree, of its interface).
    complete: the last build was of everything and everything passed.
    everything: the paths that a no-op has to look at.
    """

    root: Path
    toolchain: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    digests: dict[str, list[str]] = field(default_factory=dict)
    scanned: str = ""
    complete: bool = False
    everything: list[str] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.root / STATE_DIR / "record.json"

    @classmethod
    def load(cls, root: Path) -> Record:
        """Read the record of a tree; an empty one if there is none that can be used."""
        try:
            data = json.loads((root / STATE_DIR / "record.json").read_bytes())
            if data["format"] != FORMAT:
                return cls(root)
            entries = {name: Entry(**entry) for name, entry in data["entries"].items()}
            known = {item.name for item in fields(cls)} - {"root", "entries"}
            return cls(root, entries=entries, **{key: data[key] for key in known})
        except (OSError, ValueError, KeyError, TypeError):
            return cls(root)

    def save(self) -> None:
        """Replace the file; a reader sees the old record or the new one."""
        data = {"format": FORMAT, "entries": {name: asdict(entry) for name, entry in self.entries.items()}}
        data |= {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if item.name not in ("root", "entries")
        }
        replace_file(self.path, json.dumps(data).encode())

    def digest(self, name: str) -> str | None:
        """SHA-256 of a file's contents, read again only if the file may have changed; None if unreadable."""
        path = self.root / name
        state = signature(path)
        if state is None:
            return None
        known = self.digests.get(name)
        if known and known[0] == state and state:
            return known[1]
        import hashlib  # 5 ms that a no-op need not spend

        with contextlib.suppress(OSError):
            return self.remember(name, hashlib.sha256(path.read_bytes()).hexdigest())
        return None

    def remember(self, name: str, digest: str) -> str:
        """Note the digest of what the file `name` holds now."""
        self.digests[name] = [signature(self.root / name) or "", digest]
        return digest


def signature(path: Path | str) -> str | None:
    """State of a file: it changes whenever the contents do. Empty if too fresh to tell; None if missing."""
    try:
        st = os.stat(path)  # noqa: PTH116 - hundreds of these on the path of a no-op
    except OSError:
        return None
    if time.time_ns() - st.st_ctime_ns < SETTLED_NS:
        return ""
    return f"{st.st_size}:{st.st_mtime_ns}:{st.st_ctime_ns}:{st.st_ino}"


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in place in one step. Raises StorageError.

    Without fsync: contents lost in a power failure are noticed by their digest and made again.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(path)
    except OSError as error:
        from aetool.core.process import storage_error

        with contextlib.suppress(OSError):
            partial.unlink()
        raise storage_error(path, error) from error


def coq_signature() -> str:
    """The environment variables that change what Coq finds."""
    names = ("COQPATH", "COQLIB", "COQCORELIB", "OCAMLPATH", "XDG_DATA_HOME", "XDG_DATA_DIRS")
    return "\0".join(os.environ.get(name, "") for name in names)


def coq_files(root: Path) -> list[str]:
    """All Coq files below `root`, sorted, relative to it; hidden folders are not entered."""
    found: list[str] = []
    todo = [""]
    while todo:
        prefix = todo.pop()
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.name.endswith(".v"):
                    found.append(prefix + entry.name)
                elif "." not in entry.name and entry.is_dir():
                    todo.append(f"{prefix}{entry.name}/")
    return sorted(found)


def untouched(record: Record, compiler: str) -> bool:
    """Whether a complete build still stands: the same files, all in the state in which they were recorded."""
    if not record.complete or record.toolchain.get("path") != compiler:
        return False
    if record.toolchain.get("env") != coq_signature():
        return False
    if "tree.yaml" in record.everything and coq_files(record.root) != sorted(record.entries):
        return False
    digests = record.digests
    for name in record.everything:
        known = digests.get(name)
        if not known or not known[0] or signature(record.root / name) != known[0]:
            return False
    return True
