# SPDX-License-Identifier: Apache-2.0
"""How a published figure is shown: always with its machine, its source, and whether anybody checked it."""

from __future__ import annotations

from collections.abc import Sequence

from aetool.report.document import Cell
from aetool.report.published import Checked, PublishedFigure


def beside(figures: Sequence[PublishedFigure]) -> Cell:
    """Return the cell that stands beside a measured number."""
    if not figures:
        return Cell("none known", tone="quiet")
    texts = []
    for figure in figures:
        unit = f" {figure.unit}" if figure.unit else ""
        what = "× native" if figure.quantity == "slowdown" else ""
        texts.append(
            f"{figure.value:,.12g}{unit}{what} on {figure.machine} [{figure.source}, {standing(figure)}]"
        )
    return Cell("; ".join(texts), figures[0].value, "" if all(f.verified for f in figures) else "warn")


def standing(item: Checked) -> str:
    """Say in a few words how far something published was checked."""
    return f"checked: {item.mark}" if item.verified else f"NOT VERIFIED: {item.mark}"
