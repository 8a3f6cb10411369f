# SPDX-License-Identifier: Apache-2.0
"""What Coq shows at each sentence of a file, and what its names refer to; kept until something changes.

A trace is stored under the digest of everything that determines it: the text, and the interfaces of what the
file needs. It holds no layout, so a new look of the pages needs no Coq.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

from aetool.core.errors import Interrupted, ProofError
from aetool.core.process import write_file
from aetool.proofs.coqproject import Project
from aetool.proofs.coqtop import Coqtop, Goals, SentenceError
from aetool.proofs.pages_source import Code, fragments
from aetool.proofs.plan import key_of
from aetool.proofs.record import STATE_DIR

FORMAT = "pages 1"
TEXT_LIMIT = 4000
HYPOTHESES_LIMIT = 60
_IDENTIFIER = re.compile(r"[^\W\d][\w']*(?:\.[^\W\d][\w']*)*")
_LOCATED = re.compile(r"\s*(?:Constant|Inductive|Constructor|Ltac|Notation)\s+([\w'.]+)")


@dataclass(frozen=True)
class Shown:
    """What a sentence shows: messages, and the proof state as text (None outside proofs).

    goals: hypotheses and conclusion of each focused goal (hypotheses only of the first); more: a remark on
    goals that are not shown.
    """

    messages: tuple[tuple[str, str], ...] = ()
    goals: tuple[tuple[tuple[str, ...], str], ...] | None = None
    more: str = ""


@dataclass(frozen=True)
class Trace:
    """A file: what each sentence shows, in order, and the full names of the identifiers in it."""

    shown: tuple[Shown, ...]
    names: Mapping[str, str]


def trace_of(project: Project, file: str, inputs: Mapping[str, str], stop: Event) -> Trace:
    """The stored trace of a file, or a new one.

    inputs: digests of all that determines it. The file and what it needs must have been built.
    stop: when set, the work ends before the next sentence with Interrupted.
    Raises ProofError if Coq refuses a sentence nevertheless.
    """
    key = key_of({**inputs, "trace": FORMAT})
    path = project.root / STATE_DIR / "pages" / f"{project.module_name(file)}.json"
    found = _load(path, key)
    if found is None:
        found = _run(project, file, stop)
        write_file(path, json.dumps({"key": key, **asdict(found)}))
    return found


def _load(path: Path, key: str) -> Trace | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        data = json.loads(path.read_bytes())
        if data["key"] == key:
            return Trace(tuple(_shown(item) for item in data["shown"]), data["names"])
    return None


def _shown(item: Mapping[str, object]) -> Shown:
    goals = item["goals"]
    assert isinstance(item["messages"], list)
    return Shown(
        tuple((level, text) for level, text in item["messages"]),
        tuple((tuple(hypotheses), conclusion) for hypotheses, conclusion in goals)
        if isinstance(goals, list)
        else None,
        str(item["more"]),
    )


def _run(project: Project, file: str, stop: Event) -> Trace:
    parts = [part for part in fragments((project.root / file).read_bytes()) if isinstance(part, Code)]
    shown: list[Shown] = []
    with Coqtop(project.options, file=Path(file), cwd=project.root) as coqtop:
        for part in parts:
            if stop.is_set():
                raise Interrupted("interrupted")
            try:
                step = coqtop.step(part.text)
            except SentenceError as error:
                raise ProofError(
                    f"{project.root / file}:{part.line}: {error.message}",
                    detail=error.answer,
                    hint="run `aetool proofs build` first",
                ) from error
            messages = tuple((message.level, _cut(message.text)) for message in step.messages)
            shown.append(_state(messages, step.goals))
        names = {
            name: full
            for name in sorted({name for part in parts for name in _IDENTIFIER.findall(part.text)})
            if (full := _locate(coqtop, name))
        }
    return Trace(tuple(shown), names)


def _locate(coqtop: Coqtop, name: str) -> str | None:
    """The full name of what an identifier refers to at the end of the file."""
    try:
        answer = "\n".join(message.text for message in coqtop.query(f"Locate {name}."))
    except SentenceError:
        return None  # a keyword
    found = _LOCATED.match(answer)
    return found.group(1) if found else None


def _state(messages: tuple[tuple[str, str], ...], goals: Goals | None) -> Shown:
    if goals is None:
        return Shown(messages)
    texts: list[tuple[tuple[str, ...], str]] = []
    for number, goal in enumerate(goals.focused):
        hypotheses = tuple(_cut(text) for text in goal.hypotheses) if number == 0 else ()
        if len(hypotheses) > HYPOTHESES_LIMIT:
            left_out = len(hypotheses) - HYPOTHESES_LIMIT
            hypotheses = (f"({left_out} more above)", *hypotheses[-HYPOTHESES_LIMIT:])
        texts.append((hypotheses, _cut(goal.conclusion)))
    counts = ((goals.waiting, "outside the focus"), (goals.shelved, "shelved"))
    more = ", ".join(f"{count} {what}" for count, what in counts if count)
    return Shown(messages, tuple(texts), more)


def _cut(text: str) -> str:
    """The text, or its beginning if it is far too long to be read."""
    if len(text) <= TEXT_LIMIT:
        return text
    return f"{text[:TEXT_LIMIT]} ... ({len(text) - TEXT_LIMIT} more characters)"
