# SPDX-License-Identifier: Apache-2.0
"""`aetool proofs mutate`: do the proofs of a layer notice a wrong C file?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from aetool.proofs.mutate import Report


@click.command()
@click.argument("layer")
@click.option("--sample", type=click.IntRange(1), help="Try only this many mutants, of all kinds in turn.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which ones a sample takes.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="How many at a time.  [default: all cores]")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def mutate(layer: str, sample: int | None, seed: int, jobs: int | None, as_json: bool) -> None:
    """Change the C of LAYER in small wrong ways; each change must make a proof or a test fail.

    A change that makes no difference in any run may be listed, with a reason, in the layer's mutants.yaml.
    Fails if another change survives.

    Example: aetool proofs mutate PTAlloc --sample 10
    """
    from aetool.cli.main import emit
    from aetool.core.errors import AuditError
    from aetool.core.progress import progress
    from aetool.core.project import project_root
    from aetool.proofs.clight import find_source
    from aetool.proofs.mutate import Verdict
    from aetool.proofs.mutate import mutate as run
    from aetool.proofs.mutate_source import mutants
    from aetool.proofs.store import default_store

    proofs = project_root() / "proofs"
    # at most: some may be outside the subset
    total = len(mutants(find_source(proofs, layer).read_text(encoding="utf-8")))
    with progress(f"mutants of {layer}", min(total, sample or total), quiet=as_json) as bar:
        report = run(proofs, layer, bar, jobs=jobs, sample=sample, seed=seed, store=default_store())
    survived = report.of(Verdict.SURVIVED)
    if as_json:
        emit(as_data(report))
    else:
        original = report.source.read_text(encoding="utf-8")
        for result in survived:
            click.echo(f"survived: {result.mutant.kind} in {result.mutant.function}")
            click.echo(result.mutant.diff(original, report.source.name) + "\n")
        counts = ", ".join(f"{len(report.of(verdict))} {verdict}" for verdict in Verdict)
        click.echo(f"{layer}: {len(report.results)} of {report.generated} mutants tried: {counts}")
    if survived:
        raise AuditError(
            f"{layer}: no proof and no test notices {len(survived)} of {len(report.results)} mutants",
            hint=f"strengthen the specification, or give a reason in layers/{layer}/mutants.yaml",
        )


def as_data(report: Report) -> dict[str, Any]:
    """The report as a JSON document."""
    return {
        "layer": report.layer,
        "generated": report.generated,
        "tried": len(report.results),
        "mutants": [
            {
                "function": result.mutant.function,
                "kind": result.mutant.kind,
                "line": result.mutant.line,
                "before": result.mutant.before,
                "after": result.mutant.after,
                "verdict": str(result.verdict),
                "where": result.where,
                "seconds": round(result.seconds, 3),
            }
            for result in report.results
        ],
    }
