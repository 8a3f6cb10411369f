# SPDX-License-Identifier: Apache-2.0
"""How long work shows itself: a bar on a terminal, plain lines elsewhere, nothing with --json.

Everything goes to standard error, so that standard output stays clean for data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Receives what a long operation has to say."""

    def say(self, message: str) -> None:
        """A line worth keeping."""

    def advance(self, message: str, count: int = 1) -> None:
        """`count` more units of the announced total are done; `message` says which."""


class Silent:
    """Says nothing: for --json, and for tests."""

    def say(self, message: str) -> None:
        """Drop it."""

    def advance(self, message: str, count: int = 1) -> None:
        """Drop it."""


class _Lines:
    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0

    def say(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    def advance(self, message: str, count: int = 1) -> None:
        self._done += count
        self.say(f"[{self._done}/{self._total}] {message}" if self._total else message)


@contextmanager
def progress(title: str, total: int, *, quiet: bool = False) -> Iterator[Progress]:
    """Show `total` units of work under `title`; 0 if it is not known how many there will be.

    A bar if standard error is a terminal, one line a unit otherwise, nothing if `quiet`.
    """
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        yield _Lines(title, total)
    else:
        # rich costs 50 ms of start-up: only for a terminal that will show it
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with RichProgress(*columns, console=console) as bar:
            task = bar.add_task(title, total=total or None)

            class Bar:
                def say(self, message: str) -> None:
                    console.print(message, markup=False, highlight=False)

                def advance(self, message: str, count: int = 1) -> None:
                    bar.update(task, advance=count, description=f"{title}: {message}")

            yield Bar()
