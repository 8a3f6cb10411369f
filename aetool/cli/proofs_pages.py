# SPDX-License-Identifier: Apache-2.0
"""`aetool proofs pages`: the proofs as linked pages with goals."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.command()
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("pages"),
    show_default=True,
    help="The folder to write to.",
)
@click.option("-j", "--jobs", type=click.IntRange(1), help="Files at a time.  [default: all cores]")
def pages(out: Path, jobs: int | None) -> None:
    """Write the proofs as linked HTML, with what Coq shows at each sentence, and an index that explains them.

    The tree is built first. Only files that changed, or whose dependencies did, go through Coq again.

    Example: aetool proofs pages -o pages
    """
    from aetool.core.progress import progress
    from aetool.core.project import project_root
    from aetool.proofs.build import Options, build, prepare
    from aetool.proofs.pages import read_pages, write_pages
    from aetool.proofs.plan import Request
    from aetool.proofs.store import default_store
    from aetool.proofs.tree import load_tree

    proofs = project_root() / "proofs"
    tree = load_tree(proofs)
    total = len(tree.project.files)
    options = Options(jobs=jobs, keep_going=True, store=default_store())
    with progress("proofs", total) as bar:
        result = build(proofs, Request(), options, bar)
    with progress("pages", total) as bar, prepare(proofs, Request(), options) as prepared:
        read = read_pages(prepared, jobs or os.cpu_count() or 1, bar)
    written = write_pages(tree, read, out)
    click.echo(f"{out / 'index.html'}: {written.pages} pages, {written.changed} files written")
    error = result.error()
    if error is not None:
        raise error
