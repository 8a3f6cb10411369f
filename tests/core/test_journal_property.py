# SPDX-License-Identifier: Apache-2.0
"""Whatever is done to a journal, in whatever order, across reopenings: it agrees with a model of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aetool.core.errors import CampaignError
from aetool.core.journal import Journal, PlannedStep, Sample, State

KEYS = ("a", "b", "c")
FROM = {
    "begin": {State.PLANNED},
    "finish": {State.STARTED},
    "fail": {State.STARTED},
    "abandon": {State.PLANNED},
    "requeue": {State.STARTED, State.FAILED, State.ABANDONED},
}
TO = {
    "begin": State.STARTED,
    "finish": State.DONE,
    "fail": State.FAILED,
    "abandon": State.ABANDONED,
    "requeue": State.PLANNED,
}
keys = st.sampled_from(KEYS)


class JournalAgainstModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.run_dir = Path(self.folder.name) / "run"
        steps = [PlannedStep(key, "s", "native", "quick", 0, n, "d") for n, key in enumerate(KEYS, 1)]
        self.journal = Journal.create(self.run_dir, {}, steps)
        self.states = dict.fromkeys(KEYS, State.PLANNED)
        self.attempts = dict.fromkeys(KEYS, 1)
        self.values: dict[str, float] = {}
        self.moves = 0

    def move(self, name: str, key: str, value: float = 1.0) -> None:
        if name == "begin":
            call = lambda: self.journal.begin(key, "server", "log")  # noqa: E731
        elif name == "finish":
            call = lambda: self.journal.finish(key, [self.sample(key, value)])  # noqa: E731
        else:
            call = lambda: getattr(self.journal, name)(key, "why")  # noqa: E731
        if self.states[key] not in FROM[name]:
            with pytest.raises(CampaignError):
                call()
            return
        call()
        self.moves += 1
        self.states[key] = TO[name]
        if name == "finish":
            self.values[key] = value
        if name == "requeue":
            self.attempts[key] += 1

    def sample(self, key: str, value: float) -> Sample:
        raw = self.run_dir / "results" / key / "out"
        if self.states[key] is State.STARTED:
            raw.parent.mkdir(parents=True, exist_ok=True)
            raw.write_text(f"{value!r} of attempt {self.attempts[key]}")
        number = KEYS.index(key) + 1
        return Sample(key, "s", "native", 0, 0, number, "m", value, "u", "lower", f"results/{key}/out")

    @rule(key=keys)
    def begin(self, key: str) -> None:
        self.move("begin", key)

    @rule(key=keys, value=st.floats(allow_nan=False, allow_infinity=False))
    def finish(self, key: str, value: float) -> None:
        self.move("finish", key, value)

    @rule(key=keys, name=st.sampled_from(["fail", "abandon", "requeue"]))
    def other(self, key: str, name: str) -> None:
        self.move(name, key)

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.journal = Journal.open(self.run_dir)

    @rule()
    def recover(self) -> None:
        started = [key for key in KEYS if self.states[key] is State.STARTED]
        assert self.journal.reset_interrupted() == started
        self.moves += len(started)
        for key in started:
            self.states[key] = State.PLANNED
            self.attempts[key] += 1

    @invariant()
    def agrees(self) -> None:
        with Journal.open(self.run_dir, readonly=True) as reader:
            steps, samples, history = reader.steps(), reader.samples(), reader.history()
        assert {s.key: s.state for s in steps} == self.states
        assert {s.key: s.attempt for s in steps} == self.attempts
        assert {s.step: s.value for s in samples} == self.values
        assert len(history) == self.moves
        for sample in samples:
            text = (self.run_dir / sample.raw).read_text()
            assert text == f"{sample.value!r} of attempt {self.attempts[sample.step]}"

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()


TestJournalAgainstModel = JournalAgainstModel.TestCase
TestJournalAgainstModel.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
