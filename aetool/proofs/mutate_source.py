# SPDX-License-Identifier: Apache-2.0
"""Small wrong changes of a C file: what a slip of the hand, or an attacker, might do to it.

The changes are made in the text, so a difference reads like one that a person made. Only function bodies
are changed; comments and preprocessor lines are not.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<skip>/\*.*?\*/|//[^\n]*|\s+|^[ \t]*\#(?:\\\n|[^\n])*)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<number>\d\w*)"
    r"|(?P<operator><<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\+\+|--|.)",
    re.DOTALL | re.MULTILINE,
)
RELATIONAL = {
    "<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",),
}  # fmt: skip
ARITHMETIC = {"+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "&": "|", "|": "&", "^": "&",
              "<<": ">>", ">>": "<<", "&&": "||", "||": "&&"}  # fmt: skip
NOT_COMMUTATIVE = ("-", "/", "%", "<<", ">>", "<", "<=", ">", ">=")
KEYWORDS = ("if", "while", "for", "return", "else", "u32", "u64", "void")
CLOSING = {"(": ")", "{": "}"}


@dataclass(frozen=True)
class Mutant:
    """One changed file. before, after: the lines of the function that differ, as a reader would name them."""

    function: str
    kind: str
    line: int
    before: str
    after: str
    text: str

    def diff(self, original: str, name: str) -> str:
        """A unified diff from the original."""
        lines = difflib.unified_diff(
            original.splitlines(), self.text.splitlines(), f"a/{name}", f"b/{name}", n=2, lineterm=""
        )
        return "\n".join(lines)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Edit:
    kind: str
    start: int
    end: int
    text: str


def mutants(source: str) -> list[Mutant]:
    """All mutants of a C file in the order of the text, each with a text of its own."""
    tokens = [
        _Token(str(match.lastgroup), match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(source)
        if match.lastgroup != "skip"
    ]
    found: dict[str, Mutant] = {}
    for function, body in _bodies(tokens):
        for edit in sorted(_edits(source, body), key=lambda edit: (edit.start, edit.end)):
            text = source[: edit.start] + edit.text + source[edit.end :]
            if text not in found and text != source:
                found[text] = _describe(source, function, edit, text)
    return list(found.values())


def _describe(source: str, function: str, edit: _Edit, text: str) -> Mutant:
    # whole lines around the edit, without indentation
    first = source.rfind("\n", 0, edit.start) + 1
    last = source.find("\n", edit.end)
    tail = len(source) - last
    return Mutant(
        function,
        edit.kind,
        source.count("\n", 0, edit.start) + 1,
        _one_line(source[first:last]),
        _one_line(text[first : len(text) - tail]),
        text,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _bodies(tokens: list[_Token]) -> Iterator[tuple[str, list[_Token]]]:
    """Each function's name, and the tokens of its body without the outer braces."""
    at = 0
    while at < len(tokens):
        if tokens[at].text == "{":
            end = _partner(tokens, at)
            opening = at - 1
            depth = 1
            while depth:
                opening -= 1
                depth += {")": 1, "(": -1}.get(tokens[opening].text, 0)
            yield tokens[opening - 1].text, tokens[at + 1 : end]
            at = end
        at += 1


def _partner(tokens: list[_Token], at: int) -> int:
    """The index of the bracket that closes the one at `at`."""
    opening = tokens[at].text
    depth = 0
    for index in range(at, len(tokens)):
        depth += {opening: 1, CLOSING[opening]: -1}.get(tokens[index].text, 0)
        if depth == 0:
            return index
    raise ValueError(f"the bracket at byte {tokens[at].start} is never closed")


def _edits(source: str, body: list[_Token]) -> Iterator[_Edit]:
    for at, token in enumerate(body):
        if token.kind == "operator":
            yield from _operators(source, body, at)
        elif token.kind == "number":
            yield from _numbers(token)
        elif token.text == "return" and body[at + 1].text != ";":
            end = _semicolon(body, at)
            value = source[body[at + 1].start : body[end - 1].end]
            yield _Edit("wrong result", body[at + 1].start, body[end - 1].end, f"({value}) + 1U")
        elif token.text in ("if", "while"):
            yield from _conditions(source, body, at)
        elif token.kind == "name" and token.text not in KEYWORDS:
            yield from _names(source, body, at)


def _operators(source: str, body: list[_Token], at: int) -> Iterator[_Edit]:
    token = body[at]
    for other in RELATIONAL.get(token.text, ()):
        off_by_one = other.rstrip("=") == token.text.rstrip("=") and token.text not in ("==", "!=")
        yield _Edit("off by one" if off_by_one else "relational operator", token.start, token.end, other)
    if token.text in ARITHMETIC:
        yield _Edit("operator", token.start, token.end, ARITHMETIC[token.text])
    if token.text in NOT_COMMUTATIVE:
        left, right = _operand_before(body, at), _operand_after(body, at)
        if left and right:
            # the operator and the blanks around it stay where they are
            between = source[left[1] : right[0]]
            swapped = source[slice(*right)] + between + source[slice(*left)]
            yield _Edit("swapped operands", left[0], right[1], swapped)


def _numbers(token: _Token) -> Iterator[_Edit]:
    digits = token.text.rstrip("uUlL")
    suffix = token.text[len(digits) :]
    number = int(digits, 0)
    for other in (number + 1, number - 1):
        if other >= 0:
            text = hex(other) if digits.lower().startswith("0x") else str(other)
            yield _Edit("wrong constant", token.start, token.end, text + suffix)


def _names(source: str, body: list[_Token], at: int) -> Iterator[_Edit]:
    """Calls, constants and assignments, told by what stands before and after the name."""
    token = body[at]
    statement = at == 0 or body[at - 1].text in (";", "{", "}", ")", "else")
    called = at + 1 < len(body) and body[at + 1].text == "("
    end = _partner(body, at + 1) if called else at
    if called:
        yield from _arguments(source, body, at + 1, end)
    if token.text.isupper():
        value = source[token.start : body[end].end]
        yield _Edit("wrong constant", token.start, body[end].end, f"({value} + 1)")
    elif called and statement and body[end + 1].text == ";":
        yield _Edit("missing call", token.start, body[end].end, "")
    elif called:
        yield _Edit("missing call", token.start, body[end].end, "0U")
    elif statement and at + 1 < len(body) and body[at + 1].text in ("=", "+=", "-=", "|=", "&=", "^="):
        yield _Edit("missing assignment", token.start, body[_semicolon(body, at) - 1].end, "")


def _arguments(source: str, body: list[_Token], opening: int, closing: int) -> Iterator[_Edit]:
    parts = _split(body, opening + 1, closing, ",")
    for (first, first_end), (second, second_end) in itertools.pairwise(parts):
        if first < first_end and second < second_end:
            left = body[first].start, body[first_end - 1].end
            right = body[second].start, body[second_end - 1].end
            swapped = source[slice(*right)] + source[left[1] : right[0]] + source[slice(*left)]
            yield _Edit("swapped arguments", left[0], right[1], swapped)


def _conditions(source: str, body: list[_Token], at: int) -> Iterator[_Edit]:
    """A check that always passes, one that never does, and one that lacks a part."""
    end = _partner(body, at + 1)
    start, stop = body[at + 2].start, body[end - 1].end
    # a loop that never ends is no mutant of interest
    for value in ("0U",) if body[at].text == "while" else ("1U", "0U"):
        yield _Edit("dropped check", start, stop, value)
    for operator, neutral in (("&&", "1U"), ("||", "0U")):
        parts = _split(body, at + 2, end, operator)
        for first, last in parts if len(parts) > 1 else []:
            yield _Edit("dropped check", body[first].start, body[last - 1].end, neutral)


def _split(body: list[_Token], start: int, end: int, separator: str) -> list[tuple[int, int]]:
    """The ranges of tokens between separators that stand in no inner parentheses."""
    parts: list[tuple[int, int]] = []
    depth, first = 0, start
    for index in range(start, end):
        depth += {"(": 1, ")": -1}.get(body[index].text, 0)
        if depth == 0 and body[index].text == separator:
            parts.append((first, index))
            first = index + 1
    return [*parts, (first, end)]


def _semicolon(body: list[_Token], at: int) -> int:
    """The index of the end of the statement (or of a part of a for) that `at` stands in."""
    depth = 0
    while depth > 0 or body[at].text not in (";", ")"):
        depth += {"(": 1, ")": -1}.get(body[at].text, 0)
        at += 1
    return at


def _operand_after(body: list[_Token], at: int) -> tuple[int, int] | None:
    """Where the name, number, call or parenthesis after an operator starts and ends in the text."""
    first = at + 1
    if body[first].text != "(" and body[first].kind not in ("name", "number"):
        return None
    last = first + 1 if body[first].kind == "name" and body[first + 1].text == "(" else first
    if body[last].text == "(":
        last = _partner(body, last)
    return body[first].start, body[last].end


def _operand_before(body: list[_Token], at: int) -> tuple[int, int] | None:
    last = first = at - 1
    if body[last].text == ")":
        depth = 1
        while depth:
            first -= 1
            depth += {")": 1, "(": -1}.get(body[first].text, 0)
        if first > 0 and body[first - 1].kind == "name" and body[first - 1].text not in KEYWORDS:
            first -= 1
    elif body[last].kind not in ("name", "number"):
        return None
    return body[first].start, body[last].end
