# SPDX-License-Identifier: Apache-2.0
"""What a compiled file says it was compiled against: the libraries that coqc really loaded.

`coqdep` predicts from the text, `coqc` decides. The segment `summary` of a `.vo` file lists every loaded
library with the digest of its interface; comparing it with what was planned closes the gap. The segment is
an OCaml value in the standard marshalled form, of which only what occurs there is read.
"""

from __future__ import annotations

import struct
from typing import Any

SMALL = 0x8495A6BE
HEADER_BYTES = 20


class Unreadable(ValueError):
    """The value is not of a shape that is known."""


def loaded_libraries(summary: bytes) -> dict[str, str]:
    """Full names of the loaded libraries with the hexadecimal digests of their interfaces.

    Raises Unreadable.
    """
    value = unmarshal(summary)
    try:
        _, libraries, *_ = value
        found: dict[str, str] = {}
        for path, digest in libraries:
            names: list[str] = []
            while path != 0:  # a list: 0 is its end, a block of head and tail the rest; innermost name first
                head, path = path
                names.append(head.decode("utf-8"))
            found[".".join(reversed(names))] = digest[0].hex()
        return found
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise Unreadable(f"the summary has another shape ({error})") from error


def unmarshal(data: bytes) -> Any:
    """Read a marshalled value made of integers, strings and blocks (as lists). Raises Unreadable."""
    if len(data) < HEADER_BYTES or struct.unpack_from(">I", data)[0] != SMALL:
        raise Unreadable("not a marshalled OCaml value of the small kind")
    try:
        return _Reader(data).read()
    except (struct.error, IndexError) as error:
        raise Unreadable(f"the marshalled value breaks off ({error})") from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, HEADER_BYTES
        self._shared: list[Any] = []

    def read(self) -> Any:
        """Read one value, without recursion: lists in OCaml are as deep as they are long."""
        root: list[Any] = []
        open_blocks: list[tuple[list[Any], int]] = [(root, 1)]
        while open_blocks:
            block, wanted = open_blocks[-1]
            if len(block) == wanted:
                open_blocks.pop()
                continue
            value, size = self._one()
            block.append(value)
            if size:
                open_blocks.append((value, size))
        return root[0]

    def _one(self) -> tuple[Any, int]:
        """One integer, string or reference, or a new block and the number of fields to come."""
        code = self._int(">B")
        if code >= 0x80:
            return self._block((code >> 4) & 7)
        if code >= 0x40:
            return code & 0x3F, 0
        if code >= 0x20:
            return self._string(code & 0x1F), 0
        if code <= 0x03:
            return self._int((">b", ">h", ">i", ">q")[code]), 0
        if code <= 0x06:
            back = self._int((">B", ">H", ">I")[code - 4])
            return self._shared[len(self._shared) - back], 0
        if code == 0x08:
            return self._block(self._int(">I") >> 10)
        if code in (0x09, 0x0A):
            return self._string(self._int(">B" if code == 0x09 else ">I")), 0
        raise Unreadable(f"the code {code:#x} is not known")

    def _block(self, size: int) -> tuple[Any, int]:
        if size == 0:
            return [], 0  # an atom is not shared
        block: list[Any] = []
        self._shared.append(block)
        return block, size

    def _string(self, length: int) -> bytes:
        if self._at + length > len(self._data):
            raise Unreadable("a string is cut off")
        text = self._data[self._at : self._at + length]
        self._at += length
        self._shared.append(text)
        return text

    def _int(self, form: str) -> int:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return int(value)
