# SPDX-License-Identifier: Apache-2.0
"""Do the proofs of a layer notice a wrong C file? Each mutant must make some proof or test of it fail.

A mutant is compiled to `Code.v` in a copy of the tree, and the layer is built there; what does not depend on
`Code.v` is not compiled again. A mutant that is equal to the original in every run is listed, with a reason,
in the layer's `mutants.yaml`; such an entry must name a mutant that exists and survives.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue

from pydantic import Field

from aetool.core.config import Model, load_yaml
from aetool.core.errors import ConfigError, ProofError
from aetool.core.process import write_file
from aetool.core.progress import Progress
from aetool.proofs.build import BuildResult, Options, build
from aetool.proofs.clight import find_source, in_sync, render
from aetool.proofs.compile import Status
from aetool.proofs.mutate_source import Mutant, mutants
from aetool.proofs.plan import Request

EQUIVALENTS = "mutants.yaml"
SHORTEST_DEADLINE = 30.0
NOT_COPIED = shutil.ignore_patterns("*.aux", ".*.cache", "*.glob", "lock", "pages")


class Verdict(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"


class Equivalent(Model):
    """A mutant that no proof can tell from the original: its lines before and after, and why."""

    function: str
    before: str
    after: str
    reason: str = Field(min_length=10)


class _Equivalents(Model):
    equivalent: tuple[Equivalent, ...]


@dataclass(frozen=True)
class Result:
    """One mutant. where: the file that fails (with its line), or the reason for which it is equivalent."""

    mutant: Mutant
    verdict: Verdict
    where: str
    seconds: float


@dataclass(frozen=True)
class Report:
    """All results of a layer.

    generated: how many mutants there are; with a sample, how many changes of the text, since it is not known
    which of those not tried the subset refuses.
    """

    layer: str
    source: Path
    generated: int
    results: tuple[Result, ...]

    def of(self, verdict: Verdict) -> list[Result]:
        """The results with one verdict."""
        return [result for result in self.results if result.verdict is verdict]


def mutate(
    proofs: Path,
    layer: str,
    progress: Progress,
    *,
    jobs: int | None = None,
    sample: int | None = None,
    seed: int = 0,
    store: Path | None = None,
) -> Report:
    """Try the mutants of a layer on `jobs` copies of the tree.

    sample, seed: how many, and which ones; all if None.
    Raises ConfigError (no such layer, a wrong `mutants.yaml`), ProofError (the layer does not build as it
    stands, or its Code.v is stale).
    """
    source = find_source(proofs, layer)
    if not in_sync(source, source.with_name("Code.v")):
        raise ProofError(
            f"{source.with_name('Code.v')} is not what {source.name} gives",
            hint=f"run `aetool proofs clight {layer}` first",
        )
    equivalents = _read_equivalents(source)
    changes = mutants(source.read_text(encoding="utf-8"))
    for entry in equivalents:
        if not any(_same(entry, mutant) for mutant in changes):
            raise ConfigError(
                f"{source.with_name(EQUIVALENTS)}: no mutant of {entry.function} changes"
                f" {entry.before!r} to {entry.after!r}",
                hint="the C has changed; remove or correct the entry",
            )
    chosen = distinct(source) if sample is None else sampled(source, sample, seed)
    workers = min(jobs or os.cpu_count() or 1, max(1, len(chosen)))
    with _copies(proofs, workers) as trees:
        deadline = max(SHORTEST_DEADLINE, 10 * _baseline(trees, layer, store))
        free: SimpleQueue[Path] = SimpleQueue()
        for tree in trees:
            free.put(tree)

        def attempt(item: tuple[Mutant, str]) -> Result:
            tree = free.get()
            try:
                result = _attempt(tree, layer, item, equivalents, deadline)
            finally:
                free.put(tree)
            what = f"{result.mutant.function}: {result.mutant.kind}, line {result.mutant.line}"
            progress.advance(f"{result.verdict}: {what}" + (f" ({result.where})" if result.where else ""))
            return result

        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(attempt, item) for item in chosen]
            try:
                results = tuple(future.result() for future in futures)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return Report(layer, source, len(chosen) if sample is None else len(changes), results)


def distinct(source: Path) -> list[tuple[Mutant, str]]:
    """The mutants of a C file that are in the subset, with their Code.v, all different."""
    with _translator(source) as translate:
        every = mutants(source.read_text(encoding="utf-8"))
        return [(mutant, code) for mutant in every if (code := translate(mutant)) is not None]


def sampled(source: Path, count: int, seed: int) -> list[tuple[Mutant, str]]:
    """`count` of them, of each kind in turn, so that a small sample still tries every kind.

    Only what is chosen is translated: that is what takes long in a large file.
    """
    shuffled = mutants(source.read_text(encoding="utf-8"))
    random.Random(seed).shuffle(shuffled)
    found: list[tuple[Mutant, str]] = []
    with _translator(source) as translate:

        def of_kind(kind: str) -> Iterator[tuple[Mutant, str]]:
            for mutant in shuffled:
                if mutant.kind == kind and (code := translate(mutant)) is not None:
                    yield mutant, code

        turns = deque(of_kind(kind) for kind in dict.fromkeys(mutant.kind for mutant in shuffled))
        while turns and len(found) < count:
            turn = turns.popleft()
            item = next(turn, None)
            if item is not None:
                found.append(item)
                turns.append(turn)
    return found


@contextmanager
def _translator(source: Path) -> Iterator[Callable[[Mutant], str | None]]:
    """Gives the Code.v of mutants; None for one that the subset refuses, and for one like an earlier one."""
    seen = {render(source)}
    with tempfile.TemporaryDirectory(prefix="aetool-mutate-") as place:
        # the same surroundings: ../prims.h and the file's own name
        folder = Path(place) / source.parent.name
        shutil.copytree(source.parent, folder, ignore=shutil.ignore_patterns("*.vo*", "*.glob", ".*"))
        for header in source.parent.parent.glob("*.h"):
            shutil.copy(header, place)

        def translate(mutant: Mutant) -> str | None:
            (folder / source.name).write_text(mutant.text, encoding="utf-8")
            try:
                code = render(folder / source.name)
            except ConfigError:
                return None  # outside the subset: the generator itself refuses it
            if code in seen:
                return None
            seen.add(code)
            return code

        yield translate


@contextmanager
def _copies(proofs: Path, count: int) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory(prefix="aetool-mutate-") as place:
        trees = [Path(place) / str(number) for number in range(count)]
        for tree in trees:
            shutil.copytree(proofs, tree, ignore=NOT_COPIED)
        yield trees


def _baseline(trees: Sequence[Path], layer: str, store: Path | None) -> float:
    """Build the layer as it stands in every copy; returns the seconds that its slowest file takes."""
    slowest = 0.0
    for tree in trees:
        result = build(tree, Request((layer,)), Options(store=store))
        error = result.error()
        if error is not None:
            raise ProofError(
                f"the layer {layer} does not build as it stands",
                detail=f"{error.message}\n{error.detail or ''}",
            )
        slowest = max([slowest, *(file.seconds for file in result.files)])
    return slowest


def _attempt(
    tree: Path, layer: str, item: tuple[Mutant, str], equivalents: Sequence[Equivalent], deadline: float
) -> Result:
    mutant, code = item
    write_file(tree / "layers" / layer / "Code.v", code)
    # a mutant's files are of no use to anybody: nothing goes into the store
    done = build(tree, Request((layer,)), Options(jobs=1, timeout=deadline, store=None))
    reason = next((entry.reason for entry in equivalents if _same(entry, mutant)), None)
    if not done.passed:
        where = _where(done)
        if reason is not None:
            raise ConfigError(
                f"{layer}/{EQUIVALENTS} calls a mutant of {mutant.function} equivalent, but {where} fails",
                detail=f"{mutant.before}\n{mutant.after}",
                hint="remove the entry",
            )
        return Result(mutant, Verdict.KILLED, where, done.seconds)
    verdict = Verdict.SURVIVED if reason is None else Verdict.EQUIVALENT
    return Result(mutant, verdict, reason or "", done.seconds)


def _where(done: BuildResult) -> str:
    """The file and line at which Coq refuses the mutant. Raises if the build broke for another reason."""
    for result in done.failures:
        if result.status in (Status.FAILED, Status.TIMED_OUT) and result.failure:
            line = f":{result.failure.line}" if result.failure.line else ""
            return f"{result.file}{line}"
    error = done.error()
    assert error is not None
    raise error


def _same(entry: Equivalent, mutant: Mutant) -> bool:
    return (entry.function, entry.before, entry.after) == (mutant.function, mutant.before, mutant.after)


def _read_equivalents(source: Path) -> tuple[Equivalent, ...]:
    path = source.with_name(EQUIVALENTS)
    return load_yaml(path, _Equivalents).equivalent if path.exists() else ()
