# SPDX-License-Identifier: Apache-2.0
"""The journal of a run: which steps there are, what became of each, and every number measured.

A campaign takes hours on machines that reboot, so the driver must be able to die at any moment. The
journal is one sqlite file (WAL, synchronous=FULL) and the only thing that `resume` reads. A step changes
state in one transaction, and its samples are written in the transaction that makes it DONE:

    PLANNED --begin----> STARTED --finish--> DONE
    STARTED --fail-----> FAILED
    PLANNED --abandon--> ABANDONED            it cannot be run here, and the reason is kept
    STARTED, FAILED, ABANDONED --requeue--> PLANNED, as the next attempt

Raw files of an attempt that did not finish are moved to `set-aside/`, never deleted and never mixed with
those of the next attempt. The file's schema has a version; readers need no lock and never write.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from aetool.core.database import connect, open_driver, open_reader, storage, sync, sync_tree
from aetool.core.errors import CampaignError

if TYPE_CHECKING:
    from filelock import BaseFileLock

SCHEMA_VERSION = 1
FILE = "journal.sqlite"
LOCK = ".driver.lock"
RESULTS = "results"
SET_ASIDE = "set-aside"

_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE step (position INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, suite TEXT NOT NULL,"
    " configuration TEXT NOT NULL, profile TEXT NOT NULL, vms INTEGER NOT NULL, repetition INTEGER NOT NULL,"
    " digest TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, host TEXT, started REAL,"
    " finished REAL, log TEXT, reason TEXT) STRICT",
    "CREATE TABLE sample (step TEXT NOT NULL REFERENCES step(key), suite TEXT NOT NULL,"
    " configuration TEXT NOT NULL, vms INTEGER NOT NULL, vm INTEGER NOT NULL, repetition INTEGER NOT NULL,"
    " metric TEXT NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL, better TEXT NOT NULL, raw TEXT NOT NULL,"
    " PRIMARY KEY (step, vm, metric)) STRICT",
    # one row a transition: attempts that came to nothing stay visible after their step has succeeded
    "CREATE TABLE history (number INTEGER PRIMARY KEY, step TEXT NOT NULL, attempt INTEGER NOT NULL,"
    " state TEXT NOT NULL, at REAL NOT NULL, reason TEXT) STRICT",
)
_STEP = "key, suite, configuration, profile, vms, repetition, digest"
_STATE = "position, state, attempt, host, started, finished, log, reason"
_SAMPLE = "step, suite, configuration, vms, vm, repetition, metric, value, unit, better, raw"


class State(StrEnum):
    """What has become of a step."""

    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class PlannedStep:
    """One measurement to be made.

    `key` is unique in the run and names its directory under results/; `vms` is 0 for the host itself;
    `repetition` counts from 1; `digest` covers everything that determines the result.
    """

    key: str
    suite: str
    configuration: str
    profile: str
    vms: int
    repetition: int
    digest: str


@dataclass(frozen=True)
class Step(PlannedStep):
    """A planned step and what has become of it.

    `position` counts from 0 in the order of execution, `attempt` from 1; times are Unix seconds; `log` is
    relative to the run directory; `reason` says why it failed, was queued again or abandoned.
    """

    position: int
    state: State
    attempt: int
    host: str | None
    started: float | None
    finished: float | None
    log: str | None
    reason: str | None


@dataclass(frozen=True)
class Sample:
    """One number: `vm` 0 is the host itself; `raw` is the file it was read from, in the run directory."""

    step: str
    suite: str
    configuration: str
    vms: int
    vm: int
    repetition: int
    metric: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    raw: str


@dataclass(frozen=True)
class Transition:
    """One change of a step's state, at a time in Unix seconds."""

    step: str
    attempt: int
    state: State
    at: float
    reason: str | None


class Journal:
    """The journal of one run directory; use `create` or `open`, and a with-statement."""

    def __init__(
        self,
        run_dir: Path,
        database: sqlite3.Connection,
        lock: BaseFileLock | None,
        clock: Callable[[], float],
    ) -> None:
        self.run_dir = run_dir
        self._database = database
        self._lock = lock
        self._clock = clock

    @classmethod
    def create(
        cls,
        run_dir: Path,
        meta: Mapping[str, str],
        steps: Sequence[PlannedStep],
        *,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Start the journal of a new run; it appears whole or not at all.

        Raises CampaignError if the directory holds a run already or another driver works in it,
        StorageError if it cannot be written.
        """
        lock = _acquire(run_dir)
        path = run_dir / FILE
        try:
            if path.exists():
                raise CampaignError(
                    f"{run_dir}: holds a run already",
                    hint="go on with it by `aetool campaign resume`, or choose another directory",
                )
            partial = run_dir / f".{FILE}.part"
            partial.unlink(missing_ok=True)
            with storage(path), contextlib.closing(connect(partial)) as database:
                database.execute("BEGIN")
                for statement in _SCHEMA:
                    database.execute(statement)
                database.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
                database.executemany(
                    f"INSERT INTO step ({_STEP}, position, state, attempt) VALUES ({_marks(_STEP)}, ?, ?, 1)",
                    [(*astuple(step), n, State.PLANNED) for n, step in enumerate(steps)],
                )
                database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                database.execute("COMMIT")
            with storage(path):
                partial.replace(path)
                sync(run_dir)
            return cls(run_dir, open_driver(path, SCHEMA_VERSION), lock, clock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, run_dir: Path, readonly: bool = False, *, clock: Callable[[], float] = time.time) -> Self:
        """Open the journal of an existing run, for driving it (locked) or for reading only.

        Raises CampaignError if there is none, if its schema is of another version, or if another driver
        works in the directory.
        """
        path = run_dir / FILE
        if not path.is_file():
            raise CampaignError(
                f"{run_dir}: holds no run ({FILE} is missing)", hint="check the directory's name"
            )
        lock = None if readonly else _acquire(run_dir)
        try:
            database = open_reader(path, SCHEMA_VERSION) if readonly else open_driver(path, SCHEMA_VERSION)
            return cls(run_dir, database, lock, clock)
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    def close(self) -> None:
        """Release the file and the lock; what is left is one file, unless a reader is looking on."""
        if self._lock is not None:
            # outside WAL mode a reader of the finished run need not write beside the file
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("PRAGMA busy_timeout = 0")
                self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def meta(self) -> dict[str, str]:
        """What `create` was told about the run."""
        return dict(self._query("SELECT name, value FROM meta ORDER BY name"))

    def steps(self) -> list[Step]:
        """All steps in the order of execution."""
        rows = self._query(f"SELECT {_STEP}, {_STATE} FROM step ORDER BY position")
        return [_step(row) for row in rows]

    def step(self, key: str) -> Step:
        """One step; raises CampaignError if there is none of that key."""
        for row in self._query(f"SELECT {_STEP}, {_STATE} FROM step WHERE key = ?", key):
            return _step(row)
        raise CampaignError(f"{self.run_dir}: there is no step {key!r}")

    def samples(self) -> list[Sample]:
        """All samples of DONE steps, in the order of execution, VM, metric."""
        columns = ", ".join(f"sample.{name}" for name in _SAMPLE.split(", "))
        rows = self._query(
            f"SELECT {columns} FROM sample JOIN step ON step.key = sample.step ORDER BY position, vm, metric"
        )
        return [Sample(*row) for row in rows]

    def history(self) -> list[Transition]:
        """Every change of state since the run began."""
        rows = self._query("SELECT step, attempt, state, at, reason FROM history ORDER BY number")
        return [Transition(row[0], row[1], State(row[2]), row[3], row[4]) for row in rows]

    def begin(self, key: str, host: str, log: str) -> None:
        """PLANNED to STARTED: from now on files may appear under results/<key>."""
        values = {"host": host, "log": log, "started": self._clock(), "finished": None, "reason": None}
        with self._transaction():
            self._move(key, (State.PLANNED,), State.STARTED, values)

    def finish(self, key: str, samples: Sequence[Sample]) -> None:
        """STARTED to DONE together with the samples, after the raw files have reached the disk."""
        step = self.step(key)
        for sample in samples:
            self._check(step, sample)
        with storage(self.run_dir):
            sync_tree(self.run_dir / RESULTS / key)
        with self._transaction():
            self._move(key, (State.STARTED,), State.DONE, {"finished": self._clock(), "reason": None})
            self._database.executemany(
                f"INSERT INTO sample ({_SAMPLE}) VALUES ({_marks(_SAMPLE)})", [astuple(s) for s in samples]
            )

    def fail(self, key: str, reason: str) -> None:
        """STARTED to FAILED; the raw files stay where they are, for whoever looks for the cause."""
        with self._transaction():
            self._move(key, (State.STARTED,), State.FAILED, {"finished": self._clock(), "reason": reason})

    def abandon(self, key: str, reason: str) -> None:
        """PLANNED to ABANDONED: the step cannot be run here."""
        with self._transaction():
            self._move(key, (State.PLANNED,), State.ABANDONED, {"reason": reason})

    def requeue(self, key: str, reason: str) -> None:
        """Back to PLANNED for another attempt, the raw files of the last one set aside."""
        step = self.step(key)
        states = (State.STARTED, State.FAILED, State.ABANDONED)
        if step.state in states:
            # The files move first: if the driver dies in between, the step is still STARTED (or FAILED),
            # and the next requeue finds nothing left to move.
            self._put_aside(step)
        with self._transaction():
            values = {"attempt": step.attempt + 1, "reason": reason, "started": None, "finished": None}
            self._move(key, states, State.PLANNED, values)

    def reset_interrupted(self) -> list[str]:
        """Queue again every step that was STARTED when the last driver died; returns their keys."""
        keys = [step.key for step in self.steps() if step.state is State.STARTED]
        for key in keys:
            self.requeue(key, "the driver ended before the step did")
        return keys

    def _check(self, step: Step, sample: Sample) -> None:
        owner = (sample.step, sample.suite, sample.configuration, sample.vms, sample.repetition)
        if owner != (step.key, step.suite, step.configuration, step.vms, step.repetition):
            raise CampaignError(f"the sample {sample} does not belong to the step {step.key}")
        if not math.isfinite(sample.value):
            raise CampaignError(f"{step.key}: {sample.metric} is {sample.value}, not a number")
        if not (self.run_dir / sample.raw).is_file():
            raise CampaignError(f"{step.key}: the raw file {sample.raw} of {sample.metric} is missing")

    def _put_aside(self, step: Step) -> None:
        source = self.run_dir / RESULTS / step.key
        if not source.exists():
            return
        target = self.run_dir / SET_ASIDE / f"{step.key}.attempt-{step.attempt}"
        with storage(target):
            target.parent.mkdir(exist_ok=True)
            source.rename(target)
            sync(source.parent)
            sync(target.parent)

    def _move(self, key: str, allowed: Sequence[State], to: State, values: Mapping[str, object]) -> None:
        names = "".join(f", {name} = ?" for name in values)
        changed = self._database.execute(
            f"UPDATE step SET state = ?{names} WHERE key = ? AND state IN ({', '.join('?' * len(allowed))})",
            (to, *values.values(), key, *allowed),
        ).rowcount
        if changed != 1:
            state = self.step(key).state
            raise CampaignError(f"the step {key} is {state} and cannot become {to}")
        self._database.execute(
            "INSERT INTO history (step, attempt, state, at, reason)"
            " SELECT key, attempt, state, ?, reason FROM step WHERE key = ?",
            (self._clock(), key),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with storage(self.run_dir / FILE):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._commit()
            except BaseException:
                # a full disk may have rolled back already
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    def _commit(self) -> None:
        self._database.execute("COMMIT")

    def _query(self, statement: str, *values: object) -> list[Any]:
        with storage(self.run_dir / FILE):
            return self._database.execute(statement, values).fetchall()


def _acquire(run_dir: Path) -> BaseFileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(run_dir / LOCK)
    with storage(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise CampaignError(
                f"{run_dir}: another aetool is driving this run",
                hint="wait for it, or look on with `aetool campaign status`",
            ) from error
    return lock


def _step(row: Any) -> Step:
    return Step(**dict(zip(f"{_STEP}, {_STATE}".split(", "), row, strict=True)) | {"state": State(row[8])})


def _marks(columns: str) -> str:
    return ", ".join("?" * len(columns.split(",")))
