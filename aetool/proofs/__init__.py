# SPDX-License-Identifier: Apache-2.0
"""The proof driver: manifest, scheduler, audit, C to Coq."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aetool.core.progress import Progress


def summary(root: Path, progress: Progress | None = None) -> dict[str, Any]:
    """The state of the tree in `root` as one document; see `aetool.proofs.summarize`."""
    # imported here, because a build that has nothing to do must not pay for it
    from aetool.proofs import summarize

    return summarize.summary(root, progress)
