# SPDX-License-Identifier: Apache-2.0
"""Coq's lexical structure: sentences, with comments and strings told apart from what Coq executes.

Comments nest and contain strings; strings double their quotes; a sentence ends with a period that is
followed by a blank or the end, and a bullet or a brace is a sentence of its own inside a proof. Texts are
bytes, because Coq counts positions in bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """A sentence of a Coq file.

    start, end: byte positions of its first character and behind its last (comments before it excluded).
    text: the sentence with each comment and the contents of each string blanked out, in one line.
    line: number of its first line, from 1.
    """

    start: int
    end: int
    text: str
    line: int

    @property
    def words(self) -> list[str]:
        """Its identifiers and other tokens."""
        return _TOKENS.findall(self.text)


_TOKENS = re.compile(r"[^\W\d][\w']*(?:\.[^\W\d][\w']*)*|\d+|[^\w\s]")
# A bullet or a brace, with what it may choose before it: `2:{`, `[name]:{`.
_BULLET = re.compile(rb"[-+*]+|(?:(?:\d+|\[\s*[^\W\d][\w']*\s*\])\s*:\s*)?\{|\}")
_STOP = re.compile(rb'\(\*|"|\.+|\n')
_INSIDE = re.compile(rb'\(\*|\*\)|"')


class Unfinished(ValueError):
    """A comment, a string or a sentence that the file does not end; `line` is where it starts."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(f"line {line}: this {what} is not ended")
        self.line = line


def sentences(data: bytes) -> Iterator[Sentence]:
    """The sentences of a file, in order; raises Unfinished."""
    at, start = 0, -1
    pieces: list[bytes] = []
    end = len(data)
    line_at, line = 0, 1

    def line_of(position: int) -> int:
        nonlocal line_at, line
        line += data.count(b"\n", line_at, position)
        line_at = position
        return line

    while at < end:
        char = data[at : at + 1]
        if data.startswith(b"(*", at):
            closed = _comment_end(data, at)
            pieces.append(b" ")
            at = closed
            continue
        if start < 0:
            if char.isspace():
                at += 1
                continue
            start, pieces = at, []
            bullet = _BULLET.match(data, at)
            if bullet:
                at = bullet.end()
                yield _sentence(data, start, at, [bullet.group()], line_of(start))
                start = -1
                continue
        if char == b'"':
            closed = _string_end(data, at)
            pieces.append(b'""')
            at = closed
        elif char == b".":
            dots = at
            while data[dots : dots + 1] == b".":
                dots += 1
            pieces.append(data[at:dots])
            ends = dots == end or data[dots : dots + 1].isspace()
            # `..` belongs to recursive notations; `...` ends a sentence (Proof with)
            if ends and dots - at != 2:
                yield _sentence(data, start, dots, pieces, line_of(start))
                start = -1
            at = dots
        else:
            following = _STOP.search(data, at + 1)
            stop = following.start() if following else end
            pieces.append(data[at:stop])
            at = stop
    if start >= 0:
        raise Unfinished("sentence", line_of(start))


def sentence_at(data: bytes, position: int) -> Sentence | None:
    """The sentence around a byte position, or None (also if the file is broken before it)."""
    try:
        for sentence in sentences(data):
            if position < sentence.end:
                return sentence
    except Unfinished:
        pass
    return None


def _sentence(data: bytes, start: int, end: int, pieces: list[bytes], line: int) -> Sentence:
    text = b"".join(pieces).decode("utf-8", errors="replace")
    return Sentence(start, end, " ".join(text.split()), line)


def _comment_end(data: bytes, at: int) -> int:
    depth, position = 0, at
    for_line = data.count(b"\n", 0, at) + 1
    while True:
        found = _INSIDE.search(data, position)
        if found is None:
            raise Unfinished("comment", for_line)
        if found.group() == b"(*":
            depth, position = depth + 1, found.end()
        elif found.group() == b"*)":
            depth, position = depth - 1, found.end()
            if depth == 0:
                return position
        else:
            position = _string_end(data, found.start())


def _string_end(data: bytes, at: int) -> int:
    closing = data.find(b'"', at + 1)
    if closing < 0:
        raise Unfinished("string", data.count(b"\n", 0, at) + 1)
    return closing + 1  # a doubled quote is taken for two strings side by side, which blanks it all the same
