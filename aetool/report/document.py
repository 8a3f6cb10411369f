# SPDX-License-Identifier: Apache-2.0
"""What a report consists of, apart from how it looks: sections of prose, tables and figures.

Every table is built once and written as HTML, Markdown, CSV and LaTeX from the same cells, so that the
four cannot disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar, Literal

Tone = Literal["", "good", "bad", "warn", "quiet"]
Kind = Literal["text", "number", "code", "wide"]


@dataclass(frozen=True)
class Cell:
    """What a reader sees (`text`), what a column is sorted by (`value`), and how it is coloured."""

    text: str
    value: float | None = None
    tone: Tone = ""


@dataclass(frozen=True)
class Column:
    """A heading; the first column of a table heads its rows."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table; `name` is unique in the report and names its CSV file; `notes` stand below it."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    folded: bool = False
    kind: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.name}: a row of {len(row)} under {len(self.columns)} headings")


@dataclass(frozen=True)
class Figure:
    """A plot as SVG text; `description` says in words what is drawn, for who cannot see it."""

    name: str
    caption: str
    description: str
    svg: str
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Statement:
    """A theorem as a reader meets it: prose first, then the formal statement."""

    name: str
    claim: str
    prose: str
    statement: str
    status: Cell
    assumptions: tuple[str, ...]
    witnesses: tuple[str, ...]
    kind: ClassVar[str] = "statement"


@dataclass(frozen=True)
class Section:
    """A part of the report: prose, then its blocks."""

    name: str
    title: str
    prose: tuple[str, ...] = ()
    blocks: tuple[Table | Figure | Statement, ...] = ()


@dataclass(frozen=True)
class Fact:
    """One line of the summary on top: a number or verdict and what it is about."""

    label: str
    value: str
    detail: str
    tone: Tone = ""


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    subtitle: str
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    footer: tuple[str, ...] = field(default=())

    @property
    def tables(self) -> list[Table]:
        """All tables in the order of the report."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Table)]

    @property
    def figures(self) -> list[Figure]:
        """All figures in the order of the report."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Figure)]


def slug(text: str) -> str:
    """Return text as something that can name a file and an element of a page."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "unnamed"


def plain(value: float) -> str:
    """Write a number for programs, to 12 digits: the last ones differ between processors."""
    return f"{value:.12g}"


def number(value: float | None, digits: int = 4) -> str:
    """Write a number with that many significant digits, without an exponent where it can be avoided."""
    if value is None:
        return "–"
    if value == 0 or isinstance(value, int):
        return f"{value:,}" if value else "0"
    mantissa = f"{value:.{digits - 1}e}"
    if not 1e-4 <= abs(value) < 1e9:
        return mantissa
    return f"{value:,.{max(digits - 1 - int(mantissa.split('e')[1]), 0)}f}"


def interval(low: float | None, high: float | None, digits: int = 4) -> str:
    """Write an interval, or a dash where there is none."""
    return "–" if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"
