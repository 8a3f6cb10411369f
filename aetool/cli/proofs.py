# SPDX-License-Identifier: Apache-2.0
"""`aetool proofs`: build, inspect and audit the Coq proofs.

The path of a build that has nothing to do imports next to nothing: that is what makes it fast.
"""

from __future__ import annotations

import importlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aetool.cli.main import emit
from aetool.core.project import project_root

if TYPE_CHECKING:
    from aetool.core.progress import Progress
    from aetool.proofs.build import BuildResult

# Commands that live in modules of their own, imported on use.
ELSEWHERE = {
    "clight": "Translate the C sources of the layers to Coq.",
    "hypercalls": "Generate the dispatcher from the table of hypercalls.",
    "mutate": "Change the C sources and see that a proof or a test notices.",
    "notebook": "Write a notebook that walks through a layer.",
    "pages": "Render the proofs as linked pages with goals.",
}


class ProofsGroup(click.Group):
    """A group that knows of some commands before it imports them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands here and those elsewhere that are installed."""
        return sorted([*self.commands, *(name for name in ELSEWHERE if _module(name).is_file())])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command from here or from its own module."""
        if cmd_name in ELSEWHERE and _module(cmd_name).is_file():
            command = getattr(importlib.import_module(f"aetool.cli.proofs_{cmd_name}"), cmd_name)
            assert isinstance(command, click.Command)
            return command
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        rows = [
            (name, ELSEWHERE[name] if name in ELSEWHERE else self.commands[name].get_short_help_str(90))
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _module(name: str) -> Path:
    return Path(__file__).parent / f"proofs_{name}.py"


@click.group(cls=ProofsGroup)
def proofs() -> None:
    """Build, inspect and audit the Coq proofs.

    Example: aetool proofs build
    """


_tree_option = click.option(
    "--project",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another Coq project: a folder with a _CoqProject (or with a tree.yaml).",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")


@proofs.command()
@click.argument("names", nargs=-1, metavar="[LAYER]...")
@click.option("--upto", is_flag=True, help="Also everything that comes before LAYER in the manifest.")
@click.option("--only", is_flag=True, help="Only LAYER's own files; what they need must be up to date.")
@click.option("--keep-going", "-k", is_flag=True, help="After a failure, check what does not depend on it.")
@click.option("--clean", is_flag=True, help="Compile again, from nothing, without the store.")
@click.option("--why", is_flag=True, help="Say for each file why it was or was not compiled.")
@click.option("--jobs", "-j", type=click.IntRange(1), help="Compilations at a time; default: all processors.")
@click.option("--timeout", type=click.FloatRange(1), help="Seconds for one file; default: 900.")
@click.option("--memory", type=click.IntRange(100), help="MiB for all compilations together.")
@click.option("--no-store", is_flag=True, help="Neither use nor fill the store of compiled files.")
@_json_option
@_tree_option
def build(
    names: tuple[str, ...],
    upto: bool,
    only: bool,
    keep_going: bool,
    clean: bool,
    why: bool,
    jobs: int | None,
    timeout: float | None,
    memory: int | None,
    no_store: bool,
    as_json: bool,
    directory: Path | None,
) -> int:
    """Check the proofs with coqc: all, or those of LAYER and what it depends on.

    LAYER is a layer, a part, a file or a module. Exit code 3 if a proof does not check.

    Example: aetool proofs build PTAlloc --why
    """
    from aetool.proofs.coq import compiler_path
    from aetool.proofs.record import Record, untouched

    root = tree_root(directory)
    if (upto or only) and not names:
        raise click.UsageError(f"--{'upto' if upto else 'only'} wants a LAYER")
    if not (names or clean or why or as_json):
        record = Record.load(root)
        if untouched(record, compiler_path()):
            click.echo(f"{len(record.entries)} files are up to date; nothing was compiled")
            return 0
    from aetool.core.progress import progress
    from aetool.proofs import build as driver
    from aetool.proofs.plan import Request

    options = driver.Options(
        jobs=jobs,
        timeout=timeout or driver.TIMEOUT,
        keep_going=keep_going,
        clean=clean,
        memory=memory,
        **({"store": None} if no_store else {}),
    )
    with (
        driver.prepare(root, Request(names, upto, only), options, _notes(as_json)) as prepared,
        progress("proofs", len(prepared.selected), quiet=as_json) as shown,
    ):
        result = prepared.run(shown)
    if as_json:
        emit(asdict(result) | {"passed": result.passed})
    elif why:
        _explain(result)
    error = result.error()
    if error:
        if not as_json:
            raise error
        return error.exit_code
    if not as_json:
        counts = {
            action: sum(r.action == action for r in result.files) for action in ("compiled", "restored")
        }
        click.echo(
            f"{len(result.files)} files check with Coq {result.coq}: {counts['compiled']} compiled, "
            f"{counts['restored']} restored, {len(result.files) - sum(counts.values())} up to date "
            f"({result.seconds:.1f} s)"
        )
    return 0


def tree_root(directory: Path | None) -> Path:
    """The folder of the project that a command is about: ours unless another one is named."""
    return directory.resolve() if directory else project_root() / "proofs"


def _notes(quiet: bool) -> Progress:
    from aetool.core.progress import Silent, progress

    if quiet:
        return Silent()
    with progress("proofs", 0) as shown:
        return shown


def _explain(result: BuildResult) -> None:
    width = max(len(entry.file) for entry in result.files)
    for entry in result.files:
        click.echo(f"{entry.file:<{width}}  {entry.action:<11}  {entry.why}")


@proofs.command()
@click.option(
    "--full", is_flag=True, help="Compile anew without the store; coqchk down to the standard library."
)
@click.option("--jobs", "-j", type=click.IntRange(1), help="Compilations at a time; default: all processors.")
@click.option(
    "--timeout", type=click.FloatRange(1), default=3600.0, help="Seconds for coqtop and for coqchk."
)
@_json_option
@_tree_option
def audit(full: bool, jobs: int | None, timeout: float, as_json: bool, directory: Path | None) -> int:
    """Build the tree, then see what it rests on; exit code 4 if on something it must not.

    Example: aetool proofs audit --json
    """
    from aetool.core.progress import progress
    from aetool.proofs import audit as auditor
    from aetool.proofs.build import Options

    root = tree_root(directory)
    with progress("audit", 0, quiet=as_json) as shown:
        result = auditor.audit(root, full=full, options=Options(jobs=jobs), timeout=timeout, progress=shown)
    error = result.error()
    if as_json:
        emit(result.as_json())
        return error.exit_code if error else 0
    for check in result.checks:
        click.echo(f"{'pass' if check.passed else 'FAIL'}  {check.name}: {check.detail}")
        for line in check.lines() if check.passed else []:
            click.echo(f"      {line}")
    if error:
        raise error
    return 0


@proofs.command()
@_json_option
@_tree_option
def status(as_json: bool, directory: Path | None) -> int:
    """Show the layers as a table: what is there, what checks, time, lines, audit. Compiles nothing.

    Example: aetool proofs status
    """
    from aetool.proofs import summarize

    rows = summarize.layer_rows(tree_root(directory))
    if as_json:
        emit(rows)
        return 0
    marks = {"passed": "ok", "not built": "stale", None: "-"}
    names = ("code", "spec", "proof", "refine", "tests")
    click.echo(
        f"{'#':>2}  {'layer':<15}{'group':<16}"
        + "".join(f"{name:<8}" for name in names)
        + f"{'seconds':>8}{'C':>6}{'spec':>6}{'proof':>6}  audit"
    )
    for row in rows:
        states = "".join(f"{marks.get(row[column], row[column]):<8}" for column in summarize.COLUMNS)
        counts = "".join(f"{row[name] or '-':>6}" for name in ("lines_c", "lines_spec", "lines_proof"))
        seconds = f"{row['seconds']:.1f}" if row["seconds"] else "-"
        click.echo(
            f"{row['number']:>2}  {row['name']:<15}{row['group']:<16}{states}{seconds:>8}{counts}"
            f"  {row['audit'] or '-'}"
        )
    done = sum(row["complete"] for row in rows)
    click.echo(f"{done} of {len(rows)} layers are complete")
    return 0


@proofs.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--lemmas", is_flag=True, help="Single lemmas instead of files.")
@click.option("--top", type=click.IntRange(1), default=25, help="How many to show; default: 25.")
@_json_option
@_tree_option
def history(files: tuple[str, ...], lemmas: bool, top: int, as_json: bool, directory: Path | None) -> int:
    """Show what takes longest to check, and what has become slower than in its last ten runs.

    Seconds are processor time. FILE is a path relative to the tree.

    Example: aetool proofs history --lemmas layers/PTAlloc/ProofCode.v
    """
    from aetool.proofs.history import trends

    found = trends(tree_root(directory), lemmas=lemmas, files=files)
    if as_json:
        emit([asdict(trend) | {"slower": trend.slower} for trend in found])
        return 0
    click.echo(f"{'seconds':>8}  {'before':>8}  {'runs':>4}  {'MiB':>5}  name")
    for trend in found[:top]:
        before = "-" if trend.before is None else f"{trend.before:.2f}"
        memory = f"{trend.memory // 1024}" if trend.memory else "-"
        name = f"{trend.file} {trend.lemma}".rstrip() + ("  SLOWER" if trend.slower else "")
        click.echo(f"{trend.seconds:>8.2f}  {before:>8}  {trend.runs:>4}  {memory:>5}  {name}")
    return 0
