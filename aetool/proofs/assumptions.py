# SPDX-License-Identifier: Apache-2.0
"""Questions to Coq about compiled theorems: is it there, what does it say, what does it rest on.

One `coqtop` answers all of them, each into a file of its own. It loads `.vo` files only, because under
`-vok` Coq answers `Print Assumptions` without having seen the proofs.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aetool.core.errors import ProofError
from aetool.core.process import run
from aetool.proofs.coq import Toolchain
from aetool.proofs.coqproject import Project

_DOTTED = re.compile(r"[^\W\d][\w']*(?:\.[^\W\d][\w']*)+")
CLOSED = "Closed under the global context"


@dataclass(frozen=True)
class Answer:
    """What Coq says about one name.

    statement: as Coq prints it for a reader, or None if there is no such name; digest: of the statement
    printed in full, with all names qualified and nothing implicit; assumptions: names of what it rests on.
    """

    name: str
    statement: str | None
    digest: str | None
    assumptions: tuple[str, ...]

    @property
    def status(self) -> str:
        """`closed`, `open` or `missing`."""
        if self.statement is None:
            return "missing"
        return "open" if self.assumptions else "closed"


def ask(
    project: Project, toolchain: Toolchain, names: Sequence[str], timeout: float = 1800
) -> dict[str, Answer]:
    """Ask about full names; the modules that they are in must be compiled.

    Raises ProofError if Coq does not get to an answer.
    """
    known = {project.module_name(file) for file in project.files}
    homes = {name: _home(name, known) for name in names}
    asked = [name for name in names if homes[name]]
    session = _Session(project, toolchain, sorted({home for home in homes.values() if home}), timeout)
    shown = session.run(
        [(f"check {name}", f"Check {name}.") for name in asked]
        + [("", "Set Printing All. Set Printing Width 100000.")]
        + [(f"full {name}", f"Check {name}.") for name in asked]
    )
    present = [name for name in asked if f"check {name}" in shown]
    said = {name: _statement(shown[f"check {name}"]) for name in present}
    full = {name: " ".join(_statement(shown[f"full {name}"]).split()) for name in present}
    # a statement that is the name of a proposition says what that is defined to be
    named = [name for name in present if _DOTTED.fullmatch(full[name])]
    bodies = session.run(
        [(f"body {name}", f"Print {full[name]}.") for name in named]
        + [("", "Set Printing All. Set Printing Width 100000.")]
        + [(f"full {name}", f"Print {full[name]}.") for name in named]
    )
    for name in named:
        said[name] = bodies[f"body {name}"]
        full[name] = " ".join(bodies[f"full {name}"].split())
    short = sorted({word for text in full.values() for word in _DOTTED.findall(text)})
    located = session.run([(word, f"Locate {word}.") for word in short])
    resting = _assumptions(session, present)
    answers: dict[str, Answer] = {}
    for name in names:
        if name not in resting:
            answers[name] = Answer(name, None, None, ())
            continue
        # Coq abbreviates names by what else is loaded; the digest must not depend on that
        text = _DOTTED.sub(lambda word: _full_name(word.group(), located), full[name])
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        answers[name] = Answer(name, said[name], digest, resting[name])
    return answers


class _Session:
    """Runs queries in one coqtop; an error in one does not keep the others from their answers."""

    def __init__(
        self, project: Project, toolchain: Toolchain, modules: Sequence[str], timeout: float
    ) -> None:
        self._timeout = timeout
        self._command = [*toolchain.toplevel, "-q", *_absolute(project), *project.arguments]
        self._requires = "".join(f"Require {module}.\n" for module in modules)

    def run(self, queries: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Answers by label; a query without a label is a setting; a query that fails has no answer."""
        with tempfile.TemporaryDirectory(prefix="aetool-ask-") as folder:
            here = Path(folder)
            labels: dict[str, Path] = {}
            script = self._requires
            for number, (label, query) in enumerate(queries):
                if label:
                    labels[label] = here / f"q{number}.out"
                    script += f'Redirect "q{number}" {query}\n'
                else:
                    script += f"{query}\n"
            script += 'Redirect "end" Check Set.\n'
            done = run(self._command, timeout=self._timeout, cwd=here, stdin=script, check=False)
            if done.timed_out or done.status != 0 or not (here / "end.out").exists():
                what = f"gave no answer within {self._timeout:g} s" if done.timed_out else "did not finish"
                raise ProofError(f"coqtop {what}", detail=done.tail)
            texts = {label: _read(path) for label, path in labels.items() if path.exists()}
            return {label: text for label, text in texts.items() if text}


def _assumptions(session: _Session, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What each name rests on. All are asked about together first: mostly there is nothing to tell apart."""
    if not names:
        return {}
    lets = "".join(f"let _ := @{name} in " for name in names)
    together = session.run(
        [
            ("", f"Definition aetool_together := {lets}tt."),
            ("all", "Print Assumptions aetool_together."),
        ]
    )
    if together.get("all") == CLOSED:
        return dict.fromkeys(names, ())
    single = session.run([(name, f"Print Assumptions {name}.") for name in names])
    silent = [name for name in names if name not in single]
    if silent:
        raise ProofError(f"coqtop does not say what {silent[0]} rests on")
    return {name: _listed(single[name]) for name in names}


def _listed(text: str) -> tuple[str, ...]:
    """Names in the answer to Print Assumptions: each starts in the first column of a line."""
    if text == CLOSED:
        return ()
    names: list[str] = []
    for line in text.splitlines():
        found = re.match(r"([^\s:]+)\s*(:|$| (?:relies|is))", line)
        if found and not line.endswith("Axioms:"):
            names.append(found[1])
    return tuple(names) or ("(an assumption that could not be named)",)


def _statement(text: str) -> str:
    """The type in an answer of Check, without the name and the blanks before it."""
    body = text.partition(":")[2]
    return "\n".join(line.removeprefix("     ") for line in body.splitlines()).strip()


def _read(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("Fetching opaque proofs ")).strip()


def _full_name(word: str, located: Mapping[str, str]) -> str:
    """The full name of a global, from the answer of Locate."""
    words = located.get(word, "").split(maxsplit=2)
    return words[1] if len(words) > 1 and words[1].endswith(word) else word


def _home(name: str, modules: set[str]) -> str | None:
    """The module that a full name is in, or None."""
    while "." in name:
        name = name.rpartition(".")[0]
        if name in modules:
            return name
    return None


def _absolute(project: Project) -> list[str]:
    words = [word for path in project.ml_paths for word in ("-I", str(project.root / path))]
    for path in project.load_paths:
        words += [path.flag, str(project.root / path.directory), path.name]
    return words
