# SPDX-License-Identifier: Apache-2.0
"""What was proved, layer by layer, what it rests on, and what is not there."""

from __future__ import annotations

from aetool.report.document import Cell, Column, Section, Statement, Table, Tone, number
from aetool.report.inputs import Run
from aetool.report.measure import count
from aetool.report.published import Published
from aetool.report.records import Part, Proofs, SourceFile
from aetool.report.sections.published import beside

_TONES: dict[str, Tone] = {"passed": "good", "closed": "good", "failed": "bad", "open": "bad"}


def proof_section(run: Run, published: Published) -> Section:
    """Layers, other parts of the tree, audit, files."""
    proofs = run.proofs
    if proofs is None:
        return Section("proofs", "Proofs", ("The proofs were not checked in this run.",))
    layers = proofs.layers
    passed = sum(part.status == "passed" for part in layers)
    prose = (
        f"{passed} of the {proofs.layers_total} layers of the published proof were checked by"
        f" coqc {proofs.coq or '(version not recorded)'}; {len(proofs.absent)} of them are not in the tree."
        " A layer has passed when every one of its files has been compiled, or was found unchanged since it"
        " was; one that lacks a file is incomplete. Seconds are of the last real compilation.",
    )
    tables = [_layer_table(proofs)]
    others = [part for part in proofs.parts if part.kind != "layer"]
    if others:
        tables.append(_part_table(others))
    tables.append(_audit_table(proofs))
    effort = _effort_table(proofs, published)
    tables += [effort, _file_table(proofs)] if effort else [_file_table(proofs)]
    return Section("proofs", "Proofs", prose, tuple(tables))


def theorem_section(run: Run) -> Section:
    """Every headline theorem: prose reading, statement, what it rests on."""
    theorems = run.proofs.theorems if run.proofs else ()
    if not theorems:
        return Section("theorems", "Theorems", ("This run lists no theorems.",))
    closed = sum(theorem.status == "closed" for theorem in theorems)
    prose = (
        f"{closed} of {count(len(theorems), 'theorem')} are closed under the global context: they rest on no"
        " axiom, only on the definitions that their statements name. A witness shows that a statement's"
        " premises can be met.",
    )
    statements = tuple(
        Statement(
            t.name,
            t.claim or "",
            t.prose or "",
            t.statement or "",
            _status(t.status),
            t.assumptions,
            t.witnesses,
        )
        for t in theorems
    )
    return Section("theorems", "Theorems", prose, statements)


def _layer_table(proofs: Proofs) -> Table:
    columns = (
        Column("Layer"),
        Column("#", "number"),
        Column("Group"),
        Column("Status"),
        Column("Seconds", "number"),
        Column("C lines", "number"),
        Column("Specification", "number"),
        Column("Proof", "number"),
        Column("Functions", "number"),
    )
    rows: list[tuple[int, tuple[Cell, ...]]] = []
    for part in proofs.layers:
        cells = (
            Cell(part.name),
            _count(part.number),
            Cell(part.group or "–"),
            _status(part.status),
            _seconds(part.seconds),
            _count(part.lines_c),
            _count(part.lines_spec),
            _count(part.lines_proof),
            _count(len(part.functions)),
        )
        rows.append((part.number or 0, cells))
    for missing in proofs.absent:
        blank = (Cell("–"),) * 5
        cells = (
            Cell(missing.name),
            _count(missing.number),
            Cell("–"),
            Cell("not in the tree", tone="warn"),
            *blank,
        )
        rows.append((missing.number, cells))
    rows.sort(key=lambda row: -row[0])
    notes = (
        "Lines of specification and proof are lines of the Coq files; functions are those of the C file.",
    )
    return Table("layers", "The layers, top first", columns, tuple(cells for _, cells in rows), notes)


def _part_table(parts: list[Part]) -> Table:
    columns = (
        Column("Part"),
        Column("Kind"),
        Column("What it is"),
        Column("Status"),
        Column("Seconds", "number"),
        Column("Specification", "number"),
        Column("Proof", "number"),
    )
    rows = tuple(
        (
            Cell(part.name),
            Cell(part.kind),
            Cell(part.title or "–"),
            _status(part.status),
            _seconds(part.seconds),
            _count(part.lines_spec),
            _count(part.lines_proof),
        )
        for part in parts
    )
    return Table("parts", "Libraries, machine and theories", columns, rows)


def _audit_table(proofs: Proofs) -> Table:
    columns = (Column("Check"), Column("Result"), Column("Detail"))
    checks = proofs.audit.checks if proofs.audit else ()
    rows = tuple(
        (
            Cell(check.name),
            Cell("passed", tone="good") if check.passed else Cell("failed", tone="bad"),
            Cell(check.detail or "–"),
        )
        for check in checks
    )
    notes = () if proofs.audit else ("The audit was not run.",)
    return Table("audit", "Audit: what the proofs must not rest on", columns, rows, notes)


def _effort_table(proofs: Proofs, published: Published) -> Table | None:
    def total(parts: list[Part], *fields: str) -> int:
        return sum(getattr(part, field) or 0 for part in parts for field in fields)

    own = {
        "c_lines": ("C of the layers", total(proofs.layers, "lines_c")),
        "sc_lines": (
            "Coq but for the wDRF theory",
            total([p for p in proofs.parts if p.kind != "wdrf"], "lines_spec", "lines_proof"),
        ),
        "wdrf_lines": (
            "Coq of the wDRF theory",
            total([p for p in proofs.parts if p.kind == "wdrf"], "lines_spec", "lines_proof"),
        ),
    }
    rows = []
    for metric, (label, lines) in own.items():
        found = [f for f in published.figures if f.suite == "proofs" and f.metric == metric]
        rows.append((Cell(label), _count(lines), beside(found)))
    notes = ("The published proof is another development; its size is given for scale, not for comparison.",)
    columns = (Column("Part"), Column("Lines in this tree", "number"), Column("Published"))
    return Table("effort", "Size of the proof", columns, tuple(rows), notes) if proofs.parts else None


def _file_table(proofs: Proofs) -> Table:
    columns = (
        Column("File", "code"),
        Column("Part"),
        Column("Status"),
        Column("Seconds", "number"),
        Column("Lines", "number"),
    )
    rows = tuple(_file_row(part, file) for part in proofs.parts for file in part.files)
    return Table("files", "Every file that coqc was given", columns, rows, folded=True)


def _file_row(part: Part, file: SourceFile) -> tuple[Cell, ...]:
    return (
        Cell(file.path),
        Cell(part.name),
        _status(file.status),
        _seconds(file.seconds),
        _count(file.lines),
    )


def _status(status: str) -> Cell:
    return Cell(status, tone=_TONES.get(status, "warn"))


def _seconds(value: float | None) -> Cell:
    return Cell("–" if value is None else f"{value:.1f}", value)


def _count(value: int | None) -> Cell:
    return Cell(number(value) if value is not None else "–", value)
