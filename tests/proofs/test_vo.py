# SPDX-License-Identifier: Apache-2.0
"""The compiled files' container: what its digests say, and what is not believed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aetool.proofs import marshal, vo

SOURCE = "Definition x : nat := 1.\nLemma a : x = 1.\nProof. reflexivity. Qed.\n"


def compiled(folder: Path, source: str, *options: str, suffix: str = "vo") -> bytes:
    (folder / "A.v").write_text(source)
    subprocess.run(["coqc", "-q", *options, "-Q", ".", "T", "A.v"], cwd=folder, check=True, timeout=60)
    return (folder / f"A.{suffix}").read_bytes()


def test_a_comment_changes_nothing(tmp_path: Path) -> None:
    assert compiled(tmp_path, SOURCE) == compiled(tmp_path, "(* a *) " + SOURCE)


def test_an_opaque_proof_changes_the_file_but_not_the_interface(tmp_path: Path) -> None:
    before = vo.inspect(compiled(tmp_path, SOURCE))
    after = vo.inspect(compiled(tmp_path, SOURCE.replace("reflexivity", "unfold x; reflexivity")))
    assert before.interface == after.interface
    assert before.sha256 != after.sha256


@pytest.mark.parametrize(
    ("old", "new"), [("nat := 1", "nat := (fun n => n) 1"), ("a : x = 1", "a : 1 = x"), ("Qed", "Defined")]
)
def test_a_definition_a_statement_and_a_transparent_proof_change_the_interface(
    tmp_path: Path, old: str, new: str
) -> None:
    before = vo.inspect(compiled(tmp_path, SOURCE))
    assert before.interface != vo.inspect(compiled(tmp_path, SOURCE.replace(old, new))).interface


def test_a_complete_file_has_no_problem(tmp_path: Path) -> None:
    found = vo.inspect(compiled(tmp_path, SOURCE))
    assert found.problem is None
    assert found.known


def test_a_file_made_without_checking_proofs_is_told(tmp_path: Path) -> None:
    false = SOURCE.replace("a : x = 1", "a : x = 2")
    found = vo.inspect(compiled(tmp_path, false, "-vos", suffix="vos"))
    assert found.problem is not None
    assert "proofs were not checked" in found.problem


def test_damage_anywhere_in_a_segment_is_told(tmp_path: Path) -> None:
    data = compiled(tmp_path, SOURCE)
    for position in range(16, len(data), 97):
        damaged = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        assert vo.inspect(damaged).problem is not None, position
    for length in range(0, len(data), 101):
        assert vo.inspect(data[:length]).problem is not None, length


def test_an_unknown_container_counts_as_a_whole() -> None:
    found = vo.inspect(b"something else altogether")
    assert not found.known
    assert found.interface == f"whole:{found.sha256}"


def test_a_compiled_file_names_the_libraries_it_was_compiled_against(tmp_path: Path) -> None:
    compiled(tmp_path, SOURCE)
    (tmp_path / "B.v").write_text("From Coq Require Import List.\nFrom T Require Import A.\n")
    subprocess.run(["coqc", "-q", "-Q", ".", "T", "B.v"], cwd=tmp_path, check=True, timeout=60)
    loaded = vo.libraries((tmp_path / "B.vo").read_bytes())
    assert loaded is not None
    assert loaded["T.A"] == vo.read(tmp_path / "A.vo").interface
    assert {"Coq.Init.Prelude", "Coq.Lists.List"} <= set(loaded)


@pytest.mark.parametrize("length", [0, 10, 19, 30, 200])
def test_a_marshalled_value_that_breaks_off_is_unreadable(tmp_path: Path, length: int) -> None:
    data = compiled(tmp_path, SOURCE)
    summary = data[data.index(bytes.fromhex("8495a6be")) :]
    with pytest.raises(marshal.Unreadable):
        marshal.loaded_libraries(summary[:length])
    assert vo.libraries(data[:length]) is None
