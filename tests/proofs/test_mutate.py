# SPDX-License-Identifier: Apache-2.0
"""Mutants of C files: which changes are made, and that a weak test or specification lets some survive."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from aetool.cli.proofs_mutate import as_data
from aetool.cli.proofs_mutate import mutate as command
from aetool.core.errors import AuditError, ConfigError, ProofError
from aetool.core.progress import Silent
from aetool.proofs.clight import regenerate
from aetool.proofs.mutate import Report, Verdict, distinct, mutate, sampled
from aetool.proofs.mutate_source import mutants

EXAMPLE = """\
/* if (a < b) in a comment */
#define LIMIT 10U /* == */
void f(u32 a, u64 b)
{
	u32 i = 0U;
	while (i < a && b != 3ULL) {
		put(i, 0x10U);
		i = i + 1U; // i < a
	}
	if (get(a) - i > LIMIT)
		return;
	panic();
}
u32 g(u32 a)
{
	return a >> 2;
}
"""


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("dropped check", "while (i < a && b != 3ULL) {", "while (1U && b != 3ULL) {"),
        ("dropped check", "while (i < a && b != 3ULL) {", "while (i < a && 1U) {"),
        ("dropped check", "while (i < a && b != 3ULL) {", "while (0U) {"),
        ("dropped check", "if (get(a) - i > LIMIT)", "if (1U)"),
        ("dropped check", "if (get(a) - i > LIMIT)", "if (0U)"),
        ("off by one", "while (i < a && b != 3ULL) {", "while (i <= a && b != 3ULL) {"),
        ("relational operator", "while (i < a && b != 3ULL) {", "while (i > a && b != 3ULL) {"),
        ("relational operator", "while (i < a && b != 3ULL) {", "while (i < a && b == 3ULL) {"),
        ("operator", "while (i < a && b != 3ULL) {", "while (i < a || b != 3ULL) {"),
        ("operator", "i = i + 1U; // i < a", "i = i - 1U; // i < a"),
        ("swapped operands", "if (get(a) - i > LIMIT)", "if (i - get(a) > LIMIT)"),
        ("swapped operands", "return a >> 2;", "return 2 >> a;"),
        ("swapped arguments", "put(i, 0x10U);", "put(0x10U, i);"),
        ("missing call", "put(i, 0x10U);", ";"),
        ("missing call", "panic();", ";"),
        ("missing call", "if (get(a) - i > LIMIT)", "if (0U - i > LIMIT)"),
        ("missing assignment", "i = i + 1U; // i < a", "; // i < a"),
        ("wrong constant", "u32 i = 0U;", "u32 i = 1U;"),
        ("wrong constant", "put(i, 0x10U);", "put(i, 0x11U);"),
        ("wrong constant", "put(i, 0x10U);", "put(i, 0xfU);"),
        ("wrong constant", "if (get(a) - i > LIMIT)", "if (get(a) - i > (LIMIT + 1))"),
        ("wrong result", "return a >> 2;", "return (a >> 2) + 1U;"),
    ],
)
def test_each_kind_of_change(kind: str, before: str, after: str) -> None:
    """The change is made, under its name, in the function where it stands."""
    found = [mutant for mutant in mutants(EXAMPLE) if (mutant.before, mutant.after) == (before, after)]
    assert [mutant.kind for mutant in found] == [kind]
    assert found[0].function == ("g" if "a >> 2" in before else "f")
    assert EXAMPLE.splitlines()[found[0].line - 1].strip() == before
    assert f"+\t{after}".replace("\t", "") in found[0].diff(EXAMPLE, "x.c").replace("\t", "")


def test_comments_macros_and_headers_stay() -> None:
    """Every mutant differs from the original, and from every other, inside function bodies only."""
    found = mutants(EXAMPLE)
    texts = [mutant.text for mutant in found]
    assert len(set(texts)) == len(texts)
    for mutant in found:
        assert mutant.text != EXAMPLE
        assert mutant.text.startswith(EXAMPLE[: EXAMPLE.index("{")])
        assert mutant.text.count("// i < a") == 1


TOY = """\
#include "../prims.h"
u32 clamp(u32 x)
{
	if (x < 10U)
		return x;
	note(1U);
	return 10U;
}
"""
PRIMS = """\
typedef unsigned int u32;
typedef unsigned long long u64;
void note(u32 x);
u32 clamp(u32 x);
"""
MANIFEST = """\
root: SeKVM
parts:
  - {name: lib, kind: library, title: the calculus, folder: lib}
layers:
  - {number: 1, name: Toy, group: Test, functions: [clamp]}
"""
# runs the code on a state that records the notes
TEST = """\
From SeKVM.lib Require Import Interp.
From SeKVM.layers.Toy Require Import Code.
Local Open Scope string_scope.
Local Open Scope Z_scope.
Definition below : tbl Z := [("note", fun vs s => match vs with [v] => Some (Ok 0 (s + v)) | _ => None end)].
Definition result (x : Z) : run_res (res Z) := run_flat code below 5 5 "clamp" [x] 0.
Example small : result 3 = Done (Ok 3 0).
Proof. reflexivity. Qed.
Example large : result 50 = Done (Ok 10 1).
Proof. reflexivity. Qed.
"""
BOUNDARY = """\
Example below_the_limit : result 9 = Done (Ok 9 0).
Proof. reflexivity. Qed.
Example at_the_limit : result 10 = Done (Ok 10 1).
Proof. reflexivity. Qed.
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of compiled files for all tests of this module."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def toy(project: Path, tmp_path: Path) -> Path:
    """A tree with the real language and interpreter and one small layer."""
    proofs = tmp_path / "proofs"
    (proofs / "layers" / "Toy").mkdir(parents=True)
    (proofs / "lib").mkdir()
    for name in ("Lang", "Layer", "Link", "Interp"):
        shutil.copy(project / f"proofs/lib/{name}.v", proofs / "lib")
    (proofs / "tree.yaml").write_text(MANIFEST)
    (proofs / "layers" / "prims.h").write_text(PRIMS)
    (proofs / "layers" / "Toy" / "Toy.c").write_text(TOY)
    (proofs / "layers" / "Toy" / "Test.v").write_text(TEST)
    regenerate(proofs / "layers/Toy/Toy.c", proofs / "layers/Toy/Code.v")
    return proofs


def survivors(report: Report) -> list[tuple[str, str]]:
    return [(result.mutant.before, result.mutant.after) for result in report.of(Verdict.SURVIVED)]


def test_a_weak_test_lets_mutants_survive_and_a_strong_one_does_not(toy: Path, store: Path) -> None:
    """Without examples at the boundary the off-by-one changes survive; with them all mutants are killed."""
    before = {path: path.read_bytes() for path in toy.rglob("*") if path.is_file()}
    weak = mutate(toy, "Toy", Silent(), jobs=2, store=store)
    assert set(survivors(weak)) == {
        ("if (x < 10U)", "if (x <= 10U)"),
        ("if (x < 10U)", "if (x < 11U)"),
        ("if (x < 10U)", "if (x < 9U)"),
    }
    assert {result.where for result in weak.of(Verdict.KILLED)} >= {"layers/Toy/Test.v:8"}
    assert before == {path: path.read_bytes() for path in toy.rglob("*") if path.is_file()}
    with (toy / "layers/Toy/Test.v").open("a") as test:
        test.write(BOUNDARY)
    strong = mutate(toy, "Toy", Silent(), jobs=1, store=store)
    assert survivors(strong) == []
    assert len(strong.of(Verdict.KILLED)) == strong.generated == len(distinct(strong.source))


def test_an_equivalent_mutant_needs_a_reason_and_must_survive(toy: Path, store: Path) -> None:
    """A listed mutant is reported with its reason; one that is killed, or is none, is an error."""
    entry = "  - function: clamp\n    before: 'if (x < 10U)'\n    after: '{}'\n    reason: {}\n"
    listed = toy / "layers/Toy/mutants.yaml"
    # without the note the boundary makes no difference
    for name, text in (("Toy.c", TOY), ("Test.v", TEST + BOUNDARY)):
        quiet = text.replace("\tnote(1U);\n", "").replace("10 1)", "10 0)")
        (toy / "layers/Toy" / name).write_text(quiet)
    regenerate(toy / "layers/Toy/Toy.c", toy / "layers/Toy/Code.v")
    listed.write_text("equivalent:\n" + entry.format("if (x <= 10U)", "ten is mapped to ten on both ways"))
    report = mutate(toy, "Toy", Silent(), jobs=1, store=store)
    assert [result.where for result in report.of(Verdict.EQUIVALENT)] == ["ten is mapped to ten on both ways"]
    assert survivors(report) == [("if (x < 10U)", "if (x < 11U)")]
    listed.write_text("equivalent:\n" + entry.format("if (x > 10U)", "nobody calls it with these"))
    with pytest.raises(ConfigError, match=r"equivalent, but layers/Toy/Test\.v:\d+ fails"):
        mutate(toy, "Toy", Silent(), jobs=1, store=store)
    listed.write_text("equivalent:\n" + entry.format("if (x < 99U)", "there is no such change"))
    with pytest.raises(ConfigError, match=r"no mutant of clamp changes 'if \(x < 10U\)' to 'if \(x < 99U\)'"):
        mutate(toy, "Toy", Silent(), jobs=1, store=store)
    listed.write_text("equivalent:\n  - function: clamp\n    before: a\n    after: b\n")
    with pytest.raises(ConfigError, match=r"mutants\.yaml:2: .*reason"):
        mutate(toy, "Toy", Silent(), jobs=1, store=store)


def test_a_tree_that_does_not_build_or_is_stale_is_refused(toy: Path, store: Path) -> None:
    """If the layer fails before any change, or its Code.v is stale, nothing can be said about mutants."""
    with (toy / "layers/Toy/Test.v").open("a") as test:
        test.write("Example wrong : result 3 = Done (Ok 4 0).\nProof. reflexivity. Qed.\n")
    with pytest.raises(ProofError, match="does not build as it stands"):
        mutate(toy, "Toy", Silent(), jobs=1, store=store)
    (toy / "layers/Toy/Code.v").write_text("(* stale *)\n")
    with pytest.raises(ProofError, match=r"Code\.v is not what Toy\.c gives"):
        mutate(toy, "Toy", Silent(), jobs=1, store=store)
    with pytest.raises(ConfigError, match="no layer 'Nothing'"):
        mutate(toy, "Nothing", Silent(), jobs=1, store=store)


def test_a_sample_has_every_kind_and_is_the_same_each_time(toy: Path, store: Path) -> None:
    """A sample as large as there are kinds takes one of each; one seed gives one sample."""
    every = distinct(toy / "layers/Toy/Toy.c")
    kinds = {mutant.kind for mutant, _ in every}
    one = mutate(toy, "Toy", Silent(), jobs=2, sample=len(kinds), seed=3, store=store)
    two = mutate(toy, "Toy", Silent(), jobs=2, sample=len(kinds), seed=3, store=store)
    assert {result.mutant.kind for result in one.results} == kinds
    assert [result.mutant.text for result in one.results] == [result.mutant.text for result in two.results]
    assert as_data(one)["generated"] == len(mutants(TOY)) >= len(every)
    whole = sampled(toy / "layers/Toy/Toy.c", 1000, seed=5)
    assert sorted(code for _, code in whole) == sorted(code for _, code in every)


def test_command_fails_on_survivors_with_a_diff(
    toy: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command prints each survivor as a diff and fails; with --json it prints data, and fails as well."""
    root = toy.parent
    for name in ("benchmarks", "reports", "cloudlab"):
        (root / name).mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("AETOOL_STORE", str(store))
    # one of each kind: the off-by-one change is among them, and survives
    done = CliRunner().invoke(command, ["Toy", "-j", "1", "--sample", "7"])
    assert isinstance(done.exception, AuditError)
    assert "-\tif (x < 10U)\n+\tif (x <= 10U)\n" in done.stdout
    assert "mutants tried: " in done.stdout
    data = CliRunner().invoke(command, ["Toy", "-j", "1", "--sample", "2", "--json"])
    assert json.loads(data.stdout)["tried"] == 2
