# SPDX-License-Identifier: Apache-2.0
"""Building with real coqc: what is compiled, what is not, and what a failure looks like."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from scratch_tree import FILES, Scratch

from aetool.core.errors import ConfigError, ProofError
from aetool.proofs import build as driver
from aetool.proofs.compile import Status
from aetool.proofs.coq import Toolchain
from aetool.proofs.coqproject import Project
from aetool.proofs.graph import Requires, dependencies

AETOOL = str(Path(sys.executable).parent / "aetool")


def cli(root: Path, *words: str, store: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"AETOOL_STORE": str(store)} if store else {})
    command = [AETOOL, "proofs", *words, "--project", str(root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def test_all_files_are_compiled_once_and_then_none(scratch: Scratch) -> None:
    first = scratch.build()
    assert first.passed
    assert scratch.compiled(first) == ["base/A.v", "base/B.v", "top/C.v"]
    second = scratch.build()
    assert second.passed
    assert {entry.action for entry in second.files} == {"up to date"}


def test_the_project_file_is_generated_from_the_manifest(scratch: Scratch) -> None:
    scratch.build()
    text = (scratch.root / "_CoqProject").read_text()
    assert "-Q . T\n" in text
    assert [line for line in text.splitlines() if line.endswith(".v")] == ["base/A.v", "base/B.v", "top/C.v"]


def test_an_edited_comment_compiles_one_file(scratch: Scratch) -> None:
    scratch.build()
    scratch.write({"base/A.v": "(* a remark *)\n" + FILES["base/A.v"]})
    result = scratch.build()
    assert scratch.compiled(result) == ["base/A.v"]
    why = {entry.file: entry.why for entry in result.files}
    assert why["base/A.v"] == "its source changed"
    assert why["base/B.v"] == "base/A.v was compiled again, but its interface is the same"


def test_an_edited_proof_compiles_one_file(scratch: Scratch) -> None:
    scratch.build()
    scratch.write({"base/A.v": FILES["base/A.v"].replace("reflexivity", "unfold x; reflexivity")})
    assert scratch.compiled(scratch.build()) == ["base/A.v"]


def test_an_edited_definition_compiles_what_depends_on_it(scratch: Scratch) -> None:
    scratch.build()
    scratch.write({"base/A.v": FILES["base/A.v"] + "Definition y := x.\n"})
    result = scratch.build()
    assert scratch.compiled(result) == ["base/A.v", "base/B.v", "top/C.v"]
    assert {e.file: e.why for e in result.files}["base/B.v"] == "the interface of base/A.v changed"


def test_a_touched_file_compiles_nothing(scratch: Scratch) -> None:
    scratch.build()
    os.utime(scratch.root / "base/A.v")
    assert scratch.compiled(scratch.build()) == []


def test_going_back_to_an_earlier_version_takes_it_from_the_store(scratch: Scratch) -> None:
    scratch.build()
    before = scratch.products()
    scratch.write({"base/A.v": FILES["base/A.v"] + "Definition y := x.\n"})
    scratch.build()
    scratch.write({"base/A.v": FILES["base/A.v"]})
    result = scratch.build()
    assert [entry.action for entry in result.files] == ["restored"] * 3
    assert scratch.products() == before


def test_a_second_checkout_takes_everything_from_the_store(scratch: Scratch, tmp_path: Path) -> None:
    scratch.build()
    other = Scratch(tmp_path / "elsewhere" / "tree", scratch.store)
    other.write({"tree.yaml": (scratch.root / "tree.yaml").read_text(), **FILES})
    assert scratch.compiled(other.build()) == []
    assert other.products() == scratch.products()


def test_a_damaged_object_in_the_store_is_not_used(scratch: Scratch) -> None:
    scratch.build()
    good = scratch.products()
    for path in (scratch.store / "objects").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    (scratch.root / ".aetool/record.json").unlink()
    for name in good:
        (scratch.root / name).unlink()
    assert len(scratch.compiled(scratch.build())) == 3
    assert scratch.products() == good


def test_a_broken_proof_is_reported_with_place_sentence_and_message(scratch: Scratch) -> None:
    scratch.write(
        {"base/B.v": "From T.base Require Import A.\nLemma b :\n  x = 2.\nProof.\n  exact a.\nQed.\n"}
    )
    done = cli(scratch.root, "build", store=scratch.store)
    assert done.returncode == 3
    assert f'{scratch.root}/base/B.v:5: The term "a" has type' in done.stderr
    assert "in the sentence: exact a." in done.stderr
    result = scratch.build()
    assert [(e.file, e.action) for e in result.files][-1] == ("top/C.v", "not reached")
    assert not (scratch.root / "top/C.vo").exists()


def test_keep_going_checks_what_does_not_depend_on_the_failure(scratch: Scratch) -> None:
    scratch.write({"base/A.v": "Lemma a : 1 = 2. Proof. reflexivity. Qed.", "top/D.v": "Definition d := 0."})
    assert scratch.compiled(scratch.build(keep_going=True)) == ["base/A.v", "top/D.v"]


def test_a_named_part_brings_what_it_depends_on_and_nothing_else(scratch: Scratch) -> None:
    scratch.write({"base/Alone.v": "Definition z := 0."})
    assert scratch.compiled(scratch.build("top")) == ["base/A.v", "base/B.v", "top/C.v"]
    assert scratch.compiled(scratch.build("top", upto=True)) == ["base/Alone.v"]


def test_only_refuses_when_dependencies_are_stale(scratch: Scratch) -> None:
    with pytest.raises(ProofError, match="is not up to date, and --only"):
        scratch.build("top", only=True)
    scratch.build("base")
    assert scratch.compiled(scratch.build("top", only=True)) == ["top/C.v"]


def test_an_unknown_name_suggests_a_close_one(scratch: Scratch) -> None:
    with pytest.raises(ConfigError, match="'bas' is no part") as caught:
        scratch.build("bas")
    assert caught.value.hint == "did you mean 'base'?"


def test_a_circle_is_shown(scratch: Scratch) -> None:
    scratch.write({"base/A.v": "From T.top Require Import C."})
    with pytest.raises(ConfigError, match=r"in a circle: base/A\.v -> top/C\.v -> base/B\.v -> base/A\.v"):
        scratch.build()


def test_a_dependency_that_coqdep_does_not_see_is_not_passed_over(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.build()

    def blind(project: Project, toolchain: Toolchain) -> dict[str, Requires]:
        found = dependencies(project, toolchain)
        return found | {"base/B.v": replace(found["base/B.v"], files=())}

    monkeypatch.setattr(driver, "dependencies", blind)
    scratch.write({"base/B.v": "(* remark *)" + FILES["base/B.v"]})
    result = scratch.build()
    (failed,) = result.failures
    assert failed.failure is not None
    assert failed.failure.message.startswith("coqc loaded base/A.vo, which coqdep does not count")


def test_a_missing_library_is_named(scratch: Scratch) -> None:
    scratch.write({"top/D.v": "From T.base Require Import Nowhere."})
    with pytest.raises(ProofError, match=r"in file top/D\.v, library Nowhere is required"):
        scratch.build()


def test_a_removed_file_leaves_no_compiled_file_that_could_be_believed(scratch: Scratch) -> None:
    scratch.build()
    (scratch.root / "base/A.v").unlink()
    with pytest.raises(ProofError, match=r"requires base/A\.vo, which has no source|A is required"):
        scratch.build()


@pytest.mark.parametrize("damage", ["truncate", "change", "remove"])
def test_a_damaged_compiled_file_is_made_again(scratch: Scratch, damage: str) -> None:
    scratch.build()
    good = scratch.products()
    path = scratch.root / "base/A.vo"
    times = path.stat()
    data = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        path.write_bytes(data[:-40] if damage == "truncate" else data[:100] + b"?" + data[101:])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    result = scratch.build(store=None)
    assert scratch.compiled(result) == ["base/A.v"]
    assert scratch.products() == good


def test_a_misspelt_key_in_the_manifest_is_an_error(scratch: Scratch) -> None:
    scratch.write(
        {"tree.yaml": (scratch.root / "tree.yaml").read_text().replace("group: Some", "grupe: Some")}
    )
    done = cli(scratch.root, "build", store=scratch.store)
    assert done.returncode == 2
    assert "tree.yaml:6" in done.stderr
    assert "did you mean 'group'" in done.stderr


def test_a_coq_file_outside_of_all_parts_is_an_error(scratch: Scratch) -> None:
    scratch.write({"stray/S.v": "Definition s := 0."})
    with pytest.raises(ConfigError, match=r"stray/S\.v belongs to no part or layer"):
        scratch.build()


def test_a_time_out_names_the_sentence_that_was_not_finished(scratch: Scratch) -> None:
    endless = "do 1000000000 (assert True by exact I; clear)."
    scratch.write({"top/D.v": f"Definition d := 0.\nGoal True.\nProof.\n  {endless}\nQed.\n"})
    started = time.monotonic()
    result = scratch.build("top/D.v", timeout=1.5)
    assert result.files[0].status is Status.TIMED_OUT
    assert time.monotonic() - started < 20
    failure = result.failures[0].failure
    assert failure is not None
    assert (failure.line, failure.sentence) == (4, endless)
    assert "timed out after" in failure.message


def test_a_coqc_that_uses_no_processor_is_stuck(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aetool.proofs.compile.STUCK_SECONDS", 1.0)
    scratch.write({"top/D.v": "Goal True. Proof. do 1000000000 (assert True by exact I; clear). Qed."})

    def stop() -> None:
        wait_for(lambda: coqc_below(scratch.root, "top/D.v"))
        for process in coqc_below(scratch.root, "top/D.v"):
            os.kill(process, signal.SIGSTOP)

    stopper = threading.Thread(target=stop)
    stopper.start()
    result = scratch.build("top/D.v")
    stopper.join()
    assert result.files[0].status is Status.STUCK
    assert not coqc_below(scratch.root, "top/D.v")


def test_out_of_memory(scratch: Scratch) -> None:
    heavy = (
        "Fixpoint t (n : nat) : list nat := match n with 0 => nil | S m => cons n (app (t m) (t m)) end.\n"
    )
    scratch.write(
        {"top/D.v": "From Coq Require Import List.\n" + heavy + "Definition z := Eval vm_compute in t 30."}
    )
    result = scratch.build("top/D.v", memory=500)
    assert result.files[-1].status is Status.OUT_OF_MEMORY


def test_interrupting_leaves_no_coqc_and_nothing_half_written(scratch: Scratch) -> None:
    scratch.write({"top/D.v": "Goal True. Proof. do 1000000000 (assert True by exact I; clear). Qed."})
    environment = os.environ | {"AETOOL_STORE": str(scratch.store)}
    command = [AETOOL, "proofs", "build", "--project", str(scratch.root)]
    child = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: coqc_below(scratch.root, "top/D.v"))
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "interrupted" in errors
    assert not coqc_below(scratch.root, "top/D.v")
    assert not list((scratch.root / ".aetool").glob("scratch/*"))


def test_killing_the_driver_ends_its_coqc(scratch: Scratch) -> None:
    scratch.write({"top/D.v": "Goal True. Proof. do 1000000000 (assert True by exact I; clear). Qed."})
    environment = os.environ | {"AETOOL_STORE": str(scratch.store)}
    command = [AETOOL, "proofs", "build", "--project", str(scratch.root)]
    child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    wait_for(lambda: coqc_below(scratch.root, "top/D.v"))
    child.kill()
    child.wait(timeout=10)
    wait_for(lambda: not coqc_below(scratch.root, "top/D.v"))


def test_a_killed_build_leaves_nothing_that_is_later_believed(scratch: Scratch, tmp_path: Path) -> None:
    names = [f"top/K{number}.v" for number in range(6)]
    scratch.write(
        {name: f"From T.base Require Import B.\nDefinition k{i} := A.x." for i, name in enumerate(names)}
    )
    environment = os.environ | {"AETOOL_STORE": str(scratch.store)}
    command = [AETOOL, "proofs", "build", "--project", str(scratch.root)]
    for delay in (0.15, 0.3, 0.45, 0.6, 0.9):
        child = subprocess.Popen(
            command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        time.sleep(delay)
        child.kill()
        child.wait(timeout=10)
        wait_for(lambda: not coqc_below(scratch.root, ""))
    assert scratch.build().passed
    clean = Scratch(tmp_path / "clean", tmp_path / "clean-store")
    for path in scratch.root.rglob("*"):
        if path.suffix in (".v", ".yaml"):
            clean.write({str(path.relative_to(scratch.root)): path.read_text()})
    assert clean.build().passed
    assert scratch.products() == clean.products()


def test_a_build_with_nothing_to_do_says_so(scratch: Scratch) -> None:
    assert "3 compiled" in cli(scratch.root, "build", store=scratch.store).stdout
    cli(scratch.root, "build", store=scratch.store)
    done = cli(scratch.root, "build", store=scratch.store)
    assert done.stdout == "3 files are up to date; nothing was compiled\n"
    assert done.stderr == ""


def test_a_full_disk_is_one_clear_error(scratch: Scratch, full_disk: Path) -> None:
    tree = Scratch(full_disk / "tree", scratch.store)
    tree.write({"tree.yaml": (scratch.root / "tree.yaml").read_text(), **FILES})
    filler = full_disk / "filler"
    with filler.open("wb", buffering=0) as handle:
        try:
            while True:
                handle.write(b"0" * 4096)
        except OSError:
            pass
    done = cli(tree.root, "build", store=scratch.store)
    assert done.returncode == 7, done.stderr
    filler.unlink()
    assert cli(tree.root, "build", store=scratch.store).returncode == 0


def coqc_below(root: Path, file: str) -> list[int]:
    """Each coqc that runs in a folder, on a file whose name ends so."""
    found: list[int] = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").resolve() == root.resolve():
                words = (process / "cmdline").read_bytes().decode().split("\0")
                if words[0].endswith("coqc") and words[-2].endswith(file):
                    found.append(int(process.name))
        except (OSError, IndexError):
            continue
    return found


def wait_for(condition: object, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
