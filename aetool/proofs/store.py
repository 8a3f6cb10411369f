# SPDX-License-Identifier: Apache-2.0
"""A content-addressed store of compiled files, shared by all checkouts of one user (or of one team).

    keys/<2>/<key>.json       what compiling with these inputs gave: digest, interface, seconds, memory
    objects/<2>/<sha256>      the compiled file itself

A key is the digest of everything that determines the result (see `build`). Objects are checked against
their name when they are taken out, so a damaged one is a miss. The store is a cache and is trusted for
compiling only: `aetool proofs audit --full` does not use it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from aetool.core.errors import StorageError
from aetool.proofs.record import replace_file

LIMIT_BYTES = 2 << 30


def default_store() -> Path:
    """`AETOOL_STORE`, or a folder in the user's cache directory."""
    configured = os.environ.get("AETOOL_STORE")
    if configured:
        return Path(configured)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "aetool" / "proofs"


@dataclass(frozen=True)
class Stored:
    """What is known of a compiled file in the store; seconds and KiB are those of its compilation."""

    compiled: str
    interface: str
    seconds: float
    memory: int


class Store:
    """The store in one directory; `None` is a store that holds nothing and keeps nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self.problem: str | None = None

    def get(self, key: str) -> tuple[Stored, bytes] | None:
        """The compiled file for a key, intact, or None."""
        if self._directory is None:
            return None
        try:
            stored = Stored(**json.loads(self._key(key).read_bytes()))
            path = self._object(stored.compiled)
            data = path.read_bytes()
        except (OSError, ValueError, TypeError):
            return None
        if hashlib.sha256(data).hexdigest() != stored.compiled:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # `prune` drops what has not been used for longest
        return stored, data

    def put(self, key: str, stored: Stored, data: bytes) -> None:
        """Keep a compiled file. A store that cannot be written is noted in `problem` and given up."""
        if self._directory is None:
            return
        try:
            target = self._object(stored.compiled)
            if not target.exists():
                replace_file(target, data)
            replace_file(self._key(key), json.dumps(asdict(stored)).encode())
        except StorageError as error:
            self.problem = f"the store is not used any more: {error.message}"
            self._directory = None

    def prune(self, limit: int = LIMIT_BYTES) -> int:
        """Remove the objects unused for longest until the rest has at most `limit` bytes; return how many."""
        if self._directory is None:
            return 0
        objects: list[tuple[float, int, Path]] = []
        for path in self._directory.glob("objects/*/*"):
            with contextlib.suppress(OSError):
                st = path.stat()
                objects.append((st.st_mtime, st.st_size, path))
        excess = sum(size for _, size, _ in objects) - limit
        removed = 0
        for _, size, path in sorted(objects):
            if excess <= 0:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                removed += 1
                excess -= size
        return removed

    def _key(self, key: str) -> Path:
        assert self._directory is not None
        return self._directory / "keys" / key[:2] / f"{key}.json"

    def _object(self, digest: str) -> Path:
        assert self._directory is not None
        return self._directory / "objects" / digest[:2] / digest
