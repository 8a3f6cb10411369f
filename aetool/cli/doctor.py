# SPDX-License-Identifier: Apache-2.0
"""`aetool doctor`: what this machine has and what it lacks."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aetool.cli.main import emit
from aetool.core.errors import MissingToolError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def doctor(as_json: bool) -> int:
    """Say what this machine has and what it lacks; exit with 8 if something is missing.

    Example: aetool doctor
    """
    from aetool.workflows.doctor import examine

    checks = examine(Path.cwd())
    if as_json:
        emit([asdict(check) for check in checks])
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            mark = "ok     " if check.ok else "MISSING"
            click.echo(f"{mark}  {check.name:<{width}}  {check.found}")
            if not check.ok:
                click.echo(f"{'':9}{'':<{width}}  needed for {check.needed_for}; {check.fix}")
    return 0 if all(check.ok for check in checks) else MissingToolError.exit_code
