# SPDX-License-Identifier: Apache-2.0
"""Expressions of the C subset: their types by the rules of C, and their terms.

Three types occur: u32, u64, and int, which constants without suffix, comparisons and logical operators have.
An int is only ever compared, tested, assigned, passed or converted by an operand of unsigned type:
arithmetic on two ints is signed and rejected. Its values are not negative, so none of these changes them.

A widening conversion is the identity on the value and leaves no trace in the term; a narrowing one is
`Ecast U32`. Each operator's term names the type at which C computes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pycparser import c_ast

from aetool.proofs.clight_parse import Signature, rejection, type_of
from aetool.proofs.clight_print import Term, quoted

INT = "int"
INT_MAX = 2**31 - 1
LIMITS = {"U32": 2**32 - 1, "U64": 2**64 - 1}
CNAMES = {"U32": "u32", "U64": "u64", INT: "int"}
ARITHMETIC = {
    "+": "Oadd", "-": "Osub", "*": "Omul", "/": "Odiv", "%": "Omod", "&": "Oand", "|": "Oor", "^": "Oxor",
}  # fmt: skip
SHIFTS = {"<<": "Oshl", ">>": "Oshr"}
COMPARISONS = {"<": "Clt", "<=": "Cle", ">": "Cgt", ">=": "Cge", "==": "Ceq", "!=": "Cne"}
LOGICAL = {"&&": "Eland", "||": "Elor"}

Typed = tuple[Term, str]


def convert(value: Typed, target: str) -> Term:
    """The term after conversion to `target` ("U32" or "U64"): modulo 2^32 if that loses bits."""
    term, kind = value
    return ("Ecast", "U32", term) if (kind, target) == ("U64", "U32") else term


def expression(node: Any, variables: Mapping[str, str]) -> Typed:
    """The term and the type of an expression without calls; rejects what is outside the subset."""
    if isinstance(node, c_ast.Constant):
        return _constant(node)
    if isinstance(node, c_ast.ID):
        if node.name not in variables:
            raise rejection(
                node, f"the name '{node.name}', which is no local in scope,", "parameters and locals"
            )
        return ("Evar", quoted(node.name)), variables[node.name]
    if isinstance(node, c_ast.Cast):
        target = type_of(node.to_type.type)
        if target is None:
            raise rejection(node, "a cast to void", "casts to u32 and u64")
        return convert(expression(node.expr, variables), target), target
    if isinstance(node, c_ast.UnaryOp):
        return _unary(node, variables)
    if isinstance(node, c_ast.BinaryOp):
        return _binary(node, variables)
    raise rejection(
        node, _NAMES.get(type(node), f"a {type(node).__name__}"), "constants, locals, casts and operators"
    )


def _constant(node: c_ast.Constant) -> Typed:
    match = re.fullmatch(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)", node.value)
    if match is None:
        raise rejection(node, f"the constant {node.value}", "integer constants")
    digits, suffix = match.group(1), match.group(2).upper()
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
    if octal:
        raise rejection(node, f"the octal constant {node.value}", "decimal and hexadecimal constants")
    number = int(digits, 0)
    if suffix not in ("", "U", "ULL"):
        raise rejection(node, f"the suffix of {node.value}", "U for u32 and ULL for u64")
    kind = {"": INT, "U": "U32", "ULL": "U64"}[suffix]
    limit = INT_MAX if kind == INT else LIMITS[kind]
    if number > limit:
        raise rejection(
            node, f"the constant {node.value}, above {limit},", "a suffix whose type holds the value"
        )
    return ("Econst", str(number)), kind


def _unary(node: c_ast.UnaryOp, variables: Mapping[str, str]) -> Typed:
    if node.op == "!":
        return ("Elnot", expression(node.expr, variables)[0]), INT
    if node.op == "~":
        term, kind = expression(node.expr, variables)
        if kind == INT:
            raise rejection(node, "~ on an int", "~ on u32 and u64 (give the constant a suffix or cast)")
        return ("Enot", kind, term), kind
    if node.op == "-":
        raise rejection(node, "unary -", "0U - x or 0ULL - x")
    raise rejection(node, _UNARY.get(node.op, f"unary {node.op}"), "! and ~ inside an expression")


def _binary(node: c_ast.BinaryOp, variables: Mapping[str, str]) -> Typed:
    left, right = expression(node.left, variables), expression(node.right, variables)
    if node.op in LOGICAL:
        return (LOGICAL[node.op], left[0], right[0]), INT
    if node.op in COMPARISONS:
        return ("Ecmp", COMPARISONS[node.op], left[0], right[0]), INT
    if node.op in SHIFTS:
        # the right operand does not take part in the conversions
        if left[1] == INT:
            raise rejection(
                node, f"{node.op} of an int", "shifts of u32 and u64 (give the constant a suffix or cast)"
            )
        return ("Ebin", SHIFTS[node.op], left[1], left[0], right[0]), left[1]
    if left[1] == right[1] == INT:
        raise rejection(node, f"signed arithmetic ({node.op} on two ints)", "an operand of type u32 or u64")
    common = "U64" if "U64" in (left[1], right[1]) else "U32"
    return ("Ebin", ARITHMETIC[node.op], common, left[0], right[0]), common


def arguments(node: c_ast.FuncCall, signature: Signature, variables: Mapping[str, str]) -> list[Term]:
    """The terms of a call's arguments, converted to the parameters' types."""
    given = [] if node.args is None else node.args.exprs
    if len(given) != len(signature.types):
        raise rejection(
            node,
            f"a call of '{signature.name}' with {len(given)} arguments",
            f"the {len(signature.types)} of its prototype",
        )
    return [
        convert(expression(item, variables), kind) for item, kind in zip(given, signature.types, strict=True)
    ]


_NAMES: dict[type, str] = {
    c_ast.TernaryOp: "the conditional operator ?:",
    c_ast.ArrayRef: "an array access",
    c_ast.StructRef: "a structure access",
    c_ast.ExprList: "the comma operator",
    c_ast.Assignment: "an assignment inside an expression",
    c_ast.FuncCall: "a call in this place",
    c_ast.InitList: "an initialiser list",
    c_ast.CompoundLiteral: "a compound literal",
    c_ast.Typename: "a type name",
}
_UNARY = {
    "*": "a pointer dereference",
    "&": "the address operator &",
    "sizeof": "sizeof",
    "++": "++ inside an expression",
    "--": "-- inside an expression",
    "p++": "++ inside an expression",
    "p--": "-- inside an expression",
}
