# SPDX-License-Identifier: Apache-2.0
"""Runs a notebook twice: in the Coq kernel, as a reader would, and sentence by sentence through coqidetop.

The kernel answers `ok` to a sentence that Coq refuses and says so only in the metadata of the cell's output,
and it guesses where sentences end; so neither its answer nor its view alone is taken for granted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aetool.core.errors import ProofError
from aetool.core.progress import Progress, Silent
from aetool.proofs.coqtop import Coqtop, SentenceError
from aetool.proofs.pages_source import Code, fragments

if TYPE_CHECKING:
    from nbformat import NotebookNode

CELL_SECONDS = 600
EVALUATED = "coq_kernel_evaluated"


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all code cells in the kernel, in `folder`, and keep their outputs in the notebook.

    Raises ProofError naming the first cell that Coq refuses, or in which the kernel dies.
    """
    import asyncio

    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    try:
        asyncio.run(_in_kernel(notebook, folder))
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        number, cell = _first_without_result(notebook)
        raise ProofError(
            f"the Coq kernel stopped at cell {number} of the notebook", detail=f"{cell.source}\n\n{error}"
        ) from error
    for number, cell in enumerate(notebook.cells, start=1):
        # the time of day would make every run a new file
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            _check_cell(number, cell)


def _first_without_result(notebook: NotebookNode) -> tuple[int, NotebookNode]:
    numbered = list(enumerate(notebook.cells, start=1))
    return next(
        (pair for pair in numbered if pair[1].cell_type == "code" and not pair[1].outputs), numbered[-1]
    )


async def _in_kernel(notebook: NotebookNode, folder: Path) -> None:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory(prefix="aetool-kernel-") as place:
        # a kernel of our own, reached through sockets that are files: nothing is installed, no port is open
        spec = Path(place) / "coq"
        spec.mkdir()
        argv = [sys.executable, "-m", "aetool.proofs.notebook_kernel", "-f", "{connection_file}"]
        (spec / "kernel.json").write_text(
            json.dumps({"argv": argv, "display_name": "Coq", "language": "coq"})
        )
        manager = AsyncKernelManager(
            kernel_name="coq",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[place], ensure_native_kernel=False),
            transport="ipc",
            ip=str(Path(place) / "channel"),
        )
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=CELL_SECONDS,
            resources={"metadata": {"path": str(folder)}},
            allow_errors=True,
            shutdown_kernel="immediate",
        )
        await client.async_execute(cleanup_kc=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _check_cell(number: int, cell: NotebookNode) -> None:
    results = [output for output in cell.outputs if EVALUATED in output.get("metadata", {})]
    if results and all(output.metadata[EVALUATED] is True for output in results):
        return
    text = "\n".join(output.data.get("text/plain", "") for output in results)
    raise ProofError(
        f"cell {number} of the notebook fails in the Coq kernel",
        detail=f"{cell.source}\n\n{text or 'the kernel gave no result'}",
    )


def check(notebook: NotebookNode, folder: Path, progress: Progress | None = None) -> int:
    """Run all code cells through coqidetop, in `folder`; returns the number of sentences.

    Raises ProofError naming the first cell with a sentence that Coq refuses, or that is not complete.
    """
    progress = progress or Silent()
    done = 0
    with Coqtop([], cwd=folder) as coqtop:
        for number, cell in enumerate(notebook.cells, start=1):
            if cell.cell_type != "code":
                continue
            try:
                for part in fragments(cell.source.encode()):
                    if isinstance(part, Code):
                        coqtop.step(part.text)
                        done += 1
            except SentenceError as error:
                raise ProofError(
                    f"cell {number} of the notebook fails: {error.message}",
                    detail=f"{error.text}\n\n{error.answer}",
                ) from error
            except ValueError as error:
                raise ProofError(f"cell {number} of the notebook: {error}", detail=cell.source) from error
            progress.advance(f"cell {number}")
    return done
