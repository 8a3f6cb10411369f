# SPDX-License-Identifier: Apache-2.0
"""`aetool proofs notebook`: a notebook that walks a layer."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("layer")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to.  [default: LAYER.ipynb]"
)
@click.option("--run", "execute_it", is_flag=True, help="Execute it, and fail if Coq refuses a sentence.")
def notebook(layer: str, out: Path | None, execute_it: bool) -> None:
    """Write a notebook for the Coq kernel that walks LAYER: prose, C code, specification, proofs.

    With --run the layer is built, the notebook is executed in the kernel and kept with its outputs, and is
    checked once more without the kernel.

    Example: aetool proofs notebook PTAlloc --run -o PTAlloc.ipynb
    """
    from aetool.core.progress import progress
    from aetool.core.project import project_root
    from aetool.proofs.build import Options, build
    from aetool.proofs.notebook import compose, write
    from aetool.proofs.notebook_run import check, execute
    from aetool.proofs.plan import Request
    from aetool.proofs.store import default_store

    proofs = project_root() / "proofs"
    path = out or Path(f"{layer}.ipynb")
    folder = path.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    composed = compose(proofs, layer, folder)
    cells = sum(cell.cell_type == "code" for cell in composed.cells)
    if execute_it:
        error = build(proofs, Request((layer,)), Options(store=default_store())).error()
        if error is not None:
            raise error
        with progress(f"notebook of {layer}", cells) as bar:
            sentences = check(composed, folder, bar)
            bar.say(f"{sentences} sentences hold; now in the kernel")
            execute(composed, folder)
    write(composed, path)
    click.echo(f"{path}: {cells} code cells" + (", all executed" if execute_it else ""))
