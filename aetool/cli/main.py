# SPDX-License-Identifier: Apache-2.0
"""The entry point: finds the subcommand, turns errors into one message and an exit code.

Subcommands are imported only when they are used, so that a no-op `aetool proofs build` does not pay for
paramiko or pandas.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from aetool import __version__
from aetool.core.errors import AetoolError, Interrupted

COMMANDS = {
    "doctor": "Say what this machine has and what it lacks.",
    "proofs": "Build, inspect and audit the Coq proofs.",
    "lab": "Bring a lab of hosts up, use it, take it down.",
    "campaign": "Run, resume and inspect benchmark campaigns.",
    "report": "Render the report of a run directory.",
    "reproduce": "Proofs, lab, campaign and report in one go.",
}

EPILOG = """\b
Exit codes: 0 success; 1 other failure; 2 wrong input or configuration; 3 a proof does not
check; 4 the audit fails; 5 a host fails; 6 a campaign step fails; 7 a disk is full or not
writable; 8 a needed program is missing; 130 interrupted.
\b
Shell completion: eval "$(_AETOOL_COMPLETE=bash_source aetool)"   (or zsh_source, fish_source)
"""


class LazyGroup(click.Group):
    """A group whose commands live in modules of the same name and are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All subcommands in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one subcommand, or None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"aetool.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aetool")
def main() -> None:
    """Check the SeKVM proofs, run its benchmarks, and report what was seen.

    Example: aetool reproduce
    """


def emit(data: Any) -> None:
    """Print a JSON document on standard output (what --json does everywhere)."""
    click.echo(json.dumps(data, indent=2, sort_keys=True, default=str))


def show(error: AetoolError) -> None:
    """Print an error on standard error: what, the details, what to do."""
    click.echo(f"aetool: error: {error.message}", err=True)
    if error.detail:
        click.echo("\n".join(f"  {line}" for line in error.detail.splitlines()), err=True)
    if error.hint:
        click.echo(f"aetool: hint: {error.hint}", err=True)


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def run() -> NoReturn:
    """Run the command line and exit."""
    # SIGTERM ends a run the way Ctrl-C does: children are ended, the journal stays whole.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        # without standalone mode click returns the value of the command, or an exit code for --help
        status = main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except (KeyboardInterrupt, click.Abort):
        show(Interrupted("interrupted", hint="run the same command again to go on"))
        sys.exit(Interrupted.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except AetoolError as error:
        show(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # `aetool ... | head`: the reader has left; python would complain again when it flushes stdout
        sys.stderr.close()
        sys.exit(1)
