# SPDX-License-Identifier: Apache-2.0
"""Where the project's own data (proofs, benchmark definitions, published figures) lies.

Commands work from any directory inside a checkout; outside of one they use the checkout that aetool was
installed from.
"""

from __future__ import annotations

from pathlib import Path

from aetool.core.errors import ConfigError

_MARKS = ("proofs", "benchmarks", "reports", "cloudlab")


def project_root(start: Path | None = None) -> Path:
    """Return the root of the checkout around `start` (the working directory if None).

    Raises ConfigError if there is none and aetool was not installed from a checkout either.
    """
    here = (start or Path.cwd()).resolve()
    installed_from = Path(__file__).resolve().parents[2]
    for place in (here, *here.parents, installed_from):
        if all((place / mark).is_dir() for mark in _MARKS):
            return place
    raise ConfigError(
        f"{here} is not inside a checkout of aetool",
        hint="change to the directory that you cloned, then run the same command again",
    )
