# SPDX-License-Identifier: Apache-2.0
"""Tables as LaTeX (booktabs), to be read into a paper by \\input; no character of the text acts as markup."""

from __future__ import annotations

from aetool.report.document import Table

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "“": "``",
    "”": "''",
    "×": r"\(\times\)",
    "\u00a0": "~",
} | {character: f"\\{character}" for character in "&%$#_{}"}


def escape_latex(text: str) -> str:
    """Make text harmless in LaTeX."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def table_tex(table: Table) -> str:
    """Return a table environment; it needs \\usepackage{booktabs} (and [T1]{fontenc} for quotes)."""
    shape = "".join("r" if column.kind == "number" else "l" for column in table.columns)
    lines = [
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{escape_latex(table.caption)}}}",
        f"  \\label{{tab:{table.name}}}",
        f"  \\begin{{tabular}}{{{shape}}}",
        r"    \toprule",
        _row([column.name for column in table.columns]),
        r"    \midrule",
        *(_row([cell.text for cell in row]) for row in table.rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        *(f"  \\par\\footnotesize {escape_latex(note)}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return f"    {' & '.join(escape_latex(' '.join(cell.split())) for cell in cells)} \\\\"
