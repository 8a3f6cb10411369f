# SPDX-License-Identifier: Apache-2.0
"""`aetool proofs clight`: C files of layers to `Code.v`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("what", nargs=-1, metavar="[LAYER|FILE]...")
@click.option("--check", is_flag=True, help="Write nothing; fail if a Code.v is stale or missing.")
@click.option(
    "--against-gcc",
    "calls",
    type=click.IntRange(1),
    metavar="CALLS",
    help="Compare with gcc instead: this many random calls of each function, interpreted in Coq and run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def clight(what: tuple[str, ...], check: bool, calls: int | None, as_json: bool) -> None:
    """Generate Code.v from the C file of each named layer (all layers if none is named).

    A FILE is a C file; its Code.v goes beside it.

    Example: aetool proofs clight PTAlloc
    """
    from aetool.cli.main import emit
    from aetool.core.errors import AuditError
    from aetool.core.project import project_root
    from aetool.proofs.clight import find_source, in_sync, layer_sources, regenerate

    proofs = project_root() / "proofs"
    sources = [find_source(proofs, name) for name in what] or layer_sources(proofs)
    if calls is not None:
        _compare(proofs, sources, calls, as_json)
        return
    states: dict[Path, str] = {}
    for source in sources:
        code = source.with_name("Code.v")
        if check:
            states[source] = "in sync" if in_sync(source, code) else "stale"
        else:
            states[source] = "written" if regenerate(source, code) else "in sync"
        if not as_json:
            click.echo(f"{states[source]:8} {_short(code)}")
    if as_json:
        emit([{"source": _short(path), "state": state} for path, state in states.items()])
    stale = [path.parent.name for path, state in states.items() if state == "stale"]
    if stale:
        raise AuditError(
            f"Code.v is not what the C file gives: {', '.join(stale)}",
            hint=f"run `aetool proofs clight {' '.join(stale)}` and look at the difference",
        )


def _compare(proofs: Path, sources: list[Path], count: int, as_json: bool) -> None:
    from aetool.cli.main import emit
    from aetool.core.errors import AuditError
    from aetool.proofs.build import build
    from aetool.proofs.clight_gcc import compare
    from aetool.proofs.plan import Request

    error = build(proofs, Request(("lib/Interp.v",))).error()
    if error is not None:
        raise error
    rows = []
    for source in sources:
        found = compare(source, ["-Q", proofs, "SeKVM"], count=count, seed=1)
        rows.append(
            {
                "source": _short(source),
                "calls": found.calls,
                "defined": found.defined,
                "differences": [
                    {"call": vars(call), "coq": vars(coq), "gcc": vars(gcc)}
                    for call, coq, gcc in found.differences
                ],
            }
        )
        if not as_json:
            click.echo(
                f"{_short(source)}: {found.calls} calls, {found.defined} defined in Coq,"
                f" {len(found.differences)} differences"
            )
    if as_json:
        emit(rows)
    wrong = [str(row["source"]) for row in rows if row["differences"]]
    if wrong:
        raise AuditError(
            f"gcc and the generated terms disagree about {', '.join(wrong)}",
            hint="the first difference is in the output of --json",
        )


def _short(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
