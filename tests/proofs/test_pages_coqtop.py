# SPDX-License-Identifier: Apache-2.0
"""The driver of coqidetop: goals, messages, refusals, time-outs, and that no process stays behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from aetool.proofs.coqtop import Coqtop, Goal, Goals, Message, SentenceError


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_goals_and_messages_of_each_sentence() -> None:
    """Hypotheses, conclusions, waiting and shelved goals, and messages come as Coq prints them."""
    with Coqtop([]) as coqtop:
        assert coqtop.step("Check 1 + 1.").messages == (Message("notice", "1 + 1\n     : nat"),)
        first = coqtop.step("Lemma l (n m : nat) (H : n < m) : (0 < 1 /\\ n < m) /\\ exists k, k = n.")
        assert first.goals is not None
        assert first.goals.focused[0].hypotheses == ("n, m : nat", "H : n < m")
        assert coqtop.step("split.").goals == Goals(
            (
                Goal(("n, m : nat", "H : n < m"), "0 < 1 /\\ n < m"),
                Goal(("n, m : nat", "H : n < m"), "exists k : nat, k = n"),
            ),
            0,
            0,
        )
        focused = coqtop.step("-").goals
        assert focused is not None
        assert (len(focused.focused), focused.waiting) == (1, 1)
        assert coqtop.step("split; auto.").goals == Goals((), 1, 0)
        coqtop.step("-")
        shelved = coqtop.step("unshelve eexists; [shelve|].").goals
        assert shelved is not None
        assert shelved.shelved == 1


def test_markup_characters_and_many_lines_survive() -> None:
    """Characters that XML reserves, Unicode, and long answers arrive unchanged."""
    with Coqtop([]) as coqtop:
        coqtop.step('Notation "a <&> b" := (a < b) (at level 70).')
        assert coqtop.step("Check (fun é => é <&> 2).").messages[0].text.startswith("fun é : nat => é <&> 2")
        grammar = coqtop.step("Print Grammar constr.").messages[0].text
        assert len(grammar) > 4_000
        assert grammar.rstrip().endswith("]")


def test_a_refused_sentence_names_itself_and_the_answer() -> None:
    """Errors in the syntax and in the execution both raise, with the sentence and Coq's words."""
    with Coqtop([]) as coqtop, pytest.raises(SentenceError, match="Check nothing") as caught:
        coqtop.step("Check nothing.")
    assert "nothing was not found" in caught.value.answer
    with Coqtop([]) as coqtop, pytest.raises(SentenceError) as caught:
        coqtop.step("Definition := .")
    assert "Syntax error" in caught.value.answer
    with Coqtop([]) as coqtop:
        coqtop.step("Lemma l : False.")
        with pytest.raises(SentenceError, match="Qed"):
            coqtop.step("Qed.")


def test_query_does_not_change_the_state() -> None:
    """A query answers in the present state and leaves no trace in it; a refused one does no harm."""
    with Coqtop([]) as coqtop:
        coqtop.step("Definition mine := 1.")
        assert "Constant Top.mine" in coqtop.query("Locate mine.")[0].text
        with pytest.raises(SentenceError):
            coqtop.query("Locate forall.")
        assert coqtop.step("Check mine.").messages[0].text.startswith("mine")


def test_the_name_of_the_file_is_the_name_of_the_module(tmp_path: Path) -> None:
    """With a file and a load path, names are those of the compiled library."""
    (tmp_path / "lib").mkdir()
    with Coqtop(["-Q", ".", "R"], file=Path("lib/A.v"), cwd=tmp_path) as coqtop:
        coqtop.step("Definition mine := 1.")
        assert "Constant R.lib.A.mine" in coqtop.query("Locate mine.")[0].text


def test_a_sentence_that_takes_too_long_is_an_error_and_the_process_ends() -> None:
    """A deadline passes while Coq computes: the error says so, and leaving the block ends Coq."""
    with Coqtop([], timeout=3.0) as coqtop:
        pid = coqtop._child.pid
        coqtop.step("Fixpoint f (n : nat) : nat := match n with O => 1 | S n => f n + f n end.")
        with pytest.raises(SentenceError, match="refuses") as caught:
            coqtop.step("Definition slow := Eval vm_compute in f 40.")
        assert "no answer within 3 s" in caught.value.answer
    assert ended(pid)


def test_a_process_that_dies_is_an_error() -> None:
    """If coqidetop is killed, the next sentence fails at once with that reason."""
    with Coqtop([]) as coqtop:
        os.killpg(coqtop._child.pid, signal.SIGKILL)
        with pytest.raises(SentenceError) as caught:
            coqtop.step("Check 1.")
        assert "coqidetop has ended" in caught.value.answer


def test_options_that_coq_does_not_know_are_an_error() -> None:
    """A process that ends during start-up is reported, not waited for."""
    with pytest.raises(SentenceError) as caught:
        Coqtop(["-no-such-option"])
    assert "coqidetop has ended" in caught.value.answer
