# SPDX-License-Identifier: Apache-2.0
"""Terms of `SeKVM.lib.Lang` and their layout as Coq text.

The layout is fixed: the same C gives the same bytes, whatever the machine, so that a stale `Code.v` can be
told by comparing text.
"""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 96

# A term is an atom (printed as it stands), an application (a tuple, the constructor first) or a list.
Term = str | tuple["Term", ...] | list["Term"]


def quoted(name: str) -> str:
    """A Coq string literal for an identifier of C."""
    return f'"{name}"'


def option(term: Term | None) -> Term:
    """`Some term`, or `None`."""
    return "None" if term is None else ("Some", term)


def sequence(statements: Sequence[Term]) -> Term:
    """The statement that runs `statements` one after another."""
    if not statements:
        return "Sskip"
    result = statements[-1]
    for statement in reversed(statements[:-1]):
        result = ("Sseq", statement, result)
    return result


def flat(term: Term) -> str:
    """The term on one line, in parentheses where it is an application."""
    if isinstance(term, str):
        return term
    if isinstance(term, list):
        # an application inside a list needs no parentheses
        return "[" + "; ".join(_words(item) if isinstance(item, tuple) else flat(item) for item in term) + "]"
    return f"({_words(term)})"


def _words(term: tuple[Term, ...]) -> str:
    return " ".join(flat(part) for part in term)


def layout(term: Term, indent: int) -> str:
    """The term as text that starts at column `indent`; later lines are indented at least as far."""
    one_line = flat(term)
    if isinstance(term, str) or (term[0] != "Sseq" and indent + len(one_line) <= WIDTH):
        return one_line
    if isinstance(term, list):
        inner = f";\n{' ' * (indent + 1)}".join(layout(item, indent + 1) for item in term)
        return f"[{inner}]"
    if term[0] == "Sseq":
        return _chain(term, indent)
    # the head and its leading short arguments share the first line, the rest go below one another
    first = [flat(term[0])]
    rest = list(term[1:])
    while rest and isinstance(rest[0], str):
        first.append(flat(rest.pop(0)))
    pad = "\n" + " " * (indent + 2)
    return "(" + " ".join(first) + "".join(pad + layout(part, indent + 2) for part in rest) + ")"


def _chain(term: Term, indent: int) -> str:
    """A sequence: one statement below the other at the same column."""
    lines: list[str] = []
    closing = 0
    while isinstance(term, tuple) and term[0] == "Sseq":
        lines.append("(Sseq " + layout(term[1], indent + 6))
        closing += 1
        term = term[2]
    lines.append(layout(term, indent))
    return ("\n" + " " * indent).join(lines) + ")" * closing
