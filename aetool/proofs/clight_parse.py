# SPDX-License-Identifier: Apache-2.0
"""Reads a C file of a layer: preprocessor, parser, prototypes, and errors that name the user's line.

The preprocessor keeps its line markers, so every node of the syntax tree knows the file, line and column
it came from (the column is that after macros are expanded).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycparser import c_ast, c_parser

from aetool.core.errors import ConfigError
from aetool.core.process import require, run

CPP_SECONDS = 30.0
TYPEDEFS = {"u32": ["unsigned", "int"], "u64": ["unsigned", "long", "long"]}
TYPES = {"u32": "U32", "u64": "U64"}


@dataclass(frozen=True)
class Signature:
    """The type of a C function: `result` is "U32", "U64" or None for void; parameters in order.

    A prototype may leave the names out; they are "" then.
    """

    name: str
    result: str | None
    parameters: tuple[tuple[str, str], ...]

    @property
    def types(self) -> tuple[str, ...]:
        """The parameters' types."""
        return tuple(kind for _, kind in self.parameters)


@dataclass(frozen=True)
class Source:
    """A parsed C file: every prototype in sight, and the definitions that stand in the file itself."""

    path: Path
    prototypes: dict[str, Signature]
    functions: tuple[tuple[Signature, c_ast.FuncDef], ...]


def rejection(node: Any, construct: str, allowed: str) -> ConfigError:
    """The error for a construct: where `node` stands, what it is, what the subset has instead."""
    where = str(node.coord) if getattr(node, "coord", None) else "(unknown place)"
    return ConfigError(f"{where}: {construct} is not in the C subset; allowed: {allowed}", hint=HINT)


HINT = "docs/c-subset.md lists what a layer's C may use"


def parse(path: Path) -> Source:
    """Preprocess, parse and check the declarations of a C file.

    Raises ConfigError if the file is missing, is not C, or declares something outside the subset.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    done = run([require("cpp", "cpp"), "-nostdinc", "-undef", str(path)], timeout=CPP_SECONDS, check=False)
    if done.status != 0:
        raise ConfigError(_first_error(done.output, path), detail=done.tail)
    try:
        tree = c_parser.CParser().parse(done.output, str(path))
    except c_parser.ParseError as error:
        raise _not_c(path, error) from error
    return _declarations(path, tree)


def type_of(node: Any) -> str | None:
    """The type "U32", "U64", or None for void, of a declaration or cast; rejects every other."""
    if isinstance(node, c_ast.TypeDecl) and isinstance(node.type, c_ast.IdentifierType):
        if node.quals:
            raise rejection(node.type, f"the qualifier '{' '.join(node.quals)}'", "plain u32 and u64")
        names = node.type.names
        if names == ["void"]:
            return None
        if len(names) == 1 and names[0] in TYPES:
            return TYPES[names[0]]
        raise rejection(node.type, f"the type '{' '.join(names)}'", "u32 and u64, and void as a result")
    kinds = {
        c_ast.PtrDecl: "a pointer",
        c_ast.ArrayDecl: "an array",
        c_ast.FuncDecl: "a function type",
    }
    inner = getattr(node, "type", None)
    kind = kinds.get(type(node)) or type(inner).__name__.lower()
    raise rejection(node, kind, "u32 and u64")


def _declarations(path: Path, tree: c_ast.FileAST) -> Source:
    prototypes: dict[str, Signature] = {}
    functions: list[tuple[Signature, c_ast.FuncDef]] = []
    for item in tree.ext:
        if isinstance(item, c_ast.Typedef):
            _check_typedef(item)
        elif isinstance(item, c_ast.FuncDef):
            functions.append((_definition(path, item, prototypes, functions), item))
        elif isinstance(item, c_ast.Decl) and isinstance(item.type, c_ast.FuncDecl):
            signature = _signature(item)
            known = prototypes.setdefault(item.name, signature)
            if (known.result, known.types) != (signature.result, signature.types):
                raise rejection(
                    item, f"a second prototype of '{item.name}' with another type", "one type a function"
                )
        else:
            name = f"the global declaration '{item.name}'" if getattr(item, "name", None) else "this"
            raise rejection(item, name, "prototypes and function definitions at top level")
    return Source(path, prototypes, tuple(functions))


def _check_typedef(item: c_ast.Typedef) -> None:
    inner = item.type.type if isinstance(item.type, c_ast.TypeDecl) else None
    names = inner.names if isinstance(inner, c_ast.IdentifierType) else None
    if item.name not in TYPEDEFS or names != TYPEDEFS[item.name]:
        raise rejection(
            item, f"the typedef '{item.name}'", "u32 as unsigned int and u64 as unsigned long long"
        )


def _definition(
    path: Path,
    item: c_ast.FuncDef,
    prototypes: dict[str, Signature],
    earlier: list[tuple[Signature, c_ast.FuncDef]],
) -> Signature:
    name = item.decl.name
    if Path(item.coord.file) != path:
        raise rejection(
            item, f"the definition of '{name}' in an included file", "definitions in the layer's own file"
        )
    if item.param_decls:
        raise rejection(item, f"the old-style parameters of '{name}'", "typed parameters in the parentheses")
    signature = _signature(item.decl)
    if name not in prototypes:
        raise rejection(
            item, f"the function '{name}' without a prototype before it", "functions declared in prims.h"
        )
    known = prototypes[name]
    if (known.result, known.types) != (signature.result, signature.types):
        raise rejection(
            item, f"a definition of '{name}' that differs from its prototype", "one type a function"
        )
    if any(other.name == name for other, _ in earlier):
        raise rejection(item, f"a second definition of '{name}'", "one definition a function")
    names = [parameter for parameter, _ in signature.parameters]
    if "" in names or len(set(names)) != len(names):
        raise rejection(item, f"unnamed or equal parameters of '{name}'", "parameters with different names")
    return signature


def _signature(decl: c_ast.Decl) -> Signature:
    extras = [*decl.storage, *decl.funcspec, *decl.quals]
    if extras:
        raise rejection(decl, f"'{' '.join(extras)}' on '{decl.name}'", "plain external functions")
    function = decl.type
    if function.args is None:
        raise rejection(
            decl, f"'{decl.name}()' without parameter types", "(void) for a function without parameters"
        )
    parameters: list[tuple[str, str]] = []
    for parameter in function.args.params:
        if isinstance(parameter, c_ast.EllipsisParam):
            raise rejection(
                parameter, f"the variable parameters of '{decl.name}'", "a fixed list of parameters"
            )
        kind = type_of(parameter.type)
        if kind is not None:
            parameters.append((parameter.name or "", kind))
        elif parameter.name is not None or len(function.args.params) != 1:
            raise rejection(parameter, f"a void parameter of '{decl.name}'", "u32 and u64, or (void) alone")
    return Signature(decl.name, type_of(function.type), tuple(parameters))


def _first_error(output: str, path: Path) -> str:
    """The first line of a compiler's output that is an error, else a general statement."""
    for line in output.splitlines():
        if re.match(r"[^:\s][^:]*:\d+:(\d+:)? (fatal )?error: ", line):
            return line
    return f"{path}: the preprocessor fails"


def _not_c(path: Path, error: Exception) -> ConfigError:
    """The parser's error; if that has no line, the one of gcc, which always has."""
    message = str(error)
    located = re.match(r".+:\d+:\d+: ", message)
    if not located:
        done = run([require("gcc", "gcc"), "-fsyntax-only", str(path)], timeout=CPP_SECONDS, check=False)
        message = _first_error(done.output, path) if done.status != 0 else message
    else:
        message = f"{located.group(0)}syntax error {message[located.end() :]}"
    return ConfigError(message, hint=HINT)
