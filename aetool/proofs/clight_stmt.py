# SPDX-License-Identifier: Apache-2.0
"""Statements and functions of the C subset, as terms.

A full expression may hold one call, which runs before the rest of the expression is computed: nothing else
in the expression can change a local or the machine, so C's freedom in the order of evaluation is none.
Calls under && and ||, and in the condition of a loop, would need more than that and are rejected.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from pycparser import c_ast

from aetool.proofs.clight_expr import Typed, arguments, convert, expression
from aetool.proofs.clight_parse import Signature, Source, rejection, type_of
from aetool.proofs.clight_print import Term, option, quoted, sequence

SECOND_CALL = "a second call in one expression"
STATEMENTS = "declarations, assignments, calls, if, while, for, return and blocks"


class Function:
    """Translates one function; holds its temporaries in order of first occurrence."""

    def __init__(self, source: Source, signature: Signature) -> None:
        self._prototypes = source.prototypes
        self._own = {other.name for other, _ in source.functions}
        self._signature = signature
        self._kinds: dict[str, str] = dict(signature.parameters)
        self._hoisted = 0
        self.temporaries: list[str] = []

    def translate(self, body: c_ast.Compound) -> Term:
        """The term of the function's body."""
        scope: ChainMap[str, str] = ChainMap(dict(self._signature.parameters))
        for parameter in scope:
            if parameter in self._prototypes:
                raise rejection(
                    body, f"the parameter '{parameter}', the name of a function,", "a name of its own"
                )
        # the outermost block shares the parameters' scope, as in C
        return sequence(self._items(body, scope, once=True))

    # -- declarations and blocks ------------------------------------------------------------------

    def _items(self, body: c_ast.Compound, scope: ChainMap[str, str], *, once: bool) -> list[Term]:
        return [term for item in body.block_items or [] for term in self._statement(item, scope, once=once)]

    def _block(self, node: Any, scope: ChainMap[str, str]) -> Term:
        """The body of an if or a loop."""
        if node is None:
            return "Sskip"
        return sequence(self._statement(node, scope, once=False))

    def _declare(self, node: c_ast.Decl, scope: ChainMap[str, str], *, once: bool) -> list[Term]:
        extras = [*node.storage, *node.funcspec, *node.quals]
        if extras:
            raise rejection(node, f"'{' '.join(extras)}' on '{node.name}'", "plain locals")
        if node.bitsize is not None or not node.name:
            raise rejection(node, "this declaration", "locals of type u32 and u64")
        kind = type_of(node.type)
        if kind is None:
            raise rejection(node, f"the void local '{node.name}'", "u32 and u64")
        if node.name in scope or node.name in self._prototypes:
            raise rejection(
                node, f"'{node.name}', which hides another '{node.name}',", "a name that is not in scope"
            )
        if self._kinds.setdefault(node.name, kind) != kind:
            raise rejection(node, f"a second type for '{node.name}' in one function", "one type a name")
        if node.init is None and (not once or node.name in self.temporaries):
            # C makes it indeterminate at each entry of the block, the model keeps the old value
            raise rejection(node, f"'{node.name}' without initial value in this place", "an initial value")
        # not in scope in its own initial value, where C has it indeterminate
        terms = [] if node.init is None else self._assign(node.name, kind, node.init, scope)
        scope[node.name] = kind
        self._remember(node.name)
        return terms

    def _remember(self, name: str) -> None:
        if name not in self.temporaries:
            self.temporaries.append(name)

    # -- statements -------------------------------------------------------------------------------

    def _statement(self, node: Any, scope: ChainMap[str, str], *, once: bool) -> list[Term]:
        match node:
            case c_ast.Compound():
                return self._items(node, scope.new_child(), once=False)
            case c_ast.Decl():
                return self._declare(node, scope, once=once)
            case c_ast.Assignment():
                return self._assignment(node, scope)
            case c_ast.UnaryOp(op="++" | "p++" | "--" | "p--"):
                step = c_ast.BinaryOp(
                    node.op[-1], node.expr, c_ast.Constant("int", "1", node.coord), node.coord
                )
                return self._update(node.expr, step, scope)
            case c_ast.FuncCall():
                return [self._call("None", node, scope)]
            case c_ast.If():
                prefix, (condition, _) = self._hoist(node.cond, scope)
                branches = (self._block(node.iftrue, scope), self._block(node.iffalse, scope))
                return [*prefix, ("Sif", condition, *branches)]
            case c_ast.While():
                return [("Swhile", self._condition(node.cond, scope), self._block(node.stmt, scope))]
            case c_ast.For():
                return self._for(node, scope.new_child())
            case c_ast.Return():
                return self._return(node, scope)
            case c_ast.EmptyStatement():
                return []
        raise rejection(node, _NAMES.get(type(node), "an expression without effect"), STATEMENTS)

    def _assignment(self, node: c_ast.Assignment, scope: ChainMap[str, str]) -> list[Term]:
        if node.op == "=":
            return self._update(node.lvalue, node.rvalue, scope)
        computed = c_ast.BinaryOp(node.op[:-1], node.lvalue, node.rvalue, node.coord)
        return self._update(node.lvalue, computed, scope)

    def _update(self, target: Any, value: Any, scope: ChainMap[str, str]) -> list[Term]:
        if not isinstance(target, c_ast.ID):
            raise rejection(target, "an assignment to something else than a local", "x = ... for a local x")
        kind = expression(target, scope)[1]
        return self._assign(str(target.name), kind, value, scope)

    def _assign(self, name: str, kind: str, value: Any, scope: ChainMap[str, str]) -> list[Term]:
        if isinstance(value, c_ast.FuncCall) and self._result(value) in (kind, "U32"):
            return [self._call(option(quoted(name)), value, scope)]
        prefix, result = self._hoist(value, scope)
        return [*prefix, ("Sset", quoted(name), convert(result, kind))]

    def _for(self, node: c_ast.For, scope: ChainMap[str, str]) -> list[Term]:
        first: list[Term] = []
        if isinstance(node.init, c_ast.DeclList):
            for declaration in node.init.decls:
                first += self._declare(declaration, scope, once=False)
        elif node.init is not None:
            first = self._step(node.init, scope)
        condition: Term = ("Econst", "1") if node.cond is None else self._condition(node.cond, scope)
        body = self._block(node.stmt, scope)
        step = [] if node.next is None else self._step(node.next, scope)
        return [*first, ("Swhile", condition, sequence([*_flatten(body), *step]))]

    def _step(self, node: Any, scope: ChainMap[str, str]) -> list[Term]:
        if not isinstance(node, c_ast.Assignment | c_ast.UnaryOp | c_ast.FuncCall):
            raise rejection(
                node, _NAMES.get(type(node), "this expression in a for"), "one assignment, ++, -- or call"
            )
        return self._statement(node, scope, once=False)

    def _return(self, node: c_ast.Return, scope: ChainMap[str, str]) -> list[Term]:
        wanted = self._signature.result
        if node.expr is None or wanted is None:
            if node.expr is not None:
                raise rejection(node, "a value returned from a void function", "return;")
            if wanted is not None:
                raise rejection(node, "return without a value", "return e;")
            return [("Sreturn", "None")]
        prefix, result = self._hoist(node.expr, scope)
        return [*prefix, ("Sreturn", option(convert(result, wanted)))]

    # -- calls ------------------------------------------------------------------------------------

    def _condition(self, node: Any, scope: ChainMap[str, str]) -> Term:
        for call in calls(node):
            raise rejection(
                call, "a call in the condition of a loop", "a call before the loop and at its end"
            )
        return expression(node, scope)[0]

    def _hoist(self, node: Any, scope: ChainMap[str, str]) -> tuple[list[Term], Typed]:
        """The statements that must run first, and the expression after them."""
        prefix, rest, variables = self._without_call(node, scope)
        return prefix, expression(rest, variables)

    def _without_call(
        self, node: Any, scope: ChainMap[str, str]
    ) -> tuple[list[Term], Any, Mapping[str, str]]:
        found = calls(node)
        if not found:
            return [], node, scope
        if len(found) > 1:
            raise rejection(found[1], SECOND_CALL, "one call an expression (use a local)")
        call = found[0]
        under = _logical_above(node, call)
        if under is not None:
            raise rejection(call, f"a call under {under}", "a call before the expression (use a local)")
        name = f"t'{self._hoisted}"  # a quote cannot occur in a name of C
        self._hoisted += 1
        self._remember(name)
        statement = self._call(option(quoted(name)), call, scope)
        replaced = _replace(node, call, c_ast.ID(name, call.coord))
        return [statement], replaced, scope.new_child({name: self._result(call)})

    def _prototype(self, node: c_ast.FuncCall) -> Signature:
        if not isinstance(node.name, c_ast.ID):
            raise rejection(node, "a call through an expression", "calls of functions by name")
        name = node.name.name
        if name not in self._prototypes:
            raise rejection(
                node, f"a call of '{name}', which has no prototype,", "functions declared in prims.h"
            )
        if name == self._signature.name:
            raise rejection(node, f"the recursive call of '{name}'", "while and for")
        if name in self._own:
            raise rejection(node, f"a call of '{name}' of the same layer", "functions of the layers below")
        return self._prototypes[name]

    def _result(self, node: c_ast.FuncCall) -> str:
        """The type of the value of a call that must have one."""
        signature = self._prototype(node)
        if signature.result is None:
            raise rejection(
                node, f"the value of the void function '{signature.name}'", "functions with a result"
            )
        return signature.result

    def _call(self, target: Term, node: c_ast.FuncCall, scope: Mapping[str, str]) -> Term:
        """The statement that calls and puts the result into `target` (an option of a name)."""
        signature = self._prototype(node)
        inner = calls(node.args) if node.args is not None else []
        if inner:
            raise rejection(inner[0], SECOND_CALL, "one call an expression (use a local)")
        return ("Scall", target, quoted(signature.name), arguments(node, signature, scope))


def calls(node: Any) -> list[c_ast.FuncCall]:
    """All calls in an expression, in the order of the text."""
    found = [node] if isinstance(node, c_ast.FuncCall) else []
    return found + [call for _, child in node.children() for call in calls(child)]


def _logical_above(node: Any, call: c_ast.FuncCall) -> str | None:
    """The operator that decides whether `call` runs, or None."""
    if node is call or call not in calls(node):
        return None
    if isinstance(node, c_ast.BinaryOp) and node.op in ("&&", "||"):
        return str(node.op)
    if isinstance(node, c_ast.TernaryOp):
        return "?:"
    for _, child in node.children():
        found = _logical_above(child, call)
        if found is not None:
            return found
    return None


def _replace(node: Any, call: c_ast.FuncCall, by: c_ast.ID) -> Any:
    """A copy of the expression with `by` in the place of `call`; what cannot hold a call stays as it is."""
    if node is call:
        return by
    match node:
        case c_ast.BinaryOp():
            return c_ast.BinaryOp(
                node.op, _replace(node.left, call, by), _replace(node.right, call, by), node.coord
            )
        case c_ast.UnaryOp():
            return c_ast.UnaryOp(node.op, _replace(node.expr, call, by), node.coord)
        case c_ast.Cast():
            return c_ast.Cast(node.to_type, _replace(node.expr, call, by), node.coord)
    return node


def _flatten(body: Term) -> list[Term]:
    """The statements of a chain, so that a loop's step joins its body in one chain."""
    statements: list[Term] = []
    while isinstance(body, tuple) and body[0] == "Sseq":
        statements.append(body[1])
        body = body[2]
    return statements if body == "Sskip" else [*statements, body]


_NAMES: dict[type, str] = {
    c_ast.Goto: "goto",
    c_ast.Label: "a label",
    c_ast.Switch: "switch",
    c_ast.Case: "case",
    c_ast.Default: "default",
    c_ast.DoWhile: "do",
    c_ast.Break: "break",
    c_ast.Continue: "continue",
    c_ast.ExprList: "the comma operator",
    c_ast.Typedef: "a typedef in a function",
    c_ast.Pragma: "a pragma",
    c_ast.StaticAssert: "a static assertion",
    c_ast.TernaryOp: "the conditional operator ?:",
}
