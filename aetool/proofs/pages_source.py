# SPDX-License-Identifier: Apache-2.0
"""Source files taken apart for a reader: prose, code comments, sentences.

Prose is what stands in `(** ... *)` in Coq, with coqdoc's headings, lists and bracketed code, and in the
opening comment of a C file. Pages and notebooks are made from the same pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aetool.proofs.lexer import sentences

LICENCE = "SPDX-License-Identifier"


@dataclass(frozen=True)
class Block:
    """A heading, paragraph or list item. pieces: texts in order, each with whether it is code."""

    kind: str
    level: int
    pieces: tuple[tuple[bool, str], ...]

    @property
    def text(self) -> str:
        """The words without marks."""
        return "".join(text for _, text in self.pieces)


@dataclass(frozen=True)
class Prose:
    """A documentation comment."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Filler:
    """Blanks and comments between sentences, as they stand in the file."""

    text: str


@dataclass(frozen=True)
class Code:
    """A sentence. words: its identifiers and signs; line: of its first character, from 1."""

    text: str
    words: tuple[str, ...]
    line: int


Fragment = Prose | Filler | Code


def fragments(data: bytes) -> list[Fragment]:
    """A Coq file in order; the texts of fillers and sentences, and the comments, make up the whole file.

    Raises `lexer.Unfinished`.
    """
    found: list[Fragment] = []
    at = 0
    for sentence in sentences(data):
        found += _between(data[at : sentence.start].decode())
        text = data[sentence.start : sentence.end].decode()
        found.append(Code(text, tuple(sentence.words), sentence.line))
        at = sentence.end
    return [*found, *_between(data[at:].decode())]


def _between(text: str) -> Iterator[Fragment]:
    """Split what stands between two sentences at its documentation comments."""
    at = filler = 0
    while (start := text.find("(*", at)) >= 0:
        end = _comment_end(text, start)
        if text.startswith("(**", start) and text[start + 3 : start + 4].isspace():
            if filler < start:
                yield Filler(text[filler:start])
            yield Prose(tuple(coq_prose(text[start + 3 : end - 2])))
            filler = end
        elif LICENCE in text[start:end]:
            filler = end
        at = end
    if filler < len(text):
        yield Filler(text[filler:])


def _comment_end(text: str, start: int) -> int:
    depth, at = 0, start
    while True:
        opening, closing = text.find("(*", at), text.find("*)", at)
        if 0 <= opening < closing:
            depth, at = depth + 1, opening + 2
        else:
            depth, at = depth - 1, closing + 2
            if depth == 0:
                return at


def coq_prose(text: str) -> Iterator[Block]:
    """The blocks of a documentation comment (without its delimiters)."""
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        if not lines:
            continue
        heading = re.match(r"(\*+)\s+(.*)", lines[0])
        if heading:
            yield Block("heading", len(heading.group(1)), _pieces(heading.group(2)))
            lines = lines[1:]
        yield from _paragraphs(lines)


def c_prose(text: str) -> list[Block]:
    """The blocks of the opening comment of a C file, licence line left out."""
    for match in re.finditer(r"/\*(.*?)\*/", text, re.DOTALL):
        if LICENCE not in match.group(1):
            lines = [re.sub(r"^\s*\* ?", "", line) for line in match.group(1).splitlines()]
            paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
            return [
                block
                for paragraph in paragraphs
                for block in _paragraphs([line.strip() for line in paragraph.splitlines()])
            ]
    return []


def _paragraphs(lines: list[str]) -> Iterator[Block]:
    """A paragraph, or the items of a list with the paragraph before it."""
    kind, words = "paragraph", ""
    for line in lines:
        if re.match(r"[-*] ", line):
            if words:
                yield Block(kind, 0, _pieces(words))
            kind, words = "item", line[2:].strip()
        else:
            words = f"{words} {line}".strip()
    if words:
        yield Block(kind, 0, _pieces(words))


def _pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """Split at bracketed code; brackets nest, as in `[[x; y]]`, and an open one is a plain sign."""
    pieces: list[tuple[bool, str]] = []
    at = 0
    while (start := text.find("[", at)) >= 0:
        depth, end = 0, start
        while end < len(text):
            depth += {"[": 1, "]": -1}.get(text[end], 0)
            end += 1
            if depth == 0:
                break
        if depth:
            break
        if start > at:
            pieces.append((False, text[at:start]))
        pieces.append((True, text[start + 1 : end - 1]))
        at = end
    return (*pieces, (False, text[at:])) if at < len(text) else tuple(pieces)
