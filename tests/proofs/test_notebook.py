# SPDX-License-Identifier: Apache-2.0
"""Notebooks that walk a layer: what they say, and that a sentence which fails is never taken for good."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from aetool.cli.proofs_notebook import notebook as command
from aetool.core.errors import ConfigError, ProofError
from aetool.proofs.build import Options, build
from aetool.proofs.clight import regenerate
from aetool.proofs.notebook import compose, write
from aetool.proofs.notebook_run import check, execute
from aetool.proofs.plan import Request

MANIFEST = """\
root: SeKVM
parts:
  - {name: lib, kind: library, title: the calculus, folder: lib}
layers:
  - {number: 1, name: Toy, group: Test, functions: [half]}
  - {number: 2, name: Later, group: Test, functions: [none]}
"""
PRIMS = "typedef unsigned int u32;\ntypedef unsigned long long u64;\nu32 half(u32 x);\n"
SOURCE = """\
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layer 1, Toy: halves a number.
 *
 * Nothing is rounded up.
 */
#include "../prims.h"

u32 half(u32 x)
{
	return x / 2U;
}
"""
SPEC = """\
(* SPDX-License-Identifier: Apache-2.0 *)
(** What [half x] is: the quotient, and it is *not* rounded up. *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.

(** * Definition

    By division. *)
Definition half_spec (x : Z) : Z := x / 2.
(* no prose: for the next reader of the file. *)
Definition dots : string := "a. b".
"""
PROOF = """\
(* SPDX-License-Identifier: Apache-2.0 *)
(** The code meets it. *)
From Coq Require Import Lia.
From SeKVM.lib Require Import Lang.
From SeKVM.layers.Toy Require Import Code Spec.
Local Open Scope string_scope.
Local Open Scope Z_scope.

Lemma half_code (L : layer unit) (x : Z) :
  in_range U32 x = true -> exec_fun L f_half [x] tt (Ok (half_spec x) tt).
Proof.
  intros R. eexists _, _. split; [|split].
  - cbn. rewrite R. reflexivity.
  - constructor. reflexivity.
  - (** the quotient is in range *)
    cbn. unfold half_spec. apply andb_prop in R as [A B]. apply Z.leb_le in A. apply Z.ltb_lt in B.
    unfold wrap. rewrite Z.mod_small; [reflexivity|]. cbn in *. Z.div_mod_to_equations. lia.
Qed.
"""


@pytest.fixture(scope="module")
def toy(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built tree with the real language and one small layer."""
    proofs = tmp_path_factory.mktemp("checkout") / "proofs"
    folder = proofs / "layers" / "Toy"
    folder.mkdir(parents=True)
    (proofs / "lib").mkdir()
    shutil.copy(project / "proofs/lib/Lang.v", proofs / "lib")
    (proofs / "tree.yaml").write_text(MANIFEST)
    (proofs / "layers" / "prims.h").write_text(PRIMS)
    for name, text in (("Toy.c", SOURCE), ("Spec.v", SPEC), ("ProofCode.v", PROOF)):
        (folder / name).write_text(text)
    regenerate(folder / "Toy.c", folder / "Code.v")
    result = build(proofs, Request(), Options(jobs=1, store=None))
    assert result.passed, result.error()
    return proofs


def sources(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def test_the_walk_has_prose_code_and_proofs_in_order(toy: Path, tmp_path: Path) -> None:
    """Prose becomes Markdown, the C is shown, each file is a module, and the bytes are the same each time."""
    notebook = compose(toy, "Toy", tmp_path)
    prose, code = sources(notebook, "markdown"), sources(notebook, "code")
    assert prose[0] == "# Layer 1, Toy\n\nTest. Functions: `half`."
    assert prose[1] == "Layer 1, Toy: halves a number.\n\nNothing is rounded up."
    assert "```c\n#include" in prose[2]
    assert "Nothing is rounded" not in prose[2]
    assert "What `half x` is: the quotient, and it is \\*not\\* rounded up." in prose
    assert "#### Definition\n\nBy division." in prose
    assert (
        code.index("Module Walk_Spec.") < code.index("End Walk_Spec.") < code.index("Module Walk_ProofCode.")
    )
    assert "From SeKVM.lib Require Import Lang." in code
    assert not any("no prose" in cell or "SPDX" in cell for cell in code)
    assert all(len(cell.splitlines()) <= 20 for cell in code)
    for name in ("one.ipynb", "two.ipynb"):
        write(compose(toy, "Toy", tmp_path), tmp_path / name)
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()
    nbformat.validate(nbformat.read(tmp_path / "one.ipynb", as_version=4))


def test_it_runs_in_the_kernel_and_without_it(toy: Path, tmp_path: Path) -> None:
    """Every sentence holds in the real kernel and through coqidetop; the kernel's outputs are kept."""
    notebook = compose(toy, "Toy", tmp_path)
    assert check(notebook, tmp_path) > 20
    execute(notebook, tmp_path)
    printed = next(cell for cell in notebook.cells if cell.source == "Print f_half.")
    assert "Ebin Odiv U32" in printed.outputs[0].data["text/plain"]
    proof = next(cell for cell in notebook.cells if cell.source.startswith("Lemma half_code"))
    assert proof.outputs


@pytest.mark.parametrize(
    "change",
    [
        ("reflexivity.", "discriminate."),
        ("Definition half_spec (x : Z) : Z := x / 2.", "Definition half_spec (x : Z) : Z := x / nothing."),
        ("Require Import Code Spec.", "Require Import Code Spek."),
        ("Qed.", "Qed"),
    ],
)
def test_a_failing_sentence_fails_both_ways(toy: Path, tmp_path: Path, change: tuple[str, str]) -> None:
    """The kernel says ok to a wrong sentence; the cell's metadata, and coqidetop, say that it fails."""
    notebook = compose(toy, "Toy", tmp_path)
    cell = next(cell for cell in notebook.cells if change[0] in cell.source and cell.cell_type == "code")
    cell.source = cell.source.replace(*change)
    with pytest.raises(ProofError, match="cell"):
        check(notebook, tmp_path)
    with pytest.raises(ProofError, match="fails in the Coq kernel"):
        execute(notebook, tmp_path)


def test_an_answer_of_real_size_does_not_kill_the_kernel(toy: Path, tmp_path: Path) -> None:
    """A proof with 900 hypotheses is shown; the kernel as it is dies of such an answer."""
    sources = [
        "Ltac fill n := match n with O => idtac | S ?m => pose proof (eq_refl n); fill m end.",
        "Goal True.",
        "fill 900.",
        "exact I. Qed.",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    execute(notebook, tmp_path)
    assert notebook.cells[2].outputs[0].data["text/plain"].count(" = ") == 900


def test_layers_that_cannot_be_walked(toy: Path, tmp_path: Path) -> None:
    """A name that is no layer, and a layer without files, are told apart from a failure."""
    with pytest.raises(ConfigError, match="names no layer 'Nothing'"):
        compose(toy, "Nothing", tmp_path)
    with pytest.raises(ConfigError, match="'Later'"):
        compose(toy, "Later", tmp_path)


def test_command(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes a notebook; with --run it holds outputs, and a broken layer is an error."""
    for name in ("benchmarks", "reports", "cloudlab"):
        (toy.parent / name).mkdir()
    monkeypatch.chdir(toy.parent)
    monkeypatch.setenv("AETOOL_STORE", str(tmp_path / "store"))
    plain = CliRunner().invoke(command, ["Toy", "-o", str(tmp_path / "new" / "Toy.ipynb")])
    assert plain.exit_code == 0, plain.exception
    assert not any(cell.get("outputs") for cell in nbformat.read(tmp_path / "new" / "Toy.ipynb", 4).cells)
    run = CliRunner().invoke(command, ["Toy", "--run", "-o", str(tmp_path / "Toy.ipynb")])
    assert run.exit_code == 0, run.exception
    assert any(cell.get("outputs") for cell in nbformat.read(tmp_path / "Toy.ipynb", 4).cells)
    spec = toy / "layers/Toy/Spec.v"
    good = spec.read_text()
    spec.write_text(good.replace("x / 2", "x / 3"))
    failed = CliRunner().invoke(command, ["Toy", "--run", "-o", str(tmp_path / "bad.ipynb")])
    spec.write_text(good)
    assert isinstance(failed.exception, ProofError)
    assert not (tmp_path / "bad.ipynb").exists()
