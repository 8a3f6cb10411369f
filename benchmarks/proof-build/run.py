#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time `aetool proofs build` against make (coq_makefile) and dune on the same trees, with the same coqc.

Trees: a synthetic one of 34 layers by 3 files, and the project's own as it stands. Steps: cold, no-op, and
edits of a comment, of a proof and of a definition in the lowest file. Each step is timed for all tools in
turn; coqc is counted by a wrapper that all of them call. Exit status 1 if a bar is missed.

Example: python benchmarks/proof-build/run.py --tree synthetic --jobs 2
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LAYERS = 34
STEPS = ("cold", "no-op", "comment edit", "proof edit", "definition edit")
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sample:
    """One timed step: wall seconds, and how often coqc compiled a file."""

    seconds: float
    compiled: int


@dataclass(frozen=True)
class Lowest:
    """The file that is edited, and the proof in it (a word and what can stand for it)."""

    file: str
    proof: tuple[str, str]


class Tool:
    """A build tool in its own copy of a tree."""

    def __init__(
        self, name: str, root: Path, command: list[str], environment: dict[str, str], log: Path
    ) -> None:
        self.name, self.root = name, root
        self._command, self._environment, self._log = command, environment, log

    def time(self) -> Sample:
        """Run it once."""
        self._log.write_text("")
        started = time.monotonic()
        done = subprocess.run(
            self._command, cwd=self.root, env=self._environment, capture_output=True, text=True, timeout=3600
        )
        seconds = time.monotonic() - started
        if done.returncode != 0:
            sys.exit(f"{self.name} failed in {self.root}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return Sample(seconds, self._log.read_text().count("\n"))


def synthetic(root: Path) -> Lowest:
    """34 layers: a specification over the one below, proofs about it, a refinement that uses the proofs."""
    for number in range(LAYERS):
        folder = root / f"layers/L{number:02}"
        folder.mkdir(parents=True)
        below = f"From Syn.layers.L{number - 1:02} Require Import Spec.\n" if number else ""
        base = f"spec{number - 1} n" if number else "n"
        (folder / "Spec.v").write_text(f"{below}Definition spec{number} (n : nat) : nat := S ({base}).\n")
        lemmas = "".join(
            f"Lemma same{number}_{i} : forall n : nat, n + {i} = n + {i}.\n"
            f"Proof. intros n. do 100 (assert (n = n) by reflexivity; clear). reflexivity. Qed.\n"
            for i in range(4)
        )
        require = f"From Syn.layers.L{number:02} Require Import Spec"
        (folder / "ProofCode.v").write_text(
            f"{require}.\n{lemmas}Lemma code{number} : forall n, spec{number} n = spec{number} n.\n"
            "Proof. intros n. reflexivity. Qed.\n"
        )
        (folder / "Refine.v").write_text(
            f"{require} ProofCode.\nTheorem refine{number} : forall n, spec{number} n = spec{number} n.\n"
            f"Proof. exact code{number}. Qed.\n"
        )
    first = root / "layers/L00/Spec.v"
    first.write_text(first.read_text() + "Lemma low : spec0 0 = 1.\nProof. reflexivity. Qed.\n")
    (root / "tree.yaml").write_text(
        "root: Syn\nparts: [{name: all, kind: library, title: all layers, folder: layers}]\nlayers: []\n"
    )
    return Lowest("layers/L00/Spec.v", ("Proof. reflexivity.", "Proof. unfold spec0. reflexivity."))


def ours(root: Path) -> Lowest:
    """The project's own proofs, as they stand."""
    shutil.copytree(
        PROJECT / "proofs",
        root,
        ignore=lambda _, names: [
            n for n in names if not n.endswith((".v", ".c", ".h", ".yaml")) and "." in n
        ],
    )
    return Lowest("lib/Lang.v", ("Proof.", "Proof. idtac."))


def prepare(kind: str, scratch: Path, jobs: int) -> tuple[list[Tool], Lowest]:
    """Make a copy of the tree for each tool, with the files that the tool wants."""
    wrapper = scratch / "bin"
    wrapper.mkdir(parents=True)
    log = scratch / "coqc.log"
    real = shutil.which("coqc") or sys.exit("coqc is not installed")
    script = wrapper / "coqc"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *.v) echo x >>{log} ;; *.v\\ *) echo x >>{log} ;; esac\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{wrapper}:{os.environ['PATH']}",
        "AETOOL_STORE": str(scratch / "store"),
    }
    make_tree = synthetic if kind == "synthetic" else ours
    lowest = make_tree(scratch / "aetool")
    aetool = [
        str(Path(sys.executable).parent / "aetool"),
        "proofs",
        "build",
        "--project",
        ".",
        "--jobs",
        str(jobs),
    ]
    tools = [Tool("aetool", scratch / "aetool", aetool, environment, log)]
    for name in ("make", "dune"):
        if shutil.which(name) is None:
            print(f"{name} is not installed and left out")
            continue
        make_tree(scratch / name)
    root_name = re.search(r"^root: (\w+)", (scratch / "aetool/tree.yaml").read_text(), re.MULTILINE)
    assert root_name
    files = sorted(str(path.relative_to(scratch / "aetool")) for path in (scratch / "aetool").rglob("*.v"))
    if (scratch / "make").exists():
        (scratch / "make/_CoqProject").write_text(f"-Q . {root_name[1]}\n" + "\n".join(files) + "\n")
        subprocess.run(
            ["coq_makefile", "-f", "_CoqProject", "-o", "Makefile"], cwd=scratch / "make", check=True
        )
        tools.append(Tool("make", scratch / "make", ["make", f"-j{jobs}"], environment, log))
    if (scratch / "dune").exists():
        (scratch / "dune/dune-project").write_text("(lang dune 2.9)\n(using coq 0.3)\n")
        (scratch / "dune/dune").write_text(
            f"(include_subdirs qualified)\n(coq.theory (name {root_name[1]}))\n"
        )
        command = ["dune", "build", "--root", ".", "-j", str(jobs), "--cache=disabled", "--display=quiet"]
        tools.append(Tool("dune", scratch / "dune", command, environment, log))
    return tools, lowest


def edits(lowest: Lowest, repetition: int) -> dict[str, Callable[[str], str]]:
    """How each step changes the lowest file; no two give the same text."""
    old, new = lowest.proof
    return {
        "comment edit": lambda text: f"{text}(* remark {repetition} *)\n",
        "proof edit": lambda text: (
            text.replace(old, new, 1) if repetition % 2 == 0 else text.replace(new, old, 1)
        ),
        "definition edit": lambda text: f"{text}Definition added{repetition} := {repetition}.\n",
    }


def measure(
    kind: str, jobs: int, repetitions: int, steps: Sequence[str]
) -> dict[str, dict[str, list[Sample]]]:
    """Samples by step and tool. Steps other than the cold build may be left out."""
    samples: dict[str, dict[str, list[Sample]]] = {step: {} for step in steps}
    with tempfile.TemporaryDirectory(prefix="proof-build-") as folder:
        tools, lowest = prepare(kind, Path(folder), jobs)

        def note(step: str, tool: Tool) -> None:
            sample = tool.time()
            samples[step].setdefault(tool.name, []).append(sample)
            print(f"{kind}: {step}, {tool.name}: {sample.seconds:.3f} s, {sample.compiled} coqc", flush=True)

        for tool in tools:
            note("cold", tool)
        for _ in range(max(repetitions, 5) if "no-op" in steps else 0):
            for tool in tools:
                note("no-op", tool)
        for repetition in range(repetitions):
            for step, edit in edits(lowest, repetition).items():
                for tool in tools if step in steps else ():
                    path = tool.root / lowest.file
                    path.write_text(edit(path.read_text()))
                    note(step, tool)
    return samples


def bars(samples: dict[str, dict[str, list[Sample]]]) -> list[tuple[str, bool]]:
    """What aetool must keep, and whether it did."""

    def mid(step: str, tool: str) -> float:
        return statistics.median(sample.seconds for sample in samples[step][tool])

    peers = [tool for tool in samples["cold"] if tool != "aetool"]
    checks: list[tuple[str, str, Callable[[], bool]]] = [
        # the fastest run: on a loaded machine the others say how long the processor was elsewhere
        (
            "no-op",
            "no-op takes at most 100 ms",
            lambda: min(s.seconds for s in samples["no-op"]["aetool"]) <= 0.1,
        ),
        (
            "comment edit",
            "a comment edit runs coqc at most once",
            lambda: all(s.compiled <= 1 for s in samples["comment edit"]["aetool"]),
        ),
        (
            "proof edit",
            "a proof edit runs coqc once",
            lambda: all(s.compiled == 1 for s in samples["proof edit"]["aetool"]),
        ),
    ]
    if peers:
        fastest = min(mid("cold", tool) for tool in peers)
        what = "cold is at most 5 % slower than the faster peer"
        checks.insert(0, ("cold", what, lambda: mid("cold", "aetool") <= 1.05 * fastest))
    return [(what, kept()) for step, what, kept in checks if step in samples]


def show(kind: str, samples: dict[str, dict[str, list[Sample]]]) -> bool:
    """Print a table of medians, coqc runs and ratios to aetool; return whether all bars are kept."""
    tools = list(samples["cold"])
    print(f"\n## {kind} tree\n")
    print(
        "| step | "
        + " | ".join(f"{tool} (s) | coqc" for tool in tools)
        + " | "
        + " | ".join(f"{t} / aetool" for t in tools[1:])
        + " |"
    )
    print("|---|" + "--:|--:|" * len(tools) + "--:|" * (len(tools) - 1))
    for step in samples:
        middle = {tool: statistics.median(s.seconds for s in samples[step][tool]) for tool in tools}
        cells = [f"{middle[tool]:.3f} | {max(s.compiled for s in samples[step][tool])}" for tool in tools]
        ratios = [f"{middle[tool] / middle['aetool']:.1f}" for tool in tools[1:]]
        print(f"| {step} | " + " | ".join([*cells, *ratios]) + " |")
    kept = bars(samples)
    print()
    for what, good in kept:
        print(f"{'kept  ' if good else 'MISSED'}  {what}")
    return all(good for _, good in kept)


def main() -> int:
    """Measure, print, compare with the bars."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tree", choices=("synthetic", "ours", "both"), default="both")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=3, help="of each edit; the median is shown")
    parser.add_argument(
        "--steps",
        nargs="+",
        choices=STEPS[1:],
        default=list(STEPS[1:]),
        help="what to time after the cold build; an edit makes the peers build nearly everything again",
    )
    parser.add_argument("--json", type=Path, help="also write all samples to this file")
    options = parser.parse_args()
    kinds = ("synthetic", "ours") if options.tree == "both" else (options.tree,)
    everything = {
        kind: measure(kind, options.jobs, options.repetitions, ("cold", *options.steps)) for kind in kinds
    }
    coqc = subprocess.run(
        ["coqc", "--print-version"], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    print(f"Coq {coqc}, {os.cpu_count()} processors, {options.jobs} jobs, load {os.getloadavg()[0]:.1f}")
    if options.json:
        plain = {
            kind: {
                step: {tool: [vars(s) for s in seen] for tool, seen in by.items()}
                for step, by in samples.items()
            }
            for kind, samples in everything.items()
        }
        options.json.write_text(json.dumps(plain, indent=2))
    kept = [show(kind, samples) for kind, samples in everything.items()]
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
