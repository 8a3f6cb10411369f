# SPDX-License-Identifier: Apache-2.0
"""The journal: one state machine a step, samples and state in one transaction, one driver at a time."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from aetool.core.errors import CampaignError, StorageError
from aetool.core.journal import FILE, Journal, PlannedStep, Sample, State


def planned(number: int) -> PlannedStep:
    return PlannedStep(f"s{number}", "hackbench", "native", "quick", 0, number, f"digest{number}")


def sample(journal: Journal, key: str, value: float = 1.5, metric: str = "time") -> Sample:
    step = journal.step(key)
    raw = f"results/{key}/out.txt"
    (journal.run_dir / raw).parent.mkdir(parents=True, exist_ok=True)
    (journal.run_dir / raw).write_text(f"Time: {value}\n")
    return Sample(
        key, step.suite, step.configuration, step.vms, 0, step.repetition, metric, value, "s", "lower", raw
    )


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    with Journal.create(tmp_path / "run", {"campaign": "c"}, [planned(1), planned(2), planned(3)]):
        pass
    return tmp_path / "run"


def test_a_new_journal_holds_the_plan_in_order(run_dir: Path) -> None:
    with Journal.open(run_dir, readonly=True) as journal:
        assert journal.meta == {"campaign": "c"}
        assert [(s.key, s.position, s.state, s.attempt) for s in journal.steps()] == [
            ("s1", 0, State.PLANNED, 1),
            ("s2", 1, State.PLANNED, 1),
            ("s3", 2, State.PLANNED, 1),
        ]
        assert dataclasses.astuple(journal.steps()[0])[:7] == dataclasses.astuple(planned(1))
        assert journal.samples() == []


def test_a_finished_step_has_its_times_and_its_samples(tmp_path: Path) -> None:
    ticks = iter(range(100, 200))
    with Journal.create(tmp_path / "run", {}, [planned(1)], clock=lambda: float(next(ticks))) as journal:
        journal.begin("s1", "server", "logs/s1.log")
        kept = sample(journal, "s1")
        journal.finish("s1", [kept])
        step = journal.step("s1")
        assert (step.state, step.host, step.log, step.started, step.finished) == (
            State.DONE, "server", "logs/s1.log", 100.0, 102.0,
        )  # fmt: skip
        assert journal.samples() == [kept]
        assert [t.state for t in journal.history()] == [State.STARTED, State.DONE]


def test_samples_come_in_the_order_of_the_plan_not_of_completion(run_dir: Path) -> None:
    with Journal.open(run_dir) as journal:
        for key in ("s3", "s1"):
            journal.begin(key, "server", "log")
            journal.finish(key, [sample(journal, key)])
        assert [s.step for s in journal.samples()] == ["s1", "s3"]


def begin(journal: Journal, key: str) -> None:
    journal.begin(key, "server", "log")


MOVES: dict[str, Callable[[Journal, str], None]] = {
    "begin": begin,
    "finish": lambda journal, key: journal.finish(key, []),
    "fail": lambda journal, key: journal.fail(key, "why"),
    "abandon": lambda journal, key: journal.abandon(key, "why"),
    "requeue": lambda journal, key: journal.requeue(key, "why"),
}
PATHS: dict[State, list[str]] = {
    State.PLANNED: [],
    State.STARTED: ["begin"],
    State.DONE: ["begin", "finish"],
    State.FAILED: ["begin", "fail"],
    State.ABANDONED: ["abandon"],
}
ALLOWED = {
    (State.PLANNED, "begin"): State.STARTED,
    (State.PLANNED, "abandon"): State.ABANDONED,
    (State.STARTED, "finish"): State.DONE,
    (State.STARTED, "fail"): State.FAILED,
    (State.STARTED, "requeue"): State.PLANNED,
    (State.FAILED, "requeue"): State.PLANNED,
    (State.ABANDONED, "requeue"): State.PLANNED,
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", PATHS)
def test_only_the_drawn_transitions_are_possible(run_dir: Path, state: State, move: str) -> None:
    with Journal.open(run_dir) as journal:
        for step in PATHS[state]:
            MOVES[step](journal, "s1")
        if (state, move) in ALLOWED:
            MOVES[move](journal, "s1")
            assert journal.step("s1").state is ALLOWED[state, move]
        else:
            with pytest.raises(CampaignError, match=f"the step s1 is {state} and cannot become"):
                MOVES[move](journal, "s1")
            assert journal.step("s1").state is state
        assert journal.step("s2").state is State.PLANNED


def test_queueing_a_finished_step_again_is_refused_and_its_raw_files_stay(run_dir: Path) -> None:
    with Journal.open(run_dir) as journal:
        begin(journal, "s1")
        kept = sample(journal, "s1")
        journal.finish("s1", [kept])
        with pytest.raises(CampaignError, match="cannot become planned"):
            journal.requeue("s1", "why")
        assert (run_dir / kept.raw).exists()


def test_samples_that_cannot_be_true_leave_the_step_started(run_dir: Path) -> None:
    with Journal.open(run_dir) as journal:
        begin(journal, "s1")
        good = sample(journal, "s1")
        for bad, message in (
            (dataclasses.replace(good, value=float("nan")), "not a number"),
            (dataclasses.replace(good, value=float("inf")), "not a number"),
            (dataclasses.replace(good, raw="results/s1/absent"), "is missing"),
            (dataclasses.replace(good, repetition=2), "does not belong"),
            (dataclasses.replace(good, step="s2"), "does not belong"),
        ):
            with pytest.raises(CampaignError, match=message):
                journal.finish("s1", [good, bad])
        with pytest.raises(CampaignError, match="damaged"):
            journal.finish("s1", [good, good])
        assert (journal.step("s1").state, journal.samples()) == (State.STARTED, [])


def test_an_interrupted_attempt_is_queued_again_and_its_files_are_set_aside(run_dir: Path) -> None:
    with Journal.open(run_dir) as journal:
        begin(journal, "s1")
        sample(journal, "s1")
    with Journal.open(run_dir) as journal:
        assert journal.reset_interrupted() == ["s1"]
        step = journal.step("s1")
        assert (step.state, step.attempt, step.started) == (State.PLANNED, 2, None)
        assert not (run_dir / "results/s1").exists()
        assert (run_dir / "set-aside/s1.attempt-1/out.txt").read_text() == "Time: 1.5\n"
        assert journal.reset_interrupted() == []


def test_a_second_driver_is_refused_and_a_reader_is_not(run_dir: Path) -> None:
    with Journal.open(run_dir) as journal:
        begin(journal, "s1")
        with pytest.raises(CampaignError, match="another aetool is driving this run"):
            Journal.open(run_dir)
        with Journal.open(run_dir, readonly=True) as reader:
            assert reader.step("s1").state is State.STARTED
            journal.fail("s1", "why")
            assert reader.step("s1").state is State.FAILED
            with pytest.raises(StorageError):
                reader.begin("s2", "server", "log")
    with Journal.open(run_dir):
        pass


def _hold(run_dir: Path, ready: multiprocessing.synchronize.Event) -> None:
    journal = Journal.open(run_dir)
    begin(journal, "s1")
    ready.set()
    os.kill(os.getpid(), 9)


def test_a_killed_driver_leaves_neither_lock_nor_damage(run_dir: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    child = context.Process(target=_hold, args=(run_dir, ready))
    child.start()
    child.join(20)
    assert (child.exitcode, ready.is_set()) == (-9, True)
    with Journal.open(run_dir, readonly=True) as reader:
        assert reader.step("s1").state is State.STARTED
    with Journal.open(run_dir) as journal:
        assert journal.reset_interrupted() == ["s1"]


def test_creating_a_second_run_in_a_directory_is_refused(run_dir: Path) -> None:
    with pytest.raises(CampaignError, match="holds a run already"):
        Journal.create(run_dir, {}, [planned(9)])
    with Journal.open(run_dir) as journal:
        assert len(journal.steps()) == 3


def test_a_creation_that_was_cut_off_can_be_repeated(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / f".{FILE}.part").write_bytes(b"half")
    with Journal.create(run_dir, {}, [planned(1)]) as journal:
        assert len(journal.steps()) == 1


def test_missing_foreign_and_newer_files_are_told_apart(run_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="holds no run"):
        Journal.open(tmp_path)
    (tmp_path / FILE).write_text("this is no database at all" * 50)
    with pytest.raises(CampaignError, match="is not a journal"):
        Journal.open(tmp_path, readonly=True)
    database = sqlite3.connect(run_dir / FILE)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(CampaignError, match="schema version 99, this aetool writes 1"):
        Journal.open(run_dir)


def test_reading_changes_no_byte_and_works_on_a_read_only_disk(run_dir: Path, tmp_path: Path) -> None:
    def contents() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in sorted(run_dir.iterdir())}

    before = contents()
    with Journal.open(run_dir, readonly=True) as journal:
        assert len(journal.steps()) == 3
    assert contents() == before
    if os.geteuid() == 0:
        frozen = tmp_path / "frozen"
        frozen.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "aetool-test", str(frozen)], check=True)
        try:
            shutil.copy(run_dir / FILE, frozen)
            subprocess.run(["mount", "-o", "remount,ro", str(frozen)], check=True)
            with Journal.open(frozen, readonly=True) as journal:
                assert len(journal.steps()) == 3
        finally:
            subprocess.run(["umount", str(frozen)], check=True)


def test_a_full_disk_is_a_storage_error_and_loses_nothing(full_disk: Path) -> None:
    run_dir = full_disk / "run"
    ballast = full_disk / "ballast"
    with Journal.create(run_dir, {}, [planned(n) for n in range(1, 40)]) as journal:
        begin(journal, "s1")
        journal.finish("s1", [sample(journal, "s1", metric=f"m{n}") for n in range(20)])
        begin(journal, "s2")
        many = [sample(journal, "s2", metric=f"metric number {n} of many") for n in range(500)]
        with ballast.open("wb", buffering=0) as handle, pytest.raises(OSError, match="No space left"):
            while True:
                handle.write(b"x" * 4096)
        with pytest.raises(StorageError, match="No space left on device"):
            journal.finish("s2", many)
        assert len(journal.samples()) == 20
        ballast.unlink()
    with Journal.open(run_dir) as journal:
        assert journal.reset_interrupted() == ["s2"]
        begin(journal, "s2")
        journal.finish("s2", [sample(journal, "s2")])
        assert len(journal.samples()) == 21
