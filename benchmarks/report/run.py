#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Time `aetool report` on a run of 100,000 samples. Exit status 1 if the bar of 10 s is missed.

The run is made up: five suites in native, KVM and SeKVM, a raw file and a command line for each step, values
with 5 % scatter. What is timed is the command as a user types it, in a process of its own.

Example: python benchmarks/report/run.py --samples 100000
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aetool.core.journal import Journal, PlannedStep, Sample

PROJECT = Path(__file__).resolve().parents[2]
BAR_SECONDS = 10.0
SUITES = ("apache", "hackbench", "kernbench", "mongo", "redis")
CELLS = (("native", 0), ("kvm", 1), ("kvm", 8), ("sekvm", 1), ("sekvm", 8))


def make_run(place: Path, wanted: int) -> int:
    """Write a run directory with about `wanted` samples; returns how many there are."""
    in_a_round = len(SUITES) * sum(max(vms, 1) for _, vms in CELLS)
    repetitions = -(-wanted // in_a_round)
    steps = [
        PlannedStep(f"{s}.{c}.vms-{n}.rep-{r}", s, c, "long", n, r, "0" * 64)
        for c, n in CELLS
        for s in SUITES
        for r in range(1, repetitions + 1)
    ]
    draw = random.Random(1)
    total = 0
    with Journal.create(place, {"campaign": "many", "lab": "none"}, steps) as journal:
        for step in steps:
            samples = []
            for vm in range(1, step.vms + 1) if step.vms else (0,):
                value = round(draw.gauss(100.0 + step.vms, 5.0), 3)
                raw = f"results/{step.key}/{f'vm-{vm}' if vm else 'host'}/run.stdout"
                path = place / raw
                path.parent.mkdir(parents=True)
                path.write_text(f"value {value}\n")
                path.with_name("run.command").write_text("measure\n")
                samples.append(
                    Sample(
                        step.key, step.suite, step.configuration, step.vms, vm, step.repetition,
                        "time", value, "s", "lower", raw,
                    )
                )  # fmt: skip
            journal.begin(step.key, "server", f"logs/{step.key}.attempt-1.log")
            journal.finish(step.key, samples)
            total += len(samples)
    return total


def render(run: Path) -> tuple[float, float]:
    """Render once; wall seconds, and processor seconds of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    command = [sys.executable, "-c", "from aetool.cli.main import run; run()", "report", str(run)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=PROJECT, env=environment)
    wall = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Make the run, time it, print the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    arguments = parser.parse_args()
    # in memory, because the journal forces each step to the disk, and that is not what is timed
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        run = Path(folder) / "run"
        total = make_run(run, arguments.samples)
        times = [render(run) for _ in range(arguments.repetitions)]
    wall = statistics.median(seconds for seconds, _ in times)
    processor = statistics.median(seconds for _, seconds in times)
    result = {
        "samples": total,
        "wall_seconds": wall,
        "processor_seconds": processor,
        "load": os.getloadavg()[0],
        "bar_seconds": BAR_SECONDS,
    }
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        how = f"median of {len(times)}, load {result['load']:.1f}"
        print(f"{total:,} samples: {wall:.2f} s, {processor:.2f} s of processor time ({how})")
        print(f"bar: {BAR_SECONDS:g} s of wall time")
    return int(wall >= BAR_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
