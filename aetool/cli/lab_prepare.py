# SPDX-License-Identifier: Apache-2.0
"""`aetool lab` before hosts are used: prepare them, see whether a configuration can be had, unlock."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from aetool.cli.lab_options import lab_options, opened_lab
from aetool.cli.main import emit
from aetool.core.errors import ConfigError, LabError
from aetool.core.progress import progress


@click.command()
@lab_options
@click.argument("plan", default="m400")
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@click.option("--supply", multiple=True, metavar="NAME=FILE", help="Take FILE instead of a download.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def prepare(
    definition: str,
    name: str | None,
    state: Path | None,
    plan: str,
    dry_run: bool,
    supply: tuple[str, ...],
    as_json: bool,
) -> int:
    """Make the hosts ready by a PLAN (a name in cloudlab/prepare/, or a file); what is there is left alone.

    Example: aetool lab prepare m400 --lab mylab.yaml --dry-run
    """
    from aetool.lab.prepare import load_plan, look
    from aetool.lab.prepare import prepare as do
    from aetool.lab.steps import Supplies

    asked = load_plan(plan)
    supplies = dict(_supplied(one) for one in supply)
    with (
        progress("prepare", 0, quiet=as_json) as shown,
        opened_lab(definition, name, state, shown) as opened,
    ):
        if dry_run:
            outcomes = look(opened.hosts, asked)
        else:
            with opened.driving("preparation of the hosts"):
                outcomes = do(opened.hosts, asked, Supplies(supplies, shown))
    if as_json:
        emit([{**asdict(one), "state": one.state} for one in outcomes])
    else:
        for one in outcomes:
            click.echo(f"{one.state:<8}{one.host:<8}{one.title}")
            for line in (one.error or one.finding.blocked or one.finding.seen).splitlines():
                click.echo(f"{'':16}{line}")
    return LabError.exit_code if any(one.state in ("blocked", "failed") for one in outcomes) else 0


def _supplied(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path or not Path(path).is_file():
        raise ConfigError(f"--supply {text}: want NAME=FILE, and a FILE that is there")
    return name, Path(path)


@click.command()
@lab_options
@click.argument("configuration")
@click.option("--kernel", type=click.Path(path_type=Path), help="A kernel tree that you have.")
@click.option("--qemu", type=click.Path(path_type=Path), help="A QEMU tree that you have.")
@click.option("--no-lab", is_flag=True, help="Check only what can be seen from here.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def preflight(
    definition: str,
    name: str | None,
    state: Path | None,
    configuration: str,
    kernel: Path | None,
    qemu: Path | None,
    no_lab: bool,
    as_json: bool,
) -> int:
    """Say what a CONFIGURATION with recipes (sekvm, kvm of the artifact) needs and what of it is missing.

    Exits with 5 if something is.

    Example: aetool lab preflight sekvm --lab mylab.yaml
    """
    from aetool.lab.preflight import preflight as check

    supplied = {what: path for what, path in (("kernel", kernel), ("qemu", qemu)) if path is not None}
    if no_lab:
        checks = check(configuration, None, supplied)
    else:
        with opened_lab(definition, name, state) as opened:
            checks = check(configuration, opened.hosts, supplied)
    if as_json:
        emit([asdict(one) for one in checks])
    else:
        width = max(len(one.name) for one in checks)
        for one in checks:
            first, *more = one.found.splitlines() or [""]
            click.echo(f"{'ok     ' if one.ok else 'MISSING'}  {one.name:<{width}}  {first}")
            for line in [*more, *([] if one.ok else [one.fix])]:
                click.echo(f"{'':9}{'':<{width}}  {line}")
    return 0 if all(one.ok for one in checks) else LabError.exit_code


@click.command()
@lab_options
def unlock(definition: str, name: str | None, state: Path | None) -> None:
    """Take the lab from a driver that is gone for good; one that runs is disturbed.

    Example: aetool lab unlock --lab mylab.yaml
    """
    from aetool.lab.driver import unlock as take

    with opened_lab(definition, name, state) as opened:
        found = take(opened.hosts["server"])
    if found is None:
        click.echo("nobody holds the lab", err=True)
    else:
        click.echo(f"taken from {found.get('what')}, {found.get('user')} on {found.get('machine')}", err=True)


COMMANDS = (prepare, preflight, unlock)
