# SPDX-License-Identifier: Apache-2.0
"""Compiled Coq files as containers of segments, and the digest that dependents see.

A `.vo` file is a header, some segments and a table of them (name, position, length, MD5). The segment
`library` holds what a dependent can see: statements, definitions, notations, and the digests of the
libraries that it stands on. Opaque proofs lie in `opaques`. So a dependent needs compiling again only when
`library` changed, and Coq itself refuses a stale dependent by the same digest.

A container of another shape is not guessed at: its interface is then the whole file.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

MAGIC = 0x436F7121  # "Coq!"
# OCaml's marshalled `None`: what the segments `tasks` and `universes` hold when every proof was checked.
NOTHING_LEFT = bytes.fromhex("c5e35411975aef719f04a574b4ff5940")
SEGMENTS = frozenset({"library", "opaques", "summary", "tasks", "universes"})


@dataclass(frozen=True)
class Compiled:
    """A compiled file.

    sha256: of the whole file, in hexadecimal.
    interface: digest of what dependents see, prefixed with `library:` or, for an unknown container, `whole:`.
    problem: why this is not a complete and intact container, or None.
    """

    sha256: str
    interface: str
    problem: str | None

    @property
    def known(self) -> bool:
        """Whether the container has the shape that the cut-off relies on."""
        return self.interface.startswith("library:")


def inspect(data: bytes) -> Compiled:
    """Take a compiled file apart and check every segment against its MD5."""
    whole = hashlib.sha256(data).hexdigest()
    if len(data) < 16 or struct.unpack_from(">I", data)[0] != MAGIC:
        return Compiled(whole, f"whole:{whole}", "it does not start like a compiled Coq file")
    try:
        segments, end = _table(data)
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        return Compiled(whole, f"whole:{whole}", f"its table of segments cannot be read ({error})")
    if set(segments) != SEGMENTS:
        found = ", ".join(sorted(segments)) or "none"
        return Compiled(whole, f"whole:{whole}", f"it has the segments {found}")
    problem = None if end == len(data) else "there is something after its table of segments"
    for name, (position, length, digest) in segments.items():
        end = position + length
        actual = hashlib.md5(data[position:end], usedforsecurity=False).digest()
        # the digest is written twice: behind the segment and in the table
        if actual != digest or data[end : end + 16] != digest:
            problem = f"the segment {name!r} does not have the digest that is written for it"
        elif name in ("tasks", "universes") and digest != NOTHING_LEFT:
            problem = "it holds statements whose proofs were not checked (made by -vos or -vio)"
    return Compiled(whole, f"library:{segments['library'][2].hex()}", problem)


def libraries(data: bytes) -> dict[str, str] | None:
    """Libraries that were loaded to make a compiled file, with their interface digests; None if unknown."""
    from aetool.proofs.marshal import Unreadable, loaded_libraries

    try:
        position, length, _ = _table(data)[0]["summary"]
        found = loaded_libraries(data[position : position + length])
    except (struct.error, KeyError, ValueError, Unreadable):
        return None
    return {name: f"library:{digest}" for name, digest in found.items()}


def read(path: Path) -> Compiled:
    """`inspect` a file; raises OSError if it cannot be read."""
    return inspect(path.read_bytes())


def _table(data: bytes) -> tuple[dict[str, tuple[int, int, bytes]], int]:
    (at,) = struct.unpack_from(">Q", data, 8)
    (count,) = struct.unpack_from(">I", data, at)
    at += 4
    segments: dict[str, tuple[int, int, bytes]] = {}
    for _ in range(count):
        (length,) = struct.unpack_from(">I", data, at)
        name = data[at + 4 : at + 4 + length].decode("ascii")
        at += 4 + length
        position, size, digest = struct.unpack_from(">QQ16s", data, at)
        at += 32
        if name in segments or position + size > len(data):
            raise ValueError(f"segment {name!r} is out of place")
        segments[name] = (position, size, digest)
    return segments, at
