# SPDX-License-Identifier: Apache-2.0
"""The driver on Coq projects that are not ours: any `_CoqProject`, other containers, other names of Coq."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scratch_tree import Scratch

from aetool.core.errors import ConfigError, ProofError
from aetool.proofs import vo
from aetool.proofs.coqproject import read_project

AETOOL = str(Path(sys.executable).parent / "aetool")
LOAD = ("-R", "theories", "Th", "-Q", "theories/inner", "In.ner")


@pytest.fixture
def foreign(tmp_path: Path) -> Scratch:
    """A project with nested load paths and two files of the same base name."""
    made = Scratch(tmp_path / "foreign", tmp_path / "store")
    made.write(
        {
            "_CoqProject": (
                "# a comment\n-R theories Th\n-Q theories/inner In.ner\n-arg -w -arg +default\n"
                "INSTALLDEFAULTROOT = Th\ntheories/Base.v theories/sub/Base.v\ntheories/inner/Deep.v\n"
            ),
            "theories/Base.v": "Definition one := 1.\n",
            "theories/sub/Base.v": "From Th Require Import Base.\nDefinition two := S one.\n",
            "theories/inner/Deep.v": "Require Import Th.sub.Base.\nDefinition three := S two.\n",
        }
    )
    return made


def test_nested_load_paths_and_equal_base_names(foreign: Scratch) -> None:
    project = read_project(foreign.root)
    assert [project.module_name(file) for file in project.files] == ["Th.Base", "Th.sub.Base", "In.ner.Deep"]
    assert foreign.build().passed
    foreign.write(
        {"probe.v": "From In.ner Require Import Deep. Check eq_refl : three = 3. Check Th.Base.one."}
    )
    command = ["coqtop", "-q", "-batch", *LOAD, "-l", "probe.v"]
    done = subprocess.run(command, cwd=foreign.root, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout


def test_what_we_build_make_takes_as_up_to_date_in_content(foreign: Scratch, tmp_path: Path) -> None:
    foreign.build()
    by_hand = tmp_path / "hand"
    shutil.copytree(foreign.root, by_hand, ignore=shutil.ignore_patterns("*.vo*", "*.glob", ".aetool"))
    for file in read_project(by_hand).files:
        command = [
            "coqc",
            "-q",
            "-R",
            "theories",
            "Th",
            "-Q",
            "theories/inner",
            "In.ner",
            "-w",
            "+default",
            file,
        ]
        subprocess.run(command, cwd=by_hand, check=True, timeout=60)
    assert Scratch(by_hand, by_hand).products() == foreign.products()


def test_the_cut_off_works_there_too(foreign: Scratch) -> None:
    foreign.build()
    foreign.write({"theories/Base.v": "Definition one := 1. (* remark *)\n"})
    assert foreign.compiled(foreign.build()) == ["theories/Base.v"]


def test_a_circle_across_load_paths_is_shown(foreign: Scratch) -> None:
    foreign.write({"theories/Base.v": "From In.ner Require Import Deep.\n"})
    with pytest.raises(ConfigError, match="in a circle: "):
        foreign.build()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-Q nowhere N", r"_CoqProject:9: -Q nowhere: no such directory"),
        ("theories/Gone.v", r"_CoqProject:9: theories/Gone\.v: no such file"),
        ("theories/Base.v", r"_CoqProject:9: theories/Base\.v was named already in line 6"),
        ("src/plugin.mlg", r"_CoqProject:9: src/plugin\.mlg: plugins in OCaml are not built"),
        ("what", r"_CoqProject:9: 'what' is neither an option nor a Coq file"),
        ("-Q theories", r"_CoqProject:9: -Q wants 2 arguments"),
        ('-arg "unclosed', r"_CoqProject:9: No closing quotation"),
    ],
)
def test_a_wrong_line_of_a_project_file_is_named(foreign: Scratch, line: str, message: str) -> None:
    path = foreign.root / "_CoqProject"
    path.write_text(path.read_text() + f"\n{line}\n")
    with pytest.raises(ConfigError, match=message):
        foreign.build()


def test_a_folder_without_a_project_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"_CoqProject: no such file"):
        Scratch(tmp_path, tmp_path).build()


def test_a_file_that_is_required_but_not_listed_is_named(foreign: Scratch) -> None:
    foreign.write({"theories/Extra.v": "Definition e := 0.\n"})
    foreign.write({"theories/Base.v": "From Th Require Import Extra.\nDefinition one := 1.\n"})
    with pytest.raises(ProofError, match=r"Extra\.vo, which is not one of the project's files"):
        foreign.build()


def test_a_changed_library_outside_of_the_project_is_noticed(foreign: Scratch, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "Out.v").write_text("Definition out := 1.\n")

    def compile_library() -> None:
        subprocess.run(["coqc", "-q", "-Q", ".", "Lib", "Out.v"], cwd=library, check=True, timeout=60)

    compile_library()
    path = foreign.root / "_CoqProject"
    path.write_text(path.read_text() + "-Q ../library Lib\n")
    foreign.write({"theories/Base.v": "From Lib Require Import Out.\nDefinition one := out.\n"})
    assert foreign.build().passed
    assert foreign.compiled(foreign.build()) == []
    (library / "Out.v").write_text("Definition out := 2.\n")
    compile_library()
    result = foreign.build()
    assert foreign.compiled(result) == sorted(read_project(foreign.root).files)
    assert "../library/Out.vo" in {entry.file: entry.why for entry in result.files}["theories/Base.v"]


def test_an_unknown_container_falls_back_to_whole_files_and_says_so(
    foreign: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vo, "SEGMENTS", frozenset({"something", "new"}))
    result = foreign.build()
    assert result.passed
    assert any("its dependents go by the whole file" in note for note in result.notes)
    proof = "Lemma l : one = 1.\nProof. {}. Qed.\n"
    foreign.write({"theories/Base.v": "Definition one := 1.\n" + proof.format("reflexivity")})
    foreign.build()
    foreign.write({"theories/Base.v": "Definition one := 1.\n" + proof.format("unfold one; reflexivity")})
    assert "theories/sub/Base.v" in foreign.compiled(foreign.build())


def test_where_only_rocq_is_installed_it_is_used(foreign: Scratch, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    real = {name: shutil.which(name) for name in ("coqc", "coqdep", "coqchk", "coqtop")}
    lines = "\n".join(
        f'{word}) shift; exec {real[name]} "$@" ;;'
        for word, name in (("c", "coqc"), ("dep", "coqdep"), ("check", "coqchk"), ("top", "coqtop"))
    )
    script = folder / "rocq"
    script.write_text(f'#!/bin/sh\ncase "$1" in\n{lines}\nesac\nexit 9\n')
    script.chmod(0o755)
    environment = os.environ | {"PATH": str(folder), "AETOOL_STORE": str(foreign.store)}
    done = subprocess.run(
        [AETOOL, "proofs", "audit", "--project", str(foreign.root)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert "pass  coqchk: 3 modules" in done.stdout


def test_without_coq_the_package_is_named(foreign: Scratch, tmp_path: Path) -> None:
    environment = os.environ | {"PATH": str(tmp_path)}
    command = [AETOOL, "proofs", "build", "--project", str(foreign.root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 8
    assert "apt-get install coq" in done.stderr


def test_a_real_library(tmp_path: Path) -> None:
    """stdpp, as the distribution ships its sources, under a name of its own."""
    where = subprocess.run(["coqc", "-where"], capture_output=True, text=True, check=True).stdout.strip()
    sources = sorted((Path(where) / "user-contrib/stdpp").glob("*.v"))
    assert len(sources) > 30
    made = Scratch(tmp_path / "std", tmp_path / "store")
    made.write({path.name: path.read_text().replace("From stdpp", "From own") for path in sources})
    made.write({"_CoqProject": "-Q . own\n" + "\n".join(path.name for path in sources) + "\n"})
    first = made.build("option.v")
    assert first.passed
    assert {"base.v", "tactics.v", "decidable.v", "option.v"} <= set(made.compiled(first))
    assert "gmap.v" not in {result.file for result in first.files}
    made.write({"base.v": (made.root / "base.v").read_text() + "(* a remark *)\n"})
    assert made.compiled(made.build("option.v")) == ["base.v"]
