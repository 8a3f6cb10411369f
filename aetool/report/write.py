# SPDX-License-Identifier: Apache-2.0
"""The document as files: one HTML page, Markdown, JSON, a CSV and a LaTeX file a table, an SVG a plot.

Equal run directories give equal bytes wherever they lie: no clock, no path of this machine, no chance.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from aetool.core.errors import AetoolError, StorageError
from aetool.core.process import storage_error, write_file
from aetool.report.build import Results, build, compute
from aetool.report.compare import comparison_section
from aetool.report.data import as_data
from aetool.report.document import Document, Table, plain
from aetool.report.drawing import inline
from aetool.report.inputs import load_run
from aetool.report.latex import table_tex
from aetool.report.published import load_references

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Rendered:
    """Where the report lies, and what it was made of."""

    page: Path
    files: tuple[Path, ...]
    results: Results
    other: Results | None


def render(
    run_dir: Path, references: Path, out: Path | None = None, *, against: Path | None = None
) -> Rendered:
    """Write the report of a run directory into `out` (its own report/ by default).

    references: the folder with published.yaml and claims.yaml; against: another run to compare with.
    Files of an earlier report that this one does not have are removed. Raises ConfigError, StorageError.
    """
    known = load_references(references)
    results = compute(load_run(run_dir), *known)
    other = compute(load_run(against), *known) if against else None
    target = out or run_dir / "report"
    contents = render_files(results, other)
    _clear(target, contents)
    try:
        for folder in {(target / name).parent for name in contents}:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(target, error) from error
    for name, text in contents.items():
        write_file(target / name, text)
    return Rendered(target / "index.html", tuple(target / name for name in contents), results, other)


def render_files(results: Results, other: Results | None = None) -> dict[str, str]:
    """Return the report as relative paths and texts, compared with another run if one is given."""
    document = build(results)
    if other is not None:
        compared = (*document.sections, comparison_section(results, other))
        document = replace(document, sections=compared)
    files = {
        "index.html": html(document),
        "report.md": markdown(document),
        "report.json": _json(results, other),
        "csv/samples.csv": _samples(results.run.samples),
        "csv/summary.csv": _summary(results),
    }
    files |= {f"csv/{table.name}.csv": table_csv(table) for table in document.tables}
    files |= {f"tex/{table.name}.tex": table_tex(table) for table in document.tables if not table.folded}
    files |= {f"plots/{figure.name}.svg": figure.svg for figure in document.figures}
    return files


def _json(results: Results, other: Results | None) -> str:
    return json.dumps(as_data(results, other), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def html(document: Document) -> str:
    """Return the page: one file, no reference to any other."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_unbroken,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = plain
    return environment.get_template("report.html.j2").render(
        document=document,
        figures={figure.name: Markup(inline(figure)) for figure in document.figures},
        style=Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8")),
        script=Markup((_TEMPLATES / "sort.js").read_text(encoding="utf-8")),
    )


def _unbroken(value: object) -> object:
    """Keep a number and its percent sign on one line (in text, not in the style sheet or a plot)."""
    return value.replace(" %", "\u00a0%") if type(value) is str else value


def markdown(document: Document) -> str:
    """Return the report as Markdown with pipe tables; figures are links to the SVG files."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["md"] = escape_markdown
    environment.filters["fence"] = fence
    return environment.get_template("report.md.j2").render(document=document)


def escape_markdown(text: str) -> str:
    """Make text harmless in Markdown prose and cells: no markup, no HTML, no line break."""
    return re.sub(r"([\\`*_\[\]<>|#&~])", r"\\\1", " ".join(text.split()))


def fence(text: str) -> str:
    """Return text as a fenced block that nothing inside can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    bar = "`" * max(longest + 1, 3)
    return f"{bar}coq\n{text}\n{bar}"


def table_csv(table: Table) -> str:
    """Return a table as CSV, with numbers unrounded where a cell has one."""
    rows = [[_plain(cell.text, cell.value) for cell in row] for row in table.rows]
    return _csv([[column.name for column in table.columns], *rows])


def _plain(text: str, value: float | None) -> str:
    if value is not None and re.fullmatch(r"[-\d.,e+]+", text):
        return plain(value)
    # a spreadsheet must not run a cell as a formula
    return f"'{text}" if text[:1] in ("=", "+", "@", "-", "\t") and len(text) > 1 else text


def _samples(samples: pd.DataFrame) -> str:
    return str(samples.to_csv(index=False, lineterminator="\n"))


def _summary(results: Results) -> str:
    header = (
        "id suite profile metric unit better configuration vms n planned mean low high method arithmetic_mean"
    )
    rows: list[list[str]] = [
        [*header.split(), "slowdown", "slowdown_low", "slowdown_high", "slowdown_method"]
    ]
    for m in results.found:
        e, s = m.estimate, m.slowdown
        cells = [m.id, m.suite, m.profile, m.metric, m.unit, m.better, m.configuration, m.vms, e.n, m.planned]
        cells += [e.centre, e.low, e.high, e.method, e.arithmetic]
        cells += [s.value, s.low, s.high, s.method] if s else [None] * 4
        rows.append([_field(cell) for cell in cells])
    return _csv(rows)


def _field(cell: object) -> str:
    if cell is None:
        return ""
    return plain(cell) if isinstance(cell, float) else str(cell)


def _csv(rows: list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def _clear(target: Path, contents: dict[str, str]) -> None:
    """Remove what an earlier report left in its folders and this one will not overwrite."""
    if target.exists() and not target.is_dir():
        raise AetoolError(f"{target}: is a file", hint="give another directory with --out")
    for folder, suffix in (("csv", ".csv"), ("tex", ".tex"), ("plots", ".svg")):
        for path in sorted((target / folder).glob(f"*{suffix}")):
            if f"{folder}/{path.name}" not in contents:
                try:
                    path.unlink()
                except OSError as error:
                    raise StorageError(f"{path}: cannot be removed: {error.strerror}") from error
