# SPDX-License-Identifier: Apache-2.0
"""The measuring guest, built and run for real; here on QEMU's own emulation, in test_arm.py under KVM."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aetool.core.errors import LabError
from aetool.core.process import run
from aetool.lab import micro

GOOD = "micro frequency 50000000\n" + "".join(
    f"micro {name} {n} 100 {ticks} {cycles}\n"
    for name, ticks, cycles in (
        ("hypercall", 500, 24000), ("io_kernel", 400, 0), ("io_user", 900, 0), ("virtual_ipi", 1000, 0)
    )
    for n in (0, 1, 2)
) + "micro done\n"  # fmt: skip
needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("aarch64-linux-gnu-gcc", "qemu-system-aarch64")),
    reason="gcc-aarch64-linux-gnu or qemu-system-arm is not installed",
)


@needs_tools
@pytest.mark.e2e
def test_the_guest_measures_every_operation_as_often_as_it_is_told_to(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(micro.with_parameters(micro.build(tmp_path), 50, 3))
    command = micro.command(str(image), qemu="qemu-system-aarch64", accelerator="tcg", gic="3")
    samples = micro.parse(run(command, timeout=120).output)
    assert [(s.operation, s.repetition) for s in samples] == [
        (name, n) for name in micro.OPERATIONS for n in (1, 2, 3)
    ]
    assert all(s.iterations == 50 and s.nanoseconds > 0 for s in samples)
    assert all(s.guest_cycles is not None and s.guest_cycles > 0 for s in samples)


@needs_tools
@pytest.mark.e2e
def test_a_guest_with_one_cpu_is_not_taken_for_a_measurement(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(micro.with_parameters(micro.build(tmp_path), 5, 1))
    command = micro.command(str(image), qemu="qemu-system-aarch64", accelerator="tcg", gic="3")
    command[command.index("-smp") + 1] = "1"
    with pytest.raises(LabError, match="did not measure virtual_ipi") as caught:
        micro.parse(run(command, timeout=120).output)
    assert "micro no second cpu" in (caught.value.detail or "")


def test_ticks_become_nanoseconds_and_the_warm_up_is_left_out() -> None:
    samples = micro.parse(GOOD)
    assert len(samples) == 8
    assert samples[0] == micro.Sample("hypercall", 1, 100, 100.0, 240.0)
    assert samples[2].guest_cycles is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("micro done\n", ""), "did not come to its end"),
        (GOOD.replace("micro frequency 50000000\n", ""), "did not come to its end"),
        (GOOD.replace("io_user", "io_loser"), "did not measure io_user"),
        ("", "did not come to its end"),
        ("micro frequency 50000000\nmicro unexpected 1 2 3\n", "did not come to its end"),
    ],
)
def test_output_that_is_not_whole_is_refused(text: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        micro.parse(text)
