# SPDX-License-Identifier: Apache-2.0
"""A Coq process that runs one sentence at a time and tells goals and messages: Debian's `coqidetop`.

Speaks the XML protocol of Coq's own IDE. One instance serves one file; it is not shared between threads.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser, tostring

from aetool.core.errors import ProofError
from aetool.core.process import end_group, require

SENTENCE_SECONDS = 300.0
PROGRAMS = ("coqidetop", "coqidetop.opt")
# blanks in what Coq prints are no-break spaces, by a name that XML does not know by itself
_PROLOGUE = '<!DOCTYPE stream [<!ENTITY nbsp " ">]><stream>'


@dataclass(frozen=True)
class Goal:
    """One goal: its hypotheses, each as Coq prints it (names, colon, type), and its conclusion."""

    hypotheses: tuple[str, ...]
    conclusion: str


@dataclass(frozen=True)
class Goals:
    """The state of a proof. waiting: goals outside the focus; shelved: goals set aside."""

    focused: tuple[Goal, ...]
    waiting: int
    shelved: int


@dataclass(frozen=True)
class Message:
    """What Coq says to the user; level is `notice`, `warning` or `info`."""

    level: str
    text: str


@dataclass(frozen=True)
class Step:
    """What one sentence did; goals is None outside of proofs."""

    messages: tuple[Message, ...]
    goals: Goals | None


class SentenceError(ProofError):
    """Coq refuses a sentence, or takes too long over it; `text` is the sentence."""

    def __init__(self, text: str, answer: str) -> None:
        first = " ".join(text.split())
        super().__init__(f"Coq refuses `{first if len(first) <= 60 else first[:57] + '...'}`", detail=answer)
        self.text = text
        self.answer = answer


class Coqtop:
    """A running `coqidetop`; a context manager that ends it.

    options: those of coqc (load paths); file: the name of the file that the sentences come from.
    """

    def __init__(
        self,
        options: Sequence[str | Path],
        *,
        file: Path | None = None,
        cwd: Path | None = None,
        timeout: float = SENTENCE_SECONDS,
    ) -> None:
        top = [] if file is None else ["-topfile", str(file)]
        command = [_program(), "-q", "-async-proofs", "off", "-main-channel", "stdfds", *options, *top]
        self._timeout = timeout
        self._child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=cwd,
            start_new_session=True,
        )
        self._parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
        self._parser.feed(_PROLOGUE)
        self._depth = 0
        self._stream: Element | None = None
        try:
            answer, _ = self._call('<call val="Init"><option val="none"/></call>', "start")
            self._state = _state_of(answer)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        end_group(self._child)
        self._child.communicate()

    def step(self, sentence: str) -> Step:
        """Run one sentence. Raises SentenceError; the process is of no use for the file afterwards."""
        answer, first = self._call(_add(sentence, self._state), sentence)
        self._state = _state_of(answer)
        goals, second = self._call('<call val="Goal"><unit/></call>', sentence)
        return Step((*first, *second), _goals(goals))

    def query(self, sentence: str) -> list[Message]:
        """The answer to a command such as `Locate wrap.` in the present state. Raises SentenceError."""
        call = Element("call", val="Query")
        outer = _child(call, "pair")
        _child(outer, "route_id", val="0")
        inner = _child(outer, "pair")
        _child(inner, "string").text = sentence
        _child(inner, "state_id", val=self._state)
        return self._call(tostring(call, encoding="unicode"), sentence)[1]

    def _call(self, request: str, sentence: str) -> tuple[Element, list[Message]]:
        """Send a request; returns the value and the messages that came before it."""
        stdin = self._child.stdin
        assert stdin is not None
        try:
            stdin.write(request.encode() + b"\n")
            stdin.flush()
        except BrokenPipeError:
            raise SentenceError(sentence, "coqidetop has ended") from None
        messages: list[Message] = []
        for element in self._elements(time.monotonic() + self._timeout, sentence):
            if element.tag == "value":
                if element.get("val") != "good":
                    raise SentenceError(sentence, _text(element.find("richpp")))
                return element, messages
            content = element.find("feedback_content/message")
            if content is not None:
                level = content.find("message_level")
                kind = level.get("val", "") if level is not None else ""
                # loading a plugin is no news for a reader; an error comes again with the value
                if kind in ("notice", "warning", "info") and not _is_loading(content):
                    messages.append(Message(kind, _text(content.find("richpp"))))
        raise SentenceError(sentence, "coqidetop has ended")

    def _elements(self, deadline: float, sentence: str) -> Iterator[Element]:
        """The elements of the answer, as they come; ends when the process does."""
        stdout = self._child.stdout
        assert stdout is not None
        while True:
            events = cast("Iterator[tuple[str, Element]]", self._parser.read_events())
            for event, element in events:
                self._depth += 1 if event == "start" else -1
                if self._depth == 1 and event == "start":
                    self._stream = element
                elif self._depth == 1:
                    yield element
                    if self._stream is not None:
                        self._stream.clear()  # what has been read is not kept
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                raise SentenceError(sentence, f"no answer within {self._timeout:g} s")
            data = os.read(stdout.fileno(), 1 << 16)
            if not data:
                return
            try:
                self._parser.feed(data)
            except ParseError as error:
                raise SentenceError(sentence, f"coqidetop does not speak XML: {error}") from error


def _program() -> str:
    """Debian has the program under one name, other distributions under the other."""
    found = (path for name in PROGRAMS if (path := shutil.which(name)))
    return next(found, None) or require(PROGRAMS[1], "coq")


def _child(parent: Element, tag: str, **attributes: str) -> Element:
    child = Element(tag, attributes)
    parent.append(child)
    return child


def _add(sentence: str, state: str) -> str:
    call = Element("call", val="Add")
    whole = _child(call, "pair")
    positioned = _child(whole, "pair")
    both = _child(positioned, "pair")
    phrase = _child(both, "pair")
    _child(phrase, "string").text = sentence
    _child(phrase, "int").text = "0"
    target = _child(both, "pair")
    _child(target, "state_id", val=state)
    _child(target, "bool", val="false")
    _child(positioned, "int").text = "0"
    lines = _child(whole, "pair")
    _child(lines, "int").text = "0"
    _child(lines, "int").text = "0"
    return tostring(call, encoding="unicode")


def _state_of(answer: Element) -> str:
    # the end of a proof answers with the state to go on from in a union; elsewhere the first one counts
    found = answer.find("pair/pair/union/state_id")
    if found is None:
        found = answer.find(".//state_id")
    assert found is not None
    return found.get("val", "")


def _goals(answer: Element) -> Goals | None:
    goals = answer.find("option/goals")
    if goals is None:
        return None
    lists = goals.findall("list")
    focused = tuple(_goal(goal) for goal in lists[0].findall("goal"))
    waiting, shelved = (len(list(part.iter("goal"))) for part in lists[1:3])
    return Goals(focused, waiting, shelved)


def _goal(goal: Element) -> Goal:
    hypotheses = goal.find("list")
    assert hypotheses is not None
    return Goal(tuple(_text(item) for item in hypotheses), _text(goal.find("richpp")))


def _is_loading(message: Element) -> bool:
    return _text(message.find("richpp")).startswith("[Loading ML file")


def _text(element: Element | None) -> str:
    return "" if element is None else "".join(element.itertext()).strip("\n")
