# SPDX-License-Identifier: Apache-2.0
"""Build a tree of proofs: compile what has to be compiled, nothing else, in the best order.

A file is up to date when what it was made from (its source, the options, Coq, and the *interface* of each
direct dependency, see `vo`) is what is there now and its compiled file is the one that came of it. Whether
a file must be compiled is decided when its dependencies are done, so a change stops spreading at the first
file whose interface stays the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aetool.core.errors import ProofError, StorageError
from aetool.core.progress import Progress, Silent
from aetool.proofs import coq
from aetool.proofs.compile import Failure, Status
from aetool.proofs.coqproject import Project, read_project
from aetool.proofs.graph import dependencies, in_order
from aetool.proofs.plan import Request, fixed_inputs, key_of, select
from aetool.proofs.record import STATE_DIR, Entry, Record, coq_signature, replace_file, signature
from aetool.proofs.store import default_store

TIMEOUT = 900.0


@dataclass(frozen=True)
class Options:
    """How to build. memory: MiB for all compilations together, None for most of what is free now."""

    jobs: int | None = None
    timeout: float = TIMEOUT
    keep_going: bool = False
    clean: bool = False
    memory: int | None = None
    store: Path | None = field(default_factory=default_store)


@dataclass
class FileResult:
    """What was done about one file. action: `up to date`, `compiled`, `restored` or `not reached`."""

    file: str
    status: Status | None
    action: str
    why: str
    seconds: float = 0.0
    memory: int = 0
    failure: Failure | None = None


@dataclass
class BuildResult:
    """A whole build; `files` in the order of the project, seconds of wall time."""

    root: Path
    coq: str
    files: list[FileResult]
    seconds: float
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every file that was asked for checks."""
        return all(result.status is Status.PASSED for result in self.files)

    @property
    def failures(self) -> list[FileResult]:
        """Files that do not check, the first one met first."""
        return [result for result in self.files if result.failure]

    def error(self) -> ProofError | None:
        """The error to raise for it, or None."""
        failed = self.failures
        if not failed:
            return None if self.passed else ProofError(f"{self.root}: not everything was checked")
        first = failed[0].failure
        assert first is not None
        where = f"{self.root / first.file}" + (f":{first.line}" if first.line else "")
        head, _, rest = first.message.partition("\n")
        parts = [rest] if rest.strip() else []
        parts += [f"in the sentence: {first.sentence}"] if first.sentence else []
        if len(failed) > 1:
            parts.append("also failed: " + ", ".join(result.file for result in failed[1:]))
        return ProofError(f"{where}: {head}", detail="\n".join(parts) or None)


class Build:
    """A prepared build: files and dependencies are known, nothing is compiled yet."""

    def __init__(self, root: Path, request: Request, options: Options, notes: list[str]) -> None:
        self.root, self.request, self.options, self.notes = root, request, options, notes
        self.record = Record.load(root)
        self.toolchain = _toolchain(self.record)
        self.project = open_project(root, notes)
        self._gone: set[str] = set()
        self._scan()
        self.graph = {file: self.record.entries[file].requires for file in self.project.files}
        self.order = in_order(self.graph)
        self.selected = select(self.project, self.graph, request)

    def inputs(self, file: str) -> dict[str, str]:
        """Digests of all that goes into a compiled file, given what is known of its dependencies now."""
        entry = self.record.entries[file]
        inputs = fixed_inputs(self.project, self.toolchain, self.record, file, entry)
        for other in entry.requires:
            inputs[f"interface {other}"] = self.record.entries[other].interface
        return inputs

    def current(self, file: str, inputs: dict[str, str]) -> bool:
        """Whether the compiled file is there, unchanged, and came of these inputs."""
        entry = self.record.entries[file]
        return entry.inputs == inputs and self.record.digest(f"{file}o") == entry.compiled != ""

    def states(self) -> dict[str, str]:
        """For each file: `passed`, `failed` (or another end of its last check) or `not built`."""
        states: dict[str, str] = {}
        for file in self.order:
            entry = self.record.entries[file]
            ready = all(states[other] == "passed" for other in entry.requires)
            if ready and self.current(file, self.inputs(file)):
                states[file] = "passed"
            else:
                states[file] = entry.status if entry.status not in ("", "passed") else "not built"
        return states

    def run(self, progress: Progress | None = None) -> BuildResult:
        """Compile. A proof that fails is a result; raises StorageError and MissingToolError."""
        from aetool.proofs.schedule import Scheduler

        started = time.monotonic()
        self.record.complete = False
        for file in self._gone:
            remove_products(self.root, file)
        if self.options.clean:
            for file in self.selected:
                remove_products(self.root, file)
                self.record.entries[file].inputs = {}
        results = Scheduler(self, progress or Silent()).run()
        files = [results[file] for file in self.order if file in results]
        result = BuildResult(self.root, self.toolchain.version, files, 0.0, self.notes)
        self.record.complete = result.passed and len(files) == len(self.project.files)
        self.record.everything = self._everything()
        self.record.save()
        result.seconds = time.monotonic() - started
        return result

    def _scan(self) -> None:
        """Bring the dependencies up to date; coqdep is asked only if some text or option changed."""
        record, project = self.record, self.project
        texts: dict[str, str] = {"options": f"{project.options} {self.toolchain.identity}"}
        for file in project.files:
            texts[file] = record.digest(file) or ""
        scanned = key_of(texts)
        if scanned == record.scanned and list(record.entries) == list(project.files):
            return
        found = dependencies(project, self.toolchain)
        self._gone = set(record.entries) - set(project.files)
        old = record.entries
        record.entries = {file: old.get(file) or Entry() for file in project.files}
        for file, requires in found.items():
            entry = record.entries[file]
            entry.requires, entry.loads = list(requires.files), list(requires.loads)
            entry.externals = list(requires.externals)
        record.scanned = scanned

    def _everything(self) -> list[str]:
        record = self.record
        names: dict[str, None] = {}
        for name in ("tree.yaml", "_CoqProject"):
            if record.digest(name) is not None:
                names[name] = None
        for file, entry in record.entries.items():
            record.digest(f"{file}o")
            names |= dict.fromkeys([file, f"{file}o", *entry.loads, *entry.externals])
        names[record.toolchain["path"]] = None
        record.digests = {name: record.digests[name] for name in names if name in record.digests}
        return list(names)


@contextlib.contextmanager
def prepare(
    root: Path, request: Request, options: Options, progress: Progress | None = None
) -> Iterator[Build]:
    """Get ready to build, with the tree locked against a second build.

    Raises ConfigError (manifest, project file, names, circles), ProofError (dependencies), MissingToolError.
    """
    root, say = root.resolve(), (progress or Silent()).say
    notes: list[str] = []
    with locked(root, say):
        build = Build(root, request, options, notes)
        for note in notes:
            say(note)
        yield build


def build(
    root: Path,
    request: Request | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> BuildResult:
    """Prepare and run in one go."""
    with prepare(root, request or Request(), options or Options(), progress) as prepared:
        return prepared.run(progress)


@contextlib.contextmanager
def locked(root: Path, say: Any) -> Iterator[None]:
    """Hold the tree's lock, waiting for another build of it to end. Raises StorageError."""
    path = root / STATE_DIR / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Opened in place: a file that two builds replace would be two locks.
        handle = path.open("ab")
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another build of {root} is running; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def open_project(root: Path, notes: list[str]) -> Project:
    """The project in a folder; where there is a manifest, `_CoqProject` is first brought in sync with it."""
    from aetool.proofs.tree import is_tree, load_tree, project_file

    if not is_tree(root):
        return read_project(root)
    tree = load_tree(root)
    path, text = project_file(root), tree.project_text()
    try:
        current = path.read_text(encoding="utf-8")
    except OSError:
        current = ""
    if current != text:
        replace_file(path, text.encode())
        notes.append(f"{path} was brought in sync with the manifest")
    return tree.project


def remove_products(root: Path, file: str) -> None:
    """Remove everything that coqc made of a file."""
    source = root / file
    made = [source.with_suffix(suffix) for suffix in (".vo", ".vos", ".vok", ".glob")]
    for path in (*made, source.with_name(f".{source.stem}.aux")):
        with contextlib.suppress(OSError):
            path.unlink()


def _toolchain(record: Record) -> coq.Toolchain:
    """The installed Coq; asked anew only when the compiler's file or the environment changed."""
    path = coq.compiler_path()
    state = signature(path)
    environment = coq_signature()
    known = record.toolchain
    if (
        state
        and known.get("path") == path
        and known.get("state") == state
        and known.get("env") == environment
    ):
        return coq.Toolchain.from_fields(known["fields"])
    found = coq.toolchain()
    record.toolchain = {"path": path, "state": state, "env": environment, "fields": vars(found)}
    record.remember(path, found.identity)
    return found
