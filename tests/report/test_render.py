# SPDX-License-Identifier: Apache-2.0
"""The report as files: golden bytes, nothing hidden, nothing executed, whatever the run directory holds."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
import recorded_runs as recorded

from aetool.core.errors import ConfigError, StorageError
from aetool.core.journal import Journal
from aetool.report.write import render

GOLDEN = Path(__file__).parent / "golden"


def files(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def golden_run(tmp_path: Path) -> Path:
    tree = recorded.proofs(recorded.layer(5, "PTAlloc"), recorded.layer(6, "PTWalk", "failed"))
    failed = {"redis-native-0-quick-3": "redis-benchmark printed no rate for GET"}
    return recorded.make_run(tmp_path / "golden", failed=failed, proofs=tree)


def test_the_report_of_a_recorded_run_is_the_golden_one(golden_run: Path, references: Path) -> None:
    render(golden_run, references)
    found = files(golden_run / "report")
    # plots depend on the version of matplotlib, and the page shows them; their text is tested elsewhere
    found = {name: text for name, text in found.items() if name.endswith((".md", ".csv", ".tex", ".json"))}
    if os.environ.get("AETOOL_UPDATE_GOLDEN"):
        shutil.rmtree(GOLDEN, ignore_errors=True)
        for name, text in found.items():
            (GOLDEN / name).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / name).write_text(text)
    assert found == files(GOLDEN)


def test_a_copied_run_renders_to_the_same_bytes(golden_run: Path, references: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "renamed"
    shutil.copytree(golden_run, copy)
    render(golden_run, references)
    render(copy, references, tmp_path / "out")
    assert files(golden_run / "report") == files(tmp_path / "out")
    assert not (copy / "report").exists()


def test_rendering_again_replaces_the_report_and_removes_stale_files(
    golden_run: Path, references: Path
) -> None:
    render(golden_run, references)
    first = files(golden_run / "report")
    (golden_run / "report/csv/old.csv").write_text("old")
    (golden_run / "report/notes.txt").write_text("the user's own")
    render(golden_run, references)
    assert files(golden_run / "report") == first | {"notes.txt": "the user's own"}


def test_an_empty_directory_gives_a_report_of_what_is_missing(tmp_path: Path, references: Path) -> None:
    (tmp_path / "empty").mkdir()
    page = render(tmp_path / "empty", references).page.with_name("report.md").read_text()
    assert "no campaign was started (journal.sqlite is missing)" in page
    for name in ("proofs.json", "env/hosts.json", "env/aetool.json", "campaign.json"):
        assert f"{name} is missing" in page.replace("\\", "")
    assert "| Claims reproduced | **0 of 14** | 14 not run |" in page


def test_failed_and_unstarted_steps_are_listed_with_their_reasons(tmp_path: Path, references: Path) -> None:
    run = recorded.make_run(
        tmp_path / "run",
        failed={"hackbench-native-0-quick-2": "hackbench exited with status 1"},
        planned_only=["hackbench-native-0-quick-4"],
    )
    recorded.write(
        run, "stages.json", [{"name": "lab up", "status": "failed", "seconds": 1.5, "reason": "no bridge"}]
    )
    render(run, references)
    rows = {row[1]: row[2:] for row in csv.reader(io.StringIO((run / "report/csv/not-run.csv").read_text()))}
    assert rows["hackbench-native-0-quick-2"] == ["failed", "failed: hackbench exited with status 1"]
    assert rows["hackbench-native-0-quick-4"][0] == "planned"
    assert rows["lab up"] == ["failed", "no bridge"]
    summary = list(csv.DictReader(io.StringIO((run / "report/csv/summary.csv").read_text())))
    native = next(row for row in summary if row["id"] == "hackbench.quick.time.native.0")
    assert (native["n"], native["planned"]) == ("2", "4")


def test_a_damaged_file_is_reported_and_the_rest_is_still_shown(tmp_path: Path, references: Path) -> None:
    run = recorded.make_run(tmp_path / "run")
    (run / "proofs.json").write_text('{"passed": "perhaps"}')
    (run / "env/hosts.json").write_text("{")
    render(run, references)
    page = (run / "report/report.md").read_text().replace("\\", "")
    assert "proofs.json is not as expected: passed" in page
    assert "env/hosts.json cannot be read" in page
    assert "a lab that left no description" in page
    assert "hackbench, profile quick" in page


def test_a_damaged_journal_is_reported(tmp_path: Path, references: Path) -> None:
    run = recorded.make_run(tmp_path / "run", proofs=recorded.proofs(recorded.layer(5, "PTAlloc")))
    (run / "journal.sqlite").write_bytes(b"not a database, by any means" * 100)
    render(run, references)
    page = (run / "report/report.md").read_text().replace("\\", "")
    assert "journal.sqlite: is not a journal, or is damaged" in page
    assert str(run) not in page
    assert "PTAlloc" in page


class Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]
        assert not [name for name, _ in attrs if name.startswith("on")]


HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} $x$ | `a` [l](javascript:1)"
)


def test_hostile_text_anywhere_stays_text(tmp_path: Path, references: Path) -> None:
    series = recorded.Series("hackbench", "native", 0, {HOSTILE: [1.0, 1.1, 1.2]}, unit=HOSTILE)
    lab = {"provider": "netns", "emulated": True, "description": HOSTILE}
    tree = recorded.proofs(recorded.layer(5, HOSTILE))
    tree["theorems"][0] |= {"prose": HOSTILE, "statement": f"````{HOSTILE}", "assumptions": [HOSTILE]}
    run = recorded.make_run(
        tmp_path / "run", [series], failed={"hackbench-native-0-quick-3": HOSTILE}, proofs=tree, lab=lab
    )
    render(run, references)
    page = (run / "report/index.html").read_text()
    tags = Tags(page)
    assert tags.tags.count("script") == 1
    assert "img" not in tags.tags
    assert "{{ 7*7 }}" in page
    assert not [link for link in tags.links if link.startswith("javascript")]
    text = (run / "report/report.md").read_text()
    outside = re.sub(r"^(`{3,})coq$.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script>" not in outside.replace("\\<", "")
    assert "`````coq" in text
    for line in (run / "report/csv/samples.csv").read_text().splitlines():
        assert line.count("onerror") in (0, 2)


def test_the_page_refers_to_nothing_outside_of_itself(golden_run: Path, references: Path) -> None:
    page = render(golden_run, references).page.read_text()
    assert all(link.startswith(("#", "data:,")) for link in Tags(page).links)
    assert "@import" not in page and "url(http" not in page


def test_the_name_of_the_lab_is_in_the_title_of_each_benchmark_table_and_plot(
    golden_run: Path, references: Path
) -> None:
    page = render(golden_run, references).page.read_text()
    lab = "two Linux namespaces on one machine (lab netns, emulated)"
    for name in ("hackbench-quick", "redis-quick", "claims", "provenance", "hosts"):
        table = page[page.index(f'<table id="table-{name}">') :]
        assert lab in table[: table.index("</caption>")], name
    for plot in (golden_run / "report/plots").iterdir():
        assert lab in plot.read_text(), plot


def test_figures_that_nobody_verified_are_marked_wherever_they_stand(
    tmp_path: Path, references: Path
) -> None:
    micro = recorded.Series("micro", "kvm", 1, {"hypercall": [2300.0, 2310.0, 2290.0, 2305.0]}, unit="cycles")
    run = recorded.make_run(tmp_path / "run", [micro])
    render(run, references)
    table = list(csv.DictReader(io.StringIO((run / "report/csv/micro-quick.csv").read_text())))
    assert "2,275 cycles on m400 [sosp21, NOT VERIFIED: remembered]" in table[0]["Published"]


def test_ids_in_the_page_are_unique_although_it_holds_many_plots(golden_run: Path, references: Path) -> None:
    ids = re.findall(r'\bid="([^"]+)"', render(golden_run, references).page.read_text())
    assert len(ids) == len(set(ids))


def test_the_page_leaves_out_values_beyond_a_bound_says_so_and_the_csv_has_them_all(
    tmp_path: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aetool.report.sections.bench.RAW_SHOWN", 5)
    values = [1 + (n * 37 % 101) / 1000 for n in range(12)]
    run = recorded.make_run(tmp_path / "run", [recorded.Series("hackbench", "native", 0, {"time": values})])
    render(run, references)
    rows = list(csv.DictReader(io.StringIO((run / "report/csv/samples.csv").read_text())))
    assert sorted(float(row["value"]) for row in rows) == sorted(values)
    assert "The first 5 of 12 values; all are in csv/samples.csv." in (run / "report/index.html").read_text()


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path, references: Path) -> None:
    with pytest.raises(ConfigError, match="no such directory"):
        render(tmp_path / "nowhere", references)


def test_a_full_disk_is_one_clear_error(golden_run: Path, references: Path, full_disk: Path) -> None:
    (full_disk / "filler").write_bytes(b"x" * 1000 * 1024)
    with pytest.raises(StorageError, match="No space left"):
        render(golden_run, references, full_disk / "report")


def test_the_json_form_holds_the_numbers_of_the_tables(golden_run: Path, references: Path) -> None:
    from aetool.report.data import as_data

    data = json.loads(json.dumps(as_data(render(golden_run, references).results)))
    native = next(m for m in data["measurements"] if m["id"] == "hackbench.quick.time.native.0")
    assert native["repetitions"] == list(recorded.HACKBENCH.values["time"])
    assert {claim["verdict"] for claim in data["claims"]} >= {"reproduced", "not run", "not reproduced"}


def test_attempts_that_came_to_nothing_are_listed_though_their_step_has_a_result(
    tmp_path: Path, references: Path
) -> None:
    run = recorded.make_run(
        tmp_path / "run", [recorded.HACKBENCH], failed={"hackbench-native-0-quick-2": "lost"}
    )
    with Journal.open(run) as journal:
        journal.requeue("hackbench-native-0-quick-2", "the host is back")
        journal.begin("hackbench-native-0-quick-2", "server", "logs/again.log")
        journal.finish("hackbench-native-0-quick-2", [])
    render(run, references)
    rows = list(csv.reader(io.StringIO((run / "report/csv/retried.csv").read_text())))[1:]
    assert rows == [
        ["hackbench-native-0-quick-2", "1", "failed", "lost"],
        ["hackbench-native-0-quick-2", "2", "planned", "the host is back"],
    ]
