# SPDX-License-Identifier: Apache-2.0
"""Times per file and per lemma, and what counts as slower."""

from __future__ import annotations

import pytest
from scratch_tree import FILES, Scratch

from aetool.proofs.compile import Outcome, Status
from aetool.proofs.history import Trend, lemma_times, note, trends

SLOW = "Lemma slow : True.\nProof.\n  do 30000 (assert True by exact I; clear).\n  exact I.\nQed.\n"


def outcome(cpu: float) -> Outcome:
    return Outcome(Status.PASSED, cpu, cpu, 100, "", "", None)


def test_a_build_notes_time_and_memory_of_what_it_compiled(scratch: Scratch) -> None:
    scratch.build()
    assert {trend.file for trend in trends(scratch.root, lemmas=False)} == set(FILES)
    assert all(trend.memory > 10_000 for trend in trends(scratch.root, lemmas=False))
    scratch.write({"base/A.v": "(* remark *)" + FILES["base/A.v"]})
    scratch.build()
    assert {t.file: t.runs for t in trends(scratch.root, lemmas=False)} == {
        "base/A.v": 2,
        "base/B.v": 1,
        "top/C.v": 1,
    }


def test_the_time_of_a_proof_is_given_to_its_lemma(scratch: Scratch) -> None:
    scratch.write({"base/A.v": FILES["base/A.v"] + SLOW})
    scratch.build()
    times = {trend.lemma: trend.seconds for trend in trends(scratch.root, lemmas=True, files=["base/A.v"])}
    assert set(times) == {"x", "a", "slow"}
    assert times["slow"] > 10 * max(times["a"], 0.01)


def test_positions_are_those_of_bytes_and_comments_do_not_shift_them() -> None:
    source = "(* é *) Lemma l : x.\nProof. (* é *) t. Qed.\nDefinition d := 1.".encode()
    starts = [source.index(word) for word in (b"Lemma", b"Proof", b"t.", b"Qed", b"Definition")]
    printed = "\n".join(f"Chars {at} - {at + 2} [x~y] 9. secs ({i}.5u,0.s)" for i, at in enumerate(starts))
    assert lemma_times(source, printed) == {"l": 0.5 + 1.5 + 2.5 + 3.5, "d": 4.5}


def test_a_run_out_of_line_with_those_before_is_flagged(scratch: Scratch) -> None:
    (scratch.root / ".aetool").mkdir()
    for cpu in (1.0, 1.1, 0.9, 1.0):
        note(scratch.root, "8", [("base/A.v", outcome(cpu))])
    (steady,) = trends(scratch.root, lemmas=False)
    assert not steady.slower
    note(scratch.root, "8", [("base/A.v", outcome(2.0))])
    (slow,) = trends(scratch.root, lemmas=False)
    assert slow.slower
    assert slow.before == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("seconds", "before", "runs", "slower"),
    [
        (9.0, None, 1, False),
        (9.0, 1.0, 3, False),
        (9.0, 1.0, 4, True),
        (0.3, 0.1, 9, False),
        (1.4, 1.0, 9, False),
    ],
)
def test_few_runs_and_small_differences_are_not_flagged(
    seconds: float, before: float | None, runs: int, slower: bool
) -> None:
    assert Trend("f", "", seconds, before, runs, 0).slower is slower
