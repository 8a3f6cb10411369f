# SPDX-License-Identifier: Apache-2.0
"""Sentences and C lines as marked-up tokens: keywords, comments, strings, numbers, links, and anchors."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from aetool.proofs.pages_source import Code


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


WITH_MEMBERS = _words("Inductive CoInductive Variant Record Structure Class")
DEFINING = WITH_MEMBERS | _words(
    "Definition Fixpoint CoFixpoint Lemma Theorem Corollary Proposition Fact Remark Example Instance Ltac"
    " Notation Let Function"
)
VERNACULAR = DEFINING | _words(
    "Proof Qed Defined Section End Module Context From Require Import Export Local Global Open Scope"
    " Arguments Hint Unfold Resolve Create HintDb Existing Set Unset Default Goal Selector Check Eval Print"
    " Program Coercion Canonical Variables Variable Opaque Transparent Delimit Bind Close Reserved Tactic"
)
GALLINA = _words(
    "forall exists fun match with end if then else let in fix cofix return as Type Prop Set where struct"
)
C_KEYWORDS = _words("if else while for return void u32 u64 typedef unsigned int long")
_COQ = re.compile(
    r'(?P<comment>\(\*.*?\*\))|(?P<string>"(?:[^"]|"")*")|(?P<name>[^\W\d][\w\']*(?:\.[^\W\d][\w\']*)*)'
    r"|(?P<number>\d+)|(?P<other>\s+|.)",
    re.DOTALL,
)
_C = re.compile(
    r'(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<directive>^[ \t]*\#[^\n]*)|(?P<string>"[^"\n]*")'
    r"|(?P<name>[A-Za-z_]\w*)|(?P<number>\d\w*)|(?P<other>\s+|.)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Token:
    """A piece of code: `kind` is a CSS class or "", `link` a URL or ""."""

    text: str
    kind: str = ""
    link: str = ""


def coq_tokens(text: str, link: Callable[[str], str]) -> list[Token]:
    """A sentence in pieces; `link` gives the URL of an identifier, or ""."""
    return list(_merged(_coq_tokens(text, link)))


def _coq_tokens(text: str, link: Callable[[str], str]) -> Iterator[Token]:
    for match in _COQ.finditer(text):
        kind, piece = str(match.lastgroup), match.group()
        if kind == "name":
            url = link(piece)
            keyword = piece in VERNACULAR or piece in GALLINA
            yield Token(piece, "keyword" if keyword and not url else "", url)
        else:
            yield Token(piece, kind if kind in ("comment", "string", "number") else "")


def c_tokens(text: str, link: Callable[[str], str]) -> list[Token]:
    """A C text in pieces."""
    found: list[Token] = []
    for match in _C.finditer(text):
        kind, piece = str(match.lastgroup), match.group()
        if kind == "name":
            url = link(piece)
            found.append(Token(piece, "keyword" if piece in C_KEYWORDS else "", url))
        else:
            found.append(Token(piece, kind if kind != "other" else ""))
    return list(_merged(found))


def _merged(tokens: Iterable[Token]) -> Iterator[Token]:
    """Neighbours without a mark, joined."""
    plain: list[str] = []
    for token in tokens:
        if token.kind or token.link:
            if plain:
                yield Token("".join(plain))
                plain.clear()
            yield token
        else:
            plain.append(token.text)
    if plain:
        yield Token("".join(plain))


def defined_names(part: Code) -> list[str]:
    """The names that a sentence gives to things: its own, and its constructors or fields."""
    words = list(part.words)
    while words and (words[0] in ("Program", "Local", "Global", "Polymorphic") or words[0] == "#"):
        # an attribute is `#[...]`
        words = words[words.index("]") + 1 :] if words[0] == "#" and "]" in words else words[1:]
    if len(words) < 2 or words[0] not in DEFINING:
        return []
    names = [words[1]]
    if words[0] in WITH_MEMBERS:
        names += [
            word
            for before, word in itertools.pairwise(words)
            if before in ("|", "{", ";", "=", "with") and re.match(r"[^\W\d]", word)
        ]
    return list(dict.fromkeys(name for name in names if re.match(r"[^\W\d]", name)))


def anchors(parts: Sequence[Code]) -> dict[str, int]:
    """For each name that a file defines, the number of its first sentence."""
    found: dict[str, int] = {}
    for number, part in enumerate(parts):
        for name in defined_names(part):
            found.setdefault(name, number)
    return found
