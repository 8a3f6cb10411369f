# SPDX-License-Identifier: Apache-2.0
"""Times and memory of every real compilation, per file and per lemma, and what has become slower.

Kept in the tree's state folder, one row a file (or lemma) and build. Seconds are those of the processor, not
of the clock, because a loaded machine makes the clock say anything.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aetool.core.errors import StorageError
from aetool.proofs.compile import Outcome
from aetool.proofs.lexer import Unfinished, sentences
from aetool.proofs.record import STATE_DIR

WINDOW = 10  # earlier runs that a new one is compared with
FEWEST = 3  # fewer tell nothing
SLOWER = 1.5  # times the median of the window
AT_LEAST = 0.5  # and seconds above it: below that it is noise
_TIMING = re.compile(r"^Chars (\d+) - (\d+) \[.*\] [\d.]+ secs \(([\d.]+)u,([\d.]+)s\)$")
_STATEMENTS = frozenset(
    ("Lemma", "Theorem", "Corollary", "Proposition", "Fact", "Remark", "Example", "Definition", "Instance")
)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, started REAL, commit_id TEXT, coq TEXT);
CREATE TABLE IF NOT EXISTS times (
    run INTEGER REFERENCES runs, file TEXT, lemma TEXT, seconds REAL, memory INTEGER,
    PRIMARY KEY (run, file, lemma)
);
CREATE INDEX IF NOT EXISTS by_name ON times (file, lemma, run);
"""


@dataclass(frozen=True)
class Trend:
    """A file (lemma empty) or a lemma: seconds of its last run and median of those before, peak KiB."""

    file: str
    lemma: str
    seconds: float
    before: float | None
    runs: int
    memory: int

    @property
    def slower(self) -> bool:
        """Whether the last run is out of line with the ones before."""
        if self.before is None or self.runs <= FEWEST:
            return False
        return self.seconds > max(SLOWER * self.before, self.before + AT_LEAST)


def lemma_times(source: bytes, timings: str) -> dict[str, float]:
    """Processor seconds of each named statement with its proof, from what `coqc -time` printed."""
    seconds: dict[int, float] = {}
    for line in timings.splitlines():
        found = _TIMING.match(line)
        if found:
            seconds[int(found[1])] = float(found[3]) + float(found[4])
    totals: dict[str, float] = {}
    current: str | None = None
    with contextlib.suppress(Unfinished):
        for sentence in sentences(source):
            words = [word for word in sentence.words if word not in ("Local", "Global", "Program")]
            if len(words) > 1 and words[0] in _STATEMENTS:
                current = words[1]
            if current is not None:
                totals[current] = totals.get(current, 0.0) + seconds.get(sentence.start, 0.0)
            if words and words[0] in ("Qed", "Defined"):
                current = None
    return {name: round(total, 3) for name, total in totals.items()}


def note(root: Path, coq: str, compiled: Sequence[tuple[str, Outcome]]) -> None:
    """Keep the times of one build. Raises StorageError."""
    if not compiled:
        return
    with _database(root) as database:
        started = (time.time(), _commit(root), coq)
        run = database.execute(
            "INSERT INTO runs (started, commit_id, coq) VALUES (?, ?, ?)", started
        ).lastrowid
        for file, outcome in compiled:
            rows = [(run, file, "", round(outcome.cpu, 3), outcome.memory)]
            with contextlib.suppress(OSError):
                times = lemma_times((root / file).read_bytes(), outcome.timings)
                rows += [(run, file, lemma, seconds, 0) for lemma, seconds in times.items()]
            database.executemany("INSERT OR REPLACE INTO times VALUES (?, ?, ?, ?, ?)", rows)


def trends(root: Path, *, lemmas: bool, files: Sequence[str] = ()) -> list[Trend]:
    """What is known, slowest first; of all files if none are named. Raises StorageError."""
    if not (root / STATE_DIR / "history.sqlite").exists():
        return []
    found: dict[tuple[str, str], list[tuple[float, int]]] = {}
    with _database(root) as database:
        query = "SELECT file, lemma, seconds, memory FROM times ORDER BY run"
        for file, lemma, seconds, memory in database.execute(query):
            if bool(lemma) == lemmas and (not files or file in files):
                found.setdefault((file, lemma), []).append((seconds, memory))
    made: list[Trend] = []
    for (file, lemma), runs in found.items():
        window = [seconds for seconds, _ in runs[-1 - WINDOW : -1]]
        before = statistics.median(window) if window else None
        made.append(Trend(file, lemma, runs[-1][0], before, len(runs), runs[-1][1]))
    return sorted(made, key=lambda trend: -trend.seconds)


@contextlib.contextmanager
def _database(root: Path) -> Iterator[sqlite3.Connection]:
    path = root / STATE_DIR / "history.sqlite"
    try:
        database = sqlite3.connect(path, timeout=30)
        try:
            database.executescript(_SCHEMA)
            with database:
                yield database
        finally:
            database.close()
    except sqlite3.Error as error:
        raise StorageError(
            f"{path}: {error}", hint="free some space; if the file is damaged, remove it: it holds only times"
        ) from error


def _commit(root: Path) -> str | None:
    from aetool.core.errors import AetoolError
    from aetool.core.process import run

    with contextlib.suppress(AetoolError):
        done = run(["git", "rev-parse", "--short", "HEAD"], timeout=10, cwd=root, check=False)
        return done.output.strip() if done.status == 0 else None
    return None
