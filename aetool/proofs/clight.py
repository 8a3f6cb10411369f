# SPDX-License-Identifier: Apache-2.0
"""C to Coq: the C file of a layer becomes its `Code.v`.

The C is the truth and `Code.v` is generated, committed and checked to be in sync. The generator is trusted
(a wrong term would make the proofs speak about other code), so it accepts only what it can translate
exactly, and tests compare its output with gcc's.
"""

from __future__ import annotations

from pathlib import Path

from pycparser import c_ast

from aetool.core.errors import ConfigError
from aetool.core.process import write_file
from aetool.proofs.clight_parse import Signature, Source, parse
from aetool.proofs.clight_print import flat, layout, option, quoted
from aetool.proofs.clight_stmt import Function

HEADER = """\
(* SPDX-License-Identifier: Apache-2.0 *)
(* generated from {name} by `aetool proofs clight`; do not edit *)
From SeKVM.lib Require Import Lang.
Local Open Scope string_scope.
Local Open Scope Z_scope.
"""


def render(c_path: Path) -> str:
    """The text of `Code.v` for a C file.

    Raises ConfigError with file, line, column, construct and what is allowed, if the file is not in the
    subset.
    """
    source = parse(c_path)
    if not source.functions:
        raise ConfigError(f"{c_path}: defines no function")
    parts = [HEADER.format(name=c_path.name)]
    for signature, definition in source.functions:
        parts.append(_function(source, signature, definition))
    entries = ";\n   ".join(f"({quoted(s.name)}, f_{s.name})" for s, _ in source.functions)
    parts.append(f"Definition code : module :=\n  [{entries}].\n")
    return "\n".join(parts)


def in_sync(c_path: Path, code_v: Path) -> bool:
    """Whether `Code.v` is, byte for byte, what the C file gives. Raises as `render`."""
    try:
        return code_v.read_text(encoding="utf-8") == render(c_path)
    except FileNotFoundError:
        return False


def regenerate(c_path: Path, code_v: Path) -> bool:
    """Bring `Code.v` up to date; returns whether it had to be written. Raises as `render`."""
    if in_sync(c_path, code_v):
        return False
    write_file(code_v, render(c_path))
    return True


def signatures(c_path: Path) -> dict[str, Signature]:
    """The functions that a C file defines, in the order of the file. Raises as `render`."""
    return {signature.name: signature for signature, _ in parse(c_path).functions}


def layer_sources(proofs: Path) -> list[Path]:
    """The C files of all layers of a proof tree: `layers/<Name>/<Name>.c`, by name."""
    return sorted(path for path in (proofs / "layers").glob("*/*.c") if path.stem == path.parent.name)


def _function(source: Source, signature: Signature, definition: c_ast.FuncDef) -> str:
    function = Function(source, signature)
    body = layout(function.translate(definition.body), 4)
    parameters = "; ".join(f"({quoted(name)}, {kind})" for name, kind in signature.parameters)
    temporaries = "; ".join(quoted(name) for name in function.temporaries)
    return (
        f"Definition f_{signature.name} : func :=\n"
        f"  mkfunc {flat(option(signature.result))} [{parameters}] [{temporaries}]\n"
        f"    {body}.\n"
    )


def find_source(proofs: Path, name: str) -> Path:
    """The C file that a user means by the name of a layer or by a path.

    Raises ConfigError if there is none.
    """
    if name.endswith(".c"):
        if not Path(name).is_file():
            raise ConfigError(f"{name}: no such file")
        return Path(name)
    path = proofs / "layers" / name / f"{name}.c"
    if not path.is_file():
        known = ", ".join(source.stem for source in layer_sources(proofs)) or "none"
        raise ConfigError(f"there is no layer {name!r} with a C file", hint=f"layers with C: {known}")
    return path
