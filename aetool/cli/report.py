# SPDX-License-Identifier: Apache-2.0
"""`aetool report`: render a run directory."""

from __future__ import annotations

from pathlib import Path

import click

from aetool.cli.main import emit
from aetool.core.errors import ConfigError
from aetool.core.project import project_root

_DIRECTORY = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("run", required=False, type=_DIRECTORY)
@click.option("--out", type=_DIRECTORY, help="Write the report there instead of RUN/report.")
@click.option("--against", type=_DIRECTORY, help="Compare with this other run.")
@click.option("--trace", metavar="NUMBER", help="Walk back from a number or a claim to the raw output.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@click.option("--json", "as_json", is_flag=True, help="Print verdicts and figures as a JSON document.")
def report(
    run: Path | None, out: Path | None, against: Path | None, trace: str | None, show: bool, as_json: bool
) -> None:
    """Render the report of the run directory RUN (the newest below runs/ if none is given).

    Numbers are named as in "Where the numbers come from": suite.profile.metric.configuration.vms.

    \b
    Example: aetool report runs/quick
             aetool report runs/quick --trace redis.quick.get.native.0
    """
    from aetool.report.terminal import summary_text
    from aetool.report.write import render

    root = project_root()
    run = run or newest_run(root / "runs")
    if trace is not None:
        _trace(run, root / "reports", trace, as_json)
        return
    rendered = render(run, root / "reports", out, against=against)
    if as_json:
        from aetool.report.data import as_data

        emit({"page": str(rendered.page), **as_data(rendered.results, rendered.other)})
    else:
        click.echo(summary_text(rendered.results, rendered.other))
        click.echo(f"report: {rendered.page}")
    if show:
        click.launch(str(rendered.page))


def _trace(run: Path, references: Path, name: str, as_json: bool) -> None:
    from aetool.report.build import compute
    from aetool.report.inputs import load_run
    from aetool.report.published import load_references
    from aetool.report.trace import trace_data, trace_text

    results = compute(load_run(run), *load_references(references))
    if as_json:
        emit(trace_data(results, name))
    else:
        click.echo(trace_text(results, name), nl=False)


def newest_run(folder: Path) -> Path:
    """Return the run directory below `folder` that was changed last; raises ConfigError if there is none."""
    marks = [*folder.glob("*/journal.sqlite"), *folder.glob("*/proofs.json"), *folder.glob("*/stages.json")]
    if not marks:
        raise ConfigError(f"there is no run below {folder}", hint="start one by `aetool reproduce`")
    return max(marks, key=lambda mark: (mark.stat().st_mtime, mark)).parent
