# SPDX-License-Identifier: Apache-2.0
"""Planted faults: each must make the audit of an otherwise sound tree fail, and say where."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scratch_tree import FILES, Scratch

from aetool.core.errors import ConfigError, ProofError
from aetool.proofs.audit import AuditResult, audit
from aetool.proofs.clight import render
from aetool.proofs.structure import check_files
from aetool.proofs.tree import load_tree

AETOOL = str(Path(sys.executable).parent / "aetool")
MAP = """\
theorems:
  - name: T.top.C.c
    claim: One is one.
    prose: The constant of the base is one, whatever else is true.
    statement: {digest}
    witnesses: [T.base.A.a]
"""


def examine(scratch: Scratch, *, full: bool = False) -> AuditResult:
    return audit(scratch.root, full=full, options=scratch.options())


def failed(result: AuditResult) -> dict[str, str]:
    return {check.name: "\n".join(check.lines()) for check in result.checks if not check.passed}


@pytest.fixture
def mapped(scratch: Scratch) -> Scratch:
    """The small tree with one theorem in its map, whose statement is the reviewed one."""
    scratch.write({"theorems.yaml": MAP.format(digest="sha256:" + "0" * 64)})
    digest = examine(scratch).answers["T.top.C.c"].digest
    assert digest
    scratch.write({"theorems.yaml": MAP.format(digest=digest)})
    return scratch


def test_a_sound_tree_passes_and_a_second_audit_asks_nothing(
    mapped: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failed(examine(mapped)) == {}
    from aetool.proofs import audit as module

    def unexpected(*_: object, **__: object) -> None:
        raise AssertionError("Coq was asked again")

    monkeypatch.setattr(module, "check", unexpected)
    monkeypatch.setattr(module, "ask", unexpected)
    assert failed(examine(mapped)) == {}


def test_the_full_audit_of_a_sound_tree_passes(mapped: Scratch) -> None:
    result = examine(mapped, full=True)
    assert failed(result) == {}
    assert "down to the standard library" in {c.name: c.detail for c in result.checks}["coqchk"]


def test_an_admitted_proof_is_found_with_file_and_line(mapped: Scratch) -> None:
    mapped.write({"base/A.v": "Definition x : nat := 1.\nLemma a : x = 1.\nProof.\nAdmitted.\n"})
    done = subprocess.run(
        [AETOOL, "proofs", "audit", "--project", str(mapped.root)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"AETOOL_STORE": str(mapped.store)},
    )
    assert done.returncode == 4
    assert "base/A.v:4: Admitted leaves a proof out" in done.stderr
    assert "T.top.C.c: rests on A.a" in done.stderr


def test_an_axiom_used_only_inside_an_opaque_proof_is_found(mapped: Scratch) -> None:
    examine(mapped)
    before = (mapped.root / "top/C.vo").read_bytes()
    mapped.write({"base/Z.v": "Axiom z : forall n : nat, n = 1.\n"})
    mapped.write({"base/A.v": "From T.base Require Z.\n" + FILES["base/A.v"]})
    examine(mapped)
    mapped.write(
        {"base/A.v": "From T.base Require Z.\n" + FILES["base/A.v"].replace("reflexivity", "apply Z.z")}
    )
    found = failed(examine(mapped))
    assert "T.top.C.c: rests on Z.z" in found["assumptions"]
    assert "T.base.Z.z" in found["coqchk"]
    assert "base/Z.v:1: Axiom z" in found["sources"]
    assert before != b""


def test_the_cut_off_does_not_hide_an_axiom_that_changes_no_interface(mapped: Scratch) -> None:
    mapped.write({"base/Z.v": "Axiom z : forall n : nat, n = 1.\n"})
    mapped.write({"base/A.v": "From T.base Require Z.\n" + FILES["base/A.v"]})
    assert examine(mapped).answers["T.top.C.c"].status == "closed"
    mapped.write(
        {"base/A.v": "From T.base Require Z.\n" + FILES["base/A.v"].replace("reflexivity", "apply Z.z")}
    )
    assert mapped.compiled(mapped.build()) == ["base/A.v"]
    assert examine(mapped).answers["T.top.C.c"].assumptions == ("Z.z",)


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("Variable z : False.\n", "T.base.Z.z"),
        ("Module Type S. Parameter z : False. End S.\nDeclare Module M : S.\n", "T.base.Z.M.z"),
        ("Module Type S. Parameter z : False. End S.\nModule M. Include S. End M.\n", "T.base.Z.M.z"),
        ("Context (z : False).\n", "T.base.Z.z"),
        ("Unset Guard Checking.\nFixpoint z (n : nat) : False := z n.\n", "T.base.Z.z"),
        ("#[bypass_check(guard)] Fixpoint z (n : nat) : False := z n.\n", "T.base.Z.z"),
        ("Unset Positivity Checking.\nInductive z := C : (z -> z) -> z.\n", "T.base.Z.z"),
        ("Unset Universe Checking.\nDefinition z : Type := (Type : Type).\nDefinition t := z.\n", None),
        ("Definition t : False. Proof. admit. Admitted.\n", "T.base.Z.t"),
    ],
)
def test_each_way_to_assume_something_is_found_by_coqchk_too(
    mapped: Scratch, text: str, listed: str | None
) -> None:
    mapped.write({"base/Z.v": text})
    found = failed(examine(mapped))
    if "Include" not in text:
        assert "base/Z.v:" in found["sources"]
    if listed:
        assert listed in found["coqchk"]


def test_type_in_type_on_the_command_line_is_found(mapped: Scratch) -> None:
    (mapped.root / "tree.yaml").unlink()
    files = "\n".join(FILES)
    mapped.write({"_CoqProject": f"-Q . T\n-arg -type-in-type\n{files}\n"})
    assert "-type-in-type weakens what is checked" in failed(examine(mapped))["sources"]


def test_a_file_compiled_without_its_proofs_does_not_pass_for_a_checked_one(mapped: Scratch) -> None:
    examine(mapped)
    false = "Definition x : nat := 1.\nLemma a : x = 2.\nProof. reflexivity. Qed.\n"
    mapped.write({"base/A.v": false})
    coqc = ["coqc", "-q", "-vos", "-Q", ".", "T", "base/A.v"]
    assert subprocess.run(coqc, cwd=mapped.root, timeout=60).returncode == 0
    shutil.copy(mapped.root / "base/A.vos", mapped.root / "base/A.vo")
    with pytest.raises(ProofError, match=r"base/A\.v:3: .*Unable to unify"):
        raise mapped.build().error() or AssertionError("the false proof was believed")


def test_a_compiled_file_that_was_tampered_with_is_not_audited_as_if_it_were_sound(mapped: Scratch) -> None:
    examine(mapped)
    other = Scratch(mapped.root.parent / "other", mapped.store)
    other.write({"tree.yaml": (mapped.root / "tree.yaml").read_text(), **FILES})
    other.write(
        {"base/A.v": "Axiom z : 1 = 1.\nDefinition x : nat := 1.\nLemma a : x = 1.\nProof. exact z. Qed.\n"}
    )
    other.build()
    shutil.copy(other.root / "base/A.vo", mapped.root / "base/A.vo")
    result = examine(mapped)
    assert failed(result) == {}
    assert (mapped.root / "base/A.vo").read_bytes() != (other.root / "base/A.vo").read_bytes()


def test_a_changed_statement_must_be_reviewed(mapped: Scratch) -> None:
    mapped.write(
        {"top/C.v": FILES["top/C.v"].replace("A.x = 1", "A.x = 1 \\/ False").replace("exact", "left; exact")}
    )
    found = failed(examine(mapped))["theorem map"]
    assert "its statement is not the one that was reviewed" in found
    assert "A.x = 1 \\/ False" in found


def test_the_digest_of_a_statement_does_not_depend_on_what_else_is_loaded(mapped: Scratch) -> None:
    mapped.write({"top/A.v": "Definition x := 5.\nDefinition c := 5.\n", "top/B.v": "Definition b := 5.\n"})
    mapped.write(
        {
            "top/C.v": "From T.top Require A.\nFrom T.top Require B.\n"
            + FILES["top/C.v"].replace("A.x", "x").replace("Require Import B", "Require Import A B")
        }
    )
    assert "theorem map" not in failed(examine(mapped))


def test_a_theorem_or_witness_that_is_gone_is_named(mapped: Scratch) -> None:
    mapped.write({"top/C.v": FILES["top/C.v"].replace("Theorem c", "Theorem d")})
    assert (
        "T.top.C.c: stands in the theorem map but not in the tree" in failed(examine(mapped))["theorem map"]
    )


def test_an_allowed_finding_needs_a_reason_and_must_exist(mapped: Scratch) -> None:
    mapped.write({"base/Z.v": "Axiom z : 1 = 1.\n"})
    mapped.write(
        {"audit.allow": "base/Z.v:Axiom:z reviewed: it is true\ncoqchk:axiom:T.base.Z.z the same axiom\n"}
    )
    assert failed(examine(mapped)) == {}
    mapped.write({"base/Z.v": "Definition z := 1.\n"})
    assert "base/Z.v:Axiom:z is allowed but not found" in failed(examine(mapped))["allow-list"]
    mapped.write({"audit.allow": "base/Z.v:Axiom:z\n"})
    with pytest.raises(ConfigError, match=r"audit\.allow:1: .* without a reason"):
        examine(mapped)


def test_a_tree_that_does_not_check_is_not_audited(mapped: Scratch) -> None:
    mapped.write({"base/A.v": "Lemma a : 1 = 2. Proof. reflexivity. Qed."})
    with pytest.raises(ProofError, match=r"base/A\.v:1"):
        examine(mapped)


LAYER = {
    "layers/One/Code.v": "Definition f_f : nat := 0.\nDefinition code : nat := 0.\n",
    "layers/One/Spec.v": "Definition f_spec : nat := 0.\n",
    "layers/One/ProofCode.v": (
        "From T.layers.One Require Import Code Spec.\n"
        "Lemma f_code : f_f = f_spec.\nProof. reflexivity. Qed.\n"
    ),
    "layers/One/Refine.v": (
        "From T.layers.One Require Import Code.\nDefinition refines (n : nat) := n = n.\n"
        "Theorem One_refines : refines code.\nProof. reflexivity. Qed.\n"
    ),
    "layers/One/Test.v": "Example e : 0 = 0.\nProof. reflexivity. Qed.\n",
}


def test_a_layer_that_has_its_theorems_passes(mapped: Scratch) -> None:
    mapped.write(LAYER)
    assert set(failed(examine(mapped))) == {"generated code"}  # there is no C in this tree


def test_a_function_without_its_code_theorem_is_named(mapped: Scratch) -> None:
    mapped.write(LAYER | {"layers/One/ProofCode.v": "Definition g_code := 0.\n"})
    found = failed(examine(mapped))["layer theorems"]
    assert "T.layers.One.ProofCode.f_code: this theorem is owed" in found


def test_a_function_that_the_manifest_calls_missing_is_a_warning_until_it_is_there(mapped: Scratch) -> None:
    manifest = (
        (mapped.root / "tree.yaml").read_text().replace("functions: [f]", "functions: [f], missing: [f]")
    )
    mapped.write(LAYER | {"tree.yaml": manifest, "layers/One/ProofCode.v": "Definition g_code := 0.\n"})
    result = examine(mapped)
    assert "layer theorems" not in failed(result)
    lines = "".join(line for check in result.checks for line in check.lines())
    assert "the manifest says that the function is not there yet" in lines
    mapped.write(LAYER)
    assert "is there, but the manifest calls it missing" in failed(examine(mapped))["layer theorems"]


def test_a_statement_that_is_a_name_is_digested_with_what_it_stands_for(mapped: Scratch) -> None:
    base = "From T.base Require Import B.\nDefinition Claim := A.x = {}.\n"
    text = base + "Theorem c : Claim.\nProof. exact b. Qed."
    mapped.write({"top/C.v": text.format("1")})
    first = examine(mapped).answers["T.top.C.c"]
    mapped.write({"top/C.v": text.format("S 0 + 0")})
    second = examine(mapped).answers["T.top.C.c"]
    assert first.digest != second.digest
    assert first.statement is not None
    assert "A.x = 1" in first.statement


def test_a_code_theorem_about_something_else_is_named(mapped: Scratch) -> None:
    text = "From T.layers.One Require Import Code.\nLemma f_code : f_f = 0.\nProof. reflexivity. Qed.\n"
    mapped.write(LAYER | {"layers/One/ProofCode.v": text})
    assert "f_code: does not speak of f_spec" in failed(examine(mapped))["layer theorems"]


def test_a_layer_without_refinement_is_named(mapped: Scratch) -> None:
    files = {name: text for name, text in LAYER.items() if "Refine" not in name}
    mapped.write(files)
    found = failed(examine(mapped))
    assert "layers/One/Refine.v: the layer has code but lacks this file" in found["generated code"]
    assert "One_refines: this theorem is owed" in found["layer theorems"]


def test_code_that_is_not_what_its_c_gives_is_stale(scratch: Scratch, project: Path) -> None:
    source = (project / "proofs/layers/PTAlloc/PTAlloc.c").read_text().replace('"../prims.h"', '"prims.h"')
    scratch.write(
        {"layers/One/One.c": source, "layers/One/prims.h": (project / "proofs/layers/prims.h").read_text()}
    )
    code = render(scratch.root / "layers/One/One.c")
    scratch.write(LAYER | {"layers/One/Code.v": code})
    assert list(check_files(load_tree(scratch.root))) == []
    scratch.write({"layers/One/One.c": source.replace("+ PAGE_SIZE <=", "<=", 1)})
    (found,) = check_files(load_tree(scratch.root))
    assert found.place == "layers/One/Code.v"
    assert "is not what One.c gives now" in found.message


def test_the_project_file_of_the_tree_is_in_sync_with_its_manifest(project: Path) -> None:
    tree = load_tree(project / "proofs")
    assert (project / "proofs/_CoqProject").read_text() == tree.project_text()


def test_the_manifest_has_the_34_layers(project: Path) -> None:
    layers = load_tree(project / "proofs").manifest.layers
    assert len(layers) == 34
    assert {layer.name: layer.number for layer in layers}["TrapHandler"] == 34
