# SPDX-License-Identifier: Apache-2.0
"""Commands that a proof tree must not hold, found sentence by sentence, not by searching the text.

This names the place of a fault early and in the user's terms. It is not the last word: `Print Assumptions`
and `coqchk` look at what was compiled, however it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aetool.proofs.lexer import Sentence, Unfinished, sentences

# The first five become section variables; the others are global wherever they stand.
LOCAL_IN_SECTION = frozenset(("Hypothesis", "Hypotheses", "Variable", "Variables", "Context"))
GLOBAL = frozenset(("Axiom", "Axioms", "Parameter", "Parameters", "Conjecture", "Conjectures"))
FORBIDDEN = {
    "Admitted": "leaves a proof out",
    "Admit": "leaves obligations out",
    "Primitive": "declares a constant without a definition",
    "Symbol": "declares a constant without a definition",
    "Symbols": "declares constants without a definition",
    "Rewrite": "adds a rule to the kernel",
    "Load": "reads a text that is not a file of the tree",
    "Declare ML Module": "runs code that Coq's kernel does not check",
}
GAPS = frozenset(("admit", "give_up"))
SWITCHES = frozenset(("Guard", "Positivity", "Universe"))
LEFTOVERS = frozenset(("Print", "Check", "Eval", "Compute", "Search", "About", "Locate", "Time", "Show"))
_PREFIXES = frozenset(
    ("Local", "Global", "Export", "Polymorphic", "Monomorphic", "Program", "Time", "Succeed", "Private")
)
_ATTRIBUTES = re.compile(r"^#\s*\[(?:[^\[\]]|\[[^\]]*\])*\]\s*")
_KERNEL_OPTIONS = ("-type-in-type", "-impredicative-set", "-vos", "-vok", "-vio", "-quick")


@dataclass(frozen=True)
class Finding:
    """Something found. subject: a name without blanks, for the allow-list; a warning fails nothing."""

    subject: str
    place: str
    message: str
    warning: bool = False


def scan(file: str, data: bytes) -> Iterator[Finding]:
    """All findings in one file, in order."""
    scopes: list[tuple[str, str]] = []
    try:
        for sentence in sentences(data):
            yield from _judge(file, sentence, scopes)
            _follow(sentence.words, sentence.text, scopes)
    except Unfinished as error:
        yield Finding(f"{file}:unfinished", f"{file}:{error.line}", str(error))


def scan_options(arguments: Sequence[str]) -> Iterator[Finding]:
    """Command-line options of the project that weaken what is checked."""
    for number, word in enumerate(arguments):
        name = word.removeprefix("-")
        following = " ".join(arguments[number + 1 : number + 2])
        if word in _KERNEL_OPTIONS or f"-{name}" in _KERNEL_OPTIONS:
            yield Finding(f"_CoqProject:{word}", "_CoqProject", f"the option {word} weakens what is checked")
        elif word in ("-set", "-unset") and SWITCHES & set(following.replace('"', "").split()):
            subject = f"_CoqProject:{word}-{following.replace(' ', '-')}"
            yield Finding(subject, "_CoqProject", f"the option {word} {following!r} weakens the kernel")
        elif word in ("-l", "-lv", "-load-vernac-source", "-load-vernac-object", "-init-file"):
            yield Finding(
                f"_CoqProject:{word}", "_CoqProject", f"{word} brings in commands unseen by the audit"
            )


def _judge(file: str, sentence: Sentence, scopes: list[tuple[str, str]]) -> Iterator[Finding]:
    place = f"{file}:{sentence.line}"
    text = sentence.text
    attributes = _ATTRIBUTES.match(text)
    while attributes:
        if "bypass_check" in attributes.group():
            yield Finding(f"{file}:bypass_check", place, "bypass_check switches a check of the kernel off")
        text = text[attributes.end() :]
        attributes = _ATTRIBUTES.match(text)
    words = text.rstrip(".").split()
    leftover = ""
    while words and (words[0] in _PREFIXES or words[0] in ("Timeout", "Redirect")):
        leftover = leftover or (words[0] if words[0] in LEFTOVERS else "")
        words = words[2:] if words[0] in ("Timeout", "Redirect") else words[1:]
    if not words or words[0] == "Fail":
        return  # what `Fail` runs is undone
    head = words[0]
    command = " ".join(words[:3]) if head == "Declare" and "ML" in words[:3] else head
    if command in FORBIDDEN and not (head == "Rewrite" and words[1:2] not in (["Rule"], ["Rules"])):
        yield Finding(f"{file}:{command.replace(' ', '-')}", place, f"{command} {FORBIDDEN[command]}")
    if head in LOCAL_IN_SECTION | GLOBAL and not _harmless(head, scopes):
        name = re.sub(r"\W.*", "", words[1].lstrip("(`{[")) if len(words) > 1 else ""
        where = "" if head not in LOCAL_IN_SECTION else " outside of a section"
        yield Finding(
            f"{file}:{head}:{name}", place, f"{head} {name}{where} assumes something without a proof"
        )
    if words[:2] == ["Declare", "Module"] and words[2:3] != ["Type"] and not _in_module_type(scopes):
        yield Finding(
            f"{file}:Declare-Module", place, "Declare Module assumes a module without an implementation"
        )
    if head in ("Unset", "Set") and words[2:3] == ["Checking"] and words[1] in SWITCHES:
        name = "-".join(words[:3])
        yield Finding(f"{file}:{name}", place, f"{' '.join(words[:3])} changes what the kernel checks")
    for word in sentence.words:
        if word.rpartition(".")[2] in GAPS:
            yield Finding(f"{file}:{word}", place, f"the tactic {word} leaves a goal unproved")
    if head in LEFTOVERS or leftover:
        yield Finding(f"{file}:{leftover or head}", place, f"{leftover or head} is left over from work", True)


def _harmless(head: str, scopes: list[tuple[str, str]]) -> bool:
    """Whether a declaration is discharged (section) or asked of an implementation (module type)."""
    if head in LOCAL_IN_SECTION and any(kind == "Section" for kind, _ in scopes):
        return True
    return _in_module_type(scopes)


def _in_module_type(scopes: list[tuple[str, str]]) -> bool:
    return any(kind == "Module Type" for kind, _ in scopes)


def _follow(words: list[str], text: str, scopes: list[tuple[str, str]]) -> None:
    """Keep track of the sections and modules that are open."""
    while words and words[0] in _PREFIXES:
        words = words[1:]
    if words[:1] == ["Section"]:
        scopes.append(("Section", words[1]))
    elif words[:1] == ["Module"] and ":=" not in text and "<+" not in text:
        kind = "Module Type" if words[1] == "Type" else "Module"
        rest = words[2:] if kind == "Module Type" else words[1:]
        names = [word for word in rest if word not in ("Import", "Export")]
        scopes.append((kind, names[0]))
    elif words[:1] == ["End"] and scopes and words[1:2] == [scopes[-1][1]]:
        scopes.pop()
