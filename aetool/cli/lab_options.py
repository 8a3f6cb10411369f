# SPDX-License-Identifier: Apache-2.0
"""What all commands of `aetool lab` share: which lab is meant, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aetool.core.progress import Progress

if TYPE_CHECKING:
    from aetool.lab import Lab

Command = Callable[..., Any]


def lab_options(command: Command) -> Command:
    """The options that say which lab is meant."""
    options = (
        click.option(
            "--lab",
            "definition",
            default="netns",
            show_default=True,
            metavar="NAME|FILE",
            help="A definition in cloudlab/, or a YAML file.",
        ),
        click.option("--name", help="Tell several labs of one definition apart."),
        click.option(
            "--state",
            type=click.Path(file_okay=False, path_type=Path),
            help="Directory for keys and logs  [default: below $XDG_STATE_HOME]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def opened_lab(definition: str, name: str | None, state: Path | None, shown: Progress | None = None) -> Lab:
    """Open the lab that the options name; raises ConfigError."""
    from aetool.lab import open_lab

    return open_lab(definition, name=name, state=state, progress=shown)
