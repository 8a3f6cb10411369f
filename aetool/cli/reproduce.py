# SPDX-License-Identifier: Apache-2.0
"""`aetool reproduce`: the whole pipeline."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aetool.cli.main import emit


@click.command()
@click.option("--campaign", default="quick", show_default=True, help="Campaign in benchmarks/campaigns/.")
@click.option("--lab", default="netns", show_default=True, help="Lab to run on, as in cloudlab/.")
@click.option(
    "--run",
    "run_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run directory  [default: runs/reproduce-CAMPAIGN-N, gone on with if it exists]",
)
@click.option("--fresh", is_flag=True, help="Measure anew in a new run directory.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document, and no progress.")
def reproduce(campaign: str, lab: str, run_dir: Path | None, fresh: bool, as_json: bool) -> None:
    """Check the proofs, run a campaign, render the report; go on where an earlier attempt ended.

    Example: aetool reproduce --campaign quick
    """
    from aetool.core.project import project_root
    from aetool.report.terminal import terminal_summary
    from aetool.workflows.reproduce import reproduce as work
    from aetool.workflows.reproduce import run_directory

    root = project_root()
    place = run_dir or run_directory(root, campaign, fresh=fresh)
    done = work(root, place, campaign=campaign, lab=lab, fresh=fresh, quiet=as_json)
    if as_json:
        emit(
            {
                "run": str(done.run_dir),
                "report": str(done.page) if done.page else None,
                "stages": [asdict(stage) for stage in done.stages],
            }
        )
    else:
        click.echo(terminal_summary(done.run_dir))
        for stage in done.stages:
            click.echo(f"{stage.name:<14} {stage.status:<8} {stage.seconds:7.1f} s")
        if done.page:
            click.echo(f"report: {done.page}")
    if done.error:
        raise done.error
