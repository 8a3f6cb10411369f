# SPDX-License-Identifier: Apache-2.0
"""coqchk: the second opinion. It checks compiled files again, from the terms, and lists what they assume.

While working, each module is checked once, against its dependencies' interfaces (`-norec`); a module whose
compiled file is one that passed before is not checked again. In full, everything down to the standard
library is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aetool.core.errors import AuditError
from aetool.core.process import run
from aetool.proofs.coq import Toolchain
from aetool.proofs.coqproject import Project

SECTIONS = {
    "* Axioms:": "axiom",
    "* Constants/Inductives relying on type-in-type:": "type-in-type",
    "* Constants/Inductives relying on unsafe (co)fixpoints:": "unsafe fixpoint",
    "* Inductives whose positivity is assumed:": "assumed positivity",
}
THEORY = "* Theory: Set is predicative"


@dataclass
class Verdict:
    """What coqchk lists, as (kind, name); `error` if it refused a file."""

    listed: list[tuple[str, str]] = field(default_factory=list)
    error: str | None = None


def check(
    project: Project, toolchain: Toolchain, modules: Sequence[str], *, full: bool, timeout: float
) -> Verdict:
    """Check modules, each alone or, if `full`, with all that they stand on.

    Raises AuditError if coqchk does not come to an end or says something unknown.
    """
    targets = list(modules) if full else [word for module in modules for word in ("-norec", module)]
    load = [word if word != "-R" else "-Q" for word in project.load_options]
    command = [*toolchain.checker, "-silent", "-o", *load, *targets]
    done = run(command, timeout=timeout, cwd=project.root, check=False)
    if done.timed_out:
        raise AuditError(f"coqchk did not end within {timeout:g} s", hint="allow it more with --timeout")
    if done.status != 0:
        return Verdict(error=done.tail)
    return parse(done.output)


def parse(output: str) -> Verdict:
    """Read the context summary; raises AuditError if it is not the one that is known."""
    _, marker, summary = output.partition("CONTEXT SUMMARY")
    if not marker:
        raise AuditError("coqchk printed no context summary", detail=output[-2000:])
    verdict = Verdict()
    kind: str | None = None
    seen: set[str] = set()
    for line in summary.splitlines()[2:]:
        text = line.strip()
        if text.startswith("* "):
            head = next((head for head in SECTIONS if text.startswith(head)), None)
            if head is None:
                if text != THEORY:
                    verdict.listed.append(("theory", text.removeprefix("* ")))
                kind = None
                continue
            kind = SECTIONS[head]
            seen.add(head)
            if text.removeprefix(head).strip() == "<none>":
                kind = None
        elif text and kind:
            verdict.listed.append((kind, text.split(" ")[0]))
    if seen != set(SECTIONS):
        raise AuditError("coqchk's context summary is not the one that is known", detail=summary)
    return verdict
