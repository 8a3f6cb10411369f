# SPDX-License-Identifier: Apache-2.0
"""`aetool proofs hypercalls`: the table of hypercalls to C, Coq and documentation."""

from __future__ import annotations

import click


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if a generated file is stale or missing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def hypercalls(check: bool, as_json: bool) -> None:
    """Generate from proofs/hypercalls.yaml: the dispatcher's C, its table in Coq, and its page.

    The C is a part of TrapDispatcher.c; Code.v follows with `aetool proofs clight TrapDispatcher`.

    Example: aetool proofs hypercalls --check
    """
    from aetool.cli.main import emit
    from aetool.core.errors import AuditError
    from aetool.core.project import project_root
    from aetool.proofs.hypercalls import outputs, regenerate, stale

    root = project_root()
    proofs = root / "proofs"
    changed = stale(proofs) if check else regenerate(proofs)
    word = "stale" if check else "written"
    rows = [
        {"file": str(path.relative_to(root)), "state": word if path in changed else "in sync"}
        for path in outputs(proofs)
    ]
    if as_json:
        emit(rows)
    else:
        for row in rows:
            click.echo(f"{row['state']:8} {row['file']}")
    if check and changed:
        raise AuditError(
            f"not what hypercalls.yaml gives: {', '.join(str(path.relative_to(root)) for path in changed)}",
            hint="run `aetool proofs hypercalls` and look at the difference",
        )
