# SPDX-License-Identifier: Apache-2.0
"""Run directories as the other domains leave them, made through the journal's own interface."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aetool.core.journal import Journal, PlannedStep, Sample


@dataclass(frozen=True)
class Series:
    """The results of one suite in one configuration: `values` maps a metric to one value a repetition."""

    suite: str
    configuration: str
    vms: int
    values: Mapping[str, Sequence[float]]
    unit: str = "s"
    better: Any = "lower"
    profile: str = "quick"


HACKBENCH = Series("hackbench", "native", 0, {"time": [0.512, 0.498, 0.505, 0.521]})
REDIS = Series(
    "redis",
    "native",
    0,
    {"get": [812000.0, 798500.0, 820100.0, 805300.0], "set": [655000.0, 649000.0, 661500.0, 640200.0]},
    "requests/s",
    "higher",
)
KVM = Series("hackbench", "kvm", 1, {"time": [0.540, 0.531, 0.548, 0.536]})
SEKVM = Series("hackbench", "sekvm", 1, {"time": [0.545, 0.539, 0.552, 0.541]})

LAB = {"provider": "netns", "emulated": True, "description": "two Linux namespaces on one machine"}
FACTS = {"hostname": "server", "kernel": "6.1.0", "cpus": 2, "packages": {"redis-server": "7.0.15"}}


def make_run(
    directory: Path,
    series: Sequence[Series] = (HACKBENCH, REDIS, KVM, SEKVM),
    *,
    failed: Mapping[str, str] | None = None,
    planned_only: Sequence[str] = (),
    proofs: dict[str, Any] | None = None,
    lab: dict[str, Any] | None = None,
) -> Path:
    """Make a finished run; steps whose key is in `failed` or `planned_only` get no result."""
    clock = itertools.count(1_790_000_000.0)
    steps, values = [], {}
    for item in series:
        for repetition in range(1, 1 + max(len(v) for v in item.values.values())):
            key = f"{item.suite}-{item.configuration}-{item.vms}-{item.profile}-{repetition}"
            steps.append(
                PlannedStep(
                    key, item.suite, item.configuration, item.profile, item.vms, repetition, f"digest-{key}"
                )
            )
            values[key] = item
    with Journal.create(directory, {"seed": "1"}, steps, clock=lambda: next(clock)) as journal:
        for step in steps:
            if step.key in planned_only:
                continue
            journal.begin(step.key, "server", f"logs/{step.key}.log")
            if failed and step.key in failed:
                journal.fail(step.key, failed[step.key])
                continue
            journal.finish(step.key, _samples(directory, step, values[step.key]))
    write(
        directory, "campaign.json", {"campaign": {"campaign": "recorded", "order": "blocked"}, "lab": "netns"}
    )
    hosts = {"server": FACTS, "client": FACTS | {"hostname": "client"}}
    write(directory, "env/hosts.json", {"lab": lab or LAB, "hosts": hosts})
    tool = {"version": "0.1.0", "commit": "0123abc", "dirty": False, "started": "2026-01-02T03:04:05Z"}
    write(directory, "env/aetool.json", tool)
    if proofs is not None:
        write(directory, "proofs.json", proofs)
    return directory


def _samples(directory: Path, step: PlannedStep, series: Series) -> list[Sample]:
    raw = f"results/{step.key}/run.stdout"
    (directory / raw).parent.mkdir(parents=True)
    samples = []
    for metric, values in series.values.items():
        value = values[step.repetition - 1]
        for vm in range(1, step.vms + 1) or [0]:
            samples.append(
                Sample(
                    step.key,
                    step.suite,
                    step.configuration,
                    step.vms,
                    vm,
                    step.repetition,
                    metric,
                    value,
                    series.unit,
                    series.better,
                    raw,
                )
            )
    (directory / raw).with_suffix(".command").write_text(f"{series.suite} --repetition {step.repetition}\n")
    (directory / raw).write_text("".join(f"{s.metric}: {s.value}\n" for s in samples))
    return samples


def write(directory: Path, name: str, data: object) -> None:
    """Write one JSON file of a run."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def layer(number: int, name: str, status: str = "passed") -> dict[str, Any]:
    """A layer as the proof domain describes it."""
    files = [
        {"path": f"proofs/layers/{name}/{file}.v", "status": status, "seconds": 1.25, "lines": 120}
        for file in ("Code", "Spec", "ProofCode", "Refine")
    ]
    return {
        "name": name,
        "kind": "layer",
        "number": number,
        "title": f"Layer {name}",
        "group": "Page Table",
        "functions": ["alloc_page"],
        "status": status,
        "files": files,
        "seconds": 5.0,
        "lines_spec": 100,
        "lines_proof": 380,
        "lines_c": 40,
    }


def proofs(*layers: dict[str, Any], passed: bool = True) -> dict[str, Any]:
    """A proofs.json with the given layers, one library and one closed theorem."""
    present = {item["number"] for item in layers}
    library = {
        "name": "lib",
        "kind": "library",
        "number": None,
        "title": "language and layer calculus",
        "group": None,
        "functions": [],
        "status": "passed",
        "files": [{"path": "proofs/lib/Lang.v", "status": "passed", "seconds": 0.75, "lines": 300}],
        "seconds": 0.75,
        "lines_spec": 150,
        "lines_proof": 150,
        "lines_c": 0,
    }
    theorem = {
        "name": "SeKVM.Stack.refines",
        "claim": "Layers 1 to 12 refine the machine",
        "prose": "Every run of the C code is a run of the specification.",
        "statement": "forall s s', run code s s' -> run spec s s'",
        "status": "closed",
        "assumptions": [],
        "witnesses": ["SeKVM.Stack.initial_state_exists"],
    }
    checks = [{"name": "no admitted lemma", "passed": passed, "detail": "412 files searched"}]
    return {
        "coq": "8.16.1",
        "passed": passed,
        "parts": [library, *layers],
        "layers_total": 34,
        "layers_missing": [{"number": n, "name": f"Layer{n}"} for n in range(1, 35) if n not in present],
        "theorems": [theorem],
        "audit": {"passed": passed, "checks": checks},
    }
