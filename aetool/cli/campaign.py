# SPDX-License-Identifier: Apache-2.0
"""`aetool campaign`: plan, run, resume and inspect benchmark campaigns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aetool.cli.main import emit

if TYPE_CHECKING:
    from aetool.workflows.campaign import Run

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT = "quick"
LAB = "netns"

_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON document, and no progress.")
_lab = click.option("--lab", default=LAB, show_default=True, help="Lab to run on, as in cloudlab/.")
_profile = click.option("--profile", help="Use this profile of the suites instead of the campaign's.")
_name = click.argument("name", default=DEFAULT)


def _run_dir(function: F) -> F:
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option("--run", "run_dir", type=kind, help="Run directory (default: the latest in runs/).")(
        function
    )


@click.group()
def campaign() -> None:
    """Run, resume and inspect benchmark campaigns (benchmarks/campaigns/NAME.yaml).

    Example: aetool campaign run quick
    """


@campaign.command()
@_name
@_lab
@_profile
@_json
def plan(name: str, lab: str, profile: str | None, as_json: bool) -> None:
    """Show what the campaign NAME would do, and touch nothing.

    Example: aetool campaign plan paper
    """
    from aetool.bench.definitions import resolve
    from aetool.bench.forecast import forecast
    from aetool.bench.plan import plan as steps_of
    from aetool.core.project import project_root

    resolved = resolve(project_root(), name, lab=lab, profile=profile)
    steps, expected = steps_of(resolved), forecast(resolved)
    if as_json:
        emit({"steps": [asdict(step) for step in steps], "forecast": asdict(expected)})
        return
    for step in steps:
        click.echo(step.key)
    for line in expected.lines():
        click.echo(line)


@campaign.command()
@_name
@click.option(
    "--run",
    "run_dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="New run directory (default: runs/NAME-TIME).",
)
@_lab
@_profile
@_json
def run(name: str, run_dir: Path | None, lab: str, profile: str | None, as_json: bool) -> None:
    """Run the campaign NAME from its beginning; the lab must be up.

    Exits with 6 if a step failed, with 5 if a host was lost for good; `resume` goes on from there.

    Example: aetool lab up && aetool campaign run quick
    """
    from aetool.core.project import project_root
    from aetool.workflows.campaign import start

    _finish(start(project_root(), name, lab=lab, profile=profile, run_dir=run_dir, quiet=as_json), as_json)


@campaign.command()
@_run_dir
@click.option("--retry-failed", is_flag=True, help="Run the steps that have failed once more, too.")
@_json
def resume(run_dir: Path | None, retry_failed: bool, as_json: bool) -> None:
    """Go on with a run that was interrupted, killed, or lost a host.

    Steps that are done are not repeated; what was under way is measured again from its beginning.

    Example: aetool campaign resume --run runs/quick-20260101T120000Z
    """
    from aetool.core.project import project_root
    from aetool.workflows.campaign import latest
    from aetool.workflows.campaign import resume as go_on

    root = project_root()
    _finish(go_on(root, run_dir or latest(root), retry_failed=retry_failed, quiet=as_json), as_json)


@campaign.command()
@_run_dir
@_json
def status(run_dir: Path | None, as_json: bool) -> None:
    """Show how far a run has got; works while it is going on, too.

    Example: aetool campaign status --json
    """
    from aetool.bench.campaign import outcome
    from aetool.core.journal import Journal
    from aetool.core.project import project_root
    from aetool.workflows.campaign import latest

    place = run_dir or latest(project_root())
    with Journal.open(place, readonly=True) as journal:
        result, steps, samples = outcome(journal), journal.steps(), len(journal.samples())
    if as_json:
        emit({
            "run": str(place),
            "counts": dict(result.counts),
            "samples": samples,
            "steps": [asdict(step) for step in steps],
        })  # fmt: skip
        return
    counts = ", ".join(f"{count} {state}" for state, count in result.counts.items() if count)
    click.echo(f"{place}: {counts}; {samples} samples")
    for step in result.unfinished:
        reason = f": {step.reason}" if step.reason else ""
        click.echo(f"  {step.key}: {step.state}, attempt {step.attempt}{reason}")


def _finish(done: Run, as_json: bool) -> None:
    """Say what has come of a run, and raise if something is missing from it."""
    if as_json:
        emit({"run": str(done.run_dir), "counts": dict(done.outcome.counts)})
    else:
        click.echo(f"{done.run_dir}: {done.outcome.counts['done']} steps done")
    done.outcome.require_success(done.run_dir)
