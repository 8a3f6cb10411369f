# SPDX-License-Identifier: Apache-2.0
"""A verdict follows from intervals and the claim's tolerance, and an unanswered claim is never a kept one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import recorded_runs as recorded
import yaml

from aetool.core.errors import ConfigError
from aetool.report.build import compute
from aetool.report.inputs import load_run
from aetool.report.published import Claims, Machine, Published, load_references
from aetool.report.terminal import terminal_summary
from aetool.report.verdicts import Finding, Verdict

NONE = Published(
    sources={"paper": "a paper"},
    machines={"m400": Machine(description="an m400", cpu="X-Gene")},
    figures=(),
)
TIGHT = (0.99, 1.0, 1.0, 1.01)
WIDE = (0.6, 0.9, 1.3, 1.4)


def judge(run: Path, **claim: Any) -> list[Finding]:
    base = {"id": "c", "text": "t", "source": "paper", "mark": "read", "verified": True}
    claims = Claims.model_validate({"claims": [base | claim]}, strict=False)
    return compute(load_run(run), NONE, claims).findings


def kvm_and_sekvm(
    tmp_path: Path, factor: float, values: Sequence[float], better: str = "lower", **server: Any
) -> Path:
    times = factor if better == "lower" else 1 / factor
    series = [
        recorded.Series("hackbench", "kvm", 1, {"time": list(values)}, better=better),
        recorded.Series("hackbench", "sekvm", 1, {"time": [v * times for v in values]}, better=better),
    ]
    run = recorded.make_run(tmp_path / "run", series)
    lab = {"provider": "static", "emulated": server.pop("emulated", False), "description": "a lab"}
    facts = {"server": {"cpu_model": "X-Gene"} | server}
    recorded.write(run, "env/hosts.json", {"lab": lab, "hosts": facts})
    return run


SLOWDOWN: dict[str, Any] = {
    "kind": "slowdown",
    "metrics": [{"suite": "hackbench", "metric": "time"}],
    "configuration": "sekvm",
    "baseline": "kvm",
    "vms": [1],
    "at_most": 1.1,
    "tolerance": 0.02,
}
RATIO: dict[str, Any] = {
    "kind": "ratio",
    "metric": {"suite": "hackbench", "metric": "time"},
    "configuration": "sekvm",
    "baseline": "kvm",
    "machine": "m400",
    "vms": 1,
    "expected": 2.0,
    "tolerance": 0.1,
}


@pytest.mark.parametrize("better", ["lower", "higher"])
@pytest.mark.parametrize(
    ("factor", "values", "verdict"),
    [
        (1.05, TIGHT, Verdict.REPRODUCED),
        (0.7, TIGHT, Verdict.REPRODUCED),
        (1.5, TIGHT, Verdict.NOT_REPRODUCED),
        (1.05, WIDE, Verdict.UNDECIDED),
        (1.05, TIGHT[:1], Verdict.UNDECIDED),
    ],
)
def test_a_bound_is_kept_only_if_the_whole_interval_is_below_it(
    tmp_path: Path, better: str, factor: float, values: Sequence[float], verdict: Verdict
) -> None:
    (finding,) = judge(kvm_and_sekvm(tmp_path, factor, values, better), **SLOWDOWN)
    assert finding.verdict is verdict
    assert finding.uses == ("hackbench.quick.time.sekvm.1", "hackbench.quick.time.kvm.1")


@pytest.mark.parametrize(
    ("factor", "values", "verdict"),
    [
        (2.0, TIGHT, Verdict.REPRODUCED),
        (1.4, TIGHT, Verdict.ORDER_ONLY),
        (3.0, TIGHT, Verdict.ORDER_ONLY),
        (0.8, TIGHT, Verdict.NOT_REPRODUCED),
        (1.9, WIDE, Verdict.UNDECIDED),
    ],
)
def test_a_ratio_off_its_value_but_on_its_side_of_one_is_order_only(
    tmp_path: Path, factor: float, values: Sequence[float], verdict: Verdict
) -> None:
    (finding,) = judge(kvm_and_sekvm(tmp_path, factor, values), **RATIO)
    assert finding.verdict is verdict


@pytest.mark.parametrize(
    ("server", "named"),
    [
        ({"cpu_model": "AMD EPYC"}, "AMD EPYC"),
        ({"cpu_model": None}, "unknown"),
        ({"emulated": True}, "X-Gene, emulated"),
    ],
)
def test_a_ratio_published_for_one_machine_is_not_judged_on_another(
    tmp_path: Path, server: dict[str, Any], named: str
) -> None:
    (finding,) = judge(kvm_and_sekvm(tmp_path, 2.0, TIGHT, **server), **RATIO)
    assert finding.verdict is Verdict.NOT_RUN
    assert finding.reason == f"about the m400 (X-Gene); this server's processor is {named}"


def test_an_undecided_claim_says_how_many_repetitions_would_do(tmp_path: Path) -> None:
    (finding,) = judge(kvm_and_sekvm(tmp_path, 1.05, WIDE), **SLOWDOWN)
    assert "repetitions show a difference of 5 %" in finding.reason


def test_parts_that_were_not_run_are_named_and_do_not_count_as_kept(tmp_path: Path) -> None:
    claim = SLOWDOWN | {"vms": [1, 8]}
    kept, missing = judge(kvm_and_sekvm(tmp_path, 1.05, TIGHT), **claim)
    assert kept.verdict is Verdict.REPRODUCED
    assert (missing.verdict, missing.part) == (Verdict.NOT_RUN, "hackbench time, 8 VMs")
    assert missing.reason == "not measured on sekvm and kvm: hackbench"


@pytest.mark.parametrize(
    ("costs", "verdict"),
    [
        ({"hypercall": 1.0, "io_kernel": 2.0, "io_user": 3.0}, Verdict.REPRODUCED),
        ({"hypercall": 2.0, "io_kernel": 1.0, "io_user": 3.0}, Verdict.NOT_REPRODUCED),
        ({"hypercall": 1.0, "io_kernel": 1.001, "io_user": 3.0}, Verdict.UNDECIDED),
    ],
)
def test_an_order_holds_only_if_each_comparison_does(
    tmp_path: Path, costs: dict[str, float], verdict: Verdict
) -> None:
    values = {metric: [cost * v for v in TIGHT] for metric, cost in costs.items()}
    run = recorded.make_run(tmp_path / "run", [recorded.Series("micro", "kvm", 1, values, unit="cycles")])
    groups = [["hypercall"], ["io_kernel"], ["io_user"]]
    order = {"kind": "order", "suite": "micro", "configurations": ["kvm"], "vms": 1, "groups": groups}
    (finding,) = judge(run, **order)
    assert finding.verdict is verdict


def test_the_paper_profile_counts_where_two_profiles_were_run(tmp_path: Path) -> None:
    series = [
        recorded.Series("hackbench", c, 1, {"time": [f * v for v in TIGHT]}, profile=p)
        for c, p, f in (
            ("kvm", "paper", 1.0),
            ("kvm", "quick", 1.0),
            ("sekvm", "quick", 9.0),
            ("sekvm", "paper", 1.0),
        )
    ]
    (finding,) = judge(recorded.make_run(tmp_path / "run", series), **SLOWDOWN)
    assert finding.verdict is Verdict.REPRODUCED


def test_numbers_of_two_profiles_are_never_compared(tmp_path: Path) -> None:
    series = [
        recorded.Series("hackbench", "kvm", 1, {"time": TIGHT}, profile="paper"),
        recorded.Series("hackbench", "sekvm", 1, {"time": TIGHT}, profile="quick"),
    ]
    (finding,) = judge(recorded.make_run(tmp_path / "run", series), **SLOWDOWN)
    assert finding.verdict is Verdict.NOT_RUN
    assert finding.reason == "not measured on sekvm and kvm under one profile: hackbench"


def test_the_proof_claims_need_all_layers_all_theorems_and_the_whole_audit(tmp_path: Path) -> None:
    layers = [recorded.layer(n, f"L{n}") for n in range(1, 35)]
    whole = recorded.proofs(*layers)
    one_failed = recorded.proofs(*layers[:-1], recorded.layer(34, "L34", "failed"), passed=False)
    one_failed["theorems"][0] |= {"status": "open", "assumptions": ["SeKVM.lib.hope"]}
    for number, (data, verdict) in enumerate(
        [(whole, Verdict.REPRODUCED), (one_failed, Verdict.NOT_REPRODUCED), (None, Verdict.NOT_RUN)]
    ):
        run = recorded.make_run(tmp_path / str(number), [recorded.HACKBENCH], proofs=data)
        for claim in (
            {"kind": "layers", "layers": 34},
            {"kind": "theorems", "stands_for": ["Layers 1 to 12"]},
            {"kind": "audit"},
        ):
            (finding,) = judge(run, **claim)
            assert finding.verdict is verdict, claim


def test_a_missing_layer_is_not_a_proved_one(tmp_path: Path) -> None:
    data = recorded.proofs(*[recorded.layer(n, f"L{n}") for n in range(1, 34)])
    run = recorded.make_run(tmp_path / "run", [recorded.HACKBENCH], proofs=data)
    (finding,) = judge(run, kind="layers", layers=34)
    assert finding.verdict is Verdict.NOT_REPRODUCED
    assert (finding.measured, finding.reason) == ("33 of 34 layers checked", "1 layer not in the tree")


def test_vms_that_ran_side_by_side_count_as_one_repetition(tmp_path: Path) -> None:
    series = recorded.Series("hackbench", "kvm", 8, {"time": [1.0, 1.1, 1.2, 1.3]})
    results = compute(load_run(recorded.make_run(tmp_path / "run", [series])), NONE, Claims(claims=()))
    (item,) = results.found
    assert len(item.raw) == 32
    assert item.estimate.n == 4


def test_the_shipped_reference_data_are_sound(references: Path) -> None:
    published, claims = load_references(references)
    assert len(claims.claims) == 14
    hearsay = [f for f in published.figures if f.mark in ("secondary", "remembered")]
    assert hearsay and not any(f.verified for f in hearsay)
    cycles = [f for f in published.figures if f.suite == "micro" and f.source == "sosp21"]
    assert len(cycles) == 16 and not any(f.verified for f in cycles)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("published.yaml", "    mark: remembered", "    marks: remembered", "did you mean 'mark'"),
        ("published.yaml", "remembered\n    verified: false", "remembered\n    verified: true", "cannot be"),
        ("published.yaml", "source: isca16", "source: isca61", "'isca61'"),
        ("claims.yaml", "id: audit", "id: security", "stands twice"),
        ("claims.yaml", "source: sosp21\n", "source: sosp12\n", "known sources: sosp21"),
        ("claims.yaml", "machine: m400", "machine: m401", "known machines: m400"),
        ("claims.yaml", "at_most: 1.10", "at_most: -1", "greater than 0"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_reference_data_is_one_clear_error(
    references: Path, tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    for name in ("published.yaml", "claims.yaml"):
        text = (references / name).read_text()
        assert name != file or old in text
        (tmp_path / name).write_text(text.replace(old, new, 1) if name == file else text)
    with pytest.raises(ConfigError) as caught:
        load_references(tmp_path)
    assert message in f"{caught.value.message} {caught.value.detail} {caught.value.hint}"
    assert file in caught.value.message


def test_the_reference_data_name_their_file_and_line(references: Path, tmp_path: Path) -> None:
    data = yaml.safe_load((references / "published.yaml").read_text())
    data["figures"][0]["value"] = "many"
    (tmp_path / "published.yaml").write_text(yaml.safe_dump(data))
    (tmp_path / "claims.yaml").write_text((references / "claims.yaml").read_text())
    with pytest.raises(ConfigError, match=r"published.yaml:\d+: figures.0.value"):
        load_references(tmp_path)


def test_the_terminal_shows_every_claim_with_its_verdict(tmp_path: Path, references: Path) -> None:
    run = recorded.make_run(tmp_path / "run", proofs=recorded.proofs(recorded.layer(5, "PTAlloc")))
    text = terminal_summary(run, references)
    for claim in load_references(references)[1].claims:
        assert f" {claim.id}" in text
    assert "  not reproduced      layers: 1 of 34 layers checked; 33 layers not in the tree\n" in text
    assert "  reproduced          single-vm * (hackbench time, 1 VM): 1.010 (" in text
    assert "* nobody has checked this claim against its source" in text
    assert max(map(len, text.splitlines())) <= 102


def test_a_layer_that_lacks_files_is_incomplete_though_what_is_there_passes(tmp_path: Path) -> None:
    data = recorded.proofs(*[recorded.layer(n, f"L{n}") for n in range(1, 35)])
    data["layers_missing"] = [{"number": 7, "name": "L7"}]
    run = recorded.make_run(tmp_path / "run", [recorded.HACKBENCH], proofs=data)
    (finding,) = judge(run, kind="layers", layers=34)
    assert (finding.verdict, finding.measured) == (Verdict.NOT_REPRODUCED, "33 of 34 layers checked")
    assert finding.reason == "not passed: L7"


@pytest.mark.parametrize(
    ("stands_for", "verdict", "reason"),
    [
        (["layers 1 to 12"], Verdict.REPRODUCED, "SeKVM.Stack.refines"),
        (["layers 1"], Verdict.REPRODUCED, "SeKVM.Stack.refines"),
        (["Layers 1 to 1"], Verdict.NOT_REPRODUCED, "no theorem of this tree stands for Layers 1 to 1"),
        (["Layers 1 to 12", "Theorem 4"], Verdict.NOT_REPRODUCED, "stands for Theorem 4"),
    ],
)
def test_a_theorem_counts_only_for_the_claim_that_it_is_said_to_stand_for(
    tmp_path: Path, stands_for: list[str], verdict: Verdict, reason: str
) -> None:
    run = recorded.make_run(tmp_path / "run", [recorded.HACKBENCH], proofs=recorded.proofs())
    (finding,) = judge(run, kind="theorems", stands_for=stands_for)
    assert finding.verdict is verdict
    assert reason in finding.reason
