# SPDX-License-Identifier: Apache-2.0
"""`aetool lab`: bring a lab of hosts up, look at it, use it, take it down."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from aetool.cli import lab_build, lab_prepare, lab_server
from aetool.cli.lab_options import lab_options, opened_lab
from aetool.cli.main import emit
from aetool.core.errors import ConfigError, LabError
from aetool.core.progress import progress


@click.group()
def lab() -> None:
    """Bring a lab of hosts up, use it, take it down.

    Example: aetool lab up && aetool lab ssh server -- uname -a
    """


@lab.command()
@lab_options
def up(definition: str, name: str | None, state: Path | None) -> None:
    """Bring the hosts up and wait for their SSH; nothing happens if they are up.

    Example: aetool lab up --lab netns
    """
    with progress("lab", 0) as shown, opened_lab(definition, name, state, shown) as opened:
        opened.up()
        click.echo(f"the lab {opened.name} is up: {opened.description}", err=True)


@lab.command()
@lab_options
def down(definition: str, name: str | None, state: Path | None) -> None:
    """Take the hosts down and remove every trace of them, also after a crash.

    Example: aetool lab down --lab netns
    """
    with opened_lab(definition, name, state) as opened:
        opened.down()


@lab.command()
@lab_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def status(definition: str, name: str | None, state: Path | None, as_json: bool) -> int:
    """Say which hosts answer; exit with 5 if one does not.

    Example: aetool lab status --json
    """
    with opened_lab(definition, name, state) as opened:
        found = opened.status()
        if as_json:
            emit({"lab": opened.name, "provider": opened.provider_name, "hosts": [asdict(s) for s in found]})
        else:
            for one in found:
                click.echo(f"{one.host:<8}{one.address:<16}{'up' if one.up else 'down':<6}{one.detail}")
    return 0 if all(one.up for one in found) else LabError.exit_code


@lab.command()
@lab_options
def facts(definition: str, name: str | None, state: Path | None) -> None:
    """Print what the hosts are, read from the hosts, as the JSON that a run keeps.

    Example: aetool lab facts --lab netns
    """
    with opened_lab(definition, name, state) as opened:
        emit(opened.facts())


@lab.command(context_settings={"ignore_unknown_options": True})
@lab_options
@click.option("--timeout", default=3600.0, show_default=True, help="Seconds until a command is ended.")
@click.argument("host")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(
    definition: str,
    name: str | None,
    state: Path | None,
    timeout: float,
    host: str,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND on HOST and pass its exit status on; without one, open a shell there.

    Arguments arrive as they are; standard input is not passed to a command.

    Example: aetool lab ssh server -- uname -a
    """
    with opened_lab(definition, name, state) as opened:
        if host not in opened.hosts:
            raise ConfigError(f"the lab has no host {host!r}", hint=f"hosts: {', '.join(opened.hosts)}")
        remote = opened.hosts[host]
        if command:
            return remote.stream(command, timeout=timeout, out=sys.stdout.buffer, err=sys.stderr.buffer)
        from aetool.core.ssh_shell import interact

        return interact(remote)


@lab.command()
@lab_options
@click.argument("host")
def console(definition: str, name: str | None, state: Path | None, host: str) -> None:
    """Print what HOST has said on its console.

    Example: aetool lab console --lab arm server
    """
    with opened_lab(definition, name, state) as opened:
        click.echo(opened.provider.console(host), nl=False)


for more in (*lab_server.COMMANDS, *lab_build.COMMANDS, *lab_prepare.COMMANDS):
    lab.add_command(more)
