# SPDX-License-Identifier: Apache-2.0
"""Tables and plots that need several configurations; LaTeX and Markdown that cannot be broken by data."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import recorded_runs as recorded
from hypothesis import given
from hypothesis import strategies as st

from aetool.report.document import Cell, Column, Table, interval, number, slug
from aetool.report.latex import escape_latex
from aetool.report.write import escape_markdown, fence, render, table_csv

SPREAD = (1.0, 1.01, 0.99, 1.005)


def scaled(
    suite: str, configuration: str, vms: int, metrics: dict[str, float], unit: str = "s"
) -> recorded.Series:
    values = {metric: [v * s for s in SPREAD] for metric, v in metrics.items()}
    return recorded.Series(suite, configuration, vms, values, unit)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, references: Path) -> Path:
    """A report of hackbench on native, KVM and SeKVM with 1, 2 and 4 VMs, and of the microbenchmarks."""
    series = [scaled("hackbench", "native", 0, {"time": 1.0})]
    for vms in (1, 2, 4):
        series.append(scaled("hackbench", "kvm", vms, {"time": 1.1 * vms}))
        series.append(scaled("hackbench", "sekvm", vms, {"time": 1.2 * vms}))
    costs = {"hypercall": 2000.0, "io_kernel": 3000.0}
    series.append(scaled("micro", "kvm", 1, costs, "cycles"))
    series.append(scaled("micro", "sekvm", 1, {name: 2 * cost for name, cost in costs.items()}, "cycles"))
    run = recorded.make_run(tmp_path_factory.mktemp("many") / "run", series)
    render(run, references)
    return run / "report"


def rows(report: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((report / f"csv/{name}.csv").read_text())))


def test_configurations_stand_side_by_side_in_one_row_a_number_of_vms(many: Path) -> None:
    found = rows(many, "hackbench-quick-side")
    assert [row["VMs"] for row in found] == ["1", "2", "4"]
    assert list(found[0])[3:7] == ["native", "kvm", "sekvm", "sekvm against kvm"]
    for row in found:
        assert row["sekvm against kvm"].startswith("1.091 (")


def test_the_microbenchmark_table_has_the_published_quotient_beside_the_measured_one(many: Path) -> None:
    hypercall = rows(many, "micro-quick-side")[0]
    assert hypercall["sekvm against kvm"].startswith("2.000 (")
    published = hypercall["Published sekvm against kvm"]
    assert published.startswith("2.06 on m400 [sosp21, NOT VERIFIED: remembered]; 1.28 on seattle")


def test_several_numbers_of_vms_are_drawn_as_curves_that_do_not_rely_on_colour(many: Path) -> None:
    plot = (many / "plots/hackbench-quick-vms.svg").read_text()
    assert "concurrent VMs" in plot and ">kvm<" in plot and ">sekvm<" in plot
    assert "stroke-dasharray" in plot
    assert not (many / "plots/micro-quick-vms.svg").exists()
    page = (many / "index.html").read_text()
    assert "time kvm: 1 VM 1.100, 2 VMs 2.200, 4 VMs 4.400" in page


def test_each_open_table_is_a_latex_table_with_as_many_cells_as_headings(many: Path) -> None:
    files = sorted((many / "tex").iterdir())
    assert {"hackbench-quick.tex", "micro-quick-side.tex", "claims.tex"} <= {path.name for path in files}
    for path in files:
        text = path.read_text()
        shape = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)
        assert shape is not None
        for line in text.splitlines():
            if line.endswith(r"\\"):
                assert len(re.findall(r"(?<!\\)&", line)) == len(shape[1]) - 1, line


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex on this machine")
def test_the_latex_tables_compile(many: Path, tmp_path: Path) -> None:
    body = "".join(f"\\input{{{path}}}\n" for path in sorted((many / "tex").iterdir()))
    packages = r"\usepackage{booktabs}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}"
    (tmp_path / "all.tex").write_text(
        f"\\documentclass{{article}}{packages}\\begin{{document}}{body}\\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)


@given(st.text())
def test_no_text_acts_as_latex_markup(text: str) -> None:
    escaped = escape_latex(text)
    for command in (r"\textbackslash{}", r"\textasciitilde{}", r"\textasciicircum{}", r"\textless{}"):
        escaped = escaped.replace(command, "")
    for command in (r"\textgreater{}", r"\textbar{}", r"\textquotedbl{}", r"\(\times\)"):
        escaped = escaped.replace(command, "")
    assert not re.search(r"(?<!\\)[&%$#_{}^]", escaped)
    assert not re.search(r"\\[^&%$#_{}]", escaped)


@given(st.text())
def test_no_text_breaks_out_of_a_cell_of_markdown(text: str) -> None:
    escaped = escape_markdown(text)
    assert len(escaped.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*[|<>`*_\[\]]", escaped)


@given(st.text(alphabet="`a\n", max_size=40))
def test_no_text_closes_its_fence(text: str) -> None:
    opening, *body, closing = fence(text).split("\n")
    assert opening == f"{closing}coq"
    assert all(not line.startswith(closing) for line in body)


def test_csv_cells_hold_full_numbers_and_no_formulas() -> None:
    columns = (Column("a"), Column("b", "number"))
    table = Table("t", "c", columns, ((Cell("=1+1"), Cell("1,234", 1234.5678)), (Cell("–"), Cell("–"))))
    assert table_csv(table) == "a,b\n'=1+1,1234.5678\n–,–\n"


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 under 2 headings"):
        Table("t", "c", (Column("a"), Column("b")), ((Cell("x"),),))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (0, "0"), (34, "34"), (0.0, "0"), (1.05, "1.050"), (2.0, "2.000"), (0.5123456, "0.5123"),
        (812345.6, "812,346"), (-3.5, "-3.500"), (9.99999, "10.00"), (1.5e-7, "1.500e-07"),
        (2e12, "2.000e+12"),
    ],
)  # fmt: skip
def test_numbers_are_written_with_four_digits_that_mean_something(value: float | None, text: str) -> None:
    assert number(value) == text


def test_an_interval_needs_both_of_its_ends() -> None:
    assert interval(1.0, 2.0) == "1.000 to 2.000"
    assert interval(None, 2.0) == "–"


@given(st.text())
def test_a_slug_is_a_harmless_file_name(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", slug(text))
