# SPDX-License-Identifier: Apache-2.0
"""The audit: what the compiled proofs rest on, and whether they are the ones that the tree owes.

Compiling may stop at unchanged interfaces; the audit may not, because an axiom that slips into an opaque
proof changes no interface. So what it remembers is keyed by whole compiled files: of everything that a
theorem stands on for the assumptions, of the module itself for coqchk, and of the installed libraries.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aetool.core.errors import AuditError, ConfigError
from aetool.core.progress import Progress, Silent
from aetool.proofs import structure, vo
from aetool.proofs.assumptions import Answer, ask
from aetool.proofs.build import Build, Options, prepare
from aetool.proofs.checker import check
from aetool.proofs.graph import closure
from aetool.proofs.plan import Request
from aetool.proofs.record import STATE_DIR, replace_file
from aetool.proofs.theorems import TheoremMap, load_theorems
from aetool.proofs.tree import Tree, is_tree, load_tree
from aetool.proofs.vernacular import Finding, scan, scan_options

ALLOW_LIST = "audit.allow"
CACHE_FORMAT = 2
CHECK_TIMEOUT = 3600.0


@dataclass
class Check:
    """One question of the audit and its answer."""

    name: str
    detail: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing but warnings was found."""
        return all(finding.warning for finding in self.findings)

    def lines(self) -> list[str]:
        """The findings, one or more lines each."""
        return [
            f"{finding.place}: {'warning: ' if finding.warning else ''}{finding.message}"
            for finding in self.findings
        ]


@dataclass
class AuditResult:
    """All checks, and what Coq says about the theorems that were asked about."""

    checks: list[Check]
    answers: dict[str, Answer]
    theorems: TheoremMap

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """For --json and for the report."""
        return {
            "passed": self.passed,
            "checks": [
                {
                    "name": check.name,
                    "passed": check.passed,
                    "detail": "\n".join([check.detail, *check.lines()]),
                    "findings": [asdict(finding) for finding in check.findings],
                }
                for check in self.checks
            ],
        }

    def error(self) -> AuditError | None:
        """The error to raise for it, or None."""
        failed = [check for check in self.checks if not check.passed]
        if not failed:
            return None
        lines = [line for check in failed for line in check.lines()]
        return AuditError(
            f"the audit fails: {', '.join(check.name for check in failed)}", detail="\n".join(lines)
        )


def audit(
    root: Path,
    *,
    full: bool = False,
    options: Options | None = None,
    timeout: float = CHECK_TIMEOUT,
    progress: Progress | None = None,
) -> AuditResult:
    """Build the tree and audit it.

    full: compile everything again without the store, and let coqchk check everything down to the standard
    library. timeout: seconds for each of coqtop and coqchk.
    Raises ProofError if the tree does not check, ConfigError, MissingToolError, StorageError.
    """
    shown = progress or Silent()
    chosen = options or Options()
    if full:
        chosen = Options(chosen.jobs, chosen.timeout, False, True, chosen.memory, None)
    with prepare(root, Request(), chosen, shown) as build:
        error = build.run(shown).error()
        if error:
            raise error
        return _Audit(build, full, timeout, shown).run()


def remembered(build: Build) -> dict[str, Answer]:
    """What the last audit learned about theorems, as far as it still holds."""
    return _Audit(build, False, CHECK_TIMEOUT, Silent()).remembered()


class _Audit:
    def __init__(self, build: Build, full: bool, timeout: float, progress: Progress) -> None:
        self._build, self._full, self._timeout, self._say = build, full, timeout, progress.say
        self._root, self._project = build.root, build.project
        self._tree: Tree | None = load_tree(build.root) if is_tree(build.root) else None
        self._path = build.root / STATE_DIR / "audit.json"
        self._installed = _installation(build)
        self._cache = self._load()

    def run(self) -> AuditResult:
        """Ask everything; remember what passed."""
        theorems = load_theorems(self._root)
        owed = structure.duties(self._tree) if self._tree else []
        checks = [self._vernacular(), self._compiled()]
        witnesses = [name for theorem in theorems.theorems for name in theorem.witnesses]
        names = [theorem.name for theorem in theorems.theorems] + witnesses + [duty.name for duty in owed]
        answers = self._answers(list(dict.fromkeys(names)))
        if self._tree:
            checks.append(
                Check("generated code", "Code.v of each layer", list(structure.check_files(self._tree)))
            )
            findings = list(structure.check_duties(owed, answers))
            checks.append(
                Check("layer theorems", f"{len(owed)} theorems owed by the layers with code", findings)
            )
            findings = list(structure.check_map(theorems.theorems, answers))
            count = len(theorems.theorems)
            checks.append(Check("theorem map", f"{count} theorems with their witnesses", findings))
        checks.append(_resting(answers))
        checks.append(self._checker())
        self._allow(checks)
        replace_file(self._path, json.dumps(self._cache).encode())
        return AuditResult(checks, answers, theorems)

    def _vernacular(self) -> Check:
        findings = list(scan_options(self._project.arguments))
        for file in self._project.files:
            findings += scan(file, (self._root / file).read_bytes())
        return Check("sources", f"{len(self._project.files)} files read sentence by sentence", findings)

    def _compiled(self) -> Check:
        """Compiled files are the ones that the record names (the build saw to that) and are whole."""
        findings = []
        for file in self._project.files:
            found = vo.read(self._root / f"{file}o")
            if found.problem or found.sha256 != self._build.record.entries[file].compiled:
                problem = found.problem or "it was changed after it was built"
                findings.append(Finding(f"{file}o:compiled", f"{file}o", problem))
        return Check("compiled files", "every segment has its digest, every proof was checked", findings)

    def _answers(self, names: Sequence[str]) -> dict[str, Answer]:
        keys = {name: self._closure_key(name) for name in names}
        kept = {} if self._full else self.remembered()
        known = {name: kept[name] for name in names if name in kept}
        asked = [name for name in names if name not in known]
        if asked:
            self._say(f"asking Coq what {len(asked)} theorems rest on")
            known |= ask(self._project, self._build.toolchain, asked, self._timeout)
        self._cache["answers"] = {
            name: {"key": keys[name], "answer": asdict(known[name])} for name in names if keys[name]
        }
        return known

    def remembered(self) -> dict[str, Answer]:
        """Answers whose theorem and all that it stands on are compiled as they were when it was asked."""
        known: dict[str, Answer] = {}
        for name, kept in self._cache["answers"].items():
            if kept["key"] == self._closure_key(name):
                values = kept["answer"]
                known[name] = Answer(**(values | {"assumptions": tuple(values["assumptions"])}))
        return known

    def _closure_key(self, name: str) -> str:
        """Digest of all compiled files that the module of a theorem stands on; empty if there is none."""
        homes = [
            file for file in self._project.files if name.startswith(f"{self._project.module_name(file)}.")
        ]
        if not homes:
            return ""
        files = sorted(closure(self._build.graph, homes))
        return self._key([f"{file} {self._build.record.entries[file].compiled}" for file in files])

    def _checker(self) -> Check:
        entries = self._build.record.entries
        keys = {
            self._project.module_name(file): self._key([file, entries[file].compiled])
            for file in self._project.files
        }
        passed = self._cache["checked"]
        modules = [name for name, key in keys.items() if self._full or passed.get(name) != key]
        how = "down to the standard library" if self._full else "each against its dependencies' interfaces"
        detail = f"{len(keys)} modules, {how}"
        if not modules:
            return Check("coqchk", detail)
        self._say(f"coqchk checks {len(modules)} modules")
        verdict = check(self._project, self._build.toolchain, modules, full=self._full, timeout=self._timeout)
        if verdict.error:
            return Check("coqchk", detail, [Finding("coqchk:refused", "coqchk", verdict.error)])
        findings, outside = [], 0
        for kind, name in verdict.listed:
            if kind == "axiom" and not any(name.startswith(f"{module}.") for module in keys):
                outside += 1  # a library's; whether a theorem uses it is for Print Assumptions to say
            else:
                findings.append(
                    Finding(f"coqchk:{kind.replace(' ', '-')}:{name}", name, f"coqchk lists it: {kind}")
                )
        if outside:
            detail += f"; {outside} axioms of loaded libraries"
        if not findings:
            self._cache["checked"] = {
                **{n: k for n, k in passed.items() if keys.get(n) == k},
                **{n: keys[n] for n in modules},
            }
        return Check("coqchk", detail, findings)

    def _allow(self, checks: list[Check]) -> None:
        """Take out what the reviewed list allows; an entry that allows nothing is a finding itself."""
        path = self._root / ALLOW_LIST
        allowed = read_allow_list(path)
        found = {finding.subject for each in checks for finding in each.findings}
        for each in checks:
            each.findings = [finding for finding in each.findings if finding.subject not in allowed]
        unused = [subject for subject in allowed if subject not in found]
        findings = [
            Finding(subject, str(path), f"{subject} is allowed but not found: remove it")
            for subject in unused
        ]
        checks.append(Check("allow-list", f"{len(allowed)} exceptions", findings))

    def _key(self, parts: Iterable[str]) -> str:
        text = "\n".join([str(CACHE_FORMAT), self._build.toolchain.identity, self._installed, *parts])
        return hashlib.sha256(text.encode()).hexdigest()

    def _load(self) -> dict[str, Any]:
        try:
            data = json.loads(self._path.read_bytes())
            if data["format"] == CACHE_FORMAT and isinstance(data["answers"], dict):
                return {"format": CACHE_FORMAT, "answers": data["answers"], "checked": dict(data["checked"])}
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return {"format": CACHE_FORMAT, "answers": {}, "checked": {}}


def _resting(answers: dict[str, Answer]) -> Check:
    findings = [
        Finding(f"{answer.name}:{assumption}", answer.name, f"rests on {assumption}")
        for answer in answers.values()
        for assumption in answer.assumptions
    ]
    return Check("assumptions", f"{len(answers)} theorems closed under the global context", findings)


def read_allow_list(path: Path) -> dict[str, str]:
    """Subjects of findings that are accepted, each with the reason: `SUBJECT REASON...`, one a line."""
    allowed: dict[str, str] = {}
    if not path.exists():
        return allowed
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if text and not text.startswith("#"):
            subject, _, reason = text.partition(" ")
            if not reason.strip():
                raise ConfigError(f"{path}:{number}: {subject} is allowed without a reason")
            allowed[subject] = reason.strip()
    return allowed


def _installation(build: Build) -> str:
    """Digest of which compiled libraries are installed, by path, size and time."""
    lines: list[str] = []
    for _, directory, _ in build.toolchain.roots():
        for folder, _, names in os.walk(directory):
            for name in names:
                if name.endswith(".vo"):
                    st = (Path(folder) / name).stat()
                    lines.append(f"{folder}/{name} {st.st_size} {st.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
